"""Views of kept features: each change does what it says, and a pair is the same music."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from soundalike.audio.constant_q import ConstantQ, ConstantQSettings
from soundalike.training.pairs import Plan, Pools
from soundalike.training.pitch_views import (
    FeatureCache,
    PitchPairs,
    PitchViewSettings,
    analysis,
    breathing,
    changed,
    draw_narrow_band,
    draw_register,
    read_frames,
    transposed,
    within_register,
)
from soundalike.training.sources import Source, WaveformCache

RATE = 16_000
ROWS = ConstantQSettings().frequencies
STILL = PitchViewSettings(
    transpose=0, stretch=0.0, drift=0.0, equaliser=0.0, noise=0.0, band=0.0, gap=0.0
)


def even(frames: int) -> np.ndarray:
    """A tempo that does not breathe."""
    return breathing(frames, 0.0, np.random.default_rng(0))


def ramp(frames: int) -> np.ndarray:
    """Features whose value is the number of the frame, float16 [84, n]."""
    return np.tile(np.arange(frames, dtype=np.float16), (84, 1))


def test_frames_are_the_means_of_two_neighbours() -> None:
    view = read_frames(ramp(100), 20.0, 40.0, even(20))
    assert np.allclose(view[0], 20.5 + 2 * np.arange(20))


def test_reading_more_frames_is_a_faster_tempo() -> None:
    slow, fast = (read_frames(ramp(400), 0.0, length, even(50)) for length in (100.0, 200.0))
    assert np.allclose(np.diff(slow[0]).mean(), 2, atol=0.05)
    assert np.allclose(np.diff(fast[0]).mean(), 4, atol=0.05)


@pytest.mark.parametrize("start", [-50.0, 380.0])
def test_a_crop_past_an_end_is_moved_inside(start: float) -> None:
    view = read_frames(ramp(400), start, 100.0, even(50))
    assert view.min() >= 0
    assert view.max() <= 399
    assert np.ptp(view) > 95


def test_a_short_recording_is_read_as_a_whole() -> None:
    view = read_frames(ramp(30), 10.0, 300.0, even(150))
    assert view[0, 0] < 1
    assert view[0, -1] > 28


def test_a_tempo_that_breathes_hurries_and_lingers_and_ends_with_the_others() -> None:
    rng = np.random.default_rng(3)
    places = np.array([breathing(150, 0.2, rng) for _ in range(200)])
    steps = np.diff(places, axis=1) * 150
    assert steps.min() > 0
    assert 0 < places.min() < 0.02
    assert 0.98 < places.max() < 1
    # By the definition the logarithm of the pace has the deviation asked for at the corners.
    assert np.log(steps[:, ::15]).std() == pytest.approx(0.2, rel=0.15)
    assert np.abs(np.diff(np.log(steps), axis=1)).max() < 0.1  # it never jumps


def test_a_breathing_view_is_the_same_music_in_other_places() -> None:
    view = read_frames(ramp(400), 0.0, 300.0, breathing(150, 0.2, np.random.default_rng(1)))[0]
    straight = read_frames(ramp(400), 0.0, 300.0, even(150))[0]
    assert (np.diff(view) > 0).all()
    assert 2 < np.abs(view - straight).max() < 60


def test_a_register_keeps_half_of_the_rows_or_more_and_takes_from_both_ends() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([draw_register(84, rng) for _ in range(2_000)])
    low, high = drawn.T
    assert (high - low >= 42).all()
    assert low.min() == 0
    assert high.max() == 84
    assert (low > 36).any()
    assert (high < 48).any()
    assert ((low > 10) & (high < 74)).mean() > 0.2


def test_a_narrow_band_begins_and_ends_where_telephones_do() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([draw_narrow_band(ROWS, rng) for _ in range(2_000)])
    low, high = drawn.T
    assert ROWS[low.min()] == pytest.approx(100, rel=0.06)
    assert ROWS[low.max()] == pytest.approx(500, rel=0.06)
    assert ROWS[high.min()] == pytest.approx(2_500, rel=0.06)
    assert high.max() == 84  # 5 kHz lies above all rows: nothing is lost there
    assert np.searchsorted(ROWS, 300) == 39


def test_what_is_left_of_a_register_is_as_loud_as_all_was() -> None:
    magnitude = np.random.default_rng(0).random((84, 150), dtype=np.float32)
    kept = within_register(magnitude, 30, 72)
    assert not kept[:30].any()
    assert not kept[72:].any()
    assert np.square(kept).sum() == pytest.approx(np.square(magnitude).sum(), rel=1e-4)
    faint = within_register(np.where(np.arange(84)[:, None] < 30, 1e3, 1e-3) * magnitude, 30, 72)
    assert 30 < faint.max() / (1e-3 * magnitude[30:72].max()) < 33  # 30 dB, no more


@pytest.mark.parametrize("semitones", [-5, 0, 3])
def test_transposing_moves_rows_and_lets_none_come_round(semitones: int) -> None:
    features = np.zeros((84, 4), dtype=np.float32)
    features[[0, 40, 83]] = 1
    moved = transposed(features, semitones)
    assert np.flatnonzero(moved[:, 0]).tolist() == [
        row + semitones for row in (0, 40, 83) if 0 <= row + semitones < 84
    ]


def test_a_still_view_is_another_level_at_most() -> None:
    features = np.log1p(np.random.default_rng(0).random((84, 150), dtype=np.float32))
    view = changed(features, STILL, ROWS, np.random.default_rng(1))
    ratio = np.expm1(view) / np.expm1(features)
    assert np.allclose(ratio, ratio[0, 0], rtol=1e-3)


@pytest.mark.parametrize("change", ["equaliser", "noise", "band", "gap", "register", "narrow_band"])
def test_every_change_can_be_heard(change: str) -> None:
    features = np.log1p(1 + np.random.default_rng(0).random((84, 150), dtype=np.float32))
    settings = PitchViewSettings(**{**dict.fromkeys(STILL.__slots__, 0), change: 1.0})  # type: ignore[arg-type]
    still = changed(features, STILL, ROWS, np.random.default_rng(2))
    view = changed(features, settings, ROWS, np.random.default_rng(2))
    assert view.shape == features.shape
    assert not np.allclose(view, still)
    assert np.isfinite(view).all()


def tone(path: Path, semitone: int, seconds: float) -> Path:
    t = np.arange(int(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * 220 * 2 ** (semitone / 12) * t)
    np.save(path, np.round(wave * 20_000).astype(np.int16))
    return path


def pairs(folder: Path, settings: PitchViewSettings, **plan: int) -> PitchPairs:
    front_end = ConstantQ(ConstantQSettings())
    sources = [Source(f"s{i}", (tone(folder / f"s{i}.npy", i, 8.0),)) for i in range(3)]
    groups = [
        Source(
            f"g{i}",
            tuple(tone(folder / f"g{i}-{k}.npy", 12 + 4 * i + k, 8.0 + k) for k in range(2)),
        )
        for i in range(3)
    ]
    cache = FeatureCache(WaveformCache(folder, RATE), analysis(front_end), folder / "features")
    drawn = Plan(
        **{"batch": 4, "steps": 5, "seed": 1, "clip": 4 * RATE, **plan}, arrangement_share=0.5
    )
    return PitchPairs(
        Pools(sources, groups),
        labels={},
        cache=cache,
        plan=drawn,
        settings=settings,
        front_end=front_end.settings,
    )


def test_a_batch_is_two_views_of_every_source(tmp_path: Path) -> None:
    batch = pairs(tmp_path, PitchViewSettings())[0]
    assert batch.features.shape == (8, 84, ConstantQSettings().frames(4 * RATE))
    assert batch.features.dtype == torch.float32
    assert batch.source[:4].tolist() == batch.source[4:].tolist()
    assert len(set(batch.source.tolist())) == 4


def test_the_views_of_a_group_are_two_renderings(tmp_path: Path) -> None:
    batch = pairs(tmp_path, STILL)[0]
    loudest = batch.features.mean(dim=2).argmax(dim=1)
    first, second = loudest[:4], loudest[4:]
    assert (first[:2] == second[:2]).all()  # a recording and itself
    assert ((first[2:] - second[2:]).abs() == 1).all()  # renderings a semitone apart


def test_steps_are_the_same_whenever_they_are_asked_for(tmp_path: Path) -> None:
    one, other = pairs(tmp_path, PitchViewSettings()), pairs(tmp_path, PitchViewSettings())
    one[0]
    assert torch.equal(one[3].features, other[3].features)
    assert not torch.equal(one[3].features, one[4].features)


def test_processes_share_one_batch(tmp_path: Path) -> None:
    whole = pairs(tmp_path, PitchViewSettings())[2]
    parts = [pairs(tmp_path, PitchViewSettings(), rank=rank, world=2)[2] for rank in (0, 1)]
    for rank, part in enumerate(parts):
        assert torch.equal(part.features, whole.features[rank::2])


def test_kept_features_are_those_of_the_front_end(tmp_path: Path) -> None:
    made = pairs(tmp_path, STILL)
    path = made.pools.recordings[1].recordings[0]
    first = np.array(made.cache.features(path))
    again = FeatureCache(made.cache.cache, lambda _: pytest.fail("kept"), made.cache.folder)
    assert np.array_equal(again.features(path), first)
    assert first.dtype == np.float16
    assert first.shape == (84, 80)
