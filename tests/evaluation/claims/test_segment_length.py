"""Two encoders side by side: by a record and the folders of their runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.claims.trained_runs import Q, entry, record_of, run
from soundalike.errors import ModelError, QueryError
from soundalike.evaluation.claims import segment_length
from soundalike.evaluation.claims.runs import difference
from soundalike.evaluation.metrics import bootstrap
from soundalike.evaluation.record import as_json


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    long = run(tmp_path, "ast", length=30.0, count=3, seconds=600.0)
    short = run(tmp_path, "cnn", length=2.6, count=12, seconds=620.0)
    return [long, short]


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
    assert "NOT at equal training (20.7 against 10.3 minutes)" in words


def test_an_untrained_one_says_whether_training_shows(tmp_path: Path, runs: list[Path]) -> None:
    blank = run(tmp_path, "blank", length=30.0, count=3, seconds=0.0)
    record = record_of(
        entry("ast", BETTER), entry("cnn", BETTER - 0.3), entry("blank", BETTER - 0.1)
    )
    words = segment_length.verdict(segment_length.measure(record, [*runs, blank]))
    assert "ast@1 against blank@1, which was never trained: better in" in words
    assert "cnn@1 against blank@1, which was never trained: worse in" in words


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
    alone = difference(ours, other, "same_track")
    together = difference(ours, other, "degraded")
    assert together.mean == pytest.approx(alone.mean)
    assert together.high - together.low > 1.3 * (alone.high - alone.low)


def test_one_encoder_compared_in_two_ways_is_ambiguous(runs: list[Path]) -> None:
    record = record_of(entry("ast", BETTER), entry("cnn", BETTER), entry("ast", BETTER / 2))
    with pytest.raises(QueryError, match="holds ast@1 several times"):
        segment_length.measure(record, runs)


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
