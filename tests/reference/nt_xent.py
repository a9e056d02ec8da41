"""Contrastive losses as their papers print them: slow, obvious, float64."""

from __future__ import annotations

import math

import numpy as np


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b) / (math.sqrt(float(a @ a)) * math.sqrt(float(b @ b)))


def simclr(first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    """SimCLR, algorithm 1: z_(2k-1) and z_2k are the two views of example k; both [N, P]."""
    N = len(first)
    z = [view for pair in zip(first, second, strict=True) for view in pair]
    s = [[cosine(z[i], z[j]) for j in range(2 * N)] for i in range(2 * N)]

    def loss(i: int, j: int) -> float:
        below = sum(math.exp(s[i][k] / temperature) for k in range(2 * N) if k != i)
        return -math.log(math.exp(s[i][j] / temperature) / below)

    total = sum(loss(2 * k, 2 * k + 1) + loss(2 * k + 1, 2 * k) for k in range(N))
    return total / (2 * N)


def nt_xent(z: np.ndarray, track: np.ndarray, temperature: float, *, decoupled: bool) -> float:
    """Any number of views per track; no view of the anchor's own track stands among the negatives."""
    losses = []
    for i in range(len(z)):
        negatives = sum(
            math.exp(cosine(z[i], z[k]) / temperature)
            for k in range(len(z))
            if track[k] != track[i]
        )
        for j in range(len(z)):
            if j != i and track[j] == track[i]:
                positive = math.exp(cosine(z[i], z[j]) / temperature)
                below = negatives if decoupled else positive + negatives
                losses.append(-math.log(positive / below))
    return sum(losses) / len(losses)
