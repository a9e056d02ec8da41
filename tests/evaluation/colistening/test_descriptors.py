"""Descriptors of sounds whose loudness, brightness and tempo are known."""

from __future__ import annotations

import numpy as np
import pytest

from fake_model import tone
from soundalike.evaluation.colistening.descriptors import (
    NAMES,
    PlainDescriptors,
    describe_plainly,
)

RATE = 16_000


def described(waveform: np.ndarray, sample_rate: int = RATE) -> dict[str, float]:
    numbers = describe_plainly(waveform.astype(np.float32), sample_rate=sample_rate)
    assert numbers.shape == (1, 5)
    assert numbers.dtype == np.float32
    return dict(zip(NAMES, numbers[0].tolist(), strict=True))


def clicks(beats_per_minute: float, seconds: float = 30.0) -> np.ndarray:
    sound = np.zeros(round(seconds * RATE))
    burst = np.random.default_rng(0).normal(size=400) * np.hanning(400)
    for at in np.arange(0.1, seconds - 0.1, 60 / beats_per_minute):
        sound[round(at * RATE) :][:400] += burst
    return sound


def test_loudness_is_in_decibels() -> None:
    square = np.sign(np.sin(np.arange(RATE) * 0.1))
    assert described(square)["loudness"] == pytest.approx(0, abs=0.05)
    assert described(square / 10)["loudness"] == pytest.approx(-20, abs=0.05)


@pytest.mark.parametrize("frequency", [250.0, 1_000.0, 4_000.0])
def test_a_tone_is_as_bright_as_its_frequency(frequency: float) -> None:
    found = described(tone(frequency, 2.0, sample_rate=RATE))
    assert 2 ** found["brightness"] == pytest.approx(frequency, rel=0.02)


def test_noise_is_noisy_and_a_tone_is_not() -> None:
    noise = np.random.default_rng(0).normal(size=2 * RATE) * 0.1
    assert described(noise)["noisiness"] > 0.5
    assert described(tone(440, 2.0, sample_rate=RATE))["noisiness"] < 0.05


def test_range_tells_loud_and_quiet_parts() -> None:
    sound = tone(440, 4.0, sample_rate=RATE)
    steady = described(sound)["range"]
    sound[: 2 * RATE] *= 0.01
    assert steady < 1
    assert described(sound)["range"] == pytest.approx(40, abs=1)


@pytest.mark.parametrize("beats", [60.0, 90.0, 120.0, 170.0])
def test_clicks_have_the_tempo_they_are_made_at(beats: float) -> None:
    assert 2 ** described(clicks(beats))["tempo"] == pytest.approx(beats, rel=0.04)


@pytest.mark.parametrize("samples", [0, 100, 1_024, 5_000])
def test_short_and_silent_sounds_have_finite_numbers(samples: int) -> None:
    assert np.isfinite(describe_plainly(np.zeros(samples, np.float32))).all()


def test_as_a_system_it_is_named_by_its_code() -> None:
    system = PlainDescriptors()
    first, second = system.describe([tone(440, 1.0), tone(880, 1.0)])
    assert first.shape == second.shape == (1, 5)
    assert system.identity == PlainDescriptors().identity
