"""Playlists that players make: a JSON file each, in the folder `playlists` of the library.

    {"format": 1, "name": "Evening", "comment": "", "public": false, "owner": "ann",
     "created": "2026-11-25T13:00:00+00:00", "changed": "2026-11-25T13:05:00+00:00",
     "tracks": ["3f2a91c04b7d5e1f", ...]}

Tracks are ids, which stay when files move. A track that leaves the library stays in the file, unseen, and
is there again when it comes back. (An M3U8 would hold paths, and neither comment nor owner.)

A file is replaced whole or not at all, and whoever changes one holds a lock, so any number of workers may
write.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soundalike.errors import LibraryError
from soundalike.library.disk import WriteLock, explained, reason, write_atomically
from soundalike.library.tracks import clean

log = logging.getLogger("soundalike.server")

FORMAT = 1
FOLDER = "playlists"
LONGEST = 500
"""Characters of a name or comment."""
MOST_TRACKS, MOST_PLAYLISTS = 100_000, 10_000
PATIENCE = 5.0  # seconds; a write takes a few thousandths of one
_ID = re.compile("pl-[0-9a-f]{16}")


@dataclass(slots=True)
class Playlist:
    """A playlist.

    Attributes:
        id: "pl-" and 16 hexadecimal digits; the name of the file.
        name, comment: of at most `LONGEST` characters.
        owner: who made it, as he called himself.
        public: whether its owner wants others to see it; kept, but there is one kind of user.
        tracks: ids, in order.
        created, changed: ISO 8601, UTC.
    """

    id: str
    name: str
    owner: str
    comment: str = ""
    public: bool = False
    tracks: list[str] = field(default_factory=list)
    created: str = ""
    changed: str = ""


class PlaylistFiles:
    """The playlists of a library, as they are on disk."""

    def __init__(self, library: Path) -> None:
        """Say where the library is; the folder appears with the first playlist."""
        self._folder = library / FOLDER

    def listed(self) -> list[Playlist]:
        """All playlists by name; a file that is none is passed over, with a line in the log."""
        found = []
        for path in self._folder.glob("pl-*.json"):
            try:
                playlist = self.find(path.stem)
            except LibraryError as error:
                log.warning("%s", error)
                continue
            if playlist is not None:
                found.append(playlist)
        return sorted(found, key=lambda each: (each.name.casefold(), each.id))

    def find(self, name: str) -> Playlist | None:
        """The playlist of an id, None if there is none. Raises LibraryError for a damaged file."""
        if not _ID.fullmatch(name):
            return None
        path = self._path(name)
        try:
            with explained(f"cannot read the playlist {path}"):
                return _read(name, path.read_bytes())
        except LibraryError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise

    def new(self, name: str, owner: str) -> Playlist:
        """An empty playlist, not yet on disk."""
        now = _now()
        name, owner = _short(name), _short(owner)
        return Playlist(f"pl-{secrets.token_hex(8)}", name, owner, created=now, changed=now)

    def write(self, playlist: Playlist) -> None:
        """Write a playlist whole; within `changing`.

        Raises:
            LibraryError: too many or too long playlists, or a place that cannot be written.
        """
        if len(playlist.tracks) > MOST_TRACKS:
            raise LibraryError(f"a playlist has at most {MOST_TRACKS} songs")
        path = self._path(playlist.id)
        if not path.exists() and len(self._paths()) >= MOST_PLAYLISTS:
            raise LibraryError(f"there are {MOST_PLAYLISTS} playlists already; delete some")
        playlist.name, playlist.comment = _short(playlist.name), _short(playlist.comment)
        playlist.changed = _now()
        values = {name: value for name, value in asdict(playlist).items() if name != "id"}
        data = json.dumps({"format": FORMAT, **values}, ensure_ascii=False, indent=1)
        with explained(f"cannot write the playlist {path}"):
            write_atomically(path, data.encode())

    def delete(self, name: str) -> None:
        """Delete a playlist; within `changing`. Raises LibraryError."""
        if _ID.fullmatch(name):
            with explained(f"cannot delete the playlist {self._path(name)}"):
                self._path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Be the only one who changes playlists. Raises LibraryError if others do not finish."""
        with explained(f"cannot keep playlists in {self._folder}"):
            self._folder.mkdir(exist_ok=True)
        end = time.monotonic() + PATIENCE
        with contextlib.ExitStack() as held:
            while True:
                try:
                    held.enter_context(WriteLock(self._folder))
                    break
                except LibraryError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.01)
            yield

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _paths(self) -> list[Path]:
        return list(self._folder.glob("pl-*.json"))


def _read(name: str, data: bytes) -> Playlist:
    """A playlist from its file. Raises ValueError."""
    try:
        values: dict[str, Any] = json.loads(data)
        if values.pop("format") != FORMAT:
            raise ValueError("it is of another version of soundalike")
        playlist = Playlist(name, **values)
        told = ("name", "owner", "comment", "created", "changed")
        texts = [*(getattr(playlist, each) for each in told), *playlist.tracks]
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"it is no playlist ({reason(error)})") from error
    if not all(isinstance(text, str) for text in texts) or playlist.public not in (True, False):
        raise ValueError("it is no playlist (something in it is of another kind)")
    return playlist


def _short(text: str) -> str:
    return clean(text)[:LONGEST]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
