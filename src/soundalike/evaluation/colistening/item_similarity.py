"""Sessions -> how alike two tracks are, by who plays them together. The baseline without sound.

Counted is in how many sessions two tracks are at most REACH places apart, c_ij, and in how many each
track is, n_i. From counts to similarity by one of three names:

cosine      c_ij / sqrt(n_i n_j) * c_ij / (c_ij + a)
            Item to item (Linden, Smith & York 2003): the cosine of two tracks' rows of sessions. The
            second factor trusts few meetings less (a is 0: all alike), a shrinkage towards 0 as in
            Koren 2008, section 2.2.
ppmi        max(0, log(c_ij C / (c_i c_j)) - log b),  c_i = sum_j c_ij, C = sum_i c_i
            How much more often together than by chance: what word2vec factorises (Levy & Goldberg
            2014), shifted by b as there.
ppmi-rows   the cosine of two tracks' rows of ppmi
            Alike are tracks that are played with the same others, also if never with each other.

A track that nobody played has no count, hence similarity 0 to all others: the hole of cold start. All
pairs are kept as sorted arrays, so that 10^5 tracks cost memory by the pairs that occur, not by N * N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.evaluation.colistening.sessions import Sessions

REACH = 20
"""Places in a session over which tracks are together: bounds the cost of a day-long one."""


@dataclass(frozen=True, slots=True)
class Measure:
    """From counts to similarity: a name above and its number, a of cosine or b of the others."""

    name: str
    number: float

    def __post_init__(self) -> None:
        if self.name not in ("cosine", "ppmi", "ppmi-rows"):
            raise ValueError(f"no measure {self.name!r}; there are cosine, ppmi and ppmi-rows")
        if self.number < 0 or (self.name != "cosine" and self.number < 1):
            raise ValueError(f"{self.number} of {self.name}: at least {int(self.name != 'cosine')}")

    def __str__(self) -> str:
        return f"{self.name} {self.number:g}"


MEASURES = (
    *(Measure("cosine", a) for a in (0, 1, 5)),
    *(Measure("ppmi", b) for b in (1, 2)),
    *(Measure("ppmi-rows", b) for b in (1, 2)),
)
"""To choose from by validation sessions."""


@dataclass(frozen=True, slots=True)
class Together:
    """How often tracks met: for every ordered pair that did, once each way.

    Attributes:
        N: tracks.
        bounds: int64 [N + 1]; the pairs of track i are bounds[i]:bounds[i + 1].
        others: int64, the other track of each pair, ascending within a track.
        counts: float64, in how many sessions they met.
        sessions: int64 [N], in how many sessions each track is.
    """

    N: int
    bounds: np.ndarray
    others: np.ndarray
    counts: np.ndarray
    sessions: np.ndarray

    def firsts(self) -> np.ndarray:
        """The first track of every pair, int64."""
        return np.repeat(np.arange(self.N), np.diff(self.bounds))


def count_together(sessions: Sessions, N: int, *, reach: int = REACH) -> Together:
    """Count in how many sessions two tracks are at most `reach` places apart.

    A pair counts once a session, however often it is played there.
    """
    tracks, inside = sessions.tracks, sessions.numbers()
    pairs, of_session = [], []
    for step in range(1, reach + 1):
        near = inside[step:] == inside[:-step]
        if not near.any():
            break
        one, other = tracks[:-step][near], tracks[step:][near]
        pairs.append(np.minimum(one, other) * N + np.maximum(one, other))
        of_session.append(inside[step:][near])
    pair = np.concatenate(pairs) if pairs else np.zeros(0, np.int64)
    held = np.concatenate(of_session) if pairs else np.zeros(0, np.int64)
    pair, counts = _once_each(pair, held)
    apart = pair // N != pair % N
    i, j, counts = pair[apart] // N, pair[apart] % N, counts[apart]
    firsts, others = np.concatenate([i, j]), np.concatenate([j, i])
    order = np.lexsort((others, firsts))
    bounds = np.concatenate([[0], np.cumsum(np.bincount(firsts, minlength=N))])
    track, in_sessions = _once_each(tracks, inside)
    present = np.zeros(N, np.int64)
    present[track] = in_sessions
    both = np.concatenate([counts, counts])[order].astype(np.float64)
    return Together(N, bounds.astype(np.int64), others[order], both, present)


class CoListening:
    """Similarity of tracks from sessions, row by row."""

    def __init__(self, together: Together, measure: Measure) -> None:
        self.name = f"co-listening ({measure})"
        self._together, self._measure = together, measure
        self._values = _values(together, measure)
        squares = np.bincount(together.firsts(), self._values**2, minlength=together.N)
        self._lengths = np.sqrt(squares)

    def similarity(self, queries: Sequence[int] | np.ndarray) -> np.ndarray:
        """Similarity of some tracks to all, float32 [Q, N]; 0 is no sign of any.

        A track's similarity to itself is 0: it says nothing, and no ranking asks for it.
        """
        rows = np.zeros((len(queries), self._together.N), np.float32)
        for row, query in zip(rows, queries, strict=True):
            others, values = self._row(int(query))
            if self._measure.name != "ppmi-rows":
                row[others] = values
            else:
                self._of_rows(row, int(query))
        return rows

    def _row(self, track: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(self._together.bounds[track], self._together.bounds[track + 1])
        return self._together.others[part], self._values[part]

    def _of_rows(self, row: np.ndarray, query: int) -> None:
        """Cosines of the query's row of ppmi with all: over its entries only, the rest is 0."""
        dots = np.zeros(len(row))
        for shared, value in zip(*self._row(query), strict=True):
            others, values = self._row(int(shared))
            dots[others] += value * values
        lengths = self._lengths * self._lengths[query]
        np.divide(dots, lengths, out=dots, where=lengths > 0)
        dots[query] = 0
        row[:] = dots


def _values(together: Together, measure: Measure) -> np.ndarray:
    """The measure of every pair that met, float64; ppmi-rows needs the ppmi first."""
    i, j, c = together.firsts(), together.others, together.counts
    if measure.name == "cosine":
        n = together.sessions
        return np.asarray(c / np.sqrt(n[i] * n[j]) * c / (c + measure.number))
    total = np.bincount(i, c, minlength=together.N)
    more_often = np.log(c * total.sum() / (total[i] * total[j])) - np.log(measure.number)
    return np.asarray(np.maximum(more_often, 0))


def _once_each(values: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values, ascending, and in how many sessions each is."""
    distinct, place = np.unique(values, return_inverse=True)
    both = np.unique(inside * max(1, len(distinct)) + place)
    return distinct, np.bincount(both % max(1, len(distinct)), minlength=len(distinct))
