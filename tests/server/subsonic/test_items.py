from __future__ import annotations

from server.subsonic.conftest import Caller


def test_a_song_says_all_it_knows(call: Caller, song_ids: dict[str, str]) -> None:
    song = call("getSong", id=song_ids["Guest"])["song"]
    assert song.pop("created")
    assert song.pop("size") * 8 / 1000 / 8 <= song.pop("bitRate") + 1
    names = {name: song.pop(name) for name in ("parent", "albumId", "artistId", "coverArt", "id")}
    assert names["parent"] == names["albumId"]
    assert names["id"] == names["coverArt"] == song_ids["Guest"]
    (artist,) = song.pop("artists")
    assert artist == {"id": names["artistId"], "name": "Beyoncé"}
    (maker,) = song.pop("albumArtists")
    assert maker["name"] == song.pop("displayAlbumArtist") == "Various Artists"
    assert song == {
        "isDir": False,
        "title": "Guest",
        "album": "Many",
        "artist": "Beyoncé",
        "track": 2,
        "year": 1999,
        "genre": "pop",
        "contentType": "audio/mpeg",
        "suffix": "mp3",
        "duration": 8,
        "path": "Various/B.mp3",
        "type": "music",
        "mediaType": "song",
        "isVideo": False,
        "genres": [{"name": "pop"}],
        "displayArtist": "Beyoncé",
    }


def test_what_a_file_does_not_say_is_left_out(call: Caller, song_ids: dict[str, str]) -> None:
    song = call("getSong", id=song_ids["none"])["song"]
    assert not {"track", "year", "genre", "discNumber", "bpm"} & set(song)
    assert (song["title"], song["artist"], song["album"]) == (
        *("none", "[Unknown Artist]", "[Unknown Album]"),
    )
    assert song["genres"] == []


def test_a_path_is_below_its_folder_and_can_be_shown(
    call: Caller, song_ids: dict[str, str]
) -> None:
    assert call("getSong", id=song_ids["First"])["song"]["path"] == "Beyoncé/One/1.flac"
    assert call("getSong", id=song_ids["Latin"])["song"]["path"] == "latin \ufffd.flac"
    assert call("getSong", id=song_ids["Odd name"])["song"]["path"] == "odd \x07 \n name.flac"


def test_disc_numbers_come_from_tags(call: Caller, song_ids: dict[str, str]) -> None:
    assert call("getSong", id=song_ids["First"])["song"]["discNumber"] == 2
