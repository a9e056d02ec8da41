"""Tests of soundalike.demo.mix: timing, balance, room, limiter and master."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from soundalike.demo.mix import (
    CEILING,
    LOUDNESS,
    ROOMS,
    TAIL,
    Tempo,
    limiter_gain,
    master,
    mixdown,
    reverberation,
)
from soundalike.demo.score import Note, Part
from soundalike.demo.synthesize import SAMPLE_RATE

SCALE = tuple(Note(float(i), 1.0, 60 + i, 0.8) for i in range(8))


def decibels(value: float) -> float:
    return float(20 * np.log10(value))


def test_strict_time_is_straight() -> None:
    tempo = Tempo(rate=120, end=64, strict=True)
    assert [tempo.seconds(beat) for beat in (0, 1, 63.5)] == [0, 0.5, 31.75]


def test_swing_delays_the_second_half_of_a_beat_only() -> None:
    tempo = Tempo(rate=60, end=64, swing=0.16, strict=True)
    assert tempo.seconds(3.5) == pytest.approx(3.66)
    assert tempo.seconds(3.75) == pytest.approx(3.83)
    assert tempo.seconds(4) == 4


def test_time_never_runs_backwards_and_slows_down_at_the_end() -> None:
    tempo = Tempo(rate=90, end=32, swing=0.16)
    times = [tempo.seconds(i / 8) for i in range(32 * 8 + 1)]
    assert all(b > a for a, b in pairwise(times))
    assert tempo.seconds(32) - tempo.seconds(31) > 1.2 * (tempo.seconds(2) - tempo.seconds(1))


def test_the_same_seed_gives_the_same_bits_and_another_other_ones() -> None:
    parts = [Part("melody", "piano", SCALE), Part("drums", "kit", (Note(0, 1, 36, 0.8),))]
    tempo = Tempo(rate=240, end=8)
    one, again, other = (mixdown(parts, tempo, seed=seed) for seed in (5, 5, 6))
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_a_track_lasts_until_its_last_note_has_died() -> None:
    sound = mixdown([Part("melody", "organ", SCALE)], Tempo(rate=240, end=8, strict=True))
    assert sound.shape == (round((2 + TAIL) * SAMPLE_RATE),)
    assert abs(sound[-1]) < 1e-4


def test_the_balance_does_not_depend_on_how_many_notes_a_part_has() -> None:
    tempo = Tempo(rate=240, end=8, strict=True)
    low = Part("chords", "organ", tuple(Note(0.0, 8.0, p, 0.8) for p in (36, 40, 43, 48)))
    melody = Part("melody", "organ", (Note(0.0, 8.0, 84, 0.3),))
    sound = mixdown([low, melody], tempo, room="dry")[8000:40000]
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    tone = power[1000:1100].sum()  # 1046.5 Hz in bins of one hertz
    assert tone > 0.2 * power.sum()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_answers_by_convolution(room: str) -> None:
    rng = np.random.default_rng(0)
    impulse = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)
    impulse[0] = 1
    response = reverberation(impulse, room)
    send = np.zeros(3 * SAMPLE_RATE, dtype=np.float32)
    places = rng.integers(0, len(send), 5)
    send[places] = [1, -0.5, 0.25, 0.8, -1]
    expected = np.zeros(len(send))
    for place in places:
        expected[place:] += send[place] * response[: len(send) - place]
    assert np.abs(reverberation(send, room) - expected).max() < 1e-5
    quiet, late = response[: int(ROOMS[room].delay * SAMPLE_RATE) - 1], response[-SAMPLE_RATE:]
    assert np.abs(quiet).max() < 1e-6
    assert np.std(late) < 1e-3 * np.abs(response).max()


def test_the_limiter_gives_every_block_what_it_needs_and_no_more_than_one() -> None:
    rng = np.random.default_rng(1)
    peaks = (rng.exponential(0.4, 500) ** 2).astype(np.float32)
    gain = limiter_gain(peaks)
    assert gain.shape == (501,)
    assert (peaks * np.maximum(gain[:-1], gain[1:]) <= CEILING + 1e-6).all()
    assert gain.max() <= 1
    assert (limiter_gain(np.full(50, 0.5, dtype=np.float32)) == 1).all()


def test_a_master_is_loud_whole_and_without_dc() -> None:
    rng = np.random.default_rng(2)
    mix = 0.01 * rng.standard_normal(10 * SAMPLE_RATE).astype(np.float32) + 0.3
    mix[::SAMPLE_RATE] += 5 * (-1) ** np.arange(10)
    sound = master(mix)
    assert np.abs(sound).max() <= CEILING + 1e-6
    assert abs(sound.mean()) < 1e-3
    assert decibels(np.sqrt(np.mean(sound**2))) == pytest.approx(LOUDNESS, abs=1)


def test_silence_stays_silence() -> None:
    assert not master(np.zeros(4 * SAMPLE_RATE, dtype=np.float32)).any()
