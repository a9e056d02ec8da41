from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fake_model import write_fake_model, write_tone
from soundalike.embedder import Embedder
from soundalike.library.disk import WriteLock
from soundalike.library.doctor import FAIL, OK, WARN, worst
from soundalike.library.library import Library


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("doctor")
    for name, frequency in (("a", 300.0), ("b", 900.0)):
        write_tone(place / f"music/{name}.wav", frequency, 4.0)
    model = write_fake_model(place / "model")
    Library(place / "lib", model=model).index(place / "music", jobs=1)
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """The library of `made`, to be damaged; its music and model stay where they are."""
    shutil.copytree(made / "lib", tmp_path / "lib")
    return tmp_path


def found(place: Path) -> dict[str, tuple[str, str]]:
    checks = Library(place / "lib").check()
    assert all((check.status == OK) == (not check.advice) for check in checks)
    return {check.name.partition(" of ")[0]: (check.status, check.found) for check in checks}


def test_all_is_well(place: Path) -> None:
    checks = Library(place / "lib").check()
    assert [check for check in checks if check.status != OK] == []
    assert worst(checks) == OK
    names = [check.name.split()[0] for check in checks]
    assert names == [
        *("versions", "formats", "encoder", "library", "writer", "disk", "table", "folder"),
        *("files", "hearing", "failures"),
    ]


def test_no_library_yet(tmp_path: Path, made: Path) -> None:
    checks = Library(tmp_path / "lib", model=made / "model").check()
    assert [check.name for check in checks if check.status != OK] == ["library"]
    assert worst(checks) == WARN
    assert not (tmp_path / "lib").exists()


def test_a_snapshot_of_other_tracks(place: Path) -> None:
    (means,) = (place / "lib").glob("snapshot-*/means.f32")
    vectors = np.fromfile(means, np.float32)
    vectors[::-1].tofile(means)
    status, words = found(place)["table"]
    assert status == FAIL
    assert "tells of other ones" in words


def test_a_snapshot_that_is_behind_or_lost(place: Path) -> None:
    manifest = json.loads((place / "lib/library.json").read_text())
    (entry,) = manifest["tables"].values()
    entry["behind"] = True
    (place / "lib/library.json").write_text(json.dumps(manifest))
    assert found(place)["table"] == (WARN, "2 tracks, 2 of them answer")
    shutil.rmtree(place / "lib" / entry["snapshot"])
    assert found(place)["table"] == (WARN, "2 tracks, not laid out for reading")


@pytest.mark.parametrize("lost", ["", "data"])
def test_a_table_that_is_damaged(place: Path, lost: str) -> None:
    shutil.rmtree(next((place / "lib").glob("tracks-*.lance")) / lost)
    assert found(place)["table"][0] == FAIL
    (check,) = [each for each in Library(place / "lib").check() if each.name.startswith("table of")]
    assert check.advice.startswith(f"move the folder {place / 'lib'} away")


def test_somebody_is_writing(place: Path) -> None:
    with WriteLock(place / "lib"):
        status, words = found(place)["writer"]
    assert status == WARN
    assert "another program is writing" in words


def test_an_encoder_that_hears_no_difference(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Embedder, "embed_segments", lambda self, rows: np.ones((len(rows), 8)) / np.sqrt(8)
    )
    assert found(place)["encoder"][0] == FAIL


def test_a_track_that_sounds_otherwise_now(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embed_file = Embedder.embed_file

    def other(self: Embedder, path: Path) -> object:
        heard = embed_file(self, path)
        heard.vectors[:] = heard.vectors[:, ::-1].copy()
        return heard

    monkeypatch.setattr(Embedder, "embed_file", other)
    assert found(place)["hearing"][0] == FAIL


def test_music_that_is_gone(place: Path) -> None:
    manifest = (place / "lib/library.json").read_text()
    (place / "lib/library.json").write_text(manifest.replace("/music", "/unplugged"))
    status, words = found(place)["folder"]
    assert status == WARN
    assert "unplugged is not there" in words
