"""Vectors -> groups of tracks that sound alike: spherical k-means, the same every time.

k-means of unit vectors by their cosine: a centre is the mean direction of its tracks. It is written
here, in numpy, and not taken from scikit-learn, so that everybody has groups with what is installed
anyway; the whole of it is two matrix products in turn. Libraries of more than `SAMPLE` tracks find
their centres from a sample and are then assigned and centred once more as a whole.

How many groups: as asked, or as many as stand apart best (`best_k`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from soundalike.library.aggregation import unit

Vectors = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Tell = Callable[[str, int, int], object]
"""What is being done, how many of how many are done."""

SAMPLE = 20_000
STARTS = 8
ROUNDS = 100
# As many as one takes in at a glance, and as there are looks to tell apart on a map.
FEWEST, MOST = 3, 16
# Groups much smaller than this have nothing in common to be named by.
AVERAGE = 8
# By how much of a silhouette a number of groups may fall behind the best one and still be preferred.
NEARLY = 0.01
_JUDGED = 1500


def clusters(vectors: Vectors, k: int, *, seed: int = 0) -> Labels:
    """Group vectors by direction.

    Args:
        vectors: unit rows, float32 [N, D].
        k: groups, 1..N. There are fewer when fewer vectors differ.
        seed: of the starts; the same seed gives the same groups.

    Returns:
        The group of every row, [N], 0 the largest; equally large ones in the order of their first row.
    """
    rng = np.random.default_rng(seed)
    rows = vectors
    if len(vectors) > SAMPLE:
        rows = vectors[np.sort(rng.choice(len(vectors), SAMPLE, replace=False))]
    starts = [_settle(rows, _spread(rows, k, rng)) for _ in range(STARTS)]
    centres = max(starts, key=lambda centres: float((rows @ centres.T).max(axis=1).sum()))
    if len(rows) < len(vectors):
        centres = _settle(vectors, centres, rounds=3)
    return _by_size(np.argmax(vectors @ centres.T, axis=1))


def best_k(vectors: Vectors, *, seed: int = 0, tell: Tell | None = None) -> int:
    """Find into how many groups tracks fall: the most that stand apart nearly as well as any number.

    How well is the mean silhouette. Of a track it is (b - a) / max(a, b), where a is its mean distance
    to its own group and b that to the nearest other one, distances being 1 - cosine. Music is a
    continuum, in which a few large groups always stand apart a little better than several that have
    more to say; so the highest silhouette alone would always say three or four.

    Args:
        vectors: unit rows, float32 [N, D].
        seed: of the starts.
        tell: called after each number of groups that was tried.

    Returns:
        1 for fewer than 6 tracks, else between `FEWEST` and `MOST`, with `AVERAGE` tracks or more
        in the mean group, as far as there are so many.
    """
    N = len(vectors)
    if N < 2 * FEWEST:
        return 1
    rng = np.random.default_rng(seed)
    rows = vectors[np.sort(rng.choice(N, min(N, _JUDGED), replace=False))]
    tried = range(FEWEST, max(FEWEST, min(MOST, N // AVERAGE)) + 1)
    found = {}
    for done, k in enumerate(tried, start=1):
        found[k] = silhouette(rows, clusters(rows, k, seed=seed))
        if tell is not None:
            tell("groups", done, len(tried))
    highest = max(found.values())
    return max(k for k, value in found.items() if value >= highest - NEARLY)


def silhouette(vectors: Vectors, labels: Labels) -> float:
    """The mean silhouette of groups, -1..1: how much nearer tracks are to their own than to others.

    Args:
        vectors: unit rows [N, D].
        labels: the group of each, [N], all of 0..k-1.
    """
    k = int(labels.max()) + 1
    if k < 2:
        return 0.0
    sizes = np.bincount(labels, minlength=k)
    sums = np.stack([vectors[labels == group].sum(axis=0) for group in range(k)])
    own = np.arange(len(vectors)), labels
    # The mean distance to a group is 1 less the cosine with the mean of its vectors.
    distances = sizes - vectors.astype(np.float64) @ sums.T.astype(np.float64)
    inside = distances[own] / np.maximum(sizes[labels] - 1, 1)
    distances = distances / sizes
    distances[own] = np.inf
    outside = distances.min(axis=1)
    both = np.maximum(np.maximum(inside, outside), 1e-12)
    return float(np.where(sizes[labels] > 1, (outside - inside) / both, 0.0).mean())


def central_first(vectors: Vectors, rows: Labels) -> Labels:
    """Order the rows of a group by their mean cosine to the others in it: its medoid first."""
    likeness = vectors[rows] @ vectors[rows].sum(axis=0, dtype=np.float64).astype(np.float32)
    return rows[np.argsort(-likeness.round(5), kind="stable")]


def _spread(rows: Vectors, k: int, rng: np.random.Generator) -> Vectors:
    """Choose k rows far from each other to start from (k-means++): float32 [k, D]."""
    chosen = [int(rng.integers(len(rows)))]
    nearest = rows @ rows[chosen[0]]
    while len(chosen) < k:
        away = np.maximum(1 - nearest.astype(np.float64), 0)
        away[chosen] = 0
        total = away.sum()
        if total <= 1e-9:  # all that differ are chosen
            break
        chosen.append(int(rng.choice(len(rows), p=away / total)))
        nearest = np.maximum(nearest, rows @ rows[chosen[-1]])
    return rows[chosen]


def _settle(rows: Vectors, centres: Vectors, *, rounds: int = ROUNDS) -> Vectors:
    """Let every row join its nearest centre and every centre move amid its rows, until none changes."""
    before = None
    for _ in range(rounds):
        joined = np.argmax(rows @ centres.T, axis=1)
        if before is not None and (joined == before).all():
            break
        before = joined
        for group in range(len(centres)):
            own = rows[joined == group]
            if len(own):  # one without rows stays where it is
                mean = own.sum(axis=0, dtype=np.float64)
                if mean.any():
                    centres[group] = unit(mean)
    return centres


def _by_size(labels: npt.NDArray[np.intp]) -> Labels:
    """Number groups anew, from the largest on, without those that are empty."""
    names, first, place, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -sizes))
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    return rank[place.ravel()]
