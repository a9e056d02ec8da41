"""What the stored vectors of a library say by themselves: no file is opened, no encoder is run.

    read_stored   library -> its tracks and vectors
    ask           which tracks come first? against labels from tags
    hubness       in how many lists of ten is a track?
    pairs         how similar are two tracks of one album, and two tracks drawn blindly?

Every query meets every track, a block of queries at a time, so memory holds the vectors of
`MOST_TRACKS` tracks and one block, whatever the size of the library. Ranks are those of
`metrics.ranks_of_relevant` (ties count against us), found by counting instead of by sorting the whole
list with its labels: at 100,000 tracks that is the difference between seconds and minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.aggregation import (
    COMPOSITION,
    Senses,
    check_aggregation,
    recognised,
    similarities,
    track_vector,
    unit,
)
from soundalike.library.library import Library
from soundalike.library.opened import Opened
from soundalike.library.store import TrackTable
from soundalike.library.tracks import Track

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]
"""Told (what is being done, done, total)."""

MOST_TRACKS = 100_000
UNKNOWN = -1
_BLOCK = 64  # queries at a time: 25 MB of similarities at 100,000 tracks
_EDGES = 100  # bins between similarity -1 and 1


@dataclass(frozen=True, eq=False)
class Stored:
    """Tracks with their vectors, all of one encoder.

    Attributes:
        tracks: N.
        copies: int [N]; tracks with the same number are files of exactly the same content.
        segments: unit rows, float32 [N, S, D].
        aggregation: how two tracks are compared.
        folded: one unit vector per track, float32 [N, W]; None for "maxsim".
        left_out: tracks of the library that are not among these because it is too large.
        pieces: the same as `folded` by the sense of composition alone, where there is one.
        senses: the columns of each sense of a joined model.
    """

    tracks: list[Track]
    copies: Numbers
    segments: Floats
    aggregation: str
    folded: Floats | None
    left_out: int
    pieces: Floats | None = None
    senses: Senses = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tracks)

    def against_all(self, rows: Numbers) -> Floats:
        """Similarities of some tracks with all: float32 [len(rows), N]."""
        if self.folded is None:
            each = [
                similarities(self.segments[row], self.segments, self.aggregation, self.senses)
                for row in rows
            ]
            return np.stack(each).astype(np.float32)
        together = np.asarray(self.folded[rows] @ self.folded.T)
        if self.pieces is None:
            return together
        return recognised(together, self.pieces[rows] @ self.pieces.T, len(self))

    def only(self, rows: Numbers) -> Stored:
        """The same of some tracks."""
        return Stored(
            [self.tracks[row] for row in rows],
            self.copies[rows],
            self.segments[rows],
            self.aggregation,
            None if self.folded is None else self.folded[rows],
            self.left_out + len(self) - len(rows),
            None if self.pieces is None else self.pieces[rows],
            self.senses,
        )

    def of_pairs(self, left: Numbers, right: Numbers) -> Floats:
        """Similarities of left[i] with right[i]: float32 [len(left)]."""
        if self.folded is None:
            one = [
                similarities(
                    self.segments[i],
                    self.segments[j : j + 1],
                    self.aggregation,
                    self.senses,
                    among=len(self),
                )[0]
                for i, j in zip(left, right, strict=True)
            ]
            return np.array(one, np.float32)
        together = np.asarray((self.folded[left] * self.folded[right]).sum(axis=1))
        if self.pieces is None:
            return together
        by_piece = (self.pieces[left] * self.pieces[right]).sum(axis=1)
        return recognised(together, by_piece, len(self))


@dataclass(frozen=True, eq=False)
class Question:
    """Are tracks with the same label near?

    Attributes:
        task: its name.
        labels: int [N]; `UNKNOWN` where a track has none: it is neither asked about nor an answer,
            as nobody knows whether it would be a right one.
        bars: int [N] or None: answers with the query's number here are left out, as are those with
            none (`UNKNOWN`), which cannot be told to be others.
    """

    task: str
    labels: Numbers
    bars: Numbers | None = None

    def asked(self) -> Numbers:
        """Rows that have a label and at least one answer that is neither themselves nor barred."""
        known = self.labels != UNKNOWN
        if self.bars is not None:
            known &= self.bars != UNKNOWN
        rows = np.flatnonzero(known)
        _, label, count = np.unique(self.labels[rows], return_inverse=True, return_counts=True)
        out = np.ones(len(rows), np.int64)
        if self.bars is not None:
            both = np.stack([self.labels[rows], self.bars[rows]])
            _, pair, out = np.unique(both, axis=1, return_inverse=True, return_counts=True)
            out = out[pair.ravel()]
        return np.asarray(rows[count[label] - out > 0])

    def judged(self, row: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which tracks are right answers for a row, and which may be answers at all: bool [N]."""
        allowed = self.labels != UNKNOWN
        if self.bars is not None:
            allowed &= (self.bars != self.bars[row]) & (self.bars != UNKNOWN)
        allowed[row] = False
        return allowed & (self.labels == self.labels[row]), allowed


def read_stored(library: Library, *, aggregation: str = "mean", seed: int = 0) -> Stored:
    """Read the vectors that a library answers from, at most `MOST_TRACKS` drawn by seed.

    Raises:
        QueryError: an empty library, or no such aggregation.
        LibraryError: it cannot be read.
    """
    check_aggregation(aggregation)
    everything = library.tracks()
    if not everything:
        raise QueryError(
            f"the library {library.path} is empty; index a folder of music first "
            "(soundalike index FOLDER)"
        )
    kept = np.arange(len(everything))
    if len(kept) > MOST_TRACKS:
        drawn = np.random.default_rng(seed).choice(len(kept), MOST_TRACKS, replace=False)
        kept = np.sort(drawn)
    tracks = [everything[row] for row in kept]
    contents, segments, senses = _vectors_of(tracks, library)
    own = senses.get(COMPOSITION)
    one_vector = aggregation != "maxsim"
    return Stored(
        tracks,
        np.unique(contents, return_inverse=True)[1],
        segments,
        aggregation,
        track_vector(segments, aggregation, senses) if one_vector else None,
        len(everything) - len(kept),
        track_vector(unit(segments[..., own]), aggregation) if one_vector and own else None,
        senses,
    )


def ask(
    stored: Stored,
    question: Question,
    *,
    queries: int,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> dict[str, npt.NDArray[np.float64]]:
    """Rank all tracks for some that have a label.

    Args:
        stored: the library.
        question: what counts as right. Files of exactly the query's content are no answers, as when
            people ask.
        queries: at most so many of the tracks with a label are asked about, drawn by seed.
        seed: of the draw.
        progress: told how many queries are answered.

    Returns:
        Score -> its value for every query, [Q]; Q is 0 where nothing can be asked. "top-1", "P@10"
        and "mAP" are those of `metrics`; "chance" is the share of right answers among all.
    """
    asked = question.asked()
    rows = np.sort(np.random.default_rng(seed).permutation(asked)[:queries])
    name = question.task.replace("_", " ")
    found: list[tuple[float, float, float, float]] = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        for row, similarity in zip(block, stored.against_all(block), strict=True):
            relevant, allowed = question.judged(int(row))
            copy = stored.copies == stored.copies[row]
            ranks = _ranks(similarity, relevant & ~copy, allowed & ~copy)
            if len(ranks):
                precise = float(np.mean(np.arange(1, len(ranks) + 1) / ranks))
                chance = len(ranks) / np.count_nonzero(allowed & ~copy)
                found.append((float(ranks[0] == 1), np.sum(ranks <= 10) / 10, precise, chance))
        progress(name, start + len(block), len(rows))
    columns = np.array(found, np.float64).reshape(-1, 4).T
    return dict(zip(("top-1", "P@10", "mAP", "chance"), columns, strict=True))


def hubness(
    stored: Stored,
    *,
    k: int = 10,
    most: int = 5_000,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> tuple[Numbers, Numbers]:
    """Count in how many lists of the k nearest each track is (N_k).

    Radovanovic, Nanopoulos & Ivanovic, "Hubs in Space", JMLR 11 (2010), section 3. In a library above
    `most` tracks this is done among so many of them, drawn by seed: counted over some queries only,
    N_k would show the luck of the draw. Files of exactly the same content are in no list of each
    other.

    Args:
        stored: the library.
        k: length of the lists; of N - 1 tracks where there are no more.
        most: tracks to do it among.
        seed: of the draw.
        progress: told how many lists are made.

    Returns:
        rows int [M] of the tracks it was done among, counts int [M].
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(stored))[:most])
    among = stored if len(rows) == len(stored) else stored.only(rows)
    counts, k = np.zeros(len(rows), np.int64), min(k, len(rows) - 1)
    for start in range(0, len(rows) if k else 0, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(rows)))
        similarity = among.against_all(block)
        similarity[among.copies[block][:, None] == among.copies] = -np.inf
        nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        there = np.take_along_axis(similarity, nearest, axis=1) > -np.inf
        counts += np.bincount(nearest[there], minlength=len(rows))
        progress("hubness", int(block[-1]) + 1, len(rows))
    return rows, counts


def pairs(
    stored: Stored, labels: Numbers | None, *, count: int = 20_000, seed: int = 0
) -> npt.NDArray[np.float32]:
    """Similarities of pairs with the same label, float32 [count]; empty where there are none.

    A track with mates is drawn, then one of its mates, so that every track speaks as often, not every
    pair. Without labels both are drawn from all; a track is never its own mate.
    """
    if labels is None:
        labels = np.zeros(len(stored), np.int64)
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(labels != UNKNOWN)
    rows = rows[np.argsort(labels[rows], kind="stable")]  # mates stand side by side
    _, first, size = np.unique(labels[rows], return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(size)), size)
    able = np.flatnonzero(size[group] > 1)
    if not len(able):
        return np.empty(0, np.float32)
    left = rng.choice(able, count)
    # A step of 1 to size - 1 around the circle of mates never comes back to the track itself.
    step = 1 + rng.integers(0, size[group[left]] - 1)
    start = first[group[left]]
    right = start + (left - start + step) % size[group[left]]
    return stored.of_pairs(rows[left], rows[right])


def histogram(similarity: Floats) -> tuple[list[float], list[float]]:
    """Edges from -1 to 1 and the share of pairs between them; rounding may step over 1."""
    edges = np.linspace(-1, 1, _EDGES + 1).round(6)
    counts, _ = np.histogram(similarity.clip(-1, 1), edges)
    return edges.tolist(), (counts / max(1, len(similarity))).tolist()


def more_alike(these: Floats, those: Floats) -> float:
    """How often one of these is more similar than one of those; equal ones count half: the AUC."""
    ordered = np.sort(those)
    below = np.searchsorted(ordered, these, "left") + np.searchsorted(ordered, these, "right")
    return float(np.mean(below / 2 / len(those)))


def _ranks(
    similarity: Floats, relevant: npt.NDArray[np.bool_], allowed: npt.NDArray[np.bool_]
) -> Numbers:
    """Ranks of the right answers, ascending; among equals they come last."""
    right = np.sort(similarity[relevant])[::-1]
    wrong = np.sort(similarity[allowed & ~relevant])
    before = len(wrong) - np.searchsorted(wrong, right, "left")
    return np.asarray(before + np.arange(1, len(right) + 1))


def _vectors_of(tracks: Sequence[Track], library: Library) -> tuple[list[str], Floats, Senses]:
    """Content hashes and segments of tracks, in their order, and the columns of the senses."""
    opened = Opened(library.path, embedder=None, model=None)
    identity = str(library.model)
    entry = opened.manifest.tables[identity]
    place = {track.id: row for row, track in enumerate(tracks)}
    contents = [""] * len(tracks)
    segments = np.empty((len(tracks), entry.segments, entry.dimension), np.float32)
    snapshot = opened.load(entry)
    if snapshot is not None and snapshot.segments is not None:
        stored: Iterable[tuple[str, str, Floats]] = zip(
            snapshot.ids, snapshot.contents, snapshot.segments, strict=True
        )
    else:
        stored = _table_rows(opened.table(identity))
    for name, content, vectors in stored:
        if name in place:
            contents[place[name]], segments[place[name]] = content, vectors
    return contents, segments, entry.columns


def _table_rows(table: TrackTable) -> Iterator[tuple[str, str, Floats]]:
    """Id, content and segments [S, D] of every row, some thousand in memory at a time."""
    for batch in table.batches(["id", "content", "segments"]):
        vectors = batch["segments"].flatten().to_numpy()
        vectors = vectors.reshape(-1, table.segments, table.dimension)
        yield from zip(batch["id"].to_pylist(), batch["content"].to_pylist(), vectors, strict=True)
