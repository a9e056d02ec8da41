from __future__ import annotations

import pytest

from server.subsonic.conftest import Caller


def ids_by_name(call: Caller) -> dict[str, str]:
    letters = call("getArtists")["artists"]["index"]
    return {each["name"]: each["id"] for letter in letters for each in letter["artist"]}


def test_artists_stand_under_their_letters(call: Caller) -> None:
    index = call("getArtists")["artists"]["index"]
    assert {each["name"]: [a["name"] for a in each["artist"]] for each in index} == {
        "#": ["[Unknown Artist]"],
        "B": ["Beyoncé"],
        "O": ["The Ones"],
        "V": ["Various Artists"],
    }


def test_from_artist_to_album_to_song(call: Caller) -> None:
    artist = call("getArtist", id=ids_by_name(call)["Beyoncé"])["artist"]
    assert [album["name"] for album in artist["album"]] == ["Many", "One"]
    album = call("getAlbum", id=artist["album"][1]["id"])["album"]
    assert [song["title"] for song in album["song"]] == ["Second", "Third", "First"]
    assert album["songCount"] == 3
    assert (album["year"], album["genre"], album["duration"]) == (2001, "Pop", 15)
    assert {song["albumId"] for song in album["song"]} == {album["id"]}


def test_every_song_is_reached_by_its_artist(call: Caller, song_ids: dict[str, str]) -> None:
    reached = set()
    for artist in ids_by_name(call).values():
        for album in call("getArtist", id=artist)["artist"]["album"]:
            songs = call("getAlbum", id=album["id"])["album"]["song"]
            reached |= {song["id"] for song in songs}
    assert reached == set(song_ids.values())


def test_folders_lead_the_same_way(call: Caller) -> None:
    (folder,) = call("getMusicFolders")["musicFolders"]["musicFolder"]
    top = call("getMusicDirectory", id=folder["id"])["directory"]
    assert [child["title"] for child in top["child"]] == [
        *("[Unknown Artist]", "Beyoncé", "The Ones", "Various Artists")
    ]
    artist = call("getMusicDirectory", id=top["child"][1]["id"])["directory"]
    assert all(child["isDir"] for child in artist["child"])
    album = call("getMusicDirectory", id=artist["child"][1]["id"])["directory"]
    assert album["parent"] == artist["id"]
    assert [child["title"] for child in album["child"]] == ["Second", "Third", "First"]


def test_indexes_say_whether_something_is_new(call: Caller) -> None:
    indexes = call("getIndexes")["indexes"]
    assert len(indexes["index"]) == 4
    modified = indexes["lastModified"]
    assert call("getIndexes", ifModifiedSince=modified)["indexes"]["index"] == []
    assert call("getIndexes", ifModifiedSince=modified - 1)["indexes"] == indexes


def test_a_music_folder_narrows(call: Caller) -> None:
    whole = call("getArtists")["artists"]
    assert call("getArtists", musicFolderId=1)["artists"] == whole
    assert call("getArtists", musicFolderId="")["artists"] == whole
    assert call.failure("getArtists", musicFolderId=2) == 70
    assert call.failure("getIndexes", musicFolderId="x") == 0


def test_genres_are_counted(call: Caller) -> None:
    assert call("getGenres")["genres"]["genre"] == [
        {"value": "Pop", "songCount": 5, "albumCount": 2}
    ]


def test_artists_that_sound_alike(call: Caller) -> None:
    name = ids_by_name(call)["Beyoncé"]
    alike = call("getArtistInfo2", id=name, count=5)["artistInfo2"]["similarArtist"]
    assert [each["name"] for each in alike] == ["The Ones"]
    assert call("getArtistInfo", id=name)["artistInfo"]["similarArtist"] == alike
    for nobody in ("[Unknown Artist]", "Various Artists"):
        info = call("getArtistInfo2", id=ids_by_name(call)[nobody])["artistInfo2"]
        assert info == {"similarArtist": []}


@pytest.mark.parametrize("name", ["getArtist", "getAlbum", "getSong", "getMusicDirectory"])
def test_ids_that_lead_nowhere(call: Caller, name: str, song_ids: dict[str, str]) -> None:
    assert call.failure(name) == 10
    assert call.failure(name, id="nowhere") == 70
    assert call.failure(name, id="al-0000000000000000") == 70
    if name != "getSong":
        assert call.failure(name, id=song_ids["First"]) == 70
