"""Play logs: who played which track when, read from CSV or TSV and written as CSV.

    user,session,track,time
    ann,,tuxemon/a.opus,2024-05-31T20:15:00Z

The first line names the columns (`log_columns.py` knows the names of common exports). Needed is what
names the track, by path or by artist and title, and something that says which plays belong together:
a session, or a user, or times. A log without users is the log of one listener. Commas, semicolons and
tabs are told apart by the header; UTF-8 and UTF-16 by their bytes, and anything else is read as Windows-1252.

Nothing is dropped in silence. A line that cannot be read is kept with its number and reason, a track
that is not among the known ones is counted by name, and `Reading.told` says both.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from soundalike.errors import QueryError
from soundalike.evaluation.colistening.known_tracks import KnownTracks
from soundalike.evaluation.colistening.log_columns import (
    Columns,
    find_columns,
    known_names,
    parse_time,
)
from soundalike.library.disk import reason


@dataclass(frozen=True, slots=True)
class Plays:
    """Plays in the order of a log, one entry of every array each.

    Attributes:
        listeners: who, int64.
        tracks: number of the track, int64, 0 <= track < N.
        times: when it began, seconds since 1970 (UTC), float64; NaN where nobody knows.
        sessions: number of the session that the log gives, int64; -1 where it gives none.
    """

    listeners: np.ndarray
    tracks: np.ndarray
    times: np.ndarray
    sessions: np.ndarray

    def __len__(self) -> int:
        return len(self.tracks)


@dataclass(frozen=True, slots=True)
class Reading:
    """A log as it was read, with all that could not be used of it.

    Attributes:
        plays: of known tracks.
        lines: that were not empty, the header left out.
        bad: (line, reason) of each that could not be read; the header is line 1.
        unknown: plays of tracks that are not known, by what the log calls them.
        encoding: the log was read as.
    """

    plays: Plays
    lines: int
    bad: list[tuple[int, str]]
    unknown: Counter[str]
    encoding: str

    def told(self, most: int = 5) -> str:
        """What was used and what not, for people; examples of either kind, `most` at most."""
        said = [f"{len(self.plays)} of {self.lines} plays are of known tracks"]
        if self.unknown:
            names = ", ".join(f'"{name}" ({n})' for name, n in self.unknown.most_common(most))
            more = " ..." if len(self.unknown) > most else ""
            said.append(
                f"{self.unknown.total()} plays of {len(self.unknown)} unknown tracks are left out: "
                f"{names}{more}"
            )
        if self.bad:
            first = "; ".join(f"line {line}: {why}" for line, why in self.bad[:most])
            more = " ..." if len(self.bad) > most else ""
            said.append(f"{len(self.bad)} lines could not be read: {first}{more}")
        if self.encoding == "cp1252":
            said.append("read as Windows-1252, for it is no UTF-8; odd letters come from there")
        return "\n".join(said)


def read_plays(log: Path, known: KnownTracks) -> Reading:
    """Read a play log.

    Raises:
        QueryError: no such file, no columns that say what is needed, or not one play that can be used.
    """
    text, encoding = _decoded(log)
    # Not splitlines(): some titles have a line separator in them that is none to a CSV.
    rows = enumerate(io.StringIO(text, newline=None), 1)
    lines = [(n, line.removesuffix("\n")) for n, line in rows if line.strip(" \t\n,;")]
    if not lines:
        raise QueryError(f"{log} is empty; a play log begins with a line that names its columns")
    number, header = lines[0]
    separator = max(",\t;", key=lambda s: (known_names(header.split(s)), header.count(s)))
    try:
        columns = find_columns(_fields(header, separator))
    except ValueError as error:
        raise QueryError(
            f"{log}: line {number} does not name the columns of a play log: {error}"
        ) from None
    reading = _read_lines(lines[1:], separator, columns, known)
    if not len(reading.plays):
        nothing = f"{log} has no play that can be used: {reading.told()}"
        example = f'; a known track is "{known.tracks[0].path}"' if len(known) else ""
        raise QueryError(nothing.replace("\n", "; ") + (example if reading.unknown else ""))
    return Reading(reading.plays, reading.lines, reading.bad, reading.unknown, encoding)


def write_plays(plays: Plays, known: KnownTracks, log: Path) -> None:
    """Write a play log that `read_plays` reads back: columns user, session, track, time (ISO, UTC).

    Sessions and times are left out where any is missing. Times are written to the millisecond.
    """
    with_time = not np.isnan(plays.times).any()
    head = ["user", "session", "track", "time"]
    if (plays.sessions < 0).any():
        head.remove("session")
    if not with_time:
        head.remove("time")
    with log.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(head)
        for who, session, track, time in zip(
            plays.listeners, plays.sessions, plays.tracks, plays.times, strict=True
        ):
            cells = {"user": str(who), "session": str(session), "track": known.tracks[track].path}
            if with_time:
                moment = datetime.datetime.fromtimestamp(float(time), datetime.UTC)
                cells["time"] = moment.isoformat(timespec="milliseconds")
            out.writerow([cells[name] for name in head])


def _decoded(log: Path) -> tuple[str, str]:
    """Text of a log and the encoding it was read as; a byte order mark decides, then UTF-8."""
    try:
        content = log.read_bytes()
    except OSError as error:
        raise QueryError(f"{log} cannot be read: {reason(error)}") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), "utf-16"
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), "cp1252"


def _fields(line: str, separator: str) -> list[str]:
    """Fields of one line, without the spaces around them.

    Quotes never reach over a line's end, so that a lone one spoils its own line only. With tabs a
    quote that does not close is a letter: exports with tabs seldom quote.

    Raises:
        ValueError: quotes that do not close or open in the middle.
    """
    try:
        fields = next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        if separator != "\t":
            raise ValueError("its quotes do not match") from None
        fields = line.split("\t")
    return [field.strip() for field in fields]


class _Line(NamedTuple):
    """A line of a log, "" for what it does not say."""

    user: str
    session: str
    path: str
    artist: str
    title: str
    time: float

    def name(self) -> str:
        """What it calls its track, for people."""
        return f"{self.artist} - {self.title}" if self.artist and self.title else self.path


def _read_lines(
    lines: Sequence[tuple[int, str]], separator: str, columns: Columns, known: KnownTracks
) -> Reading:
    """Everything under the header; the encoding is not known here."""
    bad: list[tuple[int, str]] = []
    unknown: Counter[str] = Counter()
    users: dict[str, int] = {}
    sessions: dict[tuple[str, str], int] = {}
    rows: list[tuple[int, int, float, int]] = []
    for number, text in lines:
        try:
            line = _parsed(_fields(text, separator), columns)
        except ValueError as error:
            bad.append((number, str(error)))
            continue
        track = known.find(line.path, line.artist, line.title)
        if track is None:
            unknown[line.name()] += 1
            continue
        listener = users.setdefault(line.user, len(users))
        given = sessions.setdefault((line.user, line.session), len(sessions))
        rows.append((listener, track, line.time, given if line.session else -1))
    who, numbers, times, of_session = zip(*rows, strict=True) if rows else ((), (), (), ())
    plays = Plays(
        np.array(who, np.int64),
        np.array(numbers, np.int64),
        np.array(times, np.float64),
        np.array(of_session, np.int64),
    )
    return Reading(plays, len(lines), bad, unknown, "")


def _parsed(fields: Sequence[str], columns: Columns) -> _Line:
    """What a line says.

    Raises:
        ValueError: too few or too many fields, or one that is needed is empty or no time.
    """
    if len(fields) != columns.width:
        raise ValueError(
            f"{len(fields)} fields where the header names {columns.width}; a field that has the "
            "separator in it needs quotes"
        )

    def field(at: int | None) -> str:
        return "" if at is None else fields[at]

    path, artist, title = field(columns.path), field(columns.artist), field(columns.title)
    if not (path or (artist and title)):
        raise ValueError("it names no track")
    for at, what in ((columns.user, "user"), (columns.session, "session"), (columns.time, "time")):
        if at is not None and not fields[at]:
            raise ValueError(f"it has no {what}")
    time = float("nan") if columns.time is None else parse_time(fields[columns.time])
    return _Line(field(columns.user), field(columns.session), path, artist, title, time)
