"""Intervals -> numbers and words: what all claims say alike.

A difference counts only where its 95 % interval leaves 0 out. One in twenty intervals of no
difference at all does that by chance, so a verdict rests on few intervals, and says on which.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from soundalike.evaluation.metrics import Interval

BETTER, WORSE, UNDECIDED = "better", "worse", "undecided"


def sign(difference: Interval) -> str:
    """`BETTER` where the interval lies above 0, `WORSE` where below, else `UNDECIDED`."""
    if difference.low > 0:
        return BETTER
    return WORSE if difference.high < 0 else UNDECIDED


def measured_of(figures: Mapping[str, Any]) -> str:
    """Which weights the systems were, for a page; "" of a record that does not say."""
    told = figures.get("identities") or {}
    named = [f"{name}: `{identity}`" for name, identity in told.items() if name != identity]
    return f"{'; '.join(named)}." if named else ""


def decided(signs: Mapping[str, str], where: str = "in") -> str:
    """What is better and what is worse, such as "better in a, b and worse in c"; "" if nothing is.

    Args:
        signs: of each task, or whatever was compared.
        where: the word before their names.
    """
    found = [
        f"{what} {where} {', '.join(name for name in signs if signs[name] == what)}"
        for what in (BETTER, WORSE)
        if what in signs.values()
    ]
    return " and ".join(found)


def in_figures(interval: Interval, *, plus: bool = False) -> str:
    """Mean with interval, such as "0.42 (0.31-0.52)"; with `plus` "+0.03 (-0.01 to +0.07)"."""
    if math.isnan(interval.mean):
        return "-"
    if plus:
        return f"{interval.mean:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"
    return f"{interval.mean:.3f} ({interval.low:.3f}-{interval.high:.3f})"


def ratio(
    above: np.ndarray,
    below: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    seed: int = 0,
    draws: int = 2_000,
) -> Interval:
    """Sum of `above` / sum of `below` over the same queries, with its bootstrap interval.

    A ratio of sums, as a mean of ratios would be ruled by the queries with little below. Draws with
    nothing below are left out; NaN where no draw is left.

    Args:
        above, below: float [Q].
        groups: int [Q], queries that are drawn together, as in `metrics.bootstrap`.
    """
    if above.shape != below.shape:
        raise ValueError(f"{above.shape} and {below.shape}: the same queries are needed")
    if not len(above) or not below.sum():
        return Interval(math.nan, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    if groups is not None:
        _, member = np.unique(groups, return_inverse=True)
        above, below = (np.bincount(member, weights=each) for each in (above, below))
    drawn = rng.integers(0, len(above), size=(draws, len(above)))
    tops, bottoms = above[drawn].sum(axis=1), below[drawn].sum(axis=1)
    low, high = np.quantile(tops[bottoms > 0] / bottoms[bottoms > 0], [0.025, 0.975])
    return Interval(float(above.sum() / below.sum()), float(low), float(high))
