from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stand_in import StandIn, new_library, write_sounds

from soundalike.errors import QueryError
from soundalike.library.aggregation import unit
from soundalike.library.library import Library
from soundalike.library.relating import GroupNeighbor

MUSIC = {
    # file: (sound, artist, album, genre)
    "a1": ("harp", "Ann", "First", "folk"),
    "a2": ("flute", "Ann", "First", "folk"),
    "a3": ("drums", "ann", "Second", "rock"),
    "b1": ("harp", "Ben", "Songs", "folk"),
    "b2": ("flute", "Ben", "Songs", "folk"),
    "c1": ("drums", "Cy", "Loud", "rock"),
    "c2": ("gong", "Cy", "Songs", "rock"),
    "d1": ("horn", "", "", ""),
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library, _ = new_library(tmp_path / "library")
    for name, (sound, artist, album, genre) in MUSIC.items():
        tags = {"artist": artist, "album": album, "genre": genre}
        write_sounds(tmp_path / f"music/{name}.mp3", sound, **tags)
    library.index([tmp_path / "music"])
    return library


def names(found: list[GroupNeighbor]) -> list[str]:
    return [neighbor.name for neighbor in found]


def test_artists_and_albums_are_listed_with_their_tracks(library: Library) -> None:
    assert [(a.name, a.tracks) for a in library.artists()] == [("Ann", 3), ("Ben", 2), ("Cy", 2)]
    assert [(a.name, a.artist, a.tracks) for a in library.albums()] == [
        ("First", "Ann", 2),
        ("Loud", "Cy", 1),
        ("Second", "ann", 1),
        ("Songs", "Ben", 2),
        ("Songs", "Cy", 1),
    ]


def test_an_empty_library_lists_nothing(tmp_path: Path) -> None:
    library, _ = new_library(tmp_path / "library")
    assert library.artists() == library.albums() == []
    with pytest.raises(QueryError, match="there is no library in"):
        library.similar_artists("Ann")


def test_artists_come_by_their_centroids(library: Library) -> None:
    found = library.similar_artists("ÄNN")
    assert names(found) == ["Ben", "Cy"]
    # harp + flute + drums against harp + flute, from vectors that a file of its own would have
    sounds = {sound: StandIn()._direction(sound).astype(float) for sound, *_ in MUSIC.values()}
    one = sum(sounds[sound] for sound in ("harp", "flute", "drums"))
    other = sounds["harp"] + sounds["flute"]
    expected = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert found[0].similarity == pytest.approx(expected, abs=1e-6)
    assert (found[0].tracks, found[0].artist) == (2, "Ben")


def test_the_pairs_are_the_tracks_that_are_most_alike(library: Library) -> None:
    (ben, cy) = library.similar_artists("Ann")
    assert {(p.query.path.stem, p.answer.path.stem) for p in ben.pairs} == {
        ("a1", "b1"),
        ("a2", "b2"),
    }
    assert [p.similarity for p in ben.pairs] == pytest.approx([1, 1])
    assert (cy.pairs[0].query.path.stem, cy.pairs[0].answer.path.stem) == ("a3", "c1")
    assert [p.similarity for p in cy.pairs] == sorted(
        (p.similarity for p in cy.pairs), reverse=True
    )


def test_only_tracks_that_match_speak_for_the_others(library: Library) -> None:
    found = library.similar_artists("Ann", filter="genre = 'rock'")
    assert [(one.name, one.tracks) for one in found] == [("Cy", 2)]
    assert library.similar_artists("Ann", filter="genre = 'waltz'") == []
    with pytest.raises(QueryError, match="genre"):
        library.similar_artists("Ann", filter="gerne = 'rock'")


def test_albums_of_one_name_are_told_apart_by_their_artist(library: Library) -> None:
    with pytest.raises(QueryError, match=r"several albums .*'songs', by 'Ben' and by 'Cy'"):
        library.similar_albums("songs")
    found = library.similar_albums("songs", artist="ben")
    assert (found[0].name, found[0].artist) == ("First", "Ann")
    assert found[0].similarity == pytest.approx(1)
    assert ("Songs", "Cy") in [(one.name, one.artist) for one in found]
    with pytest.raises(
        QueryError, match=r"no album 'Songs' by 'Ann', but one by 'Ben' and by 'Cy'"
    ):
        library.similar_albums("Songs", artist="Ann")


def test_albums_that_only_their_folders_tell_apart(tmp_path: Path) -> None:
    library, _ = new_library(tmp_path / "library")
    for folder in ("one", "two"):
        write_sounds(tmp_path / f"music/{folder}/a.mp3", folder, album="Demos")
    library.index([tmp_path / "music"])
    assert [(a.name, a.artist, a.tracks) for a in library.albums()] == [("Demos", "", 1)] * 2
    with pytest.raises(QueryError, match="2 folders hold an album 'demos' without an artist"):
        library.similar_albums("demos")


def test_albums_of_the_same_artist_may_be_left_out(library: Library) -> None:
    assert "Second" in names(library.similar_albums("First"))
    assert "Second" not in names(library.similar_albums("First", exclude_same_artist=True))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Anne", r"no artist 'Anne'; did you mean 'Ann'"),
        ("be", r"did you mean 'Ben'"),
        ("Zacharias", r"no artist 'Zacharias'$"),
        ("", r"'' is no artist"),
        ("  ", r"is no artist"),
    ],
)
def test_an_artist_who_is_not_there(library: Library, name: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        library.similar_artists(name)


def test_a_library_without_tags_has_no_artists(tmp_path: Path) -> None:
    library, _ = new_library(tmp_path / "library")
    write_sounds(tmp_path / "music/a.mp3", "harp")
    library.index([tmp_path / "music"])
    with pytest.raises(QueryError, match="no track of the library names its artist"):
        library.similar_artists("Ann")


@pytest.mark.parametrize("n", [0, -1, True])
def test_n_is_checked(library: Library, n: int) -> None:
    with pytest.raises(QueryError, match="n is"):
        library.similar_artists("Ann", n=n)


def test_one_sense_alone(tmp_path: Path) -> None:
    senses = {"sound": slice(0, 8), "composition": slice(8, 16)}
    library = Library(tmp_path / "library", embedder=StandIn(senses=senses))  # type: ignore[arg-type]
    for artist, sound in (("Ann", "harp|jig"), ("Ben", "harp|reel"), ("Cy", "drum|jig")):
        write_sounds(tmp_path / f"music/{artist}.mp3", sound, artist=artist)
    library.index([tmp_path / "music"])
    assert library.similar_artists("Ann", sense="sound")[0].name == "Ben"
    assert library.similar_artists("Ann", sense="composition")[0].name == "Cy"
    assert library.similar_artists("Ann", sense="sound")[0].similarity == pytest.approx(1)
    with pytest.raises(QueryError, match="no sense 'melody'"):
        library.similar_artists("Ann", sense="melody")


def test_the_order_is_that_of_the_centroids_in_a_large_library(tmp_path: Path) -> None:
    """Random tracks, compared in plain loops."""
    rng = np.random.default_rng(0)
    library, embedder = new_library(tmp_path / "library")
    owners = [f"artist {i}" for i in rng.integers(0, 9, 60)]
    for number, owner in enumerate(owners):
        write_sounds(tmp_path / f"music/{number:02}.mp3", f"sound {number}", artist=owner)
    library.index([tmp_path / "music"])
    centroids = {
        owner: unit(
            np.mean(
                [embedder._direction(f"sound {i}") for i, o in enumerate(owners) if o == owner],
                axis=0,
            )
        )
        for owner in set(owners)
    }
    seed = owners[0]
    others = sorted(set(owners) - {seed}, key=lambda o: -float(centroids[o] @ centroids[seed]))
    assert names(library.similar_artists(seed, n=99)) == others
    assert names(library.similar_artists(seed, n=3)) == others[:3]
