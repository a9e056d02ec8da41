"""Names of columns, and times as logs write them."""

from __future__ import annotations

import pytest

from soundalike.evaluation.colistening.log_columns import find_columns, known_names, parse_time

EVENING = 1_717_186_500.0  # 2024-05-31 20:15 UTC


@pytest.mark.parametrize(
    "text",
    [
        "1717186500",
        "1717186500.0",
        "1717186500000",
        "1717186500000000",
        "1717186500000000000",
        "2024-05-31T20:15:00Z",
        "2024-05-31T22:15:00+02:00",
        "2024-05-31 20:15:00",
        "2024-05-31 20:15:00 UTC",
        "2024-05-31 20:15",
        "31 May 2024, 20:15",
    ],
)
def test_one_moment_in_many_ways(text: str) -> None:
    assert parse_time(text) == pytest.approx(EVENING)


@pytest.mark.parametrize("text", ["0", "-5", "1970-01-01", "nan", "inf", "01 Jan 1970, 00:00"])
def test_a_clock_that_was_wrong_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="clock that was wrong"):
        parse_time(text)


@pytest.mark.parametrize("text", ["yesterday", "", "2024-13-01", "20:15"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="neither seconds since 1970 nor like"):
        parse_time(text)


def test_our_own_columns() -> None:
    columns = find_columns(["user", "session", "track", "time"])
    assert (columns.user, columns.session, columns.path, columns.time) == (0, 1, 2, 3)
    assert columns.artist is None
    assert columns.width == 4


@pytest.mark.parametrize(
    ("header", "artist", "title", "time"),
    [
        # Exports of Last.fm, of ListenBrainz, and of Spotify.
        ("uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid", 2, 6, 0),
        ("listened_at,artist_name,track_name,release_name,recording_mbid,user_name", 1, 2, 0),
        ("ts,master_metadata_track_name,master_metadata_album_artist_name", 2, 1, 0),
        ("Artist,Title,Played At", 0, 1, 2),
    ],
)
def test_columns_of_exports(header: str, artist: int, title: int, time: int) -> None:
    columns = find_columns(header.split(","))
    assert (columns.artist, columns.title, columns.time) == (artist, title, time)


def test_the_better_name_wins_wherever_it_stands() -> None:
    columns = find_columns(["id", "track", "title", "artist", "path", "user"])
    assert (columns.path, columns.title) == (4, 2)


def test_a_log_without_tracks_is_told_with_what_may_have_been_meant() -> None:
    with pytest.raises(ValueError, match="no column path") as error:
        find_columns(["usr", "trck", "time"])
    assert 'there are "usr", "trck", "time"' in str(error.value)
    assert '"trck" (did you mean "track"?)' in str(error.value)
    with pytest.raises(ValueError, match="of artist and title only one"):
        find_columns(["user", "artist", "time"])


def test_a_log_that_tells_no_plays_apart_is_refused() -> None:
    with pytest.raises(ValueError, match=r'no column user.* "usr" .did you mean "user"'):
        find_columns(["usr", "track"])
    for name in ("user", "session", "time"):
        find_columns([name, "track"])


def test_names_that_mean_something_are_counted() -> None:
    assert known_names(["User ID", "played-at", "colour"]) == 2
