"""Going on: path, radio, mix, sort, and playlists to take along."""

from __future__ import annotations

import itertools
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from soundalike.errors import QueryError
from soundalike.library import fields
from soundalike.library.ground import Step
from soundalike.library.library import Library
from soundalike.library.playlists import m3u8
from soundalike.library.radio import Radio
from soundalike.library.selection import Selection
from soundalike.library.tracks import Track, clean
from soundalike.server import questions, schemas
from soundalike.server.context import Here
from soundalike.server.tracks import known

router = APIRouter(tags=["going"])

M3U8 = "audio/x-mpegurl"
_PLAYLIST: Any = {200: {"content": {M3U8: {"schema": {"type": "string"}}}}}


@router.get("/path")
async def path(here: Here, asked: Annotated[questions.PathQuery, Query()]) -> schemas.Steps:
    """Find a way from one track to another, in steps as even as may be."""

    def go() -> schemas.Steps:
        start, end = (known(here.library, track) for track in (asked.start, asked.end))
        route = here.library.path_between(
            start, end, asked.n, sense=asked.sense, selection=Selection(filter=asked.filter)
        )
        return _steps(route, asked.n)

    return await here.work(go)


@router.post("/radio")
async def radio(here: Here, asked: questions.RadioBody) -> schemas.RadioSteps:
    """Play on from some tracks, or go on where a radio was; nothing is kept here but its state there."""

    def play() -> schemas.RadioSteps:
        tuned = _tuned(here.library, asked)
        for judged, judge in ((asked.like, tuned.like), (asked.dislike, tuned.dislike)):
            for track in judged:
                judge(known(here.library, track))
        steps = list(itertools.islice(tuned, asked.n))
        said: dict[str, Any] = {
            "steps": [fields.step_fields(step) for step in steps],
            "state": asdict(tuned.state),
            "ended": len(steps) < asked.n,
        }
        return schemas.RadioSteps.model_validate(said)

    return await here.work(play)


@router.post("/mix")
async def mix(here: Here, asked: questions.MixBody) -> schemas.Steps:
    """Make a playlist that covers the breadth of some music."""

    def go() -> schemas.Steps:
        route = here.library.mix(
            [known(here.library, track) for track in asked.ids],
            asked.n,
            only_new=asked.only_new,
            sense=asked.sense,
            selection=Selection(filter=asked.filter),
        )
        return _steps(route, asked.n)

    return await here.work(go)


@router.post("/sort")
async def sort(here: Here, asked: questions.SortBody) -> schemas.Steps:
    """Bring tracks into an order in which neighbors sound alike."""

    def go() -> schemas.Steps:
        start, end = (
            None if track is None else known(here.library, track)
            for track in (asked.start, asked.end)
        )
        tracks = [known(here.library, track) for track in asked.ids]
        return _steps(here.library.sort(tracks, start=start, end=end, sense=asked.sense))

    return await here.work(go)


@router.post("/playlist", response_class=Response, responses=_PLAYLIST)
async def playlist(here: Here, asked: questions.PlaylistBody) -> Response:
    """Write tracks down as an M3U8 playlist."""
    return await here.work(
        written, here.library, asked.ids, name=asked.name, relative_to=asked.relative_to
    )


@router.get("/playlist.m3u8", response_class=Response, responses=_PLAYLIST)
async def playlist_link(here: Here, asked: Annotated[questions.PlaylistQuery, Query()]) -> Response:
    """The same behind a link."""
    return await here.work(
        written, here.library, asked.id, name=asked.name, relative_to=asked.relative_to
    )


def written(library: Library, ids: Iterable[str], *, name: str, relative_to: str) -> Response:
    """A playlist as an attachment. Raises QueryError for a folder that is none, UnknownTrackError."""
    if relative_to and not (Path(relative_to).is_absolute() and relative_to.isprintable()):
        raise QueryError(f"relative_to is {relative_to!r}; name a whole path, such as /music")
    tracks: list[Track] = [known(library, track) for track in ids]
    title = clean(name)
    place = Path(relative_to or "/") / "playlist.m3u8"
    text, left_out = m3u8(place, tracks, title=title, absolute=not relative_to)
    if left_out:
        raise QueryError(f"{left_out[0][0].name}: {left_out[0][1]}")
    # A name of a file, whatever system it lands on.
    file = "".join("_" if sign in '/\\:*?"<>|' else sign for sign in title).strip(". ")
    quoted = urllib.parse.quote(f"{file or 'playlist'}.m3u8", safe="")
    disposition = f"attachment; filename=\"playlist.m3u8\"; filename*=UTF-8''{quoted}"
    return Response(text.encode(), media_type=M3U8, headers={"content-disposition": disposition})


def _tuned(library: Library, asked: questions.RadioBody) -> Radio:
    """A radio that is new, or goes on. Raises QueryError, UnknownTrackError."""
    if asked.state is None:
        if not asked.seeds:
            raise QueryError("a radio needs seeds, ids of tracks, or the state of one that played")
        return library.radio(
            [known(library, track) for track in asked.seeds],
            drift=asked.drift,
            seed=asked.seed,
            artist_spacing=asked.artist_spacing,
            repeat=asked.repeat,
            sense=asked.sense,
            selection=Selection(filter=asked.filter),
        )
    if asked.seeds:
        raise QueryError("give seeds or a state, not both: the state has its seeds")
    require_ids(library, asked.state)
    return library.resume(asked.state)


def require_ids(library: Library, state: Mapping[str, Any]) -> None:
    """Let a state name tracks by id alone: to the library, its seeds may also be paths of files.

    Raises:
        QueryError: it names more of them than a new radio might.
        UnknownTrackError: it names something else.
    """
    lists = {name: named for name, named in state.items() if isinstance(named, list)}
    for name in ("seeds", "exclude", "liked", "disliked"):
        if len(lists.get(name, ())) > questions.MOST_TRACKS:
            raise QueryError(f"the state of the radio has more than {questions.MOST_TRACKS} {name}")
    for name in ("seeds", "exclude"):
        for track in lists.get(name, ()):
            known(library, str(track))


def _steps(route: Iterable[Step], wanted: int = 0) -> schemas.Steps:
    steps = [fields.step_fields(step) for step in route]
    few = len(steps) < wanted
    note = f"{len(steps)} instead of {wanted} tracks: there are no others" if few else ""
    return schemas.Steps.model_validate({"steps": steps, "note": note})
