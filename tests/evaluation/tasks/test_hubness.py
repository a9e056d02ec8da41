"""N_10 where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from soundalike.evaluation.metrics import neighbor_counts
from soundalike.evaluation.tasks.hubness import COUNTS, K, hubness, hubness_difference

RNG = np.random.default_rng(0)


def nearness(width: int, N: int = 200) -> np.ndarray:
    """Of normal points: minus their squared distances."""
    points = np.random.default_rng(1).normal(size=(N, width))
    lengths = (points**2).sum(axis=1)
    return np.asarray(2 * points @ points.T - lengths[:, None] - lengths[None, :])


def test_on_a_ring_nobody_is_a_hub() -> None:
    places = np.arange(40)
    apart = np.abs(places[:, None] - places[None, :])
    score = hubness(-np.minimum(apart, 40 - apart).astype(float))
    assert set(score.values[COUNTS]) == {K}
    assert {name: interval.mean for name, interval in score.intervals.items()} == {
        "skewness of N_10": 0,
        "anti-hubs": 0,
        "hubs": 0,
        "Robin Hood": 0,
    }


def test_ten_tracks_that_are_near_to_everything_are_all_there_is() -> None:
    N = 60
    similarity = np.zeros((N, N))
    similarity[:, :K] = 1
    score = hubness(similarity)
    counts = np.array(score.values[COUNTS])
    # A hub does not answer itself: one place of its list goes to the first of the others.
    assert counts[:K].tolist() == [N - 1] * K
    assert counts.sum() == N * K
    assert score.intervals["anti-hubs"].mean == (N - K - 1) / N
    assert score.intervals["hubs"].mean == K / N
    assert score.intervals["Robin Hood"].mean > 0.8


def test_what_a_track_says_of_itself_and_of_its_copies_does_not_count() -> None:
    similarity = RNG.random((30, 30))
    itself = np.eye(30, dtype=bool)
    without = hubness(np.where(itself, -1.0, similarity)).values
    assert hubness(np.where(itself, 9.0, similarity)).values == without
    copies = similarity.copy()
    copies[3, 8] = copies[8, 3] = 9
    assert (
        hubness(copies, duplicates=[{3, 8}]).values
        == hubness(np.where(np.isin(copies, 9), -9, copies), duplicates=[{3, 8}]).values
    )


def test_more_dimensions_have_more_hubs() -> None:
    """The finding of "Hubs in Space", section 3.1."""
    few, many = (hubness(nearness(width)).intervals["skewness of N_10"] for width in (3, 200))
    assert few.high < many.low


def test_the_skewness_is_scipys() -> None:
    score = hubness(nearness(50))
    expected = stats.skew(score.values[COUNTS])
    assert score.intervals["skewness of N_10"].mean == pytest.approx(expected)


def test_the_interval_is_that_of_counts_drawn_anew() -> None:
    score = hubness(nearness(50))
    interval = score.intervals["skewness of N_10"]
    found = stats.bootstrap(
        (np.array(score.values[COUNTS]),),
        lambda counts, axis: stats.skew(counts, axis=axis),
        n_resamples=2_000,
        method="percentile",
        random_state=1,
    ).confidence_interval
    assert interval.low == pytest.approx(found.low, abs=0.1)
    assert interval.high == pytest.approx(found.high, abs=0.1)


def test_a_difference_of_hubness_is_taken_over_the_same_tracks() -> None:
    similarity = nearness(200)
    barred = np.where(np.eye(len(similarity), dtype=bool), -np.inf, similarity)
    many = neighbor_counts(barred).astype(float)
    few = np.array(hubness(nearness(3)).values[COUNTS])
    name = "skewness of N_10"
    difference = hubness_difference(many, few, name)
    assert difference.mean == pytest.approx(stats.skew(many) - stats.skew(few))
    assert 0 < difference.low < difference.mean < difference.high
    same = hubness_difference(many, many, name)
    assert (same.mean, same.low, same.high) == (0, 0, 0)


def test_a_similarity_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is NaN"):
        hubness(np.full((30, 30), np.nan))
