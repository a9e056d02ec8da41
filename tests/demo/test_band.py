"""Tests of soundalike.demo.band, instruments and drumkit: every player in tune, clean and itself."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from soundalike.demo.band import BAND
from soundalike.demo.drumkit import KITS, drum
from soundalike.demo.score import DRUMS
from soundalike.demo.synthesize import BAND_LIMIT, SAMPLE_RATE, Numbers, Wave


def hertz(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def spectrum(sound: Wave) -> tuple[Numbers, Numbers]:
    """Frequencies and powers of a sound, finely sampled."""
    size = 1 << 18
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size)) ** 2
    axis = np.arange(len(power), dtype=np.float64) * SAMPLE_RATE / size
    return axis, power.astype(np.float64)


@pytest.mark.parametrize("name", BAND)
def test_every_instrument_is_in_tune(name: str) -> None:
    frequency = hertz(BAND[name].centre)
    axis, power = spectrum(BAND[name](frequency, 1.0, velocity=0.8))
    near = (axis > frequency * 0.97) & (axis < frequency * 1.03)
    peak = axis[near][np.argmax(power[near])]
    # Detuned voices and vibrato may pull a peak aside by some cents, a tenth of a semitone at most.
    assert abs(1200 * np.log2(peak / frequency)) < 10
    assert power[near].max() > 1e-3 * power.max()


@pytest.mark.parametrize("name", BAND)
@pytest.mark.parametrize("offset", [-12, 0, 19])
def test_every_note_is_clean(name: str, offset: int) -> None:
    sound = BAND[name](hertz(BAND[name].centre + offset), 0.3, velocity=1.0)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert 0.2 < np.abs(sound).max() < 4
    assert abs(sound[0]) < 0.01
    assert abs(sound[-1]) < 1e-3
    assert abs(sound.mean()) < 0.02
    axis, power = spectrum(sound)
    assert power[axis > BAND_LIMIT + 200].sum() < 1e-5 * power.sum()


@pytest.mark.parametrize("name", BAND)
def test_force_makes_a_note_louder(name: str) -> None:
    soft, loud = (BAND[name](hertz(BAND[name].centre), 0.3, velocity=v) for v in (0.3, 0.9))
    assert np.std(loud) > 1.5 * np.std(soft)


def test_no_two_instruments_sound_the_same() -> None:
    """Timbre as levels (dB) in third octaves, early and late, at one pitch."""

    def timbre(name: str) -> Numbers:
        sound = BAND[name](220.0, 0.6, velocity=0.8)
        features = []
        for part in (sound[:4800], sound[9600:17600]):
            axis, power = spectrum(part)
            edges = 180 * 2 ** (np.arange(19) / 3)
            bands = [power[(axis >= a) & (axis < b)].sum() for a, b in pairwise(edges)]
            features.append(10 * np.log10(np.array(bands) / power.sum() + 1e-6))
        level = [20 * np.log10(np.std(sound[i : i + 1600]) + 1e-4) for i in range(0, 16000, 1600)]
        return np.concatenate([*features, np.array(level) - max(level)])

    timbres = {name: timbre(name) for name in BAND}
    for one, other in combinations(BAND, 2):
        assert np.abs(timbres[one] - timbres[other]).mean() > 0.5, (one, other)


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("name", DRUMS)
def test_every_drum_is_clean(name: str, kit: str) -> None:
    sound = drum(name, kit, 0.9)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert 0.1 < np.abs(sound).max() < 1.5
    assert abs(sound[0]) < 1e-6
    assert abs(sound[-1]) < 1e-6
    assert np.array_equal(sound, drum(name, kit, 0.9))


def test_drums_lie_where_drums_lie() -> None:
    def middle(name: str) -> float:
        axis, power = spectrum(drum(name, "kit", 0.8))
        return float((axis * power).sum() / power.sum())

    assert middle("kick") < 150 < middle("high tom") < 1000 < middle("snare") < 6000 < middle("hat")
