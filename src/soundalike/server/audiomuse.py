"""Three routes of AudioMuse-AI, for plugins that call them: `--compat audiomuse`.

    GET /api/similar_tracks    [{item_id, title, author, album, distance}], nearest first
    GET /api/find_path         {path: [the same, distance to the one before], total_distance}
    GET /api/similar_artists   [{artist, artist_id, divergence, component_matches}]

A distance is 1 - similarity. An `item_id` in an answer is the id of a track here. Asked with may be that id;
or the path of an indexed file, whole or below its folder of music; or `title` and `artist`. Nothing but
tracks of the library is ever looked at. What only makes sense for their own way to search is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from soundalike.errors import QueryError
from soundalike.library.folding import folded
from soundalike.library.library import Library
from soundalike.library.path import MOST_TRACKS
from soundalike.library.relating import GroupNeighbor
from soundalike.library.selection import RAW, Selection
from soundalike.library.tracks import Track
from soundalike.server.context import Context, Here
from soundalike.server.settings import Settings
from soundalike.server.subsonic.catalog import artist_id

NAME = "audiomuse"
MOST = 500
_LIKELY = 50  # tracks that words fit, among which one of that very title and artist is looked for


class _RefusedError(Exception):
    """A question with no answer: a status and a sentence."""


def router(library: Library, settings: Settings) -> APIRouter:
    """The three routes, or none unless the settings name them."""
    routes = APIRouter()
    if NAME not in settings.compat:
        return routes

    def serve(path: str, answer: Callable[[Library, _Parameters], Any]) -> None:
        @routes.get(path, include_in_schema=False)
        async def route(here: Here, request: Request) -> Response:
            return await _answered(here, answer, library, _Parameters(request))

    serve("/api/similar_tracks", similar_tracks)
    serve("/api/find_path", find_path)
    serve("/api/similar_artists", similar_artists)
    return routes


def similar_tracks(library: Library, given: _Parameters) -> list[dict[str, Any]]:
    """Tracks like a track; `eliminate_duplicates=false` also shows other files of a recording."""
    track, n = given.track(library, "item_id"), given.number("n", 10, MOST)
    raw = given.text("eliminate_duplicates").lower() == "false"
    found = library.similar(track, n=n, selection=RAW if raw else Selection())
    return [_item(each.track, each.similarity) for each in found]


def find_path(library: Library, given: _Parameters) -> dict[str, Any]:
    """A way between two tracks, `max_steps` (or `count`) tracks in all."""
    start, end = (given.track(library, f"{which}_song_id") for which in ("start", "end"))
    count = given.number("max_steps", given.number("count", 25, MOST_TRACKS), MOST_TRACKS)
    if start.id == end.id:
        raise _RefusedError(400, "start_song_id and end_song_id are the same track")
    steps = library.path_between(start, end, count)
    path = [_item(step.track, step.similarity) for step in steps]
    return {"path": path, "total_distance": round(sum(each["distance"] for each in path), 6)}


def similar_artists(library: Library, given: _Parameters) -> list[dict[str, Any]]:
    """Artists like an artist, by `artist` or `artist_id`: a name, or the id OpenSubsonic has here."""
    asked, n = given.text("artist") or given.text("artist_id"), given.number("n", 10, MOST)
    if not asked:
        raise _RefusedError(400, "the parameter artist is missing, or artist_id")
    names = [each.name for each in library.artists() if artist_id(each.name) == asked]
    matched = given.text("include_component_matches").lower() == "true"
    try:
        found = library.similar_artists(*names[:1] or [asked], n=n)
    except QueryError as error:
        raise _RefusedError(404, str(error)) from None
    return [_artist(each, matched=matched) for each in found]


class _Parameters:
    """The query string; the first of several values counts."""

    def __init__(self, request: Request) -> None:
        self._values = request.query_params

    def text(self, name: str) -> str:
        return next((value for value in self._values.getlist(name) if value), "")

    def number(self, name: str, default: int, most: int) -> int:
        text = self.text(name) or str(default)
        if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
            raise _RefusedError(400, f"{name} is {text[:80]!r}; it is a whole number from 1 on")
        return min(int(text[:9]), most)

    def track(self, library: Library, name: str) -> Track:
        """The track a parameter means. Raises _RefusedError."""
        text, title, artist = self.text(name), "", self.text("artist")
        if name == "item_id":
            title = self.text("title")
        if not text and not title:
            raise _RefusedError(400, f"the parameter {name} is missing")
        found = library.by_id(text) or _at(library, text)
        if found is None and title:
            found = _called(library, title, artist)
        if found is None:
            raise _RefusedError(
                404,
                f"the library has no track {text[:80] or title[:80]!r}; {name} is an id of this "
                "library or the path of an indexed file",
            )
        return found


async def _answered(
    here: Context,
    answer: Callable[[Library, _Parameters], Any],
    library: Library,
    given: _Parameters,
) -> Response:
    try:
        return JSONResponse(await here.work(answer, library, given))
    except _RefusedError as error:
        status, message = error.args
    except QueryError as error:
        status, message = 400, str(error)
    return JSONResponse({"error": message}, status)


def _at(library: Library, text: str) -> Track | None:
    """The track whose file lies at a path; only names of indexed files are compared."""
    if not text or "\0" in text:
        return None
    for base in (Path("/"), *library.roots):
        path = base / text
        if (base != Path("/") or text.startswith("/")) and path in library:
            return library.track(path)
    return None


def _called(library: Library, title: str, artist: str) -> Track | None:
    """The track of this very title and artist, the first by path if there are several."""
    try:
        found = library.find(f"{artist} {title}", n=_LIKELY)
    except QueryError:  # no words
        return None
    for track in sorted(found, key=lambda track: track.path):
        if folded(track.title) == folded(title) and folded(artist) in ("", folded(track.artist)):
            return track
    return None


def _item(track: Track, similarity: float) -> dict[str, Any]:
    return {
        "item_id": track.id,
        "title": track.title,
        "author": track.artist,
        "album": track.album,
        "distance": round(1.0 - min(1.0, similarity), 6),
    }


def _artist(found: GroupNeighbor, *, matched: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "artist": found.name,
        "artist_id": artist_id(found.name),
        "divergence": round(1.0 - found.similarity, 6),
    }
    if matched:
        item["component_matches"] = [
            {
                "artist1_representative_songs": [_song(pair.query)],
                "artist2_representative_songs": [_song(pair.answer)],
                "distance": round(1.0 - pair.similarity, 6),
            }
            for pair in found.pairs
        ]
    return item


def _song(track: Track) -> dict[str, Any]:
    return {"item_id": track.id, "title": track.title}
