"""Client libraries that others wrote, against a real server on loopback."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fake_model import write_fake_model, write_tone
from soundalike.library.library import Library

libopensonic = pytest.importorskip("libopensonic", reason="pip install py-opensonic")
libsonic = pytest.importorskip("libsonic", reason="pip install py-sonic")

TOKEN = "sésame & more"
PICTURE = b"\xff\xd8\xffnot much of a picture"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("clients")
    for number in range(6):
        tags = {"title": f"Töne {number}", "artist": f"Artist {number // 3}", "genre": "Tones"}
        tags |= {"album": f"Album {number // 3}", "track": str(number + 1), "date": "2001-02-03"}
        write_tone(folder / f"music/{number}.flac", 220.0 * 1.2**number, 4.0 + number, tags=tags)
    (folder / "music/cover.jpg").write_bytes(PICTURE)
    library = Library(folder / "library", model=write_fake_model(folder / "model"))
    library.index([folder / "music"])
    return library


@pytest.fixture(scope="module")
def port(library: Library) -> Iterator[int]:
    import uvicorn

    from soundalike.server.app import create_app
    from soundalike.server.settings import Settings

    app = create_app(library, Settings(token=TOKEN))
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


LOGINS: dict[str, dict[str, Any]] = {
    "hash": {"username": "ann", "password": TOKEN},
    "password": {"username": "ann", "password": TOKEN, "legacy_auth": True},
    "key": {"api_key": TOKEN},
    "get": {"api_key": TOKEN, "use_get": True, "use_views": False},
}


@contextlib.contextmanager
def connected(port: int, **login: Any) -> Iterator[Any]:
    connection = libopensonic.Connection("http://127.0.0.1", port=port, **login)
    yield connection
    connection.cleanup()
    connection._loop.close()  # which it forgets


@pytest.fixture(params=LOGINS)
def opensonic(port: int, request: pytest.FixtureRequest) -> Iterator[Any]:
    with connected(port, **LOGINS[request.param]) as connection:
        yield connection


def test_py_opensonic_browses(opensonic: Any) -> None:
    assert opensonic.ping()
    extensions = {each.name: each.versions for each in opensonic.get_open_subsonic_extensions()}
    assert extensions["sonicSimilarity"] == [1]
    artists = [artist for letter in opensonic.get_artists().index for artist in letter.artist]
    assert [artist.name for artist in artists] == ["Artist 0", "Artist 1"]
    assert opensonic.get_indexes().index[0].name == "A"
    (album,) = opensonic.get_artist(artists[0].id).album
    songs = opensonic.get_album(album.id).song
    assert [song.title for song in songs] == ["Töne 0", "Töne 1", "Töne 2"]
    assert opensonic.get_song(songs[0].id) == songs[0]
    assert len(opensonic.get_music_directory(album.id).child) == 3
    assert [genre.value for genre in opensonic.get_genres()] == ["Tones"]
    assert len(opensonic.get_album_list2("byYear", from_year=2000, to_year=2002)) == 2
    assert len(opensonic.get_album_list("newest")) == 2
    assert len(opensonic.get_random_songs(size=4)) == 4
    assert len(opensonic.get_songs_by_genre("Tones")) == 6
    assert opensonic.get_user("ann").stream_role
    assert opensonic.get_scan_status().count == 6


def test_py_opensonic_searches(opensonic: Any) -> None:
    assert opensonic.search3("töne 4").song[0].title == "Töne 4"
    assert len(opensonic.search3("", song_count=100).song) == 6
    assert opensonic.search2("tone 2").song[0].title == "Töne 2"


def test_py_opensonic_asks_what_sounds_alike(opensonic: Any, library: Library) -> None:
    first, *_, last = (track.id for track in library.tracks())
    matches = opensonic.get_sonic_similar_tracks(first, count=3)
    answers = library.similar(first, n=3)
    assert [match.entry.id for match in matches] == [each.track.id for each in answers]
    assert matches[0].similarity == pytest.approx(answers[0].similarity, abs=1e-6)
    path = opensonic.find_sonic_path(first, last, count=4)
    assert (path[0].entry.id, path[-1].entry.id, path[0].similarity) == (first, last, 1.0)
    song = opensonic.get_song(first)
    for name in (song.id, song.album_id, song.artist_id):
        assert opensonic.get_similar_songs(name)
        assert opensonic.get_similar_songs2(name)
    assert [each.name for each in opensonic.get_artist_info2(song.artist_id).similar_artist] == [
        "Artist 1"
    ]


def test_py_opensonic_keeps_playlists(opensonic: Any, library: Library) -> None:
    first, second, *_, last = (track.id for track in library.tracks())
    assert opensonic.create_playlist(name="Abend", song_ids=[first, second])
    (made,) = opensonic.get_playlists()
    assert (made.name, made.song_count) == ("Abend", 2)
    opensonic.update_playlist(
        made.id, comment="spät", song_ids_to_add=[last], song_indices_to_remove=[0]
    )
    (listed,) = opensonic.get_playlists()
    assert (listed.id, listed.comment, listed.song_count) == (made.id, "spät", 2)
    assert [song.id for song in opensonic.get_playlist(made.id).entry] == [second, last]
    assert opensonic.delete_playlist(made.id)
    assert not opensonic.get_playlists()


def test_py_opensonic_finds_nothing_where_nothing_is(opensonic: Any, library: Library) -> None:
    assert not opensonic.get_top_songs("Artist 0")
    assert not opensonic.get_starred2().song
    assert not opensonic.get_now_playing()
    assert not opensonic.get_internet_radio_stations()
    assert not opensonic.get_podcasts()
    assert not opensonic.get_newest_podcasts()
    assert not opensonic.get_bookmarks()
    assert opensonic.get_lyrics("Artist 0", "Töne 0").value == ""
    (album, *_) = opensonic.get_album_list2("newest")
    assert opensonic.get_album_info2(album.id).notes is None
    assert opensonic.get_album_list2("frequent") == []
    assert opensonic.scrobble(library.tracks()[0].id)


def test_py_opensonic_is_told_what_is_wrong(port: int) -> None:
    with (
        connected(port, username="ann", password="wrong") as wrong,
        pytest.raises(libopensonic.errors.CredentialError),
    ):
        wrong.get_artists()


@pytest.mark.parametrize("legacy", [False, True])
def test_py_sonic_plays(
    port: int, library: Library, legacy: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sonic = libsonic.Connection(
        "http://127.0.0.1", "ann", TOKEN, port=port, serverPath="/rest", legacyAuth=legacy
    )
    assert sonic.ping()
    track = library.tracks()[0]
    assert sonic.getSong(track.id)["song"]["title"] == "Töne 0"
    assert sonic.stream(track.id).read() == track.path.read_bytes()
    assert sonic.download(track.id).read() == track.path.read_bytes()
    assert sonic.getCoverArt(track.id, size=64).read() == PICTURE
    assert len(sonic.getSimilarSongs2(track.id)["similarSongs2"]["song"]) == 5
    (folder,) = sonic.getMusicFolders()["musicFolders"]["musicFolder"]
    assert folder["name"] == "music"
    assert len(sonic.search3("artist")["searchResult3"]["song"]) == 6
    with pytest.raises(libsonic.errors.DataNotFoundError):
        sonic.getSong("nowhere")
    lines = [record.getMessage() for record in caplog.records if "/rest/" in record.getMessage()]
    assert any("/rest/stream.view 200" in line for line in lines)
    assert not any(secret in line for line in lines for secret in ("?", "ann", "enc:", TOKEN))
