"""Tracks -> a playlist file.

M3U8 is M3U in UTF-8: a line with the path of each track, above it `#EXTINF:seconds,artist - title`.
Paths are relative to the playlist where there is a way from there, so that a music folder can be
moved together with its playlists; slashes are forward, which every player reads on every system.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from soundalike.errors import LibraryError
from soundalike.library.disk import explained, write_atomically
from soundalike.library.tracks import Track, clean


def write_m3u8(path: str | Path, tracks: Iterable[Track], *, title: str = "") -> None:
    """Write a playlist, replacing the file whole or not at all.

    Args:
        path: of the playlist; its folder must exist.
        tracks: in the order of playing.
        title: the name players show. Line breaks in it and in tags become spaces.

    Raises:
        LibraryError: a track whose path has a line break or bytes that are no UTF-8, which M3U8
            cannot express, or a place that cannot be written. No file is written then.
    """
    path = Path(path)
    lines = ["#EXTM3U"]
    if clean(title):
        lines.append(f"#PLAYLIST:{clean(title)}")
    for track in tracks:
        artist = clean(track.artist)
        name = f"{artist} - {clean(track.title)}" if artist else clean(track.title)
        lines += [f"#EXTINF:{round(track.duration)},{name}", _entry(track.path, path)]
    with explained(f"cannot write the playlist {path}"):
        write_atomically(path, "".join(f"{line}\n" for line in lines).encode())


def _entry(track: Path, playlist: Path) -> str:
    try:
        relative = os.path.relpath(track, playlist.absolute().parent)
    except ValueError:  # Windows: another drive
        relative = str(track)
    entry = relative.replace(os.sep, "/")
    if "\n" in entry or "\r" in entry:
        raise LibraryError(
            f"{str(track)!r} has a line break in its name; a playlist cannot hold it"
        )
    try:
        entry.encode()
    except UnicodeEncodeError:
        raise LibraryError(
            f"{str(track)!r} is not UTF-8; an M3U8 playlist cannot hold it"
        ) from None
    # To a player a line that begins with # is a comment, and outer space is not part of the line.
    return f"./{entry}" if entry.startswith(("#", " ")) else entry
