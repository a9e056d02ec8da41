"""The second half of every track is asked about, among the first halves of all.

Relevant is the track's own first half. Both halves are described by themselves, so what is found is
what belongs to one recording: sound, players, material. An encoder could do well by recognising the
room alone, so this task never stands by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from soundalike.evaluation.retrieval import Retrieval
from soundalike.evaluation.tasks.recordings import Recording, halves


def same_track(
    recordings: Sequence[Recording], *, duplicates: Sequence[set[int]] = ()
) -> Retrieval:
    """Second halves against first halves.

    Args:
        recordings: N tracks.
        duplicates: places of tracks that hold the same recording; to find any of them is right.
    """
    parts = [halves(recording) for recording in recordings]
    N = len(parts)
    return Retrieval(
        task="same_track",
        queries=[second for _, second in parts],
        tracks=[first for first, _ in parts],
        relevant=same_recording(N, duplicates),
        barred=np.zeros((N, N), dtype=bool),
        kinds=[""] * N,
        metrics=("top-1", "MRR"),
    )


def same_recording(count: int, duplicates: Sequence[set[int]]) -> np.ndarray:
    """Which tracks hold the same recording, each its own included: bool [N, N]."""
    same = np.eye(count, dtype=bool)
    for group in duplicates:
        places = sorted(group)
        same[np.ix_(places, places)] = True
    return same
