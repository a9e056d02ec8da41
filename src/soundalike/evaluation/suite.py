"""One system through all tasks.

A system is a name: a shipped encoder, the folder of a model, or one of the baselines. Whatever it is,
it is used as a `Describe`, and every figure comes from the same code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.embedder import Embedder
from soundalike.errors import AudioError
from soundalike.evaluation import baselines
from soundalike.evaluation.tasks import (
    SAMPLE_RATE,
    Describe,
    Halves,
    Result,
    read_recordings,
    same_album,
    same_track,
    similarity_matrix,
)

BASELINES: dict[str, Describe] = {
    "mean-log-mel": baselines.mean_log_mel,
    "mfcc": baselines.mfcc,
    "bliss": baselines.bliss,
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one system scored.

    Attributes:
        system: its name as given.
        identity: of its weights; the name again for a baseline.
        aggregation: how its segment vectors were compared.
        tracks: recordings in the set.
        numbers: per track, what has to be kept to compare it (S * D).
        seconds: to describe the whole set, decoding left out.
        results: one per task.
    """

    system: str
    identity: str
    aggregation: str
    tracks: int
    numbers: int
    seconds: float
    results: list[Result]


def evaluate_system(
    system: str,
    tracks: Path,
    split: str,
    *,
    aggregation: str = "mean",
    warn: Callable[[AudioError], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Evaluation:
    """Run one system through same_track and same_album.

    Raises:
        QueryError: no such list of tracks or split, or no track of it can be used.
        ModelError: no such system.
    """
    recordings = read_recordings(tracks, split)
    baseline = system in BASELINES
    embedder = None if baseline else Embedder(None if system == "default" else system)
    describe = embedder.embed_waveform if embedder else BASELINES[system]
    rate = embedder.sample_rate if embedder else SAMPLE_RATE
    halves = Halves.load(recordings, sample_rate=rate, warn=warn)
    total, done = 2 * len(halves.recordings), 0

    def counted(waveform: np.ndarray) -> np.ndarray:
        nonlocal done
        vectors = describe(waveform)
        done += 1
        progress(done, total)
        return vectors

    began = time.monotonic()
    first, second = halves.describe(counted)
    seconds = time.monotonic() - began
    if baseline:
        first, second = baselines.standardise((first, second))
    similarity = similarity_matrix(second, first, aggregation)
    return Evaluation(
        system=system,
        identity=embedder.identity if embedder else system,
        aggregation=aggregation,
        tracks=len(halves.recordings),
        numbers=first[0].shape[1] if aggregation == "mean" else first[0].size,
        seconds=seconds,
        results=[
            same_track(similarity),
            same_album(similarity, [recording.album for recording in halves.recordings]),
        ],
    )
