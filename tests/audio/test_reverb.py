"""Tests of soundalike.audio.reverb against a Freeverb that runs sample by sample."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundalike.audio.reverb import (
    ALLPASS_FEEDBACK,
    WET_GAIN,
    Reverb,
    allpass_delays,
    comb_controls,
    comb_delays,
    impulse_response,
)

SAMPLE_RATE = 16_000
LENGTH = 8192


def freeverb(waveform: np.ndarray, controls: tuple[int, int, int]) -> np.ndarray:
    """The slow twin, float64: ring buffers, one sample after the other."""
    feedback, damp = comb_controls(*controls[:2])
    total = np.zeros(len(waveform))
    for delay in comb_delays(controls[2], SAMPLE_RATE):
        ring, store = [0.0] * delay, 0.0
        for n, sample in enumerate(waveform):
            out = ring[n % delay]
            store = out * (1 - damp) + store * damp
            ring[n % delay] = sample + store * feedback
            total[n] += out
    for delay in allpass_delays(SAMPLE_RATE):
        ring = [0.0] * delay
        for n, sample in enumerate(total):
            out = ring[n % delay]
            ring[n % delay] = sample + out * ALLPASS_FEEDBACK
            total[n] = out - sample
    return WET_GAIN * total


def reverberate(waveform: np.ndarray, controls: tuple[int, int, int]) -> np.ndarray:
    batch = torch.from_numpy(waveform).float()[None]
    return Reverb(SAMPLE_RATE).apply(batch, *torch.tensor(controls)[:, None])[0].numpy()


@pytest.mark.parametrize(
    "controls", [(0, 0, 0), (50, 50, 50), (99, 99, 99), (99, 0, 0), (99, 0, 99), (20, 90, 70)]
)
def test_an_impulse_rings_as_in_a_freeverb_of_delay_lines(controls: tuple[int, int, int]) -> None:
    impulse = np.zeros(LENGTH)
    impulse[100] = 1.0
    expected = freeverb(impulse, controls)
    wet = reverberate(impulse, controls) - impulse
    assert np.abs(wet - expected).max() < 1e-3 * np.abs(expected).max()
    assert np.linalg.norm(wet - expected) < 1e-3 * np.linalg.norm(expected)


def test_noise_rings_as_in_a_freeverb_of_delay_lines() -> None:
    waveform = np.random.default_rng(0).standard_normal(LENGTH)
    expected = waveform + freeverb(waveform, (80, 30, 40))
    got = reverberate(waveform, (80, 30, 40))
    assert np.linalg.norm(got - expected) < 1e-4 * np.linalg.norm(expected)


def test_the_tail_past_the_impulse_response_does_not_fold_back() -> None:
    # The longest response is cut off while it still sounds; its rest must not come early.
    impulse = np.zeros(LENGTH)
    impulse[0] = 1.0
    first_echo = min(comb_delays(99, SAMPLE_RATE))
    wet = reverberate(impulse, (99, 0, 99)) - impulse
    # Before the first comb answers there is silence, whatever the all-passes do.
    assert np.abs(wet[:first_echo]).max() < 1e-4 * np.abs(wet).max()


def test_controls_reach_the_ends_that_sox_documents() -> None:
    assert comb_controls(0, 0) == pytest.approx((0.3, 0.2))
    assert comb_controls(100, 100) == pytest.approx((0.98, 0.5))
    assert comb_delays(100, 44_100) == [1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617]
    assert comb_delays(0, 44_100)[0] == 112


def test_more_reverberance_rings_longer_and_more_damping_is_duller() -> None:
    def response(*controls: int) -> np.ndarray:
        return impulse_response(*controls, sample_rate=SAMPLE_RATE).numpy()

    def late_share(h: np.ndarray) -> float:
        return float((h[4000:] ** 2).sum() / (h**2).sum())

    def treble_share(h: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(h[4000:])) ** 2
        return float(power[len(power) // 2 :].sum() / power.sum())

    assert late_share(response(10, 50, 50)) < late_share(response(50, 50, 50))
    assert late_share(response(50, 50, 50)) < late_share(response(90, 50, 50))
    assert treble_share(response(50, 99, 50)) < treble_share(response(50, 0, 50))


def test_draws_span_the_whole_range_and_nothing_else() -> None:
    draws = torch.stack(Reverb(SAMPLE_RATE).draw(torch.Generator().manual_seed(0), 20_000))
    assert draws.shape == (3, 20_000)
    assert draws.amin(1).tolist() == [0, 0, 0]
    assert draws.amax(1).tolist() == [99, 99, 99]
    correlations = torch.corrcoef(draws.float()) - torch.eye(3)
    assert correlations.abs().max() < 0.05
