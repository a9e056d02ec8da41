"""Tests of soundalike.audio.filters with tones, where the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from soundalike.audio.filters import (
    Bandwidth,
    Equalizer,
    HighLowPass,
    NarrowBand,
    convolve,
    half_width,
    low_pass_kernels,
)

SAMPLE_RATE = 16_000


def tone(frequency: float, seconds: float = 1.0, sample_rate: int = SAMPLE_RATE) -> Tensor:
    times = torch.arange(int(seconds * sample_rate), dtype=torch.float64) / sample_rate
    return torch.sin(2 * math.pi * frequency * times).float()[None]


def gain_db(filtered: Tensor, original: Tensor) -> float:
    """The level change in dB away from the ends, where the silence outside is heard."""
    inner = slice(original.shape[-1] // 8, -original.shape[-1] // 8)
    return 20 * math.log10(float(filtered[0, inner].std() / original[0, inner].std()))


@pytest.mark.parametrize("taps", [1, 2, 7, 641, 3000, 5001])
@pytest.mark.parametrize("total", [1, 100, 4096, 20_000])
def test_convolve_agrees_with_numpy_for_every_size(taps: int, total: int) -> None:
    rng = np.random.default_rng(taps + total)
    waveform = rng.standard_normal(total).astype(np.float32)
    kernel = rng.standard_normal(taps).astype(np.float32)
    origin = taps // 3
    got = convolve(torch.from_numpy(waveform)[None], [torch.from_numpy(kernel)], origin=origin)
    full = np.convolve(waveform.astype(np.float64), kernel.astype(np.float64))
    expected = np.pad(full, (0, origin))[origin : origin + total]
    np.testing.assert_allclose(got[0], expected, atol=1e-5 * np.abs(full).max())


def test_rows_have_kernels_of_their_own() -> None:
    waveforms = torch.ones(2, 5000)
    out = convolve(waveforms, [torch.tensor([2.0]), torch.tensor([0.0, 3.0])], origin=0)
    torch.testing.assert_close(out[0], torch.full((5000,), 2.0))
    torch.testing.assert_close(out[1, 1:], torch.full((4999,), 3.0))
    assert abs(float(out[1, 0])) < 1e-5


def test_low_pass_kernels_are_symmetric_and_keep_a_constant() -> None:
    kernels = low_pass_kernels(torch.tensor([0.0125, 0.2, 0.5]), half=320)
    torch.testing.assert_close(kernels, kernels.flip(-1))
    torch.testing.assert_close(kernels.sum(-1), torch.ones(3))
    # A cut-off at half the sample rate passes everything.
    assert kernels[2, 320] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("cutoff", [2200.0, 3000.0, 4000.0])
def test_low_pass_keeps_what_lies_below_and_removes_what_lies_above(cutoff: float) -> None:
    stage, high = HighLowPass(SAMPLE_RATE), torch.tensor([False])
    for frequency in (50.0, 0.5 * cutoff, 0.8 * cutoff):
        sound = tone(frequency)
        assert abs(gain_db(stage.apply(sound, torch.tensor([cutoff]), high), sound)) < 1
    for frequency in (1.3 * cutoff, 1.6 * cutoff):
        sound = tone(frequency)
        assert gain_db(stage.apply(sound, torch.tensor([cutoff]), high), sound) < -20


@pytest.mark.parametrize("cutoff", [200.0, 600.0, 1200.0])
def test_high_pass_keeps_what_lies_above_and_removes_what_lies_below(cutoff: float) -> None:
    stage, high = HighLowPass(SAMPLE_RATE), torch.tensor([True])
    for frequency in (1.3 * cutoff, 2 * cutoff, 7000.0):
        sound = tone(frequency)
        assert abs(gain_db(stage.apply(sound, torch.tensor([cutoff]), high), sound)) < 1
    for frequency in (0.3 * cutoff, 0.6 * cutoff):
        sound = tone(frequency)
        assert gain_db(stage.apply(sound, torch.tensor([cutoff]), high), sound) < -20


def test_high_and_low_pass_of_one_cutoff_add_up_to_the_original() -> None:
    waveforms = torch.randn(1, 9000, generator=torch.Generator().manual_seed(0))
    stage, cutoff = HighLowPass(SAMPLE_RATE), torch.tensor([1000.0])
    halves = [stage.apply(waveforms, cutoff, torch.tensor([high])) for high in (False, True)]
    torch.testing.assert_close(sum(halves), waveforms, atol=1e-5, rtol=0)


def test_filters_do_not_move_the_sound_in_time() -> None:
    impulse = torch.zeros(1, 8000)
    impulse[0, 3000] = 1
    low = HighLowPass(SAMPLE_RATE).apply(impulse, torch.tensor([2200.0]), torch.tensor([False]))
    curve = Equalizer(SAMPLE_RATE).apply(impulse, torch.tensor([[3.0, -6.0, 2.0, 9.0, 0.0, -3.0]]))
    for out in (low, curve):
        assert int(out[0].abs().argmax()) == 3000


def test_high_low_pass_draws_both_kinds_within_their_ranges() -> None:
    cutoffs, high = HighLowPass(SAMPLE_RATE).draw(torch.Generator().manual_seed(0), 10_000)
    assert abs(float(high.float().mean()) - 0.5) < 0.02
    for kind, lowest, highest in ((high, 200, 1200), (~high, 2200, 4000)):
        drawn = cutoffs[kind]
        assert lowest <= drawn.min() < lowest + 20
        assert highest - 20 < drawn.max() <= highest
        assert abs(float(drawn.mean()) - (lowest + highest) / 2) < 0.02 * (highest - lowest)


def test_bandwidth_removes_the_treble_and_at_half_the_rate_nothing() -> None:
    stage = Bandwidth(SAMPLE_RATE)
    treble = tone(6000.0)
    assert gain_db(stage.apply(treble, torch.tensor([4000.0])), treble) < -20
    assert abs(gain_db(stage.apply(tone(3000.0), torch.tensor([4000.0])), tone(3000.0))) < 1
    torch.testing.assert_close(
        stage.apply(treble, torch.tensor([8000.0])), treble, atol=1e-5, rtol=0
    )


def test_bandwidth_draws_are_log_uniform() -> None:
    drawn = Bandwidth(SAMPLE_RATE).draw(torch.Generator().manual_seed(0), 20_000)
    assert drawn.min() >= 3000
    assert drawn.max() <= 8000 * (1 + 1e-6)
    assert float(drawn.median()) == pytest.approx(math.sqrt(3000 * 8000), rel=0.02)


def test_narrow_band_keeps_the_middle_and_takes_both_ends() -> None:
    stage = NarrowBand(SAMPLE_RATE)
    cutoffs = torch.tensor([300.0]), torch.tensor([3400.0])
    for frequency, passes in (
        (60.0, False),
        (150.0, False),
        (1000.0, True),
        (2500.0, True),
        (5000.0, False),
    ):
        sound = tone(frequency)
        gain = gain_db(stage.apply(sound, *cutoffs), sound)
        assert abs(gain) < 1 if passes else gain < -15, (frequency, gain)


def test_narrow_band_draws_are_log_uniform() -> None:
    stage = NarrowBand(SAMPLE_RATE)
    low, high = stage.draw(torch.Generator().manual_seed(0), 20_000)
    for drawn, least, most in ((low, 100, 500), (high, 2500, 5000)):
        assert least <= drawn.min()
        assert drawn.max() <= most * (1 + 1e-6)
        assert float(drawn.median()) == pytest.approx(math.sqrt(least * most), rel=0.02)
    assert abs(float(np.corrcoef(low, high)[0, 1])) < 0.03


def test_equalizer_gives_every_tone_the_gain_of_its_curve() -> None:
    stage = Equalizer(SAMPLE_RATE)
    gains = torch.tensor([[6.0, 6.0, -9.0, 3.0, 9.0, -4.0]])
    points = np.geomspace(stage.lowest_hz, SAMPLE_RATE / 2, 6)
    for frequency in (150.0, 333.0, 800.0, 1700.0, 3500.0, 6500.0):
        expected = np.interp(math.log(frequency), np.log(points), gains[0].numpy())
        sound = tone(frequency)
        assert gain_db(stage.apply(sound, gains), sound) == pytest.approx(expected, abs=0.5)


def test_equalizer_curves_differ_in_their_number_of_points() -> None:
    stage = Equalizer(SAMPLE_RATE)
    gains = stage.draw(torch.Generator().manual_seed(0), 2000)
    used = (~gains.isnan()).sum(-1)
    assert sorted(set(used.tolist())) == [6, 7, 8, 9, 10]
    curve = stage.curve(gains)
    assert curve.isfinite().all()
    assert curve.abs().max() <= 9 + 1e-4
    ends = torch.stack([row[count - 1] for row, count in zip(gains, used, strict=True)])
    torch.testing.assert_close(curve[:, 0], gains[:, 0])
    torch.testing.assert_close(curve[:, -1], ends, atol=1e-3, rtol=0)


def test_a_flat_equalizer_changes_only_the_level() -> None:
    waveforms = torch.randn(1, 9000, generator=torch.Generator().manual_seed(0))
    out = Equalizer(SAMPLE_RATE).apply(waveforms, torch.full((1, 6), -6.0))
    torch.testing.assert_close(out, waveforms * 10 ** (-6 / 20), atol=1e-5, rtol=0)


def test_half_width_grows_as_the_cutoff_falls() -> None:
    assert half_width(200, 16_000) == 320
    assert half_width(3000, 16_000) == 21
