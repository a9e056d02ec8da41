"""Files with new tags keep their vectors; files with new sound do not."""

from __future__ import annotations

import shutil
from pathlib import Path

import mutagen
import mutagen.id3
import numpy as np
import pytest
from stand_in import contents, info_of, later, new_library, write_sounds

from fake_model import write_fake_model, write_sound, write_tone
from soundalike.embedder import Embedder
from soundalike.library.library import Library


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("soundalike.library.retagging.probe", info_of)
    for i in range(6):
        write_sounds(tmp_path / f"music/{i}.mp3", f"sound {i}", title=f"Title {i}")
    return tmp_path / "music"


def assert_as_from_scratch(library: Library, folder: Path, *roots: Path) -> None:
    scratch, _ = new_library(folder)
    scratch.index(roots)
    assert contents(library) == contents(scratch)

    def heard(library: Library) -> list[object]:
        rows = library._opened.table().read(["path", "heard"]).to_pylist()
        return sorted((row["path"], row["heard"]) for row in rows)

    assert heard(library) == heard(scratch)


def test_new_tags_alone_are_read_and_nothing_is_heard(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index(music)
    ids = [track.id for track in library.tracks()]
    later(write_sounds(music / "0.mp3", "sound 0", title="Another, longer", artist="Somebody"))
    later(write_sounds(music / "1.mp3", "sound 1 changed", title="Title 1"))
    report = library.index()
    assert (report.retagged, report.updated, report.unchanged) == (1, 1, 4)
    assert len(embedder.heard) == 7
    assert library.tracks()[0].title == "Another, longer"
    assert [track.id for track in library.tracks()] == ids
    assert_as_from_scratch(library, tmp_path / "scratch", music)
    assert library.index().unchanged == 6


def test_moved_and_retagged_at_once(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index(music)
    kept = library.track(music / "0.mp3").id
    (music / "0.mp3").unlink()
    write_sounds(music / "Artist/00 - New.mp3", "sound 0", title="New", artist="Artist")
    write_sounds(music / "Artist/01 - Fresh.mp3", "fresh", title="Fresh")
    report = library.index()
    assert (report.moved, report.added, report.removed) == (1, 1, 0)
    assert library.track(music / "Artist/00 - New.mp3").id == kept
    assert len(embedder.heard) == 7
    assert_as_from_scratch(library, tmp_path / "scratch", music)


def test_two_files_never_share_a_row(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index(music)
    (music / "0.mp3").unlink()
    for name in ("x", "y", "z"):
        write_sounds(music / f"{name}.mp3", "sound 0", title=name)
    report = library.index()
    assert (report.moved, report.added) == (1, 2)
    assert_as_from_scratch(library, tmp_path / "scratch", music)


def test_force_hears_all_again(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index(music)
    bad = write_sounds(music / "bad.mp3", "broken")
    library.index()
    embedder.heard.clear()
    report = library.index(music / "3.mp3", force=True)
    assert (report.updated, report.unchanged, embedder.heard) == (1, 0, [music / "3.mp3"])
    later(write_sounds(music / "0.mp3", "sound 0", title="New"))
    report = library.index(force=True)
    assert (report.updated, report.retagged, len(embedder.heard)) == (6, 0, 8)
    assert [path for path, _ in report.failed] == [bad]
    assert_as_from_scratch(library, tmp_path / "scratch", music)


# --- real files ---

ENDINGS = ("mp3", "flac", "opus", "m4a", "wav")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("model"))


def vectors(library: Library) -> dict[str, bytes]:
    rows = library._opened.table().read(["path", "segments"]).to_pylist()
    return {row["path"]: np.array(row["segments"], np.float32).tobytes() for row in rows}


def retag(music: Path) -> None:
    for path in music.iterdir():
        file = mutagen.File(path, easy=path.suffix != ".wav")
        if path.suffix == ".wav":
            file.add_tags()
            file.tags["TIT2"] = mutagen.id3.TIT2(text="New title " * 50)
        else:
            file["title"] = "New title " * 50
        file.save()


def test_taggers_cost_nothing_and_edits_are_heard(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music = tmp_path / "music"
    for ending in ENDINGS:
        rate = 48_000 if ending == "opus" else 44_100
        write_tone(music / f"a.{ending}", 440, 9.0, sample_rate=rate, tags={"title": "Old"})
    library = Library(tmp_path / "lib", model=model)
    library.index(music, jobs=1)
    before = vectors(library)
    retag(music)
    shutil.move(music / "a.flac", music / "b.flac")

    def never(*_: object) -> None:
        raise AssertionError("a file was listened to")

    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "_embed_file", never)
        report = library.index(jobs=1)
    assert (report.retagged, report.moved, report.failed) == (4, 1, [])
    after = vectors(library)
    assert set(after.values()) == set(before.values())
    assert {track.title for track in library.tracks()} == {("New title " * 50).strip()}
    # The same length and tags, and another sound for a moment of what is listened to.
    for path in music.iterdir():
        rate = 48_000 if path.suffix == ".opus" else 44_100
        sound = 0.5 * np.sin(2 * np.pi * 440 * np.arange(9 * rate) / rate).astype(np.float32)
        sound[4 * rate : 4 * rate + rate // 5] = 0
        write_sound(path, sound[None], sample_rate=rate, tags={"title": "Old"})
    report = library.index(jobs=1)
    assert (report.updated, report.retagged) == (5, 0)
    assert not set(vectors(library).values()) & set(before.values())
