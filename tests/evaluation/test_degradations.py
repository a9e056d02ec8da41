"""Degradations on signals whose fate can be worked out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from soundalike.errors import ModelError
from soundalike.evaluation.degradations import (
    COSTLY,
    DEGRADATIONS,
    OF_WHOLE_TRACKS,
    REVERBERATION,
    active_power,
    coded,
    impulse_response,
    resampled,
    reverberant,
)

RATE = 16_000
CODED = ("MP3 64 kbit/s", "MP3 32 kbit/s", "Opus 24 kbit/s")
PITCHES = {
    "pitch +1 semitone": 1,
    "pitch -1 semitone": -1,
    "pitch +2 semitones": 2,
    "pitch -2 semitones": -2,
}
TEMPI = {"tempo +4 %": 1.04, "tempo -4 %": 0.96, "tempo +8 %": 1.08, "tempo -8 %": 0.92}


def degrade(kind: str, waveform: np.ndarray, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return DEGRADATIONS[kind](waveform, rate, np.random.default_rng(seed))


def sine(frequency: float, seconds: float = 6.0, rate: int = RATE) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def rhythm(seconds: float = 6.0, rate: int = RATE) -> np.ndarray:
    """Pink-ish bursts at irregular moments: something that lines up in one place only."""
    rng = np.random.default_rng(4)
    noise = lfilter([0.2], [1, -0.8], rng.standard_normal(round(seconds * rate)))
    loud = np.repeat(rng.random(round(seconds * 10)) < 0.4, rate // 10)
    return (0.1 * noise * loud).astype(np.float32)


def frequency(waveform: np.ndarray, rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 1 << 19))
    return float(np.argmax(spectrum)) * rate / (1 << 19)


def level(waveform: np.ndarray) -> float:
    """dB; -200 is nothing at all."""
    return 10 * float(np.log10(np.mean(np.square(waveform, dtype=np.float64)) + 1e-20))


def lag(one: np.ndarray, other: np.ndarray) -> int:
    """By how many samples the second comes later than the first."""
    length = 2 * max(len(one), len(other))
    product = np.fft.rfft(other, length) * np.conj(np.fft.rfft(one, length))
    peak = int(np.argmax(np.fft.irfft(product, length)))
    return peak - length if peak > length // 2 else peak


def test_there_are_those_of_the_protocol() -> None:
    assert len(DEGRADATIONS) == 20
    assert next(iter(DEGRADATIONS)) == "clean"
    assert set(DEGRADATIONS) >= {*CODED, *PITCHES, *TEMPI, "telephone", "reverb", "gain -12 dB"}
    assert set(DEGRADATIONS) >= OF_WHOLE_TRACKS | COSTLY


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_every_sound_is_new_fit_to_play_and_the_same_again(kind: str) -> None:
    loud = np.clip(6 * rhythm(), -1, 1)
    before = loud.copy()
    heard = degrade(kind, loud)
    assert (heard.dtype, heard.ndim) == (np.float32, 1)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1
    np.testing.assert_array_equal(loud, before)
    assert not np.shares_memory(heard, loud)
    np.testing.assert_array_equal(heard, degrade(kind, loud))


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_silence_survives(kind: str) -> None:
    heard = degrade(kind, np.zeros(6 * RATE, np.float32))
    assert len(heard) >= 5 * RATE
    assert np.abs(heard).max() < 1e-4


def test_clean_is_what_it_was() -> None:
    np.testing.assert_array_equal(degrade("clean", rhythm()), rhythm())


def test_only_what_is_drawn_depends_on_the_seed() -> None:
    drawn = {kind for kind in DEGRADATIONS if kind.startswith("noise")} | {"reverb"}
    for kind in DEGRADATIONS:
        one, other = degrade(kind, rhythm(), seed=0), degrade(kind, rhythm(), seed=1)
        assert np.array_equal(one, other) == (kind not in drawn), kind


@pytest.mark.parametrize("kind", CODED)
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100])
def test_coded_sound_is_in_place(kind: str, rate: int) -> None:
    sound = rhythm(rate=rate // 10 * 10)
    heard = degrade(kind, sound, rate)
    assert len(heard) == len(sound)
    assert abs(lag(sound, heard)) <= 0.001 * rate
    likeness = np.corrcoef(sound, heard)[0, 1]
    assert 0.7 < likeness < 0.9999  # still the same, but lossy


def test_fewer_bits_sound_worse() -> None:
    sound = rhythm(rate=44_100)
    errors = [
        level(degrade(kind, sound, 44_100) - sound) for kind in ("MP3 64 kbit/s", "MP3 32 kbit/s")
    ]
    assert errors[1] > errors[0] + 3


def test_few_bits_leave_no_treble() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(6 * 44_100).astype(np.float32)
    heard = degrade("MP3 32 kbit/s", noise, 44_100)
    spectrum = np.abs(np.fft.rfft(heard)) / np.abs(np.fft.rfft(noise)).mean()
    hertz = np.fft.rfftfreq(len(noise), 1 / 44_100)
    assert spectrum[hertz < 4_000].mean() > 0.5
    assert spectrum[hertz > 13_000].mean() < 0.01


def test_a_missing_encoder_is_named() -> None:
    with pytest.raises(ModelError, match="without the encoder libnothing"):
        coded("libnothing", 32_000, rhythm(), RATE)


@pytest.mark.parametrize("ratio", [20, 10, 0])
def test_noise_is_as_loud_as_it_says(ratio: int) -> None:
    sound = 0.1 * sine(440.0)
    noise = degrade(f"noise {ratio} dB", sound) - sound
    assert level(sound) - level(noise) == pytest.approx(ratio, abs=0.1)
    shares = np.abs(np.fft.rfft(noise)).reshape(1, -1)[0, 1:].reshape(8, -1)
    np.testing.assert_allclose((shares**2).mean(axis=1), (shares**2).mean(), rtol=0.05)  # white


def test_pauses_do_not_count_as_music() -> None:
    sound = 0.1 * sine(440.0, 3.0)
    with_pause = np.concatenate([sound, np.zeros(9 * RATE, np.float32)])
    assert active_power(with_pause, RATE) == pytest.approx(np.mean(sound**2), rel=1e-3)
    noise = degrade("noise 10 dB", with_pause) - with_pause
    assert level(sound) - level(noise) == pytest.approx(10, abs=0.1)


def test_noise_that_would_clip_turns_all_of_it_down() -> None:
    sound = 1.9 * sine(440.0)
    heard = degrade("noise 0 dB", sound)
    assert np.abs(heard).max() == pytest.approx(1)
    gain = heard @ sound / (sound @ sound)
    assert gain < 0.9
    assert level(gain * sound) - level(heard - gain * sound) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_a_telephone_has_a_narrow_band(rate: int) -> None:
    for hertz in (100.0, 250.0, 3_600.0):
        sound = sine(hertz, rate=rate)
        assert level(degrade("telephone", sound, rate)) < level(sound) - 40, hertz
    for hertz in (400.0, 1_000.0, 3_000.0):
        sound = sine(hertz, rate=rate)
        heard = degrade("telephone", sound, rate)
        assert level(heard) == pytest.approx(level(sound), abs=0.5), hertz
        # Eight bits by the mu-law: 38 dB of signal to noise wherever it is loud enough.
        assert 30 < level(sound) - level(heard - sound) < 45, hertz
    if rate > 8_000:
        sound = sine(5_000.0, rate=rate)
        assert level(degrade("telephone", sound, rate)) < level(sound) - 40


@pytest.mark.parametrize("kind", PITCHES)
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_another_pitch_lasts_as_long(kind: str, rate: int) -> None:
    sound = sine(440.0, rate=rate)
    heard = degrade(kind, sound, rate)
    assert len(heard) == len(sound)
    assert frequency(heard, rate) == pytest.approx(440 * 2 ** (PITCHES[kind] / 12), rel=0.002)
    assert level(heard) == pytest.approx(level(sound), abs=1)  # to its end, not filled up


def test_two_semitones_are_a_tone() -> None:
    assert frequency(degrade("pitch +2 semitones", sine(440.0))) == pytest.approx(493.88, rel=0.002)


@pytest.mark.parametrize("kind", TEMPI)
def test_another_tempo_has_the_same_pitch(kind: str) -> None:
    heard = degrade(kind, sine(440.0))
    assert len(heard) == pytest.approx(6 * RATE / TEMPI[kind], abs=1)
    assert frequency(heard) == pytest.approx(440, rel=0.002)
    assert level(heard[-RATE:]) == pytest.approx(level(sine(440.0)), abs=1)


@pytest.mark.parametrize("kind", [*PITCHES, *TEMPI])
def test_beats_come_when_they_should(kind: str) -> None:
    beats = [0.5, 1.7, 2.3, 4.4, 5.6]
    sound = np.zeros(6 * RATE, np.float32)
    for beat in beats:
        first = round(beat * RATE)
        sound[first : first + RATE // 5] = sine(440.0, 0.2)
    heard = np.abs(degrade(kind, sound))
    for beat in beats:
        at = round((beat + 0.1) / TEMPI.get(kind, 1) * RATE)
        assert heard[at - RATE // 50 : at + RATE // 50].max() > 0.3
        before = round((beat - 0.1) / TEMPI.get(kind, 1) * RATE)
        assert heard[before - RATE // 50 : before + RATE // 50].max() < 0.02


def test_a_hall_lengthens_a_click_as_it_says() -> None:
    click = np.zeros(5 * RATE, np.float32)
    click[RATE] = 0.25
    heard = reverberant(click, RATE, np.random.default_rng(0))[RATE:].astype(np.float64)
    assert heard[0] == pytest.approx(0.25)
    np.testing.assert_allclose(heard[1 : RATE // 100], 0, atol=1e-6)
    # As much energy from the walls as directly.
    assert 10 * np.log10(heard[0] ** 2 / np.sum(heard[1:] ** 2)) == pytest.approx(0, abs=0.01)
    # Schroeder's integration: what is still to come falls by 60 dB in the time that is stated.
    rest = 10 * np.log10(np.cumsum(heard[::-1] ** 2)[::-1] + 1e-20)
    at = np.arange(RATE // 10, RATE * 6 // 10)
    slope = np.polyfit(at / RATE, rest[at], 1)[0]
    assert -60 / slope == pytest.approx(REVERBERATION, rel=0.05)


def test_a_hall_is_a_convolution() -> None:
    sound, response = rhythm()[:9_000], impulse_response(4_000, np.random.default_rng(7))
    heard = reverberant(sound, 4_000, np.random.default_rng(7))
    np.testing.assert_allclose(heard, np.convolve(sound, response), atol=1e-5)


def test_a_hall_keeps_loud_and_quiet_apart() -> None:
    noise = np.random.default_rng(1).standard_normal(6 * RATE).astype(np.float32)
    gains = np.repeat(np.float32([0.01, 0.1, 0.001]), 2 * RATE)
    heard = degrade("reverb", gains * noise)
    assert abs(lag(gains * noise, heard)) <= 1
    levels = [level(heard[at * RATE : (at + 2) * RATE]) for at in (0, 2, 4)]
    assert levels[0] == pytest.approx(level(0.01 * noise) + 3, abs=0.5)  # the walls double it
    assert levels[1] == pytest.approx(level(0.1 * noise) + 3, abs=0.5)
    assert level(0.001 * noise) + 6 < levels[2] < levels[1] - 6  # in the echo of the loud part


def test_quieter_is_exactly_quieter() -> None:
    heard = degrade("gain -12 dB", rhythm())
    np.testing.assert_allclose(heard, rhythm() * 10 ** (-12 / 20), rtol=1e-6)
    assert level(heard) == pytest.approx(level(rhythm()) - 12, abs=1e-4)


def test_a_trim_drops_the_beginning() -> None:
    track = rhythm(40.0)
    for seconds in (5, 15):
        np.testing.assert_array_equal(degrade(f"trim {seconds} s", track), track[seconds * RATE :])


def test_a_trim_leaves_five_seconds() -> None:
    track = rhythm(12.0)
    np.testing.assert_array_equal(degrade("trim 5 s", track), track[5 * RATE :])
    np.testing.assert_array_equal(degrade("trim 15 s", track), track[7 * RATE :])
    np.testing.assert_array_equal(degrade("trim 15 s", track[:RATE]), track[:RATE])


@pytest.mark.parametrize(("rate", "wanted"), [(16_000, 48_000), (44_100, 16_000), (8_000, 22_050)])
def test_resampling_keeps_place_pitch_and_length(rate: int, wanted: int) -> None:
    changed = resampled(sine(440.0, rate=rate), rate, wanted)
    expected = sine(440.0, rate=wanted)
    assert len(changed) == len(expected)
    inner = slice(wanted // 10, -wanted // 10)
    np.testing.assert_allclose(changed[inner], expected[inner], atol=2e-3)
