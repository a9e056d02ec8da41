"""Recall and coverage on matrices made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.colistening.held_out import (
    chance_at,
    ever_answered,
    played_along,
    recall_at,
)
from soundalike.evaluation.colistening.sessions import Sessions


def sessions_of(*tracks: list[int]) -> Sessions:
    bounds = np.cumsum([0, *map(len, tracks)])
    flat = np.array([t for each in tracks for t in each], np.int64)
    return Sessions(flat, bounds, np.zeros(len(tracks)))


def test_what_is_played_along_is_a_mean_over_sessions() -> None:
    along = played_along(sessions_of([0, 1, 2, 1], [0, 1], [3], [4, 4]), 6)
    np.testing.assert_allclose(along[0], [0, 0.75, 0.25, 0, 0, 0])
    np.testing.assert_allclose(along[2], [0.5, 0.5, 0, 0, 0, 0])
    assert not along[3:].any()


def test_rows_sum_to_one_or_nothing() -> None:
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, 30, size=rng.integers(1, 9)).tolist() for _ in range(20)]
    sums = played_along(sessions_of(*drawn), 40).sum(axis=1)
    assert set(np.round(sums, 5).tolist()) == {0.0, 1.0}


def test_recall_is_the_share_of_a_session_that_is_found() -> None:
    along = played_along(sessions_of([0, 1, 2], [0, 3]), 5)
    similarity = np.tile([9.0, 0.5, 0.4, 0.3, 0.2], (5, 1))  # its diagonal does not count
    found = [recall_at(k, similarity, along)[0] for k in (1, 2, 3, 4, 99)]
    np.testing.assert_allclose(found, [0.25, 0.5, 1, 1, 1])
    assert np.isnan(recall_at(3, similarity, along)[4])


def test_perfect_similarity_scores_one() -> None:
    along = played_along(sessions_of([0, 1, 2], [3, 4]), 5)
    np.testing.assert_allclose(recall_at(2, along, along), 1)


def test_ties_count_against_a_ranking() -> None:
    along = played_along(sessions_of([0, 1, 2]), 6)
    similarity = np.zeros((6, 6))
    assert recall_at(3, similarity, along)[0] == 0
    assert recall_at(4, similarity, along)[0] == 0.5
    similarity[0, 2] = 0.1
    assert recall_at(1, similarity, along)[0] == 0.5


def test_recall_is_that_of_a_slow_twin() -> None:
    rng = np.random.default_rng(3)
    drawn = [rng.integers(0, 20, size=6).tolist() for _ in range(15)]
    similarity = rng.normal(size=(20, 20))
    fast = recall_at(5, similarity, played_along(sessions_of(*drawn), 20))
    for seed in range(20):
        order = sorted((t for t in range(20) if t != seed), key=lambda t: -similarity[seed, t])
        shares = []
        for session in drawn:
            others = set(session) - {seed}
            if seed in session and others:
                shares.append(len(others & set(order[:5])) / len(others))
        assert fast[seed] == pytest.approx(np.mean(shares) if shares else np.nan, nan_ok=True)


def test_chance_is_what_random_answers_find() -> None:
    rng = np.random.default_rng(0)
    along = played_along(sessions_of([0, 1, 2, 3], [0, 4]), 30)
    found = [recall_at(6, rng.normal(size=(30, 30)), along)[0] for _ in range(1_000)]
    assert np.mean(found) == pytest.approx(chance_at(6, 30), abs=0.02)
    assert chance_at(50, 30) == 1


def test_an_answer_without_similarity_is_none() -> None:
    similarity = np.zeros((5, 5))
    similarity[0, 3] = similarity[4, 1] = 1
    assert ever_answered(1, similarity, above=0).tolist() == [False, True, False, True, False]
    # Nothing is an answer to itself.
    similarity[2, 2] = 9
    assert not ever_answered(1, similarity, above=0)[2]
    assert ever_answered(4, similarity).all()
