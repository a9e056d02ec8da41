"""While a library is indexed the last snapshot answers, whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_in import new_library, write_sounds

from soundalike.library import indexing, ingest, laying_out, ranking
from soundalike.library.library import Library
from soundalike.library.manifest import read_manifest


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for i in range(10):
        write_sounds(tmp_path / f"music/{i}.mp3", f"sound {i}")
    return tmp_path / "music"


def test_a_snapshot_with_every_doubling(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BATCH", 1)
    monkeypatch.setattr("soundalike.library.opened.gather", None)  # nobody gathers a table
    library, _ = new_library(tmp_path / "lib")
    seen: list[int] = []

    def look(progress: indexing.Progress) -> None:
        if progress.stage == "embed" and progress.done > 1:
            seen.append(len(Library(library.path)))

    library.index(music, progress=look)
    assert seen == [1, 2, 2, 4, 4, 4, 4, 8, 8]
    assert len(Library(library.path)) == 10


def test_or_after_some_minutes(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index(music)
    write_sounds(music / "x.mp3", "x")
    write_sounds(music / "y.mp3", "y")
    monkeypatch.setattr(ingest, "BATCH", 1)
    monkeypatch.setattr(laying_out, "EVERY", 0)
    monkeypatch.setattr(laying_out, "SHARE", 0)
    seen: list[int] = []

    def look(progress: indexing.Progress) -> None:
        if progress.stage == "embed":
            seen.append(len(Library(library.path)))

    library.index(progress=look)
    assert seen == [10, 11]


@pytest.mark.parametrize("limit", [ranking.EXACT_LIMIT, 0])
def test_the_state_before_answers_until_the_end(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Also in a large library, whose segments are in the table: what answers must be found there."""
    monkeypatch.setattr(ranking, "EXACT_LIMIT", limit)
    for i in range(300):  # enough for the approximate index
        write_sounds(music / f"more/m{i}.mp3", f"more {i}")
    library, _ = new_library(tmp_path / "lib")
    library.index(music)
    (music / "0.mp3").unlink()
    write_sounds(music / "1.mp3", "broken now")
    write_sounds(music / "new.mp3", "new")
    before = [track.path.name for track in library.tracks()]
    answers = []

    def look(progress: indexing.Progress) -> None:
        reader = Library(library.path)
        if progress.stage in ("embed", "finish"):
            assert read_manifest(library.path).tables[library.model or ""].behind
            assert [track.path.name for track in reader.tracks()] == before
            answers.append(len(reader.similar(music / "2.mp3", n=400)))

    report = library.index(progress=look)
    assert (report.removed, report.added, len(report.failed)) == (1, 1, 1)
    assert set(answers) == {309}
    reader = Library(library.path)
    assert not {"0.mp3", "1.mp3"} & {track.path.name for track in reader.tracks()}
    assert len(library._opened.table()) == len(reader) == 309
    assert not read_manifest(library.path).tables[library.model or ""].behind


def test_interrupted_it_lays_out_what_there_is(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    write_sounds(music / "0.mp3", "other")
    library.index(music / "0.mp3")

    def interrupt(progress: indexing.Progress) -> None:
        if progress.stage == "embed" and progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.index(music, progress=interrupt)
    entry = read_manifest(library.path).tables[library.model or ""]
    assert entry.behind
    assert len(Library(library.path)) == 6
    assert library.index().unchanged == 6
