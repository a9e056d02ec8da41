"""A snapshot of the library -> artists, albums and genres, as players browse them.

Made once per snapshot, in a second or two for 100,000 tracks, and kept until an indexing has finished.

An album is what `library.groups` takes for one. An artist is whoever a track or an album names, without
regard to case and accents; his albums are his own and those he plays on. Players reach music through
artists and albums only, so tracks whose file names none belong to `[Unknown Artist]`, `[Unknown Album]`.

Ids are hashes of names: alike in all workers and after every indexing, and they say nothing about files.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from soundalike.library.folding import folded
from soundalike.library.library import Library
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import path_to_text

UNKNOWN_ARTIST, UNKNOWN_ALBUM = "[Unknown Artist]", "[Unknown Album]"
ARTICLES = "The An A Die Das Ein Eine Les Le La"
"""Words that do not count where artists are sorted."""
_ARTICLES = tuple(f"{word.lower()} " for word in ARTICLES.split())
# The columns that are looked at for all tracks; the others are read for those that are shown.
_COLUMNS = ("album", "album_artist", "artist", "genre", "path", "duration", "year", "track_number")
_MORE = ("more", "added_at")
_LAST = 2**31


@dataclass(slots=True, eq=False)
class Artist:
    """Somebody who plays.

    Attributes:
        id: "ar-" and 16 hexadecimal digits.
        name: as most tracks spell it.
        sort: what it is sorted by.
        albums: his own and those he plays on, by year.
        folders: numbers of the music folders he is in.
    """

    id: str
    name: str
    sort: str
    albums: list[Album] = field(default_factory=list)
    folders: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Album:
    """An album.

    Attributes:
        id: "al-" and 16 hexadecimal digits.
        name: as most tracks spell it.
        artist: who made it.
        rows: its tracks, by disc, number and path.
        duration: seconds.
        created: when its first track came into the library, UTC.
        year: the earliest its tracks name, None if they name none.
        genre: the commonest of its tracks; "".
        folders: numbers of the music folders it is in.
    """

    id: str
    name: str
    artist: Artist
    rows: list[int]
    duration: float
    created: datetime
    year: int | None
    genre: str
    folders: set[int]


@dataclass(slots=True, eq=False)
class Genre:
    """A genre: its name as most tracks spell it, and its tracks by path."""

    name: str
    rows: list[int]
    albums: int


class Catalog:
    """What a snapshot holds, in the order of players.

    Attributes:
        snapshot: it is of; None before the first indexing.
        folders: the folders of music, whose numbers count from 1.
        artists: by name, articles aside. `artist` and `album` find them by id.
        albums: by name.
        genres: by folded name.
    """

    def __init__(self, snapshot: Snapshot | None, folders: Sequence[Path]) -> None:
        """Make the catalog of a snapshot."""
        self.snapshot, self.folders = snapshot, list(folders)
        facts: dict[str, list[Any]] = {name: [] for name in (*_COLUMNS, *_MORE)}
        if snapshot is not None:
            facts = {name: snapshot.facts[name].to_pylist() for name in facts}
        self.folder_of_row = _folders(facts["path"], self.folders)
        self._artists = _Artists()
        self.artist_of_row = [self._artists.named(name) for name in facts["artist"]]
        self.albums, self.album_of_row = self._grouped(facts)
        self.artists = self._artists.settled(self)
        self.genres = _genres(facts["genre"], self.album_of_row)
        self.artist = {artist.id: artist for artist in self.artists}
        self.album = {album.id: album for album in self.albums}

    def __len__(self) -> int:
        return 0 if self.snapshot is None else len(self.snapshot)

    def row(self, track: str) -> int | None:
        """The row of a track by its id alone; None if there is none."""
        return None if self.snapshot is None else self.snapshot.row_of_id.get(track)

    def artist_named(self, name: str) -> Artist | None:
        """The artist of this name, however it is spelled; None if there is none."""
        return self.artist.get(artist_id(name))

    def facts(self, rows: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Columns of `store` for some rows, in their order."""
        if self.snapshot is None or not rows:
            return []
        taken = self.snapshot.facts.select(list(columns)).take(pa.array(rows, pa.int64()))
        found: list[dict[str, Any]] = taken.to_pylist()
        return found

    def rows(self, folder: int | None = None) -> list[int]:
        """All rows by path, or those of a folder of music."""
        if folder is None:
            return list(range(len(self)))
        found: list[int] = np.flatnonzero(self.folder_of_row == folder).tolist()
        return found

    def _grouped(self, facts: dict[str, list[Any]]) -> tuple[list[Album], list[Album]]:
        """The albums by name, and that of every row."""
        if self.snapshot is None:
            return [], []
        makers = [a or b for a, b in zip(facts["album_artist"], facts["artist"], strict=True)]
        groups = self.snapshot.albums
        members: dict[object, list[int]] = {}
        for row, group in enumerate(groups.members.tolist()):
            members.setdefault(group if group >= 0 else folded(makers[row]), []).append(row)
        discs = _discs(facts["more"])
        numbers = [number or _LAST for number in facts["track_number"]]
        folders = self.folder_of_row.tolist()
        of_row: list[Album | None] = [None] * len(makers)
        albums = []
        for group, rows in members.items():
            known = isinstance(group, int)
            name = groups.listed[group].name if isinstance(group, int) else UNKNOWN_ALBUM
            maker = makers[rows[0]]
            place = "" if maker or not known else str(PurePath(facts["path"][rows[0]]).parent)
            rows.sort(key=lambda row: (discs.get(row, 1), numbers[row], row))
            years = [facts["year"][row] for row in rows if facts["year"][row]]
            album = Album(
                id=_id("al", folded(name) if known else "", folded(maker), place),
                name=name,
                artist=self._artists.named(maker, tracks=0),
                rows=rows,
                duration=sum(facts["duration"][row] for row in rows),
                created=min(facts["added_at"][row] for row in rows),
                year=min(years) if years else None,
                genre=_commonest(facts["genre"][row] for row in rows),
                folders={folders[row] for row in rows},
            )
            albums.append(album)
            for row in rows:
                of_row[row] = album
        albums.sort(key=lambda album: (folded(album.name), album.artist.sort, album.id))
        return albums, [album for album in of_row if album is not None]


class Catalogs:
    """The catalog of the library as it is now."""

    def __init__(self, library: Library) -> None:
        """Make none yet."""
        self._library, self._lock = library, threading.Lock()
        self._catalog: Catalog | None = None

    def current(self) -> Catalog:
        """The catalog of now; the first to ask after an indexing waits for it. Raises LibraryError."""
        snapshot = self._library._opened.snapshot()
        catalog = self._catalog
        if catalog is None or catalog.snapshot is not snapshot:
            with self._lock:
                catalog = self._catalog
                if catalog is None or catalog.snapshot is not snapshot:
                    self._catalog = catalog = Catalog(snapshot, self._library.roots)
        return catalog


class _Artists:
    """Artists by their folded names, gathered while tracks are looked at."""

    def __init__(self) -> None:
        self._by_key: dict[str, Artist] = {}
        self._by_name: dict[str, Artist] = {}
        self._spelled: dict[str, Counter[str]] = {}

    def named(self, name: str, *, tracks: int = 1) -> Artist:
        """The artist of a name; of "", the unknown one. `tracks` bear this spelling of it."""
        artist = self._by_name.get(name)
        if artist is None:
            key = folded(name)
            artist = self._by_key.setdefault(key, Artist(artist_id(name), UNKNOWN_ARTIST, key))
            self._by_name[name] = artist
        if name:
            self._spelled.setdefault(artist.id, Counter())[name] += tracks
        return artist

    def settled(self, catalog: Catalog) -> list[Artist]:
        """All artists in order, with their names, albums and folders."""
        for artist, album in zip(catalog.artist_of_row, catalog.album_of_row, strict=True):
            for each in (artist, album.artist):
                if not each.albums or each.albums[-1] is not album:
                    each.albums.append(album)
        for artist in self._by_key.values():
            artist.albums = list(dict.fromkeys(artist.albums))
            artist.albums.sort(key=lambda album: (album.year or _LAST, folded(album.name)))
            artist.folders = {folder for album in artist.albums for folder in album.folders}
            if spelled := self._spelled.get(artist.id):
                artist.name = spelled.most_common(1)[0][0]
            artist.sort = _without_article(folded(artist.name))
        return sorted(self._by_key.values(), key=lambda artist: (artist.sort, artist.id))


def artist_id(name: str) -> str:
    """The id of an artist, alike for all spellings that differ in case and accents alone."""
    return _id("ar", folded(name))


def _id(kind: str, *names: str) -> str:
    text = "\0".join(names).encode("utf-8", "surrogatepass")
    return f"{kind}-{hashlib.blake2b(text, digest_size=8).hexdigest()}"


def _without_article(name: str) -> str:
    for article in _ARTICLES:
        if name.startswith(article):
            return name.removeprefix(article)
    return name


def _folders(paths: Sequence[str], folders: Sequence[Path]) -> npt.NDArray[np.int32]:
    """The number of the innermost folder each path lies in, int32 [N]; 0 if in none."""
    roots = [(path_to_text(folder), number) for number, folder in enumerate(folders, start=1)]
    numbers = np.zeros(len(paths), np.int32)
    for root, number in sorted(roots, key=lambda root: len(root[0])):  # the innermost last
        inside = root.rstrip(os.sep) + os.sep
        numbers[[path == root or path.startswith(inside) for path in paths]] = number
    return numbers


def _discs(more: Sequence[str | None]) -> dict[int, int]:
    """Row -> number of its disc, where a file says it."""
    discs = {}
    for row, text in enumerate(more):
        if text and '"disc"' in text:
            number = str(json.loads(text)["disc"]).partition("/")[0].strip()
            if number.isascii() and number.isdigit():
                discs[row] = int(number[:6])
    return discs


def _genres(names: Sequence[str], album_of_row: Sequence[Album]) -> dict[str, Genre]:
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        if name:
            rows.setdefault(name, []).append(row)
    spellings: dict[str, list[str]] = {}
    for name in rows:
        spellings.setdefault(folded(name), []).append(name)
    genres = {}
    for key in sorted(spellings):
        name = max(spellings[key], key=lambda spelled: len(rows[spelled]))
        own = sorted(row for spelled in spellings[key] for row in rows[spelled])
        genres[key] = Genre(name, own, len({album_of_row[row].id for row in own}))
    return genres


def _commonest(names: Iterable[str]) -> str:
    said = [name for name in names if name]
    different = set(said)
    if len(different) < 2:
        return said[0] if said else ""
    return Counter(said).most_common(1)[0][0]
