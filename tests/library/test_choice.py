from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from stand_in import contents, new_library, write_sounds

from soundalike.errors import QueryError
from soundalike.library.choice import Choice, Filters, within
from soundalike.library.library import Library
from soundalike.library.manifest import read_manifest

FILES = ("a.mp3", "b.wma", "Podcasts/1.mp3", "Podcasts/deep/2.wma", "X/Live/3.mp3", "Live/4.mp3")


def taken(**filters: tuple[str, ...]) -> set[str]:
    choice = Choice({"/m": Filters(**filters)})  # type: ignore[arg-type]
    found = {name for name in FILES if choice.takes(f"/m/{name}")}
    # A folder that is not entered holds nothing that would be taken.
    for name in found:
        parents = Path(name).parents
        assert all(choice.enters(f"/m/{folder}") for folder in parents if str(folder) != ".")
    return found


@pytest.mark.parametrize(
    ("globs", "left"),
    [
        (("Podcasts",), {"a.mp3", "b.wma", "X/Live/3.mp3", "Live/4.mp3"}),
        (("Podcasts/",), {"a.mp3", "b.wma", "X/Live/3.mp3", "Live/4.mp3"}),
        (("Podcasts/*",), {"a.mp3", "b.wma", "X/Live/3.mp3", "Live/4.mp3"}),
        (("*.wma",), {"a.mp3", "Podcasts/1.mp3", "X/Live/3.mp3", "Live/4.mp3"}),
        (("*/Live/*",), set(FILES) - {"X/Live/3.mp3"}),
        (("**/Live/*",), set(FILES) - {"X/Live/3.mp3", "Live/4.mp3"}),
        (("[ab].*", "?ive"), {"Podcasts/1.mp3", "Podcasts/deep/2.wma", "X/Live/3.mp3"}),
        (("podcasts", "Pod", "asts/1.mp3"), set(FILES)),
    ],
)
def test_patterns_leave_out_and_take_in(globs: tuple[str, ...], left: set[str]) -> None:
    assert taken(exclude=globs) == left
    assert taken(include=globs) == set(FILES) - left
    assert taken(include=("*.mp3",), exclude=globs) == {n for n in left if n.endswith(".mp3")}


def test_the_deepest_folder_has_the_say() -> None:
    choice = Choice({"/m": Filters(exclude=("b",)), "/m/b": Filters(), "/n": Filters()})
    assert choice.takes("/m/b/x.mp3")
    assert not Choice({"/m": Filters(exclude=("b",))}).takes("/m/b/x.mp3")
    assert not choice.takes("/elsewhere/x.mp3")
    assert Choice({}).takes("/elsewhere/x.mp3")
    assert not Choice({"/m": Filters()})
    assert choice


def test_removed_paths_take_what_is_below_along() -> None:
    choice = Choice({"/m": Filters()}, ["/m/a", "/m/b.mp3"])
    assert not choice.takes("/m/a/b/c.mp3")
    assert not choice.takes("/m/b.mp3")
    assert choice.takes("/m/ab.mp3")
    assert not choice.enters("/m/a")


def test_within() -> None:
    assert within("/m/a", "/m")
    assert within("/m", "/m")
    assert within("/m", "/")
    assert not within("/mm", "/m")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX paths")
def test_lengths() -> None:
    choice = Choice({"/m": Filters(min_duration=30, max_duration=1200), "/n": Filters()})
    assert choice.measures
    assert choice.wrong_length("/m/a", 29.9) == "29.9 s long, less than the 30 s of --min-duration"
    assert choice.wrong_length("/m/a", 3661) == "61:01 long, more than the 20:00 of --max-duration"
    assert choice.wrong_length("/m/a", 30) is choice.wrong_length("/m/a", 1200) is None
    assert choice.wrong_length("/n/a", 9999) is None
    assert not Choice({"/m": Filters(max_duration=math.inf)}).measures


@pytest.mark.parametrize("limits", [(60.0, 30.0), (30.0, 30.0), (-1.0, None)])
def test_filters_that_no_track_can_pass(limits: tuple[float, float | None]) -> None:
    with pytest.raises(QueryError, match="no track is"):
        Filters(None, None, *limits).checked()


@pytest.mark.parametrize("glob", ["/m/Jazz/*", "./Jazz", "../Jazz"])
def test_patterns_that_name_no_path_below_the_folder(glob: str) -> None:
    for filters in (Filters(include=(glob,)), Filters(exclude=("*.wma", glob))):
        with pytest.raises(QueryError, match="matches no file"):
            filters.checked()


# --- in a library ---


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for name in ("a", "b", "Podcasts/c", "Podcasts/d"):
        write_sounds(tmp_path / f"music/{name}.mp3", f"sound {name}")
    write_sounds(tmp_path / "music/mix.mp3", "long", seconds="7200")
    return tmp_path / "music"


def stems(library: Library) -> list[str]:
    return [track.path.stem for track in library.tracks()]


def test_excluded_tracks_leave_and_come_back(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    library.index(music)
    report = library.index(filters=Filters(exclude=("Podcasts", "a.*", "b.*", "mix*")))
    assert (report.excluded, report.removed, report.held) == (5, 0, [])
    report = library.index(music, filters=Filters(exclude=("Podcasts",)))
    assert stems(library) == ["a", "b", "mix"]
    assert len(embedder.heard) == 8
    for again in (library, Library(library.path, embedder=embedder)):  # type: ignore[arg-type]
        assert again.index().unchanged == 3
    assert read_manifest(library.path).filters == {str(music): Filters(exclude=("Podcasts",))}
    assert library.index(filters=Filters(exclude=())).added == 2
    assert read_manifest(library.path).filters == {}


def test_an_excluded_track_is_not_counted_as_missing(tmp_path: Path) -> None:
    for i in range(24):
        write_sounds(tmp_path / f"music/{'ab'[i % 2]}/{i}.mp3", f"sound {i}")
    library, _ = new_library(tmp_path / "lib")
    library.index(tmp_path / "music")
    report = library.index(filters=Filters(include=("a", "nothing")))
    assert (report.excluded, report.held, len(library)) == (12, [], 12)


def test_long_files_are_left_out_with_the_reason(tmp_path: Path, music: Path) -> None:
    library, embedder = new_library(tmp_path / "lib")
    report = library.index(music, filters=Filters(max_duration=1200))
    assert (report.added, report.failed, len(report.left_out)) == (4, [], 1)
    assert library.left_out() == [
        (music / "mix.mp3", "120:00 long, more than the 20:00 of --max-duration")
    ]
    assert library.failures() == []
    heard = len(embedder.heard)
    assert (library.index().left_out, len(embedder.heard)) == ([], heard)
    report = library.index(filters=Filters(max_duration=math.inf, min_duration=100))
    assert (report.added, report.excluded) == (1, 4)
    assert stems(library) == ["mix"]
    assert len(library.left_out()) == 4
    whole = library.index(filters=Filters(min_duration=0))
    assert (whole.added, library.left_out()) == (4, [])
    scratch, _ = new_library(tmp_path / "scratch")
    scratch.index(music)
    assert contents(library) == contents(scratch)


def test_filters_belong_to_a_folder_that_was_indexed(tmp_path: Path, music: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    library.index(music)
    with pytest.raises(QueryError, match=r"lies in .*music', and filters belong to that"):
        library.index(music / "Podcasts", filters=Filters(exclude=("x",)))
    with pytest.raises(QueryError, match="at least 60 s and at most 30 s"):
        library.index(music, filters=Filters(min_duration=60, max_duration=30))


def test_a_copy_comes_under_the_limits_of_its_new_folder(tmp_path: Path, music: Path) -> None:
    long = write_sounds(music / "0/long.mp3", "a long one", seconds="300")
    short = write_sounds(tmp_path / "short/short.mp3", "a short one", seconds="50").parent
    library, _ = new_library(tmp_path / "lib")
    library.index([music])
    library.index([short], filters=Filters(max_duration=60))
    copy = write_sounds(short / "copy.mp3", "a long one", seconds="300")
    assert [path for path, _ in library.index().left_out] == [copy]
    assert copy not in library
    long.rename(moved := short / "moved.mp3")
    report = library.index()
    assert [path for path, _ in report.left_out] == [moved]
    assert report.unchanged == len(library) == 6
    assert library.index().excluded == 0


def test_what_is_left_out_without_being_looked_at_was_not_unchanged(tmp_path: Path) -> None:
    library, _ = new_library(tmp_path / "lib")
    here = write_sounds(tmp_path / "here/a.mp3", "a", seconds="50").parent
    away = write_sounds(tmp_path / "away/b.mp3", "b", seconds="300").parent
    library.index([here, away])
    away.rename(tmp_path / "unplugged")
    report = library.index(filters=Filters(max_duration=60))
    assert (report.unchanged, report.excluded) == (1, 1)
