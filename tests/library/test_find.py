"""Finding tracks by words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_snapshot import snapshot_of

from soundalike.errors import QueryError
from soundalike.library.find import find, named, near, near_names
from soundalike.library.folding import folded
from soundalike.library.snapshot import Snapshot


def library(*tracks: tuple[str, str, str]) -> Snapshot:
    """Title, artist and album of each."""
    return snapshot_of(
        [{"vector": [1.0], "title": t, "artist": a, "album": b} for t, a, b in tracks]
    )


JAZZ = library(
    ("So What", "Miles Davis", "Kind of Blue"),
    ("So What (Live)", "Miles Davis", "Live"),
    ("Blue Train", "John Coltrane", "Blue Train"),
    ("Blue in Green", "Miles Davis", "Kind of Blue"),
    ("What", "So", ""),
    ("Déjà Vu", "Beyoncé", "B'Day"),
    ("", "", ""),
    ("Train", "Someone", ""),
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("so what", [0, 4, 1]),  # the title, then artist and title, then what begins so
        ("WHAT so", [4, 0, 1]),
        ("davis what", [0, 1]),
        ("miles davis - so what", [0, 1]),
        ("train", [7, 2]),
        ("rain", [7, 2]),
        ("deja beyonce", [5]),
        ("DÉJÀ", [5]),
        ("blue", [2, 3, 0]),  # titles before albums
        ("0006.flac", [6]),
        ("b'day", [5]),
        ("nothing of it", []),
        ("davis train", []),
        ("\ud800", []),
        ("\0", []),
    ],
)
def test_all_words_must_occur_and_the_best_comes_first(text: str, rows: list[int]) -> None:
    assert find(text, JAZZ) == rows


@pytest.mark.parametrize(
    ("text", "row"),
    [("coltrain", 2), ("mils davies so wat", 0), ("beyonse", 5), ("davis train", 7)],
)
def test_what_comes_near_where_nothing_fits(text: str, row: int) -> None:
    assert find(text, JAZZ) == []
    assert row in near(text, JAZZ, 8)


def test_what_comes_near_is_spelled_alike() -> None:
    assert near("zzzzqqqq", JAZZ, 3) == []
    assert near("the zzzz of qqqq vvvv pppp rrrr", JAZZ, 3) == []
    assert near_names("coltrain.mp3", JAZZ) == ["'0002.flac'"]
    assert near_names("---", JAZZ) == []


def test_words_are_needed() -> None:
    for text in ("", " \n "):
        with pytest.raises(QueryError, match="no words"):
            find(text, JAZZ)
    signs = library(("???", "!!!", ""), ("x", "y", ""))
    assert find("???", signs) == [0]


def test_artists_and_albums_are_named_whole() -> None:
    assert named("artist", "miles DAVIS", JAZZ) == [0, 1, 3]
    assert named("artist", "beyonce", JAZZ) == [5]
    assert named("album", "kind of blue", JAZZ) == [0, 3]
    with pytest.raises(
        QueryError, match=r"no track of the library has the artist 'Miles D.*did you"
    ):
        named("artist", "Miles Davies", JAZZ)
    with pytest.raises(QueryError, match="the album 'Blue'; did you mean 'Kind of Blue'"):
        named("album", "Blue", JAZZ)
    for nobody in ("", "Zzz"):
        with pytest.raises(QueryError):
            named("artist", nobody, JAZZ)


def test_an_album_artist_is_an_artist() -> None:
    guests = snapshot_of([{"vector": [1.0], "artist": "A feat. B", "album_artist": "A"}])
    assert named("artist", "a", guests) == [0]


def test_lines_in_a_path_are_no_other_fields() -> None:
    odd = snapshot_of([{"vector": [1.0], "title": "ä", "path": "/m/x\ny\nz\nw.flac"}])
    assert find("w.flac", odd) == [0]
    assert near("w.flax a", odd, 1) == [0]


words = st.text("aábB cé-", max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=8), words)
def test_what_is_found_is_what_a_slow_search_finds(
    tracks: list[tuple[str, str, str]], text: str
) -> None:
    asked = [w for w in folded(text).split() if any(map(str.isalnum, w))] or folded(text).split()
    if not asked:
        return
    snapshot = library(*tracks)
    texts = [[*map(folded, track), f"/m/{i:04}.flac"] for i, track in enumerate(tracks)]
    expected = {
        i for i, fields in enumerate(texts) if all(any(w in f for f in fields) for w in asked)
    }
    assert set(find(text, snapshot)) == expected
    exact = [i for i in expected if texts[i][0] == " ".join(asked)]
    assert set(find(text, snapshot)[: len(exact)]) == set(exact)
