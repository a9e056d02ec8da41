from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest
from stand_in import StandIn, contents, later, new_library, write_sounds

from soundalike.errors import LibraryError
from soundalike.library.indexing import Ids, Progress
from soundalike.library.library import Library


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for i in range(6):
        write_sounds(tmp_path / f"music/{i // 3}/{i}.mp3", f"sound {i}", title=f"Title {i}")
    return tmp_path / "music"


def test_index_counts_and_a_second_run_hears_nothing(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    report = library.index([music])
    assert (report.added, report.failed, report.held) == (6, [], [])
    assert report.model == embedder.identity
    assert embedder.heard == sorted(music.glob("*/*.mp3"))
    first = contents(library)
    report = library.index([music])
    assert (report.added, report.unchanged) == (0, 6)
    assert len(embedder.heard) == 6
    assert contents(library) == first


def test_two_runs_from_scratch_give_the_same_bits(tmp_path: Path, music: Path) -> None:
    libraries = [new_library(tmp_path / f"lib{i}")[0] for i in range(2)]
    for library in libraries:
        library.index([music])
    assert contents(libraries[0]) == contents(libraries[1])
    assert [t.id for t in libraries[0].tracks()] == [t.id for t in libraries[1].tracks()]


def test_new_changed_and_removed_files(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index([music])
    kept = library.track(music / "0/1.mp3").id
    write_sounds(music / "0/1.mp3", "quite another sound")
    write_sounds(music / "2/new.mp3", "new")
    (music / "0/0.mp3").unlink()
    embedder.heard.clear()
    report = library.index([music])
    assert (report.added, report.updated, report.removed, report.unchanged) == (1, 1, 1, 4)
    assert embedder.heard == [music / "0/1.mp3", music / "2/new.mp3"]
    assert library.track(music / "0/1.mp3").id == kept


def test_moved_and_renumbered_files_are_not_heard_again(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index([music])
    ids = {track.title: track.id for track in library.tracks()}
    embedder.heard.clear()
    (music / "1").rename(music / "else where")
    for old, new in ((2, 3), (1, 2), (0, 1)):
        (music / f"0/{old}.mp3").rename(music / f"0/{new}.mp3")
        later(music / f"0/{new}.mp3")
    report = library.index([music])
    assert (report.moved, report.added, report.updated, report.removed) == (6, 0, 0, 0)
    assert embedder.heard == []
    assert {track.title: track.id for track in library.tracks()} == ids
    assert library.track(music / "0/1.mp3").title == "Title 0"


def test_copies_share_vectors(tmp_path: Path, music: Path) -> None:
    write_sounds(music / "2/first.mp3", "twin")
    write_sounds(music / "2/second.mp3", "twin")
    library, embedder = new_library(tmp_path / "lib")
    library.index([music])
    assert [path.name for path in embedder.heard][-1:] == ["first.mp3"]
    shutil.copy(music / "0/0.mp3", music / "0/copy.mp3")
    report = library.index([music])
    assert (report.added, len(embedder.heard)) == (1, 7)
    assert len({track.id for track in library.tracks()}) == len(library) == 9
    assert library.track(music / "0/copy.mp3").title == "Title 0"


def test_touched_files_are_not_heard_again(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index([music])
    later(music / "0/0.mp3")
    report = library.index([music])
    assert (report.updated, report.unchanged, len(embedder.heard)) == (0, 6, 6)
    report = library.index([music])
    assert (report.updated, report.unchanged, len(embedder.heard)) == (0, 6, 6)
    assert not library._opened.manifest.tables[embedder.identity].behind


def test_a_missing_or_empty_folder_keeps_its_tracks(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    music.rename(tmp_path / "unplugged")
    for expected in ("no such file", "no music in it"):
        report = library.index()
        assert (report.removed, len(library)) == (0, 6)
        ((folder, why),) = report.held
        assert folder == music
        assert expected in why
        assert "6 tracks under it are kept" in why
        music.mkdir(exist_ok=True)
    assert library.index(prune=True).removed == 6
    assert len(library) == 0


def test_most_of_a_folder_gone_is_held_and_a_few_are_not(tmp_path: Path) -> None:
    for i in range(24):
        write_sounds(tmp_path / f"music/{i}.mp3", f"sound {i}")
    library, _ = new_library(tmp_path / "lib")
    library.index([tmp_path / "music"])
    for i in range(10):
        (tmp_path / f"music/{i}.mp3").unlink()
    assert library.index().removed == 10
    for i in range(10, 22):
        (tmp_path / f"music/{i}.mp3").unlink()
    report = library.index()
    assert report.removed == 0
    assert "12 of 14 tracks are gone" in report.held[0][1]
    assert library.index(prune=True).removed == 12


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_folder_that_cannot_be_read_keeps_its_tracks(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    (music / "0").chmod(0)
    try:
        report = library.index([music])
        assert report.held == [(music / "0", "permission denied; 3 tracks under it are kept")]
        assert (report.removed, len(library)) == (0, 6)
    finally:
        (music / "0").chmod(0o700)


def test_one_folder_may_be_given_as_it_is(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    assert library.index(str(music)).added == 6
    assert library.index(music / "0" / "1.mp3").unchanged == 1


def test_only_the_folders_given_are_looked_at(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index([music / "0", music / "1"])
    (music / "0/0.mp3").unlink()
    assert library.index([music / "1"]).removed == 0
    assert library.index([music / "0"]).removed == 1
    assert library.roots == [music / "0", music / "1"]


def test_two_indexers_do_not_meet(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    other = Library(library.path, embedder=StandIn())  # type: ignore[arg-type]

    def second(progress: Progress) -> None:
        with pytest.raises(LibraryError, match="another program is writing"):
            other.index([music])
        assert len(other) == 6

    library.index([music], progress=second)


def test_ids_are_content_and_for_copies_path_too() -> None:
    content = "0123456789abcdef" * 2
    ids = Ids(["fedcba9876543210"])
    first, second = ids.new(content, Path("/a")), ids.new(content, Path("/b"))
    assert first == content[:16]
    assert second == Ids([first]).new(content, Path("/b"))
    assert second != Ids([first]).new(content, Path("/c"))
    assert len(second) == 16


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize("name", [b"a\nb.mp3", "🎵 100%'.mp3".encode(), b"\xff\xfe.mp3"])
def test_odd_names_go_in_and_come_out(tmp_path: Path, name: bytes) -> None:
    if sys.platform == "darwin" and b"\xff" in name:
        pytest.skip("this file system takes UTF-8 only")
    path = tmp_path / "music" / os.fsdecode(name)
    write_sounds(path, "odd")
    write_sounds(tmp_path / "music/plain.mp3", "plain")
    library, embedder = new_library(tmp_path / "lib")
    library.index([tmp_path / "music"])
    (found,) = library.similar(tmp_path / "music/plain.mp3")
    assert found.track.path == path
    assert library.track(path) == found.track
    assert library.similar(path)[0].track.title == "plain"
    assert library.index().unchanged == 2
    path.rename(path.with_name("normal.mp3"))
    assert library.index().moved == 1
    assert len(embedder.heard) == 2


@pytest.mark.parametrize("seed", range(3))
def test_incremental_equals_from_scratch(tmp_path: Path, seed: int) -> None:
    """Random additions, changes, copies, moves, breakages and deletions, indexed now and then."""
    rng = random.Random(seed)
    music = tmp_path / "music"
    music.mkdir()
    library, _ = new_library(tmp_path / "lib")
    for step in range(30):
        files = sorted(music.rglob("*.mp3"))
        target = music / rng.choice("ab") / f"{rng.randrange(8)}.mp3"
        match rng.choice(["add", "add", "change", "copy", "move", "swap", "break", "delete"]):
            case "add":
                later(write_sounds(target, f"sound {rng.randrange(6)}"))
            case "change" if files:
                later(write_sounds(rng.choice(files), f"sound {rng.randrange(6)}", title=f"{step}"))
            case "copy" if files:
                source = rng.choice(files)
                if source != target:
                    target.parent.mkdir(exist_ok=True)
                    later(Path(shutil.copy(source, target)))
            case "move" if files:
                target.parent.mkdir(exist_ok=True)
                rng.choice(files).replace(target)
            case "swap" if len(files) > 1:
                one, other = rng.sample(files, 2)
                one.replace(tmp_path / "aside")
                other.replace(one)
                (tmp_path / "aside").replace(other)
            case "break" if files:
                later(write_sounds(rng.choice(files), "broken", f"{step}"))
            case "delete" if files:
                rng.choice(files).unlink()
        if rng.random() < 0.3:
            library.index([music], prune=True)
    library.index([music], prune=True)
    scratch, _ = new_library(tmp_path / "scratch")
    scratch.index([music])
    assert contents(library) == contents(scratch)
    assert library.failures() == scratch.failures()
    assert len({track.id for track in library.tracks()}) == len(library)
