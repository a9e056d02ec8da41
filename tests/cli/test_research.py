"""train, evaluate, export, models: answers, bad input, exit codes."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest
from shell import Run

from fake_model import write_fake_model, write_tone

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
    assert run("evaluate", "exported", "--tracks", tracks).code == 0

    other = run("train", recipe, "--out", "run", "--set", "seed=7")
    assert other.code == 1
    assert "recipe" in other.err


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


def test_evaluate_puts_systems_side_by_side(
    run: Run, tracks: Path, model: Path, tmp_path: Path
) -> None:
    systems = (model, "mean-log-mel", "mfcc")
    ran = run("evaluate", *systems, "--tracks", tracks, "--out", "results/tones.json")
    assert ran.code == 0
    for word in ("same_track top-1", "fake", "mean-log-mel", "mfcc", "4 tracks"):
        assert word in ran.out
    record = json.loads((tmp_path / "results/tones.json").read_text())
    assert (record["tracks"], record["split"]) == ("tracks.csv", "validation")
    assert {"commit", "machine", "python"} <= set(record["provenance"])
    first = record["evaluations"][0]
    assert first["identity"] == "fake@000008003e80"
    assert {result["task"] for result in first["results"]} == {"same_track", "same_album"}
    (top,) = [r["scores"]["top-1"] for r in first["results"] if r["task"] == "same_track"]
    assert top == {"mean": 1.0, "low": 1.0, "high": 1.0}  # a tone's halves are the same tone


def test_evaluate_leaves_out_what_it_cannot_read_and_says_so(
    run: Run, tracks: Path, model: Path
) -> None:
    (tracks.parent / "tones/5.flac").write_text("no sound")
    ran = run("evaluate", model, "--tracks", tracks)
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
    ],
)
def test_evaluate_refuses_what_it_cannot_do(
    run: Run, recipe: Path, tracks: Path, arguments: list[str], code: int, said: str
) -> None:
    given = [] if "--tracks" in arguments else ["--tracks", tracks]
    ran = run("evaluate", *arguments, *given)
    assert ran.code == code
    assert said in ran.err


def test_evaluate_says_how_to_get_a_peer(
    run: Run, tracks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bliss_audio", None)
    ran = run("evaluate", "bliss", "--tracks", tracks)
    assert ran.code == 1
    assert "pip install bliss-audio" in ran.err


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
