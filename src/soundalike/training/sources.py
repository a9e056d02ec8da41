"""Music to train on -> sources, and their waveforms, decoded once.

A source is something two views may be drawn from: one recording, or several renderings of one
piece, cut so that the same share of each is the same music (scores/rendering.py makes those).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.audio.endings import AUDIO_EXTENSIONS
from soundalike.audio.waveform import load_audio
from soundalike.errors import AudioError, RecipeError

VALIDATION_SHARE = 10
"""Of a plain folder, one album folder in this many is held out, or one loose file."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something whose views are positives of one another.

    Attributes:
        key: unique name, a path relative to the list it came from.
        recordings: one file, or several versions of the same music.
        artist: label for the supervised baseline: the artist, or the album where none is named.
        album: soundtrack or album folder.
        mixed: made of other sources. What stands beside it in a batch may be a part of it, so it is nobody's
            negative, and learns from the teacher alone.
    """

    key: str
    recordings: tuple[Path, ...]
    artist: str = ""
    album: str = ""
    mixed: bool = False


def read_sources(music: str | Path, split: str) -> list[Source]:
    """Sources of one split: "train", "validation" or "test".

    Args:
        music: a CSV with `path` and `split` columns (and `artist`, `soundtrack` if known; paths
            relative to the file), or a folder, of which one album folder in ten is held out for
            validation; a file outside all folders is an album to itself.

    Raises:
        RecipeError: nothing there, missing columns, or an empty split.
    """
    path = Path(music)
    if path.is_dir():
        sources = _from_folder(path, split)
    elif path.is_file():
        sources = _from_csv(path, split)
    else:
        raise RecipeError(f'data.music="{music}" is neither a CSV file nor a folder')
    if not sources:
        hint = "; of a folder, one album in ten is held out" if path.is_dir() else ""
        raise RecipeError(f'data.music="{music}" holds no music for the split "{split}"{hint}')
    return sources


def read_arrangements(index: str | Path) -> list[Source]:
    """Groups of renderings listed in an index.json of scores/rendering.py."""
    path = Path(index)
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))["groups"]
        return [
            Source(group["piece"], tuple(path.parent / file for file in group["files"]))
            for group in groups
            if len(group["files"]) > 1
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecipeError(
            f'data.arrangements="{index}" is not an index of renderings: {error}'
        ) from None


def read_mixtures(folder: str | Path) -> list[Source]:
    """Mixtures of recordings, as recipes/teachers/musicnn_mixtures.py writes them.

    They go by the name of their folder and their number, as what their teacher heard in them does.
    """
    files = sorted(Path(folder).glob("[0-9]*.npy"))
    files = [file for file in files if not file.stem.endswith(".partial")]
    if not files:
        raise RecipeError(f'data.mixtures: "{folder}" is not a folder of mixtures')
    name = mixtures_name(folder)
    return [Source(f"{name}/{file.stem}", (file,), mixed=True) for file in files]


def mixtures_name(folder: str | Path) -> str:
    """What the mixtures of a folder go by."""
    return Path(folder).absolute().name


def _from_csv(path: Path, split: str) -> list[Source]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = {"path", "split"} - set(reader.fieldnames or ())
        if missing:
            raise RecipeError(f"{path} has no column {', '.join(sorted(missing))}")
        return [
            Source(
                key=row["path"],
                recordings=(path.parent / row["path"],),
                artist=row.get("artist") or row.get("soundtrack") or "",
                album=row.get("soundtrack") or "",
            )
            for row in reader
            if row["split"] == split
        ]


def _from_folder(folder: Path, split: str) -> list[Source]:
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in AUDIO_EXTENSIONS)
    sources = []
    for file in files:
        key = file.relative_to(folder).as_posix()
        album = key.rpartition("/")[0]
        # By a hash of the album, so that adding an album never moves another between the splits.
        name = (album or key).encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(name, digest_size=4).digest()
        held_out = int.from_bytes(digest, "big") % VALIDATION_SHARE == 0
        if split == ("validation" if held_out else "train"):
            sources.append(Source(key, (file,), artist=album.partition("/")[0], album=album))
    return sources


class WaveformCache:
    """Decoded audio on disk: 16-bit mono at one sample rate, memory-mapped.

    Decoding is most of the cost of a small network's training step; after the first epoch there is
    none. A file counts as another one when its size or time of change differs.
    """

    def __init__(self, folder: str | Path, sample_rate: int) -> None:
        self.folder = Path(folder) / str(sample_rate)
        self.sample_rate = sample_rate

    def waveform(self, path: Path) -> np.ndarray:
        """Samples of a recording, int16 [T]; `.npy` files of that kind are mapped as they are.

        Raises:
            AudioError: the file cannot be used.
        """
        if path.suffix == ".npy":
            return _rendering(path)
        cached = self._place(path)
        if not cached.exists():
            samples = load_audio(path, sample_rate=self.sample_rate)
            cached.parent.mkdir(parents=True, exist_ok=True)
            partial = cached.with_suffix(f".{os.getpid()}.npy")
            np.save(partial, np.round(samples.clip(-1, 1) * 32767).astype(np.int16))
            partial.replace(cached)
        return np.load(cached, mmap_mode="r")  # type: ignore[no-any-return]

    def fill(self, sources: Iterable[Source]) -> tuple[list[Source], list[AudioError]]:
        """Decode what is missing; returns the sources that can be used, and why the others cannot."""
        usable, failed = [], []
        for source in sources:
            try:
                for recording in source.recordings:
                    self.waveform(recording)
                usable.append(source)
            except AudioError as error:
                failed.append(error)
        return usable, failed

    def _place(self, path: Path) -> Path:
        return self.folder / cached_name(path)


def cached_name(path: Path) -> str:
    """Name of the `.npy` that keeps what was made of a recording; another size or time, another name.

    Raises:
        AudioError: there is no such file.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise AudioError(path, f"cannot be read: {error.strerror}") from None
    text = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    return f"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}.npy"


def _rendering(path: Path) -> np.ndarray:
    try:
        samples: np.ndarray = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise AudioError(path, f"cannot be read: {error}") from None
    if samples.ndim != 1 or samples.dtype != np.int16 or not len(samples):
        raise AudioError(path, f"holds {samples.dtype} {list(samples.shape)}, expected int16 [T]")
    return samples


def as_float(samples: np.ndarray) -> np.ndarray:
    """16-bit samples as float32 in -1..1."""
    scaled: np.ndarray = samples.astype(np.float32) / 32767
    return scaled


def artists_of(sources: Sequence[Source]) -> dict[str, int]:
    """Class number of every artist, in alphabetical order; no name is no artist."""
    artists = sorted({source.artist for source in sources} - {""})
    return {artist: i for i, artist in enumerate(artists)}
