"""The retrieval tasks: named, seeded protocols from music to numbers.

    same_track   the second half of every track against the first halves of all: top-1, MRR
    same_album   every track against all others, its album mates relevant: mAP, P@5

A system under test is anything that turns waveforms [T] into segment vectors [S, D] (`Describe`), and
optionally two such sets into a similarity; the tasks know nothing else about it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.audio.waveform import is_sounding, load_audio
from soundalike.errors import AudioError, QueryError
from soundalike.evaluation.metrics import (
    Interval,
    average_precision,
    bootstrap,
    precision_at,
    reciprocal_rank,
    top_1,
)
from soundalike.library.aggregation import similarities
from soundalike.library.disk import reason

Describe = Callable[[np.ndarray], np.ndarray]
"""Waveform float32 [T] -> vectors float32 [S, D], rows of unit length."""

SAMPLE_RATE = 16_000
"""Of the waveforms handed to a system, unless its encoder wants another."""

SHORTEST_HALF = 5.0
"""Seconds; shorter halves say nothing and are left out, with their number reported."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A track of an evaluation set."""

    path: Path
    album: str
    artist: str


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one task for one system: metric -> mean with interval, and the per-query values."""

    task: str
    queries: int
    scores: dict[str, Interval]
    values: dict[str, list[float]]


def read_recordings(tracks: Path, split: str) -> list[Recording]:
    """Rows of a tracks.csv (path, split, soundtrack, artist) that belong to a split.

    Raises:
        QueryError: missing file or columns, or nothing in the split.
    """
    try:
        with tracks.open(newline="", encoding="utf-8-sig") as file:
            rows = [
                Recording(tracks.parent / row["path"], row["soundtrack"], row.get("artist", ""))
                for row in csv.DictReader(file)
                if row["split"] == split
            ]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        why = f"it has no column {error}" if isinstance(error, KeyError) else reason(error)
        raise QueryError(
            f"{tracks} is not a list of tracks: {why}; name a CSV with --tracks"
        ) from None
    if not rows:
        raise QueryError(f'{tracks} has no track in the split "{split}"')
    return rows


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
                middle = len(waveform) // 2
                if middle < SHORTEST_HALF * sample_rate:
                    raise AudioError(recording.path, "halves shorter than 5 s")
                if not (is_sounding(waveform[:middle]) and is_sounding(waveform[middle:])):
                    raise AudioError(recording.path, "one half is silent")
            except AudioError as error:
                warn(error)
                continue
            samples = np.round(waveform.clip(-1, 1) * 32767).astype(np.int16)
            kept.append(recording)
            first.append(samples[:middle])
            second.append(samples[middle:])
        if not kept:
            raise QueryError(f"none of the {len(recordings)} tracks to compare can be used")
        return cls(kept, first, second)

    def describe(self, describe: Describe) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Vectors [S, D] of every first and every second half."""

        def all_of(halves: list[np.ndarray]) -> list[np.ndarray]:
            return [describe(half.astype(np.float32) / 32767) for half in halves]

        return all_of(self.first), all_of(self.second)


def similarity_matrix(
    queries: Sequence[np.ndarray], tracks: Sequence[np.ndarray], aggregation: str
) -> np.ndarray:
    """Cosines of every query with every track under an aggregation, float32 [Q, N]."""
    stacked = np.stack(tracks)
    return np.stack([similarities(query, stacked, aggregation) for query in queries])


def same_track(similarity: np.ndarray) -> Result:
    """Is the other half of the track found first?

    Args:
        similarity: [N, N]; row i is the second half of track i, column j the first half of track j.
    """
    relevant = np.eye(len(similarity), dtype=bool)
    return _result(
        "same_track",
        {
            "top-1": top_1(similarity, relevant),
            "MRR": reciprocal_rank(similarity, relevant),
        },
    )


def same_album(similarity: np.ndarray, albums: Sequence[str]) -> Result:
    """Are the other tracks of the album found? A track's own other half is barred.

    Args:
        similarity: [N, N] as in `same_track`.
        albums: N labels; tracks of "" have no album, hence no mates.
    """
    labels = np.asarray(albums)
    itself = np.eye(len(labels), dtype=bool)
    barred = np.where(itself, -np.inf, similarity)
    relevant = (labels[:, None] == labels[None, :]) & (labels != "") & ~itself
    return _result(
        "same_album",
        {
            "mAP": average_precision(barred, relevant),
            "P@5": precision_at(5, barred, relevant),
        },
    )


def _result(task: str, values: dict[str, np.ndarray]) -> Result:
    queries = len(next(iter(values.values())))
    scores = {name: bootstrap(each) for name, each in values.items()}
    return Result(task, queries, scores, {name: each.tolist() for name, each in values.items()})
