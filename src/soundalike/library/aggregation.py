"""The segment vectors of two tracks -> one similarity.

In: unit vectors, v_i of the query's segments and w_j of a track's, both [S, D]. Out: a cosine,
-1..1, by one of three names:

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

Pure functions on arrays: the search and the evaluation compare tracks by the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError

Vectors: TypeAlias = npt.NDArray[np.floating[Any]]
Senses: TypeAlias = Mapping[str, slice]
"""The columns of each sense of a joined model; none of a single encoder, or of columns cut out."""

AGGREGATIONS = ("mean", "concat", "maxsim")
ONE: Senses = MappingProxyType({})


def track_vector(vectors: Vectors, aggregation: str, senses: Senses = ONE) -> Vectors:
    """Fold the segments of a track into one unit vector, whose dot products are the similarities.

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
    query: Vectors, tracks: Vectors, aggregation: str, senses: Senses = ONE
) -> Vectors:
    """Compare one track with many.

    Args:
        query: unit rows, [S, D].
        tracks: unit rows, [N, S, D]; for "mean" and "maxsim" S may differ from the query's.
        aggregation: one of `AGGREGATIONS`.
        senses: the columns of each sense, as `Embedder.senses` has them.

    Returns:
        Cosines [N], -1..1, in the dtype of the arguments.

    Raises:
        QueryError: an aggregation that does not exist.
        ValueError: shapes that do not fit each other.
    """
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
    """Cosines of every query with every track under an aggregation: float32 [Q, N].

    Args:
        queries, tracks: segment vectors with unit rows, [S, D] each.
        aggregation: "mean", "concat" or "maxsim".
        senses: the columns of each sense, as `Embedder.senses` has them.

    Raises:
        QueryError: an aggregation that does not exist.
    """
    stacked = np.stack(tracks)
    if aggregation == "maxsim":
        return np.stack([similarities(query, stacked, aggregation) for query in queries])
    ours, theirs = (
        track_vector(each, aggregation, senses) for each in (np.stack(queries), stacked)
    )
    return np.asarray(ours @ theirs.T, dtype=np.float32)


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
