"""Plays -> sessions, and sessions -> those to learn from and those kept back.

A session is what one listener played in one sitting. Where a log does not say which plays those are, a
pause of more than half an hour between the beginnings of two plays ends it. The half hour is the
convention of web logs (Catledge & Pitkow 1995 found 25.5 minutes); a log knows when a play began, not
when it ended, so a piece longer than that ends a session too. Without times, all that a listener
played is one session, in the order of the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.evaluation.colistening.plays import Plays

PAUSE = 30 * 60.0
"""Seconds between two plays that end a session."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions end to end.

    Attributes:
        tracks: numbers of the tracks, int64, session after session, each in the order of play.
        bounds: int64, one more than there are sessions; session i is tracks[bounds[i]:bounds[i + 1]].
        times: when each began, seconds since 1970, float64; NaN where nobody knows.
    """

    tracks: np.ndarray
    bounds: np.ndarray
    times: np.ndarray

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[np.ndarray]:
        for begin, end in zip(self.bounds[:-1], self.bounds[1:], strict=True):
            yield self.tracks[begin:end]

    def numbers(self) -> np.ndarray:
        """The session that each entry of `tracks` is in, int64."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds))

    def plays(self, N: int) -> np.ndarray:
        """How often each of N tracks was played: int64 [N]."""
        return np.bincount(self.tracks, minlength=N)

    def take(self, wanted: np.ndarray) -> Sessions:
        """Those sessions where `wanted`, bool, one entry a session, is true."""
        lengths = np.diff(self.bounds)
        bounds = np.concatenate([[0], np.cumsum(lengths[wanted])]).astype(np.int64)
        return Sessions(self.tracks[np.repeat(wanted, lengths)], bounds, self.times[wanted])


def cut_sessions(plays: Plays, *, pause: float = PAUSE) -> Sessions:
    """Sort plays by listener, session and time, and cut them into sessions.

    Where the log gives a session, that is it, however long the pauses.
    """
    # A stable sort: plays without times, or with equal ones, keep the order of the log.
    order = np.lexsort((np.nan_to_num(plays.times), plays.sessions, plays.listeners))
    who, tracks, times, given = (
        each[order] for each in (plays.listeners, plays.tracks, plays.times, plays.sessions)
    )
    if not len(tracks):
        return Sessions(tracks, np.zeros(1, np.int64), times)
    other = (np.diff(who) != 0) | (np.diff(given) != 0)
    paused = (given[1:] < 0) & (np.diff(times) > pause)
    begins = np.concatenate([[0], np.flatnonzero(other | paused) + 1])
    return Sessions(tracks, np.append(begins, len(tracks)).astype(np.int64), times[begins])


@dataclass(frozen=True, slots=True)
class Listened:
    """Sessions to learn from, to choose by, and to judge by."""

    training: Sessions
    validation: Sessions
    test: Sessions


def split_at(sessions: Sessions, validation: float, test: float) -> Listened:
    """Split by time: what is learnt from comes before what is judged by, as in life.

    Args:
        validation, test: moments, seconds since 1970, from which sessions are kept back.
    """
    begun = sessions.times
    return Listened(
        sessions.take(begun < validation),
        sessions.take((begun >= validation) & (begun < test)),
        sessions.take(begun >= test),
    )


def split_by_share(
    sessions: Sessions, *, shares: Sequence[float] = (0.7, 0.15, 0.15), seed: int = 0
) -> Listened:
    """The earliest, later and latest sessions in these shares; at random where a time is missing."""
    if not np.isnan(sessions.times).any():
        place = np.argsort(np.argsort(sessions.times, kind="stable"))
    else:
        place = np.random.default_rng(seed).permutation(len(sessions))
    first, second = np.round(np.cumsum(shares)[:2] / np.sum(shares) * len(sessions))
    return Listened(
        sessions.take(place < first),
        sessions.take((place >= first) & (place < second)),
        sessions.take(place >= second),
    )
