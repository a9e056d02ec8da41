"""Tracks that are an answer to everything, and tracks that are an answer to nothing.

In high dimensions some tracks turn up among the nearest of very many others and some of none
(Radovanovic et al., "Hubs in Space", JMLR 2010; for music Flexer et al., "A MIREX meta-analysis of
hubness in audio music similarity", ISMIR 2012). N_10 of a track is how many others have it among their
first ten. Every track asks all others, first halves against first halves: nothing is right or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from soundalike.evaluation.metrics import (
    Interval,
    bootstrap,
    neighbor_counts,
    robin_hood,
    skewness,
)
from soundalike.evaluation.retrieval import Score
from soundalike.evaluation.tasks.same_track import same_recording

K = 10
COUNTS = "N_10"
HUB = 2 * K  # more than twice what each would have if all had equally many


def _anti_hubs(counts: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray((counts == 0).mean(axis=axis))


def _hubs(counts: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray((counts > HUB).mean(axis=axis))


STATISTICS: dict[str, Callable[..., np.ndarray]] = {
    "skewness of N_10": skewness,
    "anti-hubs": _anti_hubs,
    "hubs": _hubs,
    "Robin Hood": robin_hood,
}
"""What is said of N_10, by the name in the table: its skewness; the shares of tracks that are nobody's
answer and of those with more than 20; the share of places to be redistributed."""


def hubness(similarity: np.ndarray, *, duplicates: Sequence[set[int]] = ()) -> Score:
    """Hubness of a system's similarities among N tracks.

    Args:
        similarity: float [N, N], first halves against first halves; what a track says of itself, and
            of other copies of its recording, does not count.
        duplicates: places of tracks that hold the same recording.

    Returns:
        A score of the task "hubness". Its intervals are by bootstrap over tracks, each statistic
        computed anew from the counts drawn; its values are N_10 of every track.

    Raises:
        ValueError: not [N, N], or NaN.
    """
    N = len(similarity)
    allowed = np.where(same_recording(N, duplicates), -np.inf, similarity)
    counts = neighbor_counts(allowed, K).astype(np.float64)
    intervals = {name: bootstrap(counts, statistic=each) for name, each in STATISTICS.items()}
    return Score("hubness", "", N, intervals, {COUNTS: counts.tolist()})


def hubness_difference(ours: np.ndarray, theirs: np.ndarray, name: str) -> Interval:
    """A statistic of our N_10 minus that of theirs, with its interval over the same tracks drawn.

    Args:
        ours, theirs: N_10 of the same tracks in the same order, float [N].
        name: out of `STATISTICS`.
    """
    statistic, both = STATISTICS[name], np.stack([ours, theirs], axis=-1)
    places = np.random.default_rng(0).integers(0, len(both), size=(2_000, len(both)))
    drawn = statistic(both[places], axis=1)
    low, high = np.quantile(drawn[:, 0] - drawn[:, 1], [0.025, 0.975])
    found = statistic(both, axis=0)
    return Interval(float(found[0] - found[1]), float(low), float(high))
