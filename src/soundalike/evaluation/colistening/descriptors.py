"""A waveform -> loudness, its range, brightness, noisiness and tempo: what simulated tastes hear.

Five numbers that a person would name, and none of them from an encoder: sessions made from a system's
own vectors would prove that system right. Simple timbre statistics (mfcc) lie nearer to them than an
encoder does, since loudness and brightness are much of the first two cepstral coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from soundalike.evaluation.sounds import digest
from soundalike.evaluation.systems import Vectors

WINDOW, HOP = 1_024, 512
SLOWEST, FASTEST = 50.0, 200.0  # beats per minute
NAMES = ("loudness", "range", "brightness", "noisiness", "tempo")


class PlainDescriptors(Vectors):
    """The descriptors as a system, so that `Descriptions` keeps them; they are never under test."""

    def __init__(self) -> None:
        super().__init__("plain descriptors", digest(Path(__file__).read_text("utf-8")))

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """One row of each: float32 [1, 5]."""
        return map(describe_plainly, waveforms)


def describe_plainly(waveform: np.ndarray, *, sample_rate: int = 16_000) -> np.ndarray:
    """The numbers of `NAMES`: float32 [1, 5].

    loudness    dB of the mean power, 0 for a full square wave
    range       dB between the 95th and 10th percentile of the power of frames
    brightness  log2 of the spectral centroid in Hz, the mean over frames by their power
    noisiness   spectral flatness, the mean over frames: 0 a tone, 1 white noise
    tempo       log2 of the beats per minute, 50..200, where the autocorrelation of the spectral flux
                is highest; to the nearest frame, 3 % at 120, and octaves may be mistaken

    Args:
        waveform: float32 [T], at least a quarter of a minute for a tempo.
        sample_rate: Hz.
    """
    if len(waveform) < WINDOW:
        waveform = np.pad(waveform, (0, WINDOW - len(waveform)))
    spectrum = _magnitudes(waveform)  # [F, K]
    power = spectrum**2 + 1e-10
    frames = power.sum(axis=1)
    hertz = np.fft.rfftfreq(WINDOW, 1 / sample_rate)
    low, high = np.percentile(10 * np.log10(frames), (10, 95))
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    numbers = (
        10 * np.log10(np.mean(waveform.astype(np.float64) ** 2) + 1e-10),
        high - low,
        np.log2((power @ hertz).sum() / frames.sum() + 1),
        flatness.mean(),
        np.log2(_tempo(spectrum, sample_rate / HOP)),
    )
    return np.array([numbers], dtype=np.float32)


def _magnitudes(waveform: np.ndarray) -> np.ndarray:
    window = np.hanning(WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[::HOP]
    blocks = [
        np.abs(np.fft.rfft(frames[i : i + 2_048] * window, axis=1)).astype(np.float32)
        for i in range(0, len(frames), 2_048)
    ]
    return np.concatenate(blocks)


def _tempo(spectrum: np.ndarray, frame_rate: float) -> float:
    """Beats per minute; the slowest one where there is too little sound or no change in it."""
    flux = np.maximum(np.diff(np.log1p(spectrum), axis=0), 0).sum(axis=1)
    slow, fast = round(frame_rate * 60 / SLOWEST), round(frame_rate * 60 / FASTEST)
    if len(flux) <= 2 * slow or not flux.std() > 1e-6:
        return SLOWEST
    # A beat seldom lasts a whole number of frames; smoothed, it correlates at the nearest one.
    flux = np.convolve(flux, [0.25, 0.5, 0.25], mode="same")
    flux = flux - flux.mean()
    size = 1 << (2 * len(flux) - 1).bit_length()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(flux, size)) ** 2)[: slow + 1]
    lags = np.arange(fast, slow + 1)
    # Every multiple of a beat's length correlates as well: the shortest lag that is nearly the best.
    best = correlation[lags].max()
    peak = int(lags[np.argmax(correlation[lags] >= 0.8 * best)])
    while peak < slow and correlation[peak + 1] > correlation[peak]:
        peak += 1
    return float(np.clip(60 * frame_rate / peak, SLOWEST, FASTEST))
