"""The claim that identical tracks are found excellently, arrangements often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import QueryError
from soundalike.evaluation.claims import found_again
from soundalike.evaluation.claims.found_again import MET, MISSED, UNDECIDED
from soundalike.evaluation.metrics import Interval

QUERIES = 40


def result(task: str, kind: str, right: int) -> dict[str, Any]:
    values = [1.0] * right + [0.0] * (QUERIES - right)
    return {"task": task, "kind": kind, "values": {"top-1": values, "MRR": values}}


def entry(name: str, right: dict[tuple[str, str], int], asked: str = "a") -> dict[str, Any]:
    results = [result(task, kind, count) for (task, kind), count in right.items()]
    for each in results:
        if each["kind"] == "all":
            each["groups"] = [i // 2 for i in range(QUERIES)]
    tasks = {task: asked for task, _ in right}
    return {"identity": f"{name}@1", "asked": tasks, "results": results}


OURS = {
    ("same_track", ""): 40,
    ("degraded", "clean"): 40,
    ("degraded", "noise"): 10,
    ("degraded", "all"): 36,
    ("arrangement", "key"): 38,
    ("arrangement", "tempo"): 20,
    ("arrangement", "all"): 36,
}


def record(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"tracks": "tracks.csv", "split": "validation", "evaluations": list(entries)}


def test_a_kind_meets_its_word_misses_it_or_is_undecided() -> None:
    figures = found_again.measure(record(entry("ours", OURS)))
    degraded, arrangement = found_again.verdict(figures).splitlines()[1:]
    assert '"excellently" is undecided over all kinds together' in degraded
    assert "met by clean; missed by noise." in degraded
    assert '"often" is met over all kinds together' in arrangement
    assert "met by key; undecided by tempo." in arrangement


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.9, 1.0, MET), (0.89, 1.0, UNDECIDED), (0.5, 0.9, UNDECIDED), (0.5, 0.89, MISSED)],
)
def test_a_bar_is_met_by_the_whole_interval(low: float, high: float, word: str) -> None:
    assert found_again.judged(Interval((low + high) / 2, low, high), 0.9) == word


def test_the_best_of_the_others_stands_beside_ours_where_it_was_asked_the_same() -> None:
    better = dict.fromkeys(OURS, QUERIES)
    figures = found_again.measure(
        record(entry("ours", OURS), entry("weak", dict.fromkeys(OURS, 1)), entry("best", better))
    )
    row = next(r for r in found_again.as_markdown(figures).splitlines() if r.startswith("| noise"))
    assert "| missed | 1.000 (1.000-1.000) best |" in row
    others = found_again.measure(record(entry("ours", OURS), entry("best", better, asked="b")))
    assert "best |" not in found_again.as_markdown(others)


def test_a_record_without_the_tasks_is_refused() -> None:
    with pytest.raises(QueryError, match="was not asked degraded"):
        found_again.measure(record(entry("ours", {("same_track", ""): 4})))
    with pytest.raises(QueryError, match="was not asked degraded"):
        found_again.measure(record())


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found_again.draw(found_again.measure(record(entry("ours", OURS))), tmp_path / "it.png")
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")
