"""Sessions cut from plays made by hand, and split."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.colistening.plays import Plays
from soundalike.evaluation.colistening.sessions import (
    Sessions,
    cut_sessions,
    split_at,
    split_by_share,
)


def plays(rows: list[tuple[int, int, float, int]]) -> Plays:
    """(listener, track, minutes, session) each."""
    who, tracks, minutes, given = zip(*rows, strict=True) if rows else ((), (), (), ())
    times = np.array(minutes, float) * 60
    return Plays(np.array(who, int), np.array(tracks, int), times, np.array(given, int))


def cut(rows: list[tuple[int, int, float, int]]) -> list[list[int]]:
    return [session.tolist() for session in cut_sessions(plays(rows))]


def test_a_pause_of_more_than_half_an_hour_ends_a_session() -> None:
    assert cut([(0, 5, 0, -1), (0, 6, 30, -1), (0, 7, 60.5, -1)]) == [[5, 6], [7]]


def test_listeners_are_kept_apart_and_plays_put_in_order() -> None:
    assert cut([(1, 5, 3, -1), (0, 6, 2, -1), (1, 7, 1, -1)]) == [[6], [7, 5]]


def test_the_session_of_a_log_counts_not_the_pause() -> None:
    rows = [(0, 5, 0, 3), (0, 6, 500, 3), (0, 7, 501, 4)]
    assert cut(rows) == [[5, 6], [7]]


def test_without_times_a_listener_has_one_session_in_the_order_of_the_log() -> None:
    nan = float("nan")
    assert cut([(0, 7, nan, -1), (1, 1, nan, -1), (0, 5, nan, -1)]) == [[7, 5], [1]]


def test_a_session_begins_when_its_first_play_does() -> None:
    sessions = cut_sessions(plays([(0, 5, 10, -1), (0, 6, 1, -1), (0, 6, 90, -1)]))
    assert sessions.times.tolist() == [60, 5400]
    assert sessions.numbers().tolist() == [0, 0, 1]
    assert sessions.plays(8).tolist() == [0, 0, 0, 0, 0, 1, 2, 0]
    assert [each.tolist() for each in sessions.take(np.array([False, True]))] == [[6]]


def test_no_plays_are_no_sessions() -> None:
    sessions = cut_sessions(plays([]))
    assert len(sessions) == 0
    assert list(sessions) == []


def test_no_play_is_lost_or_made_up() -> None:
    rng = np.random.default_rng(0)
    rows = [(int(w), int(t), float(m), -1) for w, t, m in rng.integers(0, 300, size=(500, 3))]
    sessions = cut_sessions(plays(rows))
    assert sorted(sessions.tracks.tolist()) == sorted(t for _, t, _, _ in rows)
    for begin, end, listener in _slowly(rows):
        assert any(np.isclose(sessions.times, begin * 60)), (begin, end, listener)
    assert len(sessions) == len(_slowly(rows))


def _slowly(rows: list[tuple[int, int, float, int]]) -> list[tuple[float, float, int]]:
    """(first, last minute, listener) of every session, one play at a time."""
    found: list[tuple[float, float, int]] = []
    for who, _, minute, _ in sorted(rows, key=lambda row: (row[0], row[2])):
        if found and found[-1][2] == who and minute - found[-1][1] <= 30:
            found[-1] = (found[-1][0], minute, who)
        else:
            found.append((minute, minute, who))
    return found


def numbered(times: list[float]) -> Sessions:
    """Sessions of one play each, of track 0, 1, ..."""
    n = len(times)
    return Sessions(np.arange(n), np.arange(n + 1), np.array(times, float))


def test_sessions_are_split_by_moments() -> None:
    parts = split_at(numbered([5, 1, 9, 7, 3]), 5, 9)
    assert [part.tracks.tolist() for part in (parts.training, parts.validation, parts.test)] == [
        [1, 4],
        [0, 3],
        [2],
    ]


def test_what_is_judged_by_comes_after_what_is_learnt_from() -> None:
    times = np.random.default_rng(0).permutation(100).astype(float)
    parts = split_by_share(numbered(times.tolist()))
    assert [len(each) for each in (parts.training, parts.validation, parts.test)] == [70, 15, 15]
    assert parts.training.times.max() < parts.validation.times.min()
    assert parts.validation.times.max() < parts.test.times.min()


@pytest.mark.parametrize("seed", [0, 1])
def test_without_times_the_split_is_random_and_seeded(seed: int) -> None:
    sessions = numbered([float("nan")] * 40)
    parts, again = (split_by_share(sessions, seed=seed) for _ in range(2))
    tracks = [part.tracks.tolist() for part in (parts.training, parts.validation, parts.test)]
    assert tracks == [p.tracks.tolist() for p in (again.training, again.validation, again.test)]
    assert sorted(t for part in tracks for t in part) == list(range(40))
    assert tracks[0] != list(range(28))
