"""Tests of soundalike.audio.augmentations: simple stages, the chain, what all stages share."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from soundalike.audio.augmentations import (
    STAGES,
    Chain,
    Delay,
    Gain,
    Noise,
    PolarityInversion,
    RandomResizedCrop,
)

SAMPLE_RATE = 16_000
LENGTH = 8000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(rows: int, total: int = LENGTH, seed: int = 7) -> Tensor:
    return 0.1 * torch.randn(rows, total, generator=generator(seed))


def stage(name: str, **values: float) -> Any:
    """The stage of that name alone, acting on every example."""
    settings = {name: {"probability": 1.0, **values}}
    return Chain.from_settings(settings, sample_rate=SAMPLE_RATE, length=LENGTH).stages[0]


# ---------------------------------------------------------------- simple stages


def test_crop_is_a_window_of_the_waveform() -> None:
    ramp = torch.arange(1000.0).repeat(200, 1)
    crops = RandomResizedCrop(300)(ramp, generator())
    assert crops.shape == (200, 300)
    starts = crops[:, 0]
    torch.testing.assert_close(crops, starts[:, None] + torch.arange(300.0))
    assert starts.min() >= 0
    assert starts.max() <= 700
    # Uniform over the 701 places: mean 350, standard deviation 202.
    assert abs(float(starts.mean()) - 350) < 60
    assert abs(float(starts.std()) - 202) < 30


def test_crop_reaches_the_first_and_the_last_window() -> None:
    starts = RandomResizedCrop(8).draw(generator(), 500, 10)
    assert sorted(set(starts.tolist())) == [0, 1, 2]


def test_crop_repeats_a_waveform_that_is_too_short() -> None:
    crops = RandomResizedCrop(7)(torch.tensor([[1.0, 2.0, 3.0]]), generator())
    assert crops.tolist() == [[1, 2, 3, 1, 2, 3, 1]]


def test_crop_is_all_or_nothing() -> None:
    with pytest.raises(ValueError, match=r"probability 0\.5"):
        RandomResizedCrop(100, probability=0.5)


def test_polarity_inversion_is_exact_negation() -> None:
    waveforms = noise(3)
    assert torch.equal(PolarityInversion()(waveforms, generator()), -waveforms)


@pytest.mark.parametrize("ratio", [1e-4, 1e-3, 1e-2])
def test_noise_lies_the_given_level_below_the_waveform(ratio: float) -> None:
    waveforms = noise(4, 100_000) * torch.tensor([1.0, 10.0, 0.1, 3.0])[:, None]
    seeds = torch.arange(4)
    added = Noise().apply(waveforms, torch.full((4,), ratio), seeds) - waveforms
    level = 20 * (added.std(-1) / waveforms.std(-1)).log10()
    torch.testing.assert_close(level, torch.full((4,), 20 * math.log10(ratio)), atol=0.1, rtol=0)
    # White, Gaussian, of mean zero, and not the same twice.
    assert added.mean(-1).abs().max() < 0.02 * float(added.std())
    kurtosis = (added / added.std(-1, keepdim=True)).pow(4).mean(-1)
    torch.testing.assert_close(kurtosis, torch.full((4,), 3.0), atol=0.15, rtol=0)
    assert torch.corrcoef(added).fill_diagonal_(0).abs().max() < 0.02


@pytest.mark.parametrize("decibels", [-20.0, -6.0, -1.0, 0.0])
def test_gain_is_in_decibels(decibels: float) -> None:
    waveforms = noise(1)
    out = Gain().apply(waveforms, torch.tensor([decibels]))
    level = 20 * torch.log10(out.square().mean().sqrt() / waveforms.square().mean().sqrt())
    assert float(level) == pytest.approx(decibels, abs=1e-3)


@pytest.mark.parametrize("milliseconds", [200.0, 250.0, 450.0])
def test_delay_puts_an_impulse_at_two_exact_places(milliseconds: float) -> None:
    impulse = torch.zeros(1, 10_000)
    impulse[0, 123] = 1
    out = Delay(SAMPLE_RATE).apply(impulse, torch.tensor([milliseconds]))
    expected = torch.zeros(1, 10_000)
    expected[0, 123] = 0.5
    expected[0, 123 + int(16 * milliseconds)] = 0.25
    assert torch.equal(out, expected)


def test_delay_draws_the_six_times_of_clmr_equally_often() -> None:
    drawn = Delay(SAMPLE_RATE).draw(generator(), 12_000)
    counts = Counter(drawn.tolist())
    assert sorted(counts) == [200, 250, 300, 350, 400, 450]
    assert min(counts.values()) > 1800


def test_draws_of_noise_and_gain_fill_their_ranges() -> None:
    ratios, seeds = Noise().draw(generator(), 20_000)
    assert 1e-4 <= ratios.min() < 2e-4
    assert 9.9e-3 < ratios.max() <= 1e-2
    assert len(set(seeds.tolist())) == 20_000
    gains = Gain().draw(generator(), 20_000)
    assert -20 <= gains.min() < -19.9
    assert -1.1 < gains.max() <= -1
    assert float(gains.mean()) == pytest.approx(-10.5, abs=0.2)


# ---------------------------------------------------------------- what all stages share

RANDOM_STAGES = [name for name in STAGES if name != "polarity_inversion"]


@pytest.mark.parametrize("name", RANDOM_STAGES)
def test_an_example_does_not_see_the_others_of_its_batch(name: str) -> None:
    waveforms, one = noise(5, 12_000), stage(name)
    size = waveforms.shape if name == "random_resized_crop" else waveforms.shape[:1]
    parameters = one.draw(generator(), *size)
    parameters = parameters if isinstance(parameters, tuple) else (parameters,)
    batch = one.apply(waveforms, *parameters)
    for row in range(5):
        alone = one.apply(waveforms[row : row + 1], *(p[row : row + 1] for p in parameters))
        torch.testing.assert_close(alone[0], batch[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", STAGES)
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    waveforms, one = noise(4), stage(name)
    first = one(waveforms, generator(3))
    assert torch.equal(first, one(waveforms, generator(3)))
    if name in RANDOM_STAGES and name != "random_resized_crop":
        assert not torch.equal(first, one(waveforms, generator(4)))


@pytest.mark.parametrize("name", STAGES)
def test_silence_stays_silence(name: str) -> None:
    out = stage(name)(torch.zeros(3, LENGTH), generator())
    assert out.shape == (3, LENGTH)
    assert torch.equal(out.abs(), torch.zeros(3, LENGTH))


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("total", [1, 2, 63, 2000])
def test_short_waveforms_keep_their_length_and_stay_finite(name: str, total: int) -> None:
    out = stage(name)(noise(3, total), generator())
    assert out.shape == (3, LENGTH if name == "random_resized_crop" else total)
    assert out.dtype == torch.float32
    assert out.isfinite().all()


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("level", [1e-30, 1e-6, 1.0, 1e4])
def test_no_level_of_sound_makes_a_stage_fail(name: str, level: float) -> None:
    waveforms = level * noise(4)
    before = waveforms.clone()
    out = stage(name)(waveforms, generator())
    assert out.isfinite().all()
    assert out.abs().max() < 1000 * level
    assert torch.equal(waveforms, before)


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_says_what_it_does(name: str) -> None:
    assert len(STAGES[name].__doc__ or "") > 30


# ---------------------------------------------------------------- the chain


def test_clmr_chain_has_the_published_order_and_probabilities() -> None:
    chain = Chain.clmr(SAMPLE_RATE, length=LENGTH)
    assert [(type(stage).__name__, stage.probability) for stage in chain.stages] == [
        ("RandomResizedCrop", 1.0),
        ("PolarityInversion", 0.8),
        ("Noise", 0.01),
        ("Gain", 0.3),
        ("HighLowPass", 0.8),
        ("Delay", 0.3),
        ("PitchShift", 0.6),
        ("Reverb", 0.6),
    ]


@pytest.mark.parametrize(("sample_rate", "length"), [(16_000, 480_000), (22_050, 59_049)])
def test_clmr_chain_gives_views_of_one_length(sample_rate: int, length: int) -> None:
    chain = Chain.clmr(sample_rate, length=length)
    waveforms = noise(3, length + 12_345)
    views = chain(waveforms, generator())
    assert views.shape == (3, length)
    assert views.dtype == torch.float32
    assert views.isfinite().all()
    assert torch.equal(views, chain(waveforms, generator()))
    assert not torch.equal(views, chain(waveforms, generator(1)))


def test_a_chain_touches_the_share_of_rows_that_the_probability_says() -> None:
    waveforms = noise(4000, 16)
    settings = {"polarity_inversion": {"probability": 0.8}}
    views = Chain.from_settings(settings, sample_rate=SAMPLE_RATE, length=16)(
        waveforms, generator()
    )
    negated, kept = (views == -waveforms).all(-1), (views == waveforms).all(-1)
    assert (negated | kept).all()
    assert float(negated.float().mean()) == pytest.approx(0.8, abs=0.02)


def test_two_stages_toss_coins_of_their_own() -> None:
    settings = {"polarity_inversion": {"probability": 0.5}, "gain": {"probability": 0.5}}
    chain = Chain.from_settings(settings, sample_rate=SAMPLE_RATE, length=16)
    factors = (chain(torch.ones(4000, 16), generator()))[:, 0]
    shares = [
        float(((factors < 0) == negated).logical_and((factors.abs() < 1) == quieter).float().mean())
        for negated in (False, True)
        for quieter in (False, True)
    ]
    assert shares == pytest.approx([0.25] * 4, abs=0.03)


@pytest.mark.parametrize("name", list(STAGES)[1:])
def test_rows_that_the_coin_spares_keep_their_bits(name: str) -> None:
    waveforms = noise(12)
    before = waveforms.clone()
    settings = {name: {"probability": 0.5}}
    views = Chain.from_settings(settings, sample_rate=SAMPLE_RATE, length=LENGTH)(
        waveforms, generator()
    )
    kept = int((views == waveforms).all(-1).sum())
    assert 0 < kept < 12
    assert torch.equal(waveforms, before)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_probabilities_nought_and_one_are_certain(probability: float) -> None:
    waveforms = noise(50, 8)
    settings = {"polarity_inversion": {"probability": probability}}
    chain = Chain.from_settings(settings, sample_rate=SAMPLE_RATE, length=8)
    assert torch.equal(chain(waveforms, generator()), waveforms * (1 - 2 * probability))


def test_an_intact_view_is_cropped_and_no_stage_changes_it() -> None:
    settings = {"random_resized_crop": {}, "polarity_inversion": {"probability": 1.0}}
    stages = Chain.from_settings(settings, sample_rate=SAMPLE_RATE, length=8).stages
    waveforms = torch.arange(1, 17.0).expand(4000, 16)
    views = Chain(stages, intact=0.25)(waveforms, generator())
    assert views.shape == (4000, 8)
    assert (views.diff(dim=1).abs() == 1).all()
    spared = views[:, 0] > 0
    assert float(spared.float().mean()) == pytest.approx(0.25, abs=0.02)
    assert torch.equal(
        Chain(stages, intact=1.0)(waveforms, generator()).sign(), torch.ones(4000, 8)
    )


def test_without_intact_views_a_chain_draws_what_it_drew() -> None:
    chain = Chain.clmr(SAMPLE_RATE, length=LENGTH)
    waveforms = noise(3, LENGTH)
    assert torch.equal(
        Chain(chain.stages, intact=0.0)(waveforms, generator()), chain(waveforms, generator())
    )


def test_an_empty_chain_hands_out_a_copy() -> None:
    waveforms = noise(2)
    views = Chain([])(waveforms, generator())
    assert torch.equal(views, waveforms)
    views.zero_()
    assert waveforms.abs().max() > 0


def test_settings_override_fields_and_the_order_stays_that_of_clmr() -> None:
    settings: dict[str, dict[str, float]] = {
        "time_stretch": {},
        "reverb": {"max_room_size": 20},
        "gain": {"min_db": -12.0, "probability": 0.7},
        "random_resized_crop": {},
    }
    chain = Chain.from_settings(settings, sample_rate=22_050, length=123)
    kinds = [type(stage).__name__ for stage in chain.stages]
    assert kinds == ["RandomResizedCrop", "Gain", "Reverb", "TimeStretch"]
    assert chain.stages[0] == RandomResizedCrop(123)
    assert chain.stages[1] == Gain(min_db=-12.0, probability=0.7)
    assert vars(chain.stages[2])["sample_rate"] == 22_050


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pitchshift": {}}, "'pitchshift'; did you mean 'pitch_shift'"),
        ({"qqq": {}}, "'qqq'; known: random_resized_crop"),
        ({"gain": {"min_dB": -3.0}}, "field of gain: 'min_dB'; did you mean 'min_db'"),
        ({"delay": {"sample_rate": 8000.0}}, "field of delay: 'sample_rate'"),
        ({"gain": {"min_db": 3.0}}, r"gain: min_db = 3\.0 is above max_db = -1\.0"),
        ({"high_low_pass": {"low_pass_max": 9.0}}, "low_pass_min"),
        ({"reverb": {"probability": 1.5}}, r"probability=1\.5"),
        ({"reverb": {"probability": -0.1}}, "between 0 and 1"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, dict[str, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Chain.from_settings(settings, sample_rate=SAMPLE_RATE, length=LENGTH)
