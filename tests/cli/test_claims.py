"""The claims from the command line, on tones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fake_model import write_fake_model, write_tone
from soundalike.cli.claims import claim
from soundalike.errors import QueryError


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two low and two high soundtracks of five tones each; one of each kind to learn from."""
    folder = tmp_path_factory.mktemp("claims")
    rows = ["path,split,soundtrack,artist"]
    for number, (split, heard) in enumerate(
        (s, h) for s in ("train", "validation") for h in ("low", "high")
    ):
        for i in range(5):
            name = f"{heard}{number}{i}.flac"
            write_tone(folder / name, (200 if heard == "low" else 3_000) * (1 + i / 40), 11.0)
            rows.append(f"{name},{split},{heard}{number},{heard}")
    (folder / "tracks.csv").write_text("\n".join(rows))
    return folder / "tracks.csv"


ON_RECORDS = ("segment-length", "ablation", "found-again")


def claimed(folder: Path, *arguments: object) -> Result:
    options = ["--out", folder / "figures.json", "--picture", folder / "figures.png"]
    if arguments[0] not in ON_RECORDS:
        options += ["--cache", folder / "cache"]
    return CliRunner().invoke(claim, [str(a) for a in (*arguments, *options)])


def figures(folder: Path) -> dict[str, object]:
    assert (folder / "figures.png").read_bytes().startswith(b"\x89PNG")
    read: dict[str, object] = json.loads((folder / "figures.json").read_text("utf-8"))
    assert "provenance" in read
    return read


def test_aggregation(tracks: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    model = write_fake_model(tmp_path / "fake")
    options = ["--tracks", tracks, "--tasks", "same_track,same_album", "--per-kind", 6]
    done = claimed(tmp_path, "aggregation", model, *options)
    assert done.exit_code == 0, done.output
    assert "**same_track trimmed**" in done.stdout
    assert "**Verdict.**" in done.stdout
    read = figures(tmp_path)
    assert [len(task["kinds"]) for task in read["tasks"]] == [6, 6, 30]
    assert read["training_tracks"] == 10


def test_artist(tracks: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    model = write_fake_model(tmp_path / "fake")
    done = claimed(tmp_path, "artist", model, "mean-log-mel", "--tracks", tracks)
    assert done.exit_code == 0, done.output
    assert "artists nobody trained on" in done.stdout
    assert [group["tracks"] for group in figures(tmp_path)["groups"]] == [10, 10]


def test_labels(tracks: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    model = write_fake_model(tmp_path / "fake")
    options = ["--tracks", tracks, "--lists", tmp_path / "lists", "--scratch", f"0.1={model}"]
    done = claimed(tmp_path, "labels", model, "mean-log-mel", *options)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "lists").iterdir()) == [
        "labels-0.01.csv",
        "labels-0.1.csv",
        "labels-0.25.csv",
        "labels-0.5.csv",
        "labels-1.csv",
    ]
    read = figures(tmp_path)
    assert read["classes"] == ["high1", "low0"]
    assert list(read["predictions"]) == [str(model), "mean-log-mel", "from scratch"]


@pytest.mark.parametrize("wrong", ["0.1", "2=folder", "half=folder", "0.1="])
def test_scratch_is_a_fraction_and_a_folder(tracks: Path, tmp_path: Path, wrong: str) -> None:
    done = claimed(tmp_path, "labels", "mfcc", "--tracks", tracks, "--scratch", wrong)
    assert done.exit_code == 2
    assert "is not FRACTION=FOLDER" in done.output


@pytest.mark.parametrize("name", ON_RECORDS)
def test_claims_on_records_read_nothing_else(tracks: Path, tmp_path: Path, name: str) -> None:
    runs = [] if name == "found-again" else [tmp_path]
    done = claimed(tmp_path, name, tracks, *runs)
    assert isinstance(done.exception, QueryError)
    assert "is no record of an evaluation" in str(done.exception)


@pytest.mark.parametrize("option", ["--out", "--picture"])
def test_a_claim_overwrites_no_music(tmp_path: Path, option: str) -> None:
    song, record = tmp_path / "song.flac", tmp_path / "record.json"
    write_tone(song, 200, 1.0)
    before = song.read_bytes()
    options = [option, str(song), *(["--out", str(record)] if option == "--picture" else [])]
    done = CliRunner().invoke(claim, ["found-again", str(song), *options])
    assert isinstance(done.exception, QueryError)
    assert "would be overwritten" in str(done.exception)
    assert song.read_bytes() == before
