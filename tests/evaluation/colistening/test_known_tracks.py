"""What a log calls a track, and which it is."""

from __future__ import annotations

import pytest

from soundalike.evaluation.colistening.known_tracks import KnownTrack, KnownTracks, normalised

KNOWN = KnownTracks(
    [
        KnownTrack("ann/first.opus", "Ann", "First"),
        KnownTrack("bob/01.opus", "Bob", "Café (Live)"),
        KnownTrack("cat/01.opus", "Cat", "01"),
        KnownTrack("lone.opus"),
        KnownTrack("copy/first.opus", "ANN", "first!"),
        KnownTrack("signs/a.opus", "!!!", "..."),
    ]
)


@pytest.mark.parametrize(
    ("path", "track"),
    [
        ("ann/first.opus", 0),
        ("./ann/first.opus", 0),
        ("ann\\first.opus", 0),
        (r"C:\Users\Eve\Music\bob\01.opus", 1),
        ("file:///home/eve/cat/01.opus", 2),
        ("lone.opus", 3),
        ("Ann/First.opus", None),  # paths have case
        ("01.opus", None),  # in every album
        ("/music/lone.opus", None),  # by its file name alone
        ("xann/first.opus", None),
        ("", None),
    ],
)
def test_paths_match_whole_with_folders_in_front(path: str, track: int | None) -> None:
    assert KNOWN.find(path, "", "") == track


@pytest.mark.parametrize(
    ("artist", "title", "track"),
    [
        ("Ann", "First", 0),  # and not its copy
        (" ann ", "FIRST (feat. Bob)", 0),
        ("Ann feat. Bob", "First", 0),
        ("bob", "cafe live", 1),
        ("Bob", "Cafe\u0301 (Live)", 1),
        ("Bob", "Café", None),  # another recording
        ("Eve", "First", None),
        ("", "First", None),
        ("Ann", "", None),
        ("!!!", "...", 5),
        ("???", "...", None),
    ],
)
def test_artist_and_title_match_by_letters(artist: str, title: str, track: int | None) -> None:
    assert KNOWN.find("", artist, title) == track


def test_a_path_that_is_unknown_leaves_artist_and_title_to_find_it() -> None:
    assert KNOWN.find("First", "Ann", "First") == 0
    assert KNOWN.find("cat/01.opus", "Ann", "First") == 2


def test_a_file_url_is_unquoted() -> None:
    known = KnownTracks([KnownTrack("d'été/à la mer.opus")])
    assert known.find("file:///m/d%27%C3%A9t%C3%A9/%C3%A0%20la%20mer.opus", "", "") == 0


def test_letters_of_other_scripts_are_kept() -> None:
    assert normalised("忠人 平峰") == "忠人 平峰"
    assert normalised("Ёлка, Вьюга") == normalised("елка вьюга")
