"""Lists of albums and songs: new ones, any ones, those of a genre or of some years."""

from __future__ import annotations

import random
from collections.abc import Callable

from soundalike.library.folding import folded
from soundalike.server.subsonic import items
from soundalike.server.subsonic.call import Call, Content, Endpoint
from soundalike.server.subsonic.catalog import Album
from soundalike.server.subsonic.failures import GENERIC, FailureError

MOST = 500
"""Albums or songs in an answer, as the protocol has it."""


def album_list(call: Call) -> Content:
    """A page of albums as folders."""
    return {"albumList": {"album": [items.album_directory(album) for album in _page(call)]}}


def album_list2(call: Call) -> Content:
    """A page of albums."""
    return {"albumList2": {"album": [items.album(album) for album in _page(call)]}}


def random_songs(call: Call) -> Content:
    """Any songs; of a genre, of some years."""
    parameters, catalog = call.parameters, call.catalog
    size, folder = parameters.number("size", 10, most=MOST), call.folder()
    rows = catalog.rows(folder)
    if parameters.text("genre"):
        of_genre = set(_of_genre(call, parameters.text("genre")))
        rows = [row for row in rows if row in of_genre]
    first = parameters.number("fromYear", 0)
    last = parameters.number("toYear", 2**31 - 1)
    if parameters.text("fromYear") or parameters.text("toYear"):
        years = [facts["year"] for facts in catalog.facts(rows, ["year"])]
        rows = [
            row for row, year in zip(rows, years, strict=True) if year and first <= year <= last
        ]
    chosen = random.sample(rows, min(size, len(rows)))
    return {"randomSongs": {"song": items.songs(chosen, catalog)}}


def songs_by_genre(call: Call) -> Content:
    """A page of the songs of a genre, by path."""
    parameters, folder = call.parameters, call.folder()
    rows = _of_genre(call, parameters.required("genre"))
    if folder is not None:
        rows = [row for row in rows if call.catalog.folder_of_row[row] == folder]
    count, offset = parameters.number("count", 10, most=MOST), parameters.number("offset", 0)
    return {"songsByGenre": {"song": items.songs(rows[offset : offset + count], call.catalog)}}


def _page(call: Call) -> list[Album]:
    parameters = call.parameters
    kind = parameters.required("type")
    if kind not in _ORDERS:
        raise FailureError(GENERIC, f"type is {kind[:80]!r}; it is one of {', '.join(_ORDERS)}")
    size, offset = parameters.number("size", 10, most=MOST), parameters.number("offset", 0)
    return _ORDERS[kind](call)[offset : offset + size]


def _random(call: Call) -> list[Album]:
    albums = call.albums()
    random.shuffle(albums)
    return albums


def _newest(call: Call) -> list[Album]:
    return sorted(call.albums(), key=lambda album: album.created, reverse=True)


def _by_artist(call: Call) -> list[Album]:
    return sorted(call.albums(), key=lambda album: album.artist.sort)


def _by_year(call: Call) -> list[Album]:
    first, last = (call.parameters.required_number(name) for name in ("fromYear", "toYear"))
    low, high = sorted((first, last))
    found = [album for album in call.albums() if album.year and low <= album.year <= high]
    return sorted(found, key=lambda album: album.year or 0, reverse=first > last)


def _by_genre(call: Call) -> list[Album]:
    rows = _of_genre(call, call.parameters.required("genre"))
    found = {call.catalog.album_of_row[row].id for row in rows}
    return [album for album in call.albums() if album.id in found]


def _nothing(call: Call) -> list[Album]:
    """Nobody counts, rates or stars here."""
    call.folder()
    return []


def _of_genre(call: Call, name: str) -> list[int]:
    genre = call.catalog.genres.get(folded(name))
    return [] if genre is None else genre.rows


_ORDERS: dict[str, Callable[[Call], list[Album]]] = {
    "random": _random,
    "newest": _newest,
    "alphabeticalByName": Call.albums,
    "alphabeticalByArtist": _by_artist,
    "byYear": _by_year,
    "byGenre": _by_genre,
    **dict.fromkeys(("frequent", "recent", "starred", "highest"), _nothing),
}

ENDPOINTS: dict[str, Endpoint] = {
    "getAlbumList": album_list,
    "getAlbumList2": album_list2,
    "getRandomSongs": random_songs,
    "getSongsByGenre": songs_by_genre,
}
