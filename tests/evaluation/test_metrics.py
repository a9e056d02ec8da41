"""Metrics by hand, by slow twins, and by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score

from soundalike.evaluation.metrics import (
    average_precision,
    bootstrap,
    paired_difference,
    precision_at,
    ranks_of_relevant,
    reciprocal_rank,
    top_1,
)

METRICS = {
    "top-1": top_1,
    "RR": reciprocal_rank,
    "AP": average_precision,
    "P@3": lambda similarity, relevant: precision_at(3, similarity, relevant),
}


@st.composite
def rankings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Similarities with many ties, some items barred, and what is relevant."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 8)))
    levels = st.sampled_from([-np.inf, -1.0, 0.0, 0.25, 0.5, 1.0])
    similarity = draw(hnp.arrays(np.float64, shape, elements=levels))
    return similarity, draw(hnp.arrays(bool, shape))


def slow_ranks(similarity: np.ndarray, relevant: np.ndarray) -> list[int]:
    """Ranks of one query's relevant items: one more than the items that stand before each."""
    wanted = [j for j in range(len(similarity)) if relevant[j] and similarity[j] > -np.inf]
    ranks = []
    for i in wanted:
        better = sum(similarity > similarity[i])
        tied_and_wrong = sum((similarity == similarity[i]) & ~relevant)
        tied_and_right = sum(1 for j in wanted if similarity[j] == similarity[i] and j < i)
        ranks.append(int(better + tied_and_wrong + tied_and_right + 1))
    return sorted(ranks)


@settings(max_examples=200, deadline=None)
@given(rankings())
def test_every_metric_is_its_definition(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    similarity, relevant = ranking
    found = {name: metric(similarity, relevant) for name, metric in METRICS.items()}
    for q, (row, wanted) in enumerate(zip(similarity, relevant, strict=True)):
        ranks = slow_ranks(row, wanted)
        assert ranks_of_relevant(similarity, relevant)[q].tolist() == ranks
        values = {name: each[q] for name, each in found.items()}
        if not ranks:
            assert all(np.isnan(value) for value in values.values())
            continue
        precisions = [sum(other <= rank for other in ranks) / rank for rank in ranks]
        assert values == pytest.approx(
            {
                "top-1": 1.0 if 1 in ranks else 0.0,
                "RR": 1 / min(ranks),
                "AP": sum(precisions) / len(ranks),
                "P@3": sum(rank <= 3 for rank in ranks) / 3,
            }
        )


def test_without_ties_average_precision_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    similarity = rng.permuted(np.tile(np.linspace(-1, 1, 50), (20, 1)), axis=1)
    relevant = rng.random((20, 50)) < 0.2
    theirs = [average_precision_score(*pair) for pair in zip(relevant, similarity, strict=True)]
    np.testing.assert_allclose(average_precision(similarity, relevant), theirs)


def test_a_perfect_ranking_scores_one_and_the_worst_next_to_nothing() -> None:
    relevant = np.array([[True, True, True, False, False, False]])
    best, worst = relevant.astype(float), 1 - relevant.astype(float)
    assert [float(metric(best, relevant)[0]) for metric in METRICS.values()] == [1, 1, 1, 1]
    expected = [0, 1 / 4, (1 / 4 + 2 / 5 + 3 / 6) / 3, 0]
    assert [float(metric(worst, relevant)[0]) for metric in METRICS.values()] == pytest.approx(
        expected
    )


def test_answering_everything_alike_is_worth_no_more_than_chance() -> None:
    N = 10
    relevant = np.eye(N, dtype=bool)
    alike = np.zeros((N, N))
    assert top_1(alike, relevant).tolist() == [0] * N
    assert reciprocal_rank(alike, relevant) == pytest.approx([1 / N] * N)


def test_a_random_ranking_scores_chance() -> None:
    N = 40
    rng = np.random.default_rng(1)
    similarity, relevant = rng.random((4_000, N)), np.zeros((4_000, N), dtype=bool)
    relevant[:, 7] = True
    assert top_1(similarity, relevant).mean() == pytest.approx(1 / N, abs=0.01)
    harmonic = float(np.mean(1 / np.arange(1, N + 1)))
    assert reciprocal_rank(similarity, relevant).mean() == pytest.approx(harmonic, abs=0.01)


def test_a_barred_item_takes_no_rank_and_is_never_found() -> None:
    similarity = np.array([[-np.inf, 0.9, 0.5]])
    assert ranks_of_relevant(similarity, np.array([[True, False, True]]))[0].tolist() == [2]
    assert np.isnan(top_1(similarity, np.array([[True, False, False]])))[0]


def test_a_query_with_nothing_to_find_has_no_value() -> None:
    nothing = np.zeros((2, 3), dtype=bool)
    for metric in METRICS.values():
        assert np.isnan(metric(np.zeros((2, 3)), nothing)).all()


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(ValueError, match=r"similarity \(2, 3\) and relevant \(3, 2\)"):
        top_1(np.zeros((2, 3)), np.zeros((3, 2), dtype=bool))
    with pytest.raises(ValueError, match="must both be"):
        top_1(np.zeros(3), np.zeros(3, dtype=bool))
    with pytest.raises(ValueError, match="a similarity is NaN"):
        top_1(np.array([[0.0, np.nan]]), np.array([[True, False]]))
    with pytest.raises(ValueError, match="k=0 must be at least 1"):
        precision_at(0, np.zeros((1, 1)), np.ones((1, 1), dtype=bool))


# Intervals


def test_an_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        interval = bootstrap(rng.random(60) ** 2, draws=400)  # of mean 1 / 3
        held += interval.low <= 1 / 3 <= interval.high
    assert 180 <= held <= 199  # of 200; 95 % are 190


def test_an_interval_is_as_wide_as_the_standard_error_says() -> None:
    values = np.random.default_rng(3).normal(size=400)
    interval = bootstrap(values)
    assert interval.mean == pytest.approx(values.mean())
    width = 2 * 1.96 * values.std() / np.sqrt(400)
    assert interval.high - interval.low == pytest.approx(width, rel=0.1)
    assert bootstrap(values) == interval  # seeded
    assert bootstrap(values, seed=1) != interval


def test_values_that_are_none_are_left_out_of_the_mean() -> None:
    values = np.array([1.0, np.nan, 0.0, np.nan])
    assert bootstrap(values) == bootstrap(np.array([1.0, 0.0]))
    nothing = bootstrap(np.array([np.nan]))
    assert all(np.isnan([nothing.mean, nothing.low, nothing.high]))
    same = bootstrap(np.array([0.25] * 5))
    assert (same.mean, same.low, same.high) == (0.25, 0.25, 0.25)


def test_pairing_sees_a_difference_that_the_spread_of_queries_hides() -> None:
    rng = np.random.default_rng(4)
    theirs = rng.random(100)
    ours = theirs + 0.02 + rng.normal(scale=0.01, size=100)
    difference = paired_difference(ours, theirs)
    assert 0 < difference.low < 0.02 < difference.high
    apart = bootstrap(ours), bootstrap(theirs)
    assert apart[0].low < apart[1].high  # unpaired, the two intervals overlap
    with pytest.raises(ValueError, match="the same queries are needed"):
        paired_difference(ours, theirs[:-1])


def test_pairing_leaves_out_queries_that_either_could_not_answer() -> None:
    difference = paired_difference(np.array([1.0, np.nan, 0.5]), np.array([0.5, 0.5, np.nan]))
    assert difference.mean == 0.5
