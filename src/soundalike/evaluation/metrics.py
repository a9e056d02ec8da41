"""Pure functions on arrays: how good a ranking is.

    similarity float [Q, N], relevant bool [Q, N]  ->  one value per query [Q]  ->  mean and interval

Definitions: Manning, Raghavan & Schuetze, "Introduction to Information Retrieval", chapter 8; where a
function is from elsewhere it says so. Conventions. A ranking is by descending similarity. Ties count
against us: among equal similarities the relevant item is ranked last, so a system that answers
everything alike scores like chance at best. A query with nothing relevant has no defined value and is
NaN; means leave it out. An item may be barred from a query's ranking (the query itself, say) by
similarity -inf; it is never relevant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""similarity float [Q, N], relevant bool [Q, N] -> float [Q], NaN where nothing is relevant."""


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
    _check(similarity, relevant)
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


def first_rank(similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Rank of the first relevant answer, 1 is best: float [Q]. Its mean is MIREX's MR1 of covers."""
    return _each(similarity, relevant, lambda ranks: float(ranks[0]))


def average_precision(similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Mean over the relevant items of the precision at their rank: float [Q]. Its mean is the mAP."""
    return _each(
        similarity, relevant, lambda ranks: float(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    )


def precision_at(k: int, similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of relevant items among the first k: float [Q]. A shorter ranking is filled with wrong ones."""
    return _each(similarity, relevant, lambda ranks: float(np.sum(ranks <= k)) / k, k=k)


def recall_at(k: int, similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of the relevant items that stand among the first k: float [Q]."""
    return _each(similarity, relevant, lambda ranks: float(np.mean(ranks <= k)), k=k)


def hit_at(k: int, similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """1 where any of the first k is relevant, else 0: float [Q]."""
    return _each(similarity, relevant, lambda ranks: float(ranks[0] <= k), k=k)


def ndcg_at(k: int, similarity: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Discounted gain of the first k answers over that of the best k there are: float [Q].

    Jarvelin & Kekalainen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, with the
    discount 1 / log2(rank + 1) of Burges et al. 2005 and linear gains.

    Args:
        k: at least 1.
        similarity: float [Q, N].
        gains: bool or float [Q, N], what an answer is worth; not negative, 0 is worth nothing.
    """
    _check(similarity, gains, k)
    if (np.asarray(gains) < 0).any():
        raise ValueError("a gain is below 0; an answer that is worth nothing has gain 0")
    values = []
    for row, worth in zip(similarity, np.asarray(gains, dtype=float), strict=True):
        worth = np.where(row > -np.inf, worth, 0)
        order = np.lexsort((worth, -row))[:k]  # the least worthy first: ties count against us
        discount = 1 / np.log2(np.arange(len(order)) + 2)
        best = float(np.sort(worth)[::-1][:k] @ discount)
        values.append(float(worth[order] @ discount) / best if best else np.nan)
    return np.array(values)


def normalized_rank(similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Percentage of the irrelevant items above a relevant one, mean over these: float [Q].

    0 is best, 50 is chance. Its mean is the normalized average rank (NAR). With nothing irrelevant
    nothing is above, which is 0.
    """
    wrong = ((similarity > -np.inf) & ~relevant).sum(axis=1)
    ranks = ranks_of_relevant(similarity, relevant)
    # Rank r of the i-th relevant item: r - 1 above it, i of them relevant.
    above = [each - 1 - np.arange(len(each)) for each in ranks]
    return np.array(
        [
            100 * float(np.mean(each)) / max(int(irrelevant), 1) if len(each) else np.nan
            for each, irrelevant in zip(above, wrong, strict=True)
        ]
    )


METRICS: dict[str, Metric] = {
    "top-1": top_1,
    "MRR": reciprocal_rank,
    "MR1": first_rank,
    "mAP": average_precision,
    "P@5": partial(precision_at, 5),
    "P@10": partial(precision_at, 10),
    "R@10": partial(recall_at, 10),
    "Hit@10": partial(hit_at, 10),
    "nDCG@10": partial(ndcg_at, 10),
    "NAR": normalized_rank,
}
"""What a task can ask for, by the name in its table. All are 1 at best, but for two:"""

LOWER_IS_BETTER = frozenset({"MR1", "NAR"})


def neighbor_counts(similarity: np.ndarray, k: int = 10) -> np.ndarray:
    """N_k: how many queries have an item among their first k answers, int [N].

    Radovanovic, Nanopoulos & Ivanovic, "Hubs in Space", JMLR 2010, section 1. An item that is barred
    (-inf) is not counted, and of equal similarities those come first that stand first.
    """
    _check(similarity, similarity, k)
    counts = np.zeros(similarity.shape[1], dtype=np.int64)
    for row in similarity:
        first = np.argsort(-row, kind="stable")[:k]
        counts[first[row[first] > -np.inf]] += 1
    return counts


def skewness(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Third standardised moment along an axis, float; 0 where all values are equal.

    Of N_k it is the measure of hubness (Hubs in Space, section 3.1): 0 is none, above 1 is much.
    """
    values = np.asarray(values, dtype=np.float64)
    centred = values - values.mean(axis=axis, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=axis))
    third = (centred**3).mean(axis=axis)
    varies = deviation > 1e-12 * np.abs(values).max(axis=axis)  # or it is what rounding left
    return np.asarray(np.where(varies, third / np.where(varies, deviation, 1) ** 3, 0))


def robin_hood(counts: np.ndarray, axis: int = -1) -> np.ndarray:
    """Share of all places in lists that must change hands for all items to have equally many, 0..1.

    The Hoover index of N_k along an axis, as Feldbauer et al., "scikit-hubness", JOSS 2020.
    """
    counts = np.asarray(counts, dtype=np.float64)
    total = counts.sum(axis=axis)
    apart = np.abs(counts - counts.mean(axis=axis, keepdims=True)).sum(axis=axis)
    return np.asarray(np.where(total > 0, apart / np.where(total > 0, 2 * total, 1), 0))


def bootstrap(
    values: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 2_000,
    statistic: Callable[..., np.ndarray] = np.mean,
    groups: np.ndarray | None = None,
) -> Interval:
    """Mean of per-query values, or another statistic, and its percentile bootstrap interval.

    Efron & Tibshirani, "An Introduction to the Bootstrap", chapter 13. NaN values are left out; with
    none left all three numbers are NaN.

    Args:
        values: float [Q].
        seed: of the draws.
        draws: samples of Q values with replacement.
        statistic: float [..., Q] and axis=-1 -> float [...].
        groups: int [Q], queries of one origin: they are drawn together, for they do not speak
            independently (Davison & Hinkley, "Bootstrap Methods", section 3.8). Of the mean only.
    """
    kept = ~np.isnan(values)
    values = values[kept]
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    if groups is None:
        drawn = statistic(values[rng.integers(0, len(values), size=(draws, len(values)))], axis=-1)
    else:
        _, member = np.unique(groups[kept], return_inverse=True)
        counts = np.bincount(member)
        sums = np.bincount(member, weights=values)
        chosen = rng.integers(0, len(counts), size=(draws, len(counts)))
        drawn = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(statistic(values, axis=-1)), float(low), float(high))


def paired_difference(
    ours: np.ndarray,
    theirs: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 2_000,
    groups: np.ndarray | None = None,
) -> Interval:
    """Mean of ours - theirs over the same queries, with its interval: 0 outside means a difference."""
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.shape} and {theirs.shape}: the same queries are needed")
    return bootstrap(ours - theirs, seed=seed, draws=draws, groups=groups)


def _each(
    similarity: np.ndarray,
    relevant: np.ndarray,
    value: Callable[[np.ndarray], float],
    k: int = 1,
) -> np.ndarray:
    if k < 1:
        raise ValueError(f"k={k} must be at least 1")
    ranks = ranks_of_relevant(similarity, relevant)
    return np.array([value(r) if len(r) else np.nan for r in ranks])


def _check(similarity: np.ndarray, relevant: np.ndarray, k: int = 1) -> None:
    if k < 1:
        raise ValueError(f"k={k} must be at least 1")
    if similarity.shape != relevant.shape or similarity.ndim != 2:
        raise ValueError(
            f"similarity {similarity.shape} and relevant {relevant.shape} must both be [Q, N]"
        )
    if np.isnan(similarity).any():
        raise ValueError("a similarity is NaN; a system must rank everything it is asked about")
