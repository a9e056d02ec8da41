"""Figures -> pictures (PNG): the same numbers as in the tables, to be taken in at a glance.

    forest     panels of systems with mean and 95 % interval
    heat_map   rows x systems, every number printed
    bars       one number per system
    steps      counts over a scale: how often which similarity, how often in how many lists

The functions know no record: they take named numbers and a path. Who draws what from which record
stands in `draw_scores` and `draw_library` at the end.

A picture is a function of its numbers: the same numbers give the same bytes under the same version of
matplotlib (no date, no version, no random jitter). Colours are those of Okabe & Ito (2008), which
people who do not tell red from green tell apart; no picture needs colour alone to be read. matplotlib
is imported when a picture is drawn, so that measuring needs none.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import ModelError
from soundalike.evaluation.metrics import Interval

# 960 pixels: as wide as a page of text is shown, so that nothing is scaled.
WIDTH, DPI = 8.0, 120
OURS, OTHERS, SECOND = "#0072B2", "#5f5f5f", "#E69F00"
NAME_LENGTH = 26
_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def forest(
    panels: Mapping[str, Mapping[str, Interval]],
    picture: Path,
    *,
    limits: tuple[float, float] | None = (0.0, 1.0),
    chance: Mapping[str, float] | None = None,
) -> None:
    """Draw panels side by side, three to a row: a line per system, a dot at the mean, its interval.

    The first system, the one in question, is drawn in colour, with its mean as a thin line down the
    panel. A system without a value in a panel has an empty line there. With `chance` the lines are
    no rivals but questions, all in colour, each with a short line where guessing would be, or another
    bar to be above.

    Args:
        panels: title (task and score) -> system -> mean and interval.
        picture: PNG to write; its folder must be there.
        limits: of the horizontal axis, the same in all panels; None lets each panel find its own.
        chance: system -> what guessing scores, or the bar.

    Raises:
        ModelError: matplotlib is not installed.
        ValueError: nothing to draw.
    """
    systems = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    if not systems:
        raise ValueError("a picture of no system")
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    with _drawing(picture, height=rows * (0.9 + 0.24 * len(systems))) as figure:
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axes in grid.flat[len(panels) :]:
            axes.remove()
        for axes, (title, panel) in zip(grid.flat, panels.items(), strict=False):
            for line, name in enumerate(systems):
                if name in panel and not math.isnan(panel[name].mean):
                    _dot(axes, line, panel[name], colour=OTHERS if line and not chance else OURS)
                if name in panel and chance:
                    axes.plot([chance[name]] * 2, [line - 0.3, line + 0.3], color=SECOND, lw=2)
            if systems[0] in panel and not chance:
                axes.axvline(panel[systems[0]].mean, color=OURS, lw=0.6, alpha=0.5, zorder=0)
            axes.set(title=title, ylim=(len(systems) - 0.5, -0.5))
            if limits:
                axes.set(xlim=limits)
                ticks = np.linspace(*limits, 5)
                axes.set_xticks(
                    ticks, [f"{x:g}" if n % 2 == 0 else "" for n, x in enumerate(ticks)]
                )
            axes.set_yticks(range(len(systems)), [_short(name) for name in systems])
            axes.grid(axis="x", alpha=0.3)
            axes.tick_params(axis="y", length=0)


def heat_map(
    cells: Mapping[str, Mapping[str, float]], picture: Path, *, label: str, columns: Sequence[str]
) -> None:
    """Draw a table of shares, 0..1, darker where higher, with every number printed.

    Args:
        cells: row (a kind of change) -> column (a system) -> value; "-" where there is none.
        picture: PNG to write.
        label: what the numbers are.
        columns: the systems, left to right.

    Raises:
        ModelError: matplotlib is not installed.
        ValueError: nothing to draw.
    """
    if not (cells and columns):
        raise ValueError("a picture of no numbers")
    values = np.array([[row.get(name, math.nan) for name in columns] for row in cells.values()])
    with _drawing(picture, height=1.2 + 0.24 * len(cells)) as figure:
        axes = figure.subplots()
        axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            text = "-" if math.isnan(value) else f"{value:.2f}"
            axes.text(j, i, text, ha="center", va="center", color="w" if value > 0.55 else "k")
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(columns)), [_short(name) for name in columns], rotation=20)
        axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(cells) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="w", lw=1.5)
        for tick in axes.get_xticklabels():
            tick.set_ha("left")
        axes.set_yticks(range(len(cells)), list(cells))
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel(label)


def bars(values: Mapping[str, float], picture: Path, *, label: str) -> None:
    """Draw one bar per system with its number beside it.

    Raises:
        ModelError: matplotlib is not installed.
        ValueError: nothing to draw.
    """
    shown = {name: value for name, value in values.items() if not math.isnan(value)}
    if not shown:
        raise ValueError("a picture of no system")
    with _drawing(picture, height=0.8 + 0.26 * len(shown)) as figure:
        axes = figure.subplots()
        colours = [OURS] + [OTHERS] * (len(shown) - 1)
        drawn = axes.barh([_short(name) for name in shown], list(shown.values()), color=colours)
        axes.bar_label(drawn, fmt="%.2f", padding=3)
        axes.axvline(0, color="k", lw=0.8)
        axes.invert_yaxis()
        axes.set(xlabel=label)
        axes.margins(x=0.1)
        axes.tick_params(axis="y", length=0)


def steps(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    picture: Path,
    *,
    labels: tuple[str, str],
    counted: bool = False,
) -> None:
    """Draw histograms as outlines over one another, each with its own kind of line.

    Args:
        curves: name -> (edges [n + 1], heights [n]).
        picture: PNG to write.
        labels: of the horizontal and the vertical axis.
        counted: both axes count things, so their ticks are whole numbers; the vertical one is
            logarithmic where the highest is above 100, so that a single thing is still seen.

    Raises:
        ModelError: matplotlib is not installed.
        ValueError: nothing to draw.
    """
    if not curves:
        raise ValueError("a picture of no curve")
    looks = [(OURS, "-"), (SECOND, "--"), ("#000000", ":"), ("#D55E00", "-."), ("#009E73", "-")]
    with _drawing(picture, height=2.8) as figure:
        axes = figure.subplots()
        for number, (name, (edges, heights)) in enumerate(curves.items()):
            colour, line = looks[number % len(looks)]
            axes.stairs(heights, edges, label=name, color=colour, ls=line, lw=1.6)
        if counted:
            axes.locator_params(integer=True)
            if max(max(heights) for _, heights in curves.values()) > 100:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.grid(alpha=0.3)
        if len(curves) > 1:
            figure.legend(frameon=False, loc="outside upper center", ncols=len(curves))


def need_matplotlib() -> None:
    """Raise a ModelError where it is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ModelError("pictures need matplotlib, which is missing: pip install matplotlib")


@contextmanager
def _drawing(picture: Path, height: float) -> Iterator[Any]:
    """An empty figure of its own, no window and no global state, written to `picture` at the end."""
    need_matplotlib()
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever style a person has set up, the picture is the same
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(picture, format="png", metadata={"Software": None})


def _dot(axes: Any, line: int, value: Interval, *, colour: str) -> None:
    axes.plot([value.low, value.high], [line, line], color=colour, lw=1.4, solid_capstyle="butt")
    # Half of the dot of a perfect score lies outside, and is drawn nevertheless.
    axes.plot([value.mean], [line], "o", color=colour, ms=4.5, clip_on=False)


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
