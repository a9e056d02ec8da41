"""Bodies that are too large or never end, and who uploads too often."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundalike.server.access import path_of
from soundalike.server.errors import RefusedError, refusal
from soundalike.server.settings import MEGABYTE, Settings

UPLOAD = "/api/similar/upload"
MINUTE = 60.0


class Limits:
    """ASGI middleware that reads no more of a body than is allowed, for no longer than is allowed."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Wrap an app."""
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a body that ends."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = path_of(scope) == UPLOAD
        settings = self._settings
        most = settings.upload_bytes if upload else settings.body_bytes
        seconds = settings.upload_seconds if upload else settings.body_seconds
        too_large = RefusedError(
            413,
            f"the body is larger than {most / MEGABYTE:.3g} MB",
            headers={"Connection": "close"},
        )
        length = Headers(scope=scope).get("content-length", "0")
        if len(length) > 18 or not length.isdecimal() or int(length) > most:
            await refusal(too_large)(scope, receive, send)
            return
        received, ended, until = 0, False, anyio.current_time() + seconds

        async def receiving() -> Message:
            nonlocal received, ended
            if ended:  # what comes then is the end of the connection, whenever that is
                return await receive()
            with anyio.move_on_at(until) as waiting:
                message = await receive()
            if waiting.cancelled_caught:
                raise RefusedError(
                    408,
                    f"the body took more than {seconds:g} s to arrive",
                    headers={"Connection": "close"},
                )
            received += len(message.get("body", b""))
            ended = message["type"] != "http.request" or not message.get("more_body")
            if received > most:
                raise too_large
            return message

        await self._app(scope, receiving, send)


def count_upload(state: Path, address: str, most: int) -> None:
    """Count an upload of an address, in all workers together.

    Raises:
        RefusedError: it had `most` in the last minute.
    """
    now = time.time()
    with closing(sqlite3.connect(state / "uploads.sqlite", timeout=5)) as known, known:
        known.execute("CREATE TABLE IF NOT EXISTS uploads (address TEXT, at REAL)")
        known.execute("BEGIN IMMEDIATE")
        known.execute("DELETE FROM uploads WHERE at < ? OR at > ?", (now - MINUTE, now + MINUTE))
        (count, first) = known.execute(
            "SELECT COUNT(*), MIN(at) FROM uploads WHERE address = ?", (address,)
        ).fetchone()
        if count >= most:
            wait = max(1, round(first + MINUTE - now))
            raise RefusedError(
                429,
                f"more than {most} files a minute; ask again in {wait} s",
                headers={"Retry-After": str(wait)},
            )
        known.execute("INSERT INTO uploads VALUES (?, ?)", (address, now))
