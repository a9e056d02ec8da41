"""Tracks of the library, a page at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from soundalike.library import fields
from soundalike.library.library import Library
from soundalike.library.tracks import Track
from soundalike.server import questions, schemas
from soundalike.server.context import Here
from soundalike.server.errors import UnknownTrackError

router = APIRouter(tags=["tracks"])


@router.get("/tracks")
async def tracks(here: Here, wanted: Annotated[questions.Browse, Query()]) -> schemas.Tracks:
    """List tracks by path, a page at a time."""

    def look() -> schemas.Tracks:
        page, total = here.library.browse(
            artist=wanted.artist,
            album=wanted.album,
            filter=wanted.filter,
            start=wanted.offset,
            count=wanted.limit,
        )
        return schemas.Tracks(tracks=[shown(track) for track in page], total=total)

    return await here.work(look)


def known(library: Library, track: str) -> Track:
    """The track with this id. Raises UnknownTrackError.

    Never by path, as `Library.track` would: who asks over HTTP is not to reach for files.
    """
    found = library.by_id(track)
    if found is None:
        raise UnknownTrackError(track)
    return found


def shown(track: Track) -> schemas.Track:
    """A track as JSON."""
    return schemas.Track(**fields.track_fields(track))
