"""Metrics by hand, by slow twins, and by scikit-learn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import average_precision_score, ndcg_score

from soundalike.evaluation import metrics
from soundalike.evaluation.metrics import (
    LOWER_IS_BETTER,
    average_precision,
    bootstrap,
    first_rank,
    hit_at,
    ndcg_at,
    neighbor_counts,
    normalized_rank,
    paired_difference,
    precision_at,
    ranks_of_relevant,
    recall_at,
    reciprocal_rank,
    robin_hood,
    skewness,
    top_1,
)

METRICS = {
    "top-1": top_1,
    "RR": reciprocal_rank,
    "R1": first_rank,
    "AP": average_precision,
    "P@3": partial(precision_at, 3),
    "R@3": partial(recall_at, 3),
    "Hit@3": partial(hit_at, 3),
    "nDCG@3": partial(ndcg_at, 3),
    "NAR": normalized_rank,
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
        gained = sum(1 / np.log2(rank + 1) for rank in ranks if rank <= 3)
        best = sum(1 / np.log2(place + 1) for place in range(1, min(3, len(ranks), len(row)) + 1))
        wrong = sum(1 for j in range(len(row)) if row[j] > -np.inf and not wanted[j])
        above = [rank - 1 - sum(other < rank for other in ranks) for rank in ranks]
        assert values == pytest.approx(
            {
                "top-1": 1.0 if 1 in ranks else 0.0,
                "RR": 1 / min(ranks),
                "R1": min(ranks),
                "AP": sum(precisions) / len(ranks),
                "P@3": sum(rank <= 3 for rank in ranks) / 3,
                "R@3": sum(rank <= 3 for rank in ranks) / len(ranks),
                "Hit@3": 1.0 if min(ranks) <= 3 else 0.0,
                "nDCG@3": gained / best,
                "NAR": 100 * sum(above) / len(above) / wrong if wrong else 0,
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
    perfect = {name: float(metric(best, relevant)[0]) for name, metric in METRICS.items()}
    assert perfect == {**dict.fromkeys(METRICS, 1), "NAR": 0}
    least = {name: float(metric(worst, relevant)[0]) for name, metric in METRICS.items()}
    assert least == pytest.approx(
        {
            **dict.fromkeys(METRICS, 0),
            "RR": 1 / 4,
            "R1": 4,
            "AP": (1 / 4 + 2 / 5 + 3 / 6) / 3,
            "NAR": 100,
        }
    )


def test_answering_everything_alike_is_worth_no_more_than_chance() -> None:
    N = 10
    relevant = np.eye(N, dtype=bool)
    alike = np.zeros((N, N))
    assert top_1(alike, relevant).tolist() == [0] * N
    assert reciprocal_rank(alike, relevant) == pytest.approx([1 / N] * N)


def test_a_random_ranking_scores_chance() -> None:
    """One right answer among N: its rank is uniform, and every expectation is a short sum."""
    N = 40
    rng = np.random.default_rng(1)
    similarity, relevant = rng.random((4_000, N)), np.zeros((4_000, N), dtype=bool)
    relevant[:, 7] = True
    ranks = np.arange(1, N + 1)
    chance = {
        "top-1": 1 / N,
        "MRR": np.mean(1 / ranks),
        "MR1": (N + 1) / 2,
        "mAP": np.mean(1 / ranks),
        "P@5": 1 / N,
        "P@10": 1 / N,
        "R@10": 10 / N,
        "Hit@10": 10 / N,
        "nDCG@10": np.sum(1 / np.log2(ranks[:10] + 1)) / N,
        "NAR": 50,
    }
    assert set(chance) == set(metrics.METRICS)
    for name, expected in chance.items():
        values = metrics.METRICS[name](similarity, relevant)
        error = values.std() / np.sqrt(len(values))
        assert values.mean() == pytest.approx(expected, abs=4 * error), name


def test_many_right_answers_found_by_chance() -> None:
    """R right among N: precision is R / N at any place, and so is recall's share k / N."""
    N, R = 30, 12
    rng = np.random.default_rng(2)
    relevant = np.zeros((3_000, N), dtype=bool)
    relevant[:, :R] = True
    similarity = rng.random(relevant.shape)
    assert precision_at(5, similarity, relevant).mean() == pytest.approx(R / N, abs=0.02)
    assert recall_at(5, similarity, relevant).mean() == pytest.approx(5 / N, abs=0.01)
    misses = np.prod([(N - R - i) / (N - i) for i in range(5)])
    assert hit_at(5, similarity, relevant).mean() == pytest.approx(1 - misses, abs=0.02)
    assert normalized_rank(similarity, relevant).mean() == pytest.approx(50, abs=1)


def test_every_metric_is_one_at_best_but_those_that_count_what_is_in_the_way() -> None:
    relevant = np.tile(np.arange(30) < 12, (3, 1))
    for name, metric in metrics.METRICS.items():
        best, worst = (float(metric(s, relevant)[0]) for s in (relevant * 1.0, relevant * -1.0))
        assert best == (0 if name == "NAR" else 10 / 12 if name == "R@10" else 1)
        assert (best < worst) == (name in LOWER_IS_BETTER)


def test_without_ties_ndcg_is_scikit_learns_for_graded_gains_too() -> None:
    rng = np.random.default_rng(3)
    similarity = rng.permuted(np.tile(np.linspace(-1, 1, 40), (20, 1)), axis=1)
    gains = rng.integers(0, 4, size=(20, 40)).astype(float)
    theirs = [
        ndcg_score(worth[None], row[None], k=10)
        for worth, row in zip(gains, similarity, strict=True)
    ]
    np.testing.assert_allclose(ndcg_at(10, similarity, gains), theirs)


def test_among_equals_the_least_worthy_is_ranked_first() -> None:
    gains = np.array([[3.0, 1.0, 0.0]])
    discounts = 1 / np.log2([2, 3, 4])
    expected = (0 * discounts[0] + 1 * discounts[1] + 3 * discounts[2]) / (
        3 * discounts[0] + 1 * discounts[1]
    )
    assert ndcg_at(3, np.zeros((1, 3)), gains)[0] == pytest.approx(expected)
    with pytest.raises(ValueError, match="a gain is below 0"):
        ndcg_at(3, np.zeros((1, 3)), -gains)


def test_with_nothing_wrong_nothing_is_above() -> None:
    everything = np.ones((1, 4), dtype=bool)
    assert normalized_rank(np.zeros((1, 4)), everything).tolist() == [0]


# Hubness


def test_neighbors_are_counted_as_they_stand_in_lists() -> None:
    rng = np.random.default_rng(4)
    similarity = np.where(np.eye(30, dtype=bool), -np.inf, rng.random((30, 30)))
    counts = np.zeros(30, dtype=int)
    for row in similarity:
        for j in sorted(range(30), key=lambda j: -row[j])[:10]:
            counts[j] += 1
    assert neighbor_counts(similarity).tolist() == counts.tolist()
    assert neighbor_counts(similarity, 40).tolist() == [29] * 30  # what is barred is never counted


def test_the_skewness_is_scipys() -> None:
    counts = np.random.default_rng(5).poisson(2.0, size=(20, 50))
    np.testing.assert_allclose(skewness(counts), stats.skew(counts, axis=1))
    np.testing.assert_allclose(skewness(counts, axis=0), stats.skew(counts, axis=0))
    assert skewness(np.full(7, 0.1)) == 0


def test_robin_hood_takes_from_the_rich() -> None:
    assert robin_hood(np.full(8, 5)) == 0
    assert robin_hood(np.array([8, 0, 0, 0])) == pytest.approx(3 / 4)
    assert robin_hood(np.array([3, 1])) == pytest.approx(1 / 4)  # one of four must change hands
    assert robin_hood(np.zeros(5)) == 0


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
    for at in (precision_at, recall_at, hit_at, ndcg_at):
        with pytest.raises(ValueError, match="k=0 must be at least 1"):
            at(0, np.zeros((1, 1)), np.ones((1, 1), dtype=bool))
    with pytest.raises(ValueError, match="k=0 must be at least 1"):
        neighbor_counts(np.zeros((1, 1)), 0)


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


def test_queries_of_one_origin_are_drawn_together() -> None:
    """Ten equal values of each origin say no more than one of each."""
    rng = np.random.default_rng(6)
    values = rng.random(40)
    alone = bootstrap(values)
    repeated, groups = np.repeat(values, 10), np.repeat(np.arange(40), 10)
    together = bootstrap(repeated, groups=groups)
    assert together.mean == pytest.approx(alone.mean)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.1)
    apart = bootstrap(repeated)
    assert apart.high - apart.low < 0.5 * (together.high - together.low)
    # Origins of one query each are queries; the same draws give the same interval.
    each = bootstrap(values, groups=np.arange(40))
    assert (each.low, each.high) == pytest.approx((alone.low, alone.high))


def test_origins_may_have_unlike_numbers_of_queries() -> None:
    values = np.array([1.0, 1.0, 1.0, 0.0, np.nan])
    interval = bootstrap(values, groups=np.array([7, 7, 7, 9, 9]))
    assert (interval.mean, interval.low, interval.high) == (0.75, 0, 1)


def test_a_statistic_is_computed_anew_in_every_draw() -> None:
    values = np.random.default_rng(7).exponential(size=100)
    interval = bootstrap(values, statistic=skewness)
    assert interval.mean == pytest.approx(stats.skew(values))
    theirs = stats.bootstrap(
        (values,), stats.skew, n_resamples=2_000, method="percentile", random_state=1
    ).confidence_interval
    assert interval.low == pytest.approx(theirs.low, abs=0.15)
    assert interval.high == pytest.approx(theirs.high, abs=0.15)
