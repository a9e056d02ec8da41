"""The server, put together: what every request passes, and the rooms it may go to."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from soundalike import __version__
from soundalike.library.library import Library
from soundalike.server import (
    asking,
    audiomuse,
    errors,
    going,
    keeping,
    media,
    metrics,
    page,
    relating,
    schemas,
    seeing,
    tracks,
    uploads,
)
from soundalike.server.access import Access
from soundalike.server.context import Context
from soundalike.server.headers import SafeHeaders
from soundalike.server.jobs import Jobs
from soundalike.server.limits import Limits
from soundalike.server.settings import Settings
from soundalike.server.subsonic import routing as subsonic
from soundalike.server.work import Work

API = (keeping, tracks, media, relating, asking, uploads, going, seeing)


def create_app(library: Library, settings: Settings | None = None) -> FastAPI:
    """Make the server of a library, an ASGI app.

    Args:
        library: asked from several threads; it may be empty yet.
        settings: None serves this machine alone.
    """
    settings = settings or Settings()
    app = FastAPI(
        title="soundalike",
        version=__version__,
        description="Finds music that sounds like the music you are listening to.",
        lifespan=_living,
        openapi_url="/api/openapi.json",
        docs_url=None,  # the page it would serve fetches its scripts elsewhere
        redoc_url=None,
        responses={"4XX": {"model": schemas.ErrorAnswer}},
    )
    app.state.context = _context(app, library, settings)
    errors.install(app)
    for room in API:
        app.include_router(room.router, prefix="/api")
    app.include_router(metrics.router)
    app.include_router(page.router)
    for other in (subsonic, audiomuse):
        app.include_router(other.router(library, settings))
    # The last added comes first.
    app.add_middleware(Limits, settings=settings)
    app.add_middleware(Access, settings=settings)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors,
            allow_methods=["*"],
            allow_headers=["Authorization", "Content-Type", "Range"],
            expose_headers=["Accept-Ranges", "Content-Length", "Content-Range", "Retry-After"],
        )
    app.add_middleware(metrics.Observed, access_log=settings.access_log)
    app.add_middleware(SafeHeaders, cross_origin=bool(settings.cors))
    app.add_middleware(Below, root_path=settings.root_path)
    return app


class Below:
    """ASGI middleware that says where a proxy has put the app, whether or not it cuts that off."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        """Wrap an app."""
        self._app, self._root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if self._root_path and scope["type"] == "http":
            scope = {**scope, "root_path": self._root_path}
        await self._app(scope, receive, send)


def _context(app: FastAPI, library: Library, settings: Settings) -> Context:
    state = settings.state
    if state is None:
        state = Path(tempfile.mkdtemp(prefix="soundalike-"))
        weakref.finalize(app, shutil.rmtree, state, ignore_errors=True)
    work = Work(settings.asks_at_once, settings.asks_waiting)
    jobs, uploads = Jobs(library, settings, state), anyio.CapacityLimiter(settings.uploads_at_once)
    return Context(library, settings, state, work, jobs, uploads)


@contextlib.asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    """From the first request to the last; then the index job of this worker ends, too."""
    yield
    here: Context = app.state.context
    here.stopping.set()
    await anyio.to_thread.run_sync(here.jobs.close)
