from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.subsonic.conftest import Caller
from soundalike.library.library import Library


def titles(playlist: dict[str, Any]) -> list[str]:
    return [song["title"] for song in playlist["entry"]]


def test_a_playlist_is_made_and_found(
    call: Caller, serve: Callable[..., TestClient], kept: Library, song_ids: dict[str, str]
) -> None:
    wanted = [song_ids[title] for title in ("Guest", "First", "Guest")]
    made = call("createPlaylist", name="Evening", songId=wanted, u="ann")["playlist"]
    assert titles(made) == ["Guest", "First", "Guest"]
    assert (made["songCount"], made["duration"], made["owner"]) == (3, 20, "ann")
    other_worker = Caller(serve(kept))
    assert other_worker("getPlaylist", id=made["id"])["playlist"] == made
    (listed,) = other_worker("getPlaylists")["playlists"]["playlist"]
    assert listed == {name: value for name, value in made.items() if name != "entry"}


def test_songs_are_put_in_place_of_others(call: Caller, song_ids: dict[str, str]) -> None:
    made = call("createPlaylist", name="x", songId=song_ids["First"])["playlist"]
    again = call("createPlaylist", playlistId=made["id"], songId=song_ids["Guest"])["playlist"]
    assert (again["id"], again["name"], titles(again)) == (made["id"], "x", ["Guest"])


def test_a_playlist_is_changed_by_places(call: Caller, song_ids: dict[str, str]) -> None:
    wanted = [song_ids[title] for title in ("First", "Second", "Third")]
    name = call("createPlaylist", name="x", songId=wanted)["playlist"]["id"]
    call(
        "updatePlaylist",
        playlistId=name,
        name="y",
        comment="z",
        public="true",
        songIndexToRemove=[0, 2],
        songIdToAdd=[song_ids["Guest"], song_ids["First"]],
    )
    changed = call("getPlaylist", id=name)["playlist"]
    assert titles(changed) == ["Second", "Guest", "First"]
    assert (changed["name"], changed["comment"], changed["public"]) == ("y", "z", True)
    call("updatePlaylist", playlistId=name, comment="")
    assert call("getPlaylist", id=name)["playlist"]["comment"] == ""
    assert call.failure("updatePlaylist", playlistId=name, songIndexToRemove=3) == 70
    assert titles(call("getPlaylist", id=name)["playlist"]) == ["Second", "Guest", "First"]


def test_a_song_that_left_the_library_is_kept_and_not_shown(
    call: Caller, kept: Library, song_ids: dict[str, str]
) -> None:
    wanted = [song_ids["First"], song_ids["Second"]]
    name = call("createPlaylist", name="x", songId=wanted)["playlist"]["id"]
    path = kept.path / "playlists" / f"{name}.json"
    values = json.loads(path.read_text("utf-8"))
    values["tracks"].insert(1, "0" * 16)
    path.write_text(json.dumps(values))
    assert titles(call("getPlaylist", id=name)["playlist"]) == ["First", "Second"]
    call("updatePlaylist", playlistId=name, songIndexToRemove=1)
    assert json.loads(path.read_text("utf-8"))["tracks"] == [song_ids["First"], "0" * 16]


def test_a_playlist_is_deleted(call: Caller) -> None:
    name = call("createPlaylist", name="x")["playlist"]["id"]
    assert call("deletePlaylist", id=name)["status"] == "ok"
    assert call.failure("getPlaylist", id=name) == 70
    assert call.failure("deletePlaylist", id=name) == 70
    assert call("getPlaylists")["playlists"]["playlist"] == []


def test_what_is_missing_or_nowhere(call: Caller, song_ids: dict[str, str]) -> None:
    assert call.failure("createPlaylist") == 10
    assert call.failure("createPlaylist", name="x", songId="nowhere") == 70
    assert call.failure("createPlaylist", playlistId="pl-0", songId=song_ids["First"]) == 70
    assert call.failure("updatePlaylist") == 10
    assert call.failure("updatePlaylist", playlistId="pl-0000000000000000") == 70
    assert call.failure("getPlaylist") == 10


@pytest.mark.parametrize("name", ["../library", "pl-../../library", "/etc/passwd", "pl-\0", "."])
@pytest.mark.parametrize("endpoint", ["getPlaylist", "deletePlaylist"])
def test_ids_lead_to_no_other_file(call: Caller, kept: Library, endpoint: str, name: str) -> None:
    assert call.failure(endpoint, id=name) == 70
    assert (kept.path / "library.json").exists()


def test_before_the_first_index_there_is_no_place(
    serve: Callable[..., TestClient], model: Any, tmp_path: Any
) -> None:
    call = Caller(serve(Library(tmp_path / "none", model=model)))
    assert call.failure("createPlaylist", name="x") == 0
    assert call("getPlaylists")["playlists"]["playlist"] == []
    assert not (tmp_path / "none").exists()
