"""The probe, with scikit-learn as the referee."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.claims.probe import fit_probe, log_probabilities, standardiser


def clusters(n: int, D: int, C: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((C, D))
    classes = np.arange(n) % C
    return centres[classes] + spread * rng.standard_normal((n, D)), classes


@pytest.mark.parametrize("strength", [1e-3, 1e-2])
@pytest.mark.parametrize("n", [12, 90])
def test_the_probe_is_logistic_regression(n: int, strength: float) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    rows, classes = clusters(n, 20, 5, spread=1.0)
    scaled = standardiser(rows)(rows)
    referee = linear_model.LogisticRegression(C=1 / (strength * n), tol=1e-8, max_iter=20_000)
    referee.fit(scaled, classes)
    probe = fit_probe(scaled, classes, 5, strength)
    ours, theirs = log_probabilities(probe, scaled), referee.predict_log_proba(scaled)
    assert ours == pytest.approx(theirs, abs=0.02)
    assert (ours.argmax(axis=1) == referee.predict(scaled)).all()


def test_rows_come_to_mean_0_and_squared_length_1() -> None:
    rows = np.random.default_rng(0).normal(5, 3, (200, 7)) * np.geomspace(1e-3, 1e3, 7)
    scaled = standardiser(rows)(rows)
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(7), abs=1e-9)
    assert (scaled**2).sum(axis=1).mean() == pytest.approx(1)


def test_a_number_that_never_changes_says_nothing() -> None:
    rows = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    constant = np.full((50, 1), 0.1, np.float32)
    scaled = standardiser(np.hstack([rows, constant]))
    assert not scaled(np.full((2, 4), 7.0))[:, 3].any()
    assert scaled(np.hstack([rows, constant]))[:, :3] == pytest.approx(standardiser(rows)(rows))


def test_one_row_per_class_is_enough_for_clusters_apart() -> None:
    rows, classes = clusters(100, 20, 5, spread=0.05)
    scaled = standardiser(rows)(rows)
    probe = fit_probe(scaled[:5], classes[:5], 5)
    assert (log_probabilities(probe, scaled).argmax(axis=1) == classes).all()


def test_probabilities_add_up_to_1() -> None:
    rows, classes = clusters(30, 4, 3, spread=1.0)
    found = np.exp(log_probabilities(fit_probe(rows, classes, 3), rows))
    assert found.sum(axis=1) == pytest.approx(np.ones(30))
