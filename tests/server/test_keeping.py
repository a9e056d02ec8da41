"""What the library holds, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import soundalike
from fake_model import write_tone
from soundalike.library.library import Library


def test_status(client: TestClient, library: Library, music: Path) -> None:
    told = client.get("/api/status").json()
    assert told == {
        "version": soundalike.__version__,
        "needs_token": False,
        "authenticated": True,
        "model": library.model,
        "senses": [],
        "calibrated": False,
        "aggregations": ["mean", "concat", "maxsim"],
        "tracks": 5,
        "roots": [str(music)],
        "music": [],
        "duration": pytest.approx(50.0),
        "artists": 2,
        "albums": 2,
        "genres": [{"name": "Tones", "tracks": 5}],
        "indexing": None,
    }


def test_status_takes_up_what_was_indexed_since(
    serve: Callable[..., TestClient], tmp_path: Path, model: Path
) -> None:
    write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    library = Library(tmp_path / "library", model=model)
    client = serve(Library(tmp_path / "library"))
    assert client.get("/api/status").json()["tracks"] == 0
    library.index([tmp_path / "music"])
    assert client.get("/api/status").json()["tracks"] == 1
    write_tone(tmp_path / "music/b.flac", 400.0, 5.0)
    library.index()
    assert client.get("/api/status").json()["tracks"] == 2


def test_failures_name_the_file_and_the_reason(
    serve: Callable[..., TestClient], tmp_path: Path, model: Path
) -> None:
    write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    (tmp_path / "music/b.flac").write_text("no music")
    library = Library(tmp_path / "library", model=model)
    library.index([tmp_path / "music"])
    told = serve(library).get("/api/failures").json()
    ((path, reason),) = [(each["path"], each["reason"]) for each in told["failures"]]
    assert path == str(tmp_path / "music/b.flac")
    assert reason
    assert told["left_out"] == []


def test_an_empty_library_says_so(serve: Callable[..., TestClient], tmp_path: Path) -> None:
    client = serve(Library(tmp_path / "none"))
    assert client.get("/api/tracks").json() == {"tracks": [], "total": 0}
    assert client.get("/api/artists").json() == {"artists": [], "total": 0}
    answer = client.get("/api/search", params={"q": "a"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")


def test_without_a_token_nobody_has_to_log_in(client: TestClient) -> None:
    answer = client.post("/api/session", json={"token": "anything"})
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers
