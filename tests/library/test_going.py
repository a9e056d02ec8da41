"""Paths, radios, mixes and sorted playlists of a library, by tracks, files, folders and playlists."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from stand_in import new_library, write_sounds

from soundalike.errors import AudioError, QueryError
from soundalike.library.ground import Ground, Route
from soundalike.library.library import Library
from soundalike.library.selection import Selection

NAMES = tuple(f"{letter}{number}" for letter in "abc" for number in range(4))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Twelve tracks in three folders, each an artist's."""
    library, _ = new_library(tmp_path / "library")
    for name in NAMES:
        path = tmp_path / "music" / name[0] / f"{name}.flac"
        write_sounds(
            path,
            name,
            title=f"Title {name}",
            artist=name[0].upper(),
            genre=["Odd", "Even"][int(name[1]) % 2],
        )
    library.index([tmp_path / "music"])
    return library


@pytest.fixture
def music(tmp_path: Path) -> Path:
    return tmp_path / "music"


def names(route: Route) -> list[str]:
    return [step.track.path.stem for step in route]


def listed(folder: Path, *lines: object) -> Path:
    (folder / "list.m3u8").write_text("\n".join(map(str, lines)))
    return folder / "list.m3u8"


def test_a_path_between_tracks_by_every_name(library: Library, music: Path) -> None:
    start, end = music / "a/a0.flac", music / "c/c3.flac"
    route = library.path_between(start, end, 6)
    assert len(route) == len(set(names(route))) == 6
    assert (names(route)[0], names(route)[-1]) == ("a0", "c3")
    assert library.path_between(str(start), library.track(end).id, 6) == route
    assert library.path_between(library.track(start), end, 6) == route


def test_steps_say_how_alike_they_are(library: Library, music: Path) -> None:
    route = library.path_between(music / "a/a0.flac", music / "c/c3.flac", 5)
    snapshot = library._filled()
    rows = [snapshot.row_of_id[step.track.id] for step in route]
    cosines = np.clip(snapshot.means[rows] @ snapshot.means[rows].T, 0, 1)
    expected = [(cosines[i, i - 1], cosines[i, 0]) for i in range(1, 5)]
    found = [(step.similarity, step.from_start) for step in route[1:]]
    assert np.allclose(found, expected, atol=1e-6)
    assert (route[0].similarity, route[0].from_start) == (1.0, 1.0)


def test_a_path_between_files_of_no_library(library: Library, tmp_path: Path) -> None:
    start = write_sounds(tmp_path / "x.flac", "x", artist="X")
    end = write_sounds(tmp_path / "y.flac", "y")
    route = library.path_between(start, end, 4)
    assert names(route)[0] == "x"
    assert names(route)[-1] == "y"
    assert set(names(route)[1:-1]) <= set(NAMES)
    assert route[0].track.artist == "X"
    assert len(library.path_between(start, end, 100)) == 14


def test_the_same_track_twice_is_no_path(library: Library, music: Path, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="same track"):
        library.path_between(music / "a/a0.flac", library.track(music / "a/a0.flac"))
    outside = write_sounds(tmp_path / "x.flac", "x")
    with pytest.raises(QueryError, match="same track"):
        library.path_between(outside, str(outside))


def test_a_selection_says_what_lies_between(library: Library, music: Path, tmp_path: Path) -> None:
    ends = (music / "a/a1.flac", music / "a/a3.flac")
    some = library.path_between(*ends, 20, selection=Selection(filter="genre = 'Odd'"))
    assert len(some) == 8
    assert {step.track.genre for step in some[1:-1]} == {"Odd"}
    playlist = listed(tmp_path, *(music / "b" / f"b{i}.flac" for i in range(4)))
    some = library.path_between(*ends, 20, selection=Selection(exclude=[playlist]))
    assert {name[0] for name in names(some)} == {"a", "c"}
    some = library.path_between(*ends, 20, selection=Selection(max_per_artist=2))
    assert sorted(name[0] for name in names(some)) == [*"aabbcc"]
    for selection in (Selection(exclude_same_artist=True), Selection(max_duration_ratio=2)):
        with pytest.raises(QueryError, match="belongs to similar"):
            library.path_between(*ends, selection=selection)
    with pytest.raises(QueryError, match="lets none"):
        library.path_between(*ends, selection=Selection(filter="genre = 'Polka'"))


def test_a_library_without_segments_goes_by_its_means(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = (music / "a/a1.flac", music / "c/c3.flac")
    exact = library.path_between(*ends), library.mix(music / "a", 5), library.sort(music)
    large = replace(library._filled(), segments=None)
    monkeypatch.setattr(library, "_filled", lambda: large)
    assert (library.path_between(*ends), library.mix(music / "a", 5), library.sort(music)) == exact
    assert len(list(library.radio(ends))) == 10


def test_a_radio_from_a_folder_a_playlist_and_a_file(
    library: Library, music: Path, tmp_path: Path
) -> None:
    outside = write_sounds(tmp_path / "x.flac", "x")
    playlist = listed(tmp_path, "gone.flac", music / "b/b0.flac", "x.flac")
    radio = library.radio([music / "a", playlist])
    played = [step.track.path.stem for step in radio]
    assert sorted(played) == sorted(set(NAMES) - {"a0", "a1", "a2", "a3", "b0"})
    assert [(each.line, each.name) for each in radio.left_out] == [(1, "gone.flac")]
    assert radio.state.seeds[-1] == str(outside)


def test_a_radio_is_resumed_from_its_state(library: Library, music: Path, tmp_path: Path) -> None:
    outside = write_sounds(tmp_path / "x.flac", "x")
    options = {"seed": 3, "drift": 0.5, "selection": Selection(exclude=[music / "c/c0.flac"])}
    whole = [step.track.path.stem for step in library.radio([outside], **options)]
    assert len(whole) == 11
    radio = library.radio([outside], **options)
    begun = [step.track.path.stem for step in islice(radio, 4)]
    state = json.loads(json.dumps(asdict(radio.state)))
    rest = [step.track.path.stem for step in library.resume(state)]
    assert begun + rest == whole
    assert [step.track.path.stem for step in library.resume(radio.state)] == rest
    outside.unlink()
    with pytest.raises(QueryError, match=r"x.flac"):
        library.resume(state)


def test_what_can_be_no_music_is_refused(library: Library, music: Path) -> None:
    for refused in (library.radio, library.mix, library.sort):
        with pytest.raises(QueryError, match="5 is no Track, id or path"):
            refused(5)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="5 is no Track"):
        library.path_between(5, music / "a/a0.flac")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="'x' is no state of a radio"):
        library.resume("x")  # type: ignore[arg-type]


def test_a_radio_knows_no_limit_per_artist(library: Library, music: Path) -> None:
    with pytest.raises(QueryError, match="artist spacing"):
        library.radio(music, selection=Selection(max_per_artist=2))
    with pytest.raises(QueryError, match="drift is 3"):
        library.radio(music / "not looked for", drift=3)


def test_a_mix_of_a_folder(library: Library, music: Path) -> None:
    assert len(library.mix(music / "a", 6)) == 6
    new = library.mix([music / "a"], 6, only_new=True)
    assert {name[0] for name in names(new)} <= {"b", "c"}
    assert len(library.mix(music, 50)) == 12
    with pytest.raises(QueryError, match="n is 0"):
        library.mix(music, 0)


def test_a_folder_may_hold_files_the_library_lacks(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    write_sounds(folder / "x.flac", "x")
    write_sounds(folder / "y.flac", "broken")
    write_sounds(folder / ".hidden.flac", "z")
    mixed = library.mix(folder, 4)
    assert "x" in names(mixed)
    assert [(Path(each.name).name, each.reason) for each in mixed.left_out] == [
        ("y.flac", "no audio stream")
    ]


def test_a_sorted_playlist_keeps_every_entry(library: Library, music: Path, tmp_path: Path) -> None:
    write_sounds(tmp_path / "x.flac", "x")
    write_sounds(tmp_path / "bad.flac", "broken")
    lines = ["music/a/a0.flac", "http://x.org/live", "music/b/b1.flac", "x.flac", "bad.flac"]
    lines += ["music/a/a0.flac", "gone.flac", "music/c/c2.flac", "music/b/b2.flac"]
    playlist = listed(tmp_path, *lines)
    route = library.sort(playlist)
    assert sorted(names(route)) == ["a0", "a0", "b1", "b2", "c2", "x"]
    found = names(route)
    assert all(one != other for one, other in pairwise(found))
    assert [(each.line, each.name) for each in route.left_out] == [
        (2, "http://x.org/live"),
        (5, "bad.flac"),
        (7, "gone.flac"),
    ]
    held = library.sort(playlist, start=music / "c/c2.flac", end=tmp_path / "x.flac")
    assert (names(held)[0], names(held)[-1]) == ("c2", "x")
    with pytest.raises(QueryError, match="not among"):
        library.sort(playlist, start=music / "a/a1.flac")


def test_sorting_makes_neighbors_more_alike(library: Library, music: Path) -> None:
    vectors = library._filled().means
    before = float(np.clip(np.einsum("nd,nd->n", vectors[1:], vectors[:-1]), 0, 1).mean())
    route = library.sort(music)
    assert len(route) == 12
    assert np.mean([step.similarity for step in route[1:]]) > before


def test_names_that_are_nothing(library: Library, tmp_path: Path) -> None:
    bad = write_sounds(tmp_path / "bad.flac", "broken")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "empty.m3u8").write_text("#EXTM3U\n")
    with pytest.raises(AudioError, match="no audio stream"):
        library.radio(bad)
    with pytest.raises(AudioError, match="no audio stream"):
        library.path_between(bad, tmp_path / "music/a/a0.flac")
    for nothing in (tmp_path / "nothing", tmp_path / "empty.m3u8", []):
        with pytest.raises(QueryError, match="there is no music in"):
            library.sort(nothing)
    with pytest.raises(QueryError, match=r"gone.flac.*neither"):
        library.mix(tmp_path / "gone.flac")
    with pytest.raises(QueryError, match="is a folder; name a track"):
        library.path_between(tmp_path / "nothing", tmp_path / "music/a/a0.flac")
    with pytest.raises(QueryError, match="no sense 'taste'"):
        library.mix(tmp_path / "not looked for", sense="taste")


def test_a_library_with_nothing_and_with_one_track(tmp_path: Path) -> None:
    library, _ = new_library(tmp_path / "library")
    one = write_sounds(tmp_path / "music/a.flac", "a")
    for ask in (library.radio, library.mix, library.sort):
        with pytest.raises(QueryError, match="there is no library in"):
            ask(one)
    library.index([tmp_path / "music"])
    assert list(library.radio(one)) == []
    assert names(library.mix(one)) == ["a"]
    assert names(library.mix(one, only_new=True)) == []
    assert names(library.sort(one)) == ["a"]
    two = library.path_between(one, write_sounds(tmp_path / "x.flac", "x"))
    assert names(two) == ["a", "x"]


def test_one_sense_alone(library: Library) -> None:
    """Points of a sense are its columns at unit length again."""
    snapshot = replace(library._filled(), senses={"sound": slice(0, 4), "tune": slice(4, 16)})
    ground = Ground(snapshot, sense="tune")
    own = snapshot.means[:, 4:] / np.linalg.norm(snapshot.means[:, 4:], axis=1, keepdims=True)
    assert np.allclose(ground.vectors([2, 5]), own[[2, 5]], atol=1e-6)
    assert np.allclose(ground.likeness(own[:3]), own[:3] @ own.T, atol=1e-6)


def test_an_empty_name_is_not_the_folder_one_is_in(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(music)
    for ask in (library.similar, library.sort, library.mix, library.radio):
        with pytest.raises(QueryError, match="'' is neither"):
            ask("")
