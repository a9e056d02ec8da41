"""Whatever goes wrong, in one shape: {"error": {"kind": ..., "message": ...}}.

`kind` is for programs and stays; `message` is for people. The library's errors keep their words, for
they name the value, the limit and the likely mistake. Of errors nobody foresaw only the log tells
(`metrics.Observed`).
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from soundalike.errors import (
    AudioError,
    LibraryError,
    ModelError,
    QueryError,
    SoundalikeError,
)

log = logging.getLogger("soundalike.server")

# Halves of surrogate pairs that stand for no byte.
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
SOON = "2"  # seconds until it is worth asking again

KINDS: dict[int, str] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "not_allowed",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    415: "bad_request",
    416: "bad_range",
    421: "wrong_host",
    429: "too_many",
    503: "busy",
}
"""Status -> kind, where an error has no kind of its own."""


class RefusedError(HTTPException):
    """A request that is not answered, with the reason.

    Attributes:
        kind: for programs, such as "unknown_track".
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Refuse with a status, a sentence, and a kind where that of the status says too little."""
        super().__init__(status, message, headers)
        self.kind = kind or KINDS.get(status, "error")


class UnknownTrackError(RefusedError):
    """No track has this id."""

    def __init__(self, track: str) -> None:
        """Name the id."""
        message = f"the library has no track with the id {track[:40]!r}"
        super().__init__(404, message, kind="unknown_track")


class BusyError(RefusedError):
    """Too much to do at the moment."""

    def __init__(self, message: str) -> None:
        """Say so, and when to come again."""
        super().__init__(503, message, headers={"Retry-After": SOON})


def refusal(error: RefusedError) -> Response:
    """The answer that says so."""
    return _answer(error.status_code, error.kind, str(error.detail), error.headers)


def install(app: FastAPI) -> None:
    """Answer all errors of an app in the one shape."""
    app.add_exception_handler(SoundalikeError, _of_library)
    app.add_exception_handler(RequestValidationError, _of_values)
    app.add_exception_handler(HTTPException, _of_http)


async def _of_library(request: Request, error: Exception) -> Response:
    if isinstance(error, AudioError):
        # Where a file lies is told for files of the library alone; an upload has no place.
        return _answer(400, "bad_audio", f"{error.path.name}: {error.reason}")
    if isinstance(error, QueryError):
        return _answer(400, "bad_request", str(error))
    if isinstance(error, ModelError):
        return _answer(409, "wrong_model", str(error))
    log.error("%s %s: %s", request.method, on_a_line(request.url.path), error)
    kind = "library" if isinstance(error, LibraryError) else "error"
    # A stranger may ask after the health of the server, not where its library lies.
    known = getattr(request.state, "authenticated", False)
    words = str(error) if known else "the library cannot be opened; the log of the server says why"
    return _answer(503, kind, words, {"Retry-After": SOON})


async def _of_values(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "model_attributes_type":
        return _answer(400, "bad_request", "send JSON, under Content-Type: application/json")
    where = ".".join(str(part) for part in first["loc"] if part not in ("query", "body", "path"))
    return _answer(400, "bad_request", f"{where}: {first['msg']}" if where else first["msg"])


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, RefusedError):
        return refusal(error)
    status = error.status_code
    message = {
        404: f"there is nothing at {request.url.path[:200]}",
        405: f"{request.method} is not for {request.url.path[:200]}",
    }.get(status, str(error.detail) or HTTPStatus(status).phrase)
    return _answer(status, KINDS.get(status, "error"), message, error.headers)


def _answer(status: int, kind: str, message: str, headers: Any = None) -> Response:
    return JSONResponse(
        {"error": {"kind": kind, "message": printable(message)}},
        status,
        headers=dict(headers or {}),
    )


def printable(text: str) -> str:
    """Text that JSON takes: bytes of a path that are not UTF-8 become \\xNN, other surrogates \\uNNNN."""
    whole = _NO_BYTE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return whole.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def on_a_line(text: str) -> str:
    """What somebody sent, for the log: on one line, and not without end."""
    return text.encode("unicode_escape").decode()[:300]
