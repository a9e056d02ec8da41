"""Artists and albums over HTTP."""

from __future__ import annotations

from starlette.testclient import TestClient

from soundalike.library import fields
from soundalike.library.library import Library


def test_artists_and_albums_are_listed(client: TestClient) -> None:
    found = client.get("/api/artists").json()
    assert [(each["name"], each["tracks"]) for each in found["artists"]] == [
        ("Bright", 3),
        ("Low & <Slow>", 2),
    ]
    assert client.get("/api/artists", params={"q": "SLOW"}).json()["total"] == 1
    albums = client.get("/api/albums", params={"q": "bright"}).json()["albums"]
    assert albums == [{"name": "Bright I", "artist": "Bright", "tracks": 3}]
    page = client.get("/api/artists", params={"limit": 1, "offset": 1}).json()
    assert [each["name"] for each in page["artists"]] == ["Low & <Slow>"]


def test_what_is_alike_is_what_the_library_says(client: TestClient, library: Library) -> None:
    found = client.get("/api/artists/similar", params={"name": "bright"}).json()["answers"]
    assert found == [fields.group_neighbor_fields(e) for e in library.similar_artists("bright")]
    found = client.get("/api/albums/similar", params={"name": "Bright I"}).json()["answers"]
    assert found == [fields.group_neighbor_fields(e) for e in library.similar_albums("Bright I")]


def test_an_unknown_name_comes_with_near_ones(client: TestClient) -> None:
    answer = client.get("/api/artists/similar", params={"name": "Brigth"})
    assert answer.status_code == 400
    assert "Bright" in answer.json()["error"]["message"]
