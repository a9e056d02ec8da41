"""Mutual proximity: by counting, and fewer hubs."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.baselines.mutual_proximity import mutual_proximity


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(a[:, None] - b[None], axis=2))


def counted(between: np.ndarray, queries: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """References that are farther from both sides, one by one."""
    share = np.zeros(between.shape)
    for q, row in enumerate(between):
        for n, limit in enumerate(row):
            both = [x > limit and y > limit for x, y in zip(queries[q], tracks[n], strict=True)]
            share[q, n] = sum(both) / len(both)
    return share


def points(seed: int, count: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width))


def test_it_is_the_share_of_references_farther_from_both() -> None:
    queries, tracks, references = points(0, 40, 4), points(1, 9, 4), points(2, 25, 4)
    given = (
        distances(queries, tracks),
        distances(queries, references),
        distances(tracks, references),
    )
    share, proximity = counted(*given), mutual_proximity(*given)
    assert len(np.unique(share)) > 15
    # The order of distances takes off less than half of a reference.
    assert ((proximity <= share) & (proximity > share - 0.5 / 25)).all()


def test_what_counts_alike_is_ordered_by_distance() -> None:
    between = np.array([[3.0, 1.0, 2.0]])
    far = np.full((1, 4), 9.0)
    proximity = mutual_proximity(between, far, np.repeat(far, 3, axis=0))
    assert proximity[0].argsort().tolist() == [0, 2, 1]
    assert (proximity > 1 - 0.5 / 4).all()


def test_a_query_is_answered_by_itself() -> None:
    queries, tracks, references = points(3, 5, 6), points(4, 8, 6), points(5, 20, 6)
    given = (
        distances(queries, tracks),
        distances(queries, references),
        distances(tracks, references),
    )
    together = mutual_proximity(*given)
    alone = mutual_proximity(given[0][2:3, 1:4], given[1][2:3], given[2][1:4])
    np.testing.assert_array_equal(alone, together[2:3, 1:4])


def test_distances_may_be_measured_by_any_ruler() -> None:
    """A share only counts who is farther, so it does not change with a growing function."""
    queries, tracks, references = points(6, 6, 3), points(7, 7, 3), points(8, 15, 3)
    given = (
        distances(queries, tracks),
        distances(queries, references),
        distances(tracks, references),
    )
    squared = mutual_proximity(*(each**2 for each in given))
    np.testing.assert_array_equal(np.ceil(squared * 15), np.ceil(mutual_proximity(*given) * 15))


def skew_of_answers(similarity: np.ndarray, k: int = 10) -> float:
    """Skewness of how often each track is among the k best answers (Radovanovic et al. 2010)."""
    best = np.argsort(-similarity, axis=1)[:, :k]
    often = np.bincount(best.ravel(), minlength=similarity.shape[1]).astype(float)
    return float(((often - often.mean()) ** 3).mean() / often.std() ** 3)


def test_hubs_lose_their_crowds() -> None:
    """Among 300 dimensions the points near the middle are everybody's neighbours."""
    queries, tracks, references = points(9, 120, 300), points(10, 120, 300), points(11, 120, 300)
    given = (
        distances(queries, tracks),
        distances(queries, references),
        distances(tracks, references),
    )
    plain, rescaled = skew_of_answers(-given[0]), skew_of_answers(mutual_proximity(*given))
    assert plain > 2
    assert rescaled < plain / 3


def test_no_references_are_no_measure() -> None:
    with pytest.raises(ValueError, match="at least one reference"):
        mutual_proximity(np.ones((2, 3)), np.ones((2, 0)), np.ones((3, 0)))
