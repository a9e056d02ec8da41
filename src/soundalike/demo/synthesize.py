"""The ways to make a tone. A `Wave` is float32 [T] at SAMPLE_RATE, about -1..1.

Three methods cover the whole band (instruments.py):
- what is struck or plucked is a sum of decaying sines, all of them in one matrix product;
- what is blown or bowed reads one cycle of its wave from a table, at a pitch that may waver,
  and fades between a dark and a bright table;
- the electric piano is frequency modulation (Chowning, "The Synthesis of Complex Audio Spectra
  by Means of Frequency Modulation", 1973).

Nothing sounds above BAND_LIMIT: partials beyond it are left out, tables are summed only up to it
and the modulation index is held below the point where its side bands would reach it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 32_000
BAND_LIMIT = 0.45 * SAMPLE_RATE
_CYCLE = 4096  # points of one cycle; linear reading between them errs by less than -60 dB
_ROW = 256

Wave = NDArray[np.float32]
Numbers = NDArray[np.float64]  # few and exact: frequencies, amplitudes, times
Spectrum = Callable[[Numbers, float], Numbers]  # harmonic numbers, fundamental in Hz -> amplitudes


def samples(seconds: float) -> int:
    """A length in samples, at least one."""
    return max(1, round(seconds * SAMPLE_RATE))


def clock(length: int) -> Numbers:
    """The time of every sample in seconds, float64 [length]: phases need every digit."""
    return np.arange(length) / SAMPLE_RATE


def decay(length: int, rate: float) -> Wave:
    """exp(-rate t), float32 [length]; `rate` in 1/s."""
    exponent = np.arange(length, dtype=np.float32) * np.float32(-rate / SAMPLE_RATE)
    return np.asarray(np.exp(exponent))


def decaying_partials(
    frequencies: Numbers, amplitudes: Numbers, decays: Numbers, length: int
) -> Wave:
    """Sum over k of a_k exp(-d_k t) sin(2 pi f_k t); f in Hz [K], d in 1/s [K].

    With z = exp((-d + 2 pi i f) / rate) the sample n = 256 r + c is Im(sum a z^(256 r) z^c): a
    product of a [rows, 2K] and a [2K, 256] matrix instead of K sines and K exponentials.
    """
    heard = frequencies < BAND_LIMIT
    logs = (2j * np.pi * frequencies[heard] - decays[heard]) / SAMPLE_RATE
    rows = -(-length // _ROW)
    coarse = amplitudes[heard] * np.exp(np.outer(np.arange(rows) * _ROW, logs))
    fine = np.exp(np.outer(logs, np.arange(_ROW)))
    left = np.hstack([coarse.imag, coarse.real]).astype(np.float32)
    right = np.vstack([fine.real, fine.imag]).astype(np.float32)
    return np.asarray((left @ right).ravel()[:length])


def harmonic_table(spectrum: Spectrum, frequency: float, *, highest: float = BAND_LIMIT) -> Wave:
    """One cycle, [4097] with the first point again at the end, of unit RMS and no mean.

    Harmonics stop at `highest` hertz. Their phases are spread (Schroeder's rule) so that a
    hundred of them do not add up to one spike.
    """
    count = min(max(1, int(highest / frequency)), _CYCLE // 8)
    numbers = np.arange(1.0, count + 1)
    bins = np.zeros(_CYCLE // 2 + 1, dtype=np.complex128)
    spread = np.exp(-1j * np.pi * numbers * (numbers - 1) / count)
    bins[1 : count + 1] = spectrum(numbers, frequency) * spread
    cycle = np.fft.irfft(bins, _CYCLE)
    cycle /= np.sqrt(np.mean(cycle**2)) + 1e-12
    return np.append(cycle, cycle[0]).astype(np.float32)


def read_cycles(dark: Wave, bright: Wave, mix: Wave, phase: Numbers) -> Wave:
    """Two tables read at `phase` (cycles, [T]) by linear interpolation; `mix` 0 dark, 1 bright."""
    position = ((phase - np.floor(phase)) * _CYCLE).astype(np.float32)
    index = np.minimum(position.astype(np.int32), _CYCLE - 1)
    between = position - index.astype(np.float32)

    def read(table: Wave) -> Wave:
        below = table[index]
        return below + between * (table[1:][index] - below)

    low = read(dark)
    return low + mix * (read(bright) - low)


@dataclass(frozen=True, slots=True)
class Vibrato:
    """A pitch that wavers `depth` (a fraction of it) `rate` times a second, after `onset` s."""

    depth: float = 0.0
    rate: float = 5.3
    onset: float = 0.35

    def phase(self, frequency: float, time: Numbers, *, shift: float = 0.0) -> Numbers:
        """Cycles run through since the start, [T]; `shift` starts the wavering elsewhere."""
        straight = frequency * time + shift
        if self.depth == 0:
            return straight
        swing = np.float32(self.depth * frequency / (2 * np.pi * self.rate))
        coarse = time.astype(np.float32)  # exact enough for the slow wavering
        ease = np.minimum(coarse / np.float32(self.onset), 1) ** 2
        turns = np.float32(2 * np.pi) * (np.float32(self.rate) * coarse + np.float32(shift))
        return np.asarray(straight + swing * ease * np.sin(turns))


def envelope(held: float, *, attack: float, release: float, sustain: float = 1.0) -> Wave:
    """From 0 up in `attack`, slowly down to `sustain` while held, to 0 in `release` (seconds).

    Both ends are half cosines: a corner in the envelope is a click.
    """
    length = samples(held) + samples(release)
    rise = min(samples(attack), samples(held))
    level = np.ones(length, dtype=np.float32)
    if sustain < 1:
        level[rise:] = sustain + (1 - sustain) * decay(length - rise, 4.0)
    level[:rise] = 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)
    return faded(level, samples(release))


def faded(sound: Wave, tail: int) -> Wave:
    """The sound, [..., T], with its last `tail` samples going to 0 in a half cosine, in place."""
    tail = min(tail, sound.shape[-1])
    curve = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, tail + 1) / tail)
    sound[..., sound.shape[-1] - tail :] *= curve.astype(np.float32)
    return sound


def softened(sound: Wave, seconds: float) -> Wave:
    """The sound starting from 0 within `seconds`, too short to be heard as soft, in place."""
    rise = min(samples(seconds), len(sound))
    sound[:rise] *= np.arange(rise, dtype=np.float32) / rise
    return sound


@lru_cache(maxsize=64)
def noise(low: float, high: float, *, seed: int = 0) -> Wave:
    """Four seconds of noise between `low` and `high` Hz with soft edges, unit RMS; it loops."""
    length = samples(4.0)
    rng = np.random.default_rng(seed)
    frequencies = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    edges = np.clip(frequencies / low, 0, 1) ** 2 / (1 + (frequencies / high) ** 8)
    edges[frequencies > BAND_LIMIT] = 0.0
    sound = np.fft.irfft(np.fft.rfft(rng.uniform(-1, 1, length)) * edges, length)
    sound /= np.sqrt(np.mean(sound**2))
    return sound.astype(np.float32)


def noise_burst(length: int, low: float, high: float, *, seed: int = 0) -> Wave:
    """`length` samples of that noise, from a place in it that depends on `seed`."""
    source = noise(low, high)
    first = (seed * 7919) % len(source)
    return np.resize(np.concatenate([source[first:], source[:first]]), length)


def sweep(start: float, end: float, *, speed: float, length: int) -> Wave:
    """A sine falling from `start` to `end` Hz, the gap closing by 1/e every 1/speed seconds."""
    time = clock(length)
    cycles = end * time + (start - end) * (1 - np.exp(-speed * time)) / speed
    return np.asarray(np.sin(2 * np.pi * cycles), dtype=np.float32)
