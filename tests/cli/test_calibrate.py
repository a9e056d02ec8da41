from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from shell import Run

from fake_model import tone, write_sound
from soundalike.library.similarity import KINDS, read_curves


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty albums of one chord each."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("albums")
    with (folder / "tracks.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "split", "soundtrack", "artist"])
        for number in range(50):
            chord = sum(tone(hertz, 2.0, level=0.2) for hertz in rng.uniform(100, 5000, 4))
            write_sound(folder / f"{number}.wav", np.array([chord]), sample_rate=16_000)
            rows.writerow([f"{number}.wav", "train", f"album {number}", ""])
    return folder / "tracks.csv"


def test_calibrate_writes_the_curves_beside_the_weights(
    run: Run, tracks: Path, model: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    ran = run("calibrate", folder, "--tracks", tracks, "-q", "--jobs", 2)
    assert ran.code == 0, ran.err
    assert "1225 pairs of 50 tracks of 50 albums" in ran.err
    identity = json.loads((folder / "config.json").read_text())["identity"]
    curves = read_curves(folder, identity)
    assert set(curves["both"]) == set(KINDS)
    document = json.loads((folder / "calibration.json").read_text())
    assert document["measured_on"]["pairs"] == 1225
    again = run("calibrate", folder, "--tracks", tracks, "-q")
    assert again.code == 0
    assert read_curves(folder, identity) == curves


def test_calibrate_wants_enough_unrelated_music(
    run: Run, tracks: Path, model: Path, tmp_path: Path
) -> None:
    few = tracks.with_name("few.csv")
    few.write_text("".join(tracks.read_text().splitlines(keepends=True)[:20]))
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    ran = run("calibrate", folder, "--tracks", few, "-q")
    assert ran.code == 2
    assert "only 171 pairs" in ran.err
    assert not (folder / "calibration.json").exists()


def test_calibrate_without_music_or_model(run: Run, tracks: Path, model: Path) -> None:
    ran = run("calibrate", model, "--tracks", "nowhere.csv")
    assert ran.code == 2
    assert "is not a list of tracks" in ran.err
    ran = run("calibrate", "no-model", "--tracks", tracks)
    assert ran.code == 1
    assert "no model 'no-model'" in ran.err
