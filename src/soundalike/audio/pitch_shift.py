"""Pitch without duration, duration without pitch.

In: float32 [B, T]; out: float32 [B, T]. Both rest on WSOLA (Verhelst and Roelands, "An overlap-add
technique based on waveform similarity for high quality time-scale modification of speech",
ICASSP 1993): the output is laid down in segments of equal length, each taken from the place in the
input that continues the previous segment best. A pitch shift is a band-limited resampling, which
moves pitch and duration together, followed by WSOLA, which puts the duration back.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

# Seconds. Half the search range must hold half a period of the lowest tone, 50 Hz.
SEGMENT, SEARCH, OVERLAP = 0.080, 0.010, 0.012
# Energy that a sample of distance costs: nothing next to any sound.
NEARNESS = 1e-9


def stretch(
    waveforms: Sequence[Tensor], advance: Tensor, *, length: int, sample_rate: int
) -> Tensor:
    """Change the duration at constant pitch (WSOLA, least squared difference).

    waveforms: B times float32 [T], T may differ; zeros follow the end. advance: float64 [B], on the
    CPU, input samples consumed per output sample. Returns float32 [B, length].
    """
    hop, reach, overlap = _segment_sizes(sample_rate)
    # Starts of the search ranges, one per segment, in a waveform that begins `reach` samples late.
    steps = torch.arange(math.ceil(length / hop))[:, None] * hop
    starts = (steps * advance).round().long().to(waveforms[0].device)
    padded = _lay_out(waveforms, reach, int(steps[-1] * advance.max()) + _lookahead(sample_rate))
    positions, tails = _search(padded, starts, hop=hop, lags=2 * reach + 1, overlap=overlap)
    windows = zip(padded.unfold(-1, hop, 1), positions.T, strict=True)
    out = torch.stack([window[position] for window, position in windows])
    fade = torch.arange(1, overlap + 1, device=out.device) / (overlap + 1)
    out[:, 1:, :overlap] = tails.transpose(0, 1).lerp(out[:, 1:, :overlap], fade)
    return out.flatten(1)[:, :length]


def _segment_sizes(sample_rate: int) -> tuple[int, int, int]:
    """Samples from segment to segment, searched to each side, and cross-faded."""
    return int(SEGMENT * sample_rate), int(SEARCH * sample_rate), int(OVERLAP * sample_rate)


def _lookahead(sample_rate: int) -> int:
    """How many samples after the start of a search range may be read."""
    hop, reach, overlap = _segment_sizes(sample_rate)
    return 2 * reach + 1 + hop + overlap


def _lay_out(waveforms: Sequence[Tensor], start: int, total: int) -> Tensor:
    """The waveforms from sample `start` on, zeros around them, float32 [B, at least `total`]."""
    longest = max(map(len, waveforms))
    padded = waveforms[0].new_zeros(len(waveforms), max(start + longest, total))
    for row, waveform in zip(padded, waveforms, strict=True):
        row[start : start + len(waveform)] = waveform
    return padded


def _search(
    padded: Tensor, starts: Tensor, *, hop: int, lags: int, overlap: int
) -> tuple[Tensor, Tensor]:
    """Where each segment is taken from, int64 [segments, B], and what it fades from.

    starts: int64 [segments, B]. The second return value holds the `overlap` samples that would have
    continued each segment but the last, float32 [segments - 1, B, overlap].
    """
    rows = torch.arange(len(padded), device=padded.device)
    spectra, energies = _candidates(padded, starts, lags=lags, overlap=overlap)
    size = 2 * (spectra.shape[-1] - 1)
    continuations = padded.unfold(-1, overlap, 1)
    tails = padded.new_zeros(len(starts) - 1, len(padded), overlap)
    positions = starts.clone()
    # The first segment is the beginning itself, in the middle of its range.
    positions[0] += lags // 2
    for k, tail in enumerate(tails, start=1):
        tail.copy_(continuations[rows, positions[k - 1] + hop])
        match = torch.fft.irfft(spectra[k] * torch.fft.rfft(tail, n=size).conj(), n=size)
        positions[k] += torch.argmin(energies[k] - 2 * match[:, :lags], dim=-1)
    return positions, tails


def _candidates(
    padded: Tensor, starts: Tensor, *, lags: int, overlap: int
) -> tuple[Tensor, Tensor]:
    """What the search needs of every range, known before the search begins.

    Returns the spectra of the ranges, complex64 [segments, B, bins], and the energy of `overlap`
    samples at each lag, float32 [segments, B, lags].
    """
    least = lags + overlap - 1
    size = next(size for size in range(least + least % 2, 2 * least, 2) if _is_quick(size))
    rows = torch.arange(len(padded), device=padded.device)
    ranges = padded.unfold(-1, least, 1)[rows, starts]
    spectra = torch.fft.rfft(ranges, n=size)
    sums = torch.nn.functional.pad(ranges.square_().cumsum_(-1), (1, 0))
    energies = sums[..., overlap:] - sums[..., :-overlap]
    # In silence all lags are alike; the nearest to the nominal place is to win.
    away = (torch.arange(lags, device=padded.device) - lags // 2).abs()
    return spectra, energies.add_(away, alpha=NEARNESS)


def resample(waveform: Tensor, ratio: float) -> tuple[Tensor, float]:
    """Band-limited resampling of float32 [T], ratio > 1 shortens and raises the pitch.

    Overlapping blocks of 8 a samples become blocks of 8 b, a / b being the ratio, by cutting or
    extending their spectra; the outer eighths, where a block's ends meet, are dropped.
    Returns float32 [about T / ratio] and the ratio reached, which is within 4 cents of that asked.
    """
    a, b = _block_sizes(ratio)
    T = len(waveform)
    blocks = math.ceil(T / (6 * a))
    padded = torch.nn.functional.pad(waveform, (a, blocks * 6 * a - T + a))
    spectra = torch.fft.rfft(padded.unfold(0, 8 * a, 6 * a))[:, : 4 * min(a, b) + 1]
    spectra = spectra * _band_edge(4 * min(a, b) + 1, waveform.device) * (b / a)
    out = torch.fft.irfft(spectra, n=8 * b)[:, b:-b].flatten()
    return out[: math.ceil(T * b / a)], a / b


@lru_cache(maxsize=64)
def _band_edge(bins: int, device: torch.device) -> Tensor:
    """1 up to a half-cosine fall over the last 2 % of the bins, which keeps ringing short."""
    fall = max(1, bins // 50)
    edge = torch.ones(bins, device=device)
    edge[-fall:] = torch.cos(torch.arange(1, fall + 1, device=device) / fall * (math.pi / 2)) ** 2
    return edge


def _block_sizes(ratio: float) -> tuple[int, int]:
    """The (a, b) of `_pairs` whose quotient is nearest to `ratio`."""
    pairs = _pairs()
    place = bisect.bisect(pairs, (ratio, 0, 0))
    near = pairs[max(0, place - 1) : place + 1]
    return min(near, key=lambda pair: abs(math.log(pair[0] / ratio)))[1:]


@lru_cache(maxsize=1)
def _pairs() -> list[tuple[float, int, int]]:
    """All (a / b, a, b) between a half and two, each quotient once, in rising order."""
    pairs: dict[float, tuple[float, int, int]] = {}
    for a in filter(_is_quick, range(700, 1400)):
        for b in filter(_is_quick, range(a // 2, 2 * a + 1)):
            pairs.setdefault(a / b, (a / b, a, b))
    return sorted(pairs.values())


def _is_quick(size: int) -> bool:
    """Whether a transform of this size is quick: no prime factor above 7."""
    for prime in (2, 3, 5, 7):
        while size % prime == 0:
            size //= prime
    return size == 1


@dataclass(frozen=True)
class PitchShift:
    """Pitch moved by U(-700, +700) cents, duration kept; 700 cents are a fifth.

    Resampled by the ratio 2^(cents / 1200), then stretched by the same ratio. CLMR: p = 0.6.
    """

    sample_rate: int
    max_cents: float = 700.0
    probability: float = 0.6

    def __post_init__(self) -> None:
        if not 0 <= self.max_cents <= 1200:
            raise ValueError(
                f"pitch_shift: max_cents {self.max_cents} given; an octave, 1200, is the most"
            )

    def draw(self, rng: torch.Generator, rows: int) -> Tensor:
        """Shifts in cents, float32 [B]."""
        return torch.empty(rows).uniform_(-self.max_cents, self.max_cents, generator=rng)

    def apply(self, waveforms: Tensor, cents: Tensor) -> Tensor:
        """Shift the rows of float32 [B, T] by the cents given, float32 [B]."""
        ratios = (cents.double() / 1200).exp2().tolist()
        shifted, reached = zip(*map(resample, waveforms, ratios), strict=True)
        return stretch(
            shifted,
            1 / torch.tensor(reached, dtype=torch.float64),
            length=waveforms.shape[-1],
            sample_rate=self.sample_rate,
        )

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Shift every row of float32 [B, T] by an interval of its own."""
        return self.apply(waveforms, self.draw(rng, len(waveforms)))


@dataclass(frozen=True)
class TimeStretch:
    """Duration times a factor log-uniform in 0.8-1.25, pitch kept.

    A slower waveform is cut at T samples, a quicker one goes on with its own beginning.
    Not in CLMR; McCallum et al. (arXiv 2401.08889) find that it makes neighbors less a matter of
    tempo and more one of genre, mood and instruments.
    """

    sample_rate: int
    min_factor: float = 0.8
    max_factor: float = 1.25
    probability: float = 0.3

    def draw(self, rng: torch.Generator, rows: int) -> Tensor:
        """Duration factors, float32 [B]."""
        steps = torch.rand(rows, generator=rng) * math.log(self.max_factor / self.min_factor)
        return self.min_factor * steps.exp()

    def apply(self, waveforms: Tensor, factors: Tensor) -> Tensor:
        """Stretch the rows of float32 [B, T] by the factors given, float32 [B]."""
        T = waveforms.shape[-1]
        needed = math.ceil(T / float(factors.min())) + _lookahead(self.sample_rate)
        source = waveforms.repeat(1, math.ceil(needed / T))[:, :needed]
        advance = 1 / factors.double()
        return stretch(list(source), advance, length=T, sample_rate=self.sample_rate)

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Stretch every row of float32 [B, T] by a factor of its own."""
        return self.apply(waveforms, self.draw(rng, len(waveforms)))
