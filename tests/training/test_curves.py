"""The picture of a run: which numbers are drawn where."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.figure import Figure

from soundalike.training.curves import draw_curves
from soundalike.training.state import write_history

HISTORY = [
    {"step": 1, "rate": 0.1, "contrast": 4.0, "teacher": 2.0},
    {"step": 2, "rate": 0.1, "contrast": 3.0, "teacher": 1.5, "MRR": 0.25, "top-1": 0.125},
    {"step": 3, "rate": 0.1, "contrast": 2.0, "teacher": 1.0},
    {"step": 4, "rate": 0.0, "contrast": 1.0, "teacher": 0.5, "MRR": 0.75, "top-1": 0.5},
]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures, as they were when they were closed."""
    figures: list[Figure] = []
    monkeypatch.setattr(pyplot, "close", figures.append)
    return figures


def lines(figure: Figure, panel: int) -> dict[str, list[tuple[float, float]]]:
    return {
        str(line.get_label()): [(float(x), float(y)) for x, y in line.get_xydata()]
        for line in figure.axes[panel].get_lines()
    }


def test_losses_are_drawn_left_and_retrieval_right(tmp_path: Path, drawn: list[Figure]) -> None:
    write_history(tmp_path / "history.jsonl", HISTORY)
    picture = tmp_path / "curves.png"
    draw_curves(tmp_path / "history.jsonl", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    (figure,) = drawn
    assert lines(figure, 0) == {
        "contrast": [(1, 4.0), (2, 3.0), (3, 2.0), (4, 1.0)],
        "teacher": [(1, 2.0), (2, 1.5), (3, 1.0), (4, 0.5)],
    }
    assert lines(figure, 1) == {"MRR": [(2, 0.25), (4, 0.75)], "top-1": [(2, 0.125), (4, 0.5)]}


def test_a_run_that_was_not_looked_at_yet_has_losses_only(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    write_history(tmp_path / "history.jsonl", HISTORY[:1])
    draw_curves(tmp_path / "history.jsonl", tmp_path / "curves.png")
    assert set(lines(drawn[0], 0)) == {"contrast", "teacher"}
    assert lines(drawn[0], 1) == {}


def test_there_is_no_picture_of_nothing(tmp_path: Path) -> None:
    draw_curves(tmp_path / "history.jsonl", tmp_path / "curves.png")
    (tmp_path / "history.jsonl").touch()
    draw_curves(tmp_path / "history.jsonl", tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
