"""Listing by page, and asking with what another process heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from fake_model import write_fake_model, write_tone
from soundalike.audio.listening import listen
from soundalike.errors import QueryError
from soundalike.library.library import Library
from soundalike.library.scan import content_hash


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("asked")
    for number in range(6):
        tags = {"artist": f"A{number % 2}", "album": f"B{number // 3}", "date": str(2000 + number)}
        write_tone(folder / f"music/{number}.flac", 200.0 * 1.3**number, 5.0, tags=tags)
    library = Library(folder / "library", model=write_fake_model(folder / "fake"))
    library.index([folder / "music"])
    return library


def test_pages_are_slices_of_all_tracks(library: Library) -> None:
    tracks = library.tracks()
    for start in range(7):
        for count in (0, 1, 4, 99, None):
            stop = None if count is None else start + count
            assert library.browse(start=start, count=count) == (tracks[start:stop], 6)


def test_pages_of_some(library: Library) -> None:
    ours = [track for track in library.tracks() if track.artist == "A1"]
    assert library.browse(artist="a1") == (ours, 3)
    assert library.browse(artist="A1", start=1, count=1) == (ours[1:2], 3)
    found, total = library.browse(artist="A1", album="B0", filter="year > 2000")
    assert ([track.year for track in found], total) == ([2001], 1)
    assert library.browse(filter="year > 2100") == ([], 0)
    with pytest.raises(QueryError, match="artist 'nobody'"):
        library.browse(artist="nobody")


def test_an_empty_library_has_no_pages(tmp_path: Path) -> None:
    assert Library(tmp_path / "none").browse() == ([], 0)


def test_by_id_reaches_for_no_file(library: Library) -> None:
    track = library.tracks()[0]
    assert library.by_id(track.id) == track
    for name in (str(track.path), track.title, "", "0" * 16):
        assert library.by_id(name) is None
    assert Library(library.path / "none").by_id(track.id) is None


def test_a_revision_changes_with_the_library_and_only_then(
    tmp_path: Path, library: Library
) -> None:
    write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    model = write_fake_model(tmp_path / "fake")
    writer, reader = (Library(tmp_path / "new", model=model) for _ in range(2))
    assert reader.revision == ""
    writer.index([tmp_path / "music"])
    first = reader.revision
    assert first == reader.revision == writer.revision != ""
    write_tone(tmp_path / "music/b.flac", 400.0, 5.0)
    writer.index()
    assert reader.revision not in ("", first)


def test_what_was_heard_asks_like_the_file_itself(tmp_path: Path, library: Library) -> None:
    file = write_tone(tmp_path / "new.flac", 270.0, 5.0, tags={"title": "New"})
    heard = library.heard(listen(file, library.ear), content_hash(file))
    expected = library.similar(file, n=4)
    file.unlink()
    found = library.similar(heard, n=4)
    assert [each.track for each in found] == [each.track for each in expected]
    assert found.seeds[0] == expected.seeds[0]
    with pytest.raises(QueryError, match="excerpt"):
        library.similar(heard, excerpt=(1.0, 3.0))
