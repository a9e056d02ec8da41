from __future__ import annotations

from typing import Any

import pytest

from server.subsonic.conftest import Caller


def names(call: Caller, **parameters: Any) -> list[str]:
    return [album["name"] for album in call("getAlbumList2", **parameters)["albumList2"]["album"]]


def test_albums_by_name_and_artist(call: Caller) -> None:
    unknown = ["[Unknown Album]"] * 2
    assert names(call, type="alphabeticalByName") == [*unknown, "Many", "One"]
    by_artist = names(call, type="alphabeticalByArtist")
    assert by_artist == ["[Unknown Album]", "One", "[Unknown Album]", "Many"]


def test_albums_by_year(call: Caller) -> None:
    assert names(call, type="byYear", fromYear=1990, toYear=2010) == ["Many", "One"]
    assert names(call, type="byYear", fromYear=2010, toYear=1990) == ["One", "Many"]
    assert names(call, type="byYear", fromYear=2000, toYear=2010) == ["One"]
    assert call.failure("getAlbumList2", type="byYear", fromYear=2000) == 10


def test_albums_by_genre(call: Caller) -> None:
    assert names(call, type="byGenre", genre="POP") == ["Many", "One"]
    assert names(call, type="byGenre", genre="Jazz") == []
    assert call.failure("getAlbumList2", type="byGenre") == 10


def test_new_and_any_albums(call: Caller) -> None:
    everything = sorted(names(call, type="alphabeticalByName"))
    assert sorted(names(call, type="newest")) == everything
    assert sorted(names(call, type="random")) == everything


@pytest.mark.parametrize("kind", ["frequent", "recent", "starred", "highest"])
def test_what_nobody_counts_is_empty(call: Caller, kind: str) -> None:
    assert names(call, type=kind) == []


def test_pages(call: Caller) -> None:
    whole = names(call, type="alphabeticalByName")
    pages = [names(call, type="alphabeticalByName", size=1, offset=i) for i in range(6)]
    assert pages == [[name] for name in whole] + [[], []]
    assert names(call, type="alphabeticalByName", size=0) == []


def test_a_list_is_of_a_kind(call: Caller) -> None:
    assert call.failure("getAlbumList2") == 10
    assert call.failure("getAlbumList2", type="best") == 0
    assert call.failure("getAlbumList2", type="newest", size=-1) == 0


def test_albums_as_folders(call: Caller) -> None:
    albums = call("getAlbumList", type="alphabeticalByName")["albumList"]["album"]
    assert all(album["isDir"] and album["title"] == album["name"] for album in albums)


def test_any_songs(call: Caller, song_ids: dict[str, str]) -> None:
    songs = call("getRandomSongs", size=100)["randomSongs"]["song"]
    assert sorted(song["id"] for song in songs) == sorted(song_ids.values())
    assert len(call("getRandomSongs", size=3)["randomSongs"]["song"]) == 3
    pop = call("getRandomSongs", genre="pop", fromYear=2000)["randomSongs"]["song"]
    assert {song["title"] for song in pop} == {"First", "Second", "Third"}
    old = call("getRandomSongs", toYear=2000)["randomSongs"]["song"]
    assert {song["title"] for song in old} == {"A & <B>", "Guest"}


def test_songs_of_a_genre(call: Caller) -> None:
    songs = call("getSongsByGenre", genre="Pop", count=2, offset=1)["songsByGenre"]["song"]
    assert [song["title"] for song in songs] == ["Second", "Third"]
    assert call.failure("getSongsByGenre") == 10
    assert len(call("getSongsByGenre", genre="Pop", musicFolderId=1)["songsByGenre"]["song"]) == 5
