"""What may answer: beside a slow greedy twin, and case by case."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_snapshot import snapshot_of, towards

from soundalike.errors import QueryError
from soundalike.library import queries, search
from soundalike.library.aggregation import unit
from soundalike.library.queries import Seed
from soundalike.library.ranking import Query, Question
from soundalike.library.selection import RAW, Chooser, Selection
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track
from soundalike.library.versions import RECORDED, plain_title, same_duration

Row = dict[str, Any]


def seed_of(row: int, snapshot: Snapshot) -> Seed:
    assert snapshot.segments is not None
    query = Query(snapshot.segments[row], snapshot.times(row), frozenset([row]))
    return Seed(query, row, snapshot.track(row))


def ask(
    snapshot: Snapshot, selection: Selection, *, n: int = 10, seed: int | Seed = 0
) -> tuple[dict[int, list[int]], Chooser]:
    """Rows that answer to a row, with those each stands for."""
    asked = seed_of(seed, snapshot) if isinstance(seed, int) else seed
    chooser = Chooser(selection, [asked], snapshot, n=n)
    own = frozenset() if selection.include_self else asked.query.left_out
    query = Query(asked.query.vectors, asked.query.segments, own)
    question = Question((query,), allowed=chooser.allowed)
    found = search.neighbors(question, snapshot, n=n, choice=chooser)
    row_of = snapshot.row_of_id
    return {row_of[each.track.id]: [row_of[v.id] for v in each.versions] for each in found}, chooser


# --- the twin --------------------------------------------------------------------------------------

names = st.sampled_from(["", "a", "A ", "b", "c"])
vectors = st.integers(0, 3).flatmap(
    lambda lean: st.sampled_from([0.8, 0.8001, 0.2, 0.1]).map(lambda c: towards(c, axis=1 + lean))
)
rows = st.fixed_dictionaries(
    {
        "vector": vectors,
        "artist": names,
        "album": names,
        "title": st.sampled_from(["x", "X (live)", "y"]),
        "duration": st.sampled_from([100.0, 101.5, 110.0, 300.0]),
    }
)
selections = st.builds(
    Selection,
    exclude_same_artist=st.booleans(),
    exclude_same_album=st.booleans(),
    max_per_artist=st.integers(0, 3),
    max_per_album=st.integers(0, 2),
    keep_versions=st.booleans(),
    max_duration_ratio=st.sampled_from([None, 1.2]),
    filter=st.sampled_from(["", "duration < 200"]),
)


def artist(row: Row) -> str:
    return str(row["artist"]).strip().lower()


def album(row: Row, number: int) -> tuple[str, str]:
    # All files of the test lie in one folder, which stands for the artist where there is none.
    title = str(row["album"]).strip().lower()
    return (title, artist(row) or "/m") if title else ("", str(number))


def recording(one: Row, other: Row) -> bool:
    a, b = np.float32(one["vector"]), np.float32(other["vector"])
    cosine = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    lasts = same_duration(one["duration"], other["duration"])
    return cosine >= RECORDED and (
        lasts or plain_title(one["title"]) == plain_title(other["title"])
    )


def twin(found: list[Row], order: list[int], chosen: Selection, n: int) -> dict[int, list[int]]:
    """The same, one row after the other."""
    seed, kept = found[0], {}
    for number in order:
        row = found[number]
        ratio = row["duration"] / seed["duration"]
        apart = chosen.max_duration_ratio
        if (
            (chosen.filter and row["duration"] >= 200)
            or (chosen.exclude_same_artist and artist(row) and artist(row) == artist(seed))
            or (chosen.exclude_same_album and album(row, number) == album(seed, 0))
            or (apart and not 1 / apart <= ratio <= apart)
        ):
            continue
        if not chosen.keep_versions:
            if recording(row, seed):
                continue
            known = next((other for other in kept if recording(row, found[other])), None)
            if known is not None:
                kept[known].append(number)
                continue
        if len(kept) == n:
            continue
        of_artist = [i for i in kept if artist(row) and artist(found[i]) == artist(row)]
        of_album = [i for i in kept if album(found[i], i) == album(row, number)]
        if 0 < chosen.max_per_artist <= len(of_artist) or 0 < chosen.max_per_album <= len(of_album):
            continue
        kept[number] = []
    return kept


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, min_size=2, max_size=30), selections, st.integers(1, 5))
def test_a_selection_is_what_its_slow_twin_selects(
    found: list[Row], chosen: Selection, n: int
) -> None:
    snapshot = snapshot_of(found)
    exact = unit(snapshot.means.astype(np.float64))
    scores = (exact @ exact[0]).round(12)
    order = [i for i in np.lexsort((np.arange(len(found)), -scores)).tolist() if i != 0]
    expected = twin(found, order, chosen, n)
    answered: dict[int, list[int]] = {}
    with contextlib.suppress(QueryError):  # nothing may answer
        answered, _ = ask(snapshot, chosen, n=n)
    assert list(answered) == list(expected)
    assert answered == expected


# --- case by case ----------------------------------------------------------------------------------


def library(*rows: Row) -> Snapshot:
    """A seed, artist "me", and other rows; each is a little further away than the one before."""
    seed = {"vector": towards(1.0, width=16), "artist": "me", "album": "mine", "title": "seed"}
    others = [
        {"vector": towards(0.7 - 0.01 * i, axis=1 + i, width=16), "title": f"t{i}", **row}
        for i, row in enumerate(rows)
    ]
    return snapshot_of([seed, *others])


def test_the_nearest_being_the_same_recording_leaves_the_rest() -> None:
    again = {"vector": towards(0.999, width=16), "title": "Seed (2009 Remaster)", "duration": 230.0}
    snapshot = library(again, {}, {})
    answered, chooser = ask(snapshot, Selection(), n=2)
    assert (list(answered), chooser.again) == ([2, 3], 1)
    assert list(ask(snapshot, Selection(keep_versions=True), n=2)[0]) == [1, 2]
    assert ask(snapshot, Selection(include_self=True), n=2)[0] == {0: [1], 2: []}


def test_vectors_alone_make_no_recording() -> None:
    near = {"vector": towards(0.9999, width=16), "title": "Prelude 2", "duration": 120.0}
    assert list(ask(library(near), Selection())[0]) == [1]


def test_an_answer_says_which_files_it_stands_for() -> None:
    same = towards(0.8, axis=2, width=16)
    snapshot = library(
        {"vector": same, "duration": 100.0},
        {"vector": towards(0.5, axis=3, width=16)},
        {"vector": same, "duration": 100.9},
    )
    assert ask(snapshot, Selection(), n=1)[0] == {1: [3]}
    assert ask(snapshot, Selection(), n=2)[0] == {1: [3], 2: []}


def test_the_usual_limits_and_those_given() -> None:
    snapshot = library(
        *({"artist": "Big", "album": f"a{i // 3}"} for i in range(9)), {"artist": "x"}
    )
    limited, chooser = ask(snapshot, Selection(), n=4)
    assert list(limited) == [1, 2, 4, 10]
    assert chooser.passed == 6
    assert list(ask(snapshot, RAW, n=4)[0]) == [1, 2, 3, 4]
    one, chooser = ask(snapshot, Selection(max_per_artist=1), n=4)
    assert list(one) == [1, 10]
    assert "the limits per artist and album leave 3" in chooser.scarcity()


def test_the_usual_limits_rise_where_there_is_nobody_else() -> None:
    snapshot = library(*({"artist": "Big", "album": "One"} for _ in range(9)))
    assert list(ask(snapshot, Selection(), n=8)[0]) == list(range(1, 9))
    assert len(ask(snapshot, Selection(), n=2)[0]) == 2


def test_nobody_is_not_an_artist() -> None:
    snapshot = library(*({"artist": "", "album": ""} for _ in range(6)))
    strict = Selection(max_per_artist=1, max_per_album=1)
    assert len(ask(snapshot, strict, n=6)[0]) == 6
    nameless = snapshot_of(
        [{"vector": towards(1.0, width=16)}, {"vector": towards(0.5, width=16), "title": "x"}]
    )
    others = Selection(exclude_same_artist=True, exclude_same_album=True)
    assert list(ask(nameless, others)[0]) == [1]


def test_albums_of_one_name_by_others_are_others() -> None:
    snapshot = library(
        {"artist": "a", "album": "Greatest Hits"},
        {"artist": "b", "album": "Greatest Hits"},
        {"artist": "c", "album": "Hits", "album_artist": "Various"},
        {"artist": "d", "album": "HITS", "album_artist": "various"},
    )
    assert list(ask(snapshot, Selection(max_per_album=1))[0]) == [1, 2, 3]


def test_a_file_outside_the_library_has_an_artist_too() -> None:
    snapshot = library({"artist": "Me"}, {"artist": "you"}, {"artist": ""})
    query = Query(np.float32([towards(1.0, width=16)] * 2), snapshot.times(0))
    outside = Seed(query, None, Track("", Path("/x.flac"), "new", "ME", "mine", 100.0))
    assert list(ask(snapshot, Selection(exclude_same_artist=True), seed=outside)[0]) == [2, 3]
    assert list(ask(snapshot, Selection(exclude_same_album=True), seed=outside)[0]) == [1, 2, 3]


def test_what_is_excluded_does_not_come_back_in_another_file(tmp_path: Path) -> None:
    same = towards(0.7, axis=2, width=16)
    snapshot = library(
        {"vector": same}, {"vector": same}, {"vector": towards(0.5, axis=3, width=16)}
    )
    for excluded in (snapshot.ids[1], Path(snapshot.paths[1]), snapshot.track(1)):
        assert list(ask(snapshot, Selection(exclude=[excluded]))[0]) == [3]
    assert list(ask(snapshot, Selection(exclude=[snapshot.ids[1]], keep_versions=True))[0]) == [
        2,
        3,
    ]
    playlist = tmp_path / "queue.m3u8"
    playlist.write_text(f"{snapshot.paths[1]}\n/not/there.flac\n")
    assert list(ask(snapshot, Selection(exclude=[playlist]))[0]) == [3]
    assert list(ask(snapshot, Selection(exclude=["/not/in/it.flac"]))[0]) == [1, 3]


def test_durations_like_that_of_the_query() -> None:
    snapshot = library(
        {"duration": 90.0}, {"duration": 100.0}, {"duration": 400.0}, {"duration": 401}
    )
    assert list(ask(snapshot, Selection(max_duration_ratio=2))[0]) == [2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filter": "year = 1"}, r"the filter 'year = 1' lets none of 3 tracks"),
        ({"filter": "title LIKE 't%'", "exclude": ["/m/0001.flac", "/m/0002.flac"]},
         "the excluded tracks lets none of 2 tracks left by the rest"),
        ({"max_duration_ratio": 0.5}, "it is at least 1"),
        ({"max_per_artist": -1}, "0 is no limit"),
        ({"max_per_album": 1.5}, "0 is no limit"),
        ({"include_self": True, "exclude_same_artist": True}, "contradict each other"),
        ({"filter": "yeer = 1"}, "did you mean year"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(options: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        ask(library({}, {}), Selection(**options))


def test_vectors_have_neither_artist_nor_duration() -> None:
    snapshot = library({})
    bare = queries.of_vectors(np.float32(towards(1.0, width=16)), 16)
    for options in ({"exclude_same_artist": True}, {"max_duration_ratio": 2.0}):
        with pytest.raises(QueryError, match="vectors have none"):
            ask(snapshot, Selection(**options), seed=bare)
    assert list(ask(snapshot, Selection(), seed=bare)[0]) == [0, 1]


def test_the_usual_limits_rise_for_both_together() -> None:
    one_album = [{"artist": "a", "album": "one"} for _ in range(7)]
    many_albums = [{"artist": "b", "album": f"b{i}"} for i in range(7)]
    snapshot = library(*one_album, *many_albums)
    for n in range(1, 15):
        assert len(ask(snapshot, Selection(), n=n)[0]) == n


def test_the_usual_limits_rise_where_others_are_one_recording() -> None:
    copy = {"vector": towards(0.3, axis=15, width=16), "title": "again", "artist": "b"}
    snapshot = library(*({"artist": "a"} for _ in range(5)), *[copy] * 5)
    assert len(ask(snapshot, Selection(), n=5)[0]) == 5
