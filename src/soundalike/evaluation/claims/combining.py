"""Ways to combine the segments of two tracks into one similarity, with what each must keep.

    mean        cosine of the means                                           D numbers per track
    concat      segment i against segment i: cosine of the stacked vectors    S * D
    reduced     concat projected to the width of mean                         D
    max         the best pair of segments alone                               S * D
    maxsim      every segment with its best partner, both directions          S * D
    best pairs  mean of the r best pairs, each segment used once              S * D, r = min(S, 3)

mean, concat and maxsim are those of the library (library/aggregation.py), as cosines: whether a piece is
recognised is left out, for it is no question of how segments are combined. "max" is what a sample or a
quotation would call for. "best pairs" is the reduction of CLEWS (Serrà et al. 2025, section 3),
greedy. "reduced" answers whether concat is better for its order or only for its size: it is
projected on the principal axes of the concatenated vectors of training tracks, taken about the
origin, so that nothing but the width is changed (centring would be another method).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from soundalike.library.aggregation import (
    ONE,
    Senses,
    segment_table,
    similarities,
    track_vector,
    unit,
)

MOST_PAIRS = 3
NAMES = ("mean", "concat", "reduced", "max", "maxsim", "best pairs")


@dataclass(frozen=True, slots=True)
class Combination:
    """One way to compare tracks.

    Attributes:
        name: one of `NAMES`.
        keep: unit rows of N tracks [N, S, D] -> what the library would hold of them [N, ...].
        compare: what is held of a query [...] and of N tracks [N, ...] -> similarities [N].
    """

    name: str
    keep: Callable[[np.ndarray], np.ndarray]
    compare: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def matrix(self, queries: np.ndarray, tracks: np.ndarray) -> np.ndarray:
        """Compare all queries [Q, S, D] with all tracks [N, S, D]: [Q, N]."""
        kept = self.keep(tracks)
        return np.stack([self.compare(query, kept) for query in self.keep(queries)])


def combinations(training: np.ndarray, senses: Senses = ONE) -> list[Combination]:
    """All ways, in the order of `NAMES`.

    Args:
        training: unit rows of training tracks, [N, S, D], N at least 1: what "reduced" is fitted on.
        senses: the columns of each sense of a joined model.
    """
    axes = principal_axes(track_vector(training, "concat"), training.shape[2])

    def as_is(vectors: np.ndarray) -> np.ndarray:
        return vectors

    def dot(query: np.ndarray, tracks: np.ndarray) -> np.ndarray:
        return np.asarray(tracks @ query)

    return [
        Combination("mean", lambda v: track_vector(v, "mean", senses), dot),
        Combination("concat", lambda v: track_vector(v, "concat"), dot),
        Combination("reduced", lambda v: unit(track_vector(v, "concat") @ axes.T), dot),
        Combination("max", as_is, lambda q, t: segment_table(q, t).max(axis=(1, 2))),
        Combination("maxsim", as_is, lambda q, t: similarities(q, t, "maxsim")),
        Combination("best pairs", as_is, lambda q, t: best_pairs(segment_table(q, t))),
    ]


def principal_axes(vectors: np.ndarray, width: int) -> np.ndarray:
    """The directions that hold most of the vectors' length.

    Args:
        vectors: float [N, W].
        width: directions wanted; there are at most min(N, W).

    Returns:
        Orthonormal rows [at most width, W], most important first.
    """
    axes: np.ndarray = np.linalg.svd(vectors, full_matrices=False)[2][:width]
    return axes


def best_pairs(table: np.ndarray) -> np.ndarray:
    """Mean of the min(S, 3) best pairs, greedily and without using a segment twice.

    Args:
        table: cosines [N, S, S] of a query's segments with those of N tracks.

    Returns:
        float [N].
    """
    N, rows, columns = table.shape
    pairs, track = min(rows, columns, MOST_PAIRS), np.arange(N)
    free, total = table.copy(), np.zeros(N, dtype=table.dtype)
    for _ in range(pairs):
        best = free.reshape(N, -1).argmax(axis=1)
        i, j = np.divmod(best, columns)
        total += table[track, i, j]
        free[track, i, :] = -np.inf
        free[track, :, j] = -np.inf
    return np.asarray(total / pairs)
