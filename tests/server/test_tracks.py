"""Tracks by page and one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from soundalike.library import fields
from soundalike.library.library import Library


def test_pages_make_the_whole(client: TestClient, library: Library) -> None:
    pages = [client.get("/api/tracks", params={"limit": 2, "offset": o}).json() for o in (0, 2, 4)]
    assert {page["total"] for page in pages} == {5}
    listed = [track for page in pages for track in page["tracks"]]
    assert listed == [fields.track_fields(track) for track in library.tracks()]
    assert client.get("/api/tracks", params={"offset": 99}).json() == {"tracks": [], "total": 5}


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ({"artist": "bright"}, {"middle", "high", "higher"}),
        ({"album": "Low & <Slow> I"}, {"low", "lower"}),
        ({"artist": "bright", "filter": "year >= 1993"}, {"high", "higher"}),
        ({"filter": "year < 1900"}, set()),
    ],
)
def test_some_of_them(client: TestClient, asked: dict[str, str], titles: set[str]) -> None:
    found = client.get("/api/tracks", params=asked).json()
    assert {track["title"] for track in found["tracks"]} == titles
    assert found["total"] == len(titles)


def test_all_of_one(client: TestClient, library: Library, ids: dict[str, str]) -> None:
    found = client.get(f"/api/tracks/{ids['middle']}").json()
    links = {"audio": f"/api/tracks/{ids['middle']}/audio", "artwork": None}  # it has none
    assert found == fields.all_fields(library.track(ids["middle"])) | links
    assert (found["year"], found["track_number"], found["genre"]) == (1992, 3, "Tones")


def test_links_lead_through_the_proxy(
    serve: Callable[..., TestClient], ids: dict[str, str]
) -> None:
    client = serve(root_path="/music")
    found: dict[str, Any] = client.get(f"/music/api/tracks/{ids['low']}").json()
    assert found["audio"] == f"/music/api/tracks/{ids['low']}/audio"
    assert client.get(found["audio"]).status_code == 200


def test_an_unknown_one(client: TestClient) -> None:
    answer = client.get("/api/tracks/0000000000000000")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "unknown_track")


@pytest.mark.parametrize("asked", [{"artist": "nobody"}, {"filter": "x"}, {"limit": 0}, {"o": 1}])
def test_what_cannot_be_meant(client: TestClient, asked: dict[str, str]) -> None:
    assert client.get("/api/tracks", params=asked).status_code == 400
