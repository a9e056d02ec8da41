"""Pure functions on arrays: how good a ranking is.

    similarity float [Q, N], relevant bool [Q, N]  ->  one value per query [Q]  ->  mean and interval

Definitions: Manning, Raghavan & Schuetze, "Introduction to Information Retrieval", chapter 8.
Conventions. A ranking is by descending similarity. Ties count against us: among equal similarities
the relevant item is ranked last, so a system that answers everything alike scores like chance at
best. A query with nothing relevant has no defined value and is NaN; means leave it out. An item may
be barred from a query's ranking (the query itself, say) by similarity -inf; it is never relevant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries with its 95 % confidence interval."""

    mean: float
    low: float
    high: float


def ranks_of_relevant(similarity: np.ndarray, relevant: np.ndarray) -> list[np.ndarray]:
    """Ranks (1 is best) of each query's relevant items, ascending: Q arrays of int.

    Raises:
        ValueError: shapes that do not fit, or a similarity that is NaN.
    """
    if similarity.shape != relevant.shape or similarity.ndim != 2:
        raise ValueError(
            f"similarity {similarity.shape} and relevant {relevant.shape} must both be [Q, N]"
        )
    if np.isnan(similarity).any():
        raise ValueError("a similarity is NaN; a system must rank everything it is asked about")
    ranks = []
    for row, wanted in zip(similarity, relevant & (similarity > -np.inf), strict=True):
        # Sorted by similarity, then irrelevant before relevant: ties count against us.
        order = np.lexsort((wanted, -row))
        ranks.append(np.flatnonzero(wanted[order]) + 1)
    return ranks


def top_1(similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """1 where the best answer is relevant, else 0: float [Q]."""
    return _each(similarity, relevant, lambda ranks: float(ranks[0] == 1))


def reciprocal_rank(similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """1 / rank of the first relevant answer: float [Q]. Its mean is the MRR."""
    return _each(similarity, relevant, lambda ranks: 1 / ranks[0])


def average_precision(similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Mean over the relevant items of the precision at their rank: float [Q]. Its mean is the mAP."""
    return _each(
        similarity, relevant, lambda ranks: float(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    )


def precision_at(k: int, similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of relevant items among the first k: float [Q]."""
    if k < 1:
        raise ValueError(f"k={k} must be at least 1")
    return _each(similarity, relevant, lambda ranks: float(np.sum(ranks <= k)) / k)


def bootstrap(values: np.ndarray, *, seed: int = 0, draws: int = 2_000) -> Interval:
    """Mean of per-query values and its percentile bootstrap interval over queries.

    Efron & Tibshirani, "An Introduction to the Bootstrap", chapter 13. NaN values are left out; with
    none left all three numbers are NaN.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), size=(draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def paired_difference(
    ours: np.ndarray, theirs: np.ndarray, *, seed: int = 0, draws: int = 2_000
) -> Interval:
    """Mean of ours - theirs over the same queries, with its interval: 0 outside means a difference."""
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.shape} and {theirs.shape}: the same queries are needed")
    return bootstrap(ours - theirs, seed=seed, draws=draws)


def _each(
    similarity: np.ndarray, relevant: np.ndarray, value: Callable[[np.ndarray], float]
) -> np.ndarray:
    ranks = ranks_of_relevant(similarity, relevant)
    return np.array([value(r) if len(r) else np.nan for r in ranks])
