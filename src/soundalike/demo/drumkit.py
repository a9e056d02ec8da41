"""Drums, from falling sines, ringing skins and shaped noise: two kits, one of wood, one of wires.

`drum(name, kit, velocity)` gives one stroke, float32 [T] at SAMPLE_RATE. The names are those of
`score.DRUMS`; the kits "kit" and "drum machine" share the cymbals.
"""

from __future__ import annotations

import numpy as np

from soundalike.demo.synthesize import (
    SAMPLE_RATE,
    Wave,
    decay,
    decaying_partials,
    faded,
    noise_burst,
    samples,
    softened,
    sweep,
)

KITS = ("kit", "drum machine")

# Skins: where the pitch falls from and to (Hz), how fast, and how long it rings (1/s).
_SKINS = {
    "kick": (130.0, 52.0, 35.0, 9.0),
    "low tom": (130.0, 88.0, 18.0, 6.0),
    "tom": (175.0, 118.0, 18.0, 7.0),
    "high tom": (235.0, 160.0, 18.0, 8.0),
}
# Noises: band (Hz) and decay (1/s).
_NOISES = {
    "hat": (7000.0, 13_500.0, 60.0),
    "open hat": (6500.0, 13_000.0, 8.0),
    "crash": (3500.0, 12_000.0, 2.4),
    "shaker": (5500.0, 11_000.0, 35.0),
    "tambourine": (6000.0, 12_000.0, 18.0),
}
# Wood and metal: partials (Hz) and decay (1/s).
_RINGS = {
    "rim": ((420.0, 980.0, 1710.0), 70.0),
    "block": ((880.0, 1430.0), 45.0),
    "ride": ((3150.0, 4210.0, 5130.0, 6310.0, 7420.0, 8870.0), 5.0),
}


def drum(name: str, kit: str, velocity: float) -> Wave:
    """One stroke of the drum `name`, [T], starting and ending at 0."""
    if name == "kick" and kit == "drum machine":
        sound = _machine_kick()
    elif name in _SKINS:
        sound = _skin(*_SKINS[name], seed=len(name))
    elif name in _NOISES:
        sound = _noise(*_NOISES[name], seed=len(name))
    elif name in _RINGS:
        sound = _ring(*_RINGS[name])
    else:
        sound = _clap() if name == "clap" else _snare(wires=17 if kit == "kit" else 24)
    return velocity * faded(softened(sound, 0.0008), len(sound) // 4)


def _skin(start: float, end: float, speed: float, fall: float, *, seed: int) -> Wave:
    length = samples(3.5 / fall)
    skin = sweep(start, end, speed=speed, length=length) * decay(length, fall)
    return skin + 0.25 * noise_burst(length, 800, 4000, seed=seed) * decay(length, 220)


def _machine_kick() -> Wave:
    length = samples(0.45)
    return 1.1 * sweep(320, 46, speed=38, length=length) * decay(length, 6)


def _snare(*, wires: float) -> Wave:
    length = samples(0.28)
    skin = sweep(260, 185, speed=40, length=length) * decay(length, 22)
    return 0.55 * skin + 0.35 * noise_burst(length, 1500, 9000, seed=3) * decay(length, wires)


def _clap() -> Wave:
    length = samples(0.3)
    strength = np.zeros(length, dtype=np.float32)
    # Three hands, never at once, and the walls behind them.
    for milliseconds, loud, fall in ((0, 1.0, 140), (11, 1.0, 140), (23, 1.0, 140), (30, 0.6, 16)):
        first = milliseconds * SAMPLE_RATE // 1000
        strength[first:] += loud * decay(length - first, fall)
    return 0.35 * noise_burst(length, 900, 5000, seed=5) * strength


def _noise(low: float, high: float, fall: float, *, seed: int) -> Wave:
    length = samples(min(1.6, 5.0 / fall))
    return 0.3 * noise_burst(length, low, high, seed=seed) * decay(length, fall)


def _ring(partials: tuple[float, ...], fall: float) -> Wave:
    length, count = samples(min(1.2, 5.0 / fall)), len(partials)
    loudness = np.full(count, 0.2 / np.sqrt(count))
    tone = decaying_partials(np.array(partials), loudness, np.full(count, fall), length)
    return tone + 0.12 * noise_burst(length, 3000, 9000, seed=9) * decay(length, 250)
