"""The segment vectors of two tracks -> one similarity.

In: unit vectors, v_i of the query's segments and w_j of a track's, both [S, D]. Out: a number from
-1 to 1, which is a cosine by one of three names:

mean    cos(sum_i v_i, sum_j w_j)
        What the tracks sound like on the whole. The cheapest, and the one that washes out contrast:
        a quiet track that turns loud lands on one that is middling throughout. The senses of a
        joined model are summed apart and keep the weight they have in every segment: the segments
        of a track agree more on how it sounds than on what is played, and the longer sum would
        drown the other.
concat  1/S sum_i <v_i, w_i>
        Beginning against beginning, end against end: the cosine of the stacked vectors, which is
        the diagonal of the table <v_i, w_j>.
maxsim  1/2 (1/S sum_i max_j <v_i, w_j> + 1/S sum_j max_i <v_i, w_j>)
        Every segment looks for its best partner, in both directions (symmetric Chamfer); the order
        within the tracks is free. One direction is the late interaction of ColBERT (Khattab and
        Zaharia 2020, section 3.3).

A joined model that hears compositions recognises a piece in whatever arrangement. Among tracks that all
sound different, how different they sound would bury that: so the cosine of all senses together is
lifted towards 1 where that of composition alone is higher than any of so many unrelated tracks is
likely to reach (`recognised`; docs/lab/07-a-piece-is-recognised.md).

Pure functions on arrays: the search and the evaluation compare tracks by the same lines.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError

Vectors: TypeAlias = npt.NDArray[np.floating[Any]]
Senses: TypeAlias = Mapping[str, slice]
"""The columns of each sense of a joined model; none of a single encoder, or of columns cut out."""

COMPOSITION = "composition"
"""The sense that may recognise a piece."""
UNRELATED, PER_DECADE = 0.4, 0.15
"""The cosine by that sense that one of a thousand unrelated tracks reaches, and how much more it is that only
one of ten times as many does (means of the shipped encoder: calibration.json)."""
AGGREGATIONS = ("mean", "concat", "maxsim")
ONE: Senses = MappingProxyType({})


def track_vector(vectors: Vectors, aggregation: str, senses: Senses = ONE) -> Vectors:
    """Fold the segments of a track into one unit vector, whose dot products are the cosines.

    Args:
        vectors: unit rows, float32 [S, D], or [N, S, D] for many tracks at once.
        aggregation: "mean" or "concat"; "maxsim" compares segments and has no single vector.
        senses: the columns of each sense, as `Embedder.senses` has them.

    Returns:
        float32 [D] for "mean", [S * D] for "concat", with N in front for many. Segments that cancel
        out exactly have no direction and give zeros.

    Raises:
        QueryError: an aggregation that does not exist or has no single vector.
    """
    if check_aggregation(aggregation) == "mean":
        return _balanced(vectors, senses)
    if aggregation == "concat":
        return unit(vectors.reshape(*vectors.shape[:-2], -1))
    raise QueryError(
        "maxsim compares segment with segment and has no track vector; take mean or concat"
    )


def similarities(
    query: Vectors,
    tracks: Vectors,
    aggregation: str,
    senses: Senses = ONE,
    *,
    among: int | None = None,
) -> Vectors:
    """Compare one track with many.

    Args:
        query: unit rows, [S, D].
        tracks: unit rows, [N, S, D]; for "mean" and "maxsim" S may differ from the query's.
        aggregation: one of `AGGREGATIONS`.
        senses: the columns of each sense, as `Embedder.senses` has them.
        among: tracks there are to answer, of which `tracks` may be some; N if None.

    Returns:
        Cosines [N], -1..1, in the dtype of the arguments; lifted where a piece is recognised.

    Raises:
        QueryError: an aggregation that does not exist.
        ValueError: shapes that do not fit each other.
    """
    together = _cosines(query, tracks, aggregation, senses)
    own = senses.get(COMPOSITION)
    if own is None:
        return together
    piece = _cosines(unit(query[:, own]), unit(tracks[..., own]), aggregation, ONE)
    return recognised(together, piece, len(tracks) if among is None else among)


def recognised(together: Vectors, piece: Vectors, among: int) -> Vectors:
    """Lift the likeness of tracks that seem to be one piece.

    Args:
        together: cosines of all senses, of any shape.
        piece: cosines of the sense of composition, of the same shape.
        among: tracks there are to answer. The more there are, the more alike some of them are by chance.

    Returns:
        `together` where `piece` is at most `unrelated(among)`. Above it, what is missing to 1 shrinks with
        the square of what `piece` lacks to 1.
    """
    least = unrelated(among)
    left = (1 - piece) / (1 - least)
    lifted = 1 - (1 - together) * np.square(np.clip(left, 0, 1))
    return np.where(piece > least, lifted, together).astype(together.dtype)


def unrelated(among: int) -> float:
    """The cosine by the sense of composition that about one of so many unrelated tracks reaches.

    Up to a thousand it stays `UNRELATED`; 0.55 among ten thousand, 0.7 among a hundred thousand, and at
    most 0.95.
    """
    decades = math.log10(max(among, 1) / 1000)
    return min(UNRELATED + PER_DECADE * max(0.0, decades), 0.95)


def _cosines(query: Vectors, tracks: Vectors, aggregation: str, senses: Senses) -> Vectors:
    if query.ndim != 2 or tracks.ndim != 3 or query.shape[1] != tracks.shape[2]:
        raise ValueError(
            f"query {query.shape} and tracks {tracks.shape} must be [S, D] and [N, S, D]"
        )
    if check_aggregation(aggregation) == "maxsim":
        return _chamfer(segment_table(query, tracks))
    if aggregation == "concat" and query.shape[0] != tracks.shape[1]:
        raise ValueError(f"concat pairs segments: {query.shape[0]} against {tracks.shape[1]}")
    if aggregation == "concat":
        return np.asarray(tracks.reshape(len(tracks), -1) @ query.reshape(-1) / len(query))
    return np.asarray(track_vector(tracks, "mean", senses) @ track_vector(query, "mean", senses))


def similarity_matrix(
    queries: Sequence[Vectors],
    tracks: Sequence[Vectors],
    aggregation: str,
    senses: Senses = ONE,
) -> Vectors:
    """What `similarities` says of every query and every track: float32 [Q, N].

    Args:
        queries, tracks: segment vectors with unit rows, [S, D] each.
        aggregation: "mean", "concat" or "maxsim".
        senses: the columns of each sense, as `Embedder.senses` has them.

    Raises:
        QueryError: an aggregation that does not exist.
    """
    stacked = np.stack(tracks)
    if aggregation == "maxsim":
        return np.stack([similarities(query, stacked, aggregation, senses) for query in queries])
    asked, own = np.stack(queries), senses.get(COMPOSITION)
    together = _all_cosines(asked, stacked, aggregation, senses)
    if own is None:
        return together
    by_piece = _all_cosines(unit(asked[..., own]), unit(stacked[..., own]), aggregation, ONE)
    return recognised(together, by_piece, len(tracks))


def segment_table(query: Vectors, tracks: Vectors) -> Vectors:
    """Compare all segments of a query [Sq, D] with all of tracks [N, S, D]: cosines [N, Sq, S]."""
    N, S, D = tracks.shape
    flat = tracks.reshape(N * S, D) @ query.T
    return np.asarray(flat.reshape(N, S, len(query)).transpose(0, 2, 1))


def matches(query: Vectors, answer: Vectors, top: int = 3) -> list[tuple[int, int, float]]:
    """Find the segment pairs that speak most for two tracks being alike, best first.

    Greedy and one to one: the best pair of all, then the best among the segments still free, so
    that one striking segment does not fill the whole explanation. Equal pairs come in the order of
    time.

    Args:
        query, answer: unit rows, [Sq, D] and [S, D].
        top: pairs wanted; there are at most min(Sq, S).

    Returns:
        (i, j, cosine): query segment i sounds like answer segment j.
    """
    table = query.astype(np.float64) @ answer.astype(np.float64).T
    pairs: list[tuple[int, int, float]] = []
    # Rows of float32 are of unit length to seven places; past those the order would be chance.
    for flat in np.argsort(-table.round(6), axis=None, kind="stable"):
        i, j = divmod(int(flat), table.shape[1])
        if len(pairs) < top and all(i != a and j != b for a, b, _ in pairs):
            pairs.append((i, j, float(table[i, j])))
    return pairs


def unit(vectors: Vectors) -> Vectors:
    """Scale the last axis to length 1; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=vectors.dtype)


def check_aggregation(aggregation: str) -> str:
    """Return the name, or raise a QueryError that lists the names there are."""
    if aggregation not in AGGREGATIONS:
        raise QueryError(f"no aggregation {aggregation!r}; there are {', '.join(AGGREGATIONS)}")
    return aggregation


def _all_cosines(queries: Vectors, tracks: Vectors, aggregation: str, senses: Senses) -> Vectors:
    """Of tracks [Q, S, D] and [N, S, D] that have one vector each: float32 [Q, N]."""
    ours, theirs = (track_vector(each, aggregation, senses) for each in (queries, tracks))
    return np.asarray(ours @ theirs.T, dtype=np.float32)


def _balanced(vectors: Vectors, senses: Senses) -> Vectors:
    """Unit mean of segments [.., S, D], each sense as long in it as in a segment: [.., D]."""
    mean = vectors.mean(axis=-2)
    for own in senses.values():
        weight = np.linalg.norm(vectors[..., own], axis=-1).max(axis=-1, keepdims=True)
        mean[..., own] = unit(mean[..., own]) * weight
    return unit(mean)


def _chamfer(table: Vectors) -> Vectors:
    forth, back = table.max(axis=2).mean(axis=1), table.max(axis=1).mean(axis=1)
    return np.asarray((forth + back) / 2)
