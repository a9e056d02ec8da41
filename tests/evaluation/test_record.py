"""Records: JSON that every reader takes, and that grows by systems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.errors import QueryError
from soundalike.evaluation.descriptions import Cost
from soundalike.evaluation.record import (
    as_json,
    followed_by,
    new_record,
    read_evaluations,
    ready_to_write,
    with_evaluation,
    write_record,
)
from soundalike.evaluation.retrieval import judge
from soundalike.evaluation.suite import Evaluation
from soundalike.evaluation.tasks.recordings import Recording
from soundalike.evaluation.tasks.same_label import same_album
from soundalike.evaluation.tasks.same_track import same_track

RECORDINGS = [Recording(Path(f"{n}.wav"), album, "") for n, album in enumerate("aabbc")]
SET = {"tracks": "tracks.csv", "split": "test", "seed": 0}


def evaluation(system: str, similarity: np.ndarray, aggregation: str = "mean") -> Evaluation:
    tasks = (same_track(RECORDINGS), same_album(RECORDINGS))
    return Evaluation(
        system=system,
        identity=f"{system}@0123456789ab",
        aggregation=aggregation,
        tracks=5,
        numbers=192,
        cost=Cost(5, 60.0, 0.2, 0.1234567891),
        asked={"same_track": "abc", "same_album": "def"},
        results=[score for task in tasks for score in judge(task, similarity)],
    )


PERFECT = np.array([[float(a.album == b.album) for b in RECORDINGS] for a in RECORDINGS]) + np.eye(
    5
)


def record(*evaluations: Evaluation) -> dict[str, Any]:
    made = new_record(SET, {"hubness": "too few tracks"})
    for each in evaluations:
        made = with_evaluation(made, each)
    return made


def test_the_record_is_json_that_every_reader_takes() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text = as_json(record(evaluation("ours", PERFECT)))
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    assert (found["tracks"], found["split"], found["seed"]) == ("tracks.csv", "test", 0)
    assert found["skipped"] == {"hubness": "too few tracks"}
    assert set(found["provenance"]) >= {"commit", "machine", "python", "date"}
    (ours,) = found["evaluations"]
    assert (ours["identity"], ours["numbers"], ours["tracks"]) == ("ours@0123456789ab", 192, 5)
    assert ours["bytes"] == 768
    assert ours["cost"] == {"sounds": 5, "audio": 60.0, "wall": 0.2, "processor": 0.123457}
    assert ours["provenance"] == found["provenance"]
    album = ours["results"][1]
    assert (album["task"], album["kind"], album["queries"]) == ("same_album", "", 4)
    assert album["values"]["mAP"] == [1, 1, 1, 1, None]  # the last query has nothing to find
    assert album["scores"]["mAP"] == {"mean": 1, "low": 1, "high": 1}
    assert len(set(album["groups"])) == 3  # the album names; queries of one are drawn together
    assert "groups" not in ours["results"][0]


def test_values_stand_on_one_line_with_six_digits() -> None:
    similarity = np.tile([0.5, 0.4, 0.3, 0.2, 0.1], (5, 1))
    text = as_json(record(evaluation("ours", similarity)))
    assert '"MRR": [1.0, 0.5, 0.333333, 0.25, 0.2]' in text
    assert len(text.splitlines()) < 120


def test_names_are_not_changed_by_the_layout() -> None:
    name = "[\n1 2\n] naïve"
    assert (
        json.loads(as_json(record(evaluation(name, PERFECT))))["evaluations"][0]["system"] == name
    )


def test_a_system_measured_again_replaces_itself_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "results/record.json"
    first = record(evaluation("a", PERFECT), evaluation("b", PERFECT))
    write_record(first, path)
    again = record(evaluation("b", 1 - PERFECT), evaluation("b", PERFECT, "concat"))
    write_record(followed_by(again, read_evaluations(path, SET)), path)
    found = json.loads(path.read_text())["evaluations"]
    names = [(each["system"], each["aggregation"]) for each in found]
    assert names == [("b", "mean"), ("b", "concat"), ("a", "mean")]
    assert found[0]["results"][0]["scores"]["top-1"]["mean"] == 0
    assert found[2] == json.loads(as_json(first))["evaluations"][0]


def test_tasks_that_were_not_asked_again_stay(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_record(record(evaluation("a", PERFECT)), path)
    again = record(evaluation("a", 1 - PERFECT))
    (entry,) = again["evaluations"]
    entry["results"], entry["asked"] = entry["results"][:1], {"same_track": "abc"}
    (merged,) = followed_by(again, read_evaluations(path, SET))["evaluations"]
    assert [each["task"] for each in merged["results"]] == ["same_track", "same_album"]
    assert merged["results"][0]["scores"]["top-1"]["mean"] < 1
    assert merged["asked"] == {"same_track": "abc", "same_album": "def"}


def test_other_recordings_of_the_same_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    told = {**new_record({**SET, "recordings": "1f"}, {}), "evaluations": []}
    write_record(told, path)
    with pytest.raises(QueryError, match=r"is the record of .* recordings 1f"):
        read_evaluations(path, {**SET, "recordings": "2e"})
    assert read_evaluations(path, {**SET, "recordings": "1f"}) == []
    write_record(record(evaluation("a", PERFECT)), path)  # an older one does not say
    assert len(read_evaluations(path, {**SET, "recordings": "2e"})) == 1


def test_a_record_without_a_provenance_for_each_system_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    old = json.loads(as_json(record(evaluation("a", PERFECT))))
    old["provenance"] = {"commit": "old"}
    del old["evaluations"][0]["provenance"], old["seed"], old["skipped"]
    path.write_text(json.dumps(old))
    (kept,) = read_evaluations(path, SET)
    assert kept["provenance"] == {"commit": "old"}


def test_nothing_else_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    assert read_evaluations(path, SET) == []
    write_record(record(evaluation("a", PERFECT)), path)
    for key, other in (("split", "validation"), ("tracks", "mine.csv"), ("seed", 1)):
        with pytest.raises(
            QueryError,
            match=r"is the record of tracks tracks\.csv, split test, seed 0; name another file",
        ):
            read_evaluations(path, {**SET, key: other})
    for text in ("{}", "[1]", "words", '{"tracks": "tracks.csv", "evaluations": 3}'):
        path.write_text(text)
        with pytest.raises(QueryError, match="it is no record of an evaluation"):
            read_evaluations(path, SET)
        assert path.read_text() == text


def test_the_old_record_stays_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    write_record(record(evaluation("a", PERFECT)), path)
    before = path.read_text()

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk is full"):
        write_record(record(evaluation("b", PERFECT)), path)
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_record_of_its_kind_is_not_overwritten(tmp_path: Path) -> None:
    song, other, ours = (tmp_path / name for name in ("song.flac", "other.json", "new/ours.json"))
    song.write_bytes(b"fLaC\xff\xfe")
    other.write_text(json.dumps({"provenance": {}, "evaluations": []}), "utf-8")
    for path in (song, other):
        before = path.read_bytes()
        with pytest.raises(QueryError, match="would be overwritten"):
            ready_to_write(path, "claim")
        assert path.read_bytes() == before
    claim = tmp_path / "claim.json"
    claim.write_text(json.dumps({"provenance": {}, "claim": "artist"}), "utf-8")
    ready_to_write(claim, "claim", "artist")
    with pytest.raises(QueryError, match="no record of this kind"):
        ready_to_write(claim, "claim", "labels")
    ready_to_write(ours, "claim")
    assert ours.parent.is_dir()
    ready_to_write(other, "evaluations")
