"""Waveforms -> log-mel spectrogram, the last stage before the transformer.

    waveforms float32 [B, L], -1..1   ->   log-mel float32 [B, M, F],  F = (L - window) // hop + 1

Source: the filter-bank front end of AST (Gong et al. 2021, section 2.1), which is Kaldi's `fbank`. A
frame's Fourier transform is a matrix product, which exports to ONNX as it stands, so there is no second
implementation that could drift from the one the encoder was trained with. The product is half as large
as it might be: seen from the middle of a frame its window and every cosine are even and every sine is odd, so
the second half of the frame, mirrored, is laid upon the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

LOG_FLOOR = float(np.finfo(np.float32).eps)
"""Kaldi's floor under the logarithm: digital silence becomes ln(1.19e-7) = -15.9, not -inf."""

QUIETEST = 10 ** (-70 / 20)
"""Root mean square below which a segment is not amplified further: noise must not become music."""


@dataclass(frozen=True, slots=True)
class LogMelSettings:
    """Settings of the front end; the defaults are ours, `LogMelSettings.published_ast()` is AST's.

    A hop of 20 ms instead of AST's 10 ms halves the patches of a segment, and 96 bands leave no
    filter empty at this FFT size (128 do).
    """

    sample_rate: int = 16_000
    window: int = 512  # samples, 32 ms
    hop: int = 320  # samples, 20 ms
    n_fft: int = 512
    n_mels: int = 96
    f_min: float = 20.0  # Hz
    f_max: float = 8_000.0  # Hz
    preemphasis: float = 0.0
    remove_offset: bool = False  # subtract each frame's mean, as Kaldi does
    loudness: float | None = -20.0  # dBFS, root mean square of each segment; None: leave it
    mean: float = -4.3  # of the log-mel over the training data, as augmented
    std: float = 5.5

    def __post_init__(self) -> None:
        if self.window > self.n_fft:
            raise ValueError(f"window={self.window} must not exceed n_fft={self.n_fft}")
        if self.window % 2 or self.n_fft % 2:
            raise ValueError(f"window={self.window} and n_fft={self.n_fft} must both be even")
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise ValueError(
                f"f_min={self.f_min} and f_max={self.f_max} must lie in order between 0 and half "
                f"of sample_rate={self.sample_rate}"
            )

    @classmethod
    def published_ast(cls) -> LogMelSettings:
        """What the published AST checkpoints were trained with (AudioSet statistics)."""
        return cls(
            window=400,
            hop=160,
            n_mels=128,
            preemphasis=0.97,
            remove_offset=True,
            loudness=None,
            mean=-4.2677393,
            std=4.5689974,
        )

    def frames(self, samples: int) -> int:
        """Number of frames F that fit wholly into `samples`."""
        return max(0, (samples - self.window) // self.hop + 1)


class LogMel(nn.Module):
    """Log-mel spectrogram, normalised to about zero mean and half unit variance as in AST."""

    waves: Tensor  # [2, window / 2, K]: windowed cosines, then sines, of K frequency bins
    filters: Tensor  # [M, K]

    def __init__(self, settings: LogMelSettings) -> None:
        super().__init__()
        self.settings = settings
        # Fixed by the settings, so never stored among the weights.
        self.register_buffer("waves", torch.from_numpy(fourier_waves(settings)), False)
        self.register_buffer("filters", torch.from_numpy(mel_filters(settings)), False)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Spectrogram of a batch.

        Args:
            waveforms: float32 [B, L], mono, at `settings.sample_rate`.

        Returns:
            float32 [B, M, F].
        """
        x = waveforms - waveforms.mean(dim=1, keepdim=True)
        if self.settings.loudness is not None:
            level = x.square().mean(dim=1, keepdim=True).sqrt().clamp(min=QUIETEST)
            x = x * (10 ** (self.settings.loudness / 20) / level)
        first, second = self._frames(x).chunk(2, dim=2)  # [B, F, window / 2]
        second = second.flip(2)
        cosines, sines = self.waves
        real, imaginary = (first + second) @ cosines, (first - second) @ sines  # [B, F, K]
        power = real.square() + imaginary.square()
        mel = (power @ self.filters.T).transpose(1, 2)  # [B, M, F]
        normalised: Tensor = (mel.clamp(min=LOG_FLOOR).log() - self.settings.mean) / (
            2 * self.settings.std
        )
        return normalised

    def _frames(self, x: Tensor) -> Tensor:
        """Frames [B, F, window] of waveforms [B, L], as Kaldi prepares them."""
        settings = self.settings
        window, hop = settings.window, settings.hop
        past = (settings.frames(x.shape[1]) - 1) * hop + window
        # In blocks that frames and hops are whole numbers of: slices, where `unfold` would be a gather.
        block = math.gcd(window, hop)
        blocks = x[:, :past].reshape(-1, past // block, block)
        last = (past - window) // block + 1
        parts = [blocks[:, i : i + last : hop // block] for i in range(window // block)]
        frames = torch.cat(parts, dim=2)
        if settings.remove_offset:
            frames = frames - frames.mean(dim=2, keepdim=True)
        if settings.preemphasis:
            # Kaldi repeats the first sample before the frame.
            previous = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
            frames = frames - settings.preemphasis * previous
        return frames


def fourier_waves(settings: LogMelSettings) -> np.ndarray:
    """Windowed cosines and sines of the first half of a frame, float32 [2, window / 2, K].

    K = n_fft / 2 + 1. Their phases are nought in the middle of the frame, between its two middle samples,
    and are whole numbers of half an `n_fft`-th of a turn. export.py has the same formula in ONNX.
    """
    half = np.arange(settings.window // 2)
    steps = np.outer(2 * half + 1 - settings.window, np.arange(settings.n_fft // 2 + 1))
    quarter = np.array([settings.n_fft // 2, 0])[:, None, None]  # a cosine is a sine that is ahead
    phases = (steps + quarter) % (2 * settings.n_fft) * (np.pi / settings.n_fft)
    waves: np.ndarray = (np.sin(phases) * hann(settings)[:, None]).astype(np.float32)
    return waves


def hann(settings: LogMelSettings) -> np.ndarray:
    """First half of Kaldi's Hann window, float64 [window / 2]; the second half mirrors it."""
    n = np.arange(settings.window // 2)
    window: np.ndarray = 0.5 - 0.5 * np.cos(2 * np.pi * n / (settings.window - 1))
    return window


def mel_filters(settings: LogMelSettings) -> np.ndarray:
    """Triangles that are straight on Kaldi's mel scale, 1127 ln(1 + f/700): float32 [M, K]."""

    def mel(frequency: np.ndarray | float) -> np.ndarray:
        return 1127.0 * np.log1p(np.asarray(frequency) / 700.0)

    edges = np.linspace(mel(settings.f_min), mel(settings.f_max), settings.n_mels + 2)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = mel(np.arange(settings.n_fft // 2 + 1) * settings.sample_rate / settings.n_fft)[None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    triangles: np.ndarray = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    # Kaldi leaves out the bin at half the sample rate.
    triangles[:, -1] = 0
    return triangles
