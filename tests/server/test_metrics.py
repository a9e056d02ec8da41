"""What is counted and logged, and what is not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.conftest import TOKEN
from soundalike.library.library import Library


def test_health(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/health").json() == {"status": "ok"}

    def fail(_: object) -> int:
        from soundalike.errors import LibraryError

        raise LibraryError("the disk is gone")

    monkeypatch.setattr(Library, "__len__", fail)
    assert client.get("/health").status_code == 503


def test_a_library_that_has_gone_is_not_well(
    serve: Callable[..., TestClient], model: Path, tmp_path: Path
) -> None:
    gone = Library(tmp_path / "gone", model=model)
    assert serve(gone).get("/health").status_code == 503
    assert serve(gone, music=(tmp_path,)).get("/health").status_code == 200  # it is to be made yet


def test_a_stranger_is_not_told_where_the_library_lies(
    serve: Callable[..., TestClient],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: object) -> int:
        from soundalike.errors import LibraryError

        raise LibraryError("/home/me/library: the disk is gone")

    monkeypatch.setattr(Library, "__len__", fail)
    client = serve(token=TOKEN)
    told = client.get("/health")
    assert (told.status_code, "/home" in told.text) == (503, False)
    assert "/home/me" in caplog.text
    known = client.get("/health", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "/home/me" in known.text


def _count(client: TestClient, line: str) -> float:
    for each in client.get("/metrics").text.splitlines():
        if each.startswith(line):
            return float(each.rpartition(" ")[2])
    return 0.0


def test_requests_are_counted_by_route(client: TestClient, ids: dict[str, str]) -> None:
    line = 'soundalike_requests_total{method="GET",route="/api/tracks/{track}",status="200"}'
    before = _count(client, line)
    for track in ids.values():
        client.get(f"/api/tracks/{track}")
    assert _count(client, line) == before + 5
    text = client.get("/metrics").text
    assert not any(track in text for track in ids.values())
    assert _count(client, "soundalike_tracks ") == 5
    assert 'soundalike_request_seconds_bucket{le="0.1",route="/api/tracks/{track}"}' in text


def test_invented_paths_and_methods_are_no_series_of_their_own(client: TestClient) -> None:
    for number in range(5):
        client.get(f"/invented/{number}")
        client.request(f"INVENT{number}", "/api/tracks")
    text = client.get("/metrics").text
    assert "invented" not in text
    assert "INVENT" not in text


def test_the_log_has_a_line_for_a_request_and_no_secrets(
    serve: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(token=TOKEN, access_log=True)
    with caplog.at_level(logging.INFO, "soundalike.access"):
        client.get(f"/rest/ping?p={TOKEN}&t=abc", headers={"Authorization": f"Bearer {TOKEN}"})
        client.get("/a%0d%0aforged line", headers={"Authorization": f"Bearer {TOKEN}"})
        client.post("/api/session", json={"token": TOKEN})
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("testclient GET /rest/ping ")
    assert len(lines) == 3
    assert not any(TOKEN in line or "?" in line or "\n" in line for line in lines)
    assert not any(TOKEN in repr(vars(record)) for record in caplog.records)


def test_settings_do_not_show_the_token(serve: Callable[..., TestClient]) -> None:
    app = serve(token=TOKEN).app
    assert TOKEN not in repr(app.state.context.settings)  # type: ignore[attr-defined]
