"""Asking: search, similar, versions, duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from soundalike.errors import QueryError
from soundalike.library import fields
from soundalike.library.asking import Asked
from soundalike.library.expressions import parse
from soundalike.library.library import Library
from soundalike.library.selection import NO_LIMIT, Selection
from soundalike.server import questions, schemas
from soundalike.server.context import Here
from soundalike.server.tracks import known, shown

router = APIRouter(tags=["asking"])


@router.get("/search")
async def search(
    here: Here,
    q: Annotated[str, Query(min_length=1, max_length=500)],
    n: Annotated[int, Query(ge=1, le=questions.MOST_ANSWERS)] = 20,
) -> schemas.Found:
    """Find tracks by words in title, artist, album or path."""

    def look() -> schemas.Found:
        found = here.library.find(q, n=n)
        return schemas.Found(tracks=[shown(track) for track in found], note=found.note)

    return await here.work(look)


@router.get("/similar")
async def similar(here: Here, asked: Annotated[questions.SimilarQuery, Query()]) -> schemas.Answers:
    """Find what sounds like tracks of the library."""

    def ask() -> schemas.Answers:
        like = [known(here.library, track) for track in asked.id]
        return answers(here.library, like, asked.dislike, asked)

    return await here.work(ask)


@router.post("/similar")
async def similar_to_many(here: Here, asked: questions.SimilarBody) -> schemas.Answers:
    """Find what sounds like tracks of the library, or like vectors of its encoder."""

    def ask() -> schemas.Answers:
        like: list[Asked] = [known(here.library, track) for track in asked.like]
        if asked.vectors:
            like.append(_array(asked.vectors))
        return answers(here.library, like, asked.dislike, asked)

    return await here.work(ask)


@router.get("/tracks/{track}/versions")
async def versions(here: Here, track: questions.Id) -> schemas.Versions:
    """Find other files of a recording, and other versions of its piece."""

    def look() -> schemas.Versions:
        found = here.library.versions(known(here.library, track))
        return schemas.Versions.model_validate(
            {"versions": [fields.version_fields(version) for version in found]}
        )

    return await here.work(look)


@router.get("/duplicates")
async def duplicates(here: Here) -> schemas.Duplicates:
    """Find all files that are one recording."""

    def look() -> schemas.Duplicates:
        found = here.library.duplicates()
        return schemas.Duplicates.model_validate(
            {"duplicates": [fields.duplicates_fields(group) for group in found]}
        )

    return await here.work(look)


def answers(
    library: Library, like: Sequence[Asked], dislike: Sequence[str], terms: questions.Terms
) -> schemas.Answers:
    """Ask the library, by what a request says.

    Raises:
        UnknownTrackError: a track it is not to be like.
        SoundalikeError: see `Library.similar`.
    """
    found = library.similar(
        list(like),
        n=terms.n,
        dislike=[known(library, track) for track in dislike],
        selection=selected(terms),
        excerpt=(terms.start, terms.end),
        aggregation=terms.aggregation,
        sense=terms.sense,
    )
    said: dict[str, Any] = {
        "answers": fields.answers_fields(found),
        "note": found.note,
        "seeds": [None if seed is None else fields.track_fields(seed) for seed in found.seeds],
        "sense": terms.sense,
        "calibrated": library.calibrated,
    }
    return schemas.Answers.model_validate(said)


def selected(terms: questions.Terms) -> Selection:
    """What may answer. Raises QueryError for what cannot be meant."""
    limits: dict[str, Any] = {
        "max_per_artist": terms.max_per_artist,
        "max_per_album": terms.max_per_album,
    }
    same: dict[str, Any] = {
        "exclude_same_artist": terms.exclude_same_artist,
        "exclude_same_album": terms.exclude_same_album,
    }
    if terms.raw:
        against = [name for name, value in (limits | same).items() if value]
        if against:
            raise QueryError(f"raw switches {against[0]} off; give one of the two")
        limits = dict.fromkeys(limits, NO_LIMIT)
    return Selection(filter=lasting(terms), keep_versions=terms.raw, **limits, **same)


def lasting(terms: questions.Terms) -> str:
    """The filter of a request, with its limits of duration. Raises QueryError for no filter."""
    if terms.filter.strip():
        parse(terms.filter)  # on its own: what closes our parenthesis is none
    parts = [f"({terms.filter})"] if terms.filter.strip() else []
    if terms.min_duration is not None:
        parts.append(f"duration >= {terms.min_duration:.3f}")
    if terms.max_duration is not None:
        parts.append(f"duration <= {terms.max_duration:.3f}")
    return terms.filter if len(parts) < 2 and terms.filter.strip() else " AND ".join(parts)


def _array(vectors: Sequence[Sequence[float]]) -> Any:
    if len({len(row) for row in vectors}) > 1:
        raise QueryError("the vectors have different lengths; give rows of the encoder's dimension")
    with np.errstate(over="ignore"):  # too large is infinite, and that is refused in words
        return np.array(vectors, np.float32)
