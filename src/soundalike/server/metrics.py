"""Every request counted, timed, and told to the log in a line; metrics for Prometheus, and health.

The line has the method, the path, the status, how long it took and who asked. It has no query string: there
OpenSubsonic carries its credentials, and questions are nobody's business.

With several workers each counts into files of the folder they share, and any of them can tell the sum: see
`running`, which has to say so before this module is imported.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundalike.errors import LibraryError
from soundalike.server.access import PAGE_FILES, path_of
from soundalike.server.context import Context, Here
from soundalike.server.errors import BusyError, RefusedError, on_a_line, refusal

router = APIRouter(tags=["running"])
log = logging.getLogger("soundalike.access")
problems = logging.getLogger("soundalike.server")

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Prometheus' name of the environment variable with the folder the workers count into."""

REQUESTS = Counter("soundalike_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "soundalike_request_seconds",
    "Time from a request to the end of its answer.",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_TEXT: Any = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


class Observed:
    """ASGI middleware that counts and times requests, and answers for errors nobody foresaw."""

    def __init__(self, app: ASGIApp, *, access_log: bool) -> None:
        """Wrap an app; with `access_log` write a line for each request."""
        self._app, self._access_log = app, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            if not scope["app"].state.context.stopping.is_set():
                raise
            # Neither this question nor who asked can be waited for; that is no fault to be logged.
            if not status:
                await refusal(BusyError("the server is ending"))(scope, receive, sending)
        except Exception:
            problems.exception("%s %s failed", scope["method"], on_a_line(scope["path"]))
            if status:
                raise  # the answer has begun; all one can do is break it off
            words = "something went wrong here; the log of the server says what"
            await refusal(RefusedError(500, words, kind="error"))(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - begun
            route = _route(scope)
            method = scope["method"] if scope["method"] in METHODS else "other"
            # 499: who asked has gone before there was an answer.
            REQUESTS.labels(method, route, str(status or 499)).inc()
            SECONDS.labels(route).observe(seconds)
            if self._access_log:
                client = (scope.get("client") or ["-"])[0]
                path = on_a_line(scope["path"])
                log.info("%s %s %s %d %.0f ms", client, method, path, status or 499, 1000 * seconds)


@router.get("/health")
async def health(here: Here) -> dict[str, str]:
    """Whether the server answers and the library can be opened: 200, or 503."""
    await here.reading(_open, here)
    return {"status": "ok"}


@router.get("/metrics", response_class=Response, responses=_TEXT)
async def metrics(here: Here) -> Response:
    """Metrics for Prometheus, of all workers together."""
    return Response(await here.reading(_scraped, here), media_type=CONTENT_TYPE_LATEST)


def _open(here: Context) -> None:
    """Raise a LibraryError where the library cannot be opened, or has gone as disks go."""
    # A new one, which the page is to fill with --music, may not be there yet.
    if not here.library.revision and not here.settings.music:
        raise LibraryError(f"there is no library in {here.library.path} any more")
    len(here.library)


class _OfLibrary:
    """What is looked up when it is asked for."""

    def __init__(self, here: Context) -> None:
        self._here = here

    def collect(self) -> Iterable[Metric]:
        """The gauges of now."""
        job = self._here.jobs.current()
        running = job is not None and job["state"] == "running"
        for name, words, value in (
            ("tracks", "Tracks in the library.", len(self._here.library)),
            ("indexing", "1 while the library is indexed.", running),
            (
                "questions_waiting",
                "Questions this worker computes or has waiting.",
                self._here.work.waiting,
            ),
        ):
            yield GaugeMetricFamily(f"soundalike_{name}", words, value=float(value))


def _scraped(here: Context) -> bytes:
    own = CollectorRegistry()
    if SHARED in os.environ:
        multiprocess.MultiProcessCollector(own)  # type: ignore[no-untyped-call]
        counted = generate_latest(own)
    else:
        counted = generate_latest(REGISTRY)
    of_library = CollectorRegistry()
    of_library.register(_OfLibrary(here))
    return counted + generate_latest(of_library)


def _route(scope: Scope) -> str:
    """The route as it was declared: paths as they come would be a series for every track."""
    path = path_of(scope)
    if path.startswith(PAGE_FILES):
        return PAGE_FILES
    if "endpoint" not in scope:
        return "other"
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(part, part) for part in path.split("/"))
