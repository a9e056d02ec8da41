"""Fusion of two rankings, in the corners where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.colistening.blend import BLENDS, Blend, on_scale
from soundalike.evaluation.colistening.blend import blend as blend_scaled

N = 9
RNG = np.random.default_rng(0)
CONTENT = RNG.normal(size=(N, N))
LISTENERS = RNG.normal(size=(N, N))
OTHERS = ~np.eye(N, dtype=bool)


def blend(one: np.ndarray, other: np.ndarray, plays: np.ndarray, how: Blend) -> np.ndarray:
    """Of two similarities as they are."""
    return blend_scaled(on_scale(one, how.scale), on_scale(other, how.scale), plays, how)


def order(similarity: np.ndarray, row: int) -> list[int]:
    return [int(t) for t in np.argsort(-similarity[row]) if t != row]


@pytest.mark.parametrize("how", BLENDS, ids=str)
def test_without_plays_sound_answers_alone(how: Blend) -> None:
    both = blend(CONTENT, LISTENERS, np.zeros(N, int), how)
    for row in range(N):
        assert order(both, row) == order(CONTENT, row)


@pytest.mark.parametrize("scale", ["score", "rank"])
def test_a_hit_is_answered_by_its_listeners(scale: str) -> None:
    plays = np.full(N, 10**9)
    both = blend(CONTENT, LISTENERS, plays, Blend(scale, "seed", 5))
    for row in range(N):
        assert order(both, row) == order(LISTENERS, row)


@pytest.mark.parametrize("scale", ["score", "rank"])
def test_at_even_plays_both_weigh_the_same(scale: str) -> None:
    plays = np.full(N, 20)
    both = blend(CONTENT, LISTENERS, plays, Blend(scale, "pair", 20))
    swapped = blend(LISTENERS, CONTENT, plays, Blend(scale, "pair", 20))
    np.testing.assert_allclose(both[OTHERS], swapped[OTHERS], atol=1e-6)


def test_scores_are_standardised_over_the_others() -> None:
    plays = np.zeros(N, int)
    both = blend(CONTENT * 7 + 3, LISTENERS, plays, Blend("score", "seed", 5))
    rows = both[OTHERS].reshape(N, N - 1)
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(rows.std(axis=1), 1, atol=1e-6)


def test_ranks_are_reciprocal_and_equals_share_the_worst() -> None:
    content = np.array([[0, 5, 5, 9.0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 2, 3, 0]])
    both = blend(content, content, np.zeros(4, int), Blend("rank", "seed", 1))
    np.testing.assert_allclose(both[0, 1:], [1 / 63, 1 / 63, 1 / 61], rtol=1e-6)
    np.testing.assert_allclose(both[3, :3], [1 / 63, 1 / 62, 1 / 61], rtol=1e-6)


def test_of_an_answer_without_plays_no_listener_speaks() -> None:
    plays = np.full(N, 10**9)
    plays[4] = 0
    both = blend(CONTENT, LISTENERS, plays, Blend("score", "pair", 5))
    other = blend(
        CONTENT, LISTENERS + OTHERS * (np.arange(N) == 7), plays, Blend("score", "pair", 5)
    )
    alone = blend(CONTENT, LISTENERS, np.zeros(N, int), Blend("score", "pair", 5))
    np.testing.assert_allclose(both[:, 4], alone[:, 4])
    assert not np.allclose(both[0, 7], other[0, 7])


def test_a_row_that_knows_nothing_stays_finite() -> None:
    both = blend(CONTENT, np.zeros((N, N)), np.full(N, 3), Blend("score", "seed", 3))
    assert np.isfinite(both).all()
    for row in range(N):
        assert order(both, row) == order(CONTENT, row)


@pytest.mark.parametrize(
    ("scale", "plays", "even"), [("sum", "seed", 1), ("rank", "answer", 1), ("rank", "seed", 0)]
)
def test_a_blend_that_is_none_is_refused(scale: str, plays: str, even: float) -> None:
    with pytest.raises(ValueError, match=r"no blend|even="):
        Blend(scale, plays, even)
