"""Tests of soundalike.audio.segments: where segments lie, and what is cut there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.audio.segments import Segment, cut, draw, grid, sample_range

durations = st.floats(0.001, 1e5)
lengths = st.floats(0.01, 1e3)
counts = st.integers(1, 12)


def test_three_segments_of_a_long_track_are_centred_in_its_thirds():
    assert grid(180.0) == (Segment(15.0, 45.0), Segment(75.0, 105.0), Segment(135.0, 165.0))


def test_segments_that_would_reach_past_an_end_are_pushed_inwards():
    assert grid(60.0) == (Segment(0.0, 30.0), Segment(15.0, 45.0), Segment(30.0, 60.0))


def test_a_track_shorter_than_a_segment_gives_equal_segments_that_cover_it():
    assert grid(12.5, count=4) == (Segment(0.0, 12.5),) * 4


@settings(deadline=None)
@given(durations, counts, lengths)
def test_grid_lies_within_the_track_in_order_and_as_long_as_it_can_be(duration, count, length):
    segments = grid(duration, count=count, length=length)
    assert len(segments) == count
    assert all(0 <= s.start < s.end <= duration for s in segments)
    assert [s.start for s in segments] == sorted(s.start for s in segments)
    for segment in segments:
        assert segment.end - segment.start == pytest.approx(min(length, duration), rel=1e-6)


@settings(deadline=None)
@given(durations, counts, lengths)
def test_grid_is_symmetric_in_time(duration, count, length):
    segments = grid(duration, count=count, length=length)
    for ahead, behind in zip(segments, reversed(segments), strict=True):
        assert ahead.start == pytest.approx(duration - behind.end, abs=1e-6 * duration)


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration": 0.0},
        {"duration": -1.0},
        {"duration": float("nan")},
        {"duration": float("inf")},
        {"duration": 9.0, "count": 0},
        {"duration": 9.0, "length": 0.0},
    ],
)
def test_grid_refuses_impossible_numbers(wrong):
    with pytest.raises(ValueError, match=next(reversed(wrong))):
        grid(**wrong)


@settings(deadline=None)
@given(st.integers(1, 10**9), st.integers(1, 10**6), counts, st.integers(0, 2**32))
def test_drawn_crops_lie_within_the_sound(total, length, count, seed):
    starts = draw(np.random.default_rng(seed), total, length, count=count)
    assert starts.dtype == np.int64
    assert starts.shape == (count,)
    assert starts.min() >= 0
    assert starts.max() <= max(total - length, 0)


def test_drawn_crops_reach_the_first_and_the_last_place_equally_often():
    starts = draw(np.random.default_rng(0), 13, 10, count=8000)
    assert np.bincount(starts) == pytest.approx([2000] * 4, rel=0.1)


def test_drawing_is_repeatable():
    first, second = (draw(np.random.default_rng(7), 10**6, 1000, count=5) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize(("total", "length", "count"), [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_drawing_refuses_impossible_numbers(total, length, count):
    with pytest.raises(ValueError, match=" 0"):
        draw(np.random.default_rng(0), total, length, count=count)


@settings(deadline=None)
@given(st.integers(1, 50), st.data())
def test_cut_reads_the_sound_as_a_loop(total, data):
    start = data.draw(st.integers(0, total - 1))
    length = data.draw(st.integers(1, 200))
    waveform = np.arange(total, dtype=np.float32)
    piece = cut(waveform, start, length)
    assert piece.dtype == np.float32
    assert piece.tolist() == [waveform[(start + n) % total] for n in range(length)]


def test_cut_returns_a_copy():
    waveform = np.zeros(10, np.float32)
    cut(waveform, 2, 4)[:] = 1.0
    assert not waveform.any()


@pytest.mark.parametrize(
    ("shape", "start", "length"), [((0,), 0, 1), ((4,), 4, 1), ((4,), -1, 1), ((4,), 0, 0)]
)
def test_cut_refuses_what_is_not_there(shape, start, length):
    with pytest.raises(ValueError, match="sample"):
        cut(np.zeros(shape, np.float32), start, length)


def test_cut_refuses_stereo():
    with pytest.raises(ValueError, match=r"\(2, 8\).*mono"):
        cut(np.zeros((2, 8), np.float32), 0, 4)


@settings(deadline=None)
@given(durations, counts, lengths)
def test_sample_ranges_hold_between_1_and_length_samples(duration, count, length):
    samples = max(round(length * 100), 1)
    for segment in grid(duration, count=count, length=length):
        first, stop = sample_range(segment, 100, samples)
        assert first == round(segment.start * 100)
        assert 1 <= stop - first <= samples
