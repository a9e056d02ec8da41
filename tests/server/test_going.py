"""Paths, radios, mixes and playlists over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from soundalike.library import fields
from soundalike.library.library import Library
from soundalike.library.playlists import read_m3u8


def titles(found: dict[str, Any]) -> list[str]:
    return [step["track"]["title"] for step in found["steps"]]


def test_a_path_is_that_of_the_library(
    client: TestClient, library: Library, ids: dict[str, str]
) -> None:
    asked = {"from": ids["low"], "to": ids["higher"], "n": 4}
    found = client.get("/api/path", params=asked).json()
    route = library.path_between(library.track(ids["low"]), library.track(ids["higher"]), 4)
    assert found["steps"] == [fields.step_fields(step) for step in route]
    few = client.get("/api/path", params=asked | {"n": 50}).json()
    assert few["note"].startswith("5 instead of 50")


def test_a_radio_goes_on_from_its_state_and_ends(client: TestClient, ids: dict[str, str]) -> None:
    first = client.post("/api/radio", json={"seeds": [ids["low"]], "n": 2, "seed": 7}).json()
    assert (len(first["steps"]), first["ended"]) == (2, False)
    second = client.post("/api/radio", json={"state": first["state"], "n": 10}).json()
    assert second["ended"]
    played = titles(first) + titles(second)
    assert sorted([*played, "low"]) == sorted(ids)
    whole = client.post("/api/radio", json={"seeds": [ids["low"]], "n": 10, "seed": 7}).json()
    assert titles(whole) == played


def test_a_radio_is_told_what_is_liked(client: TestClient, ids: dict[str, str]) -> None:
    asked = {"seeds": [ids["middle"]], "n": 1, "like": [ids["high"]], "dislike": [ids["low"]]}
    state = client.post("/api/radio", json=asked).json()["state"]
    assert (state["liked"], state["disliked"]) == ([ids["high"]], [ids["low"]])


@pytest.mark.parametrize("name", ["seeds", "exclude"])
@pytest.mark.parametrize("path", ["/etc/passwd", "{track}", "{folder}", "{list}", "~", ".", "0"])
def test_a_state_reaches_for_no_file(
    client: TestClient, library: Library, ids: dict[str, str], tmp_path: Path, name: str, path: str
) -> None:
    track = library.track(ids["low"]).path
    (tmp_path / "list.m3u8").write_text(str(track))
    state = client.post("/api/radio", json={"seeds": [ids["low"]], "n": 1}).json()["state"]
    state[name] = [path.format(track=track, folder=track.parent, list=tmp_path / "list.m3u8")]
    answer = client.post("/api/radio", json={"state": state})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "unknown_track")


@pytest.mark.parametrize(
    "state",
    [{}, {"format": 1}, {"format": 99, "seeds": []}, {"format": 1, "seeds": "a"}],
)
def test_what_is_no_state(client: TestClient, state: dict[str, Any]) -> None:
    assert client.post("/api/radio", json={"state": state}).status_code == 400


def test_a_radio_of_nothing(client: TestClient, ids: dict[str, str]) -> None:
    assert client.post("/api/radio", json={}).status_code == 400
    state = client.post("/api/radio", json={"seeds": [ids["low"]]}).json()["state"]
    both = client.post("/api/radio", json={"seeds": [ids["low"]], "state": state})
    assert both.status_code == 400


def test_mix_and_sort(client: TestClient, ids: dict[str, str]) -> None:
    some = [ids["low"], ids["high"]]
    mix = client.post("/api/mix", json={"ids": some, "n": 3, "only_new": True}).json()
    assert len(mix["steps"]) == 3
    assert not {"low", "high"} & set(titles(mix))
    scattered = [ids[name] for name in ("low", "high", "lower", "higher")]
    ordered = client.post("/api/sort", json={"ids": scattered, "start": ids["lower"]}).json()
    assert titles(ordered)[:2] == ["lower", "low"]
    assert sorted(titles(ordered)) == ["high", "higher", "low", "lower"]


def test_a_playlist_leads_to_the_files(
    client: TestClient, library: Library, ids: dict[str, str], tmp_path: Path
) -> None:
    some = [ids["high"], ids["low"]]
    for answer in (
        client.post("/api/playlist", json={"ids": some, "name": 'My: "Mix"/\r\nx'}),
        client.get("/api/playlist.m3u8", params={"id": some, "name": 'My: "Mix"/\r\nx'}),
    ):
        assert answer.headers["content-type"].startswith("audio/x-mpegurl")
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith('attachment; filename="playlist.m3u8"')
        assert disposition.endswith("My_%20_Mix__%20x.m3u8")
        (tmp_path / "list.m3u8").write_bytes(answer.content)
        assert [entry.path for entry in read_m3u8(tmp_path / "list.m3u8")] == [
            library.track(track).path for track in some
        ]


def test_a_playlist_relative_to_a_folder(
    client: TestClient, library: Library, ids: dict[str, str]
) -> None:
    path = library.track(ids["low"]).path
    asked = {"id": ids["low"], "relative_to": str(path.parents[1])}
    text = client.get("/api/playlist.m3u8", params=asked).text
    assert text.splitlines()[-1] == f"{path.parent.name}/{path.name}"
    asked["relative_to"] = "music"
    assert client.get("/api/playlist.m3u8", params=asked).status_code == 400


@pytest.mark.parametrize("room", ["/api/mix", "/api/sort", "/api/playlist"])
def test_unknown_tracks_and_no_tracks(client: TestClient, room: str) -> None:
    assert client.post(room, json={"ids": ["/etc/passwd"]}).status_code == 404
    assert client.post(room, json={"ids": []}).status_code == 400


def test_nothing_of_it_wants_a_large_body(
    serve: Callable[..., TestClient], ids: dict[str, str]
) -> None:
    answer = serve(body_bytes=1000).post("/api/sort", json={"ids": [ids["low"]] * 100})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "too_large")


@pytest.mark.parametrize("name", ["seeds", "exclude", "liked", "disliked"])
def test_a_state_without_end_is_not_taken_up(
    client: TestClient, ids: dict[str, str], name: str
) -> None:
    state = {"format": 1, "seeds": [ids["low"]], name: [ids["low"]] * 10_001}
    answer = client.post("/api/radio", json={"state": state})
    assert (answer.status_code, name in answer.json()["error"]["message"]) == (400, True)


def test_too_many_to_sort(client: TestClient, ids: dict[str, str]) -> None:
    answer = client.post("/api/sort", json={"ids": [ids["low"]] * 5001})
    assert (answer.status_code, "5000" in answer.json()["error"]["message"]) == (400, True)
