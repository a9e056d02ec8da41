"""A query -> its neighbors, with the segment pairs that speak for them.

Two steps. Candidates: in a library of up to `EXACT_LIMIT` tracks every track is scored by the very
aggregation asked for (one matrix product; 5 ms for the means of 50,000 tracks, 37 ms for maxsim),
in a larger one Lance's approximate index of the mean vectors proposes some hundred. Re-rank: the
candidates are compared again from their segments in float64 and rounded to 12 places, so that
neither the size of the library nor the blocking of a matrix product shows in the answer, and copies
of one file tie.

One sense of a joined model is a stretch of columns. Asked for one, the search sees that stretch of
every segment, scaled to unit length again, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.audio.segments import Segment
from soundalike.errors import QueryError
from soundalike.library.aggregation import (
    Vectors,
    check_aggregation,
    matches,
    similarities,
    track_vector,
    unit,
)
from soundalike.library.snapshot import Snapshot
from soundalike.library.store import CLUSTERS, TrackTable
from soundalike.library.tracks import Track

EXACT_LIMIT = 100_000
# The approximate index knows the means alone; other aggregations are found among their nearest.
CANDIDATES = 300
PER_ANSWER = 10
BOTH = "both"
"""All senses at once: what a joined model is weighted for, and all that a single encoder has."""
# The index clusters whole vectors; who asks for one sense looks into more clusters, at more tracks.
MORE_FOR_ONE_SENSE = 4
# Above the rounding of a float32 matrix product, below any difference worth an order.
_MARGIN = 1e-4
# Tracks whose columns are copied at a time.
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Match:
    """Two segments that sound alike: where in the query, where in the answer, cosine 0..1."""

    query: Segment
    answer: Segment
    similarity: float


@dataclass(frozen=True, slots=True)
class Neighbor:
    """An answer.

    Attributes:
        track: the track found.
        similarity: cosine by the aggregation asked for, cut to 0..1: 1 the same, 0 unrelated.
        matches: the segment pairs that are most alike, best first; each segment occurs once.
    """

    track: Track
    similarity: float
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """Unit segment vectors [S, D], where they lie (0 to 0 if nowhere), rows to leave out."""

    vectors: Vectors
    segments: tuple[Segment, ...]
    left_out: frozenset[int] = frozenset()


def neighbors(
    query: Query,
    snapshot: Snapshot,
    *,
    n: int,
    aggregation: str,
    index: TrackTable | None = None,
    sense: str = BOTH,
) -> list[Neighbor]:
    """Find the tracks most similar to a query.

    An index of full mean vectors proposes the candidates for one sense, too: it is asked with all
    other columns zero. It does not scale the columns of a track to unit length, and its clusters
    know no senses, so four times as many candidates are taken, from four times as many clusters.

    Args:
        query: what to look for.
        snapshot: the library.
        n: answers wanted, at least 1; fewer come when the library has fewer.
        aggregation: one of `aggregation.AGGREGATIONS`.
        index: proposes candidates where the snapshot has no vectors.
        sense: the name of one of the snapshot's senses, or `BOTH`.

    Returns:
        Neighbors by descending similarity, equal ones by path.

    Raises:
        QueryError: n below 1, no such aggregation or sense, or vectors that do not fit them.
    """
    check_request(n, aggregation)
    own = columns_of(sense, snapshot.senses)
    if own is not None:
        query = _reduced(query, own, sense=sense)
    if snapshot.means is not None and snapshot.segments is not None:
        query = _fitted(query, snapshot.segments.shape[1], aggregation=aggregation)
        if own is not None:
            fast = _scores_of_sense(query, snapshot.means, snapshot.segments, aggregation, own=own)
        elif aggregation == "mean":
            fast = snapshot.means @ track_vector(query.vectors, "mean")
        else:
            fast = similarities(query.vectors, snapshot.segments, aggregation)
        rows = _best_rows(query, fast, n=int(n))
        segments: Vectors = snapshot.segments[rows]
    else:
        assert index is not None, "a snapshot without vectors needs an index"
        rows, segments = _proposed_rows(query, snapshot, index=index, n=int(n), own=own)
        query = _fitted(query, segments.shape[1], aggregation=aggregation)
    if own is not None:
        segments = unit(segments[..., own])
    scores = similarities(_exactly(query.vectors), _exactly(segments), aggregation).round(12)
    order = sorted(range(len(rows)), key=lambda i: (-scores[i], rows[i]))[: int(n)]
    return [
        _neighbor(query, snapshot, row=int(rows[i]), vectors=segments[i], score=float(scores[i]))
        for i in order
    ]


def check_request(n: int, aggregation: str) -> None:
    """Raise a QueryError for n below 1 and for an aggregation that does not exist."""
    check_aggregation(aggregation)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise QueryError(f"n is {n!r}; ask for a whole number of neighbors, 1 or more")


def columns_of(sense: str, senses: Mapping[str, slice]) -> slice | None:
    """Find the columns of a sense.

    Args:
        sense: its name, or `BOTH`.
        senses: the columns of each, as `Embedder.senses` has them; empty for a single encoder.

    Returns:
        None for `BOTH`, which is all columns as they are.

    Raises:
        QueryError: there is no such sense.
    """
    if sense == BOTH:
        return None
    if sense in senses:
        return senses[sense]
    if not senses:
        raise QueryError(f"no sense {sense!r}: the model has a single one, so there is only {BOTH}")
    raise QueryError(f"no sense {sense!r}; there are {', '.join([*senses, BOTH])}")


def _reduced(query: Query, own: slice, *, sense: str) -> Query:
    """The query with these columns alone."""
    vectors = query.vectors[:, own]
    if not vectors.any(axis=1).all():
        raise QueryError(f"the vectors hold nothing but zeros in the columns of {sense}")
    return Query(unit(vectors), query.segments, query.left_out)


def _scores_of_sense(
    query: Query, means: Vectors, segments: Vectors, aggregation: str, *, own: slice
) -> Vectors:
    """Score all tracks by one sense, to which the query is reduced: [N]."""
    if aggregation == "mean":
        # A joined model gives every segment the same length in these columns, the square root of
        # the weight. So the mean of the unit rows has the direction of the mean that is stored.
        stored = means[:, own]
        lengths = np.sqrt(np.einsum("nd,nd->n", stored, stored))
        dots = stored @ track_vector(query.vectors, "mean")
        return np.asarray(dots / np.where(lengths > 0, lengths, 1))
    scores = np.empty(len(segments), np.float32)
    for start in range(0, len(segments), _BLOCK):
        block = slice(start, start + _BLOCK)
        scores[block] = similarities(query.vectors, unit(segments[block, :, own]), aggregation)
    return scores


def _best_rows(query: Query, scores: Vectors, *, n: int) -> npt.NDArray[np.int64]:
    """Rows whose float32 score is among the n best or too close to the n-th to tell."""
    scores[list(query.left_out)] = -np.inf
    wanted = min(n, len(scores) - len(query.left_out))
    if wanted < 1:
        return np.empty(0, np.int64)
    worst = np.partition(scores, -wanted)[-wanted]
    return np.flatnonzero(scores >= worst - _MARGIN)


def _proposed_rows(
    query: Query, snapshot: Snapshot, *, index: TrackTable, n: int, own: slice | None
) -> tuple[npt.NDArray[np.int64], Vectors]:
    """Rows the index finds near the query, and their segments with all columns [C, S, D]."""
    count, vector = max(CANDIDATES, PER_ANSWER * n), track_vector(query.vectors, "mean")
    if own is None:
        ids, segments = index.candidates(vector, count + len(query.left_out))
    else:
        whole = np.zeros(index.dimension, np.float32)
        whole[own] = vector
        more, left_out = MORE_FOR_ONE_SENSE, len(query.left_out)
        ids, segments = index.candidates(whole, more * count + left_out, clusters=more * CLUSTERS)
    rows = np.array([snapshot.row_of_id.get(name, -1) for name in ids], np.int64)
    # Not in the snapshot: added since by another process.
    kept = np.array([row >= 0 and row not in query.left_out for row in rows.tolist()], bool)
    return rows[kept], segments[kept]


def _fitted(query: Query, S: int, *, aggregation: str) -> Query:
    """A single vector stands for every segment when segments are compared one by one."""
    found = len(query.vectors)
    if aggregation != "concat" or found == S:
        return query
    if found == 1:
        return Query(np.repeat(query.vectors, S, axis=0), query.segments * S, query.left_out)
    raise QueryError(
        f"concat pairs segments: the query has {found}, the tracks of this library {S}"
    )


def _neighbor(
    query: Query, snapshot: Snapshot, *, row: int, vectors: Vectors, score: float
) -> Neighbor:
    times = snapshot.times(row)
    pairs = (
        Match(query.segments[i], times[j], _cut(cosine))
        for i, j, cosine in matches(query.vectors, vectors, len(times))
    )
    return Neighbor(snapshot.track(row), _cut(score), _once(list(pairs)))


def _once(pairs: Sequence[Match]) -> tuple[Match, ...]:
    # The segments of a track shorter than one are all the same stretch.
    times = [(pair.query, pair.answer) for pair in pairs]
    return tuple(pair for i, pair in enumerate(pairs) if times.index(times[i]) == i)


def _exactly(vectors: Vectors) -> Vectors:
    """Unit rows again after the step to float64, so that a track is exactly 1 like itself."""
    return unit(vectors.astype(np.float64))


def _cut(cosine: float) -> float:
    return min(max(cosine, 0.0), 1.0)
