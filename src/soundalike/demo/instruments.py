"""Kinds of instruments, each a way of making a tone and the numbers it leaves open (band.py).

An instrument is called as `instrument(frequency, held, velocity=...)`, frequency in Hz, `held` in
seconds (its own tail comes on top), velocity 0..1, and answers float32 [T] at SAMPLE_RATE. It also
knows `centre`, the MIDI pitch a tune should lie around for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from soundalike.demo.synthesize import (
    BAND_LIMIT,
    Numbers,
    Spectrum,
    Vibrato,
    Wave,
    clock,
    decay,
    decaying_partials,
    envelope,
    faded,
    harmonic_table,
    noise_burst,
    read_cycles,
    samples,
    softened,
)


class Instrument(Protocol):
    """What a part is played on."""

    @property
    def centre(self) -> int:
        """The MIDI pitch its tunes lie around."""

    def __call__(self, frequency: float, held: float, *, velocity: float) -> Wave:
        """One note, [T], `held` seconds and a tail."""


@dataclass(frozen=True)
class Plucked:
    """A string pulled aside at `position` (a part of its length) and let go.

    A string plucked at p has amplitudes sin(pi k p) / k^2 in displacement; `brightness` stands
    for the exponent. High partials die first: decay_k = (1 + damping k^2) / ring.
    """

    centre: int
    ring: float = 1.2
    brightness: float = 1.3
    position: float = 0.2
    damping: float = 0.02
    release: float = 0.12

    def __call__(self, frequency: float, held: float, *, velocity: float) -> Wave:
        """One note, [T], damped after `held` seconds if it rings that long."""
        k = np.arange(1.0, min(48, BAND_LIMIT / frequency) + 1)
        tilt = self.brightness + 0.6 * (1 - velocity)
        amplitudes = np.sin(np.pi * k * self.position) / k**tilt
        stretched = k * frequency * np.sqrt(1 + 4e-5 * k**2)
        ring = self.ring * (220 / frequency) ** 0.4
        length = samples(min(held + self.release, 4 * ring + 0.1))
        tone = decaying_partials(stretched, amplitudes, (1 + self.damping * k**2) / ring, length)
        tone *= velocity / np.sqrt(np.sum(amplitudes**2))
        return faded(softened(tone, 0.0015), samples(self.release))


@dataclass(frozen=True)
class Piano:
    """Two strings a key, slightly apart, stiff (partials run sharp), a felt hammer.

    f_k = k f sqrt(1 + B k^2) after Fletcher, "Normal Vibration Frequencies of a Stiff Piano
    String", 1964; a hard blow is a short blow and brings out more partials.
    """

    centre: int = 70
    hardness: float = 1.0

    def __call__(self, frequency: float, held: float, *, velocity: float) -> Wave:
        """One note, [T], the dampers falling after `held` seconds."""
        k = np.arange(1.0, min(32, BAND_LIMIT / frequency) + 1)
        stiffness = 2e-4 * (frequency / 262) ** 1.3
        reach = (3.0 + 9.0 * velocity * self.hardness) * (262 / frequency) ** 0.35
        amplitudes = np.exp(-k / reach) * (0.35 + np.abs(np.sin(np.pi * k / 8))) / k**0.4
        amplitudes *= np.where(np.sin(k**2) < 0, -1, 1)  # in step, the partials would make a spike
        partials = k * frequency * np.sqrt(1 + stiffness * k**2)
        decays = (0.45 + 0.35 * k**0.9) * (frequency / 262) ** 0.6
        length = samples(min(held + 0.22, 7.0 / decays[0]))
        tone = decaying_partials(
            np.concatenate([partials * 0.9998, partials * 1.0003]),
            np.concatenate([amplitudes, 0.7 * amplitudes]),
            np.concatenate([decays * 1.8, decays * 0.5]),
            length,
        )
        tone *= velocity / np.sqrt(np.sum(amplitudes**2)) / 1.3
        knock = noise_burst(length, 150, 1200, seed=int(frequency)) * decay(length, 90)
        tone += 0.05 * velocity**2 * knock
        return faded(softened(tone, 0.002), samples(0.2))


@dataclass(frozen=True)
class Struck:
    """Bars, bells and tines: partials at fixed `ratios` with their own `amplitudes` and decays."""

    centre: int
    ratios: tuple[float, ...]
    amplitudes: tuple[float, ...]
    decays: tuple[float, ...]
    release: float = 1.5
    tremolo: float = 0.0

    def __call__(self, frequency: float, held: float, *, velocity: float) -> Wave:
        """One note, [T], left to ring for `release` seconds."""
        decays = np.array(self.decays) * (frequency / 523) ** 0.3
        hardness = np.array(self.ratios) ** (0.5 * (velocity - 0.8))
        amplitudes = np.array(self.amplitudes) * hardness
        length = samples(min(held + self.release, 6.0 / float(decays.min())))
        tone = decaying_partials(np.array(self.ratios) * frequency, amplitudes, decays, length)
        tone *= velocity / np.sqrt(np.sum(amplitudes**2))
        if self.tremolo:
            turning = 2 * np.pi * 5.0 * clock(length).astype(np.float32)
            tone *= 1 - self.tremolo * (0.5 - 0.5 * np.cos(turning))
        return faded(softened(tone, 0.001), samples(self.release))


@dataclass(frozen=True)
class Modulated:
    """Frequency modulation: a body that mellows and, on top, the tine's short bright ring."""

    centre: int
    ratio: float = 1.0
    index: float = 1.6
    tine: float = 0.25
    decay: float = 1.1

    def __call__(self, frequency: float, held: float, *, velocity: float) -> Wave:
        """One note, [T], a quarter of a second longer than `held`."""
        length = samples(min(held + 0.25, 5 / self.decay))
        time = clock(length)
        # Side bands beyond index + 2 are faint (Carson's rule): keep those below the limit.
        ceiling = max(0.0, (BAND_LIMIT - frequency) / (self.ratio * frequency) - 2)
        index = min(self.index * (0.4 + velocity), ceiling) * decay(length, 2.2)
        cycle = 2 * np.pi * frequency * time
        tone = np.sin(cycle + index * np.sin(self.ratio * cycle))
        if 14 * frequency < BAND_LIMIT:
            tone += self.tine * velocity * decay(length, 9) * np.sin(14 * cycle)
        tone = (1.2 * velocity * tone).astype(np.float32) * decay(length, self.decay)
        return faded(softened(tone, 0.003), samples(0.2))


@dataclass(frozen=True)
class Timbre:
    """What a sustained sound is made of: its harmonics, low-passed at `dark` and `bright` Hz.

    The sound goes from dark to bright in the attack and settles at `settle` between them (0..1)
    with time constant `turn` seconds: brass swells open, a synthesizer's filter falls shut.
    """

    spectrum: Spectrum
    dark: float = 1500.0
    bright: float = 6000.0
    settle: float = 0.7
    turn: float = 0.3


@dataclass(frozen=True)
class Sustained:
    """Blown, bowed, sung or switched on: sounds as long as it is held."""

    centre: int
    timbre: Timbre
    attack: float = 0.05
    release: float = 0.12
    sustain: float = 0.85
    vibrato: Vibrato = field(default_factory=Vibrato)
    voices: tuple[float, ...] = (0.0,)
    breath: float = 0.0

    def __call__(self, frequency: float, held: float, *, velocity: float) -> Wave:
        """One note, [T], `held` and then `release` seconds."""
        level = envelope(held, attack=self.attack, release=self.release, sustain=self.sustain)
        dark = self._table(frequency, self.timbre.dark)
        bright = self._table(frequency, self.timbre.bright)
        mix = self._opening(len(level)) * np.float32(0.3 + 0.7 * velocity)
        time = clock(len(level))
        tone = np.zeros(len(level), dtype=np.float32)
        for number, cents in enumerate(self.voices):
            # Each voice starts elsewhere in the cycle and only the first has full strength: equal
            # voices in step would click, and then cancel one another as they drift apart.
            tuned, shift = frequency * 2 ** (cents / 1200), (number * 0.381966 + 0.1) % 1
            voice = read_cycles(dark, bright, mix, self.vibrato.phase(tuned, time, shift=shift))
            tone += voice if number == 0 else 0.65 * voice
        tone *= 0.7 * velocity / np.sqrt(1 + 0.42 * (len(self.voices) - 1))
        if self.breath:
            air = noise_burst(len(level), 900, 5000, seed=int(frequency))
            tone += 0.7 * velocity * self.breath * air * (1 + 3 * decay(len(level), 20))
        return tone * level

    def _opening(self, length: int) -> Wave:
        """How far from dark to bright, [length], before the player's force comes in."""
        rise = min(samples(max(self.attack, 0.005)), length)
        opening = np.empty(length, dtype=np.float32)
        opening[:rise] = np.linspace(0, 1, rise)
        settle = self.timbre.settle
        opening[rise:] = settle + (1 - settle) * decay(length - rise, 1 / self.timbre.turn)
        return opening

    def _table(self, frequency: float, cutoff: float) -> Wave:
        spectrum = self.timbre.spectrum

        def filtered(k: Numbers, fundamental: float) -> Numbers:
            return spectrum(k, fundamental) / np.sqrt(1 + (k * fundamental / cutoff) ** 4)

        sharpest = 1 + self.vibrato.depth + max(self.voices) / 1000
        return harmonic_table(filtered, frequency, highest=BAND_LIMIT / sharpest)
