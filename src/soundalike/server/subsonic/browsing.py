"""From folders of music to artists, from artists to albums, from albums to songs."""

from __future__ import annotations

from typing import Any

from soundalike.errors import QueryError
from soundalike.library.manifest import FILE_NAME
from soundalike.server.subsonic import items
from soundalike.server.subsonic.call import Call, Content, Endpoint
from soundalike.server.subsonic.catalog import ARTICLES, Artist
from soundalike.server.subsonic.failures import not_found

MOST_SIMILAR = 100


def music_folders(call: Call) -> Content:
    """The folders that were indexed."""
    listed = [
        {"id": number, "name": folder.name or str(folder)}
        for number, folder in enumerate(call.catalog.folders, start=1)
    ]
    return {"musicFolders": {"musicFolder": listed}}


def indexes(call: Call) -> Content:
    """Artists by their first letters; none if nothing has changed since `ifModifiedSince`."""
    modified = _modified(call)
    since = call.parameters.number("ifModifiedSince", -1, most=2**62)
    artists = call.artists() if modified > since else []
    return {
        "indexes": {
            "lastModified": modified,
            "ignoredArticles": ARTICLES,
            "index": _by_letter(artists),
        }
    }


def artists(call: Call) -> Content:
    """Artists by their first letters."""
    return {"artists": {"ignoredArticles": ARTICLES, "index": _by_letter(call.artists())}}


def artist(call: Call) -> Content:
    """An artist and his albums."""
    found = call.artist()
    return {"artist": items.artist(found) | {"album": [items.album(a) for a in found.albums]}}


def album(call: Call) -> Content:
    """An album and its songs."""
    found = call.album()
    return {"album": items.album(found) | {"song": items.songs(found.rows, call.catalog)}}


def song(call: Call) -> Content:
    """A song."""
    (found,) = items.songs([call.row()], call.catalog)
    return {"song": found}


def directory(call: Call) -> Content:
    """What lies below: artists in a folder of music, albums below an artist, songs in an album."""
    name, catalog = call.parameters.required("id"), call.catalog
    if name in catalog.album:
        of_album = catalog.album[name]
        about = {"id": name, "parent": of_album.artist.id, "name": of_album.name}
        inside = items.songs(of_album.rows, catalog)
    elif name in catalog.artist:
        of_artist = catalog.artist[name]
        about = {"id": name, "name": of_artist.name}
        inside = [items.album_directory(each) for each in of_artist.albums]
    elif name in map(str, range(1, len(catalog.folders) + 1)):
        about = {"id": name, "name": catalog.folders[int(name) - 1].name}
        inside = [
            items.artist_directory(each, name)
            for each in catalog.artists
            if int(name) in each.folders
        ]
    else:
        raise not_found("folder", name)
    return {"directory": {**about, "child": inside}}


def genres(call: Call) -> Content:
    """The genres, with their songs and albums counted."""
    listed = [
        {"value": genre.name, "songCount": len(genre.rows), "albumCount": genre.albums}
        for genre in call.catalog.genres.values()
    ]
    return {"genres": {"genre": listed}}


def artist_info(call: Call) -> Content:
    """Artists whose music sounds like that of an artist, or of the one of an album or song."""
    return {"artistInfo": {"similarArtist": _alike(call)}}


def artist_info2(call: Call) -> Content:
    """The same under another name."""
    return {"artistInfo2": {"similarArtist": _alike(call)}}


def _alike(call: Call) -> list[items.Item]:
    rows, count = call.rows_of_item(), call.parameters.number("count", 20, most=MOST_SIMILAR)
    catalog, name = call.catalog, call.parameters.text("id")
    asked = catalog.artist.get(name, catalog.album_of_row[rows[0]].artist)
    if not count:
        return []
    try:
        similar = call.here.library.similar_artists(asked.name, n=count)
    except QueryError:  # nobody plays alone under the name of an album
        return []
    found = (catalog.artist_named(each.name) for each in similar)
    return [items.artist(each) for each in found if each is not None]


def _by_letter(listed: list[Artist]) -> list[dict[str, Any]]:
    letters: dict[str, list[items.Item]] = {}
    for each in listed:
        first = each.sort[:1].upper()
        letters.setdefault(first if first.isalpha() else "#", []).append(items.artist(each))
    return [{"name": letter, "artist": letters[letter]} for letter in sorted(letters)]


def _modified(call: Call) -> int:
    """When the library was last written, in milliseconds; 0 before that."""
    try:
        return (call.here.library.path / FILE_NAME).stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0


ENDPOINTS: dict[str, Endpoint] = {
    "getMusicFolders": music_folders,
    "getIndexes": indexes,
    "getArtists": artists,
    "getArtist": artist,
    "getAlbum": album,
    "getSong": song,
    "getMusicDirectory": directory,
    "getGenres": genres,
    "getArtistInfo": artist_info,
    "getArtistInfo2": artist_info2,
}
