"""Content and co-listening in one ranking, by how much is known of a track.

A track that was played n times is trusted to its listeners with the weight w = n / (n + h), so that at
h plays sound and listeners weigh the same: a track without plays answers by sound alone, a hit by its
listeners. n is that of the seed ("seed"), or the smaller one of seed and answer ("pair"): of an answer
that nobody has played yet, no listener can have said that it does not fit.

The two are brought to one scale, row by row, in one of two ways:

score   (s - mean) / deviation of the row
rank    1 / (60 + rank), reciprocal rank fusion (Cormack, Clarke & Buettcher 2009); equals share the
        worst of their ranks

Which of these and which h is chosen by validation sessions: `BLENDS`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

SCALES = ("score", "rank")

OFFSET = 60
"""Of reciprocal rank fusion, as in the paper: how little the very first ranks stand out."""


@dataclass(frozen=True, slots=True)
class Blend:
    """How to fuse: scale ("score", "rank"), whose plays ("seed", "pair"), and plays h > 0 of even weight."""

    scale: str
    plays: str
    even: float

    def __post_init__(self) -> None:
        if self.scale not in SCALES or self.plays not in ("seed", "pair"):
            raise ValueError(f"no blend {self}: score or rank, seed or pair")
        if not self.even > 0:
            raise ValueError(f"even={self.even} plays must be above 0")

    def __str__(self) -> str:
        return f"{self.scale}, plays of the {self.plays}, even at {self.even:g} plays"


BLENDS = tuple(
    Blend(scale, plays, even)
    for scale, plays, even in itertools.product(
        SCALES, ("seed", "pair"), (0.5, 1, 2, 5, 10, 20, 50, 100, 200)
    )
)


def blend(
    content: np.ndarray, colistening: np.ndarray, plays: np.ndarray, how: Blend
) -> np.ndarray:
    """One similarity of two: float64 [N, N].

    Args:
        content, colistening: [N, N], from `on_scale`, both on the scale of `how`.
        plays: int [N], known when the answer is given.
        how: whose plays count, and how much.
    """
    n = plays[:, None] if how.plays == "seed" else np.minimum(plays[:, None], plays[None, :])
    return np.asarray(content + n / (n + how.even) * (colistening - content))


def on_scale(similarity: np.ndarray, scale: str) -> np.ndarray:
    """Rows of a similarity [N, N] as "score" or "rank" has them, over the others: float64 [N, N].

    What stands on the diagonal does not count.
    """
    return _standardised(similarity) if scale == "score" else _reciprocal_ranks(similarity)


def _standardised(similarity: np.ndarray) -> np.ndarray:
    """Rows to mean 0 and deviation 1 over the others; a row of equals to 0."""
    others = np.where(np.eye(len(similarity), dtype=bool), np.nan, similarity.astype(np.float64))
    mean = np.nanmean(others, axis=1, keepdims=True)
    std = np.nanstd(others, axis=1, keepdims=True)
    return np.nan_to_num(np.where(std > 1e-9, (others - mean) / np.maximum(std, 1e-9), 0))


def _reciprocal_ranks(similarity: np.ndarray) -> np.ndarray:
    """1 / (60 + rank) within each row over the others, 0 on the diagonal."""
    barred = similarity.astype(np.float64)
    np.fill_diagonal(barred, -np.inf)
    # How many others are at least as alike: the worst rank among equals.
    ranks = np.stack([len(row) - np.searchsorted(np.sort(row), row) for row in barred])
    reciprocal = 1 / (OFFSET + ranks)
    np.fill_diagonal(reciprocal, 0)
    return np.asarray(reciprocal)
