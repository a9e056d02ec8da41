"""Play logs as people have them, and what is told of what could not be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import QueryError
from soundalike.evaluation.colistening.known_tracks import KnownTrack, KnownTracks
from soundalike.evaluation.colistening.plays import Plays, Reading, read_plays, write_plays

KNOWN = KnownTracks(
    [
        KnownTrack("a.opus", "Ann", 'The "Fool", he said'),
        KnownTrack("b.opus", "Björk", "Jóga"),
        KnownTrack("c.opus", "Cat", "Heroes"),
    ]
)
TIMES = [1_717_186_500.0, 1_717_186_800.0]


def read(folder: Path, content: str | bytes) -> Reading:
    log = folder / "log.csv"
    log.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_plays(log, KNOWN)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path: Path, separator: str, end: str) -> None:
    rows = [
        ["user", "track", "time"],
        ["eve", "a.opus", "1717186500"],
        [],
        ["dan", "c.opus", "2024-05-31T20:20:00Z"],
    ]
    reading = read(tmp_path, end.join(separator.join(row) for row in rows) + end)
    assert reading.plays.listeners.tolist() == [0, 1]
    assert reading.plays.tracks.tolist() == [0, 2]
    assert reading.plays.times.tolist() == TIMES
    assert reading.plays.sessions.tolist() == [-1, -1]
    assert (reading.lines, reading.bad, reading.unknown) == (2, [], {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    reading = read(tmp_path, "user,artist,title\neve,Björk,Jóga\n".encode(encoding))
    assert reading.plays.tracks.tolist() == [1]
    assert reading.encoding == encoding.removesuffix("-sig")
    assert ("Windows-1252" in reading.told()) == (encoding == "cp1252")


def test_quotes_and_what_stands_between_them(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        "user,artist,title\n"
        'eve,Ann,"The ""Fool"", he said"\n'  # as it should be
        'eve,Cat,"Heroes\n'  # a quote that never closes spoils its own line only
        "eve,Cat,Heroes\n"
        "eve,Ann,The Fool, he said\n",  # a comma without quotes
    )
    assert reading.plays.tracks.tolist() == [0, 2]
    assert [line for line, _ in reading.bad] == [3, 5]
    assert "quotes" in reading.bad[0][1]
    assert "4 fields where the header names 3" in reading.bad[1][1]


def test_with_tabs_a_lone_quote_is_a_letter(tmp_path: Path) -> None:
    reading = read(tmp_path, 'user\tartist\ttitle\neve\tCat\t"Heroes\neve\tCat\t"Heroes" \n')
    assert reading.plays.tracks.tolist() == [2, 2]
    assert reading.bad == []


def test_a_separator_of_lines_within_a_title_ends_no_line(tmp_path: Path) -> None:
    reading = read(tmp_path, "user,artist,title\neve,Cat,Her\u2028oes\neve,Cat,Heroes\n")
    assert reading.unknown == {"Cat - Her\u2028oes": 1}
    assert reading.plays.tracks.tolist() == [2]


def test_lastfm_says_track_and_means_title(tmp_path: Path) -> None:
    log = "uts,artist,album,track\n1717186500,Cat,Best,Heroes\n1717186800,Björk,,Jóga\n"
    reading = read(tmp_path, log)
    assert reading.plays.tracks.tolist() == [2, 1]
    assert reading.plays.listeners.tolist() == [0, 0]


def test_nothing_is_dropped_in_silence(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        "user,session,track,time\n"
        "eve,1,a.opus,1717186500\n"
        "eve,1,z.opus,1717186501\n"
        "eve,2,z.opus,1717186502\n"
        "dan,1,y.opus,1717186503\n"
        "eve,1,a.opus,soon\n"
        "eve,1,a.opus,\n"
        "eve,,a.opus,1717186500\n"
        ",1,a.opus,1717186500\n"
        "eve,1,,1717186500\n"
        "dan,1,a.opus,1717186500\n",
    )
    assert reading.lines == 10
    assert reading.plays.sessions.tolist() == [0, 1]  # session 1 of eve is not that of dan
    assert reading.unknown == {"z.opus": 2, "y.opus": 1}
    assert [line for line, _ in reading.bad] == [6, 7, 8, 9, 10]
    assert [why for _, why in reading.bad[1:]] == [
        "it has no time",
        "it has no session",
        "it has no user",
        "it names no track",
    ]
    told = reading.told(most=1)
    assert "2 of 10 plays are of known tracks" in told
    assert '3 plays of 2 unknown tracks are left out: "z.opus" (2) ...' in told
    assert "5 lines could not be read: line 6: time 'soon'" in told
    assert len(reading.plays) + reading.unknown.total() + len(reading.bad) == reading.lines


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n,,\n", "is empty"),
        ("eve,a.opus,1717186500\n", "line 1 does not name the columns"),
        ("\n\nusr,trck\n", 'line 3 .* "trck" .did you mean "track"'),
        ("user,track\n", "no play that can be used: 0 of 0"),
        ("user,track\neve,z.opus\n", 'unknown tracks .*"z.opus".*a known track is "a.opus"'),
        ("user,track,time\neve,a.opus,soon\n", "line 2: time 'soon'"),
    ],
)
def test_a_log_that_is_none_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        read(tmp_path, content)


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match=r"none\.csv cannot be read"):
        read_plays(tmp_path / "none.csv", KNOWN)


@pytest.mark.parametrize("with_sessions", [True, False])
@pytest.mark.parametrize("with_times", [True, False])
def test_what_is_written_is_read_back(
    tmp_path: Path, with_sessions: bool, with_times: bool
) -> None:
    none = np.full(3, -1)
    plays = Plays(
        np.array([0, 0, 1]),
        np.array([2, 0, 1]),
        np.array([1.7e9, 1.7e9 + 0.25, 1.8e9]) if with_times else np.full(3, np.nan),
        np.array([0, 0, 1]) if with_sessions else none,
    )
    write_plays(plays, KNOWN, tmp_path / "log.csv")
    back = read_plays(tmp_path / "log.csv", KNOWN).plays
    for name in ("listeners", "tracks", "times", "sessions"):
        np.testing.assert_array_equal(getattr(back, name), getattr(plays, name))
