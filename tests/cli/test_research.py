"""train, evaluate, export, models: answers, bad input, exit codes."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shell import Run

from fake_model import write_fake_model, write_tone
from soundalike.cli import research

RECIPE = """
objective = "contrastive"

[model]
name = "smallest"
segments = { length = 1.0, count = 2 }
ast = { width = 24, depth = 1, heads = 2, hidden = 32, max_frames = 49 }

[data]
music = "tracks.csv"
cache = "waveforms"
workers = 0

[contrast]
hidden = 16
out = 8

[optimizer]
batch = 2
steps = 2
warmup = 1

[validation]
every = 1
"""


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    """A list of twelve-second tones: four to train on, two albums of two to validate."""
    rows = ["path,split,soundtrack,artist"]
    for number in range(8):
        split = "train" if number < 4 else "validation"
        rows.append(f"tones/{number}.flac,{split},album {number // 2},artist {number % 2}")
        write_tone(tmp_path / f"tones/{number}.flac", 200.0 * 1.5**number, 12.0)
    table = tmp_path / "tracks.csv"
    table.write_text("\n".join(rows))
    return table


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "smallest.toml"
    path.write_text(RECIPE)
    return path


# --- train --------------------------------------------------------------------------------------


def test_train_stops_goes_on_and_leaves_a_model_that_the_others_take(
    run: Run, recipe: Path, tracks: Path, tmp_path: Path
) -> None:
    stopped = run("train", recipe, "--out", "run", "--until", 1)
    assert stopped.code == 0
    assert "step 1/2" in stopped.err
    went_on = run("train", recipe, "--out", "run")
    assert went_on.code == 0
    assert "step 2/2" in went_on.err
    assert "MRR" in went_on.err
    model = tmp_path / "run/model"
    assert {path.name for path in model.iterdir()} == {
        "config.json",
        "model.onnx",
        "model.safetensors",
    }
    assert (tmp_path / "run/curves.png").stat().st_size > 0
    identity = json.loads((model / "config.json").read_text())["identity"]
    assert f"{identity} in run/model" in went_on.err

    exported = run("export", model, "exported")
    assert exported.code == 0
    assert f"{identity} in exported" in exported.err
    measured = run("evaluate", "exported", "--tracks", tracks, "--tasks", "same_track")
    assert measured.code == 0

    other = run("train", recipe, "--out", "run", "--set", "seed=7")
    assert other.code == 1
    assert "recipe" in other.err


class Loudness:
    """A model as far as validation knows one."""

    @staticmethod
    def describe(waveform: np.ndarray) -> np.ndarray:
        spectrum = np.abs(np.fft.rfft(waveform[:16_000]))[:8_000].reshape(80, 100).mean(axis=1)
        return np.asarray(spectrum / np.linalg.norm(spectrum), np.float32)[None]


def test_validation_looks_at_albums_only_where_there_are_mates(tracks: Path) -> None:
    halves = research._validation_halves(tracks, 16_000)
    assert halves is not None
    scores = research.validation_scores(halves, Loudness())  # type: ignore[arg-type]
    assert list(scores) == ["MRR", "top-1", "album mAP"]
    assert (scores["MRR"], scores["top-1"]) == (1, 1)
    assert 0 < scores["album mAP"] <= 1
    alone = [replace(each, album="") for each in halves.recordings]
    scores = research.validation_scores(replace(halves, recordings=alone), Loudness())  # type: ignore[arg-type]
    assert list(scores) == ["MRR", "top-1"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stps = 5", 'smallest.toml:2: unknown key "stps"'),
        ("seed = 1.5", "smallest.toml:2: seed=1.5 is"),
        ('objective = "guess"', "smallest.toml:2: "),
        ("=", "not a TOML file"),
    ],
)
def test_train_names_the_line_of_a_recipe_it_cannot_follow(
    run: Run, recipe: Path, line: str, said: str
) -> None:
    recipe.write_text(f"\n{line}\n")
    ran = run("train", recipe, "--out", "run")
    assert ran.code == 2
    assert said in ran.err
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.toml", "--out", "run"], "nowhere.toml: cannot be read"),
        (["smallest.toml"], "Missing option '--out'"),
        (["smallest.toml", "--out", "run", "--until", "-1"], "-1 is not in the range"),
        (["smallest.toml", "--out", "run", "--set", "seed"], 'override "seed" is not of the form'),
        (["smallest.toml", "--out", "run", "--set", "sed=1"], 'did you mean "seed"?'),
        (["smallest.toml", "--out", "run"], 'data.music="tracks.csv" is neither a CSV file nor'),
        (["smallest.toml", "--out", "run", "--tracks", "no.csv"], "no.csv"),
        (["smallest.toml", "--out", "smallest.toml"], "'smallest.toml' is a file"),
    ],
)
def test_train_refuses_what_it_cannot_do(
    run: Run, recipe: Path, arguments: list[str], said: str
) -> None:
    ran = run("train", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert recipe.read_text() == RECIPE


def test_train_without_a_usable_recording(run: Run, recipe: Path, tracks: Path) -> None:
    for path in tracks.parent.glob("tones/*.flac"):
        path.write_text("no sound")
    ran = run("train", recipe, "--out", "run")
    assert ran.code == 2
    assert "left out" in ran.err


@pytest.mark.parametrize("verb", [["train", "smallest.toml", "--out", "run"], ["export", "a", "b"]])
def test_what_needs_torch_says_what_to_install(
    run: Run, recipe: Path, verb: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name)
    )
    ran = run(*verb)
    assert ran.code == 1
    assert "pip install 'soundalike[train]'" in ran.err


# --- evaluate -----------------------------------------------------------------------------------


LABELS = ("--tasks", "same_track,same_album")


def test_evaluate_puts_systems_side_by_side(
    run: Run, tracks: Path, model: Path, tmp_path: Path
) -> None:
    systems = (model, "mean-log-mel", "mfcc")
    ran = run("evaluate", *systems, *LABELS, "--tracks", tracks, "--out", "results/tones.json")
    assert ran.code == 0
    for word in ("same_track (4 queries)", "top-1", "fake", "mean-log-mel", "mfcc", "4 tracks"):
        assert word in ran.out
    record = json.loads((tmp_path / "results/tones.json").read_text())
    assert (record["tracks"], record["split"], record["seed"]) == ("tracks.csv", "validation", 0)
    assert {"commit", "machine", "python"} <= set(record["provenance"])
    first = record["evaluations"][0]
    assert first["identity"] == "fake@000008003e80"
    tasks = {result["task"] for result in first["results"]}
    assert {"same_track", "same_album"} <= tasks
    (top,) = [r["scores"]["top-1"] for r in first["results"] if r["task"] == "same_track"]
    assert top == {"mean": 1.0, "low": 1.0, "high": 1.0}  # a tone's halves are the same tone
    assert record["evaluations"][2]["identity"].endswith("fitted on train")


def test_evaluate_asks_all_it_can_and_says_what_not(run: Run, tracks: Path, model: Path) -> None:
    ran = run("evaluate", model, "--tracks", tracks, "--pieces", "none.csv")
    assert ran.code == 0
    assert "degraded (" in ran.out
    assert "not asked: arrangement: none.csv is no list of pieces" in ran.out
    assert "not asked: hubness: 4 tracks" in ran.out


def test_evaluate_adds_to_a_record_and_goes_on_from_what_it_kept(
    run: Run, tracks: Path, model: Path, other_model: Path, tmp_path: Path
) -> None:
    given = [*LABELS, "--tracks", tracks, "--out", "record.json"]
    assert run("evaluate", model, *given).code == 0
    kept = list(tmp_path.glob(".cache/evaluation/descriptions/*/*.npz"))
    assert len(kept) == 1
    assert run("evaluate", other_model, model, *given).code == 0
    record = json.loads((tmp_path / "record.json").read_text())
    assert [each["identity"][:5] for each in record["evaluations"]] == ["other", "fake@"]
    elsewhere = run("evaluate", model, *given, "--split", "train")
    assert elsewhere.code == 2
    assert "is the record of" in elsewhere.err


def test_evaluate_keeps_nothing_unless_told(
    run: Run, tracks: Path, model: Path, tmp_path: Path
) -> None:
    before = set(tmp_path.rglob("*"))
    ran = run("evaluate", model, *LABELS, "--tracks", tracks, "--no-cache", "--json")
    assert ran.code == 0
    assert set(tmp_path.rglob("*")) == before
    record = json.loads(ran.out)
    assert record["evaluations"][0]["identity"] == "fake@000008003e80"
    ran = run("evaluate", model, *LABELS, "--tracks", tracks, "--cache", "kept")
    assert ran.code == 0
    assert (tmp_path / "kept/descriptions").is_dir()
    assert not (tmp_path / ".cache").exists()


def test_evaluate_leaves_out_what_it_cannot_read_and_says_so(
    run: Run, tracks: Path, model: Path, other_model: Path
) -> None:
    (tracks.parent / "tones/5.flac").write_text("no sound")
    ran = run("evaluate", model, other_model, *LABELS, "--tracks", tracks)
    assert ran.code == 1
    assert ran.err.count("left out") == 1
    assert "3 tracks" in ran.out


def test_evaluate_of_broken_files_alone(run: Run, tracks: Path, model: Path) -> None:
    for path in tracks.parent.glob("tones/*.flac"):
        path.write_text("no sound")
    ran = run("evaluate", model, "--tracks", tracks)
    assert ran.code == 2
    assert "can be used" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody"], 1, "no model 'nobody'"),
        (["mfc"], 1, "no model 'mfc'; did you mean mfcc"),
        (["mfcc", "--tasks", "same_trak"], 2, "no task 'same_trak'; did you mean same_track?"),
        (["mfcc", "--tasks", "hubness"], 2, "hubness cannot be asked: 4 tracks"),
        (["mfcc", "--tracks", "no.csv"], 2, "no.csv is not a list of tracks: no such file"),
        (["mfcc", "--tracks", "tones"], 2, "tones is not a list of tracks: is a directory"),
        (
            ["mfcc", "--tracks", "smallest.toml"],
            2,
            "smallest.toml is not a list of tracks: it has no column",
        ),
        (["mfcc", "--split", "exam"], 2, 'no track in the split "exam"'),
        (["mfcc", "--aggregation", "sum"], 2, "'sum' is not one of"),
        (["mfcc", "--out", "tones"], 2, "'tones' is a directory"),
        (["mfcc", "--out", "smallest.toml"], 2, "smallest.toml would be overwritten"),
    ],
)
def test_evaluate_refuses_what_it_cannot_do(
    run: Run, recipe: Path, tracks: Path, arguments: list[str], code: int, said: str
) -> None:
    given = [] if "--tracks" in arguments else ["--tracks", tracks]
    ran = run("evaluate", *arguments, *given)
    assert ran.code == code
    assert said in ran.err


def test_evaluate_says_how_to_get_a_peer_and_measures_the_others(
    run: Run, tracks: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("SOUNDALIKE_PEER_BLISS", str(bare))
    ran = run("evaluate", "bliss", model, *LABELS, "--tracks", tracks)
    assert ran.code == 1
    assert "pip install bliss-audio" in ran.err
    assert "fake" in ran.out


# --- export, models -----------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["nowhere/at/all", "folder"])
def test_export_of_what_is_no_model(run: Run, tmp_path: Path, source: str) -> None:
    (tmp_path / "folder").mkdir()
    ran = run("export", source, "out")
    assert ran.code == 1
    assert source in ran.err
    assert not (tmp_path / "out").exists()


def test_models_lists_what_came_with_the_installation(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.embedder.WEIGHTS", tmp_path / "weights")
    none = run("models")
    assert none.code == 1
    assert "no encoder is installed" in none.err
    shutil.copytree(model, tmp_path / "weights/fake")
    write_fake_model(tmp_path / "weights/other", name="other", dimension=6)
    (tmp_path / "weights/default").write_text("other\n")
    assert run("models").out.splitlines() == [
        "fake@000008003e80",
        "other@000006003e80  (default)",
    ]
    assert json.loads(run("models", "--json").out) == [
        {"name": "fake", "identity": "fake@000008003e80", "default": False},
        {"name": "other", "identity": "other@000006003e80", "default": True},
    ]
