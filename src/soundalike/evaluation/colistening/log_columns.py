"""What the columns of a play log are called, and how it writes times.

The names are those of exports people have: of Last.fm by various programs, of ListenBrainz, Music4All,
LFM-2b and our own. Case, spaces, "-" and "_" do not count. A column "track" is a path or id; where it
is none that is known and the line has an artist, it is read as a title, as Last.fm means it.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Sequence
from dataclasses import dataclass

NAMES = {
    "user": "user user_id user_name username listener listener_id account",
    "session": "session session_id playlist playlist_id",
    "path": "path track track_path track_id file filename file_path location id song_id song",
    "artist": "artist artist_name track_artist master_metadata_album_artist_name",
    "title": "title track_name track_title song_name song_title recording_name "
    "master_metadata_track_name track song",
    "time": "time timestamp uts listened_at played_at utc_time time_utc datetime date ts",
}
"""What a column means -> what it may be called, the better name first."""

EARLIEST, LATEST = 946_684_800.0, 4_102_444_800.0
"""1 January 2000 and 2100, in seconds since 1970: plays outside come from a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a line what stands, None where the log does not say."""

    width: int
    user: int | None
    session: int | None
    path: int | None
    artist: int | None
    title: int | None
    time: int | None


def find_columns(header: Sequence[str]) -> Columns:
    """Where in the lines under a header what stands.

    Raises:
        ValueError: nothing names the track, or nothing says which plays belong together. The message
            is a clause with the columns there are and names that may have been meant.
    """
    names = [_plain(name) for name in header]
    at = {
        meaning: next((names.index(_plain(n)) for n in known.split() if _plain(n) in names), None)
        for meaning, known in NAMES.items()
    }
    if at["path"] is None and (at["artist"] is None or at["title"] is None):
        whole = "no column path, nor artist and title"
        half = "no column path, and of artist and title only one"
        lacks = whole if at["artist"] is at["title"] else half
        raise ValueError(f"{lacks}: {_meant(header, ('path', 'artist', 'title'))}")
    if at["session"] is None and at["user"] is None and at["time"] is None:
        why = "nothing says which plays belong together, no column user, session or time"
        raise ValueError(f"{why}: {_meant(header, ('user', 'session', 'time'))}")
    return Columns(len(names), **at)


def known_names(header: Sequence[str]) -> int:
    """How many names of a header mean something here; tells a comma from a tab."""
    plain = {_plain(name) for known in NAMES.values() for name in known.split()}
    return sum(_plain(name) in plain for name in header)


def parse_time(text: str) -> float:
    """Seconds since 1970 (UTC) of an epoch in s, ms, us or ns, an ISO 8601 time, or Last.fm's own.

    Times without a zone are taken as UTC.

    Raises:
        ValueError: no such time, or one before 2000 or after 2100.
    """
    text = text.strip().removesuffix(" UTC")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _written(text)
    for _ in range(3):
        if seconds > LATEST:
            seconds /= 1_000
    if not EARLIEST <= seconds <= LATEST:
        raise ValueError(f"time {text!r} is before 2000 or after 2100: a clock that was wrong")
    return seconds


def _written(text: str) -> float:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.datetime.strptime(text, "%d %b %Y, %H:%M")
        except ValueError:
            raise ValueError(
                f"time {text!r} is neither seconds since 1970 nor like 2024-05-31T20:15:00Z"
            ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _meant(header: Sequence[str], meanings: Sequence[str]) -> str:
    """The columns there are, and which of them may be a misspelt one that is wanted."""
    wanted = [name for meaning in meanings for name in NAMES[meaning].split()]
    near = []
    for name in header:
        if found := difflib.get_close_matches(_plain(name), list(map(_plain, wanted)), n=1):
            near.append(f'"{name}" (did you mean "{found[0]}"?)')
    there = ", ".join(f'"{name}"' for name in header)
    return f"there are {there}" + (f"; {', '.join(near)}" if near else "")


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
