"""One Gaussian per track: against the textbook, SciPy's density, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from fake_model import tone
from soundalike.evaluation.baselines.gaussian import (
    FLOOR,
    gaussian,
    negative_divergence,
    symmetric_divergence,
)
from soundalike.evaluation.baselines.spectral import SAMPLE_RATE, cepstra

UPPER = np.triu_indices(20)


def draws(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means [n, 20] and covariances [n, 20, 20], as unlike as those of music: variances 0.1 to 30."""
    rng = np.random.default_rng(seed)
    means = rng.normal(scale=5, size=(count, 20))
    mixing = rng.normal(size=(count, 20, 20)) * rng.uniform(0.1, 1, size=(count, 1, 20))
    return means, mixing @ mixing.transpose(0, 2, 1) + 0.1 * np.eye(20)


def packed(means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    return np.concatenate([means, covariances[:, UPPER[0], UPPER[1]]], axis=1)


def textbook(p: tuple[np.ndarray, np.ndarray], q: tuple[np.ndarray, np.ndarray]) -> float:
    """KL(p, q) of two Gaussians with its determinants, as in any textbook."""
    (mean_p, cov_p), (mean_q, cov_q) = p, q
    inverse, apart = np.linalg.inv(cov_q), mean_q - mean_p
    logs = np.linalg.slogdet(cov_q)[1] - np.linalg.slogdet(cov_p)[1]
    return float((np.trace(inverse @ cov_p) + apart @ inverse @ apart - len(mean_p) + logs) / 2)


def test_it_is_the_textbook_divergence_in_both_directions() -> None:
    q, n = draws(5, 0), draws(7, 1)
    expected = [
        [textbook(one, other) + textbook(other, one) for other in zip(*n, strict=True)]
        for one in zip(*q, strict=True)
    ]
    np.testing.assert_allclose(symmetric_divergence(packed(*q), packed(*n)), expected, rtol=1e-6)


def test_it_is_the_expected_difference_of_log_densities() -> None:
    """KL(p, q) = E_p[log p - log q], by sampling from SciPy's Gaussians."""
    rng = np.random.default_rng(2)
    means = rng.normal(scale=0.3, size=(2, 20))
    mixing = np.eye(20) + 0.1 * rng.normal(size=(2, 20, 20))
    covariances = mixing @ mixing.transpose(0, 2, 1)
    p, q = (multivariate_normal(m, c) for m, c in zip(means, covariances, strict=True))
    at_p, at_q = p.rvs(40_000, random_state=3), q.rvs(40_000, random_state=4)
    sampled = np.mean(p.logpdf(at_p) - q.logpdf(at_p)) + np.mean(q.logpdf(at_q) - p.logpdf(at_q))
    rows = packed(means, covariances)
    assert symmetric_divergence(rows[:1], rows[1:])[0, 0] == pytest.approx(sampled, rel=0.03)


def test_nothing_is_nearer_than_itself() -> None:
    rows = packed(*draws(6, 5)).astype(np.float32)
    divergence = symmetric_divergence(rows, rows)
    np.testing.assert_allclose(divergence, divergence.T, rtol=1e-9)
    assert (divergence >= 0).all()
    np.testing.assert_allclose(np.diag(divergence), 0, atol=1e-6)
    assert (divergence + 1e9 * np.eye(6)).min() > 1
    np.testing.assert_array_equal(negative_divergence(rows, rows), -divergence)


def test_a_description_is_the_mean_and_covariance_of_the_cepstra() -> None:
    noise = np.random.default_rng(6).normal(scale=0.1, size=4 * SAMPLE_RATE).astype(np.float32)
    frames = cepstra(noise, 21)[:, 1:]
    row = gaussian(noise)
    assert row.shape == (1, 230)
    assert row.dtype == np.float32
    np.testing.assert_allclose(row[0, :20], frames.mean(axis=0), rtol=1e-5, atol=1e-5)
    expected = np.cov(frames.T, bias=True) + FLOOR * np.eye(20)
    np.testing.assert_allclose(row[0, 20:], expected[UPPER], rtol=1e-4, atol=1e-5)


def test_volume_is_not_heard() -> None:
    rng = np.random.default_rng(7)
    loud = rng.normal(scale=0.2, size=4 * SAMPLE_RATE).astype(np.float32)
    other = np.cumsum(loud).astype(np.float32) / 50
    quiet, rest = gaussian(loud / 8), gaussian(other)
    assert symmetric_divergence(quiet, gaussian(loud))[0, 0] < 0.1
    assert symmetric_divergence(quiet, rest)[0, 0] > 10


def test_silence_and_tones_and_clicks_have_a_divergence_too() -> None:
    silence = np.zeros(2 * SAMPLE_RATE, dtype=np.float32)
    sounds = [silence, tone(440, 2.0), tone(440, 2.0)[:200], np.ones_like(silence)]
    rows = np.concatenate([gaussian(sound) for sound in sounds])
    divergence = symmetric_divergence(rows, rows)
    assert np.isfinite(divergence).all()
    np.testing.assert_allclose(np.diag(divergence), 0, atol=1e-3)
