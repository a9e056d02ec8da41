"""What people ask with -> segment vectors, and rows of the library that are the query itself.

A track, its id or its path answer from the stored vectors; any other audio file is embedded now;
raw vectors are taken as they are. Who asks for what is not there learns of similar names.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
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
from soundalike.library.tracks import Track, path_to_text, read_tags, text_to_path, title_of

if TYPE_CHECKING:
    from soundalike.embedder import TrackVectors

PLAYLISTS = (".m3u8", ".m3u")
# Tracks that words fit, named in an error.
NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Seed:
    """Something to ask with.

    Attributes:
        query: its vectors, and the rows that are itself.
        row: of the track, if the library has it.
        track: what is known of it; None of bare vectors. Of a file outside the library the id is "".
    """

    query: Query
    row: int | None = None
    track: Track | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A file that was listened to, here or by another process, and may be gone since.

    Attributes:
        vectors: what the library's encoder made of it.
        content: its hash, by `scan.content_hash`.
    """

    vectors: TrackVectors
    content: str


def absolute(path: str | Path) -> Path:
    """Make a path absolute, "~" included, without following links: as it was indexed."""
    # pathlib's expanduser fails on "~x" without a user x, absolute() keeps "..", resolve() follows.
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111


def is_playlist(path: str | Path) -> bool:
    """Tell a playlist from a track by the ending of its name."""
    return Path(path).suffix.lower() in PLAYLISTS


def row_of(query: Track | Path | str, snapshot: Snapshot) -> int | None:
    """Find a track by id or path; None when the library has none.

    Raises:
        QueryError: something that can be none of these, such as a number.
    """
    if isinstance(query, Track):
        return snapshot.row_of_id.get(query.id)
    if not isinstance(query, str | os.PathLike):
        raise QueryError(
            f"{query!r} is no Track, id or path, nor a list of these; similar also takes vectors "
            "as numpy arrays"
        )
    if isinstance(query, str) and query in snapshot.row_of_id:
        return snapshot.row_of_id[query]
    return snapshot.row_of_path.get(path_to_text(absolute(query)))


def unknown(query: Track | Path | str, snapshot: Snapshot) -> QueryError:
    """Make the error for a track that is not there, with names of the library that come near."""
    wanted = query.title if isinstance(query, Track) else str(query)
    from soundalike.library import find

    neither = f"{wanted!r} is neither a track of the library nor a file"
    rows = find.fitting(Path(wanted).stem, snapshot)
    if len(rows) > 1:
        paths = [repr(str(text_to_path(snapshot.paths[row]))) for row in rows[:NAMED]]
        more = ", ..." if len(rows) > NAMED else ""
        return QueryError(
            f"{neither}, and as words it fits {len(rows)} tracks: {', '.join(paths)}{more}; "
            "name one of them by its path"
        )
    near = find.near_names(Path(wanted).stem, snapshot)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return QueryError(f"{neither}{hint}")


def of_vectors(vectors: Vectors, dimension: int) -> Seed:
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
    return Seed(Query(unit(rows), (Segment(0.0, 0.0),) * len(rows)))


def of_row(row: int, snapshot: Snapshot, *, opened: Opened) -> Seed:
    """Ask with a track of the library."""
    if snapshot.segments is not None:
        vectors = snapshot.segments[row]
    else:
        (vectors,) = opened.table().segments_of([snapshot.ids[row]])
    own = _rows_of_content(snapshot, snapshot.contents[row]) | {row}
    return Seed(Query(vectors, snapshot.times(row), own), row, snapshot.track(row))


def of_file(
    path: Path, snapshot: Snapshot, *, opened: Opened, start: float | None, end: float | None
) -> Seed:
    """Ask with an audio file, or with a stretch of it.

    Raises:
        AudioError: the file cannot be used.
        ModelError: the encoder of the library is not at hand.
    """
    heard = opened.reading_embedder().embed_file(path, start=start, end=end)
    return of_heard(Heard(heard, content_hash(path)), snapshot)


def of_heard(file: Heard, snapshot: Snapshot) -> Seed:
    """Ask with what was heard of a file."""
    heard = file.vectors
    own = _rows_of_content(snapshot, file.content)
    row = snapshot.row_of_path.get(path_to_text(heard.path))
    if row is not None:
        return Seed(Query(heard.vectors, heard.segments, own | {row}), row, snapshot.track(row))
    tags = asdict(read_tags(heard.tags))
    title = tags.pop("title") or title_of(heard.path)
    tags.pop("more")  # a Track has no place for the other tags
    track = Track(id="", path=heard.path, title=title, duration=heard.duration, **tags)
    return Seed(Query(heard.vectors, heard.segments, own), None, track)


def _rows_of_content(snapshot: Snapshot, content: str) -> frozenset[int]:
    # `index` compares in C: a loop over 100,000 rows would take as long as scoring them all.
    contents, rows, after = snapshot.contents, [], 0
    for _ in range(contents.count(content)):
        rows.append(contents.index(content, after))
        after = rows[-1] + 1
    return frozenset(rows)
