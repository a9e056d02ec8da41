from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.library.disk import WriteLock
from soundalike.server.subsonic import playlist_files
from soundalike.server.subsonic.playlist_files import Playlist, PlaylistFiles


def made(files: PlaylistFiles, name: str, *tracks: str) -> Playlist:
    with files.changing():
        playlist = files.new(name, "ann")
        playlist.tracks = list(tracks)
        files.write(playlist)
    return playlist


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    files = PlaylistFiles(tmp_path)
    assert files.listed() == []
    second, first = made(files, "b", "2", "1", "2"), made(files, "A é")
    assert files.find(second.id) == second
    assert files.listed() == [first, second]
    values = json.loads((tmp_path / "playlists" / f"{second.id}.json").read_text("utf-8"))
    assert (values["format"], values["tracks"]) == (1, ["2", "1", "2"])


def test_names_are_cleaned_and_cut(tmp_path: Path) -> None:
    files = PlaylistFiles(tmp_path)
    assert made(files, "a\0\n\ud800b").name == "a \ufffdb"
    assert len(made(files, "x" * 1000).name) == playlist_files.LONGEST


def test_several_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each holder is one of several workers: locks of one process are told apart, too."""
    name = made(PlaylistFiles(tmp_path), "x").id

    def add(number: int) -> None:
        files = PlaylistFiles(tmp_path)
        with files.changing():
            playlist = files.find(name)
            assert playlist is not None
            playlist.tracks.append(str(number))
            files.write(playlist)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    found = PlaylistFiles(tmp_path).find(name)
    assert found is not None
    assert sorted(found.tracks, key=int) == [str(number) for number in range(40)]


def test_who_waits_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlist_files, "PATIENCE", 0.0)
    files = PlaylistFiles(tmp_path)
    made(files, "x")
    with (
        WriteLock(tmp_path / "playlists"),
        pytest.raises(LibraryError, match="another program"),
        files.changing(),
    ):
        pass


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "7", '{"format": 2}', '{"format": 1}', '{"format": 1, "name": "x"}'),
        '{"format": 1, "name": 7, "owner": "x"}',
        '{"format": 1, "name": "x", "owner": "x", "tracks": [7]}',
        '{"format": 1, "name": "x", "owner": "x", "tracks": 7}',
        '{"format": 1, "name": "x", "owner": "x", "more": 1}',
    ],
)
def test_a_damaged_file_is_told_and_spoils_no_other(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    files = PlaylistFiles(tmp_path)
    good = made(files, "x")
    path = tmp_path / "playlists" / "pl-0000000000000000.json"
    path.write_text(text)
    with pytest.raises(LibraryError, match=r"pl-0{16}\.json"):
        files.find("pl-0000000000000000")
    with caplog.at_level(logging.WARNING, logger="soundalike.server"):
        assert files.listed() == [good]
    assert str(path) in caplog.text


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = PlaylistFiles(tmp_path)
    monkeypatch.setattr(playlist_files, "MOST_TRACKS", 2)
    monkeypatch.setattr(playlist_files, "MOST_PLAYLISTS", 1)
    with pytest.raises(LibraryError, match="at most 2 songs"):
        made(files, "x", "1", "2", "3")
    first = made(files, "x", "1", "2")
    with pytest.raises(LibraryError, match="1 playlists already"):
        made(files, "y")
    with files.changing():
        files.write(first)


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    files = PlaylistFiles(tmp_path)
    playlist = made(files, "x")
    files.delete(playlist.id)
    files.delete(playlist.id)
    files.delete("../playlists")
    assert files.find(playlist.id) is None
