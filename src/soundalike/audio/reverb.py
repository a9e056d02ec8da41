"""Random reverberation in the manner of Freeverb.

In: float32 [B, T]; out: float32 [B, T], dry plus wet. The reverberator is Freeverb's (Jezar at
Dreampoint, 2000, public domain): eight damped comb filters side by side, then four all-pass filters
in a row (Schroeder 1962, Moorer 1979). The three controls and their ranges are those of sox.

Its transfer function is known in closed form, so the impulse response comes from sampling that
function on a circle and one inverse transform. The circle lies slightly outside the unit circle,
where the response decays faster and its tail does not fold back into the beginning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from soundalike.audio.filters import convolve

# Delays in samples at 44.1 kHz.
COMB_DELAYS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)
ALLPASS_DELAYS = (225, 341, 441, 556)
ALLPASS_FEEDBACK = 0.5
WET_GAIN = 0.015
# The circle's radius to the power of the length: tails fold back this many times weaker.
CIRCLE_GROWTH = 1e3
# An impulse response is kept until it has decayed by 80 dB, 4.1 s at 16 kHz at the most.
DECAY = 1e4
SHORTEST_RESPONSE, LONGEST_RESPONSE = 1 << 13, 1 << 16


def comb_controls(reverberance: float, damping: float) -> tuple[float, float]:
    """Feedback and damping coefficients of the combs from controls in 0..100, as sox maps them.

    feedback = 1 - exp((reverberance - b) / (a b)), so that 0 gives 0.3 and 100 gives 0.98.
    """
    a = -1 / math.log(1 - 0.3)
    b = 100 / (math.log(1 - 0.98) * a + 1)
    return 1 - math.exp((reverberance - b) / (a * b)), damping / 100 * 0.3 + 0.2


def comb_delays(room_size: float, sample_rate: int) -> list[int]:
    """Delays of the eight combs in samples, for a room size in 0..100."""
    scale = (room_size / 100 * 0.9 + 0.1) * sample_rate / 44_100
    return [int(scale * delay + 0.5) for delay in COMB_DELAYS]


def allpass_delays(sample_rate: int) -> list[int]:
    """Delays of the four all-pass filters in samples."""
    return [int(sample_rate / 44_100 * delay + 0.5) for delay in ALLPASS_DELAYS]


def impulse_response(
    reverberance: float,
    damping: float,
    room_size: float,
    *,
    sample_rate: int,
    device: torch.device | None = None,
) -> Tensor:
    """The wet impulse response, float32 [2^n], for controls in 0..100.

    comb:     (1 - d z^-1) / ((1 - d z^-1) z^D - f (1 - d))
    all-pass: (1.5 - z^D) / (z^D - 0.5)
    """
    feedback, damp = comb_controls(reverberance, damping)
    delays = comb_delays(room_size, sample_rate)
    length = _response_length(feedback, delays, sample_rate)
    damped = 1 - damp * _powers([-1], length, device)
    combs = (damped * _powers(delays, length, device) - feedback * (1 - damp)).reciprocal().sum(0)
    spectrum = combs * damped[0] * _allpass_response(sample_rate, length, device)
    shrunk: Tensor = torch.fft.irfft(spectrum, n=length)
    return shrunk * _growth(length, device)


def _response_length(feedback: float, delays: list[int], sample_rate: int) -> int:
    passes = math.log(DECAY) / -math.log(feedback)
    needed = passes * max(delays) + 4 * max(allpass_delays(sample_rate))
    return int(min(max(2 ** math.ceil(math.log2(needed)), SHORTEST_RESPONSE), LONGEST_RESPONSE))


def _powers(delays: list[int], length: int, device: torch.device | None) -> Tensor:
    """z^D at `length` points around the circle, upper half, complex64 [delays, length // 2 + 1]."""
    exponents = torch.tensor(delays, dtype=torch.int32, device=device)[:, None]
    bins = torch.arange(length // 2 + 1, dtype=torch.int32, device=device)
    # Whole turns are taken off in integers: float32 could not hold the angle. 2^n makes it a mask.
    angles = (bins * exponents & (length - 1)) * (2 * math.pi / length)
    sizes = torch.exp(exponents * (math.log(CIRCLE_GROWTH) / length))
    return torch.complex(angles.cos() * sizes, angles.sin() * sizes)


@lru_cache(maxsize=16)
def _growth(length: int, device: torch.device | None) -> Tensor:
    """What undoes the circle's radius, float32 [length]."""
    return torch.exp(torch.arange(length, device=device) * (math.log(CIRCLE_GROWTH) / length))


@lru_cache(maxsize=16)
def _allpass_response(sample_rate: int, length: int, device: torch.device | None) -> Tensor:
    powers = _powers(allpass_delays(sample_rate), length, device)
    feedback = ALLPASS_FEEDBACK
    return WET_GAIN * ((1 + feedback - powers) / (powers - feedback)).prod(0)


@dataclass(frozen=True)
class Reverb:
    """y = x + h * x, h the impulse response of a Freeverb with random controls.

    Reverberance, damping and room size each U{0 .. 99}. CLMR: p = 0.6.
    """

    sample_rate: int
    max_reverberance: int = 99
    max_damping: int = 99
    max_room_size: int = 99
    probability: float = 0.6

    def draw(self, rng: torch.Generator, rows: int) -> tuple[Tensor, Tensor, Tensor]:
        """Reverberance, damping and room size, each int64 [B]."""
        reverberance = torch.randint(self.max_reverberance + 1, (rows,), generator=rng)
        damping = torch.randint(self.max_damping + 1, (rows,), generator=rng)
        room_size = torch.randint(self.max_room_size + 1, (rows,), generator=rng)
        return reverberance, damping, room_size

    def apply(
        self, waveforms: Tensor, reverberance: Tensor, damping: Tensor, room_size: Tensor
    ) -> Tensor:
        """Add the reverberation of float32 [B, T] under controls in 0..100, each [B]."""
        controls = torch.stack((reverberance, damping, room_size), dim=1).tolist()
        responses = (
            impulse_response(*row, sample_rate=self.sample_rate, device=waveforms.device)
            for row in controls
        )
        return convolve(waveforms, responses, origin=0).add_(waveforms)

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Put every row of float32 [B, T] into a room of its own."""
        return self.apply(waveforms, *self.draw(rng, len(waveforms)))
