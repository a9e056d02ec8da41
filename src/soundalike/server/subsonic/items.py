"""Rows, albums and artists -> the shapes players know: Child, AlbumID3, ArtistID3.

What a file does not say is left out. Nothing is rated, starred or counted here, so nothing of that is
ever said.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from soundalike.library.tracks import text_to_path, title_of
from soundalike.server.media import TYPES
from soundalike.server.subsonic.catalog import Album, Artist, Catalog

Item = dict[str, Any]
_COLUMNS = (
    *("id", "path", "title", "artist", "album", "genre", "year", "track_number"),
    *("duration", "size", "added_at", "more"),
)


def songs(rows: Sequence[int], catalog: Catalog) -> list[Item]:
    """Tracks as Child, in the order of the rows."""
    found = catalog.facts(rows, _COLUMNS)
    return [_song(row, facts, catalog) for row, facts in zip(rows, found, strict=True)]


def album(found: Album) -> Item:
    """An album as AlbumID3."""
    item = {
        "id": found.id,
        "name": found.name,
        "artist": found.artist.name,
        "artistId": found.artist.id,
        "coverArt": found.id,
        "songCount": len(found.rows),
        "duration": round(found.duration),
        "created": _time(found.created),
        "year": found.year,
        "genre": found.genre or None,
        "genres": [{"name": found.genre}] if found.genre else [],
        "artists": [_name(found.artist)],
        "displayArtist": found.artist.name,
    }
    return _said(item)


def album_directory(found: Album) -> Item:
    """An album as the folder it is to players that browse folders."""
    names = {"parent": found.artist.id, "isDir": True, "title": found.name, "album": found.name}
    return album(found) | names | {"mediaType": "album"}


def artist(found: Artist) -> Item:
    """An artist as ArtistID3."""
    return {
        "id": found.id,
        "name": found.name,
        "coverArt": found.id,
        "albumCount": len(found.albums),
        "sortName": found.sort,
    }


def artist_directory(found: Artist, parent: str) -> Item:
    """An artist as a folder in a folder of music."""
    return {
        "id": found.id,
        "parent": parent,
        "isDir": True,
        "title": found.name,
        "artist": found.name,
        "coverArt": found.id,
    }


def _song(row: int, facts: dict[str, Any], catalog: Catalog) -> Item:
    of_album, of_artist = catalog.album_of_row[row], catalog.artist_of_row[row]
    path, more = text_to_path(facts["path"]), json.loads(facts["more"] or "{}")
    duration, suffix = facts["duration"], path.suffix.lower()
    item = {
        "id": facts["id"],
        "parent": of_album.id,
        "isDir": False,
        "title": facts["title"] or title_of(path),
        "album": of_album.name,
        "artist": of_artist.name,
        "track": facts["track_number"],
        "year": facts["year"],
        "genre": facts["genre"] or None,
        "coverArt": facts["id"],
        "size": facts["size"],
        "contentType": TYPES.get(suffix, "application/octet-stream"),
        "suffix": suffix.removeprefix(".") or None,
        "duration": round(duration),
        # Of the whole file, pictures included: what streaming it takes.
        "bitRate": math.ceil(facts["size"] * 8 / 1000 / duration) if duration > 0 else None,
        "path": _below(path, catalog.folders, int(catalog.folder_of_row[row])),
        "discNumber": _number(more.get("disc")),
        "bpm": _number(more.get("bpm")),
        "created": _time(facts["added_at"]),
        "albumId": of_album.id,
        "artistId": of_artist.id,
        "type": "music",
        "mediaType": "song",
        "isVideo": False,
        "genres": [{"name": facts["genre"]}] if facts["genre"] else [],
        "artists": [_name(of_artist)],
        "displayArtist": of_artist.name,
        "albumArtists": [_name(of_album.artist)],
        "displayAlbumArtist": of_album.artist.name,
    }
    return _said(item)


def _said(item: Item) -> Item:
    return {name: value for name, value in item.items() if value is not None}


def _name(found: Artist) -> Item:
    return {"id": found.id, "name": found.name}


def _below(path: Path, folders: Sequence[Path], number: int) -> str:
    """A path below its folder of music, with forward slashes; players show it."""
    try:
        below = str(path.relative_to(folders[number - 1])) if number else path.name
    except ValueError:
        below = path.name
    return (below if below != "." else path.name).replace(os.sep, "/")


def _number(text: Any) -> int | None:
    """The number a tag begins with, as in "2/3" or "128.00"."""
    head = str(text or "").partition("/")[0].partition(".")[0].strip()
    return int(head) if head.isascii() and head.isdigit() and len(head) < 7 else None


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
