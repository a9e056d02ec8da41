from __future__ import annotations

from pathlib import Path

import pytest
from stand_in import StandIn, contents, new_library, write_sounds

from soundalike.errors import QueryError
from soundalike.library.choice import Filters
from soundalike.library.library import Library
from soundalike.library.manifest import read_manifest
from soundalike.library.store import TrackTable


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for name in ("one/a", "one/b", "one/deep/c", "two/d", "two/e"):
        write_sounds(tmp_path / f"music/{name}.mp3", f"sound {name}")
    return tmp_path / "music"


@pytest.fixture
def library(tmp_path: Path, music: Path) -> Library:
    library, _ = new_library(tmp_path / "lib")
    library.index([music / "one", music / "two"], filters=Filters(exclude=("x",)))
    return library


def stems(library: Library) -> list[str]:
    return [track.path.stem for track in library.tracks()]


def test_a_folder_that_was_indexed_is_forgotten(library: Library, music: Path) -> None:
    assert library.remove(music / "one") == 3
    assert stems(library) == ["d", "e"]
    assert library.roots == [music / "two"]
    assert list(read_manifest(library.path).filters) == [str(music / "two")]
    assert library.index().unchanged == 2
    assert sorted(path.stem for path in music.rglob("*.mp3")) == ["a", "b", "c", "d", "e"]
    assert library.index(music / "one").added == 3


def test_a_track_does_not_come_back_until_told(library: Library, music: Path) -> None:
    gone = library.track(music / "one/a.mp3")
    assert library.remove([gone.id, music / "one/deep"]) == 2
    for _ in range(2):
        for folders in ((), music / "one"):
            assert library.index(folders).added == 0
        assert stems(library) == ["b", "d", "e"]
    with pytest.raises(QueryError, match=r"c.mp3' lies in .*deep', which was removed"):
        library.index(music / "one/deep/c.mp3")
    assert library.index([music / "one/a.mp3", music / "one/deep"]).added == 2
    assert stems(library) == ["a", "b", "c", "d", "e"]
    assert library.index().unchanged == 5


def test_a_folder_around_all_folders(library: Library, music: Path) -> None:
    assert library.remove(music) == 5
    assert (len(library), library.roots) == (0, [])


def test_what_is_not_there_changes_nothing(library: Library, music: Path) -> None:
    before = contents(library)
    with pytest.raises(
        QueryError, match=r"aa.mp3' is neither a track nor a folder of the library$"
    ):
        library.remove([music / "one", music / "one/aa.mp3"])
    assert contents(Library(library.path)) == before


def test_what_was_removed_before_is_told(library: Library, music: Path) -> None:
    library.remove([music / "one/a.mp3", music / "two/e.mp3", music / "one/deep"])
    for thing in ("one/a.mp3", "one/deep", "one/deep/c.mp3"):
        with pytest.raises(QueryError, match=r"was already removed; soundalike index"):
            library.remove(music / thing)
    assert stems(library) == ["b", "d"]


def test_a_folder_of_which_nothing_is_left_can_be_removed(library: Library, music: Path) -> None:
    library.index([music / "one", music / "two"], filters=Filters(exclude=("*",)))
    assert len(library) == 0
    assert library.remove(music / "one") == 0
    assert library.roots == [music / "two"]


def test_every_encoder_forgets(library: Library, music: Path) -> None:
    other = Library(library.path, embedder=StandIn(name="other", version=2))  # type: ignore[arg-type]
    other.index()
    library.remove(music / "two/d.mp3")
    for encoder in (StandIn(), StandIn(name="other", version=2)):
        assert len(Library(library.path, embedder=encoder)) == 4  # type: ignore[arg-type]


def test_failures_are_forgotten_too(library: Library, music: Path) -> None:
    write_sounds(music / "one/bad.mp3", "broken")
    library.index()
    library.remove(music / "one")
    assert library.failures() == []


def test_cut_short_it_is_made_good_by_the_next_indexing(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrackTable, "delete", stop)
        with pytest.raises(KeyboardInterrupt):
            library.remove(music / "one")
    library.index()
    assert stems(Library(library.path)) == ["d", "e"]
    assert len(library._opened.table()) == 2
