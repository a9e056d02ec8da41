"""Tracks -> artists and albums, and how alike two of them are.

Two groups are compared by their centroids, the means of their tracks' unit means,

    cos(1/m sum_i v_i, 1/n sum_j w_j).

Also who plays in two styles is found by that, for the blend of the two is as much his as either:
docs/similarity.md has what other rules find, such as the best matches between two sets of tracks.

A name is compared without regard to case, accents and spaces. An album is its title and its album
artist, or its artist where the file does not say; where neither is known, the folder it lies in. "" is
no artist and no album.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from soundalike.library.aggregation import Vectors, unit
from soundalike.library.folding import folded

# Rows of the library compared at a time.
_BLOCK = 8192


@dataclass(frozen=True, slots=True)
class Group:
    """An artist or an album of a library.

    Attributes:
        name: as most of its tracks spell it.
        artist: of an album, "" where none is known or they differ; of an artist, the name again.
        tracks: how many there are.
    """

    name: str
    artist: str
    tracks: int


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The artists, or the albums, of a library.

    Attributes:
        listed: sorted by name.
        names: of each, as `folded` has it.
        members: group of every track, int64 [N]; -1 where it has none.
    """

    listed: list[Group]
    names: list[str]
    members: npt.NDArray[np.int64]

    def rows(self, group: int) -> npt.NDArray[np.int64]:
        """The tracks of a group."""
        return np.flatnonzero(self.members == group)

    def among(self, allowed: npt.NDArray[np.bool_]) -> Groups:
        """The same groups, as far as their tracks are allowed, bool [N]; some may be empty then."""
        return Groups(self.listed, self.names, np.where(allowed, self.members, -1))


def artists_of(artists: Sequence[str]) -> Groups:
    """Group N tracks by the artist each names."""
    keys = _folded_once(artists)
    return _grouped(keys, keys, artists, artists)


def albums_of(
    albums: Sequence[str],
    album_artists: Sequence[str],
    artists: Sequence[str],
    paths: Sequence[str],
) -> Groups:
    """Group N tracks by their album: title and who made it.

    Args:
        albums, album_artists, artists: as the files say; "" where they do not.
        paths: of the files; for an album without artist its folder tells it from others.
    """
    keys: list[Hashable] = []
    names = _folded_once(albums)
    makers = [of_album or own for of_album, own in zip(album_artists, artists, strict=True)]
    for name, maker, path in zip(names, _folded_once(makers), paths, strict=True):
        keys.append(name and (name, maker or None, "" if maker else str(PurePath(path).parent)))
    return _grouped(keys, names, albums, makers)


def likeness(means: Vectors, groups: Groups, asking: npt.NDArray[np.int64]) -> Vectors:
    """Compare a set of tracks with every group: cosines of centroids.

    Args:
        means: of all tracks, unit rows, float32 [N, D].
        groups: of the library; tracks whose member is -1 take no part.
        asking: rows of the set, at least one.

    Returns:
        float64 [G], -1..1; -inf for a group without a track.
    """
    order = np.argsort(groups.members, kind="stable")
    order = order[np.searchsorted(groups.members[order], 0) :]
    sums = np.zeros((len(groups.listed), means.shape[1]))
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        of = groups.members[rows]
        first = np.flatnonzero(np.diff(of, prepend=-1))  # sorted: where a group begins
        sums[of[first]] += np.add.reduceat(means[rows], first, axis=0, dtype=np.float64)
    scores = unit(sums) @ unit(means[asking].sum(axis=0, dtype=np.float64))
    scores[np.bincount(groups.members[order], minlength=len(sums)) == 0] = -np.inf
    return np.asarray(scores)


def best_pairs(ones: Vectors, others: Vectors, count: int) -> list[tuple[int, int, float]]:
    """Find the tracks of two groups that are most alike, best first, each once.

    Args:
        ones, others: unit rows, [m, D] and [n, D].
        count: pairs wanted; there are at most min(m, n).

    Returns:
        (i, j, cosine).
    """
    table = (ones.astype(np.float64) @ others.astype(np.float64).T).round(6)
    pairs: list[tuple[int, int, float]] = []
    while len(pairs) < min(count, *table.shape):
        i, j = map(int, np.unravel_index(np.argmax(table), table.shape))
        pairs.append((i, j, float(ones[i].astype(np.float64) @ others[j].astype(np.float64))))
        table[i], table[:, j] = -np.inf, -np.inf
    return pairs


def _grouped(
    keys: Sequence[Hashable], names: Sequence[str], spelled: Sequence[str], makers: Sequence[str]
) -> Groups:
    """Group tracks of equal keys; a false key is no group."""
    rows: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys):
        if key:
            rows.setdefault(key, []).append(row)
    listed = [
        (Group(_usual(spelled, own), _usual(makers, own), len(own)), names[own[0]], own)
        for own in rows.values()
    ]
    listed.sort(key=lambda each: (each[1], each[0].artist, each[2][0]))
    members = np.full(len(keys), -1, np.int64)
    for number, (_, _, own) in enumerate(listed):
        members[own] = number
    return Groups([group for group, _, _ in listed], [name for _, name, _ in listed], members)


def _usual(spellings: Sequence[str], rows: Sequence[int]) -> str:
    """The commonest spelling, the first of equals."""
    first = spellings[rows[0]]
    if all(spellings[row] == first for row in rows):
        return first
    return Counter(spellings[row] for row in rows).most_common(1)[0][0]


def _folded_once(names: Sequence[str]) -> list[str]:
    known = {name: folded(name) for name in set(names)}
    return [known[name] for name in names]
