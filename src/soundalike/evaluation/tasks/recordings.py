"""The recordings a task is made of, and the parts of them that are played.

    tracks.csv -> Recording -> whole | first half, second half | excerpt -> Sound

Nothing is decoded here but by `usable`, which finds out which recordings have two halves, and by
`Halves`, which keeps the halves in memory for whoever asks about them again and again.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.audio.waveform import is_sounding, load_audio
from soundalike.errors import AudioError, QueryError
from soundalike.evaluation.sounds import SAMPLE_RATE, Sound, as_waveform, digest, file_key, samples
from soundalike.library.disk import reason, write_atomically

SHORTEST_HALF = 5.0
"""Seconds; shorter halves say nothing and are left out, with their number reported."""

END_OF_FILE = 4_096
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A track of an evaluation set; "" where a label is not known."""

    path: Path
    album: str
    artist: str
    genre: str = ""


def read_recordings(tracks: Path, split: str) -> list[Recording]:
    """Rows of a tracks.csv (path, split, soundtrack; artist, genre if known) that belong to a split.

    Raises:
        QueryError: missing file or columns, or nothing in the split.
    """
    try:
        with tracks.open(newline="", encoding="utf-8-sig") as file:
            listed = [
                (row["split"], _recording(tracks.parent, row)) for row in csv.DictReader(file)
            ]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        why = reason(error)
        if isinstance(error, KeyError):
            why = f"it has no column {error}"
        elif isinstance(error, UnicodeDecodeError):
            why = "it is not text"
        raise QueryError(
            f"{tracks} is not a list of tracks: {why}; name a CSV with --tracks"
        ) from None
    rows = [recording for name, recording in listed if name == split]
    if not rows:
        splits = ", ".join(sorted({name for name, _ in listed})) or "none"
        raise QueryError(f'{tracks} has no track in the split "{split}"; its splits are: {splits}')
    return rows


def digest_of(recordings: Sequence[Recording]) -> str:
    """Tell sets of recordings apart by what is in the files, in their order, and by their labels.

    Of a file its size and its ends are read: two recordings share neither.
    """
    parts = []
    for recording in recordings:
        parts += [recording.album, recording.artist, recording.genre]
        with suppress(OSError), recording.path.open("rb") as file:  # a missing one is told of later
            size = file.seek(0, os.SEEK_END)
            parts.append(str(size))
            for place in (0, max(0, size - END_OF_FILE)):
                file.seek(place)
                parts.append(file.read(END_OF_FILE).hex())
    return digest(*parts)


def whole(recording: Recording) -> Sound:
    """All of a recording."""
    path = recording.path
    return Sound(f"{file_key(path)}#whole", lambda rate: as_waveform(samples(path, rate)))


def halves(recording: Recording) -> tuple[Sound, Sound]:
    """The first and the second half of a recording; the second has the sample more, if there is one."""
    path, key = recording.path, file_key(recording.path)

    def first(rate: int) -> np.ndarray:
        sound = samples(path, rate)
        return as_waveform(sound[: len(sound) // 2])

    def second(rate: int) -> np.ndarray:
        sound = samples(path, rate)
        return as_waveform(sound[len(sound) // 2 :])

    return Sound(f"{key}#first-half", first), Sound(f"{key}#second-half", second)


def excerpt(recording: Recording, start: float, duration: float) -> Sound:
    """A stretch of a recording, in seconds; less where the recording ends before.

    Making it raises an AudioError where the recording ends before `start`.
    """
    path = recording.path

    def make(rate: int) -> np.ndarray:
        first = round(start * rate)
        part = samples(path, rate)[first : first + round(duration * rate)]
        if not len(part):
            raise AudioError(path, f"ends before {start:g} s, where an excerpt should begin")
        return as_waveform(part)

    return Sound(f"{file_key(path)}#excerpt@{start:g}+{duration:g}", make)


def usable(
    recordings: Sequence[Recording],
    *,
    warn: Callable[[AudioError], None] = lambda _: None,
    cache: Path | None = None,
) -> list[Recording]:
    """Those recordings that have two sounding halves; the others are reported and left out.

    Args:
        recordings: in any order, which is kept.
        warn: is called for each that is left out.
        cache: a folder to remember the answers in; files that did not change are not decoded again.

    Raises:
        QueryError: none can be used.
    """
    notes = cache / "usable.json" if cache else None
    known = _read_notes(notes)
    keys = [file_key(recording.path) for recording in recordings]
    missing = {key: each for key, each in zip(keys, recordings, strict=True) if key not in known}
    with ThreadPoolExecutor(2) as pool:
        known |= dict(zip(missing, pool.map(_complaint, missing.values()), strict=True))
    if notes and missing:
        notes.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(notes, json.dumps(known, indent=0).encode())
    kept = []
    for key, recording in zip(keys, recordings, strict=True):
        if known[key]:
            warn(AudioError(recording.path, known[key]))
        else:
            kept.append(recording)
    return _some(kept, recordings)


@dataclass(frozen=True, slots=True)
class Halves:
    """First and second halves of tracks, decoded once; 16-bit to keep an evaluation set in memory."""

    recordings: list[Recording]
    first: list[np.ndarray]
    second: list[np.ndarray]

    @classmethod
    def load(
        cls,
        recordings: Sequence[Recording],
        *,
        sample_rate: int = SAMPLE_RATE,
        warn: Callable[[AudioError], None],
    ) -> Halves:
        """Decode and halve; tracks that cannot be used are reported and left out.

        Raises:
            QueryError: none can be used.
        """
        kept, first, second = [], [], []
        for recording in recordings:
            try:
                waveform = load_audio(recording.path, sample_rate=sample_rate)
                _check(recording.path, waveform, sample_rate)
            except AudioError as error:
                warn(error)
                continue
            sound = np.round(waveform * 32767).astype(np.int16)
            kept.append(recording)
            first.append(sound[: len(sound) // 2])
            second.append(sound[len(sound) // 2 :])
        return cls(_some(kept, recordings), first, second)

    def describe(
        self, describe: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """What a function of a waveform float32 [T] makes of every first and every second half."""
        return (
            [describe(as_waveform(half)) for half in self.first],
            [describe(as_waveform(half)) for half in self.second],
        )


def _recording(folder: Path, row: dict[str, str]) -> Recording:
    # A row cut short has None where its last columns should be.
    return Recording(
        path=folder / row["path"],
        album=row["soundtrack"] or "",
        artist=row.get("artist") or "",
        genre=row.get("genre") or "",
    )


def _complaint(recording: Recording) -> str:
    """Why a recording cannot be used; "" if it can."""
    try:
        _check(recording.path, load_audio(recording.path, sample_rate=SAMPLE_RATE), SAMPLE_RATE)
    except AudioError as error:
        return error.reason
    return ""


def _check(path: Path, waveform: np.ndarray, sample_rate: int) -> None:
    middle = len(waveform) // 2
    if middle < SHORTEST_HALF * sample_rate:
        raise AudioError(path, f"halves shorter than {SHORTEST_HALF:g} s")
    if not (is_sounding(waveform[:middle]) and is_sounding(waveform[middle:])):
        raise AudioError(path, "one half is silent")


def _read_notes(path: Path | None) -> dict[str, str]:
    with suppress(OSError, ValueError):  # unreadable notes are made again
        if path and isinstance(notes := json.loads(path.read_text("utf-8")), dict):
            return notes
    return {}


def _some(kept: list[Recording], of: Sequence[Recording]) -> list[Recording]:
    if not kept:
        raise QueryError(f"none of the {len(of)} tracks to compare can be used")
    return kept
