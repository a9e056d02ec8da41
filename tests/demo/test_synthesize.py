"""Tests of soundalike.demo.synthesize: each tone against its formula, and the band limit."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.demo.synthesize import (
    BAND_LIMIT,
    SAMPLE_RATE,
    Numbers,
    Vibrato,
    clock,
    decay,
    decaying_partials,
    envelope,
    faded,
    harmonic_table,
    noise,
    noise_burst,
    read_cycles,
    softened,
    sweep,
)


def saw(k: Numbers, _: float) -> Numbers:
    return 1 / k


def test_decaying_partials_are_the_sum_they_stand_for() -> None:
    f, a, d = np.array([220.0, 447.3, 6001.0]), np.array([1.0, 0.5, 0.2]), np.array([1.0, 3.0, 9.0])
    time = clock(9001)
    slow = sum(a[k] * np.exp(-d[k] * time) * np.sin(2 * np.pi * f[k] * time) for k in range(len(f)))
    assert np.abs(decaying_partials(f, a, d, 9001) - slow).max() < 1e-5


def test_partials_beyond_the_limit_are_left_out() -> None:
    high = np.array([BAND_LIMIT + 1, 15_900.0, 40_000.0])
    assert not decaying_partials(high, np.ones(3), np.ones(3), 500).any()


@pytest.mark.parametrize("frequency", [55.0, 440.0, 3000.0, 14_000.0])
def test_a_table_is_a_cycle_of_unit_rms_without_mean(frequency: float) -> None:
    table = harmonic_table(saw, frequency)
    assert table[0] == table[-1]
    assert np.sqrt(np.mean(table[:-1] ** 2)) == pytest.approx(1, abs=1e-4)
    assert abs(table[:-1].mean()) < 1e-6
    harmonics = np.abs(np.fft.rfft(table[:-1]))
    highest = np.flatnonzero(harmonics > 1e-3 * harmonics.max()).max()
    assert highest * frequency <= BAND_LIMIT


def test_reading_a_table_gives_its_wave_at_any_pitch() -> None:
    frequency, time = 331.7, clock(8000)
    table = harmonic_table(lambda k, _: (k == 2) * 1.0, 440.0)
    phase = 2 * np.pi * np.argmax(table) / 4096 * 2  # where the second harmonic has its crest
    mix = np.zeros(8000, dtype=np.float32)
    heard = read_cycles(table, table, mix, frequency * time)
    exact = np.sqrt(2) * np.cos(2 * np.pi * 2 * frequency * time - phase)
    assert np.abs(heard - exact).max() < 5e-3


def test_the_mix_leads_from_dark_to_bright() -> None:
    dark = harmonic_table(lambda k, _: (k == 1) * 1.0, 100.0)
    bright = harmonic_table(lambda k, _: (k == 3) * 1.0, 100.0)
    mix = np.repeat(np.array([0, 1], dtype=np.float32), SAMPLE_RATE // 10)
    tone = read_cycles(dark, bright, mix, 100 * clock(len(mix)))
    first, second = (np.abs(np.fft.rfft(half)) for half in np.split(tone, 2))
    assert np.argmax(first) * 10 == 100
    assert np.argmax(second) * 10 == 300


def test_vibrato_wavers_around_the_pitch() -> None:
    time = clock(4 * SAMPLE_RATE)
    vibrato = Vibrato(depth=0.01, rate=5.0, onset=0.2)
    pitch = np.diff(vibrato.phase(440.0, time)) * SAMPLE_RATE
    settled = pitch[SAMPLE_RATE:]
    assert settled.mean() == pytest.approx(440, abs=0.05)
    assert settled.max() == pytest.approx(444.4, abs=0.1)
    assert pitch[:100] == pytest.approx(440, abs=0.1)


def test_an_envelope_has_no_corner_at_either_end() -> None:
    level = envelope(0.5, attack=0.05, release=0.1, sustain=0.6)
    assert level[0] == 0
    assert level[-1] == 0
    assert np.abs(np.diff(level)).max() < 2 / (0.05 * SAMPLE_RATE)
    assert level[SAMPLE_RATE // 2 - 1] == pytest.approx(0.6 + 0.4 * np.exp(-0.45 * 4), abs=0.01)


def test_a_note_shorter_than_its_attack_still_ends() -> None:
    level = envelope(0.01, attack=0.5, release=0.02)
    assert level[-1] == 0
    assert len(level) == round(0.03 * SAMPLE_RATE)


def test_decay_falls_by_e_in_its_time() -> None:
    assert decay(SAMPLE_RATE + 1, 1.0)[-1] == pytest.approx(np.exp(-1), rel=1e-4)


def test_softening_and_fading_touch_only_the_ends() -> None:
    sound = faded(softened(np.ones(1000, dtype=np.float32), 100 / SAMPLE_RATE), 200)
    assert sound[0] == 0
    assert sound[-1] == pytest.approx(0, abs=1e-6)
    assert (sound[100:800] == 1).all()


def test_noise_keeps_to_its_band() -> None:
    sound = noise(2000.0, 4000.0)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    inside = power[(hertz > 1000) & (hertz < 5000)].sum() / power.sum()
    assert inside > 0.95
    assert power[hertz > BAND_LIMIT + 10].sum() / power.sum() < 1e-9


def test_bursts_differ_by_seed_and_repeat_by_seed() -> None:
    one, again, other = (noise_burst(500, 500, 5000, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(noise_burst(5 * SAMPLE_RATE, 500, 5000, seed=3)) == 5 * SAMPLE_RATE


def test_a_sweep_arrives_where_it_should() -> None:
    tone = sweep(400, 100, speed=40, length=SAMPLE_RATE)
    late = np.abs(np.fft.rfft(tone[SAMPLE_RATE // 2 :]))
    assert np.argmax(late) * 2 == 100
