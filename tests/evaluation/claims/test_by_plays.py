"""Means, differences and the crossover of figures made by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from soundalike.evaluation.claims.by_plays import (
    CO,
    coverage,
    crossover,
    difference,
    recall,
    tracks_in,
)

N = 200
ALL = range(N)


def world(content: np.ndarray, co: np.ndarray, plays: np.ndarray) -> dict[str, Any]:
    """All [simulations, N]; NaN for a track without a session."""

    def entry(values: np.ndarray) -> dict[str, Any]:
        rows = [[None if math.isnan(v) else float(v) for v in row] for row in values]
        answered = ["".join("1" if v > 0.5 else "0" for v in row) for row in values]
        return {"recall": rows, "answered": answered, "chosen": [""] * len(values)}

    return {"plays": plays.tolist(), "rankings": {"ours": entry(content), CO: entry(co)}}


def test_bins_hold_the_plays_they_say() -> None:
    plays = np.array([[0, 1, 5, 6, 20, 21, 900]])
    made = world(np.array([[0, 1, 2, 3, 4, 5, 6.0]]), np.zeros((1, 7)), plays)
    means = {b: recall(made, "ours", b, range(7)).mean for b in ("0", "1-5", "6-20", "more", "all")}
    assert means == {"0": 0, "1-5": 1.5, "6-20": 3.5, "more": 5.5, "all": 3}
    assert recall(made, "ours", "more", [6]).mean == 6
    assert tracks_in(made, "more", range(7)) == 2


def test_tracks_without_sessions_have_no_value() -> None:
    values = np.array([[1.0, np.nan, 0.0]])
    made = world(values, values, np.zeros((1, 3), int))
    assert recall(made, "ours", "0", range(3)).mean == 0.5
    assert tracks_in(made, "0", range(3)) == 2
    assert math.isnan(recall(made, "ours", "0", [1]).mean)
    assert math.isnan(recall(made, "ours", "more", range(3)).mean)


def test_a_track_seen_ten_times_is_one_track() -> None:
    values = np.random.default_rng(0).uniform(size=(1, N))
    plays = np.zeros((1, N), int)
    once = recall(world(values, values, plays), "ours", "0", ALL)
    often = recall(
        world(values.repeat(10, 0), values.repeat(10, 0), plays.repeat(10, 0)), "ours", "0", ALL
    )
    assert often.mean == pytest.approx(once.mean)
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.1)


def test_a_simulation_of_many_tracks_is_one_simulation() -> None:
    """What all tracks of a simulation share is known as often as there are simulations."""
    shared = np.random.default_rng(0).uniform(size=(6, 1))
    found = recall(world(*[shared.repeat(N, 1)] * 2, np.zeros((6, N), int)), "ours", "0", ALL)
    error = shared.std() / np.sqrt(6)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        tracks, simulations = rng.normal(size=(1, 40)), rng.normal(size=(12, 1)) / 2
        values = tracks + simulations + rng.normal(size=(12, 40))
        found = recall(world(values, values, np.zeros((12, 40), int)), "ours", "0", range(40))
        held += found.low <= 0 <= found.high
    assert held >= 89


def test_differences_are_taken_track_by_track() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.uniform(size=(2, N))
    made = world(theirs + 0.01, theirs, np.full((2, N), 3))
    found = difference(made, ("ours", CO), "1-5", ALL)
    assert found.low == pytest.approx(0.01)
    assert found.high == pytest.approx(0.01)


def test_coverage_counts_answers() -> None:
    made = world(np.array([[1.0, 0, 0, 1.0]]), np.zeros((1, 4)), np.array([[0, 0, 0, 9]]))
    assert coverage(made, "ours", "0", range(4)).mean == pytest.approx(1 / 3)
    assert coverage(made, CO, "0", range(4)).mean == 0


def test_the_crossover_is_where_listeners_know_more() -> None:
    rng = np.random.default_rng(0)
    plays = rng.integers(0, 60, size=(3, N))
    gain = np.where(plays >= 12, 0.2, -0.2) + rng.normal(scale=0.3, size=plays.shape)
    found = crossover(world(np.zeros((3, N)), gain, plays), "ours", ALL)
    assert 8 <= found.mean <= 16
    assert found.low <= 12 <= found.high


@pytest.mark.parametrize(("gain", "switch"), [(-0.1, math.inf), (0.1, 0.0)])
def test_one_may_be_better_always(gain: float, switch: float) -> None:
    plays = np.arange(N)[None]
    found = crossover(world(np.zeros((1, N)), np.full((1, N), gain), plays), "ours", ALL)
    assert (found.mean, found.high) == (switch, switch)
    # Draws without the tracks of the most plays cannot tell "never" from "above those".
    assert found.low == switch or found.low > 150


def test_the_crossover_is_that_of_a_slow_twin() -> None:
    rng = np.random.default_rng(4)
    plays, gain = rng.integers(0, 9, size=(2, 30)), rng.normal(size=(2, 30))
    gain[0, :5] = np.nan
    totals = {n: np.nansum(np.where(plays >= n, gain, 0)) for n in (*range(9), math.inf)}
    made = world(np.zeros((2, 30)), gain, plays)
    assert crossover(made, "ours", range(30)).mean == max(totals, key=lambda n: totals[n])


def test_of_nothing_there_is_no_crossover() -> None:
    made = world(np.full((1, 3), np.nan), np.full((1, 3), np.nan), np.zeros((1, 3), int))
    assert math.isnan(crossover(made, "ours", range(3)).mean)
