"""The map as columns."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from soundalike.library.library import Library


def test_a_map_is_that_of_the_library(client: TestClient, library: Library) -> None:
    found = client.get("/api/map", params={"layout": "pca"}).json()
    seen = library.map(layout="pca")
    assert found["ids"] == [track.id for track in seen.tracks]
    assert found["titles"] == [track.title for track in seen.tracks]
    assert found["artists"] == [track.artist for track in seen.tracks]
    assert found["x"] == pytest.approx(seen.places[:, 0].tolist(), abs=1e-4)
    assert found["y"] == pytest.approx(seen.places[:, 1].tolist(), abs=1e-4)
    assert found["cluster"] == seen.labels.tolist()
    assert [group["name"] for group in found["clusters"]] == [c.name for c in seen.clusters]
    assert sum(group["size"] for group in found["clusters"]) == 5


def test_it_is_drawn_once_and_sent_packed(
    serve: Callable[..., TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = (serve(state=tmp_path) for _ in range(2))
    first = client.get("/api/map", params={"layout": "pca"})
    assert first.headers["content-encoding"] == "gzip"
    monkeypatch.setattr(Library, "map", None)  # whoever would draw it again fails
    assert other.get("/api/map", params={"layout": "pca"}).json() == first.json()
    plain = client.get(
        "/api/map", params={"layout": "pca"}, headers={"Accept-Encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    assert plain.json() == first.json()
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get("/api/map", params={"layout": "pca"}, headers=known).status_code == 304


def test_a_layout_that_is_not_installed_is_no_reason_to_ask_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    missing = lambda name: None if name == "openTSNE" else find(name)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", missing)
    answer = client.get("/api/map", params={"layout": "tsne"})
    assert (answer.status_code, "openTSNE" in answer.json()["error"]["message"]) == (400, True)
    assert client.get("/api/map").json()["layout"] == "pca"


@pytest.mark.parametrize("asked", [{"layout": "globe"}, {"sense": "smell", "layout": "pca"}])
def test_what_cannot_be_drawn(client: TestClient, asked: dict[str, str]) -> None:
    answer = client.get("/api/map", params=asked)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")
