"""Results for people and for the record."""

from __future__ import annotations

import json
import math
import subprocess
from typing import Any

import numpy as np
import pytest

from soundalike.evaluation import report
from soundalike.evaluation.report import as_json, as_markdown, as_text, provenance
from soundalike.evaluation.suite import Evaluation
from soundalike.evaluation.tasks import same_album, same_track

ALBUMS = ["a", "a", "b", "b", "c"]  # the last one has no mates


def evaluation(system: str, similarity: np.ndarray, albums: list[str] = ALBUMS) -> Evaluation:
    return Evaluation(
        system=system,
        identity=f"{system}@0123456789ab",
        aggregation="mean",
        tracks=len(albums),
        numbers=192,
        seconds=1.5,
        results=[same_track(similarity), same_album(similarity, albums)],
    )


@pytest.fixture
def both() -> list[Evaluation]:
    perfect = np.array([[float(a == b) for b in ALBUMS] for a in ALBUMS]) + np.eye(5)
    return [evaluation("ours", perfect), evaluation("theirs", 1 - perfect)]


def test_the_table_has_a_line_for_each_system(both: list[Evaluation]) -> None:
    head, ours, theirs, foot = as_text(both).splitlines()
    tasks = ["same_track", "same_album"]
    assert head.split()[::2] == [task for task in tasks for _ in range(2)]
    assert head.split()[1::2] == ["top-1", "MRR", "mAP", "P@5"]
    assert ours.split() == [
        "ours",
        *("1.000", "(1.000-1.000)") * 3,
        *("0.200", "(0.200-0.200)"),
    ]
    assert theirs.startswith("theirs")
    assert "0.000 (0.000-0.000)" in theirs
    assert foot == "5 tracks; 95 % bootstrap interval over queries"
    assert len({len(line) for line in (head, ours, theirs)}) == 1  # columns stand in line


def test_a_long_name_keeps_its_end() -> None:
    name = "/a/very/long/path/to/the/folder/of/a/model"
    line = as_text([evaluation(name, np.eye(5))]).splitlines()[1]
    assert line.startswith(name[-24:])


def test_the_record_is_json_that_every_reader_takes(both: list[Evaluation]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text = as_json(both, tracks="tracks.csv", split="test")
    record: dict[str, Any] = json.loads(text, parse_constant=refuse)
    assert (record["tracks"], record["split"]) == ("tracks.csv", "test")
    assert set(record["provenance"]) >= {"commit", "machine", "python"}
    ours = record["evaluations"][0]
    assert (ours["identity"], ours["numbers"], ours["tracks"]) == ("ours@0123456789ab", 192, 5)
    album = ours["results"][1]
    assert album["task"] == "same_album"
    assert album["values"]["mAP"] == [1, 1, 1, 1, None]  # the last query has nothing to find
    assert album["scores"]["mAP"] == {"mean": 1, "low": 1, "high": 1}


def test_a_record_becomes_a_markdown_table(both: list[Evaluation]) -> None:
    record = json.loads(as_json(both, tracks="tracks.csv", split="test"))
    head, rule, ours, theirs = as_markdown(record).splitlines()
    assert head == (
        "| system | numbers per track | same track top-1 | same track MRR | same album mAP "
        "| same album P@5 |"
    )
    assert head.count("|") == rule.count("|") == ours.count("|") == theirs.count("|")
    assert ours.startswith("| ours@0123456789ab | 192 | 1.000 (1.000-1.000) |")


def test_a_score_that_no_query_has_is_a_dash() -> None:
    alone = [evaluation("ours", np.eye(3), ["a", "b", "c"])]
    assert all(math.isnan(score.mean) for score in alone[0].results[1].scores.values())
    assert as_text(alone).splitlines()[1].split()[-2:] == ["-", "-"]
    record = json.loads(as_json(alone, tracks="tracks.csv", split="test"))
    assert record["evaluations"][0]["results"][1]["scores"]["mAP"]["mean"] is None
    assert as_markdown(record).splitlines()[-1].endswith("| - | - |")


def test_provenance_names_commit_machine_and_python() -> None:
    found = provenance()
    assert found["commit"]
    assert "cores" in found["machine"]
    assert found["python"].count(".") == 2


def test_without_git_the_commit_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert report.provenance()["commit"] == "unknown"
