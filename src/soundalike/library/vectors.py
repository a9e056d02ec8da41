"""The vectors of a library, to compute with: all at once, or some thousand tracks at a time.

What comes out is made of the stored segments alone: the mean of a track's, or all in a row, of all
senses or of one. A library that keeps its segments in Lance is read from there, batch by batch, so
that memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.aggregation import ONE, check_aggregation, track_vector, unit
from soundalike.library.ranking import columns_of
from soundalike.library.snapshot import Snapshot
from soundalike.library.store import TrackTable

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
BATCH = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some tracks and their vectors.

    Attributes:
        rows: of the snapshot, [n].
        vectors: a unit vector each, float32 [n, D], or [n, S * D] of segments in a row.
        segments: unit rows, float32 [n, S, D]; None unless they were asked for.
        starts: when each segment begins in its track, seconds, float64 [n, S]; None likewise.
    """

    rows: Rows
    vectors: Vectors
    segments: Vectors | None = None
    starts: npt.NDArray[np.float64] | None = None


def means(snapshot: Snapshot, sense: str) -> Vectors:
    """One unit vector for every track, float32 [N, D], in the columns of a sense.

    Of all senses this is what the snapshot has; of one it is made from that: a joined model gives
    every segment the same length there, so the mean of the unit rows has the direction of the mean
    that is stored.

    Raises:
        QueryError: there is no such sense.
    """
    own = columns_of(sense, snapshot.senses)
    return snapshot.means if own is None else unit(snapshot.means[:, own])


def batches(
    snapshot: Snapshot,
    rows: Rows,
    *,
    aggregation: str,
    sense: str,
    table: TrackTable | None = None,
    segments: bool = False,
) -> Iterator[Batch]:
    """Read the vectors of rows, `BATCH` tracks at a time, in their order.

    Args:
        snapshot: the library.
        rows: which tracks, [n].
        aggregation: "mean" or "concat".
        sense: one of the snapshot's senses, or `ranking.BOTH`.
        table: where the snapshot has no segments, the table that has them.
        segments: give the segments as well.

    Raises:
        QueryError: no such sense, or an aggregation without a track vector.
    """
    check(aggregation, sense, snapshot)
    own = columns_of(sense, snapshot.senses)
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        if aggregation == "mean" and not segments:
            stored = snapshot.means[some]
            yield Batch(some, stored if own is None else unit(stored[:, own]))
            continue
        parts = _segments(snapshot, some, table)
        parts, senses = (parts, snapshot.senses) if own is None else (unit(parts[..., own]), ONE)
        folded = np.asarray(track_vector(parts, aggregation, senses), np.float32)
        if not segments:
            yield Batch(some, folded)
            continue
        starts = np.array(snapshot.facts["starts"].take(some).to_pylist(), np.float64)
        yield Batch(some, folded, parts, starts)


def check(aggregation: str, sense: str, snapshot: Snapshot) -> None:
    """Raise a QueryError for what has no vectors: before anything is read or written."""
    columns_of(sense, snapshot.senses)
    if check_aggregation(aggregation) == "maxsim":
        raise QueryError(
            "maxsim compares segment with segment and has no track vector; take mean or concat"
        )


def _segments(snapshot: Snapshot, rows: Rows, table: TrackTable | None) -> Vectors:
    if snapshot.segments is not None:
        return snapshot.segments[rows]
    assert table is not None, "a snapshot without segments needs the table"
    return table.segments_of([snapshot.ids[row] for row in rows.tolist()])
