"""/rest/NAME: from a request to a subsonic-response."""

from __future__ import annotations

import logging
import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from soundalike.errors import QueryError, SoundalikeError
from soundalike.library.library import Library
from soundalike.server.context import context_of
from soundalike.server.errors import RefusedError, on_a_line
from soundalike.server.settings import Settings
from soundalike.server.subsonic import (
    absent,
    browsing,
    envelope,
    lists,
    login,
    parameters,
    playlists,
    retrieval,
    searching,
    similarity,
    system,
)
from soundalike.server.subsonic.call import Call, Endpoint
from soundalike.server.subsonic.catalog import Catalogs
from soundalike.server.subsonic.failures import (
    CLIENT_TOO_OLD,
    GENERIC,
    NOT_ALLOWED,
    NOT_FOUND,
    SERVER_TOO_OLD,
    FailureError,
)
from soundalike.server.subsonic.parameters import Parameters
from soundalike.server.subsonic.playlist_files import PlaylistFiles

log = logging.getLogger("soundalike.server")

FAMILIES = (system, browsing, lists, searching, similarity, playlists, retrieval, absent)
ENDPOINTS: dict[str, Endpoint] = {
    name: endpoint for family in FAMILIES for name, endpoint in family.ENDPOINTS.items()
}
PUBLIC = "getOpenSubsonicExtensions"
# What is refused elsewhere by a status of HTTP.
_CODES = {403: NOT_ALLOWED, 404: NOT_FOUND}
_VERSION = re.compile(r"([0-9]{1,6})(\.[0-9]{1,6}){0,3}")
_MAJOR = int(envelope.VERSION.partition(".")[0])


def router(library: Library, settings: Settings) -> APIRouter:
    """The routes of OpenSubsonic over a library, for an app that `create_app` makes."""
    catalogs, files = Catalogs(library), PlaylistFiles(library.path)
    routes = APIRouter(tags=["opensubsonic"])

    @routes.api_route("/rest/{name}", methods=["GET", "HEAD", "POST"], include_in_schema=False)
    async def rest(request: Request, name: str) -> Response:
        try:
            given = await parameters.of_request(request)
        except FailureError as failure:
            return envelope.failed(failure, Parameters([]))
        here = await context_of(request)

        def answer() -> Response:
            endpoint = ENDPOINTS.get(name.removesuffix(".view"))
            if endpoint is None:
                raise FailureError(GENERIC, f"soundalike has no endpoint {name[:80]!r}")
            content = endpoint(Call(given, catalogs, here, files))
            if isinstance(content, Response):
                return content
            return envelope.succeeded(content, given)

        try:
            envelope.format_of(given)
            if name.removesuffix(".view") == PUBLIC:
                return envelope.succeeded(system.extensions(), given)
            _require_version(given)
            login.check(given, settings.token)
            # Files are not to wait behind questions.
            media = name.removesuffix(".view") in retrieval.ENDPOINTS
            return await (here.reading(answer) if media else here.work(answer))
        except FailureError as failure:
            return envelope.failed(failure, given)
        except RefusedError as error:
            code = _CODES.get(error.status_code, GENERIC)
            return envelope.failed(FailureError(code, str(error.detail)), given)
        except SoundalikeError as error:
            if not isinstance(error, QueryError):
                log.error("%s: %s", on_a_line(request.url.path), error)
            return envelope.failed(FailureError(GENERIC, str(error)), given)

    return routes


def _require_version(given: Parameters) -> None:
    """Raise a FailureError for a player that speaks another protocol; who says nothing speaks this one."""
    version = given.text("v", envelope.VERSION)
    found = _VERSION.fullmatch(version)
    if found is None:
        raise FailureError(GENERIC, f"v is {version[:80]!r}; it is a version, such as 1.16.1")
    major = int(found[1])
    if major != _MAJOR:
        code = CLIENT_TOO_OLD if major < _MAJOR else SERVER_TOO_OLD
        raise FailureError(code, f"this server speaks version {envelope.VERSION}, not {version}")
