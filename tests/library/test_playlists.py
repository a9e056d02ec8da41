"""Playlists: what is written is read again, and what others wrote is understood or told."""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand_in import new_library, write_sounds

from soundalike.errors import LibraryError, QueryError
from soundalike.library import playlists
from soundalike.library.playlists import write_m3u8
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track


def track(path: Path, title: str = "Title", artist: str = "Artist") -> Track:
    return Track("0" * 16, path, title, artist, "Album", 61.6)


def test_the_whole_file(tmp_path: Path) -> None:
    tracks = [
        track(tmp_path / "music/é 🎵.mp3", "Gnossienne\r\n#1", "Satie\n"),
        track(tmp_path / "lists/here.flac", artist=""),
    ]
    (tmp_path / "lists").mkdir()
    write_m3u8(tmp_path / "lists/mix.m3u8", tracks, title="Late\nnight")
    assert (tmp_path / "lists/mix.m3u8").read_bytes().decode("utf-8") == (
        "#EXTM3U\n"
        "#PLAYLIST:Late night\n"
        "#EXTINF:62,Satie - Gnossienne #1\n"
        "../music/é 🎵.mp3\n"
        "#EXTINF:62,Title\n"
        "here.flac\n"
    )


def test_paths_that_look_like_something_else(tmp_path: Path) -> None:
    write_m3u8(tmp_path / "m.m3u8", [track(tmp_path / "#1.mp3"), track(tmp_path / " 2.mp3")])
    lines = (tmp_path / "m.m3u8").read_text().splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line for line in lines if not line.startswith("#")] == ["./#1.mp3", "./ 2.mp3"]


def test_a_playlist_given_relatively_is_still_relative_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lists").mkdir()
    monkeypatch.chdir(tmp_path)
    write_m3u8("lists/m.m3u8", [track(tmp_path / "a.mp3")])
    assert "../a.mp3" in (tmp_path / "lists/m.m3u8").read_text().splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize(
    ("name", "why"), [(b"a\nb.mp3", "line break"), (b"a\rb.mp3", "line break"), (b"\xff", "UTF-8")]
)
def test_what_a_playlist_cannot_hold_is_left_out_and_returned(
    tmp_path: Path, name: bytes, why: str
) -> None:
    playlist, lost = tmp_path / "m.m3u8", tmp_path / os.fsdecode(name)
    ((path, said),) = write_m3u8(
        playlist, [track(tmp_path / "a.mp3"), track(lost, "Lost"), track(tmp_path / "b.mp3")]
    )
    assert (path, why in said) == (lost, True)
    assert "Lost" not in playlist.read_text()
    assert [entry.text for entry in playlists.read_m3u8(playlist)] == ["a.mp3", "b.mp3"]
    assert write_m3u8(playlist, [track(tmp_path / "a.mp3")]) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"playlist .*no such file"):
        write_m3u8(tmp_path / "nowhere/m.m3u8", [])


def written(folder: Path, data: bytes, name: str = "list.m3u8") -> Path:
    """A playlist beside a.mp3 and "é 1.mp3"."""
    for track in ("a.mp3", "é 1.mp3"):
        (folder / track).touch()
    (folder / name).write_bytes(data)
    return folder / name


def read(folder: Path, data: bytes, name: str = "list.m3u8") -> list[tuple[int, str, str]]:
    """Line, path relative to the folder, and problem of every entry."""
    entries = playlists.read_m3u8(written(folder, data, name))
    return [
        (each.line, os.path.relpath(each.path, folder) if each.path else "", each.problem)
        for each in entries
    ]


def test_absolute_paths_lead_there_from_anywhere(tmp_path: Path) -> None:
    write_m3u8(tmp_path / "m.m3u8", [track(tmp_path / "x/a.mp3")], absolute=True)
    assert (tmp_path / "m.m3u8").read_text().splitlines()[-1] == str(tmp_path / "x/a.mp3")


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0\r\n"), min_size=1)


@pytest.mark.skipif(sys.platform == "win32", reason="fewer names there")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True), absolute=st.booleans())
def test_what_is_written_is_read(tmp_path: Path, names: list[str], absolute: bool) -> None:
    folder = tmp_path / secrets.token_hex(8)
    folder.mkdir()
    paths = [folder / name[:20] / "a.mp3" for name in names if name.strip(".")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    write_m3u8(folder / "m.m3u8", [track(path) for path in paths], absolute=absolute)
    entries = playlists.read_m3u8(folder / "m.m3u8")
    assert [entry.path for entry in entries] == paths
    assert {(entry.title, entry.duration, entry.problem) for entry in entries} <= {
        ("Artist - Title", 62.0, "")
    }


def test_titles_and_durations_belong_to_the_next_entry(tmp_path: Path) -> None:
    data = b"""#EXTM3U
#PLAYLIST:Late
#EXTINF:61,Satie - Gnossienne #1
# a comment
a.mp3
b.mp3
#EXTINF:-1 tvg-id="x,y" group="z",Radio
http://example.org/live
#EXTINF:12.5
a.mp3
#extinf:nonsense
a.mp3
"""
    entries = playlists.read_m3u8(written(tmp_path, data))
    assert [(each.line, each.title, each.duration) for each in entries] == [
        (5, "Satie - Gnossienne #1", 61.0),
        (6, "", None),
        (8, "Radio", None),
        (10, "", 12.5),
        (12, "nonsense", None),
    ]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"a.mp3\n\xc3\xa9 1.mp3\n", "list.m3u8"),
        (b"a.mp3\r\n\xc3\xa9 1.mp3\r\n", "list.m3u"),
        (b"a.mp3\r\xc3\xa9 1.mp3", "list.m3u"),
        (b"\xef\xbb\xbfa.mp3\n\xc3\xa9 1.mp3\n", "list.m3u8"),
        (b"\xff\xfe" + "a.mp3\né 1.mp3".encode("utf-16-le"), "list.m3u"),
        (b"a.mp3\n\xe9 1.mp3\n", "list.m3u"),
        (b"  a.mp3 \ne\xcc\x81 1.mp3\n", "list.m3u8"),
        (b".\\a.mp3\n..\\{folder}\\\xc3\xa9 1.mp3\n", "list.m3u8"),
        (b"file://{here}/a.mp3\nfile://localhost{here}/%C3%A9%201.mp3\n", "list.m3u8"),
        (b"FILE://{here}/%61.mp3\n{here}/\xc3\xa9 1.mp3", "list.m3u8"),
    ],
    ids=["utf8", "crlf", "cr", "bom", "utf16", "latin1", "apart", "backslash", "url", "absolute"],
)
def test_whatever_players_write(tmp_path: Path, data: bytes, name: str) -> None:
    here, folder = bytes(tmp_path), os.fsencode(tmp_path.name)
    data = data.replace(b"{here}", here).replace(b"{folder}", folder)
    assert read(tmp_path, data, name) == [(1, "a.mp3", ""), (2, "é 1.mp3", "")]


def test_a_percent_sign_is_one_in_a_path(tmp_path: Path) -> None:
    (tmp_path / "100%25.mp3").touch()
    ((_, path, problem),) = read(tmp_path, b"100%25.mp3\n")
    assert (path, problem) == ("100%25.mp3", "")


@pytest.mark.skipif(sys.platform == "win32", reason="what is odd there is not odd here")
@pytest.mark.parametrize(
    ("line", "path", "why"),
    [
        (b"http://example.org/live.mp3", "", r"a stream \(http\), not a file"),
        (b"gone/b.mp3", "gone/b.mp3", "no such file"),
        (b"gone\\b.mp3", "gone/b.mp3", "no such file"),
        (b"a.mp3/b.mp3", "a.mp3/b.mp3", "not a directory"),
        (b".", ".", "a folder"),
        (b"C:\\Music\\a.mp3", "", "a drive or machine"),
        (b"\\\\server\\music\\a.mp3", "", "a drive or machine"),
        (b"file:///C:/Music/a.mp3", "", "a drive or machine"),
        (b"file://server/music/a.mp3", "", "a drive or machine"),
        (b"x" * 5000, "x" * 5000, "too long"),
        (b"\xff\xfe\xfd.mp3", "ÿþý.mp3", "no such file"),
    ],
)
def test_what_cannot_be_played_is_told(tmp_path: Path, line: bytes, path: str, why: str) -> None:
    first, (number, found, problem) = read(tmp_path, b"a.mp3\n\n" + line + b"\n")
    assert first == (1, "a.mp3", "")
    assert (number, found) == (3, path)
    assert re.search(why, problem)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\n", "is empty"),
        (b"ID3\x03\0\0\0" + bytes(range(256)) * 40_000, "binary"),
        (b"[playlist]\nFile1=a.mp3\n", "PLS"),
        (b'<?xml version="1.0"?><playlist/>', "XML"),
        (b'{"a": 1}', "JSON"),
    ],
)
def test_what_is_no_playlist(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(QueryError, match=why):
        playlists.read_m3u8(written(tmp_path, data))


def test_a_playlist_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlists, "MOST_BYTES", 10)
    assert len(read(tmp_path, b"a.mp3\na.mp")) == 2
    with pytest.raises(QueryError, match="binary"):
        read(tmp_path, b"a.mp3\na.mp3")


def test_a_playlist_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="is a folder"):
        playlists.read_m3u8(tmp_path)
    written(tmp_path, b"a.mp3\n", "evening.m3u8")
    with pytest.raises(QueryError, match=r"no such file.*did you mean 'evening.m3u8'\?"):
        playlists.read_m3u8(tmp_path / "evning.m3u8")
    with pytest.raises(QueryError, match="no such file"):
        playlists.read_m3u8(tmp_path / "nowhere/evening.m3u8")


def test_a_playlist_may_name_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, b"#EXTM3U\n# nothing yet\n") == []


def test_entries_are_written_again_as_they_were(tmp_path: Path) -> None:
    lines = [b"#EXTINF:62,A - B", b"a.mp3", b"#EXTINF:-1,Live", b"http://x.org/a", b"gone.mp3"]
    entries = playlists.read_m3u8(written(tmp_path, b"\n".join(lines)))
    write_m3u8(tmp_path / "again.m3u8", entries)
    assert (tmp_path / "again.m3u8").read_bytes() == b"#EXTM3U\n" + b"\n".join(lines) + b"\n"


@pytest.mark.skipif(sys.platform == "win32", reason="other paths there")
def test_entries_that_are_not_there_are_kept_as_written(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    lines = [b"/nowhere.mp3", b"file:///no%20where.mp3", b"sub\\gone.mp3", b"gone.mp3"]
    entries = playlists.read_m3u8(written(tmp_path, b"\n".join(lines)))
    write_m3u8(tmp_path / "again.m3u8", entries)
    assert (tmp_path / "again.m3u8").read_bytes().splitlines()[1:] == lines
    # From another folder a relative entry means another file, so it is written anew.
    write_m3u8(tmp_path / "deeper/m.m3u8", entries)
    again = (tmp_path / "deeper/m.m3u8").read_bytes().splitlines()[1:]
    assert again == [*lines[:2], b"../sub/gone.mp3", b"../gone.mp3"]
    write_m3u8(tmp_path / "deeper/m.m3u8", entries, absolute=True)
    last = (tmp_path / "deeper/m.m3u8").read_text().splitlines()[-1]
    assert last == str(tmp_path / "gone.mp3")


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    library, _ = new_library(tmp_path / "library")
    for name in ("one/01 a.mp3", "two/01 a.mp3", "two/02 b.mp3", "two/É.mp3"):
        write_sounds(tmp_path / "music" / name, name)
    library.index([tmp_path / "music"])
    return library._filled()


def found(snapshot: Snapshot, tmp_path: Path, *lines: str) -> list[tuple[str, bool]]:
    (tmp_path / "list.m3u8").write_text("\n".join(lines))
    resolved = playlists.resolve(playlists.read_m3u8(tmp_path / "list.m3u8"), snapshot)
    names = [os.path.relpath(path, tmp_path / "music") for path in snapshot.paths]
    return [("" if each.row is None else names[each.row], each.moved) for each in resolved]


def test_entries_meet_the_library_by_path(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "other.mp3").touch()
    (tmp_path / "music/two/02 b.mp3").unlink()  # not there just now, but in the library
    lines = (
        "music/one/01 a.mp3",
        "music/one/../two/02 b.mp3",
        "other.mp3",
        "http://x.org/01 a.mp3",
    )
    assert found(snapshot, tmp_path, *lines) == [
        ("one/01 a.mp3", False),
        ("two/02 b.mp3", False),
        ("", False),
        ("", False),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
def test_entries_meet_the_library_through_links(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(tmp_path / "music")
    (tmp_path / "favourite.mp3").symlink_to(tmp_path / "music/two/02 b.mp3")
    lines = ("linked/one/01 a.mp3", "favourite.mp3")
    assert found(snapshot, tmp_path, *lines) == [("one/01 a.mp3", False), ("two/02 b.mp3", False)]


def test_entries_meet_a_library_that_was_indexed_through_a_link(tmp_path: Path) -> None:
    write_sounds(tmp_path / "real/a.mp3", "a")
    (tmp_path / "music").symlink_to(tmp_path / "real")
    library, _ = new_library(tmp_path / "library")
    library.index([tmp_path / "music"])
    (tmp_path / "list.m3u8").write_text("real/a.mp3")
    assert playlists.rows_listed(tmp_path / "list.m3u8", library._filled()) == ([0], [])


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["C:\\Music\\two\\01 a.mp3"], "two/01 a.mp3"),
        (["/elsewhere/ONE/01 A.mp3"], "one/01 a.mp3"),
        (["file:///C:/two/%C3%89.mp3"], "two/É.mp3"),
        (["gone/02 b.mp3"], ""),  # the name alone is no proof
        (["#EXTINF:91,B", "gone/02 b.mp3"], "two/02 b.mp3"),
        (["#EXTINF:100,B", "gone/02 b.mp3"], ""),
        (["#EXTINF:90,A", "gone/01 a.mp3"], ""),  # two of them
        (["nothing like it.mp3"], ""),
    ],
)
def test_a_playlist_survives_a_move(
    snapshot: Snapshot, tmp_path: Path, lines: list[str], name: str
) -> None:
    assert found(snapshot, tmp_path, *lines) == [(name, name != "")]


def test_rows_of_a_playlist_once_each_and_what_is_not_among_them(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    lines = ("music/two/02 b.mp3", "gone.mp3", "music/one/01 a.mp3", "music/two/02 b.mp3")
    (tmp_path / "list.m3u8").write_text("\n".join(lines))
    rows, missing = playlists.rows_listed(tmp_path / "list.m3u8", snapshot)
    assert [Path(snapshot.paths[row]).name for row in rows] == ["02 b.mp3", "01 a.mp3"]
    assert [(entry.line, entry.text) for entry in missing] == [(2, "gone.mp3")]
