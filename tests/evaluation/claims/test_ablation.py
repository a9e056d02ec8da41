"""One thing changed at a time: by a record, the folders of the runs, and the list that names them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.claims.trained_runs import Q, entry, record_of, run
from soundalike.errors import QueryError
from soundalike.evaluation.claims import ablation
from soundalike.evaluation.record import as_json

AS_IT_IS = np.linspace(0.5, 0.9, Q)
NOISE = np.random.default_rng(0).normal(0, 0.1, Q)
RECORD = {
    "tracks": "tracks.csv",
    "split": "validation",
    **record_of(
        entry("base", AS_IT_IS),
        entry("bare", AS_IT_IS - 0.3),
        entry("half", AS_IT_IS + NOISE - NOISE.mean()),
        entry("long", AS_IT_IS + 0.1),
    ),
}
ROWS = ",the recipe,base", "chain,crop alone,bare", "chain,half of it,half", "mask,everything,long"


@pytest.fixture
def arms(tmp_path: Path) -> Path:
    """The list of four runs, one of them too long."""
    for name, seconds in (("base", 600.0), ("bare", 620.0), ("half", 600.0), ("long", 900.0)):
        run(tmp_path, name, length=30.0, count=3, seconds=seconds)
    path = tmp_path / "arms.csv"
    path.write_text("\n".join(["part,change,run", *ROWS]))
    return path


def test_each_change_is_held_against_the_recipe(arms: Path) -> None:
    figures = ablation.measure(RECORD, ablation.read_arms(arms))
    words = ablation.verdict(figures)
    assert (
        "**chain** earns its place. crop alone: worse in same_track, degraded; half of it: undec"
        in words
    )
    assert (
        "**mask** is not shown to. everything (NOT at equal training): better in same_track, d"
        in words
    )
    bare = figures["arms"][1]
    assert bare["gaps"]["same_track"] == pytest.approx([-0.3, -0.3, -0.3])
    assert bare["scores"]["same_track"][0] == pytest.approx(0.4)


def test_the_table_marks_what_is_decided(arms: Path) -> None:
    figures = ablation.measure(RECORD, ablation.read_arms(arms))
    base, bare, half, _ = ablation.as_markdown(figures).splitlines()[4:8]
    assert base.startswith("| none | the recipe | 2 | 10.0 | 0.700 (")
    assert bare.count("**0.400 (-0.300 to -0.300)**") == 2
    assert "**" not in half
    assert "0.700 (-" in half


def test_figures_go_through_the_record(arms: Path, tmp_path: Path) -> None:
    figures = ablation.measure(RECORD, ablation.read_arms(arms))
    assert json.loads(as_json(figures)) == figures
    pytest.importorskip("matplotlib")
    ablation.draw(figures, tmp_path / "ablation.png")
    assert (tmp_path / "ablation.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("part,change\n,the recipe\n", "is no CSV with the columns part, change, run"),
        ("part,change,run\n", "the first row has to be the recipe"),
        ("part,change,run\nchain,crop alone,bare\n", "the first row has to be the recipe"),
    ],
)
def test_a_list_of_something_else_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "arms.csv"
    path.write_text(text)
    with pytest.raises(QueryError, match=why):
        ablation.read_arms(path)
    with pytest.raises(QueryError, match="is no CSV"):
        ablation.read_arms(tmp_path)
