"""A map of a library -> a picture, PNG or SVG, for people who have not seen it before.

A dot is a track. Colours and shapes tell groups, or the tags asked for, apart; groups have their names
written over them, so that no picture needs colour alone to be read. Colours are those of Okabe and Ito
(2008), which people who do not tell red from green tell apart, lighter or darker for the background.
A picture is a function of the map: the same map gives the same picture under the same version of
matplotlib, which comes with `pip install soundalike[map]` and is imported here only.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soundalike.errors import LibraryError, QueryError
from soundalike.library.disk import explained, replaced
from soundalike.library.seeing import Map
from soundalike.library.tracks import Track, clean

COLORS = ("cluster", "genre", "artist", "album", "year", "folder")
ENDINGS = (".png", ".svg")
WIDTH, DPI = 10.0, 120
# Inches below and above the map, for words.
BELOW, ABOVE, LEGEND = 0.45, 0.8, 0.5
# Past this many dots an SVG holds them as one image, not as a shape each.
SHAPES = 5000
# A name has two lines at most.
NAME_LENGTH, LINE = 46, 26
OTHER = "other"
FALLBACKS = (
    *(
        "Noto Sans CJK JP",
        "Noto Sans CJK SC",
        "Source Han Sans",
        "Hiragino Sans",
        "Microsoft YaHei",
    ),
    *("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Thai", "Noto Sans", "Arial Unicode MS"),
)
_SHAPES = "os^Dv"
# What moving a name away by its height costs, in dots covered.
FAR = 1.0
# So many dots are looked at to find room for names.
MOST_DOTS = 3000
_STYLE = {"text.parse_math": False, "svg.hashsalt": "soundalike", "svg.fonttype": "none"}


@dataclass(frozen=True)
class Look:
    """The colours of a sheet: background, text, less important text, kinds of dots, the rest."""

    paper: str
    ink: str
    pale: str
    kinds: tuple[str, ...]
    rest: str
    scale: str


LIGHT = Look(
    "#ffffff",
    "#1a1a1a",
    "#6b6b6b",
    ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#3A9BD9", "#4D4D4D", "#7A4FBF"),
    "#C4C4C4",
    "viridis_r",
)
DARK = Look(
    "#16181d",
    "#f2f2f2",
    "#9aa0aa",
    ("#4BA3E3", "#F0803C", "#2CC79A", "#E79AC6", "#F0D442", "#8FD3FF", "#C9CED6", "#B79CF0"),
    "#565C66",
    "viridis",
)


def check_picture(out: Path, color: str) -> None:
    """Raise a QueryError for an ending or colouring there is none of, a LibraryError for no matplotlib."""
    if out.suffix.lower() not in ENDINGS:
        raise QueryError(f"{out.name}: a picture ends in {' or '.join(ENDINGS)}")
    if color not in COLORS:
        raise QueryError(f"no colouring {color!r}; there are {', '.join(COLORS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise LibraryError(
            "pictures need matplotlib, which is missing: pip install 'soundalike[map]'; "
            "a map as data (.json) needs none"
        )


def draw(seen: Map, out: Path, *, color: str = "cluster", dark: bool = False) -> None:
    """Draw a map.

    Args:
        seen: the map.
        out: .png or .svg; a file that is there is replaced.
        color: what the colours tell apart, one of `COLORS`.
        dark: light on dark.

    Raises:
        QueryError: no such colouring, or another ending.
        LibraryError: matplotlib is not installed, or the file cannot be written.
    """
    check_picture(out, color)
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    look = DARK if dark else LIGHT
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name may have letters that no font here has; they become boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        matplotlib.rcdefaults()  # whatever style a person has set up, the picture is the same
        matplotlib.rcParams.update(_STYLE)
        matplotlib.rcParams["font.family"] = _fonts()
        extent = np.ptp(seen.places, axis=0) + 0.05
        shape = min(max(float(extent[1] / extent[0]), 0.5), 0.9)
        below = BELOW if color == "cluster" else BELOW + LEGEND
        height = WIDTH * shape + below + ABOVE
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=look.paper)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.02, below / height, 0.96, WIDTH * shape / height))
        axes.set_axis_off()
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.06)
        _dots(axes, seen, color, look)
        _say(figure, seen, color, look)
        if color != "cluster":
            _legend(figure, axes, look)
        _names(figure, axes, seen, look, own_colors=color == "cluster")
        form = out.suffix.lower()[1:]
        about = {"Software": None} if form == "png" else {"Date": None}
        with explained(f"cannot write {out}"), replaced(out) as file:
            figure.savefig(file, format=form, facecolor=look.paper, metadata=about)


def _fonts() -> list[str]:
    """The font that comes with matplotlib, and for letters it lacks those of this machine."""
    from matplotlib.font_manager import get_font_names

    return ["DejaVu Sans", *(name for name in FALLBACKS if name in get_font_names())]


def _dots(axes: Any, seen: Map, color: str, look: Look) -> None:
    N = len(seen.tracks)
    style = {
        "s": float(np.clip(14000 / N, 2.5, 46)),
        "linewidths": 0.5 if N < 3000 else 0,
        "edgecolors": look.paper,
        "alpha": 0.9 if N < 3000 else 0.6,
        "rasterized": N > SHAPES,
    }
    if color == "year":
        years = np.array([track.year or np.nan for track in seen.tracks], float)
        _scatter(axes, seen, np.isnan(years), {**style, "color": look.rest, "label": "no year"})
        if not np.isnan(years).all():
            there = ~np.isnan(years)
            first, last = years[there].min(), years[there].max()
            style |= {"c": years[there], "cmap": look.scale, "vmin": first}
            style["vmax"] = max(last, first + 1)
            drawn = _scatter(axes, seen, there, style)
            bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.35, pad=0.01, aspect=18)
            bar.outline.set_visible(False)
            bar.ax.tick_params(colors=look.pale, labelsize=9, length=0)
            bar.ax.yaxis.get_major_locator().set_params(integer=True)
            bar.ax.yaxis.set_major_formatter("{x:.0f}")
        return
    kinds, names = _kinds(seen, color, 2 * len(look.kinds))
    _scatter(axes, seen, kinds < 0, {**style, "color": look.rest, "label": OTHER})
    for kind, name in enumerate(names):
        shape = {"color": look.kinds[kind % len(look.kinds)], "label": name}
        shape["marker"] = _SHAPES[kind // len(look.kinds) % len(_SHAPES)]
        _scatter(axes, seen, kinds == kind, {**style, **shape})


def _scatter(axes: Any, seen: Map, chosen: npt.NDArray[np.bool_], style: dict[str, Any]) -> Any:
    if chosen.any():
        x, y = seen.places[chosen].T
        return axes.scatter(x, y, **style)
    return None


def _kinds(seen: Map, color: str, most: int) -> tuple[npt.NDArray[np.int64], list[str]]:
    """What each track is coloured as: [N], -1 for the rest; and the names, the most frequent first."""
    if color == "cluster":
        return seen.labels, [cluster.name for cluster in seen.clusters]
    said = [_tag(track, color) for track in seen.tracks]
    counts = Counter(text for text in said if text)
    names = [name for name, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:most]]
    number = {name: kind for kind, name in enumerate(names)}
    return np.array([number.get(text, -1) for text in said], np.int64), names


def _tag(track: Track, color: str) -> str:
    if color == "folder":
        return clean(track.path.parent.name)
    if color == "artist":
        return track.artist or track.album_artist
    return str(getattr(track, color))


def _say(figure: Any, seen: Map, color: str, look: Look) -> None:
    """What is seen, in words: above and below."""
    count = f"{len(seen.tracks):,} track" + ("s" if len(seen.tracks) != 1 else "")
    high = figure.get_figheight()
    title = f"{count}, by how they sound"
    figure.text(0.03, 1 - 0.45 / high, title, size=17, weight="bold", color=look.ink)
    told = {
        "cluster": "A dot is a track; near means alike. Colours are groups that sound alike, "
        "named by what their tags have in common.",
        "year": "A dot is a track; near means alike. Colours are years; names are those of groups "
        "that sound alike.",
    }
    other = (
        f"A dot is a track; near means alike. Colours are {color}s, the most frequent ones; names "
        "are those of groups that sound alike."
    )
    figure.text(0.03, 1 - 0.7 / high, told.get(color, other), size=10, color=look.pale)
    layout = {"tsne": "t-SNE", "pca": "principal components"}[seen.layout]
    foot = f"Layout: {layout}. Directions have no meaning, and great distances little."
    figure.text(0.03, 0.2 / high, foot, size=8.5, color=look.pale)


def _legend(figure: Any, axes: Any, look: Look) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    legend = figure.legend(
        handles,
        [_short(label) for label in labels],
        loc="lower right",
        bbox_to_anchor=(0.98, 0.02),
        ncols=min(4, math.ceil(len(handles) / 3)),
        frameon=False,
        labelcolor=look.ink,
        fontsize=9,
        handletextpad=0.2,
        columnspacing=1.0,
    )
    for handle in legend.legend_handles:
        handle.set(sizes=[40], alpha=1)


def _names(figure: Any, axes: Any, seen: Map, look: Look, *, own_colors: bool) -> None:
    """Write the names of the groups, each as near to its group as the others leave room."""
    # Not a halo, which an SVG would hold as outlines: names are to be found and copied there.
    veil = {"facecolor": look.paper, "edgecolor": "none", "alpha": 0.6, "pad": 1}
    size = 11 if len(seen.clusters) <= 12 else 9
    renderer = figure.canvas.get_renderer()
    taken: list[Box] = []
    figure.draw_without_rendering()
    sheet = axes.get_window_extent(renderer)
    dots = axes.transData.transform(seen.places[:: math.ceil(len(seen.places) / MOST_DOTS)])
    for cluster in seen.clusters:
        color = look.kinds[cluster.number % len(look.kinds)] if own_colors else look.pale
        text = axes.text(
            *seen.centre(cluster),
            _lines(cluster.name),
            size=size,
            linespacing=1.0,
            weight="bold",
            color=color,
            ha="center",
            va="center",
            bbox=veil,
            zorder=5,
        )
        box = text.get_window_extent(renderer).padded(2)
        x, y = _free(box.bounds, taken, sheet.bounds, dots)
        taken.append((x, y, box.width, box.height))
        middle = (x + box.width / 2, y + box.height / 2)
        text.set_position(axes.transData.inverted().transform(middle))
        moved = math.hypot(x - box.x0, y - box.y0)
        if moved > 2.5 * box.height:
            ends = axes.transData.inverted().transform([middle]).tolist()
            axes.plot(
                *zip(*ends, seen.centre(cluster), strict=True),
                color=color,
                lw=0.8,
                alpha=0.7,
                zorder=4,
            )


Box = tuple[float, float, float, float]


def _free(box: Box, taken: Sequence[Box], sheet: Box, dots: Any) -> tuple[float, float]:
    """Find a place for a box (x, y, width, height) on a spiral around where it should be.

    It stays on the sheet and touches no other box. Of such places it takes the one where it covers few
    dots and is still near; where all is full it stays where it should be.
    """
    x, y, width, height = box
    left, bottom, wide, high = sheet
    best, least = (x, y), math.inf
    for step in range(500):
        angle, radius = 0.5 * step, 0.05 * step
        if radius * FAR > least:
            break
        # Lines of text are flat: less sideways costs as much as more up and down.
        at_x = x + 1.6 * radius * height * math.cos(angle)
        at_y = y + radius * height * math.sin(angle)
        at_x = min(max(at_x, left), left + wide - width)
        at_y = min(max(at_y, bottom), bottom + high - height)
        if any(_touch((at_x, at_y, width, height), other) for other in taken):
            continue
        inside = (dots > (at_x - 4, at_y - 4)) & (dots < (at_x + width + 4, at_y + height + 4))
        cost = radius * FAR + float(inside.all(axis=1).sum())
        if cost < least:
            best, least = (at_x, at_y), cost
    return best


def _touch(one: Box, other: Box) -> bool:
    across = one[0] < other[0] + other[2] and other[0] < one[0] + one[2]
    return across and one[1] < other[1] + other[3] and other[1] < one[1] + one[3]


def _lines(name: str) -> str:
    """A name on two lines, parted where it has a space nearest the middle."""
    name = _short(name)
    # Not before a dash, which would begin a line.
    spaces = [i for i, letter in enumerate(name) if letter == " " and name[i + 1 : i + 2] != "-"]
    if len(name) <= LINE or not spaces:
        return name
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2))
    return f"{name[:middle]}\n{name[middle + 1 :]}"


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
