from __future__ import annotations

import pytest

from server.subsonic.conftest import Caller
from soundalike.library.library import Library


def test_similar_tracks_come_with_the_similarities_of_the_library(
    call: Caller, kept: Library, song_ids: dict[str, str]
) -> None:
    matches = call("getSonicSimilarTracks", id=song_ids["First"], count=5)["sonicMatch"]
    answers = kept.similar(song_ids["First"], n=5)
    assert [match["entry"]["id"] for match in matches] == [each.track.id for each in answers]
    similarities = [match["similarity"] for match in matches]
    assert similarities == sorted(similarities, reverse=True)
    assert similarities == pytest.approx([each.similarity for each in answers], abs=1e-6)
    assert matches[0]["entry"]["title"] == "Second"


def test_ten_unless_told_otherwise(call: Caller, song_ids: dict[str, str]) -> None:
    assert len(call("getSonicSimilarTracks", id=song_ids["First"])["sonicMatch"]) == 7
    assert call("getSonicSimilarTracks", id=song_ids["First"], count=0)["sonicMatch"] == []


def test_a_path_has_both_ends_and_similarities_to_its_start(
    call: Caller, song_ids: dict[str, str]
) -> None:
    ends = {"startSongId": song_ids["First"], "endSongId": song_ids["none"]}
    matches = call("findSonicPath", **ends, count=5)["sonicMatch"]
    names = [match["entry"]["title"] for match in matches]
    assert (names[0], names[-1]) == ("First", "none")
    assert len(set(names)) == len(names) <= 5
    assert matches[0]["similarity"] == 1.0
    assert matches[1]["similarity"] > matches[-1]["similarity"]
    assert len(call("findSonicPath", **ends)["sonicMatch"]) == 8
    assert len(call("findSonicPath", **ends, count=100_000)["sonicMatch"]) == 8


def test_a_path_to_itself_is_one_song(call: Caller, song_ids: dict[str, str]) -> None:
    ends = {"startSongId": song_ids["First"], "endSongId": song_ids["First"]}
    (match,) = call("findSonicPath", **ends)["sonicMatch"]
    assert (match["entry"]["title"], match["similarity"]) == ("First", 1.0)


def test_a_path_needs_two_ends(call: Caller, song_ids: dict[str, str]) -> None:
    start, end = song_ids["First"], song_ids["none"]
    assert call.failure("findSonicPath", startSongId=start) == 10
    assert call.failure("findSonicPath", startSongId=start, endSongId="x") == 70
    assert call.failure("findSonicPath", startSongId=start, endSongId=end, count=1) == 0


@pytest.mark.parametrize("name", ["getSimilarSongs", "getSimilarSongs2"])
def test_songs_like_a_song_an_album_an_artist(
    call: Caller, name: str, song_ids: dict[str, str]
) -> None:
    content = name.removeprefix("get")
    content = content[0].lower() + content[1:]
    song = call("getSong", id=song_ids["First"])["song"]
    like_song = call(name, id=song["id"])[content]["song"]
    assert [each["title"] for each in like_song][:2] == ["Second", "Third"]
    like_album = call(name, id=song["albumId"], count=2)[content]["song"]
    assert len(like_album) == 2
    assert not {"First", "Second", "Third"} & {each["title"] for each in like_album}
    like_artist = call(name, id=song["artistId"])[content]["song"]
    assert {each["artist"] for each in like_artist} == {"The Ones", "[Unknown Artist]"}


@pytest.mark.parametrize("name", ["getSimilarSongs", "getSimilarSongs2", "getSonicSimilarTracks"])
def test_ids_that_lead_nowhere(call: Caller, name: str, song_ids: dict[str, str]) -> None:
    assert call.failure(name) == 10
    assert call.failure(name, id="nowhere") == 70
    assert call.failure(name, id=song_ids["First"], count="x") == 0
    if name == "getSonicSimilarTracks":
        album = call("getSong", id=song_ids["First"])["song"]["albumId"]
        assert call.failure(name, id=album) == 70
