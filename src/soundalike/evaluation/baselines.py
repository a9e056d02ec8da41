"""What we must beat. Each baseline is a `Describe`: waveform float32 [T] at 16 kHz -> vectors [1, D].

    mean log-mel   time mean of 40 log-mel bands
    MFCC           mean and standard deviation of 20 cepstral coefficients
    bliss          the 23 numbers of bliss-audio, an optional peer (pip install bliss-audio)

The dimensions of such numbers have nothing in common, so each is standardised over the set that is
compared (`standardise`), which is more than their users get and the same for all of them.
"""

from __future__ import annotations

import os
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from soundalike.errors import ModelError
from soundalike.evaluation.tasks import SAMPLE_RATE

WINDOW, HOP, BANDS, COEFFICIENTS = 1_024, 512, 40, 20


def mean_log_mel(waveform: np.ndarray) -> np.ndarray:
    """Time mean of the log-mel spectrum: float32 [1, 40]."""
    mean: np.ndarray = _log_mel(waveform).mean(axis=0, keepdims=True)
    return mean


def mfcc(waveform: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of MFCC 0..19 over time: float32 [1, 40]. Gain is coefficient 0."""
    n = np.arange(BANDS)
    # Orthonormal DCT-II (Davis & Mermelstein 1980).
    basis = np.cos(np.pi / BANDS * (n + 0.5)[:, None] * np.arange(COEFFICIENTS)[None])
    basis *= np.sqrt(2 / BANDS)
    basis[:, 0] /= np.sqrt(2)
    cepstra = _log_mel(waveform) @ basis
    return np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0)])[None].astype(np.float32)


def bliss(waveform: np.ndarray) -> np.ndarray:
    """bliss-audio's description, float32 [1, 23]; it reads files, so it is handed one.

    Raises:
        ModelError: bliss-audio is not installed.
    """
    try:
        import bliss_audio
    except ImportError:
        raise ModelError("bliss is not installed: pip install bliss-audio") from None
    with tempfile.NamedTemporaryFile(suffix=".wav", delete=False) as file:
        name = file.name
    try:
        _write_wav(Path(name), waveform)
        song = bliss_audio.Song(name)
        return np.asarray([song.analysis], dtype=np.float32)
    finally:
        os.unlink(name)  # noqa: PTH108


def standardise(sets: Sequence[Sequence[np.ndarray]]) -> list[list[np.ndarray]]:
    """Each dimension to mean 0 and deviation 1 over all vectors of all sets; rows to unit length."""
    everything = np.concatenate([vectors for each in sets for vectors in each])
    mean, std = everything.mean(axis=0), everything.std(axis=0) + 1e-9

    def unit(vectors: np.ndarray) -> np.ndarray:
        z = (vectors - mean) / std
        scaled: np.ndarray = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-9)
        return scaled.astype(np.float32)

    return [[unit(vectors) for vectors in each] for each in sets]


def _log_mel(waveform: np.ndarray) -> np.ndarray:
    """Log-mel spectrum [F, 40] of a waveform, in blocks so that an hour of sound fits in memory."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[::HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    filters = _mel_filters()
    blocks = [
        np.abs(np.fft.rfft(frames[i : i + 2_048] * window, axis=1)) ** 2 @ filters
        for i in range(0, len(frames), 2_048)
    ]
    log: np.ndarray = np.log(np.concatenate(blocks) + 1e-8).astype(np.float32)
    return log


def _mel_filters() -> np.ndarray:
    """Triangles on the mel scale 2595 log10(1 + f / 700) from 20 Hz to half the rate: [K, 40]."""
    lowest, highest = 2595 * np.log10(1 + np.array([20, SAMPLE_RATE / 2]) / 700)
    edges = np.linspace(lowest, highest, BANDS + 2)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
    left, centre, right = hertz[:-2], hertz[1:-1], hertz[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    triangles: np.ndarray = np.maximum(0, np.minimum(rising, falling))
    return triangles


def _write_wav(path: Path, waveform: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(waveform.clip(-1, 1) * 32767).astype("<i2").tobytes())
