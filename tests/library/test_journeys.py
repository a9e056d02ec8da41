from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.library.journeys import write_m3u8
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
def test_what_a_playlist_cannot_hold_leaves_the_old_one(
    tmp_path: Path, name: bytes, why: str
) -> None:
    playlist = tmp_path / "m.m3u8"
    playlist.write_text("old")
    with pytest.raises(LibraryError, match=why):
        write_m3u8(playlist, [track(tmp_path / "ok.mp3"), track(tmp_path / os.fsdecode(name))])
    assert playlist.read_text() == "old"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"playlist .*no such file"):
        write_m3u8(tmp_path / "nowhere/m.m3u8", [])
