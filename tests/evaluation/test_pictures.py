"""Pictures: a PNG of the right size, with these numbers in it, and other numbers make another one."""

from __future__ import annotations

import importlib.util
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from soundalike.errors import ModelError
from soundalike.evaluation import pictures
from soundalike.evaluation.metrics import Interval

PANELS = {
    "same track: MRR": {"ours": Interval(0.9, 0.8, 0.95), "theirs": Interval(0.5, 0.4, 0.6)},
    "same album: mAP": {"ours": Interval(0.3, 0.2, 0.4), "theirs": Interval(math.nan, 0.0, 0.0)},
}
CELLS = {"mp3": {"ours": 0.875, "theirs": 0.25}, "noise": {"ours": 0.5}}


def forest(picture: Path, mean: float = 0.9) -> None:
    panels = {**PANELS, "same track: MRR": {"ours": Interval(mean, 0.8, 0.95)}}
    pictures.forest(panels, picture)


def heat_map(picture: Path, share: float = 0.875) -> None:
    cells = {**CELLS, "mp3": {"ours": share, "theirs": 0.25}}
    pictures.heat_map(cells, picture, label="top-1", columns=["ours", "theirs"])


def bars(picture: Path, value: float = 1.5) -> None:
    pictures.bars({"ours": value, "theirs": -0.5}, picture, label="skewness")


def steps(picture: Path, height: float = 0.5) -> None:
    curves = {"a": ([0.0, 0.5, 1.0], [height, 1.0]), "b": ([0.0, 0.5, 1.0], [0.2, 0.1])}
    pictures.steps(curves, picture, labels=("similarity", "share"))


DRAWINGS = [forest, heat_map, bars, steps]


def size_of(picture: Path) -> tuple[int, int]:
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were written."""
    figures: list[Figure] = []
    save = Figure.savefig

    def remember(self: Figure, *args: Any, **options: Any) -> None:
        figures.append(self)
        save(self, *args, **options)

    monkeypatch.setattr(Figure, "savefig", remember)
    return figures


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_picture_is_as_wide_as_a_page(draw: Callable[..., None], tmp_path: Path) -> None:
    draw(tmp_path / "picture.png")
    width, height = size_of(tmp_path / "picture.png")
    assert width == 960
    assert 100 < height < 960


@pytest.mark.parametrize("draw", DRAWINGS)
def test_the_same_numbers_give_the_same_bytes(draw: Callable[..., None], tmp_path: Path) -> None:
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 30}):
        draw(tmp_path / "styled.png")  # somebody else's settings
    draw(tmp_path / "plain.png")
    draw(tmp_path / "other.png", 0.25)
    plain = (tmp_path / "plain.png").read_bytes()
    assert (tmp_path / "styled.png").read_bytes() == plain
    assert (tmp_path / "other.png").read_bytes() != plain
    assert mpl.__version__.encode() not in plain


def test_a_forest_has_a_dot_and_an_interval_per_system(tmp_path: Path, drawn: list[Figure]) -> None:
    pictures.forest(PANELS, tmp_path / "forest.png")
    track, album = drawn[0].axes
    assert [axes.get_title() for axes in (track, album)] == list(PANELS)
    assert [label.get_text() for label in track.get_yticklabels()] == ["ours", "theirs"]
    lines = [line.get_xydata().tolist() for line in track.get_lines()]
    assert [[0.8, 0], [0.95, 0]] in lines
    assert [[0.9, 0]] in lines
    assert [[0.4, 1], [0.6, 1]] in lines
    assert [[0.5, 1]] in lines
    # The album has no value for the second system: nothing stands in its line.
    assert all(y == 0 for line in album.get_lines()[:2] for _, y in line.get_xydata().tolist())
    assert len(album.get_lines()) == 3


def test_questions_show_what_guessing_scores(tmp_path: Path, drawn: list[Figure]) -> None:
    chance = {"ours": 0.125, "theirs": 0.25}
    pictures.forest(PANELS, tmp_path / "forest.png", chance=chance)
    marks = [line.get_xdata()[0] for line in drawn[0].axes[0].get_lines()]
    assert {0.125, 0.25} <= {float(mark) for mark in marks}
    colours = {line.get_color() for line in drawn[0].axes[0].get_lines()}
    assert colours == {pictures.OURS, pictures.SECOND}


def test_many_panels_stand_in_rows_of_three(tmp_path: Path, drawn: list[Figure]) -> None:
    panels = {f"task {number}": PANELS["same track: MRR"] for number in range(7)}
    pictures.forest(panels, tmp_path / "forest.png")
    assert [axes.get_title() for axes in drawn[0].axes] == list(panels)
    assert size_of(tmp_path / "forest.png")[1] > 2 * size_of_one(tmp_path)


def size_of_one(folder: Path) -> int:
    pictures.forest({"one": PANELS["same track: MRR"]}, folder / "one.png")
    return size_of(folder / "one.png")[1]


def test_a_heat_map_prints_every_number(tmp_path: Path, drawn: list[Figure]) -> None:
    heat_map(tmp_path / "heat.png")
    axes = drawn[0].axes[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert texts == {(0, 0): "0.88", (1, 0): "0.25", (0, 1): "0.50", (1, 1): "-"}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["ours", "theirs"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["mp3", "noise"]


def test_bars_carry_their_numbers(tmp_path: Path, drawn: list[Figure]) -> None:
    pictures.bars({"ours": 1.5, "none": math.nan, "theirs": -0.5}, tmp_path / "b.png", label="skew")
    axes = drawn[0].axes[0]
    assert [bar.get_width() for bar in axes.patches] == [1.5, -0.5]
    assert [text.get_text() for text in axes.texts] == ["1.50", "-0.50"]


def test_steps_have_the_heights_given(tmp_path: Path, drawn: list[Figure]) -> None:
    steps(tmp_path / "steps.png")
    axes = drawn[0].axes[0]
    assert [patch.get_data().values.tolist() for patch in axes.patches] == [[0.5, 1.0], [0.2, 0.1]]
    looks = {(patch.get_edgecolor(), patch.get_linestyle()) for patch in axes.patches}
    assert len({line for _, line in looks}) == 2  # told apart without colour, too


@pytest.mark.parametrize(("most", "scale"), [(7, "linear"), (2_000, "log")])
def test_counts_have_whole_ticks(
    most: int, scale: str, tmp_path: Path, drawn: list[Figure]
) -> None:
    curves = {"tracks": ([-0.5, 0.5, 1.5, 2.5], [most, 3, 1])}
    pictures.steps(curves, tmp_path / "counts.png", labels=("lists", "tracks"), counted=True)
    axes = drawn[0].axes[0]
    assert axes.get_yscale() == scale
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert "$" not in "".join(label.get_text() for label in axes.get_yticklabels())


def test_long_names_are_cut(tmp_path: Path, drawn: list[Figure]) -> None:
    pictures.bars({"n" * 80: 1.0}, tmp_path / "b.png", label="x")
    (label,) = [text.get_text() for text in drawn[0].axes[0].get_yticklabels()]
    assert len(label) == pictures.NAME_LENGTH
    assert label.endswith("…")


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: pictures.forest({}, path),
        lambda path: pictures.forest({"a task": {}}, path),
        lambda path: pictures.heat_map({}, path, label="", columns=["a"]),
        lambda path: pictures.bars({"a": math.nan}, path, label=""),
        lambda path: pictures.steps({}, path, labels=("", "")),
    ],
)
def test_there_is_no_picture_of_nothing(draw: Callable[[Path], None], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a picture of no"):
        draw(tmp_path / "nothing.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("draw", DRAWINGS)
def test_without_matplotlib_it_is_said_what_to_install(
    draw: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install matplotlib"):
        draw(tmp_path / "picture.png")
