"""Seeing a library: groups of tracks that sound alike, a map of all of them, and the vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library import clusters, naming, vectors
from soundalike.library import layout as layouts
from soundalike.library.held import Held
from soundalike.library.naming import Word
from soundalike.library.ranking import BOTH
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, path_to_text
from soundalike.library.vectors import Batch
from soundalike.library.versions import plain_title, same_duration

Vectors = npt.NDArray[np.float32]
Tell = Callable[[str, int, int], object]
REPRESENTATIVES = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of tracks that sound alike.

    Attributes:
        number: from 0, the largest first.
        name: what its tags have in common, or a track in its midst, if possible one with an artist.
        words: what its tags say more often than those of the other tracks, best first.
        tracks: all of them, the most central first; `tracks[0]` is the medoid.
    """

    number: int
    name: str
    words: tuple[Word, ...]
    tracks: tuple[Track, ...]

    @property
    def representatives(self) -> tuple[Track, ...]:
        """A few central tracks, of different artists and albums as far as there are.

        Of several files of one recording, told by title and duration, one is among them.
        """
        chosen: list[Track] = []
        for same in (False, True):
            for track in self.tracks:
                if len(chosen) == REPRESENTATIVES:
                    break
                known = any(_source(track) == _source(other) for other in chosen)
                if known is same and not any(_again(track, other) for other in chosen):
                    chosen.append(track)
        return tuple(chosen)


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """A library as seen from above.

    Attributes:
        tracks: all of them, by path.
        places: x (to the right) and y (upwards) of each, float32 [N, 2], 0..1 in one scale.
        clusters: the groups.
        labels: the number of each track's group, [N].
        layout: how it was laid out, one of `layout.LAYOUTS`.
    """

    tracks: list[Track]
    places: Vectors
    clusters: list[Cluster]
    labels: npt.NDArray[np.int64]
    layout: str

    def centre(self, cluster: Cluster) -> tuple[float, float]:
        """Where a group lies: the median of its tracks, which strays do not move."""
        x, y = np.median(self.places[self.labels == cluster.number], axis=0).tolist()
        return x, y


class Seeing(Held):
    """The verbs that show a library as a whole."""

    def clusters(
        self,
        k: int | None = None,
        *,
        sense: str = BOTH,
        seed: int = 0,
        progress: Tell | None = None,
    ) -> list[Cluster]:
        """Group the tracks by how they sound, and name the groups by their tags.

        Args:
            k: groups; None finds how many stand apart best. There are fewer where fewer tracks
                differ.
            sense: group by one sense of a joined model alone (`senses` lists them).
            seed: the same seed gives the same groups.
            progress: called with what is being done, how many of how many are done.

        Returns:
            The groups, the largest first.

        Raises:
            QueryError: an empty library, k below 1 or above the number of tracks, no such sense.
        """
        snapshot = self._filled()
        labels = _grouped(snapshot, k, sense=sense, seed=seed, tell=progress)
        return self._named(snapshot, labels, sense)

    def map(
        self,
        *,
        layout: str = "tsne",
        k: int | None = None,
        sense: str = BOTH,
        seed: int = 0,
        progress: Tell | None = None,
    ) -> Map:
        """Lay the library out on a plane, so that tracks that sound alike lie near each other.

        Args:
            layout: "tsne" keeps neighbors together and needs `pip install soundalike[map]`; "pca"
                is always there and at once.
            k, sense, seed, progress: as of `clusters`.

        Raises:
            QueryError: as `clusters`; no such layout.
            LibraryError: what the layout needs is not installed.
        """
        layouts.check_layout(layout)
        snapshot = self._filled()
        labels = _grouped(snapshot, k, sense=sense, seed=seed, tell=progress)
        places = layouts.place(
            vectors.means(snapshot, sense), layout=layout, seed=seed, tell=progress
        )
        groups = self._named(snapshot, labels, sense)
        return Map(snapshot.tracks(), places, groups, labels, layout)

    def vectors(
        self,
        *,
        filter: str = "",  # noqa: A002 - as in a Selection
        aggregation: str = "mean",
        sense: str = BOTH,
    ) -> tuple[list[Track], Vectors]:
        """Give the vectors of all tracks, to compute with.

        Args:
            filter: only those it lets through, such as "genre = 'Jazz' AND year < 1970"; "" for all.
            aggregation: "mean", one unit vector for the whole track, or "concat", its segments in a
                row, scaled to unit length together.
            sense: the columns of one sense of a joined model alone, of unit length again.

        Returns:
            The tracks by path, and float32 [N, D], or [N, S * D] with "concat".

        Raises:
            QueryError: an empty library, a filter with a mistake or that lets nothing through, no such
                sense, or an aggregation without a track vector.
        """
        parts = list(self.vector_batches(filter=filter, aggregation=aggregation, sense=sense))
        tracks = [track for some, _ in parts for track in some]
        return tracks, np.concatenate([batch.vectors for _, batch in parts])

    def vector_batches(
        self,
        *,
        filter: str = "",  # noqa: A002
        aggregation: str = "mean",
        sense: str = BOTH,
        segments: bool = False,
    ) -> Iterator[tuple[list[Track], Batch]]:
        """Give the vectors some thousand tracks at a time, with `segments` those too.

        Raises:
            QueryError: as `vectors`, when it is called.
        """
        snapshot = self._filled()
        vectors.check(aggregation, sense, snapshot)
        table = self._opened.table() if snapshot.segments is None else None
        rows = np.arange(len(snapshot))
        if filter:
            from soundalike.library.filters import matching

            rows = np.flatnonzero(matching(filter, snapshot.facts))
            if not len(rows):
                raise QueryError(f"none of the {len(snapshot)} tracks passes the filter {filter}")
        read = vectors.batches(
            snapshot, rows, aggregation=aggregation, sense=sense, table=table, segments=segments
        )
        return ((_tracks(snapshot, batch.rows), batch) for batch in read)

    def _named(
        self, snapshot: Snapshot, labels: npt.NDArray[np.int64], sense: str
    ) -> list[Cluster]:
        rows = vectors.means(snapshot, sense)
        order = [
            clusters.central_first(rows, np.flatnonzero(labels == group))
            for group in range(int(labels.max()) + 1)
        ]
        said, written = naming.said_by(snapshot.facts, [path_to_text(root) for root in self.roots])
        words = naming.words_of(labels, said, written)
        tracks = snapshot.tracks()
        members = [tuple(tracks[row] for row in own.tolist()) for own in order]
        found = [
            Cluster(number, "", tuple(own), group)
            for number, (own, group) in enumerate(zip(words, members, strict=True))
        ]
        midst = [
            next((track for track in each.representatives if track.artist), each.tracks[0])
            for each in found
        ]
        names = naming.names_of(words, midst)
        return [replace(each, name=name) for each, name in zip(found, names, strict=True)]


def _grouped(
    snapshot: Snapshot, k: int | None, *, sense: str, seed: int, tell: Tell | None
) -> npt.NDArray[np.int64]:
    """The group of every row, [N]."""
    rows, N = vectors.means(snapshot, sense), len(snapshot)
    if seed < 0:
        raise QueryError(f"seed is {seed}; take a whole number from 0 on")
    if k is None:
        k = clusters.best_k(rows, seed=seed, tell=tell)
    elif isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= N:
        raise QueryError(f"{k} groups of {N} tracks: k is between 1 and the number of tracks")
    return clusters.clusters(rows, k, seed=seed)


def _tracks(snapshot: Snapshot, rows: npt.NDArray[np.int64]) -> list[Track]:
    """Tracks of ascending rows; those side by side are read at once."""
    runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    return [track for run in runs for track in snapshot.tracks(int(run[0]), len(run))]


def _again(track: Track, other: Track) -> bool:
    """Whether two central tracks of a group, which sound alike, are one recording."""
    titled = plain_title(track.title) == plain_title(other.title)
    return titled and same_duration(track.duration, other.duration)


def _source(track: Track) -> tuple[str, str]:
    return (track.artist or track.album_artist).casefold(), track.album.casefold()
