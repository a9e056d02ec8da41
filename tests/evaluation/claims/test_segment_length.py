"""Two encoders side by side: by a record and the folders of their runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.errors import ModelError, QueryError
from soundalike.evaluation.claims import segment_length
from soundalike.evaluation.metrics import bootstrap
from soundalike.evaluation.record import as_json

Q = 30


def run(folder: Path, name: str, *, length: float, count: int, seconds: float) -> Path:
    """A folder as training leaves it."""
    (folder / name / "model").mkdir(parents=True)
    config = {
        "name": name,
        "identity": f"{name}@1",
        "segments": {"length": length, "count": count},
        "dimension": 8,
    }
    (folder / name / "model" / "config.json").write_text(json.dumps(config))
    history = [{"step": i, "cpu_s": seconds * i / 2} for i in (1, 2)]
    (folder / name / "history.jsonl").write_text("".join(json.dumps(h) + "\n" for h in history))
    return folder / name


def entry(name: str, rr: np.ndarray, *, asked: str = "a") -> dict[str, Any]:
    """What the record holds of a system."""
    counts = {
        "task": "hubness",
        "kind": "",
        "queries": Q,
        "scores": {},
        "values": {"N_10": [1] * Q},
    }
    degraded = {"task": "degraded", "queries": Q, "scores": {}, "values": {"MRR": rr.tolist()}}
    return {
        "identity": f"{name}@1",
        "bytes": 768,
        "cost": {"sounds": 9, "audio": 100.0, "wall": 1.0, "processor": 0.5},
        "asked": {"same_track": asked, "degraded": asked, "hubness": asked},
        "results": [
            {**degraded, "task": "same_track", "kind": "", "values": {"top-1": [0] * Q, "MRR": rr}},
            {**degraded, "kind": "mp3"},
            {**degraded, "kind": "all", "groups": (np.arange(Q) // 3).tolist()},
            counts,
        ],
    }


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    long = run(tmp_path, "ast", length=30.0, count=3, seconds=600.0)
    short = run(tmp_path, "cnn", length=2.6, count=12, seconds=620.0)
    return [long, short]


def record_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({"evaluations": entries}, default=np.ndarray.tolist))


BETTER = np.linspace(0.5, 1.0, Q)
RECORD = record_of(entry("ast", BETTER), entry("cnn", BETTER - 0.3))


def test_the_better_one_is_named(runs: list[Path]) -> None:
    figures = segment_length.measure(RECORD, runs)
    assert set(figures["systems"][0]["tasks"]) == {"same_track", "degraded"}
    words = segment_length.verdict(figures)
    assert "ast@1 against cnn@1, at equal training: better in same_track, degraded" in words
    assert "+0.300" in words
    assert "worse in same_track, degraded" in segment_length.verdict(
        segment_length.measure(RECORD, runs[::-1])
    )


def test_noise_decides_nothing(runs: list[Path]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, Q)
    alike = record_of(entry("ast", BETTER), entry("cnn", BETTER + noise - noise.mean()))
    assert "nowhere decided" in segment_length.verdict(segment_length.measure(alike, runs))


def test_unequal_training_is_said_first(tmp_path: Path, runs: list[Path]) -> None:
    longer = run(tmp_path / "longer", "ast", length=30.0, count=3, seconds=1240.0)
    words = segment_length.verdict(segment_length.measure(RECORD, [longer, runs[1]]))
    assert "NOT at equal training (2.00 times its processor time)" in words


def test_the_table_says_what_each_took(runs: list[Path]) -> None:
    figures = segment_length.measure(RECORD, runs)
    text = segment_length.as_markdown(json.loads(json.dumps(figures, allow_nan=False)))
    assert "| hears at once, s | 30 | 2.6 |" in text
    assert "| vectors per track | 3 | 12 |" in text
    assert "| training, processor minutes | 10.0 | 10.3 |" in text
    assert "| training, steps | 2 | 2 |" in text
    assert "| to describe a minute of sound, processor s | 0.300 | 0.300 |" in text
    assert f"{bootstrap(BETTER).mean:.3f}" in text


def test_queries_of_one_track_are_drawn_together(runs: list[Path]) -> None:
    ours, other = segment_length.measure(RECORD, runs)["systems"]
    other["tasks"]["degraded"]["values"] = other["tasks"]["same_track"]["values"] = (
        (np.arange(Q) // 3 % 2).astype(float).tolist()
    )
    alone = segment_length.difference(ours, other, "same_track")
    together = segment_length.difference(ours, other, "degraded")
    assert together.mean == pytest.approx(alone.mean)
    assert together.high - together.low > 1.3 * (alone.high - alone.low)


def test_what_is_missing_is_named(tmp_path: Path, runs: list[Path]) -> None:
    with pytest.raises(QueryError, match=r"does not hold cnn@1 .*, but ast@1"):
        segment_length.measure(record_of(entry("ast", BETTER)), runs)
    other = record_of(entry("ast", BETTER), entry("cnn", BETTER, asked="b"))
    with pytest.raises(QueryError, match="not asked the same"):
        segment_length.measure(other, runs)
    with pytest.raises(ModelError, match="not the folder of a finished run"):
        segment_length.measure(RECORD, [tmp_path])
    (runs[0] / "history.jsonl").write_text('{"step": 1}\n')
    with pytest.raises(ModelError, match="has no cpu_s"):
        segment_length.measure(RECORD, runs)
    (runs[0] / "history.jsonl").unlink()
    with pytest.raises(ModelError, match="does not tell"):
        segment_length.measure(RECORD, runs)


def test_figures_go_through_the_record(runs: list[Path], tmp_path: Path) -> None:
    figures = segment_length.measure(RECORD, runs)
    assert json.loads(as_json(figures)) == figures
    pytest.importorskip("matplotlib")
    segment_length.draw(figures, tmp_path / "length.png")
    assert (tmp_path / "length.png").read_bytes().startswith(b"\x89PNG")
