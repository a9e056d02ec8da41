"""Figures of cold_start.py -> means by how often a track was played, with 95 % intervals over tracks.

One world's figures hold, for every simulation of it (one for a log) and every track, the plays in
training and what each ranking scored. Intervals draw tracks and simulations, both with replacement: a
track sounds the same in all simulations, and who is popular in one of them is shared by all its
tracks, so neither the one nor the other are so many independent values (the pigeonhole bootstrap of
Owen 2007; a little too wide rather than too narrow).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from soundalike.evaluation.metrics import Interval

BINS = {"0": (0, 0), "1-5": (1, 5), "6-20": (6, 20), "more": (21, 10**9)}
"""Name -> fewest and most plays in training."""

ALL_PLAYS = "all"
CO, POPULARITY, PLUS = "co-listening", "popularity", " + plays"
_DRAWS = 2_000


def tracks_in(world: Mapping[str, Any], plays: str, seeds: Sequence[int]) -> int:
    """How many tracks of a bin have sessions to be judged by, over all simulations."""
    values = _recalls(world, CO)
    return int((_within(world, plays, seeds) & ~np.isnan(values)).sum())


def recall(world: Mapping[str, Any], ranking: str, plays: str, seeds: Sequence[int]) -> Interval:
    """Mean recall of a ranking over tracks of one bin of plays (or `ALL_PLAYS`), with its interval."""
    return _mean(_recalls(world, ranking), _within(world, plays, seeds))


def difference(
    world: Mapping[str, Any], pair: tuple[str, str], plays: str, seeds: Sequence[int]
) -> Interval:
    """Recall of the first minus recall of the second ranking, by the same tracks and sessions."""
    ours, theirs = (_recalls(world, ranking) for ranking in pair)
    return _mean(ours - theirs, _within(world, plays, seeds))


def coverage(world: Mapping[str, Any], ranking: str, plays: str, seeds: Sequence[int]) -> Interval:
    """Share of the tracks of a bin that a ranking ever answers with."""
    rows = world["rankings"][ranking]["answered"]
    answered = np.array([[float(yes) for yes in row] for row in rows])
    return _mean(answered, _within(world, plays, seeds))


def crossover(world: Mapping[str, Any], system: str, seeds: Sequence[int]) -> Interval:
    """From how many plays on co-listening should answer instead of content.

    The number n that finds most if content answers for tracks with fewer than n plays and
    co-listening for the others: 0 if co-listening should always answer, infinite if content should.
    With its bootstrap interval over tracks.
    """
    gain = _recalls(world, CO) - _recalls(world, system)
    plays = np.array(world["plays"])
    valid = _within(world, ALL_PLAYS, seeds) & ~np.isnan(gain)
    if not valid.any():
        return Interval(math.nan, math.nan, math.nan)
    switches = np.unique([0.0, *plays[valid], np.inf])
    # What every track gains if co-listening answers from each number of plays on.
    answers = (plays[:, :, None] >= switches) & valid[:, :, None]
    gained = np.where(answers, gain[:, :, None], 0)[:, valid.any(axis=0)]
    total = np.zeros((_DRAWS, len(switches)))
    times, tracks = _drawn(*gained.shape[:2])
    for simulation, drawn in zip(gained, times.T, strict=True):
        total += drawn[:, None] * (tracks @ simulation)
    found = np.sort(switches[np.argmax(total, axis=1)])
    low, high = found[round(0.025 * _DRAWS) - 1], found[round(0.975 * _DRAWS) - 1]
    best = switches[np.argmax(gained.sum(axis=(0, 1)))]
    return Interval(float(best), float(low), float(high))


def _recalls(world: Mapping[str, Any], ranking: str) -> np.ndarray:
    """Recall of every track in every simulation, [simulations, N]; NaN without a session."""
    return np.array(world["rankings"][ranking]["recall"], dtype=float)


def _within(world: Mapping[str, Any], plays: str, seeds: Sequence[int]) -> np.ndarray:
    counts = np.array(world["plays"])
    least, most = BINS.get(plays, (0, 10**9))
    chosen = np.zeros(counts.shape[1], bool)
    chosen[list(seeds)] = True
    return np.asarray((counts >= least) & (counts <= most) & chosen)


def _mean(values: np.ndarray, within: np.ndarray) -> Interval:
    """Mean of some values [simulations, tracks], NaN left out."""
    valid = within & ~np.isnan(values)
    valid, values = valid[:, valid.any(axis=0)], values[:, valid.any(axis=0)]
    if not valid.any():
        return Interval(math.nan, math.nan, math.nan)
    values = np.where(valid, values, 0)
    times, tracks = _drawn(*valid.shape)
    counts = ((times @ valid) * tracks).sum(axis=1)
    sums = ((times @ values) * tracks).sum(axis=1)[counts > 0]
    low, high = np.quantile(sums / counts[counts > 0], [0.025, 0.975])
    return Interval(float(values.sum() / valid.sum()), float(low), float(high))


def _drawn(simulations: int, tracks: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each was drawn: float64 [draws, simulations] and [draws, tracks]."""
    rng = np.random.default_rng(0)
    return (
        rng.multinomial(simulations, np.full(simulations, 1 / simulations), _DRAWS).astype(float),
        rng.multinomial(tracks, np.full(tracks, 1 / tracks), _DRAWS).astype(float),
    )
