"""Tests of soundalike.audio.pitch_shift: tones for the pitch, beats for the time."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from soundalike.audio.pitch_shift import PitchShift, TimeStretch, resample

SAMPLE_RATE = 16_000


def tone(frequency: float, seconds: float = 3.0, sample_rate: int = SAMPLE_RATE) -> Tensor:
    times = torch.arange(int(seconds * sample_rate), dtype=torch.float64) / sample_rate
    return torch.sin(2 * math.pi * frequency * times).float()


def beats(period: float, seconds: float = 8.0) -> Tensor:
    """Short notes, all alike, `period` seconds apart."""
    times = torch.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return torch.sin(2 * math.pi * 880 * times) * torch.exp(-(times % period) / 0.03)


def pitch(sound: Tensor, sample_rate: int = SAMPLE_RATE) -> float:
    """The frequency of the highest spectral peak, by a parabola through its logarithm."""
    spectrum = torch.fft.rfft(sound.double() * torch.hann_window(len(sound), dtype=torch.float64))
    level = spectrum.abs().log()
    k = int(level.argmax())
    left, middle, right = level[k - 1 : k + 2].tolist()
    peak = k + 0.5 * (left - right) / (left - 2 * middle + right)
    return float(peak * sample_rate / len(sound))


def purity(sound: Tensor) -> float:
    """The share of the energy within 6 Hz of the highest spectral peak."""
    power = torch.fft.rfft(sound * torch.hann_window(len(sound))).abs().square()
    k, reach = int(power.argmax()), 6 * len(sound) // SAMPLE_RATE
    return float(power[k - reach : k + reach + 1].sum() / power.sum())


def period(sound: Tensor) -> float:
    """Seconds from beat to beat: the strongest rhythm of the loudness between 0.3 and 0.8 s."""
    periods = torch.arange(0.3, 0.8, 0.001, dtype=torch.float64)
    loudness = sound.double().abs().unfold(0, 16, 16).sum(-1)
    loudness = (loudness - loudness.mean()) * torch.hann_window(len(loudness), dtype=torch.float64)
    times = torch.arange(len(loudness), dtype=torch.float64) * 16 / SAMPLE_RATE
    turns = torch.exp(2j * math.pi * times / periods[:, None])
    return float(periods[(turns @ loudness.to(turns)).abs().argmax()])


@pytest.mark.parametrize("cents", [-700.0, -333.0, -50.0, 0.0, 50.0, 100.0, 500.0, 700.0])
@pytest.mark.parametrize("frequency", [110.0, 440.0, 2500.0])
def test_a_tone_moves_by_the_interval(frequency: float, cents: float) -> None:
    sound = tone(frequency)
    out = PitchShift(SAMPLE_RATE).apply(sound[None], torch.tensor([cents]))
    assert out.shape == (1, len(sound))
    assert pitch(out[0]) == pytest.approx(frequency * 2 ** (cents / 1200), rel=0.004)
    # Segments join in phase: the level stays and nothing but the tone sounds.
    assert float(out[0].std()) == pytest.approx(float(sound.std()), rel=0.02)
    assert purity(out[0]) > 0.9999


@pytest.mark.parametrize("sample_rate", [8000, 22_050, 44_100])
def test_pitch_moves_alike_at_every_sample_rate(sample_rate: int) -> None:
    sound = tone(440.0, 2.6, sample_rate)
    out = PitchShift(sample_rate).apply(sound[None], torch.tensor([300.0]))
    assert pitch(out[0], sample_rate) == pytest.approx(440 * 2**0.25, rel=0.004)


@pytest.mark.parametrize("cents", [-700.0, -250.0, 250.0, 700.0])
def test_a_pitch_shift_keeps_the_time(cents: float) -> None:
    sound = beats(0.5)
    out = PitchShift(SAMPLE_RATE).apply(sound[None], torch.tensor([cents]))[0]
    assert period(out) == pytest.approx(0.5, rel=0.01)
    # The last beat is still in its place: nothing has drifted.
    loudest = int(out[int(7.25 * SAMPLE_RATE) :].abs().argmax()) / SAMPLE_RATE + 7.25
    assert loudest == pytest.approx(7.5, abs=0.05)


def test_a_shift_by_nothing_gives_the_sound_back() -> None:
    sound = tone(440.0) + tone(1234.0)
    out = PitchShift(SAMPLE_RATE).apply(sound[None], torch.tensor([0.0]))[0]
    torch.testing.assert_close(out[500:-500], sound[500:-500], atol=1e-3, rtol=0)


@pytest.mark.parametrize("factor", [0.8, 0.93, 1.0, 1.1, 1.25])
def test_a_time_stretch_keeps_the_pitch(factor: float) -> None:
    out = TimeStretch(SAMPLE_RATE).apply(tone(440.0)[None], torch.tensor([factor]))
    assert out.shape == (1, 3 * SAMPLE_RATE)
    assert pitch(out[0]) == pytest.approx(440.0, rel=0.004)


@pytest.mark.parametrize("factor", [0.8, 0.93, 1.0, 1.1, 1.25])
def test_a_time_stretch_moves_the_beats_apart_by_its_factor(factor: float) -> None:
    out = TimeStretch(SAMPLE_RATE).apply(beats(0.5)[None], torch.tensor([factor]))[0]
    assert period(out) == pytest.approx(0.5 * factor, rel=0.015)


def test_a_quicker_waveform_goes_on_with_its_beginning() -> None:
    low, high = tone(300.0, 2.0), tone(900.0, 2.0)
    out = TimeStretch(SAMPLE_RATE).apply(torch.cat((low, high))[None], torch.tensor([0.8]))[0]
    assert pitch(out[int(3.3 * SAMPLE_RATE) : int(3.9 * SAMPLE_RATE)]) == pytest.approx(
        300, rel=0.01
    )


def test_segments_join_without_a_jump() -> None:
    # Slow noise has no period to join at, so only the cross-fade keeps the joints smooth.
    spectrum = torch.fft.rfft(torch.randn(3 * SAMPLE_RATE, generator=torch.Generator()))
    spectrum[3 * 400 :] = 0
    slow = torch.fft.irfft(spectrum)
    out = TimeStretch(SAMPLE_RATE).apply(slow[None], torch.tensor([1.2]))[0]
    assert float(out.diff().abs().max()) < 1.1 * float(slow.diff().abs().max())


def test_after_silence_a_sound_comes_at_its_nominal_time() -> None:
    # Segment 10 begins at 10 * 1280 of the output and takes the input from 10 * 1024 on, at 1.25.
    sound = torch.zeros(3 * SAMPLE_RATE)
    sound[10 * 1024 + 600] = 1
    out = TimeStretch(SAMPLE_RATE).apply(sound[None], torch.tensor([1.25]))[0]
    assert out.nonzero().tolist() == [[10 * 1280 + 600]]


@pytest.mark.parametrize("ratio", [2 ** (-7 / 12), 0.9, 1.0, 1.06, 2 ** (7 / 12)])
def test_resampling_is_exact_for_a_tone(ratio: float) -> None:
    out, reached = resample(tone(700.0), ratio)
    assert abs(1200 * math.log2(reached / ratio)) < 4
    assert len(out) == math.ceil(3 * SAMPLE_RATE / reached)
    times = torch.arange(len(out), dtype=torch.float64) / SAMPLE_RATE
    expected = torch.sin(2 * math.pi * 700 * reached * times).float()
    inner = slice(500, -500)
    torch.testing.assert_close(out[inner], expected[inner], atol=2e-3, rtol=0)


def test_resampling_upwards_does_not_fold_the_treble_back() -> None:
    # 7 kHz raised by a fifth would lie at 10.5 kHz, above half the sample rate.
    out, _ = resample(tone(7000.0), 1.5)
    assert float(out[500:-500].abs().max()) < 1e-2


def test_every_interval_in_reach_is_within_four_cents() -> None:
    short = torch.zeros(10)
    for cents in range(-1200, 1201, 7):
        _, reached = resample(short, 2 ** (cents / 1200))
        assert abs(1200 * math.log2(reached) - cents) < 4


def test_pitch_shift_refuses_more_than_an_octave() -> None:
    with pytest.raises(ValueError, match="max_cents 1300"):
        PitchShift(SAMPLE_RATE, max_cents=1300)


def test_draws_fill_their_ranges() -> None:
    rng = torch.Generator().manual_seed(0)
    cents = PitchShift(SAMPLE_RATE).draw(rng, 20_000)
    assert -700 <= cents.min() < -690
    assert 690 < cents.max() <= 700
    assert abs(float(cents.mean())) < 10
    factors = TimeStretch(SAMPLE_RATE).draw(rng, 20_000)
    assert 0.8 <= factors.min() < 0.81
    assert 1.24 < factors.max() <= 1.25 + 1e-6
    assert float(factors.log().mean()) == pytest.approx(0, abs=0.005)
