"""Relating: which artists and which albums are alike?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library import groups, ranking
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.folding import folded, meant
from soundalike.library.groups import Group, Groups
from soundalike.library.held import Held
from soundalike.library.search import check_count
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track

PAIRS = 3


@dataclass(frozen=True, slots=True)
class TrackPair:
    """Two tracks that speak for two groups being alike: one of the query's, one of the answer's."""

    query: Track
    answer: Track
    similarity: float


@dataclass(frozen=True, slots=True)
class GroupNeighbor:
    """An artist or an album that is like another.

    Attributes:
        name: as most of its tracks spell it.
        artist: of an album, "" where none is known; of an artist, the name again.
        similarity: 0..1, of the centroids, by the curve of tracks. Centroids lie further apart from
            the middle than tracks do: of unrelated albums more than one in a hundred reach 0.5.
        tracks: how many of its tracks were compared.
        pairs: those tracks of the two that are most alike, best first, each once.
    """

    name: str
    artist: str
    similarity: float
    tracks: int
    pairs: tuple[TrackPair, ...]


class Relating(Held):
    """The verbs about artists and albums."""

    def artists(self) -> list[Group]:
        """List the artists by name; tracks that name none are left out."""
        snapshot = self._opened.snapshot()
        return [] if snapshot is None else snapshot.artists.listed

    def albums(self) -> list[Group]:
        """List the albums by name; tracks that name none are left out."""
        snapshot = self._opened.snapshot()
        return [] if snapshot is None else snapshot.albums.listed

    def similar_artists(
        self,
        name: str,
        *,
        n: int = 10,
        sense: str = ranking.BOTH,
        filter: str = "",  # noqa: A002
    ) -> list[GroupNeighbor]:
        """Find the artists whose tracks sound most like those of an artist.

        Args:
            name: of the artist; case, accents and spaces do not matter.
            n: answers wanted, at least 1; there are fewer when the library has fewer artists.
            sense: compare by one sense of a joined model alone, see `Asking.similar`.
            filter: only tracks that match this expression (`filters`) speak for the others.

        Returns:
            Neighbors by descending similarity, equal ones by name.

        Raises:
            QueryError: an empty library, no such artist, n below 1, no such sense, or an
                expression that makes no sense.
        """
        snapshot = self._filled()
        found = snapshot.artists
        (group,) = _named(name, found, "artist")
        return _neighbors(snapshot, found, group, n=n, sense=sense, filter=filter)

    def similar_albums(
        self,
        name: str,
        *,
        artist: str | None = None,
        n: int = 10,
        sense: str = ranking.BOTH,
        filter: str = "",  # noqa: A002
        exclude_same_artist: bool = False,
    ) -> list[GroupNeighbor]:
        """Find the albums whose tracks sound most like those of an album.

        Args:
            name: of the album; case, accents and spaces do not matter.
            artist: whose album, where several bear the name.
            n, sense, filter: as in `similar_artists`.
            exclude_same_artist: leave out other albums of its artist.

        Raises:
            QueryError: as in `similar_artists`, and a name that several albums bear.
        """
        snapshot = self._filled()
        found = snapshot.albums
        chosen = _named(name, found, "album")
        makers = {group: folded(found.listed[group].artist) for group in chosen}
        if artist is not None:
            chosen = [group for group in chosen if makers[group] == folded(artist)]
        if len(chosen) != 1:
            raise _unclear(name, artist, [found.listed[group].artist for group in makers])
        (group,) = chosen
        barred = np.zeros(len(found.listed), bool)
        if exclude_same_artist and makers[group]:
            barred = np.array([folded(other.artist) == makers[group] for other in found.listed])
        return _neighbors(snapshot, found, group, n=n, sense=sense, filter=filter, barred=barred)


def _neighbors(
    snapshot: Snapshot,
    found: Groups,
    group: int,
    *,
    n: int,
    sense: str,
    filter: str,  # noqa: A002
    barred: npt.NDArray[np.bool_] | None = None,
) -> list[GroupNeighbor]:
    check_count(n)
    means = _means(snapshot, sense)
    asking = found.rows(group)
    answering = found
    if filter:
        from soundalike.library.filters import matching  # brings pyarrow.compute, which takes time

        answering = found.among(matching(filter, snapshot.facts))
    scores = groups.likeness(means, answering, asking).round(12)
    scores[group] = -np.inf
    if barred is not None:
        scores[barred] = -np.inf
    best = np.argsort(-scores, kind="stable")[:n]
    similarity = snapshot.scale.similarity
    neighbors = []
    for other in best[scores[best] > -np.inf].tolist():
        rows = answering.rows(other)
        pairs = [
            TrackPair(
                snapshot.track(int(asking[i])),
                snapshot.track(int(rows[j])),
                similarity(cosine, sense, "mean"),
            )
            for i, j, cosine in groups.best_pairs(means[asking], means[rows], PAIRS)
        ]
        listed, value = found.listed[other], similarity(float(scores[other]), sense, "mean")
        neighbors.append(GroupNeighbor(listed.name, listed.artist, value, len(rows), tuple(pairs)))
    return neighbors


def _means(snapshot: Snapshot, sense: str) -> Vectors:
    """Unit means of all tracks by a sense, [N, D]."""
    own = ranking.columns_of(sense, snapshot.senses)
    return snapshot.means if own is None else unit(snapshot.means[:, own])


def _named(name: str, found: Groups, kind: str) -> list[int]:
    """The groups of a name, at least one. Raises QueryError, with names that come near."""
    if not found.names:
        raise QueryError(f"no track of the library names its {kind}, so there is none to compare")
    wanted = folded(name)
    if not wanted:
        raise QueryError(f"{name!r} is no {kind}; tracks whose file names none belong to nobody")
    chosen = [group for group, other in enumerate(found.names) if other == wanted]
    if not chosen:
        spellings: dict[str, str] = {}
        for other, group in zip(found.names, found.listed, strict=True):
            spellings.setdefault(other, group.name)  # as the first one spells it
        raise QueryError(f"the library has no {kind} {name!r}{meant(wanted, spellings)}")
    return chosen


def _unclear(name: str, artist: str | None, makers: list[str]) -> QueryError:
    """The error for an album that several could be, or none by this artist."""
    by = " and ".join(f"by {maker!r}" if maker else "without an artist" for maker in makers)
    if artist is not None and folded(artist) not in map(folded, makers):
        return QueryError(f"the library has no album {name!r} by {artist!r}, but one {by}")
    if len(set(map(folded, makers))) == 1:
        return QueryError(
            f"{len(makers)} folders hold an album {name!r} {by}; only tags could tell them apart"
        )
    return QueryError(f"several albums bear the name {name!r}, {by}: say whose is meant")
