"""What the library holds and how it is: status, the session of the page, failures, index jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import anyio
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from soundalike import __version__
from soundalike.library.aggregation import AGGREGATIONS
from soundalike.library.tracks import path_to_text
from soundalike.server import questions, schemas
from soundalike.server.access import COOKIE, same, session_of
from soundalike.server.context import Context, Here
from soundalike.server.errors import RefusedError

router = APIRouter(tags=["keeping"])

MONTH = 30 * 24 * 3600
TOP = 20
# Seconds between two looks at the job, and after which a silent line is worth a sign of life.
LOOKING, SILENCE = 0.5, 15.0
_EVENTS: Any = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


@router.get("/status")
async def status(here: Here, request: Request) -> schemas.Status:
    """What the server has: the model and its senses, how much music, whether it is being indexed."""
    needs_token = here.settings.token is not None
    if not request.state.authenticated:
        return schemas.Status(version=__version__, needs_token=True, authenticated=False)
    counted = await here.work(here.remembered, "status", _counted)
    return schemas.Status(
        version=__version__,
        needs_token=needs_token,
        authenticated=True,
        aggregations=list(AGGREGATIONS),
        music=[path_to_text(folder) for folder in here.settings.music],
        indexing=await here.reading(_job, here),
        **counted,
    )


@router.post("/session", status_code=204)
async def log_in(here: Here, request: Request, login: questions.Login) -> Response:
    """Exchange the token for a cookie that no script can read."""
    token = here.settings.token
    if token is not None and not same(login.token, token):
        raise RefusedError(401, "this is not the token of the server")
    answer = Response(status_code=204)
    if token is not None:
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE,
            session_of(token),
            max_age=MONTH,
            path=_top(request),
            secure=secure,
            httponly=True,
            samesite="strict",
        )
    return answer


@router.delete("/session", status_code=204)
async def log_out(request: Request) -> Response:
    """Take the cookie away."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path=_top(request), httponly=True, samesite="strict")
    return answer


@router.get("/failures")
async def failures(here: Here) -> schemas.Failures:
    """List the files that could not be used or were left out, with the reason."""

    def look() -> schemas.Failures:
        return schemas.Failures(
            **{
                name: [
                    schemas.Failure(path=path_to_text(path), reason=reason)
                    for path, reason in listed
                ]
                for name, listed in (
                    ("failures", here.library.failures()),
                    ("left_out", here.library.left_out()),
                )
            }
        )

    return await here.work(look)


@router.get("/index")
async def job(here: Here) -> schemas.Job | None:
    """How the index job stands, or how the last one ended."""
    return await here.reading(_job, here)


@router.post("/index", status_code=202)
async def start_job(here: Here, wanted: questions.IndexBody | None = None) -> schemas.Job:
    """Start indexing in a process of its own; questions are answered meanwhile."""
    folders = [] if wanted is None else wanted.folders
    return schemas.Job.model_validate(await here.reading(here.jobs.start, folders))


@router.delete("/index")
async def cancel_job(here: Here) -> schemas.Job | None:
    """Ask the job to stop; what it has done is kept, and the next one goes on from there."""
    found = await here.reading(here.jobs.cancel)
    return None if found is None else schemas.Job.model_validate(found)


@router.get("/index/events", response_class=StreamingResponse, responses=_EVENTS)
async def job_events(here: Here) -> StreamingResponse:
    """The job as server-sent events of the kind "job", one whenever there is news."""

    async def events() -> AsyncIterator[str]:
        told, quiet = "", 0.0
        while not here.stopping.is_set():
            found = await here.reading(_job, here)
            news = "null" if found is None else found.model_dump_json()
            quiet += LOOKING
            if news != told:
                yield f"event: job\ndata: {news}\n\n"
                told, quiet = news, 0.0
            elif quiet >= SILENCE:
                yield ": still here\n\n"
                quiet = 0.0
            await anyio.sleep(LOOKING)

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


def _top(request: Request) -> str:
    """The path the cookie is for: where a proxy has put the server."""
    return str(request.scope.get("root_path", "")).rstrip("/") or "/"


def _job(here: Context) -> schemas.Job | None:
    found = here.jobs.current()
    return None if found is None else schemas.Job.model_validate(found)


def _counted(here: Context) -> dict[str, Any]:
    """What takes a walk over all tracks to tell."""
    library = here.library
    tracks, total = library.browse()
    genres = Counter(track.genre for track in tracks if track.genre)
    return {
        "model": library.model,
        "senses": library.senses,
        "calibrated": library.calibrated,
        "tracks": total,
        "roots": [path_to_text(root) for root in library.roots],
        "duration": round(sum(track.duration for track in tracks), 3),
        "artists": len(library.artists()),
        "albums": len(library.albums()),
        "genres": [{"name": name, "tracks": count} for name, count in genres.most_common(TOP)],
    }
