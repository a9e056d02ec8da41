"""Bodies end, and who asks too much waits."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from soundalike.server.errors import RefusedError
from soundalike.server.limits import Limits, count_upload
from soundalike.server.settings import Settings


async def _reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


def _asked(app: Limits, parts: list[tuple[float, bytes]], path: str = "/api/mix") -> None:
    """Send a body part by part, each after so many seconds."""
    waiting = list(parts)

    async def receive() -> Message:
        pause, body = waiting.pop(0)
        await anyio.sleep(pause)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        raise AssertionError("nothing is answered here")

    async def run() -> None:
        await app({"type": "http", "path": path, "headers": []}, receive, send)

    anyio.run(run)


def test_a_body_that_drips_is_given_up() -> None:
    app = Limits(_reads_all, Settings(body_seconds=0.2))
    with pytest.raises(RefusedError) as refused:
        _asked(app, [(0.05, b"x")] * 100)
    assert refused.value.status_code == 408


def test_a_body_that_stalls_is_given_up() -> None:
    app = Limits(_reads_all, Settings(body_seconds=0.1))
    with pytest.raises(RefusedError) as refused:
        _asked(app, [(0, b"x"), (60, b"")])
    assert refused.value.status_code == 408


def test_a_body_that_does_not_end_is_too_large() -> None:
    settings = Settings(body_bytes=1000, upload_bytes=5000)
    with pytest.raises(RefusedError) as refused:
        _asked(Limits(_reads_all, settings), [(0, bytes(100))] * 11)
    assert refused.value.status_code == 413
    upload = "/api/similar/upload"  # a file may be longer
    _asked(Limits(_reads_all, settings), [(0, bytes(100))] * 11, upload)
    with pytest.raises(RefusedError):
        _asked(Limits(_reads_all, settings), [(0, bytes(100))] * 51, upload)


def test_an_address_has_so_many_a_minute(tmp_path: Path) -> None:
    for _ in range(3):
        count_upload(tmp_path, "a", 3)
    with pytest.raises(RefusedError) as refused:
        count_upload(tmp_path, "a", 3)
    assert refused.value.status_code == 429
    count_upload(tmp_path, "b", 3)
    with sqlite3.connect(tmp_path / "uploads.sqlite") as known:
        known.execute("UPDATE uploads SET at = at - 61")
    count_upload(tmp_path, "a", 3)
