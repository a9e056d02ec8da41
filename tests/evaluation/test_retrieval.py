"""Tasks made by hand, judged by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundalike.evaluation.metrics import METRICS, bootstrap
from soundalike.evaluation.retrieval import ALL, Retrieval, judge
from soundalike.evaluation.sounds import Sound

RNG = np.random.default_rng(0)


def silence(rate: int) -> np.ndarray:
    raise AssertionError("judging listens to nothing")


def retrieval(
    relevant: np.ndarray,
    *,
    barred: np.ndarray | None = None,
    kinds: list[str] | None = None,
    metrics: tuple[str, ...] = ("top-1", "MRR"),
) -> Retrieval:
    Q, N = relevant.shape
    return Retrieval(
        task="made up",
        queries=[Sound(f"query {i}", silence) for i in range(Q)],
        tracks=[Sound(f"track {i}", silence) for i in range(N)],
        relevant=relevant,
        barred=np.zeros((Q, N), dtype=bool) if barred is None else barred,
        kinds=[""] * Q if kinds is None else kinds,
        metrics=metrics,
    )


def test_one_kind_gives_one_score() -> None:
    similarity = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.7, 0.6, 0.3]])
    (score,) = judge(retrieval(np.eye(3, dtype=bool)), similarity)
    assert (score.task, score.kind, score.queries) == ("made up", "", 3)
    assert score.values == {"top-1": [1, 0, 0], "MRR": pytest.approx([1, 1 / 2, 1 / 3])}
    assert score.intervals["MRR"] == bootstrap(np.array([1, 1 / 2, 1 / 3]))
    assert score.groups == []


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_can_be_asked_for(metric: str) -> None:
    relevant = RNG.random((6, 20)) < 0.3
    similarity = RNG.random((6, 20))
    (score,) = judge(retrieval(relevant, metrics=(metric,)), similarity)
    np.testing.assert_equal(score.values[metric], METRICS[metric](similarity, relevant))


def test_what_is_barred_is_neither_right_nor_in_the_way() -> None:
    relevant = np.array([[True, False, True]])
    barred = np.array([[True, False, False]])
    (score,) = judge(retrieval(relevant, barred=barred), np.array([[0.9, 0.1, 0.5]]))
    assert score.values["MRR"] == [1]
    (score,) = judge(retrieval(relevant, barred=barred), np.array([[0.9, 0.5, 0.1]]))
    assert score.values["MRR"] == [1 / 2]


def test_queries_with_nothing_to_find_are_not_asked() -> None:
    relevant = np.array([[True, False], [False, False], [False, True]])
    barred = np.array([[False, False], [False, False], [False, True]])
    (score,) = judge(retrieval(relevant, barred=barred), np.array([[0.9, 0.1]] * 3))
    assert score.queries == 1
    np.testing.assert_equal(score.values["MRR"], [1, np.nan, np.nan])
    assert score.intervals["MRR"].mean == 1


def test_kinds_come_in_order_and_all_of_them_at_last() -> None:
    relevant = np.tile(np.eye(2, dtype=bool), (2, 1))
    similarity = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
    kinds = ["noise", "noise", "filter", "filter"]
    noise, filtered, everything = judge(retrieval(relevant, kinds=kinds), similarity)
    assert [each.kind for each in (noise, filtered, everything)] == ["noise", "filter", ALL]
    assert [each.queries for each in (noise, filtered, everything)] == [2, 2, 4]
    assert noise.values["top-1"] == [1, 0]
    assert filtered.values["top-1"] == [1, 1]
    assert everything.values["top-1"] == [1, 0, 1, 1]
    assert everything.intervals["top-1"].mean == 3 / 4


def test_changed_copies_of_a_track_do_not_count_as_tracks() -> None:
    """Ten copies of each track, answered alike: the interval is that of the tracks."""
    N, times = 30, 10
    right = RNG.random(N) < 0.5
    similarity = np.where(np.eye(N, dtype=bool), np.where(right, 1.0, -1.0)[:, None], 0.0)
    relevant = np.tile(np.eye(N, dtype=bool), (times, 1))
    kinds = [f"kind {i}" for i in range(times) for _ in range(N)]
    scores = judge(retrieval(relevant, kinds=kinds), np.tile(similarity, (times, 1)))
    one, everything = scores[0].intervals["top-1"], scores[-1].intervals["top-1"]
    assert everything.mean == pytest.approx(one.mean)
    assert everything.high - everything.low == pytest.approx(one.high - one.low, rel=0.1)
    groups = np.reshape(scores[-1].groups, (times, N))
    assert (groups == groups[0]).all()
    assert len(set(groups[0])) == N


def test_queries_that_bar_themselves_still_are_of_one_origin() -> None:
    """Four versions of two pieces among each other, itself barred."""
    pieces = np.array([0, 0, 0, 1, 1, 1])
    itself = np.eye(6, dtype=bool)
    relevant = (pieces[:, None] == pieces[None, :]) & ~itself
    made = retrieval(relevant, barred=itself, kinds=["a", "b", "c"] * 2)
    groups = judge(made, RNG.random((6, 6)))[-1].groups
    assert groups[0] == groups[1] == groups[2] != groups[3] == groups[4] == groups[5]


def test_queries_that_belong_together_are_drawn_together() -> None:
    """Ten queries of one album, all right, and ten of another, all wrong, are two observations."""
    right = np.repeat([1.0, -1.0], 10)
    similarity = np.where(np.eye(20, dtype=bool), right[:, None], 0.0)
    asked = retrieval(np.eye(20, dtype=bool), metrics=("top-1",))
    (apart,) = judge(asked, similarity)
    (together,) = judge(replace(asked, together=["a"] * 10 + ["b"] * 10), similarity)
    assert together.groups == [0] * 10 + [1] * 10
    assert (together.intervals["top-1"].low, together.intervals["top-1"].high) == (0, 1)
    assert apart.intervals["top-1"].low > 0.2
    with pytest.raises(ValueError, match="2 names for 20 queries"):
        replace(asked, together=["a", "b"])


def test_what_does_not_fit_is_refused() -> None:
    right = np.eye(3, dtype=bool)
    with pytest.raises(ValueError, match=r"must both be \[Q, N\] = \(3, 3\)"):
        retrieval(right, barred=np.zeros((3, 2), dtype=bool))
    with pytest.raises(ValueError, match="2 kinds for 3 queries"):
        retrieval(right, kinds=["", ""])
    with pytest.raises(ValueError, match=r"no metric \{'P@7'\}; there are top-1"):
        retrieval(right, metrics=("P@7",))
    with pytest.raises(ValueError, match=r"similarity \(3, 2\) must be \[Q, N\] = \(3, 3\)"):
        judge(retrieval(right), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="is NaN"):
        judge(retrieval(right), np.full((3, 3), np.nan))
