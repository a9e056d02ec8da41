"""Intervals in words, means over tracks, ratios of sums."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.claims.intervals import (
    BETTER,
    UNDECIDED,
    WORSE,
    in_figures,
    ratio,
    sign,
)
from soundalike.evaluation.metrics import Interval, bootstrap


def test_a_difference_counts_only_where_its_interval_leaves_0_out() -> None:
    assert sign(Interval(0.2, 0.1, 0.3)) == BETTER
    assert sign(Interval(-0.2, -0.3, -0.1)) == WORSE
    assert sign(Interval(0.2, 0.0, 0.3)) == UNDECIDED
    assert sign(Interval(-0.2, -0.3, 0.0)) == UNDECIDED
    nothing = float("nan")
    assert sign(Interval(nothing, nothing, nothing)) == UNDECIDED


def test_figures_show_the_sign_where_it_matters() -> None:
    assert in_figures(Interval(0.5, 0.25, 0.75)) == "0.500 (0.250-0.750)"
    assert in_figures(Interval(0.5, -0.25, 0.75), plus=True) == "+0.500 (-0.250 to +0.750)"
    assert in_figures(bootstrap(np.array([np.nan]))) == "-"


def test_a_ratio_of_what_is_proportional_has_no_width() -> None:
    below = np.random.default_rng(0).random(30)
    found = ratio(3 * below, below)
    assert (found.mean, found.low, found.high) == pytest.approx((3, 3, 3))


def test_a_ratio_holds_the_truth_of_most_samples() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(100):
        below = rng.random(40)
        above = below * rng.normal(2, 0.5, 40)
        found = ratio(above, below, draws=400)
        held += found.low <= 2 <= found.high
    assert held >= 85


def test_a_ratio_to_nothing_is_none() -> None:
    assert np.isnan(ratio(np.ones(3), np.zeros(3)).mean)
    with pytest.raises(ValueError, match="same queries"):
        ratio(np.ones(3), np.ones(4))
