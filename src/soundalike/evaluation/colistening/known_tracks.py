"""What a log calls a track -> its number.

A log names a track by its path or id, or by artist and title. Paths match whole, with either kind of
slash, also with folders in front that the log's machine had ("/home/ann/Music/a/b.mp3" finds
"a/b.mp3"), but never by the file name alone: "01.mp3" is in every album. Artist and title match when
their letters and digits do; accents, case, punctuation and "(feat. somebody)" are spelled differently
by every service.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

_GUESTS = re.compile(r"[(\[]\s*(?:feat|ft|featuring|with)\b[^)\]]*[)\]]|\s(?:feat|ft)\.\s.*$", re.I)


@dataclass(frozen=True, slots=True)
class KnownTrack:
    """A track that plays may be of: its path (or id) as text, artist and title, "" where unknown."""

    path: str
    artist: str = ""
    title: str = ""


class KnownTracks:
    """Finds the number of a track, 0 <= number < N, by what a log says of it.

    Where two tracks have one artist and title, the first is found: a recording that lies in a library
    twice is one recording.
    """

    def __init__(self, tracks: Sequence[KnownTrack]) -> None:
        self.tracks = list(tracks)
        self._paths = {_slashes(track.path): number for number, track in enumerate(tracks)}
        self._names: dict[tuple[str, str], int] = {}
        for number, track in enumerate(tracks):
            if track.artist and track.title:
                self._names.setdefault(_name(track.artist, track.title), number)

    def __len__(self) -> int:
        return len(self.tracks)

    def find(self, path: str, artist: str, title: str) -> int | None:
        """The number of a track, by its path if that is known, else by artist and title."""
        if path:
            folders = _slashes(path).split("/")
            for first in range(len(folders)):
                if first == 0 or first < len(folders) - 1:
                    number = self._paths.get("/".join(folders[first:]))
                    if number is not None:
                        return number
        return self._names.get(_name(artist, title)) if artist and title else None


def normalised(name: str) -> str:
    """Letters and digits of a name, without accents, case, punctuation and guests.

    A name of signs alone ("!!!") stays as it is.
    """
    plain = unicodedata.normalize("NFKD", _GUESTS.sub("", name)).casefold()
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split()) or name.strip()


def _name(artist: str, title: str) -> tuple[str, str]:
    return normalised(artist), normalised(title)


def _slashes(path: str) -> str:
    path = path.strip()
    if path.startswith("file://"):
        path = unquote(path.removeprefix("file://"))
    return unicodedata.normalize("NFC", path).replace("\\", "/").removeprefix("./")
