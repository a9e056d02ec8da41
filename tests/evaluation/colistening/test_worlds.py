"""From a list of tracks to who listened to what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import QueryError
from soundalike.evaluation.colistening import worlds
from soundalike.evaluation.colistening.listeners import Listening
from soundalike.evaluation.colistening.worlds import logged_world, read_listing, simulated_worlds


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    path = tmp_path / "tracks.csv"
    rows = [f"a/{i}.opus,train,album {i % 4},Ann,Song {i}" for i in range(30)]
    rows += [f"b/{i}.opus,validation,album b,,\n" for i in range(3)] + ["c.opus,test,c,,Secret"]
    path.write_text("\n".join(["path,split,soundtrack,artist,title", *rows]))
    return path


def test_the_test_split_is_not_looked_at(tracks: Path) -> None:
    listing = read_listing(tracks)
    assert len(listing.recordings) == len(listing.titles) == 33
    assert listing.splits == ["train"] * 30 + ["validation"] * 3
    assert "Secret" not in listing.titles


def test_a_log_may_name_tracks_by_path_or_by_artist_and_title(tracks: Path) -> None:
    known = read_listing(tracks).known(tracks.parent)
    assert known.find("b/2.opus", "", "") == 32
    assert known.find("", "Ann", "song 7") == 7


def test_tracks_are_taken_with_all_that_is_known_of_them(tracks: Path) -> None:
    listing = read_listing(tracks)
    some = listing.take([i in (2, 31) for i in range(33)])
    assert [each.path.name for each in some.recordings] == ["2.opus", "1.opus"]
    assert (some.titles, some.splits) == (["Song 2", ""], ["train", "validation"])


def test_worlds_are_simulated_with_several_seeds(
    tracks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Listening(listeners=3, evenings=9)
    monkeypatch.setattr(worlds, "WORLDS", {"one": few, "other": Listening(3, 9, focus=0.0)})
    listing = read_listing(tracks)
    made = simulated_worlds(listing.recordings, np.zeros((33, 2)), 2)
    assert {name: len(each) for name, each in made.items()} == {"one": 2, "other": 2}
    first, second = made["one"]
    assert len(first.training) + len(first.validation) + len(first.test) == 27
    assert first.training.tracks.tolist() != second.training.tracks.tolist()
    assert first.training.times.max() < few.moments()[0] <= first.validation.times.min()


def test_a_log_is_split_by_time_and_said_so(tracks: Path, tmp_path: Path) -> None:
    log = tmp_path / "plays.csv"
    rows = [f"eve,{i // 2},Ann,Song {i % 30},{1_700_000_000 + i * 1000}" for i in range(80)]
    log.write_text(
        "\n".join(["user,session,artist,title,time", *rows, "eve,9,Ann,None,1700000000"])
    )
    made, told = logged_world(log, read_listing(tracks).known(tracks.parent))
    (world,) = made["plays of plays.csv"]
    assert [len(each) for each in (world.training, world.validation, world.test)] == [28, 6, 6]
    assert "80 of 81 plays" in told
    assert '"Ann - None" (1)' in told
    assert "40 sessions, split by time" in told


def test_a_log_of_few_sessions_is_refused(tracks: Path, tmp_path: Path) -> None:
    log = tmp_path / "plays.csv"
    log.write_text("user,path\neve,a/1.opus\n")
    with pytest.raises(QueryError, match="has 1 sessions with known tracks; at least 30"):
        logged_world(log, read_listing(tracks).known(tracks.parent))
