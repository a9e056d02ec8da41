"""A question -> the rows of a library, best first.

Two steps. Candidates: in a library of up to `EXACT_LIMIT` tracks every track is scored by the very
aggregation asked for (one matrix product, or two where a piece may be recognised).
In a larger one Lance's approximate index proposes some hundred for a plain question; a filter, one
sense or several seeds are answered by scoring all means. Ranking: the candidates are compared again
from their segments in float64 and rounded to 12 places, so that neither the size of the library nor
the blocking of a matrix product shows in the answer, and copies of one file tie.

All senses of a joined model together are a cosine, lifted where the sense of composition recognises a
piece (`aggregation.recognised`): what it recognises is among the candidates, too.

One sense of a joined model is a stretch of columns. Asked for one, the ranking sees that stretch of
every segment, scaled to unit length again, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from soundalike.audio.segments import Segment
from soundalike.errors import QueryError
from soundalike.library.aggregation import (
    COMPOSITION,
    ONE,
    Vectors,
    check_aggregation,
    recognised,
    similarities,
    track_vector,
    unit,
    unrelated,
)
from soundalike.library.snapshot import Snapshot
from soundalike.library.store import TrackTable

EXACT_LIMIT = 100_000
# The approximate index knows the means alone; other aggregations are found among their nearest.
CANDIDATES = 300
PER_ANSWER = 10
# Who wants more of a large library than this is better served by scoring all of it.
MOST_PROPOSED = 5000
BOTH = "both"
"""All senses at once: what a joined model is weighted for, a piece that is recognised lifted; and all that a
single encoder has."""
# How much likeness to a disliked seed counts against likeness to the liked ones.
DISLIKE = 0.5
# Above the rounding of a float32 matrix product, below any difference worth an order.
_MARGIN = 1e-4
# Tracks whose columns are copied at a time.
_BLOCK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One seed: unit segment vectors [S, D], where they lie (0 to 0 if nowhere), rows to leave out."""

    vectors: Vectors
    segments: tuple[Segment, ...]
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What to look for, and how.

    A track's score is the mean of its similarities to the liked seeds, less `DISLIKE` times its
    similarity to the disliked seed it is most like, if that is above 0.

    Attributes:
        liked: one seed or more.
        disliked: seeds to keep away from.
        aggregation: one of `aggregation.AGGREGATIONS`.
        sense: the name of one of the snapshot's senses, or `BOTH`.
        allowed: rows that may answer, bool [N]; None for all.
    """

    liked: tuple[Query, ...]
    disliked: tuple[Query, ...] = ()
    aggregation: str = "mean"
    sense: str = BOTH
    allowed: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Rows by descending score, equal ones by path.

    Attributes:
        rows: int64 [K].
        scores: float64 [K], -1..1 for a single seed.
        complete: whether every row that may answer is among them.
    """

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    complete: bool


class Ranker:
    """A question put to a library.

    Attributes:
        liked, disliked: the seeds as the question hears them: the columns of its sense, and as many
            segments as the aggregation needs.
        aggregation, sense: of the question.
    """

    def __init__(
        self, question: Question, snapshot: Snapshot, *, table: TrackTable | None = None
    ) -> None:
        """Prepare the seeds.

        Args:
            question: what to look for.
            snapshot: the library.
            table: where the snapshot has no segments, the table that has them.

        Raises:
            QueryError: no such aggregation or sense, or vectors that do not fit them.
        """
        self.aggregation = check_aggregation(question.aggregation)
        self._own = columns_of(question.sense, snapshot.senses)
        self._senses = snapshot.senses if self._own is None else ONE  # of the columns compared
        self.sense, self._snapshot, self._table = question.sense, snapshot, table
        self.liked = tuple(map(self._prepared, question.liked))
        self.disliked = tuple(map(self._prepared, question.disliked))
        allowed, N = question.allowed, len(snapshot)
        self._filtered = allowed is not None
        self._allowed = np.ones(N, bool) if allowed is None else allowed.copy()
        for seed in (*self.liked, *self.disliked):
            self._allowed[list(seed.left_out)] = False
        self._most = int(self._allowed.sum())

    def rank(self, count: int) -> Ranking:
        """Rank at least the `count` best rows, or all that may answer."""
        rows = self._candidates(count)
        scores = np.empty(len(rows))
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            segments = _exactly(self.segments(rows[block]))
            scores[block] = self._combined(partial(self.likeness, segments=segments))
        scores = scores.round(12)
        order = np.lexsort((rows, -scores))
        return Ranking(rows[order], scores[order], len(rows) == self._most)

    def likeness(self, seed: Query, segments: Vectors) -> Vectors:
        """Compare one of the seeds with tracks [n, S, D]: [n], in the dtype of the tracks."""
        vectors = _exactly(seed.vectors) if segments.dtype == np.float64 else seed.vectors
        return similarities(
            vectors, segments, self.aggregation, self._senses, among=len(self._snapshot)
        )

    def segments(self, rows: npt.NDArray[np.int64]) -> Vectors:
        """The segments of rows, float32 [n, S, D], in the columns asked for."""
        segments: Vectors
        if self._snapshot.segments is not None:
            segments = self._snapshot.segments[rows]
        else:
            segments = self._lance().segments_of([self._snapshot.ids[i] for i in rows.tolist()])
        return segments if self._own is None else unit(segments[..., self._own])

    def _prepared(self, seed: Query) -> Query:
        if self._own is not None:
            vectors = seed.vectors[:, self._own]
            if not vectors.any(axis=1).all():
                raise QueryError(
                    f"the vectors hold nothing but zeros in the columns of {self.sense}"
                )
            seed = Query(unit(vectors), seed.segments, seed.left_out)
        if self.aggregation != "concat":
            return seed
        exact, found = self._snapshot.segments, len(seed.vectors)
        S = self._lance().segments if exact is None else exact.shape[1]
        if found == 1:  # it stands for every segment when they are compared one by one
            return Query(np.repeat(seed.vectors, S, axis=0), seed.segments * S, seed.left_out)
        if found != S:
            raise QueryError(
                f"concat pairs segments: the query has {found}, the tracks of this library {S}"
            )
        return seed

    def _combined(self, likeness: Callable[[Query], Vectors]) -> Vectors:
        """Scores [n] from what each seed says."""
        score = np.mean([likeness(seed) for seed in self.liked], axis=0)
        if self.disliked:
            worst = np.max([likeness(seed) for seed in self.disliked], axis=0)
            score = score - DISLIKE * np.maximum(worst, 0)
        return np.asarray(score)

    def _candidates(self, count: int) -> npt.NDArray[np.int64]:
        """Rows worth ranking, in no order."""
        aggregation = self.aggregation
        if self._snapshot.segments is None:
            aggregation, count = "mean", max(CANDIDATES, PER_ANSWER * count)
            seeds = len(self.liked) + len(self.disliked)
            if seeds == 1 and not self._filtered and self._own is None and count <= MOST_PROPOSED:
                return self._proposed(count)
        scores = self._combined(partial(self._fast_scores, aggregation=aggregation))
        scores[~self._allowed] = -np.inf
        wanted = min(count, self._most)
        if wanted < 1:
            return np.empty(0, np.int64)
        # Too close to the last one to tell in float32 is as good as it.
        worst = np.partition(scores, -wanted)[-wanted]
        return np.flatnonzero(scores >= worst - _MARGIN)

    def _fast_scores(self, seed: Query, aggregation: str) -> Vectors:
        """Compare a seed with all tracks in float32: [N]."""
        own, snapshot = self._own, self._snapshot
        if aggregation == "mean" and own is not None:
            return _by_columns(snapshot.means[:, own], seed.vectors)
        if aggregation == "mean":
            together = np.asarray(snapshot.means @ track_vector(seed.vectors, "mean", self._senses))
            piece = self._by_piece(seed)
            return together if piece is None else recognised(together, piece, len(snapshot))
        assert snapshot.segments is not None, "other aggregations need the segments"
        scores = np.empty(len(snapshot), np.float32)
        for start in range(0, len(scores), _BLOCK):
            block = slice(start, start + _BLOCK)
            segments = snapshot.segments[block]
            segments = segments if own is None else unit(segments[..., own])
            scores[block] = similarities(
                seed.vectors, segments, aggregation, self._senses, among=len(snapshot)
            )
        return scores

    def _proposed(self, count: int) -> npt.NDArray[np.int64]:
        """Rows the approximate index finds near the only seed, and those whose piece is recognised.

        The index knows the cosine of all senses alone. What no list of it would hold are recognised
        pieces that sound otherwise: few, and found by reading the columns of composition.
        """
        (seed,) = self.liked
        count = min(count + len(seed.left_out), len(self._snapshot))
        vector = track_vector(seed.vectors, "mean", self._senses)
        ids = self._lance().candidates(vector, count)
        # One that is not in the snapshot was added since by another process.
        listed = [self._snapshot.row_of_id.get(name, -1) for name in ids]
        rows = np.array([row for row in listed if row >= 0], np.int64)
        piece = self._by_piece(seed)
        if piece is not None:
            known = np.flatnonzero(piece > unrelated(len(self._snapshot)))
            # Beyond the end of the list may be others that are more alike than some of these.
            last = (self._snapshot.means[rows] @ vector).min(initial=1) if len(rows) else -1
            likeness = recognised(
                self._snapshot.means[known] @ vector, piece[known], len(self._snapshot)
            )
            rows = np.union1d(rows, known[likeness >= last])
        return np.asarray(rows[self._allowed[rows]], np.int64)

    def _by_piece(self, seed: Query) -> Vectors | None:
        """Cosines of a seed and all tracks by the sense of composition, [N]; None without that sense."""
        own = self._senses.get(COMPOSITION)
        if own is None:
            return None
        return _by_columns(self._snapshot.means[:, own], unit(seed.vectors[:, own]))

    def _lance(self) -> TrackTable:
        assert self._table is not None, "a snapshot without segments needs the table"
        return self._table


def _by_columns(stored: Vectors, vectors: Vectors) -> Vectors:
    """Cosines of one seed [S, D] and all tracks in the columns of a sense, whose stored means are [N, D].

    A joined model gives every segment the same length in these columns, the square root of the weight.
    So the mean of the unit rows has the direction of the mean stored.
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", stored, stored))
    dots = stored @ track_vector(vectors, "mean")
    return np.asarray(dots / np.where(lengths > 0, lengths, 1))


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


def _exactly(vectors: Vectors) -> Vectors:
    """Unit rows again after the step to float64, so that a track is exactly 1 like itself."""
    return unit(vectors.astype(np.float64))
