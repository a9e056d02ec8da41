"""Copies, recordings, versions: beside a slow twin, and case by case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_snapshot import snapshot_of, towards

from soundalike.library import versions
from soundalike.library.versions import (
    ARRANGED,
    RECORDED,
    TITLED,
    duplicates,
    plain_title,
    same_duration,
    versions_of,
)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("So What", "so what"),
        ("SO WHAT (Live at the Plugged Nickel) [2009 Remaster]", "so what"),
        ("So What - Remastered 2011", "so what"),
        ("So What – Single Version", "so what"),
        ("So What feat. Somebody", "so what"),
        ("So What (feat. X) (Remix)", "so what"),
        ("Déjà Vu (Album Version)", "deja vu"),
        ("(Untitled)", "(untitled)"),  # nothing else is left to compare
        ("[Live]", "[live]"),
        ("Suite - Part 1", "suite - part 1"),  # another movement, not another version
        ("Live", "live"),
        ("", ""),
    ],
)
def test_what_tells_versions_apart_is_no_part_of_a_title(title: str, expected: str) -> None:
    assert plain_title(title) == expected


def test_durations_of_one_recording() -> None:
    assert same_duration(200, 202)
    assert not same_duration(200, 202.1)
    assert same_duration(1000, 1010)
    assert not same_duration(1000, 1011)
    assert not same_duration(4, 5)  # of four seconds, one is much
    assert same_duration(4, 4.2)


def kinds(rows: list[dict[str, Any]], row: int = 0, **options: Any) -> dict[int, str]:
    snapshot = snapshot_of(rows, **options)
    return {snapshot.row_of_id[v.track.id]: v.kind for v in versions_of(row, snapshot)}


def test_the_kinds_of_versions_and_their_order() -> None:
    seed = {"vector": towards(1.0), "title": "Song", "content": "one", "duration": 100.0}
    rows = [
        seed,
        seed | {"title": "Song copied"},
        {"vector": towards(TITLED + 0.01), "title": "Song (Live)", "duration": 150.0},
        {"vector": towards(RECORDED + 0.001), "title": "Other name", "duration": 101.0},
        {"vector": towards(RECORDED + 0.002), "title": "SONG", "duration": 190.0},
        {"vector": towards(RECORDED + 0.003), "title": "Prelude", "duration": 190.0},  # alike only
        {"vector": towards(TITLED - 0.01), "title": "Song"},  # of that name only
        {"vector": towards(0.1), "title": "Song", "content": "one"},  # heard by nobody as the same
    ]
    assert kinds(rows) == {1: "copy", 7: "copy", 4: "recording", 3: "recording", 2: "version"}
    assert list(kinds(rows)) == [1, 7, 4, 3, 2]
    reasons = {v.track.title: v.why for v in versions_of(0, snapshot_of(rows))}
    assert reasons["Other name"] == "vectors close, and both 100 s long"
    assert reasons["SONG"].endswith("the same title; 100 and 190 s long")


def test_the_sense_of_composition_knows_arrangements() -> None:
    senses = {"sound": slice(0, 2), "composition": slice(2, 4)}
    close = [ARRANGED + 0.01, float(np.sqrt(1 - (ARRANGED + 0.01) ** 2))]
    rows = [
        {"vector": [1, 0, 1, 0], "title": "a"},
        {"vector": [0, 1, *close], "title": "b"},
        {"vector": [0, 1, 0.5, 0.8], "title": "c"},
    ]
    assert kinds(rows, senses=senses) == {1: "version"}
    assert kinds(rows) == {}


def test_a_library_without_doubles_has_none() -> None:
    rows = [{"vector": towards(0.5, axis=1 + i), "title": ""} for i in range(5)]
    assert duplicates(snapshot_of(rows)) == []
    assert kinds(rows) == {}


def test_groups_of_duplicates() -> None:
    rows = [
        {"vector": towards(0.5), "content": "x", "title": "A"},
        {"vector": towards(0.9, axis=2), "title": "B", "duration": 100.0},
        {"vector": towards(0.5), "content": "x", "title": "A"},
        {"vector": towards(0.9, axis=2), "title": "B2", "duration": 101.0},
        {"vector": towards(0.9, axis=2), "title": "b2 (live)", "duration": 300.0},
    ]
    found = duplicates(snapshot_of(rows))
    assert [(group.kind, [t.title for t in group.tracks]) for group in found] == [
        ("recording", ["B", "B2", "b2 (live)"]),
        ("copy", ["A", "A"]),
    ]
    assert found[1].why == "the same file"
    assert found[1].copies == found[1].tracks[1:]
    assert found[0].copies == ()


def test_a_group_says_what_holds_of_all_its_files() -> None:
    same = {"vector": towards(0.5), "title": "A", "duration": 44.0}
    rows = [same | {"content": "x"}, same | {"content": "y"}, same | {"content": "x"}]
    (group,) = duplicates(snapshot_of(rows))
    assert (group.kind, group.why) == ("recording", "vectors close, and all 44 s long")
    assert group.copies == (group.tracks[2],)
    titled = [same | {"content": str(i), "duration": 44.0 + 50 * i} for i in range(3)]
    (group,) = duplicates(snapshot_of(titled))
    assert group.why == "vectors close, and the same title; 44 to 144 s long"
    chain = [titled[0], titled[1], titled[1] | {"title": "B", "content": "b"}]
    (group,) = duplicates(snapshot_of(chain))
    assert group.why.endswith("from one to the next the same duration or title; 44 to 94 s long")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "vector": st.sampled_from([towards(0.9), towards(0.4), towards(0.6, axis=2)]),
                "duration": st.floats(90, 110) | st.floats(1000, 1040) | st.just(3.0),
                "title": st.sampled_from(["a", "A (live)", "b", "c", "d"]),
                "content": st.integers(0, 12).map(str),
            }
        ),
        max_size=30,
    ),
    st.integers(1, 40),
)
def test_groups_are_those_of_comparing_every_pair(rows: list[dict[str, Any]], block: int) -> None:
    """In blocks of any size: what lasts as long must not be cut apart."""

    def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
        if one["content"] == other["content"]:
            return True
        lasts = same_duration(one["duration"], other["duration"])
        titled = plain_title(one["title"]) == plain_title(other["title"])
        return one["vector"] == other["vector"] and (lasts or titled)

    groups: list[set[int]] = []
    for i, row in enumerate(rows):
        joined = [group for group in groups if any(same(row, rows[j]) for j in group)]
        groups = [group for group in groups if group not in joined] + [{i}.union(*joined)]
    expected = {frozenset(group) for group in groups if len(group) > 1}
    snapshot = snapshot_of(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "_BLOCK", block)
        found = duplicates(snapshot)
    assert {
        frozenset(snapshot.row_of_id[track.id] for track in group.tracks) for group in found
    } == expected
