"""A question -> neighbors, with the segment pairs that speak for them.

`ranking` puts the tracks in order. Whoever asks may drop answers on the way down (`selection`: at
most so many of an artist, one file of a recording): the ranking is then followed until there are
enough. What is left is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from soundalike.audio.segments import Segment
from soundalike.errors import QueryError
from soundalike.library.aggregation import matches
from soundalike.library.ranking import Question, Ranker
from soundalike.library.similarity import SEGMENT
from soundalike.library.snapshot import Snapshot
from soundalike.library.store import TrackTable
from soundalike.library.tracks import Track

# When a choice has dropped too many, this many times as many are ranked next.
FURTHER = 4
# For what a choice drops, and versions of the last answers: so many more are ranked at once.
SPARE = 10


@dataclass(frozen=True, slots=True)
class Match:
    """Two segments that sound alike: where in the query, where in the answer, how much so, 0..1."""

    query: Segment
    answer: Segment
    similarity: float


@dataclass(frozen=True, slots=True)
class Neighbor:
    """An answer.

    Attributes:
        track: the track found.
        similarity: 0..1, 1 the same; 0.5 is what one of a hundred random tracks reaches, 0 less than
            half of them (`similarity.py`). Of an encoder without a calibration, the cosine cut at 0.
        matches: the segment pairs that are most alike, best first; each segment occurs once.
        seed: which of several liked queries `matches` are about, the one it is most like; from 0.
        versions: other files of the same recording that it stands for, best first.
    """

    track: Track
    similarity: float
    matches: tuple[Match, ...]
    seed: int = 0
    versions: tuple[Track, ...] = ()


Choice: TypeAlias = Callable[
    [Sequence[int], int, bool], Sequence[int] | Mapping[int, Sequence[int]]
]
"""Rows, best first, how many are wanted, and whether these are all there are -> the rows to keep, in
the same order; in a mapping each with the rows it stands for."""


def neighbors(
    question: Question,
    snapshot: Snapshot,
    *,
    n: int,
    table: TrackTable | None = None,
    choice: Choice | None = None,
) -> list[Neighbor]:
    """Find the tracks most similar to a question.

    Args:
        question: what to look for.
        snapshot: the library.
        n: answers wanted, at least 1; fewer come when the library has fewer.
        table: where the snapshot has no segments, the table that has them.
        choice: picks among the ranked rows; None takes the first.

    Returns:
        Neighbors by descending similarity, equal ones by path.

    Raises:
        QueryError: n below 1, no such aggregation or sense, or vectors that do not fit them.
    """
    check_count(n)
    ranker, wanted = Ranker(question, snapshot, table=table), int(n)
    wanted += 0 if choice is None else n + SPARE
    while True:
        ranking = ranker.rank(wanted)
        rows = ranking.rows.tolist()
        chosen = rows if choice is None else choice(rows, n, ranking.complete)
        kept = list(chosen)[:n]
        if len(kept) == n or ranking.complete:
            break
        wanted = FURTHER * max(wanted, len(rows))
    scores = dict(zip(rows, ranking.scores.tolist(), strict=True))
    found = explain(ranker, snapshot, {row: scores[row] for row in kept})
    if not isinstance(chosen, Mapping):
        return found
    versions = [tuple(map(snapshot.track, chosen[row])) for row in kept]
    return [replace(each, versions=own) for each, own in zip(found, versions, strict=True)]


def explain(ranker: Ranker, snapshot: Snapshot, scores: dict[int, float]) -> list[Neighbor]:
    """Make neighbors of rows and their scores: the track, and the segment pairs that speak for it."""
    found, sense, similarity = [], ranker.sense, snapshot.scale.similarity
    segments = ranker.segments(np.array(list(scores), np.int64))
    for (row, score), vectors in zip(scores.items(), segments, strict=True):
        best = int(np.argmax([ranker.likeness(seed, vectors[None])[0] for seed in ranker.liked]))
        seed, times = ranker.liked[best], snapshot.times(row)
        pairs = [
            Match(seed.segments[i], times[j], similarity(cosine, sense, SEGMENT))
            for i, j, cosine in matches(seed.vectors, vectors, len(times))
        ]
        value = similarity(score, sense, ranker.aggregation)
        found.append(Neighbor(snapshot.track(row), value, _once(pairs), best))
    return found


def check_count(n: int) -> None:
    """Raise a QueryError for n below 1."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise QueryError(f"n is {n!r}; ask for a whole number of neighbors, 1 or more")


def _once(pairs: Sequence[Match]) -> tuple[Match, ...]:
    # The segments of a track shorter than one are all the same stretch.
    times = [(pair.query, pair.answer) for pair in pairs]
    return tuple(pair for i, pair in enumerate(pairs) if times.index(times[i]) == i)
