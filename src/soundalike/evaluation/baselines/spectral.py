"""What spectra say without any learning: where the energy lies, on average over a track.

In: a waveform, float32 [T] at 16 kHz. Out: float32 [1, D].

mean log-mel   time mean of 40 log-mel bands
MFCC           mean and standard deviation over time of 20 cepstral coefficients

`power_spectra` and `cepstra` also serve the other baselines. Sound is taken in blocks, so that an
hour of it fits in memory; what is shorter than a window is heard as if silence followed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SAMPLE_RATE = 16_000
WINDOW, HOP, BANDS, COEFFICIENTS = 1_024, 512, 40, 20
BLOCK = 2_048  # frames transformed at once


def mean_log_mel(waveform: np.ndarray) -> np.ndarray:
    """Time mean of the log-mel spectrum: float32 [1, 40]."""
    mean: np.ndarray = log_mel(waveform).mean(axis=0, keepdims=True)
    return mean


def mfcc(waveform: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of MFCC 0..19 over time: float32 [1, 40]. Gain is coefficient 0."""
    over_time = cepstra(waveform)
    row = np.concatenate([over_time.mean(axis=0), over_time.std(axis=0)])
    return row[None].astype(np.float32)


def cepstra(waveform: np.ndarray, count: int = COEFFICIENTS) -> np.ndarray:
    """The first coefficients of every frame, float64 [F, count] (Davis & Mermelstein 1980)."""
    n = np.arange(BANDS)
    # Orthonormal DCT-II.
    basis = np.cos(np.pi / BANDS * (n + 0.5)[:, None] * np.arange(count)[None])
    basis *= np.sqrt(2 / BANDS)
    basis[:, 0] /= np.sqrt(2)
    coefficients: np.ndarray = log_mel(waveform) @ basis
    return coefficients


def log_mel(waveform: np.ndarray) -> np.ndarray:
    """Natural logarithm of the power in 40 mel bands: float32 [F, 40]."""
    filters = mel_filters()
    blocks = [power @ filters for power in power_spectra(waveform, WINDOW, HOP)]
    log: np.ndarray = np.log(np.concatenate(blocks) + 1e-8).astype(np.float32)
    return log


def power_spectra(
    waveform: np.ndarray, window: int, hop: int, *, transform: int | None = None
) -> Iterator[np.ndarray]:
    """Power spectra of Hann-windowed frames, in blocks of at most 2,048: float64 [f, K].

    Args:
        waveform: float32 [T].
        window: samples of a frame.
        hop: samples from one frame to the next.
        transform: samples of a frame after padding with zeros; K = transform // 2 + 1.
    """
    if len(waveform) < window:
        waveform = np.pad(waveform, (0, window - len(waveform)))
    frames = np.lib.stride_tricks.sliding_window_view(waveform, window)[::hop]
    hann = np.hanning(window).astype(np.float32)
    for i in range(0, len(frames), BLOCK):
        yield np.abs(np.fft.rfft(frames[i : i + BLOCK] * hann, n=transform, axis=1)) ** 2


def mel_filters() -> np.ndarray:
    """Triangles on the mel scale 2595 log10(1 + f / 700) from 20 Hz to half the rate: [K, 40]."""
    lowest, highest = 2595 * np.log10(1 + np.array([20, SAMPLE_RATE / 2]) / 700)
    edges = np.linspace(lowest, highest, BANDS + 2)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
    left, centre, right = hertz[:-2], hertz[1:-1], hertz[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    triangles: np.ndarray = np.maximum(0, np.minimum(rising, falling))
    return triangles
