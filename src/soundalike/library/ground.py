"""What one goes over: every track of a library, and files beside it, as points that one sense hears.

In: a snapshot, a sense, which tracks may be stepped on, pieces from outside. Out: points, which are
numbers 0..N-1 for the rows of the snapshot and N.. for the pieces outside; their unit vectors, how
alike they are, who plays them, and which are the same recording.

Tracks are compared as a whole, by the mean of their segments: a large library has nothing else laid
out, and a way takes many more comparisons than a question.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.material import LeftOut, Piece
from soundalike.library.ranking import BOTH, columns_of
from soundalike.library.selection import Chooser, Selection, excluded_rows
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track
from soundalike.library.versions import RECORDED, plain_title, same_duration

Points: TypeAlias = npt.NDArray[np.int64]
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Step:
    """One track on the way.

    Attributes:
        track: the track.
        similarity: to the one before, 0..1; 1 for the first, of a radio that to a seed.
        from_start: to the first one, or to what one started from, 0..1.
    """

    track: Track
    similarity: float
    from_start: float


@dataclass(frozen=True, slots=True)
class Route(Sequence[Step]):
    """Tracks in an order; what was named for them and could not be used.

    A sequence of its steps.
    """

    steps: tuple[Step, ...]
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self.steps[index]

    @property
    def tracks(self) -> list[Track]:
        """The tracks alone."""
        return [step.track for step in self.steps]


@dataclass(eq=False)
class Ground:
    """Points and what is between them.

    Attributes:
        snapshot: the library.
        selection: what may be chosen. What was named to start from is not asked. There is no limit
            on artists and albums unless one is set.
        sense: by which all are heard, one of the snapshot's or "both".
        outside: pieces the library lacks.

    Raises:
        QueryError: no such sense, a filter that cannot be read, a selection that lets nothing
            through, or one with what belongs to questions only.
    """

    snapshot: Snapshot
    selection: Selection = field(default_factory=Selection)
    sense: str = BOTH
    outside: tuple[Piece, ...] = ()

    def __post_init__(self) -> None:
        own = columns_of(self.sense, self.snapshot.senses)
        self._means = self.snapshot.means if own is None else self.snapshot.means[:, own]
        self._own = own
        # One sense is a stretch of columns, of unit length only after scaling.
        self._lengths = None
        if own is not None:
            lengths = np.sqrt(np.einsum("nd,nd->n", self._means, self._means))
            self._lengths = np.where(lengths > 0, lengths, 1)
        self._beside = [piece.vector for piece in self.outside]
        self._allowed = self._chosen()

    def place(self, pieces: Iterable[Piece]) -> Points:
        """The points of pieces; those outside must be among `outside`."""
        beside = {id(piece): number for number, piece in enumerate(self.outside)}
        N = len(self.snapshot)
        points = [N + beside[id(p)] if p.row is None else p.row for p in pieces]
        return np.array(points, np.int64)

    def open(self) -> npt.NDArray[np.bool_]:
        """A new mask of the rows that may be chosen, bool [N]."""
        return self._allowed.copy()

    def vectors(self, points: Points | Sequence[int]) -> Vectors:
        """Unit vectors of points in the columns of the sense, float32 [n, D]."""
        return self._heard(self._whole(points))

    def likeness(self, vectors: Vectors) -> Vectors:
        """Cosines of unit vectors [n, D] with every row: float32 [n, N]."""
        cosines = np.atleast_2d(vectors).astype(np.float32) @ self._means.T
        if self._lengths is not None:
            cosines /= self._lengths
        return np.asarray(cosines)

    def track(self, point: int) -> Track:
        """The track of a point."""
        N = len(self.snapshot)
        return self.snapshot.track(point) if point < N else self.outside[point - N].track

    def artist(self, point: int) -> str:
        """Whose a point is, folded; "" if nobody says."""
        if point < len(self.snapshot):
            return self._artists[point]
        return self.outside[point - len(self.snapshot)].track.artist.casefold()

    def album(self, point: int) -> tuple[str, str] | None:
        """Which album of whom, folded; None if nobody says."""
        album = self._fact("album", point).casefold()
        by = self._fact("album_artist", point) or self._fact("artist", point)
        return (album, by.casefold()) if album else None

    def same(self, point: int, points: Points) -> npt.NDArray[np.bool_]:
        """Which of some points are the same recording as one, itself included: bool [n]."""
        (one,), others = self._whole([point]), self._whole(points)
        found = others @ one >= RECORDED
        track = self.track(point)
        for i in np.flatnonzero(found).tolist():
            other = self.track(int(points[i]))
            found[i] = same_duration(other.duration, track.duration) or (
                plain_title(other.title) == plain_title(track.title) != ""
            )
        return np.asarray(found | (points == point))

    def recorded_twice(self, points: Points) -> Iterator[tuple[int, int]]:
        """Pairs i < j of places in `points` that are the same recording, in order."""
        vectors = self._whole(points)
        for start in range(0, len(points), _BLOCK):
            near = vectors[start : start + _BLOCK] @ vectors.T >= RECORDED
            for i, others in enumerate(near, start=start):
                after = np.flatnonzero(others[i + 1 :]) + i + 1
                for j in (
                    after[self.same(int(points[i]), points[after])].tolist() if len(after) else ()
                ):
                    yield i, j

    def recordings(self, points: Points) -> npt.NDArray[np.bool_]:
        """The rows that are the same recording as any of some points, themselves included: bool [N]."""
        found = np.zeros(len(self.snapshot), bool)
        for start in range(0, len(points), _BLOCK):
            block = points[start : start + _BLOCK]
            table = self._whole(block) @ self.snapshot.means.T >= RECORDED
            for point, near in zip(block.tolist(), table, strict=True):
                rows = np.flatnonzero(near)
                found[rows[self.same(point, rows)]] = True
        found[points[points < len(found)]] = True
        return found

    def similarity(self, cosine: float) -> float:
        """A cosine as people are shown it, 0..1."""
        return self.snapshot.scale.similarity(cosine, self.sense, "mean")

    def route(self, points: Sequence[int], *, left_out: Sequence[LeftOut] = ()) -> Route:
        """Points in their order as steps."""
        steps = []
        vectors = self.vectors(points).astype(np.float64)
        for i, point in enumerate(points):
            before = 1.0 if i == 0 else self.similarity(float(vectors[i] @ vectors[i - 1]))
            start = 1.0 if i == 0 else self.similarity(float(vectors[i] @ vectors[0]))
            steps.append(Step(self.track(point), before, start))
        return Route(tuple(steps), tuple(left_out))

    def _chosen(self) -> npt.NDArray[np.bool_]:
        """The rows the selection lets through, bool [N]."""
        chosen = self.selection
        for name in ("exclude_same_artist", "exclude_same_album", "max_duration_ratio"):
            if getattr(chosen, name):
                raise QueryError(f"{name} is about one seed; it belongs to similar")
        allowed = Chooser(chosen, (), self.snapshot, n=1).allowed
        allowed = np.ones(len(self.snapshot), bool) if allowed is None else allowed
        rows = [row for each in chosen.exclude for row in excluded_rows(each, self.snapshot)]
        if rows and not chosen.keep_versions:
            allowed &= ~self.recordings(np.array(rows, np.int64))
            if not allowed.any():
                raise QueryError("every track that could be chosen is excluded")
        return allowed

    @functools.cached_property
    def _artists(self) -> list[str]:
        return [str(name or "").casefold() for name in self.snapshot.facts["artist"].to_pylist()]

    def _fact(self, name: str, point: int) -> str:
        N = len(self.snapshot)
        if point >= N:
            return str(getattr(self.outside[point - N].track, name))
        return str(self.snapshot.facts[name][point].as_py() or "")

    def _whole(self, points: Points | Sequence[int]) -> Vectors:
        """Unit vectors of points in all columns, float32 [n, D]."""
        points = np.asarray(points, np.int64)
        N = len(self.snapshot)
        found = self.snapshot.means[np.minimum(points, N - 1)]
        for i in np.flatnonzero(points >= N).tolist():
            found[i] = self._beside[int(points[i]) - N]
        return np.asarray(found)

    def _heard(self, vectors: Vectors) -> Vectors:
        return vectors if self._own is None else unit(vectors[:, self._own])


class Counted:
    """How many tracks of an artist and of an album are taken, and whether one more may be."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._taken: dict[object, int] = {}

    def take(self, point: int) -> None:
        """Count a point."""
        for name, _ in self._names(point):
            self._taken[name] = self._taken.get(name, 0) + 1

    def room(self, point: int) -> bool:
        """Whether one more of its artist and album may be taken."""
        return all(self._taken.get(name, 0) < most for name, most in self._names(point))

    def _names(self, point: int) -> list[tuple[object, int]]:
        chosen, names = self._ground.selection, list[tuple[object, int]]()
        if chosen.max_per_artist and (artist := self._ground.artist(point)):
            names.append((artist, chosen.max_per_artist))
        if chosen.max_per_album and (album := self._ground.album(point)):
            names.append((album, chosen.max_per_album))
        return names
