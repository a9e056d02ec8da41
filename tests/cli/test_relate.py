from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Run

from fake_model import write_tone
from soundalike.library.library import Library

TONES = {
    "a1": (220.0, "Ann", "First"),
    "a2": (225.0, "Ann", "First"),
    "b1": (230.0, "Béla", "Songs"),
    "c1": (3000.0, "Cy", "Songs"),
    "d1": (5000.0, "", ""),
}


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A library whose files name artists and albums."""
    folder = tmp_path_factory.mktemp("tagged")
    for name, (frequency, artist, album) in TONES.items():
        tags = {"title": name.upper(), "artist": artist, "album": album}
        write_tone(folder / f"music/{name}.flac", frequency, 3.0, tags=tags)
    library = Library(folder / "library", model=model)
    assert library.index([folder / "music"], jobs=1).added == len(TONES)
    return library.path


def test_artists_are_found_and_explained(run: Run, tagged: Path) -> None:
    ran = run("artists", "bela", "--library", tagged)
    assert ran.code == 0
    first, second = ran.out.splitlines()
    assert first.split()[2:7] == ["Ann", "2", "tracks", "B1", "~"]
    assert first.split()[7:] in (["A1"], ["A2"])
    assert second.split()[2] == "Cy"


def test_artists_as_json(run: Run, tagged: Path) -> None:
    ran = run("artists", "Ann", "-n", 1, "--json", "--library", tagged)
    (found,) = json.loads(ran.out)
    assert set(found) == {"name", "artist", "similarity", "tracks", "pairs", "sense"}
    assert (found["name"], found["tracks"], found["sense"]) == ("Béla", 1, "both")
    assert 0 <= found["similarity"] <= 1
    assert found["pairs"][0]["answer"]["title"] == "B1"


def test_without_a_name_all_are_listed(run: Run, tagged: Path) -> None:
    ran = run("artists", "--library", tagged)
    assert [line.split() for line in ran.out.splitlines()] == [
        ["2", "tracks", "Ann"],
        ["1", "track", "Béla"],
        ["1", "track", "Cy"],
    ]
    assert "3 artists" in ran.err
    listed = json.loads(run("albums", "--json", "--library", tagged).out)
    assert listed == [
        {"name": "First", "artist": "Ann", "tracks": 2},
        {"name": "Songs", "artist": "Béla", "tracks": 1},
        {"name": "Songs", "artist": "Cy", "tracks": 1},
    ]


def test_albums_are_told_apart_by_their_artist(run: Run, tagged: Path) -> None:
    ran = run("albums", "songs", "--library", tagged)
    assert (ran.code, ran.out) == (2, "")
    assert "by 'Béla' and by 'Cy'" in ran.err
    ran = run("albums", "songs", "--artist", "BELA", "--library", tagged)
    assert ran.code == 0
    assert ran.out.splitlines()[0].split()[2:6] == ["Ann", "-", "First", "2"]


def test_an_answer_of_nothing_says_why(run: Run, tagged: Path) -> None:
    ran = run("artists", "Ann", "--filter", "year > 3000", "--library", tagged)
    assert (ran.code, ran.out) == (0, "")
    assert "no other artist" in ran.err
    ran = run("albums", "First", "--filter", "year > 3000", "--json", "--library", tagged)
    assert json.loads(ran.out) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["artists", "Anne"], "no artist 'Anne'; did you mean 'Ann'"),
        (["artists", ""], "'' is no artist"),
        (["albums", "Fist"], "did you mean 'First'"),
        (["artists", "Ann", "-n", 0], "n is 0"),
        (["artists", "Ann", "--sense", "melody"], "no sense 'melody'"),
        (["artists", "Ann", "--filter", "yaer = 1"], "year"),
        (["albums", "--artist", "Ann"], "--artist needs the NAME"),
    ],
)
def test_what_makes_no_sense_is_refused(
    run: Run, tagged: Path, arguments: list[object], said: str
) -> None:
    ran = run(*arguments, "--library", tagged)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_library_that_is_not_there(run: Run) -> None:
    ran = run("artists", "Ann", "--library", "nothing")
    assert ran.code == 2
    assert "there is no library in" in ran.err
    ran = run("artists", "--library", "nothing")
    assert (ran.code, ran.out) == (2, "")
