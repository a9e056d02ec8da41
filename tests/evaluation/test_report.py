"""Records for people: terminal and pages."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.evaluation import report
from soundalike.evaluation.descriptions import Cost
from soundalike.evaluation.record import new_record, with_evaluation
from soundalike.evaluation.report import as_markdown, as_text, provenance, tables
from soundalike.evaluation.retrieval import Retrieval, judge
from soundalike.evaluation.suite import Evaluation
from soundalike.evaluation.tasks.hubness import hubness
from soundalike.evaluation.tasks.recordings import Recording
from soundalike.evaluation.tasks.same_label import same_album
from soundalike.evaluation.tasks.same_track import same_track

ALBUMS = "aabbc"  # the last one has no mates
RNG = np.random.default_rng(0)


def recordings(albums: str) -> list[Recording]:
    return [Recording(Path(f"{n}.wav"), album, "") for n, album in enumerate(albums)]


def degraded(N: int) -> Retrieval:
    base = same_track(recordings("x" * N))
    return Retrieval(
        task="degraded",
        queries=[*base.queries, *base.queries],
        tracks=base.tracks,
        relevant=np.tile(base.relevant, (2, 1)),
        barred=np.tile(base.barred, (2, 1)),
        kinds=["mp3 32 kbit/s"] * N + ["20 dB noise"] * N,
        metrics=("top-1", "MRR"),
    )


def evaluation(system: str, similarity: np.ndarray, albums: str = ALBUMS) -> Evaluation:
    tracks = recordings(albums)
    worse = np.concatenate([similarity, -similarity])
    results = [
        *judge(same_track(tracks), similarity),
        *judge(degraded(len(albums)), worse),
        *judge(same_album(tracks), similarity),
        hubness(similarity),
    ]
    return Evaluation(
        system=system,
        identity=f"{system}@0123456789ab",
        aggregation="mean",
        tracks=len(albums),
        numbers=192,
        cost=Cost(5, 60.0, 0.25, 0.5),
        asked={each.task: "the same" for each in results},
        results=results,
    )


def record(*evaluations: Evaluation) -> dict[str, Any]:
    made = new_record({"tracks": "tracks.csv", "split": "test", "seed": 0}, {"arrangement": "none"})
    for each in evaluations:
        made = with_evaluation(made, each)
    return made


PERFECT = np.array([[float(a == b) for b in ALBUMS] for a in ALBUMS]) + np.eye(5)


@pytest.fixture
def both() -> dict[str, Any]:
    return record(evaluation("ours", PERFECT), evaluation("theirs", 1 - PERFECT))


def test_a_terminal_gets_a_table_per_task_and_a_line_per_system(both: dict[str, Any]) -> None:
    blocks = as_text(both).split("\n\n")
    assert [block.splitlines()[0] for block in blocks[:-1]] == [
        "same_track (5 queries)",
        "degraded (10 queries)",
        "degraded: top-1 by kind",
        "same_album (4 queries)",
        "hubness (5 queries)",
        "kept and spent per track",
    ]
    _, head, ours, theirs = blocks[0].splitlines()
    assert head.split() == ["top-1", "MRR"]
    assert ours.split() == ["ours", *("1.000", "(1.000-1.000)") * 2]
    assert theirs.split()[:3] == ["theirs", "0.000", "(0.000-0.000)"]
    for block in blocks[:-1]:
        lines = block.splitlines()[1:]
        assert len({len(line) for line in lines}) == 1  # columns stand in line
    assert blocks[-1].splitlines() == [
        "not asked: arrangement: none",
        "5 tracks; in brackets 95 % bootstrap intervals",
    ]


def test_kinds_are_rows_and_systems_columns(both: dict[str, Any]) -> None:
    block = as_text(both).split("\n\n")[2].splitlines()
    assert block[1].split() == ["ours", "theirs"]
    assert block[2].split() == ["mp3", "32", "kbit/s", "1.000", "0.000"]
    assert block[3].split() == ["20", "dB", "noise", "0.000", "1.000"]


def test_what_a_system_costs_is_said(both: dict[str, Any]) -> None:
    block = as_text(both).split("\n\n")[5].splitlines()
    assert block[2].split() == ["ours", "192", "768", "0.5", "0.25", "60"]
    del both["evaluations"][0]["cost"], both["evaluations"][0]["bytes"]  # of an old record
    assert as_text(both).split("\n\n")[5].splitlines()[2].split() == ["ours", "192", *"----"]


def test_a_long_name_keeps_its_end() -> None:
    name = "/a/very/long/path/to/the/folder/of/a/model"
    assert as_text(record(evaluation(name, np.eye(5)))).splitlines()[2].startswith(name[-24:])


def test_a_folder_is_called_what_its_model_calls_itself(both: dict[str, Any]) -> None:
    both["evaluations"][1] |= {"system": "runs/theirs/model", "identity": "cnn@0123456789ab"}
    assert as_text(both).splitlines()[3].split()[0] == "cnn"
    both["evaluations"][1]["identity"] = "ours@ba9876543210"
    assert as_text(both).splitlines()[3].split()[0] == "ours@ba9876543210"
    both["evaluations"][1]["identity"] = "ours@0123456789ab"  # one model by two ways
    assert as_text(both).splitlines()[3].split()[0] == "runs/theirs/model"


def test_one_name_for_two_systems_becomes_their_identities(both: dict[str, Any]) -> None:
    both["evaluations"][1]["system"] = "ours"
    lines = as_text(both).splitlines()
    assert lines[2].split()[0] == "ours@0123456789ab"
    assert lines[3].split()[0] == "theirs@0123456789ab"
    both["evaluations"][1]["aggregation"] = "concat"
    assert as_text(both).splitlines()[3].startswith("ours (concat)")


def test_the_first_scores_become_a_markdown_table(both: dict[str, Any]) -> None:
    head, rule, ours, theirs = as_markdown(both).splitlines()
    assert head == (
        "| system | numbers per track | same track top-1 | same track MRR | same album mAP "
        "| same album P@5 |"
    )
    assert head.count("|") == rule.count("|") == ours.count("|") == theirs.count("|")
    assert ours.startswith("| ours@0123456789ab | 192 | 1.000 (1.000-1.000) |")
    for each in both["evaluations"]:
        each["results"] = [r for r in each["results"] if r["task"] != "same_album"]
    assert as_markdown(both).splitlines()[2].endswith("| - | - |")  # was not asked


def test_a_score_that_no_query_has_is_a_dash() -> None:
    alone = record(evaluation("ours", np.eye(3), "abc"))
    (album,) = [r for r in alone["evaluations"][0]["results"] if r["task"] == "same_album"]
    assert album["scores"]["mAP"]["mean"] is None
    assert as_markdown(alone).splitlines()[-1].endswith("| - | - |")
    assert "| ours | - | - | - | - |" in tables(alone)


# Everything, as Markdown


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_task_has_a_section(both: dict[str, Any]) -> None:
    text = tables(both)
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles == ["same track", "degraded", "same album", "hubness", "What a track costs"]
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1
    degraded = section(text, "degraded")
    assert "| mp3 32 kbit/s | 1.000 | 0.000 |" in degraded
    assert "| top-1, by kind | ours | theirs |" in degraded
    assert "| ours | ours@0123456789ab | 192 | 768 | 0.5 | 0.25 | 60 |" in text


def test_differences_are_taken_query_by_query() -> None:
    similarity = RNG.random((40, 40)) + 0.3 * np.eye(40)
    better = similarity + 0.3 * np.eye(40)
    albums = "".join(chr(97 + n // 4) for n in range(40))
    made = record(evaluation("ours", better, albums), evaluation("theirs", similarity, albums))
    rows = section(tables(made), "same track").split("| ours@0123456789ab minus |")[1].splitlines()
    (ours,), (theirs,) = (
        [r for r in e["results"] if r["task"] == "same_track"] for e in made["evaluations"]
    )
    difference = np.subtract(ours["values"]["MRR"], theirs["values"]["MRR"])
    assert rows[2].startswith("| theirs@0123456789ab | +")
    assert f"| {difference.mean():+.3f} (" in rows[2]
    hubs = section(tables(made), "hubness")
    assert "| theirs@0123456789ab | " in hubs  # of the skewness too, over the same tracks


def test_of_copies_of_one_track_the_difference_is_no_surer_than_of_tracks() -> None:
    similarity = RNG.random((30, 30))
    better = similarity + 0.5 * np.eye(30)
    made = record(evaluation("ours", better, "x" * 30), evaluation("theirs", similarity, "x" * 30))
    found = section(tables(made), "degraded")
    assert "| theirs@0123456789ab | " in found
    for each in made["evaluations"]:
        for result in each["results"]:
            result.pop("groups", None)
    assert section(tables(made), "degraded") != found


def test_systems_that_were_not_asked_the_same_are_not_compared(both: dict[str, Any]) -> None:
    both["evaluations"][1]["asked"]["same_track"] = "other"
    assert "minus" not in section(tables(both), "same track")
    assert "minus" in section(tables(both), "same album")
    both["evaluations"][1]["results"] = both["evaluations"][1]["results"][:1]
    assert "minus" not in section(tables(both), "same album")


def test_a_record_of_before_there_were_kinds_is_read(both: dict[str, Any]) -> None:
    for each in both["evaluations"]:
        each["results"] = [r for r in each["results"] if r["task"] in ("same_track", "same_album")]
        for result in each["results"]:
            del result["kind"]
        for key in ("asked", "bytes", "cost", "provenance"):
            del each[key]
    del both["skipped"], both["seed"]
    assert "same_track (5 queries)" in as_text(both)
    assert "ours@0123456789ab minus" in tables(both)
    assert as_markdown(both).count("\n") == 3


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


def test_no_number_is_no_interval() -> None:
    assert math.isnan(report._interval({"mean": None, "low": None, "high": None}).mean)
