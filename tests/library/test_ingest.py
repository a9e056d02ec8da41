from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from stand_in import contents, later, new_library, write_sounds

from soundalike.errors import LibraryError
from soundalike.library import ingest
from soundalike.library.indexing import Progress
from soundalike.library.library import Library
from soundalike.library.scan import content_hash
from soundalike.library.store import Record, TrackTable


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for i in range(6):
        write_sounds(tmp_path / f"music/{i // 3}/{i}.mp3", f"sound {i}", title=f"Title {i}")
    return tmp_path / "music"


def test_failures_are_listed_and_tried_again_only_when_changed(tmp_path: Path, music: Path) -> None:
    bad = write_sounds(music / "0/bad.mp3", "broken")
    library, embedder = new_library(tmp_path / "lib")
    report = library.index([music])
    assert report.failed == library.failures() == [(bad, "no audio stream")]
    assert report.added == 6
    report = library.index([music])
    assert (report.failed, report.skipped, len(embedder.heard)) == ([], 1, 7)
    assert library.failures() == [(bad, "no audio stream")]
    write_sounds(later(bad), "mended at last")
    assert library.index([music]).added == 1
    assert library.failures() == []


def test_a_file_that_could_not_be_read_is_tried_again_though_it_looks_the_same(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = write_sounds(music / "0/locked.mp3", "broken!")
    status = locked.stat()
    library, _ = new_library(tmp_path / "lib")

    def denied(path: Path) -> str:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return content_hash(path)

    with monkeypatch.context() as patch:
        patch.setattr("soundalike.library.scan.content_hash", denied)
        for _ in range(2):
            assert [path for path, _ in library.index([music]).failed] == [locked]
            assert [path for path, _ in library.failures()] == [locked]
    write_sounds(locked, "melody!")  # what chmod lets be heard; size and time stay
    os.utime(locked, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert library.index([music]).added == 1
    assert library.failures() == []


def test_a_failed_file_that_is_gone_is_forgotten(tmp_path: Path, music: Path) -> None:
    write_sounds(music / "0/bad.mp3", "broken")
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    (music / "0/bad.mp3").unlink()
    library.index([music])
    assert library.failures() == []


def test_a_track_that_breaks_no_longer_answers(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    write_sounds(later(music / "0/0.mp3"), "broken now")
    report = library.index([music])
    assert [path.name for path, _ in report.failed] == ["0.mp3"]
    assert len(library) == 5


def test_a_disk_pulled_out_while_all_is_heard_again_costs_no_track(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index([music])
    before, embed = contents(library), embedder.embed

    def unplugged(paths: Iterable[Path], **options: int | None) -> Iterator[object]:
        music.rename(tmp_path / "unplugged")
        yield from embed(paths, **options)

    with monkeypatch.context() as patch:
        patch.setattr(embedder, "embed", unplugged)
        assert len(library.index([music], force=True).failed) == 6
    assert contents(library) == before
    (tmp_path / "unplugged").rename(music)
    assert library.index().unchanged == 6
    assert library.failures() == []


def test_vectors_that_are_no_numbers_are_a_failure(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, embedder = new_library(tmp_path / "lib")
    direction = embedder._direction
    monkeypatch.setattr(
        embedder, "_direction", lambda s: direction(s) * (float("nan") if "3" in s else 1)
    )
    report = library.index([music])
    assert [(path.name, why[:11]) for path, why in report.failed] == [("3.mp3", "the encoder")]
    assert len(library) == 5


def test_progress_ends_with_everything_done(tmp_path: Path, music: Path) -> None:
    write_sounds(music / "0/bad.mp3", "broken")
    write_sounds(music / "0/copy.mp3", "sound 5", title="Title 5")
    library, _ = new_library(tmp_path / "lib")
    seen: list[Progress] = []
    library.index([music], progress=seen.append)
    embedded = [one for one in seen if one.stage == "embed"]
    assert [one.done for one in embedded] == list(range(1, 9))
    assert {one.total for one in embedded} == {8}
    assert (embedded[-1].failed, embedded[-1].seconds_left) == (1, 0)
    assert all(one.rate > 0 and one.current is not None for one in embedded)
    stages = list(dict.fromkeys(one.stage for one in seen))
    assert stages == ["scan", "embed", "finish"]


def test_an_interruption_keeps_what_was_done(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, _ = new_library(tmp_path / "lib")

    def interrupt(progress: Progress) -> None:
        if progress.stage == "embed" and progress.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.index([music], progress=interrupt)
    assert len(library) == 4
    report = library.index([music])
    assert (report.added, report.unchanged) == (2, 4)


@pytest.mark.parametrize("name", ["new.mp3", "0.mp3"])
def test_a_full_disk_leaves_the_library_as_it_was(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    before = contents(library)
    later(write_sounds(music / "0" / name, "something new"))

    def full(self: object, *rows: object) -> None:
        # In the words of Lance.
        raise RuntimeError("lance error: LanceError(IO): No space (os error 28), /x/y.rs:1:2")

    with monkeypatch.context() as patch:
        patch.setattr("lancedb.table.LanceTable.add", full)
        patch.setattr("lancedb.merge.LanceMergeInsertBuilder.execute", full)
        with pytest.raises(LibraryError, match=r"cannot write .*: the disk is full$"):
            library.index([music])
    assert contents(library) == before
    assert contents(Library(library.path)) == before
    report = library.index([music])
    assert report.added + report.updated == 1


KILLED = """
import sys, time
from collections.abc import Iterable, Iterator
from pathlib import Path
from stand_in import StandIn
from soundalike.library import ingest
from soundalike.library.library import Library

def stall(progress):
    if progress.done == 23:
        print("now", flush=True)
        time.sleep(60)

ingest.BATCH = 5
Library(Path(sys.argv[1]), embedder=StandIn()).index([Path(sys.argv[2])], progress=stall)
"""


def test_killed_in_the_middle_and_taken_up_again(tmp_path: Path) -> None:
    music = tmp_path / "music"
    for i in range(40):
        write_sounds(music / f"{i:02d}.mp3", f"sound {i}", "and more")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "lib"), str(music)]
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        # Another process reads meanwhile and sees the batches that are done.
        assert len(Library(tmp_path / "lib")) == 20
        process.kill()
    assert process.returncode == -signal.SIGKILL

    assert len(Library(tmp_path / "lib")) == 20
    library, embedder = new_library(tmp_path / "lib")
    assert library.similar(music / "00.mp3", n=1)[0].similarity >= 0
    report = library.index([music])
    assert (report.unchanged, report.added, len(embedder.heard)) == (20, 20, 20)
    whole, _ = new_library(tmp_path / "whole")
    whole.index([music])
    assert contents(library) == contents(whole)
    assert [track.id for track in library.tracks()] == [track.id for track in whole.tracks()]


def test_tables_are_joined_now_and_then(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, _ = new_library(tmp_path / "once")
    once.index([music])
    monkeypatch.setattr(ingest, "BATCH", 1)
    monkeypatch.setattr(ingest, "MANY_COMMITS", 4)
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    # Six commits, joined after the fourth.
    assert library._opened.table().fragments() == 3
    assert contents(library) == contents(once)


def test_batches_are_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(10):
        write_sounds(tmp_path / f"music/{i}.mp3", f"sound {i}")
    monkeypatch.setattr(ingest, "BATCH", 4)
    library, _ = new_library(tmp_path / "lib")
    library.index([tmp_path / "music"])
    batches: list[int] = []
    put = TrackTable.put

    def counted(self: TrackTable, records: list[Record], *, replacing: bool) -> None:
        batches.append(len(records))
        put(self, records, replacing=replacing)

    monkeypatch.setattr(TrackTable, "put", counted)
    other, _ = new_library(tmp_path / "other")
    other.index([tmp_path / "music"])
    assert batches == [4, 4, 2]
    assert contents(other) == contents(library)
