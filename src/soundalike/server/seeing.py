"""Seeing: the map of the library.

Laying out a large library takes minutes, so a map is drawn once for each state of the library, one at a time,
and kept beside what else the workers share. It is sent packed: at 100,000 tracks it still is a few MB.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request, Response

from soundalike.errors import LibraryError, QueryError
from soundalike.library import layout as laying_out
from soundalike.library.disk import write_atomically
from soundalike.library.seeing import Map
from soundalike.server import questions, schemas
from soundalike.server.context import Context, Here

router = APIRouter(tags=["seeing"])

# Above, t-SNE takes more than a minute on two cores; who wants it says so.
AT_ONCE = 5000
KEPT = 4
Layout = Annotated[
    str,
    Query(max_length=20, description='"tsne" or "pca"; the better one that is quick if not said'),
]


@router.get("/map", responses={200: {"model": schemas.Map}})
async def library_map(
    here: Here, request: Request, layout: Layout = "", sense: questions.Text = "both"
) -> Response:
    """The library from above: where every track lies, and the groups of those that sound alike."""
    layout = layout or await here.work(_usual, here)
    _require(layout)  # before it waits for others to be drawn
    file = _place(here, layout, sense)
    etag = f'"{file.stem}"'
    headers = {"etag": etag, "cache-control": "private, no-cache", "vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    packed = await here.reading(_kept, file)
    if packed is None:
        async with here.drawing:
            # Another may have drawn it meanwhile.
            packed = await here.reading(_kept, file)
            if packed is None:
                packed = await here.reading(_drawn, here, layout, sense, file)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(packed, media_type="application/json", headers=headers)
    whole = await anyio.to_thread.run_sync(gzip.decompress, packed)
    return Response(whole, media_type="application/json", headers=headers)


def columns(seen: Map, sense: str) -> dict[str, Any]:
    """A map as JSON, a column for each property: shorter by far than a row for each track."""
    clusters = []
    for cluster in seen.clusters:
        x, y = seen.centre(cluster)
        clusters.append(
            {
                "number": cluster.number,
                "name": cluster.name,
                "words": [word.text for word in cluster.words],
                "size": len(cluster.tracks),
                "x": round(x, 4),
                "y": round(y, 4),
            }
        )
    # Four places are a ten-thousandth of the width: less than a pixel of any screen.
    places = seen.places.round(4).astype(float)
    return {
        "layout": seen.layout,
        "sense": sense,
        "ids": [track.id for track in seen.tracks],
        "x": [round(x, 4) for x in places[:, 0].tolist()],
        "y": [round(y, 4) for y in places[:, 1].tolist()],
        "cluster": seen.labels.tolist(),
        "titles": [track.title for track in seen.tracks],
        "artists": [track.artist for track in seen.tracks],
        "clusters": clusters,
    }


def _usual(here: Context) -> str:
    there = importlib.util.find_spec("openTSNE") is not None
    return "tsne" if there and len(here.library) <= AT_ONCE else "pca"


def _require(layout: str) -> None:
    """Raise a QueryError where there is no such layout, or what it needs is not installed."""
    try:
        laying_out.check_layout(layout)
    except LibraryError as error:
        raise QueryError(str(error)) from None


def _place(here: Context, layout: str, sense: str) -> Path:
    """Where this map is kept; another one when the library is."""
    said = json.dumps([here.library.revision, layout, sense]).encode()
    return here.state / f"map-{hashlib.sha256(said).hexdigest()[:24]}.json.gz"


def _kept(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _drawn(here: Context, layout: str, sense: str, file: Path) -> bytes:
    seen = here.library.map(layout=layout, sense=sense)
    text = json.dumps(columns(seen, sense), ensure_ascii=False, separators=(",", ":"))
    packed = gzip.compress(text.encode(), 6)
    write_atomically(file, packed)
    older = sorted(here.state.glob("map-*.json.gz"), key=lambda each: each.stat().st_mtime)
    for each in older[:-KEPT]:
        each.unlink(missing_ok=True)
    return packed
