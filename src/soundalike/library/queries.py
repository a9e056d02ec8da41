"""What people ask with -> segment vectors, and rows of the library that are the query itself.

A track, its id or its path answer from the stored vectors; any other audio file is embedded now;
raw vectors are taken as they are. Who asks for what is not there learns of similar names.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundalike.audio.segments import Segment
from soundalike.errors import ModelError, QueryError
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.opened import Opened
from soundalike.library.ranking import Query
from soundalike.library.scan import content_hash
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, path_to_text, text_to_path

if TYPE_CHECKING:
    from soundalike.embedder import TrackVectors

NEAR_NAMES = 3


def absolute(path: str | Path) -> Path:
    """Make a path absolute, "~" included, without following links: as it was indexed."""
    # pathlib's expanduser fails on "~x" without a user x, absolute() keeps "..", resolve() follows.
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111


def row_of(query: Track | Path | str, snapshot: Snapshot) -> int | None:
    """Find a track by id or path; None when the library has none."""
    if isinstance(query, Track):
        return snapshot.row_of_id.get(query.id)
    if isinstance(query, str) and query in snapshot.row_of_id:
        return snapshot.row_of_id[query]
    return snapshot.row_of_path.get(path_to_text(absolute(query)))


def unknown(query: Track | Path | str, snapshot: Snapshot) -> QueryError:
    """Make the error for a track that is not there, with names of the library that come near."""
    wanted = query.title if isinstance(query, Track) else str(query)
    near = _near(Path(wanted).stem, snapshot)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return QueryError(f"{wanted!r} is neither a track of the library nor a file{hint}")


def of_vectors(vectors: Vectors, dimension: int) -> Query:
    """Ask with vectors of the library's encoder, [D] or [S, D]; they are scaled to unit length.

    Raises:
        QueryError: another shape, numbers that are not finite, or a row of zeros.
        ModelError: another dimension than the library's.
    """
    rows = np.atleast_2d(np.asarray(vectors, np.float32))
    if rows.ndim != 2 or not rows.size:
        raise QueryError(f"the vectors have shape {np.shape(vectors)}; give [D] or [S, D]")
    if rows.shape[1] != dimension:
        raise ModelError(
            f"the vectors have {rows.shape[1]} numbers each, those of the library {dimension}; "
            "they come from another encoder"
        )
    if not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise QueryError("the vectors hold a number that is not finite, or nothing but zeros")
    return Query(unit(rows), (Segment(0.0, 0.0),) * len(rows))


def of_row(row: int, snapshot: Snapshot, *, opened: Opened) -> Query:
    """Ask with a track of the library."""
    if snapshot.segments is not None:
        vectors = snapshot.segments[row]
    else:
        (vectors,) = opened.table().segments_of([snapshot.ids[row]])
    own = _rows_of_content(snapshot, snapshot.contents[row]) | {row}
    return Query(vectors, snapshot.times(row), own)


def of_file(
    path: Path, snapshot: Snapshot, *, opened: Opened, start: float | None, end: float | None
) -> Query:
    """Ask with an audio file, or with a stretch of it.

    Raises:
        AudioError: the file cannot be used.
        ModelError: the encoder of the library is not at hand.
    """
    heard: TrackVectors = opened.reading_embedder().embed_file(path, start=start, end=end)
    own = _rows_of_content(snapshot, content_hash(path))
    row = snapshot.row_of_path.get(path_to_text(path))
    return Query(heard.vectors, heard.segments, own if row is None else own | {row})


def _rows_of_content(snapshot: Snapshot, content: str) -> frozenset[int]:
    return frozenset(row for row, other in enumerate(snapshot.contents) if other == content)


def _near(name: str, snapshot: Snapshot) -> list[str]:
    """Names that contain the one asked for, then names spelled like it."""
    names: dict[str, str] = {}
    for text, title in zip(snapshot.paths, snapshot.facts["title"].to_pylist(), strict=True):
        path = text_to_path(text)
        names.setdefault(path.stem.casefold(), repr(path.name))
        names.setdefault(title.casefold(), repr(path.name))
    name = name.casefold()
    inside = [key for key in names if name and name in key]
    alike = difflib.get_close_matches(name, names, n=NEAR_NAMES)
    return list(dict.fromkeys(names[key] for key in [*inside, *alike]))[:NEAR_NAMES]
