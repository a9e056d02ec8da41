"""Relating: artists and albums, and which are alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from soundalike.library import fields
from soundalike.library.folding import folded
from soundalike.library.groups import Group
from soundalike.library.relating import GroupNeighbor
from soundalike.server import questions, schemas
from soundalike.server.context import Here

router = APIRouter(tags=["relating"])

Part = Annotated[str, Query(max_length=500, description="a part of the name")]
Limit = Annotated[int, Query(ge=1, le=100_000)]
Offset = Annotated[int, Query(ge=0, le=2**31)]


@router.get("/artists")
async def artists(
    here: Here, q: Part = "", limit: Limit = 1000, offset: Offset = 0
) -> schemas.Artists:
    """List artists by name, those that have a part in theirs."""

    def look() -> schemas.Artists:
        found = _named(here.library.artists(), q)
        listed = [_shown(group) for group in found[offset : offset + limit]]
        return schemas.Artists(artists=listed, total=len(found))

    return await here.work(look)


@router.get("/albums")
async def albums(
    here: Here, q: Part = "", limit: Limit = 1000, offset: Offset = 0
) -> schemas.Albums:
    """List albums by name, those that have a part in theirs or in their artist's."""

    def look() -> schemas.Albums:
        found = _named(here.library.albums(), q)
        listed = [_shown(group) for group in found[offset : offset + limit]]
        return schemas.Albums(albums=listed, total=len(found))

    return await here.work(look)


@router.get("/artists/similar")
async def similar_artists(
    here: Here, asked: Annotated[questions.GroupQuery, Query()]
) -> schemas.GroupNeighbors:
    """Find the artists whose tracks sound most like those of an artist."""

    def ask() -> schemas.GroupNeighbors:
        return _answers(here.library.similar_artists(**asked.model_dump()))

    return await here.work(ask)


@router.get("/albums/similar")
async def similar_albums(
    here: Here, asked: Annotated[questions.AlbumQuery, Query()]
) -> schemas.GroupNeighbors:
    """Find the albums whose tracks sound most like those of an album."""

    def ask() -> schemas.GroupNeighbors:
        return _answers(here.library.similar_albums(**asked.model_dump()))

    return await here.work(ask)


def _named(groups: Iterable[Group], part: str) -> list[Group]:
    wanted = folded(part)
    if not wanted:
        return list(groups)
    return [group for group in groups if wanted in folded(f"{group.artist} {group.name}")]


def _shown(group: Group) -> schemas.Group:
    return schemas.Group(**fields.group_fields(group))


def _answers(found: Iterable[GroupNeighbor]) -> schemas.GroupNeighbors:
    said: dict[str, Any] = {"answers": [fields.group_neighbor_fields(each) for each in found]}
    return schemas.GroupNeighbors.model_validate(said)
