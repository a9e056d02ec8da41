from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.subsonic.conftest import PICTURE, Caller
from soundalike.library.library import Library

LOST = (
    *("/etc/passwd", "../../etc/passwd", "..", ".", "", "%2e%2e/%2e%2e/etc/passwd"),
    *("file:///etc/passwd", "~root/.ssh/id_rsa", "pl-../../library", "\0", "a\0b", "C:\\boot.ini"),
)


def test_a_file_is_streamed_as_it_is(call: Caller, songs: Path, song_ids: dict[str, str]) -> None:
    data = (songs / "Beyoncé/One/1.flac").read_bytes()
    for given in ({}, {"format": "raw"}, {"format": "mp3", "maxBitRate": "128"}):
        answer = call.client.get("/rest/stream.view", params={"id": song_ids["First"], **given})
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["content-type"] == "audio/flac"
        assert "content-disposition" not in answer.headers


def test_a_part_of_it(call: Caller, songs: Path, song_ids: dict[str, str]) -> None:
    data = (songs / "Beyoncé/One/1.flac").read_bytes()
    answer = call.client.get(
        f"/rest/stream?id={song_ids['First']}", headers={"Range": "bytes=100-199"}
    )
    assert (answer.status_code, answer.content) == (206, data[100:200])
    assert answer.headers["content-range"] == f"bytes 100-199/{len(data)}"


def test_its_size_alone(call: Caller, songs: Path, song_ids: dict[str, str]) -> None:
    answer = call.client.head(f"/rest/stream?id={song_ids['First']}")
    assert answer.content == b""
    assert int(answer.headers["content-length"]) == (songs / "Beyoncé/One/1.flac").stat().st_size


def test_a_download_has_a_name(call: Caller, songs: Path, song_ids: dict[str, str]) -> None:
    answer = call.client.get(f"/rest/download?id={song_ids['Guest']}")
    assert answer.content == (songs / "Various/B.mp3").read_bytes()
    assert answer.headers["content-disposition"] == 'attachment; filename="B.mp3"'
    for title in ("Latin", "Odd name"):
        answer = call.client.get(f"/rest/download?id={song_ids[title]}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")


def test_a_form_may_ask_for_sound(call: Caller, song_ids: dict[str, str]) -> None:
    answer = call.client.post("/rest/stream", data={"id": song_ids["First"]})
    assert answer.headers["content-type"] == "audio/flac"


def test_pictures_of_songs_albums_and_artists(call: Caller, song_ids: dict[str, str]) -> None:
    song = call("getSong", id=song_ids["First"])["song"]
    for name in (song["id"], song["albumId"]):
        answer = call.client.get("/rest/getCoverArt", params={"id": name, "size": "300"})
        assert (answer.content, answer.headers["content-type"]) == (PICTURE, "image/png")
    assert call.failure("getCoverArt", id=song_ids["none"]) == 70
    assert call.failure("getCoverArt") == 10


def test_the_picture_of_a_playlist_is_that_of_its_first_song(
    call: Caller, song_ids: dict[str, str]
) -> None:
    made = call("createPlaylist", name="x", songId=[song_ids["Second"]])["playlist"]
    assert call.client.get(f"/rest/getCoverArt?id={made['coverArt']}").content == PICTURE
    empty = call("createPlaylist", name="y")["playlist"]
    assert call.failure("getCoverArt", id=empty["id"]) == 70


@pytest.mark.parametrize("name", ["stream", "download", "getCoverArt"])
@pytest.mark.parametrize("lost", LOST)
def test_nothing_but_the_library_is_reached(
    call: Caller, songs: Path, name: str, lost: str
) -> None:
    assert call.failure(name, id=lost) == (70 if lost else 10)
    assert call.failure(name, id=str(songs / "none.flac")) == 70


def test_a_file_that_is_gone_is_not_found(
    serve: Callable[..., TestClient], model: Path, tmp_path: Path, songs: Path
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    (music / "a.flac").write_bytes((songs / "none.flac").read_bytes())
    library = Library(tmp_path / "own", model=model)
    library.index([music])
    (track,) = library.tracks()
    call = Caller(serve(library))
    (music / "a.flac").unlink()
    assert call.failure("stream", id=track.id) == 70
    (music / "a.flac").symlink_to("/etc/passwd")
    assert call.failure("stream", id=track.id) == 50
