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
        entry("good", AS_IT_IS + 0.1),
        entry("blank", AS_IT_IS - 0.1),
    ),
}
ROWS = (
    ",the recipe,no,base",
    "chain,crop alone,no,bare",
    "mask,everything,no,long",
    "chain,half of it,no,half",
    "loss,another,no,bare",
    "teacher,a bad one,yes,bare",
    "scores,some,yes,good",
    "training,none,no,blank",
)


@pytest.fixture
def arms(tmp_path: Path) -> Path:
    """The list of arms; one of them learnt for too long, one not at all."""
    minutes = {"base": 10, "bare": 10.3, "half": 10, "long": 15, "good": 10, "blank": 0}
    for name, spent in minutes.items():
        run(tmp_path, name, length=30.0, count=3, seconds=60.0 * spent)
    path = tmp_path / "arms.csv"
    path.write_text("\n".join(["part,change,adds,run", *ROWS]))
    return path


def test_each_change_is_held_against_the_recipe(arms: Path) -> None:
    figures = ablation.measure(RECORD, ablation.read_arms(arms))
    words = ablation.verdict(figures)
    for said in (
        "**chain**: not shown to earn its place. crop alone: worse in same_track, degraded; "
        "half of it: undecided.",
        "**mask**: nothing follows from unequal training. everything (NOT at equal training): better",
        "**loss**: earns its place. another: worse in same_track, degraded.",
        "**teacher**: not shown to be worth adding. a bad one: worse",
        "**scores**: worth adding. some: better",
        "**training**: earns its place. none: worse",
    ):
        assert f"- {said}" in words
    bare = figures["arms"][1]
    assert bare["gaps"]["same_track"] == pytest.approx([-0.3, -0.3, -0.3])
    assert bare["scores"]["same_track"][0] == pytest.approx(0.4)


def test_the_table_marks_what_is_decided(arms: Path) -> None:
    figures = ablation.measure(RECORD, ablation.read_arms(arms))
    base, bare, _, half = ablation.as_markdown(figures).splitlines()[4:8]
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
        ("part,change\n,the recipe\n", "is no CSV with the columns part, change, adds, run"),
        ("part,change,adds,run\n", "the first row has to be the recipe"),
        ("part,change,adds,run\nchain,crop alone,no,bare\n", "the first row has to be the recipe"),
    ],
)
def test_a_list_of_something_else_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "arms.csv"
    path.write_text(text)
    with pytest.raises(QueryError, match=why):
        ablation.read_arms(path)
    with pytest.raises(QueryError, match="is no CSV"):
        ablation.read_arms(tmp_path)
