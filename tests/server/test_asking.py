"""Questions over HTTP get the answers of the library."""

from __future__ import annotations

from starlette.testclient import TestClient

from soundalike.library import fields
from soundalike.library.library import Library


def test_similar_says_what_the_library_says(
    client: TestClient, library: Library, ids: dict[str, str]
) -> None:
    found = client.get("/api/similar", params={"id": ids["low"], "n": 3}).json()
    expected = library.similar(library.track(ids["low"]), n=3)
    assert found["answers"] == fields.answers_fields(expected)
    assert found["seeds"] == [fields.track_fields(library.track(ids["low"]))]
    assert found["answers"][0]["track"]["title"] == "lower"
