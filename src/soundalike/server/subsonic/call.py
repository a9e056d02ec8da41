"""What an endpoint gets, and what it gives back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from soundalike.server.context import Context
from soundalike.server.subsonic.catalog import Album, Artist, Catalog, Catalogs
from soundalike.server.subsonic.failures import NOT_FOUND, FailureError, not_found
from soundalike.server.subsonic.parameters import Parameters
from soundalike.server.subsonic.playlist_files import PlaylistFiles

Content = dict[str, Any]
"""What stands in the subsonic-response."""


@dataclass(frozen=True)
class Call:
    """A call that may be answered.

    Attributes:
        parameters: what was given.
        catalogs: of the library.
        here: the library and how it is served.
        playlists: those that are kept with it.
    """

    parameters: Parameters
    catalogs: Catalogs
    here: Context
    playlists: PlaylistFiles

    @functools.cached_property
    def catalog(self) -> Catalog:
        """The catalog of one moment, the same for the whole call. Raises LibraryError."""
        return self.catalogs.current()

    @property
    def user(self) -> str:
        """Who calls, by his own account; with an API key nobody says."""
        return self.parameters.text("u", "soundalike")

    def row(self, parameter: str = "id") -> int:
        """The row of the track a parameter names. Raises FailureError 10 or 70."""
        return self.row_of(self.parameters.required(parameter))

    def row_of(self, track: str) -> int:
        """The row of a track. Raises FailureError 70."""
        row = self.catalog.row(track)
        if row is None:
            raise not_found("song", track)
        return row

    def album(self) -> Album:
        """The album the id names. Raises FailureError 10 or 70."""
        name = self.parameters.required("id")
        found = self.catalog.album.get(name)
        if found is None:
            raise not_found("album", name)
        return found

    def artist(self) -> Artist:
        """The artist the id names. Raises FailureError 10 or 70."""
        name = self.parameters.required("id")
        found = self.catalog.artist.get(name)
        if found is None:
            raise not_found("artist", name)
        return found

    def rows_of_item(self) -> list[int]:
        """The rows of what the id names: a song, an album, or all albums an artist is on by track.

        Raises:
            FailureError: 10 or 70.
        """
        name, catalog = self.parameters.required("id"), self.catalog
        row = catalog.row(name)
        if row is not None:
            return [row]
        if name in catalog.album:
            return list(catalog.album[name].rows)
        if name not in catalog.artist:
            raise not_found("song, album or artist", name)
        artist = catalog.artist[name]
        rows = [row for album in artist.albums for row in album.rows]
        return [
            row
            for row in rows
            if artist in (catalog.artist_of_row[row], catalog.album_of_row[row].artist)
        ]

    def folder(self) -> int | None:
        """The number of the folder of music to keep to; None for all. Raises FailureError 70."""
        if not self.parameters.text("musicFolderId"):
            return None
        number = self.parameters.number("musicFolderId", 0)
        if not 1 <= number <= len(self.catalog.folders):
            raise FailureError(NOT_FOUND, f"there is no music folder {number}; see getMusicFolders")
        return number

    def albums(self) -> list[Album]:
        """The albums by name, those of the folder asked for. Raises FailureError 70."""
        folder = self.folder()
        return [album for album in self.catalog.albums if folder is None or folder in album.folders]

    def artists(self) -> list[Artist]:
        """The artists by name, those of the folder asked for. Raises FailureError 70."""
        folder = self.folder()
        return [
            artist for artist in self.catalog.artists if folder is None or folder in artist.folders
        ]


Endpoint = Callable[[Call], Content | Response]
"""Answers a call, in a thread. Raises FailureError, or an error of the library."""
