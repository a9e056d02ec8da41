"""Who plays in the demo: every instrument by name, as a kind (instruments.py) with its numbers.

A spectrum is a function of the harmonic numbers k [K] and the fundamental in Hz; formants, which
stay where they are while the pitch moves, are what tells an oboe from a choir.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from soundalike.demo.instruments import (
    Instrument,
    Modulated,
    Piano,
    Plucked,
    Struck,
    Sustained,
    Timbre,
)
from soundalike.demo.synthesize import Numbers, Spectrum, Vibrato


def listed(*amplitudes: float) -> Spectrum:
    """The first harmonics as given, nothing above them."""

    def spectrum(k: Numbers, _: float) -> Numbers:
        known = np.zeros(max(len(k), len(amplitudes)))
        known[: len(amplitudes)] = amplitudes
        return known[: len(k)]

    return spectrum


def saw(k: Numbers, _: float) -> Numbers:
    """All harmonics, 1/k."""
    return 1 / k


def pulse(width: float) -> Spectrum:
    """A rectangle that is up for `width` of its cycle; 0.5 leaves out every even harmonic."""
    return lambda k, _: np.sin(np.pi * k * width) / k


def triangle(k: Numbers, _: float) -> Numbers:
    """Odd harmonics, 1/k^2."""
    return (k % 2) / k**2


def closed_pipe(k: Numbers, _: float) -> Numbers:
    """The clarinet's tube, closed at the reed: odd harmonics, the even ones far weaker."""
    return np.where(k % 2 == 1, 1.0, 0.12 + 0.03 * k) / k**0.9


def formants(*peaks: tuple[float, float, float], tilt: float = 1.0) -> Spectrum:
    """Harmonics 1/k^tilt through resonances (centre Hz, width Hz, gain)."""

    def spectrum(k: Numbers, fundamental: float) -> Numbers:
        hertz = k * fundamental
        body = 0.25 + sum(g / (1 + ((hertz - f) / w) ** 2) for f, w, g in peaks)
        return np.asarray(body / k**tilt)

    return spectrum


_FIDDLE = formants((290, 80, 1.0), (480, 120, 1.2), (1100, 400, 1.0), (2700, 700, 1.2))
_VOICE = formants((680, 110, 4.0), (1120, 130, 2.5), (2700, 250, 0.8), tilt=1.3)
_HORN = formants((450, 250, 2.0), (1000, 500, 1.0), tilt=1.0)
_TRUMPET = formants((1200, 500, 2.5), (2400, 700, 1.2), tilt=0.8)
_OBOE = formants((1150, 250, 4.0), (2900, 400, 2.0), tilt=0.7)
_DRAWBARS = listed(0.8, 0.9, 0.35, 0.7, 0.0, 0.25, 0.0, 0.3)
_PRINCIPAL = listed(1.0, 0.6, 0.3, 0.35, 0.1, 0.15, 0.05, 0.2, 0.02, 0.05, 0.0, 0.06)
_FLUTE = listed(1.0, 0.55, 0.2, 0.08, 0.05, 0.03, 0.015)

BAND: Mapping[str, Instrument] = {
    # plucked
    "nylon guitar": Plucked(66, ring=0.9, brightness=1.5, position=0.28, damping=0.03),
    "steel guitar": Plucked(66, ring=1.5, brightness=1.0, position=0.18, damping=0.012),
    "harp": Plucked(76, ring=1.4, brightness=1.6, position=0.4, release=0.7),
    "koto": Plucked(72, ring=0.9, brightness=0.85, position=0.09, damping=0.02, release=0.4),
    "banjo": Plucked(70, ring=0.35, brightness=0.8, position=0.12, damping=0.008),
    "pizzicato": Plucked(72, ring=0.22, brightness=1.5, position=0.3, damping=0.05),
    "upright bass": Plucked(41, ring=0.55, brightness=1.6, position=0.35, damping=0.05),
    # struck
    "piano": Piano(70),
    "felt piano": Piano(68, hardness=0.35),
    "electric piano": Modulated(68),
    "bell": Struck(
        72,
        ratios=(0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 2.66, 3.01, 4.1, 5.4),
        amplitudes=(0.6, 0.8, 0.7, 0.35, 1.0, 0.4, 0.35, 0.35, 0.25, 0.15),
        decays=(0.35, 0.6, 0.8, 1.0, 1.2, 2.2, 2.4, 2.9, 4.0, 5.5),
        release=4.0,
    ),
    "music box": Struck(
        84, (1.0, 2.0, 3.01, 5.4, 8.9), (1.0, 0.25, 0.12, 0.3, 0.12), (2.0, 3.0, 4.5, 9, 18)
    ),
    "celesta": Struck(84, (1.0, 2.0, 4.02, 6.3), (1.0, 0.2, 0.25, 0.06), (1.9, 3.0, 7.0, 14)),
    "marimba": Struck(72, (1.0, 3.93, 9.4), (1.0, 0.3, 0.12), (5.0, 14, 30), release=0.5),
    "vibraphone": Struck(
        72, (1.0, 3.98, 9.7), (1.0, 0.16, 0.05), (0.9, 3.5, 10), release=0.9, tremolo=0.35
    ),
    # bowed
    "violin": Sustained(
        74, Timbre(_FIDDLE, 2200, 6000), 0.07, 0.14, 0.9, Vibrato(0.006, 5.6), breath=0.008
    ),
    "cello": Sustained(
        55, Timbre(_FIDDLE, 1400, 3600), 0.09, 0.18, 0.9, Vibrato(0.005, 5.0), breath=0.006
    ),
    "strings": Sustained(
        66, Timbre(_FIDDLE, 1500, 4200), 0.16, 0.4, 1.0, Vibrato(0.004, 5.2),
        voices=(0.0, -7.0, 6.0),
    ),
    # blown
    "flute": Sustained(
        79, Timbre(_FLUTE, 1800, 5500), 0.06, 0.1, 0.95, Vibrato(0.005, 5.0), breath=0.035
    ),
    "whistle": Sustained(
        84, Timbre(listed(1.0, 0.25, 0.12, 0.04), 3000, 8000), 0.02, 0.06, 0.95,
        Vibrato(0.003, 5.8), breath=0.03,
    ),
    "clarinet": Sustained(70, Timbre(closed_pipe, 1500, 4500), 0.04, 0.08, 0.95, breath=0.006),
    "oboe": Sustained(74, Timbre(_OBOE, 3500, 7000), 0.04, 0.08, 0.95, Vibrato(0.004, 5.2)),
    "trumpet": Sustained(
        72, Timbre(_TRUMPET, 1100, 5500, 0.75, 0.25), 0.05, 0.09, 0.85, Vibrato(0.003, 5.0, 0.5)
    ),
    "horn": Sustained(62, Timbre(_HORN, 600, 2200, 0.6, 0.4), 0.08, 0.15, 0.9),
    "tuba": Sustained(41, Timbre(_HORN, 400, 1300, 0.5, 0.2), 0.04, 0.1, 0.8),
    "brass": Sustained(
        64, Timbre(_TRUMPET, 800, 4500, 0.7, 0.3), 0.06, 0.14, 0.85, voices=(-6.0, 5.0)
    ),
    "choir": Sustained(
        67, Timbre(_VOICE, 2500, 4500), 0.2, 0.4, 1.0, Vibrato(0.006, 4.8), voices=(0.0, -9.0, 8.0)
    ),
    # keyboards with wind or wheels
    "accordion": Sustained(
        72, Timbre(pulse(0.22), 2500, 5000), 0.04, 0.07, 1.0, voices=(-6.0, 7.0)
    ),
    "organ": Sustained(
        67, Timbre(_DRAWBARS, 4000, 5000), 0.01, 0.06, 1.0, Vibrato(0.003, 6.4, 0.1)
    ),
    "pipe organ": Sustained(
        67, Timbre(_PRINCIPAL, 4000, 6000), 0.05, 0.2, 1.0, voices=(-2.0, 3.0), breath=0.006
    ),
    # electronic
    "square": Sustained(76, Timbre(pulse(0.5), 9000, 12000), 0.004, 0.03, 0.7),
    "pulse": Sustained(72, Timbre(pulse(0.25), 9000, 12000), 0.004, 0.03, 0.6),
    "triangle": Sustained(45, Timbre(triangle, 9000, 12000), 0.004, 0.03, 0.95),
    "saw lead": Sustained(
        74, Timbre(saw, 1200, 7000, 0.55, 0.25), 0.012, 0.1, 0.8, Vibrato(0.004, 5.5),
        voices=(-5.0, 5.0),
    ),
    "synth stab": Sustained(
        66, Timbre(saw, 500, 6000, 0.1, 0.12), 0.005, 0.1, 0.35, voices=(0.0, -10.0, 9.0)
    ),
    "synth pad": Sustained(
        64, Timbre(saw, 500, 2000, 0.9, 2.0), 0.6, 1.0, 1.0, voices=(0.0, -9.0, 8.0)
    ),
    "glass pad": Sustained(
        72, Timbre(listed(1.0, 0.1, 0.3, 0.05, 0.12), 2500, 6000), 0.5, 1.2, 1.0,
        Vibrato(0.003, 3.5), voices=(-4.0, 4.0),
    ),
    "synth bass": Sustained(41, Timbre(saw, 250, 2500, 0.15, 0.09), 0.005, 0.05, 0.7),
    "sub bass": Sustained(38, Timbre(listed(1.0, 0.3, 0.1), 300, 500), 0.01, 0.06, 0.9),
}  # fmt: skip
