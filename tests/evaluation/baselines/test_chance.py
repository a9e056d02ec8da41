"""Chance: the same in every run, and knowing nothing."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.baselines.chance import draw, fingerprint


def sounds(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([fingerprint(rng.normal(size=50).astype("f4")) for _ in range(count)])


def test_a_fingerprint_depends_on_every_sample() -> None:
    sound = np.linspace(-1, 1, 100, dtype=np.float32)
    row = fingerprint(sound)
    assert row.shape == (1, 4)
    assert row.dtype == np.float32
    assert (row == np.round(row)).all()
    assert ((row >= 0) & (row < 2**16)).all()
    np.testing.assert_array_equal(fingerprint(sound.copy()), row)
    for changed in (0, 57, 99):
        other = sound.copy()
        other[changed] += 1e-6
        assert (fingerprint(other) != row).any()


def test_draws_are_uniform_and_independent() -> None:
    similarity = draw(sounds(150, 0), sounds(150, 1))
    assert similarity.shape == (150, 150)
    counts = np.histogram(similarity, bins=10, range=(0, 1))[0]
    np.testing.assert_allclose(counts, 2_250, rtol=0.1)
    assert np.abs(np.corrcoef(similarity)[~np.eye(150, dtype=bool)]).mean() < 0.1
    assert np.abs(np.corrcoef(similarity.T)[~np.eye(150, dtype=bool)]).mean() < 0.1
    assert len(np.unique(similarity)) == similarity.size


def test_a_sound_is_not_nearer_to_itself() -> None:
    rows = sounds(400, 2)
    own = np.diag(draw(rows, rows))
    assert own.mean() == pytest.approx(0.5, abs=0.05)


def test_an_answer_depends_on_the_pair_alone() -> None:
    queries, tracks = sounds(6, 3), sounds(7, 4)
    whole = draw(queries, tracks)
    np.testing.assert_array_equal(draw(queries[2:4], tracks[::2]), whole[2:4, ::2])
    np.testing.assert_array_equal(draw(queries, tracks), whole)
