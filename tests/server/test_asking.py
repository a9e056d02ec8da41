"""Questions over HTTP get the answers of the library."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from soundalike.library import fields
from soundalike.library.library import Library
from soundalike.library.selection import RAW, Selection


def test_similar_says_what_the_library_says(
    client: TestClient, library: Library, ids: dict[str, str]
) -> None:
    found = client.get("/api/similar", params={"id": ids["low"], "n": 3}).json()
    expected = library.similar(library.track(ids["low"]), n=3)
    assert found["answers"] == fields.answers_fields(expected)
    assert found["seeds"] == [fields.track_fields(library.track(ids["low"]))]
    assert found["answers"][0]["track"]["title"] == "lower"
    assert (found["sense"], found["calibrated"]) == ("both", False)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({"aggregation": "maxsim"}, {"aggregation": "maxsim"}),
        ({"filter": "year > 1991"}, {"selection": Selection(filter="year > 1991")}),
        ({"min_duration": 9}, {"selection": Selection(filter="duration >= 9")}),
        (
            {"filter": "year > 1990 OR year < 1900", "max_duration": 10},
            {"selection": Selection(filter="(year > 1990 OR year < 1900) AND duration <= 10")},
        ),
        ({"exclude_same_artist": True}, {"selection": Selection(exclude_same_artist=True)}),
        ({"exclude_same_album": True}, {"selection": Selection(exclude_same_album=True)}),
        ({"max_per_artist": 1}, {"selection": Selection(max_per_artist=1)}),
        ({"max_per_album": 1}, {"selection": Selection(max_per_album=1)}),
        ({"raw": True}, {"selection": RAW}),
        ({"start": 1, "end": 5}, {"excerpt": (1.0, 5.0)}),
    ],
)
def test_every_option_does_what_it_does_there(
    client: TestClient,
    library: Library,
    ids: dict[str, str],
    asked: dict[str, Any],
    options: dict[str, Any],
) -> None:
    expected = library.similar(library.track(ids["low"]), **options)
    by_query = client.get("/api/similar", params={"id": ids["low"], **asked}).json()
    by_body = client.post("/api/similar", json={"like": [ids["low"]], **asked}).json()
    assert by_query == by_body
    assert by_query["answers"] == fields.answers_fields(expected)
    assert by_query["note"] == expected.note


def test_several_liked_and_one_disliked(
    client: TestClient, library: Library, ids: dict[str, str]
) -> None:
    asked = {"id": [ids["low"], ids["middle"]], "dislike": ids["high"]}
    found = client.get("/api/similar", params=asked).json()
    liked = [library.track(ids[name]) for name in ("low", "middle")]
    expected = library.similar(liked, dislike=[library.track(ids["high"])])
    assert found["answers"] == fields.answers_fields(expected)
    assert len(found["seeds"]) == 2


def test_vectors_ask_too(client: TestClient, library: Library, ids: dict[str, str]) -> None:
    tracks, vectors = library.vectors()
    row = [track.id for track in tracks].index(ids["low"])
    found = client.post("/api/similar", json={"vectors": [vectors[row].tolist()], "n": 2}).json()
    assert [each["track"]["title"] for each in found["answers"]] == ["low", "lower"]
    assert found["seeds"] == [None]
    assert found["answers"][0]["seed"] is None


@pytest.mark.parametrize(
    ("vectors", "status"),
    [
        ([[1.0, 2.0]], 409),
        ([[1.0], [1.0, 2.0]], 400),
        ([[0.0] * 8], 400),
        ([[]], 400),
        ([["a"]], 400),
        ([[1e39] * 8], 400),
    ],
)
def test_vectors_that_are_none(client: TestClient, vectors: Any, status: int) -> None:
    answer = client.post("/api/similar", json={"vectors": vectors})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"n": 0},
        {"n": 10**9},
        {"n": "many"},
        {"sense": "smell"},
        {"aggregation": "median"},
        {"filter": "genre ="},
        {"filter": "duration > 1) OR (duration > 0"},
        {"raw": True, "max_per_artist": 1},
        {"start": 5, "end": 2},
        {"start": "nan"},
        {"max_per_artist": -1},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_meant_is_explained(
    client: TestClient, ids: dict[str, str], asked: dict[str, Any]
) -> None:
    params = {"id": ids["low"], **asked} if asked else {}
    answer = client.get("/api/similar", params=params)
    assert answer.status_code == 400
    assert answer.json()["error"]["kind"] == "bad_request"


def test_nothing_to_ask_with(client: TestClient) -> None:
    assert client.post("/api/similar", json={}).status_code == 400


def test_an_unknown_track_has_a_kind_of_its_own(client: TestClient, ids: dict[str, str]) -> None:
    for asked in ({"id": "0" * 16}, {"id": ids["low"], "dislike": "0" * 16}):
        answer = client.get("/api/similar", params=asked)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "unknown_track")


def test_search(client: TestClient, ids: dict[str, str]) -> None:
    found = client.get("/api/search", params={"q": "LOW slow"}).json()
    assert {track["title"] for track in found["tracks"]} == {"low", "lower"}
    assert found["note"] == ""
    near = client.get("/api/search", params={"q": "lowerr"}).json()
    assert near["note"]
    assert client.get("/api/search", params={"q": "low", "n": 1}).json()["tracks"] != []
    for words in ("", " ", "\0"):
        assert client.get("/api/search", params={"q": words}).status_code in (200, 400)


def test_tags_stay_text(client: TestClient) -> None:
    """An artist called <Slow> is sent as JSON, which no browser takes for a page."""
    answer = client.get("/api/search", params={"q": "slow"})
    assert answer.json()["tracks"][0]["artist"] == "Low & <Slow>"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_versions_and_duplicates(client: TestClient, ids: dict[str, str]) -> None:
    assert client.get(f"/api/tracks/{ids['low']}/versions").json() == {"versions": []}
    assert client.get("/api/duplicates").json() == {"duplicates": []}
    assert client.get("/api/tracks/none/versions").status_code == 404


def test_a_filter_cannot_close_the_parenthesis_it_is_put_in(
    client: TestClient, ids: dict[str, str]
) -> None:
    asked = {"id": ids["low"], "filter": "year > 0) OR (year > 0", "max_duration": 1}
    answer = client.get("/api/similar", params=asked)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")
