"""What guessing scores, through the same door: similarities drawn by lot.

In: a waveform, float32 [T]. Out: float32 [1, 4], a number of 64 bits that depends on every sample. The
similarity of two sounds is drawn from both their numbers, so it is the same in every run, knows
nothing, and is no higher for a sound and itself than for any other two.
"""

from __future__ import annotations

import hashlib

import numpy as np

SEED = 0
_DIGITS = 4  # of 16 bits each, which float32 holds exactly


def fingerprint(waveform: np.ndarray) -> np.ndarray:
    """Four integers below 65,536 out of the samples' SHA-256: float32 [1, 4]."""
    digest = hashlib.sha256(np.ascontiguousarray(waveform, dtype="<f4").tobytes()).digest()
    return np.frombuffer(digest, dtype="<u2")[None, :_DIGITS].astype(np.float32)


def draw(queries: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """Uniform draws from 0 to 1, one for every pair of fingerprints [Q, 4] and [N, 4]: [Q, N]."""
    pairs = _mixed(_whole(queries) ^ np.uint64(SEED))[:, None] ^ _whole(tracks)[None]
    return np.asarray(_mixed(pairs) / 2.0**64)


def _whole(fingerprints: np.ndarray) -> np.ndarray:
    """The four digits as one number: uint64 [n]."""
    places = np.uint64(1 << 16) ** np.arange(_DIGITS, dtype=np.uint64)
    number: np.ndarray = fingerprints.astype(np.uint64) @ places
    return number


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): neighbours land far apart."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = numbers ^ (numbers >> np.uint64(31))
    return mixed
