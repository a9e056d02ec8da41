"""Words -> artists, albums and songs; no words -> all of them, page by page, which is how players sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from soundalike.library import find
from soundalike.library.folding import folded
from soundalike.server.subsonic import items
from soundalike.server.subsonic.call import Call, Content, Endpoint
from soundalike.server.subsonic.catalog import Album, Artist

T = TypeVar("T", bound=Album | Artist)
MOST = 10_000
"""Of a kind in an answer; so many songs are some 7 MB of text."""


def search2(call: Call) -> Content:
    """Find artists, albums as folders, and songs."""
    artists, albums, rows = _found(call)
    return {
        "searchResult2": {
            "artist": [items.artist(artist) for artist in artists],
            "album": [items.album_directory(album) for album in albums],
            "song": items.songs(rows, call.catalog),
        }
    }


def search3(call: Call) -> Content:
    """Find artists, albums and songs."""
    artists, albums, rows = _found(call)
    return {
        "searchResult3": {
            "artist": [items.artist(artist) for artist in artists],
            "album": [items.album(album) for album in albums],
            "song": items.songs(rows, call.catalog),
        }
    }


def _found(call: Call) -> tuple[Sequence[Artist], Sequence[Album], Sequence[int]]:
    # Players write "" for no words, and a star behind a word that is to begin so; here it may anyway.
    words = folded(call.parameters.text("query").replace('"', " ").replace("*", " ")).split()
    artists, albums = _named(call.artists(), words), _named(call.albums(), words)
    return (
        _page(call, "artist", artists),
        _page(call, "album", albums),
        _page(call, "song", _songs(call, words)),
    )


def _songs(call: Call, words: Sequence[str]) -> Sequence[int]:
    catalog, folder = call.catalog, call.folder()
    # Whoever looks for a name before its songs asks for no songs at all.
    if catalog.snapshot is None or not len(catalog) or not call.parameters.number("songCount", 20):
        return []
    if not words:
        return catalog.rows(folder)
    rows = find.find(" ".join(words), catalog.snapshot)
    return [row for row in rows if folder is None or catalog.folder_of_row[row] == folder]


def _named(groups: Sequence[T], words: Sequence[str]) -> list[T]:
    if not words:
        return list(groups)
    return [group for group in groups if _has(group, words)]


def _has(group: Album | Artist, words: Sequence[str]) -> bool:
    text = folded(group.name)
    if isinstance(group, Album):
        text += f"\n{folded(group.artist.name)}"
    return all(word in text for word in words)


Kept = TypeVar("Kept")


def _page(call: Call, kind: str, found: Sequence[Kept]) -> Sequence[Kept]:
    count = call.parameters.number(f"{kind}Count", 20, most=MOST)
    offset = call.parameters.number(f"{kind}Offset", 0)
    return found[offset : offset + count]


ENDPOINTS: dict[str, Endpoint] = {"search2": search2, "search3": search3}
