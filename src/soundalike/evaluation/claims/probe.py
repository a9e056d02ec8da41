"""A linear probe: rows [n, D] and their classes -> a multinomial logistic regression.

Minimises the mean cross entropy plus STRENGTH / 2 times the squared weights, the bias free, which is
convex: by Nesterov's accelerated gradient (2004, section 2.2) with restarts (O'Donoghue & Candès 2015,
section 3.2) until the gradient is all but gone. One strength serves all systems, because rows are
brought to one scale: mean squared length 1, however many numbers they have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STRENGTH = 1e-3
TOLERANCE = 1e-5  # of the largest entry of the gradient
MOST_STEPS = 5_000


@dataclass(frozen=True, eq=False)
class Probe:
    """Weights float64 [D, C] and bias [C] of C classes."""

    weights: np.ndarray
    bias: np.ndarray


def standardiser(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The scale of rows [n, D]: a function that brings others to mean 0, mean squared length 1.

    A number that does not change over the rows is set to 0.
    """
    mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    changes = deviation > 1e-9 * np.maximum(np.abs(mean), 1)
    factor = np.where(changes, 1 / np.where(changes, deviation, 1), 0) / np.sqrt(
        max(changes.sum(), 1)
    )

    def scale(others: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (others - mean) * factor
        return scaled

    return scale


def fit_probe(
    rows: np.ndarray, classes: np.ndarray, count: int, strength: float = STRENGTH
) -> Probe:
    """Fit a probe.

    Args:
        rows: float [n, D], scaled.
        classes: int [n], 0 to `count` - 1.
        count: C; a class that no row has is never the answer where another fits.
        strength: of the penalty on the weights.
    """
    n, D = rows.shape
    inputs = np.column_stack([rows.astype(np.float64), np.ones(n)])
    wanted = np.eye(count)[classes]
    penalty = np.full((D + 1, 1), strength)
    penalty[D] = 1e-9  # the bias is free, but a class without rows must not run off to infinity
    # The cross entropy bends at most half as much as the rows (Böhning 1992).
    step = 1 / (0.5 * np.linalg.norm(inputs, 2) ** 2 / n + strength)
    weights = ahead = np.zeros((D + 1, count))
    momentum = 1.0
    for _ in range(MOST_STEPS):
        gap = np.exp(_log_softmax(inputs @ ahead)) - wanted
        gradient = inputs.T @ gap / n + penalty * ahead
        new = ahead - step * gradient
        if np.abs(gradient).max() < TOLERANCE:
            break
        if np.sum(gradient * (new - weights)) > 0:
            momentum = 1.0  # it overshot: begin gathering speed anew
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - weights)
        weights, momentum = new, following
    return Probe(new[:D], new[D])


def log_probabilities(probe: Probe, rows: np.ndarray) -> np.ndarray:
    """Log-probability of every class for rows [n, D]: float64 [n, C]."""
    return _log_softmax(rows @ probe.weights + probe.bias)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    normed: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return normed
