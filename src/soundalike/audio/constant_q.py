"""Waveforms -> constant-Q spectrogram: one row per semitone, the last stage before the pitch network.

    waveforms float32 [B, L]   ->   features float32 [B, P, F],  P = octaves x bins per octave

Source: Brown, "Calculation of a constant Q spectral transform", JASA 1991: row k is the spectrum at
f_k = lowest x 2^(k / b), seen through a window of Q periods, Q = 1 / (2^(1/b) - 1),

    X[k, t] = | sum_n w_k[n] x[t + n] exp(-2 pi i f_k n / rate) |,   w_k a Hann window of sum 1.

As in Brown & Puckette, "An efficient algorithm for the calculation of a constant Q transform", JASA
1992, the kernels are computed once. Ours stay in the time domain: at ten frames a second windows
hardly overlap, and one strided convolution per octave is less work than Fourier transforms. Low
octaves are heard at a lower sample rate, as in Schoerkhuber & Klapuri, "Constant-Q transform toolbox
for music processing", SMC 2010.

We differ from Brown in what a network wants: windows are kept between a shortest (a high note needs
no finer time than a frame) and a longest (a low note would blur over many frames), the loudness is
set per segment, and log(1 + X / floor) makes soft notes visible and silence zero.

Letters: B batch, L samples, N samples at a lower rate, P pitches, n frames, F frames that are left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundalike.audio.melspectrogram import QUIETEST

TAPS = 33
"""Of a low-pass filter before samples are dropped."""

PASSED = 0.47
"""Cut-off of the first one, as a share of the highest frequency there is: 3.76 kHz at 16 kHz."""

SLOWER = 4
"""By which the rate is divided once more for low octaves."""

BLOCK = 16
"""Samples a filter gives at once: a matrix product is quicker than a filter with one output."""


@dataclass(frozen=True, slots=True)
class ConstantQSettings:
    """Settings of the front end; the defaults hear C1 to B7 ten times a second, in means of two."""

    sample_rate: int = 16_000
    lowest: float = 32.70319566257483  # Hz, C1 at A4 = 440 Hz
    bins_per_octave: int = 12
    octaves: int = 7
    hop: float = 0.1  # seconds between frames
    pool: int = 2  # frames that are averaged into one
    shortest: int = 512  # samples of a window, at half the sample rate
    longest: int = 4_096
    loudness: float = -20.0  # dBFS, root mean square of each segment
    floor: float = (
        1e-3  # magnitude from which the scale is logarithmic; a sine at -20 dBFS has 0.07
    )

    def __post_init__(self) -> None:
        counts = (self.bins_per_octave, self.octaves, self.pool, self.step)
        if min(counts) < 1 or not self.floor > 0:
            raise ValueError(
                f"bins_per_octave={self.bins_per_octave}, octaves={self.octaves}, pool={self.pool}, "
                f"hop={self.hop} and floor={self.floor} must all be above 0"
            )
        if not 2 <= self.shortest <= self.longest:
            raise ValueError(
                f"shortest={self.shortest} must lie between 2 and longest={self.longest}"
            )
        frequencies = self.frequencies
        if not 0 < frequencies[0] <= frequencies[-1] < self.sample_rate / 4:
            raise ValueError(
                f"lowest={self.lowest} Hz and {self.octaves} octaves reach {frequencies[-1]:.0f} Hz; "
                f"the limit is a quarter of sample_rate={self.sample_rate}"
            )

    @property
    def pitches(self) -> int:
        """P, rows of the features."""
        return self.octaves * self.bins_per_octave

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each row in Hz, float64 [P]."""
        rows = np.arange(self.octaves * self.bins_per_octave)
        centres: np.ndarray = self.lowest * 2.0 ** (rows / self.bins_per_octave)
        return centres

    @property
    def windows(self) -> np.ndarray:
        """Samples of each row's window at half the sample rate, int64 [P]."""
        quality = 1 / (2 ** (1 / self.bins_per_octave) - 1)
        ideal = quality * self.sample_rate / 2 / self.frequencies
        return np.clip(ideal, self.shortest, self.longest).astype(np.int64)

    @property
    def step(self) -> int:
        """Samples between frames at half the sample rate."""
        return round(self.hop * self.sample_rate / 2)

    @property
    def slow_octaves(self) -> int:
        """Octaves that a fourth of half the sample rate can carry: they end below half its limit."""
        if self.step % SLOWER:
            return 0  # frames would lie between samples
        ends = self.frequencies[self.bins_per_octave - 1 :: self.bins_per_octave]
        return int((ends < self.sample_rate / 2 / SLOWER / 4).sum())

    def frames(self, samples: int) -> int:
        """F, frames of `samples` at the sample rate; the rest that fills no frame is left out."""
        return (samples + 1) // 2 // self.step // self.pool


class ConstantQ(nn.Module):
    """Constant-Q spectrogram on a logarithmic scale from 0 up.

    Frame i is centred at i x hop; sound before the first and after the last sample counts as zero.
    """

    def __init__(self, settings: ConstantQSettings) -> None:
        super().__init__()
        self.settings = settings
        self.halve = Decimation(2, PASSED)
        self.slow = Decimation(SLOWER, 1 / SLOWER)
        # Fixed by the settings, so never stored among the weights.
        for octave in range(settings.octaves):
            kernels = torch.from_numpy(analysis_kernels(settings, octave))
            self.register_buffer(f"octave_{octave}", kernels, False)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Features of a batch.

        Args:
            waveforms: float32 [B, L], mono, at `settings.sample_rate`, L of one frame or more.

        Returns:
            float32 [B, P, F], 0 where nothing sounds.
        """
        frames = self.settings.frames(waveforms.shape[1])
        spectrogram = self.spectrogram(waveforms)[:, :, : frames * self.settings.pool]
        return F.avg_pool1d(spectrogram, self.settings.pool)

    def spectrogram(self, waveforms: Tensor) -> Tensor:
        """Every frame, before neighbours are averaged: float32 [B, L] -> float32 [B, P, n]."""
        settings = self.settings
        fast = self.halve(_at_loudness(waveforms, settings.loudness))  # [B, N]
        slow = self.slow(fast)  # [B, N / 4]
        n = fast.shape[1] // settings.step
        rows = []
        for octave in range(settings.octaves):
            kernels: Tensor = getattr(self, f"octave_{octave}")  # [2b, 1, W]
            if octave < settings.slow_octaves:
                rows.append(_magnitudes(slow, kernels, settings.step // SLOWER, n))
            else:
                rows.append(_magnitudes(fast, kernels, settings.step, n))
        return torch.log1p(torch.cat(rows, dim=1) / settings.floor)


class Decimation(nn.Module):
    """Low-pass and keep every r-th sample: [B, N] -> [B, N / r], rounded up.

    A windowed sinc of unit gain; sample i of the result lies at sample r x i. Sound beyond the ends
    counts as zero.
    """

    kernels: Tensor  # [BLOCK, 1, TAPS + r (BLOCK - 1)]: the filter at BLOCK places

    def __init__(self, factor: int, passed: float) -> None:
        super().__init__()
        self.factor = factor
        n = np.arange(TAPS) - TAPS // 2
        taps = np.sinc(passed * n) * np.hamming(TAPS)
        kernels = np.zeros((BLOCK, 1, TAPS + factor * (BLOCK - 1)), np.float32)
        for i in range(BLOCK):
            kernels[i, 0, factor * i : factor * i + TAPS] = taps / taps.sum()
        self.register_buffer("kernels", torch.from_numpy(kernels), False)

    def forward(self, x: Tensor) -> Tensor:
        """Map sound [B, N] to sound [B, N / r]."""
        kept = -(-x.shape[1] // self.factor)
        blocks, advance = -(-kept // BLOCK), self.factor * BLOCK
        past = (blocks - 1) * advance + self.kernels.shape[2]  # what the last block looks at
        padded = F.pad(x, (TAPS // 2, past - TAPS // 2 - x.shape[1])).unsqueeze(1)
        filtered = F.conv1d(padded, self.kernels, stride=advance)  # [B, BLOCK, blocks]
        return filtered.transpose(1, 2).flatten(1)[:, :kept]


def _at_loudness(waveforms: Tensor, loudness: float) -> Tensor:
    x = waveforms - waveforms.mean(dim=1, keepdim=True)
    level = (x * x).mean(dim=1, keepdim=True).sqrt().clamp(min=QUIETEST)
    return x * (10 ** (loudness / 20) / level)


def _magnitudes(x: Tensor, kernels: Tensor, step: int, n: int) -> Tensor:
    """Strength of b pitches around n places: sound [B, N], kernels [2b, 1, W] -> [B, b, n]."""
    W = kernels.shape[2]
    past = (n - 1) * step + W - W // 2  # of the last window
    padded = F.pad(x, (W // 2, past - x.shape[1])).unsqueeze(1)  # cut, where it is beyond
    real, imaginary = F.conv1d(padded, kernels, stride=step).chunk(2, dim=1)  # each [B, b, n]
    return (real * real + imaginary * imaginary).sqrt()


def analysis_kernels(settings: ConstantQSettings, octave: int) -> np.ndarray:
    """Cosine rows, then sine rows, of an octave: float32 [2b, 1, W], W its longest window.

    Every window is centred at sample W // 2. The numbers are rounded to float16, some 100 dB below
    the signal, so that an exported model stores half as much and still holds exactly these.
    """
    b, slower = settings.bins_per_octave, SLOWER if octave < settings.slow_octaves else 1
    rows = slice(octave * b, (octave + 1) * b)
    rate = settings.sample_rate / 2 / slower
    windows, frequencies = settings.windows[rows] // slower, settings.frequencies[rows]
    W = int(windows.max())
    kernels = np.zeros((2, b, W))
    for row, (window, frequency) in enumerate(zip(windows, frequencies, strict=True)):
        n = np.arange(window) - window // 2
        phase = 2 * np.pi * frequency / rate * n
        hann = np.hanning(window) / np.hanning(window).sum()
        kernels[:, row, n + W // 2] = hann * np.cos(phase), hann * np.sin(phase)
    return kernels.reshape(2 * b, 1, W).astype(np.float16).astype(np.float32)
