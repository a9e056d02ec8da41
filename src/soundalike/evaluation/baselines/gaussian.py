"""Timbre as one Gaussian per track, and how far two Gaussians are apart.

In: a waveform, float32 [T] at 16 kHz. Out: float32 [1, D]: the mean of its MFCC frames, then the upper
triangle of their full covariance.

Michael Mandel and Daniel Ellis, "Song-level features and support vector machines for music
classification", ISMIR 2005, section 3.1; the baseline that timbre similarity has been measured against
since. Two tracks p, q of d coefficients are apart by the symmetric Kullback-Leibler divergence

    KL(p, q) + KL(q, p) = 1/2 [ tr(C_p^-1 C_q) + tr(C_q^-1 C_p)
                                + (m_p - m_q)' (C_p^-1 + C_q^-1) (m_p - m_q) ] - d

in which the determinants of the textbook formula cancel.

Coefficients 1 to 20 are used. Number 0 is the loudness: with it a track would be far from itself at
another volume, and near to whatever was mastered as loud.
"""

from __future__ import annotations

import numpy as np

from soundalike.evaluation.baselines.spectral import COEFFICIENTS, cepstra

FLOOR = 1e-2
"""Added to each variance: silence and pure tones have coefficients that never change."""


def gaussian(waveform: np.ndarray) -> np.ndarray:
    """Mean and covariance of MFCC 1..20 over time: float32 [1, 20 + 210]."""
    frames = cepstra(waveform, COEFFICIENTS + 1)[:, 1:]
    width = frames.shape[1]
    mean = frames.mean(axis=0)
    centred = frames - mean
    covariance = centred.T @ centred / len(frames) + FLOOR * np.eye(width)
    row = np.concatenate([mean, covariance[np.triu_indices(width)]])
    return np.asarray(row[None], dtype=np.float32)


def symmetric_divergence(queries: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """Symmetric Kullback-Leibler divergence of every query from every track: float64 [Q, N], 0 or more.

    Args:
        queries: rows of `gaussian`, [Q, D].
        tracks: the same, [N, D].
    """
    mean_q, covariance_q, inverse_q = _unpacked(queries)
    mean_n, covariance_n, inverse_n = _unpacked(tracks)
    width = mean_q.shape[1]
    # Traces of products of symmetric matrices are dot products of their entries.
    traces = _flat(covariance_q) @ _flat(inverse_n).T + _flat(inverse_q) @ _flat(covariance_n).T
    shift = _mahalanobis(mean_q, mean_n, inverse_n) + _mahalanobis(mean_n, mean_q, inverse_q).T
    divergence: np.ndarray = np.maximum((traces + shift) / 2 - width, 0)
    return divergence


def negative_divergence(queries: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """The divergence as a similarity, 0 or less: [Q, N]."""
    return -symmetric_divergence(queries, tracks)


def _unpacked(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean [n, d], covariance [n, d, d] and its inverse, in float64."""
    width = round((np.sqrt(9 + 8 * rows.shape[1]) - 3) / 2)  # D = d + d (d + 1) / 2
    mean, packed = np.split(rows.astype(np.float64), [width], axis=1)
    upper = np.triu_indices(width)
    covariance = np.empty((len(rows), width, width))
    covariance[:, upper[0], upper[1]] = packed
    covariance[:, upper[1], upper[0]] = packed
    return mean, covariance, np.linalg.inv(covariance)


def _mahalanobis(of: np.ndarray, to: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """(a - b)' W_b (a - b) for every row a of one set and b of the other, which brings its W."""
    weighted = np.einsum("nij,nj->ni", inverse, to)
    squares = _flat(of[:, :, None] * of[:, None, :]) @ _flat(inverse).T
    distance: np.ndarray = squares - 2 * of @ weighted.T + np.sum(weighted * to, axis=1)
    return distance


def _flat(matrices: np.ndarray) -> np.ndarray:
    return matrices.reshape(len(matrices), -1)
