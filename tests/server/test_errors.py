"""Whatever goes wrong has one shape, and tells nothing it should not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from soundalike.errors import AudioError, LibraryError, ModelError, QueryError
from soundalike.library.library import Library
from soundalike.server import errors


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (QueryError("n is 0"), 400, "bad_request"),
        (AudioError(Path("/home/me/a.flac"), "silent"), 400, "bad_audio"),
        (ModelError("another encoder"), 409, "wrong_model"),
        (LibraryError("the disk is full"), 503, "library"),
        (ZeroDivisionError("secret inside"), 500, "error"),
        (errors.BusyError("busy"), 503, "busy"),
    ],
)
def test_errors_of_the_library(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    kind: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Library, "browse", fail)
    with caplog.at_level(logging.CRITICAL):
        answer = client.get("/api/tracks")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)
    message = answer.json()["error"]["message"]
    assert message
    assert "secret" not in message
    assert "/home/me" not in message
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "content-security-policy" in answer.headers


def test_rooms_and_methods_that_are_not_there(client: TestClient) -> None:
    missing = client.get("/api/none")
    assert (missing.status_code, missing.json()["error"]["kind"]) == (404, "not_found")
    wrong = client.post("/api/tracks")
    assert (wrong.status_code, wrong.json()["error"]["kind"]) == (405, "not_allowed")
    assert wrong.headers["allow"] == "GET"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"a"', b"\xff", b"[" * 100_000, b"null"])
def test_bodies_that_are_no_json(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/mix", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")


def test_what_json_cannot_hold_is_spelled_out() -> None:
    assert errors.printable("a\udcff") == "a\\xff"
    assert errors.printable("a\ud800\udc10ä") == "a\\ud800\\udc10ä"


def test_what_is_sent_makes_one_line_of_the_log(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for error in (LibraryError("the disk is full"), ZeroDivisionError("unforeseen")):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(Library, "by_id", fail)
        client.get("/api/tracks/a%0aforged")
    assert len(caplog.records) == 2
    assert not any("\n" in record.getMessage() for record in caplog.records)


def test_a_track_whose_path_is_no_utf8(
    serve: Callable[..., TestClient], tmp_path: Path, model: Path
) -> None:
    from fake_model import write_tone

    write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    odd = (tmp_path / "music/a.flac").rename(tmp_path / "music/odd\udcff.flac")
    library = Library(tmp_path / "library", model=model)
    library.index([tmp_path / "music"])
    client = serve(library)
    (track,) = client.get("/api/tracks").json()["tracks"]
    assert client.get(f"/api/tracks/{track['id']}/audio").status_code == 200
    playlist = client.get("/api/playlist.m3u8", params={"id": track["id"]})
    assert playlist.status_code == 400
    odd.unlink()
    gone = client.get(f"/api/tracks/{track['id']}/audio")
    assert (gone.status_code, gone.json()["error"]["kind"]) == (404, "no_file")
