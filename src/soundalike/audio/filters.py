"""Random filtering of waveforms: high/low-pass, bandwidth loss, a narrow line, equalizer.

In: float32 [B, T]; out: float32 [B, T], aligned with the input (the kernels are symmetric, so they
add no delay). Every filter is a finite impulse response, one kernel per example, applied by
overlap-save with blocks sized to the kernel (Oppenheim and Schafer, Discrete-Time Signal
Processing, section 8.7). Samples outside the waveform count as zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

# Zero crossings of the sinc kept on each side, counted as julius counts them.
SINC_ZEROS = 8
# A transform this long stays in the cache and is long against the filters below.
SHORTEST_BLOCK = 4096


def convolve(waveforms: Tensor, kernels: Iterable[Tensor], *, origin: int) -> Tensor:
    """Convolve each row with its own kernel.

    waveforms: float32 [B, T]; kernels: B times float32 [K], K may differ; tap `origin` is time
    zero. Returns float32 [B, T].
    """
    filtered = torch.empty_like(waveforms)
    for row, kernel, out in zip(waveforms, kernels, filtered, strict=True):
        out.copy_(_overlap_save(row, kernel, origin))
    return filtered


def _overlap_save(row: Tensor, kernel: Tensor, origin: int) -> Tensor:
    T, K = len(row), len(kernel)
    block = max(SHORTEST_BLOCK, 2 ** math.ceil(math.log2(2 * K)))
    step = block - K + 1
    blocks = math.ceil(T / step)
    left = K - 1 - origin
    padded = torch.nn.functional.pad(row, (left, (blocks - 1) * step + block - left - T))
    spectra = torch.fft.rfft(padded.unfold(0, block, step))
    spectra *= torch.fft.rfft(kernel, n=block)
    outputs: Tensor = torch.fft.irfft(spectra, n=block)
    return outputs[:, K - 1 :].flatten()[:T]


def low_pass_kernels(cutoffs: Tensor, *, half: int) -> Tensor:
    """Hann-windowed sinc kernels with unit gain at 0 Hz.

    h(t) = 2 c w(t) sinc(2 c t), w a Hann window of half-width 8 / (2 c) samples.
    cutoffs: float32 [B], c in cycles per sample, at most 0.5. Returns float32 [B, 2 * half + 1];
    `half` is to be at least 4 / min(c), a wider kernel is filled with zeros.
    """
    times = torch.arange(-half, half + 1, device=cutoffs.device)
    widths = (SINC_ZEROS / 2 / cutoffs).floor()[:, None]
    windows = torch.cos(times / widths * (math.pi / 2)).square() * (times.abs() <= widths)
    kernels = windows * torch.sinc(2 * cutoffs[:, None] * times)
    return kernels / kernels.sum(-1, keepdim=True)


def half_width(cutoff: float, sample_rate: int) -> int:
    """Samples on each side of the kernel of the lowest cut-off, in Hz, that a stage may draw."""
    return int(SINC_ZEROS / 2 * sample_rate / cutoff)


@dataclass(frozen=True)
class HighLowPass:
    """A low-pass or a high-pass filter, by the toss of a coin.

    low-pass: y = h * x with a windowed sinc h, cut-off U(2200, 4000) Hz;
    high-pass: y = x - h * x, cut-off U(200, 1200) Hz. CLMR: p = 0.8.
    """

    sample_rate: int
    low_pass_min: float = 2200.0
    low_pass_max: float = 4000.0
    high_pass_min: float = 200.0
    high_pass_max: float = 1200.0
    probability: float = 0.8

    def draw(self, rng: torch.Generator, rows: int) -> tuple[Tensor, Tensor]:
        """Cut-off frequencies in Hz, float32 [B], and whether each is a high-pass, bool [B]."""
        high = torch.rand(rows, generator=rng) < 0.5
        place = torch.rand(rows, generator=rng)
        low_pass = self.low_pass_min + place * (self.low_pass_max - self.low_pass_min)
        high_pass = self.high_pass_min + place * (self.high_pass_max - self.high_pass_min)
        return torch.where(high, high_pass, low_pass), high

    def apply(self, waveforms: Tensor, cutoffs: Tensor, high: Tensor) -> Tensor:
        """Filter float32 [B, T] with the cut-offs (Hz) and kinds that `draw` gives."""
        lowest = min(self.low_pass_min, self.high_pass_min)
        half = half_width(lowest, self.sample_rate)
        kernels = low_pass_kernels((cutoffs / self.sample_rate).clamp(max=0.5), half=half)
        kernels[high] *= -1
        kernels[high, half] += 1
        return convolve(waveforms, kernels.to(waveforms.device), origin=half)

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Filter every row of float32 [B, T] with parameters of its own."""
        return self.apply(waveforms, *self.draw(rng, len(waveforms)))


@dataclass(frozen=True)
class Bandwidth:
    """A low-pass with cut-off log-uniform in 3-8 kHz: what a lossy codec or a bad line leaves.

    Not in CLMR; a stand-in for the codec augmentation of audio fingerprinting, without a codec.
    """

    sample_rate: int
    min_hz: float = 3000.0
    max_hz: float = 8000.0
    probability: float = 0.3

    def draw(self, rng: torch.Generator, rows: int) -> Tensor:
        """Cut-off frequencies in Hz, float32 [B]."""
        octaves = torch.rand(rows, generator=rng) * math.log(self.max_hz / self.min_hz)
        return self.min_hz * octaves.exp()

    def apply(self, waveforms: Tensor, cutoffs: Tensor) -> Tensor:
        """Low-pass float32 [B, T]; a cut-off at or above half the sample rate changes nothing."""
        half = half_width(self.min_hz, self.sample_rate)
        kernels = low_pass_kernels((cutoffs / self.sample_rate).clamp(max=0.5), half=half)
        return convolve(waveforms, kernels.to(waveforms.device), origin=half)

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Low-pass every row of float32 [B, T] with a cut-off of its own."""
        return self.apply(waveforms, self.draw(rng, len(waveforms)))


@dataclass(frozen=True)
class NarrowBand:
    """A band-pass: what a telephone or a small loudspeaker leaves, bass gone as well as treble.

    Cut-offs log-uniform, the lower in 100-500 Hz, the upper in 2.5-5 kHz. Not in CLMR, whose filter
    takes one end away at a time; a telephone passes 300-3400 Hz (ITU-T G.712).
    """

    sample_rate: int
    low_min_hz: float = 100.0
    low_max_hz: float = 500.0
    high_min_hz: float = 2500.0
    high_max_hz: float = 5000.0
    probability: float = 0.15

    def draw(self, rng: torch.Generator, rows: int) -> tuple[Tensor, Tensor]:
        """Lower and upper cut-off frequencies in Hz, float32 [B] each."""
        place = torch.rand(2, rows, generator=rng)
        low = self.low_min_hz * (place[0] * math.log(self.low_max_hz / self.low_min_hz)).exp()
        high = self.high_min_hz * (place[1] * math.log(self.high_max_hz / self.high_min_hz)).exp()
        return low, high

    def apply(self, waveforms: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Pass what lies between the cut-offs of each row of float32 [B, T]."""
        half = half_width(self.low_min_hz, self.sample_rate)
        kernels = low_pass_kernels((high / self.sample_rate).clamp(max=0.5), half=half)
        kernels = kernels - low_pass_kernels(low / self.sample_rate, half=half)
        return convolve(waveforms, kernels.to(waveforms.device), origin=half)

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Filter every row of float32 [B, T] with cut-offs of its own."""
        return self.apply(waveforms, *self.draw(rng, len(waveforms)))


@dataclass(frozen=True)
class Equalizer:
    """A random smooth gain curve, as another room, master or loudspeaker gives.

    6-10 control points evenly spaced in log-frequency from 40 Hz to half the sample rate, gains
    U(-9, +9) dB, straight lines between them; applied as a symmetric kernel.
    Not in CLMR; generalises its filter stage, by far the most useful one of its ablation.
    """

    sample_rate: int
    gain_db: float = 9.0
    min_points: int = 6
    max_points: int = 10
    probability: float = 0.8
    lowest_hz: float = 40.0
    taps: int = 1023

    def draw(self, rng: torch.Generator, rows: int) -> Tensor:
        """Curves in dB, float32 [B, max_points]; unused control points at the end are NaN."""
        gains = torch.empty(rows, self.max_points).uniform_(
            -self.gain_db, self.gain_db, generator=rng
        )
        used = torch.randint(self.min_points, self.max_points + 1, (rows, 1), generator=rng)
        return gains.masked_fill(torch.arange(self.max_points) >= used, math.nan)

    def apply(self, waveforms: Tensor, gains: Tensor) -> Tensor:
        """Filter float32 [B, T] with the curves that `draw` gives."""
        decibels = self.curve(gains)
        kernels = torch.fft.irfft(10 ** (decibels / 20)).roll(self.taps // 2, dims=-1)
        kernels = kernels[:, : self.taps] * torch.hann_window(self.taps + 2, periodic=False)[1:-1]
        return convolve(waveforms, kernels.to(waveforms.device), origin=self.taps // 2)

    def curve(self, gains: Tensor) -> Tensor:
        """The gain in dB at bin frequencies 0 .. sample_rate / 2, float32 [B, taps // 2 + 2]."""
        bins = self.taps // 2 + 2
        frequencies = torch.linspace(0, self.sample_rate / 2, bins).clamp(min=self.lowest_hz)
        used = (~gains.isnan()).sum(-1, keepdim=True)
        place = (frequencies / self.lowest_hz).log() / math.log(
            self.sample_rate / 2 / self.lowest_hz
        )
        places = place * (used - 1)
        left = places.floor().long().minimum(used - 2)
        start, end = gains.gather(-1, left), gains.gather(-1, left + 1)
        return start + (end - start) * (places - left)

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Filter every row of float32 [B, T] with a curve of its own."""
        return self.apply(waveforms, self.draw(rng, len(waveforms)))
