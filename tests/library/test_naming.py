"""Names of groups: what their tags say more often than those of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from soundalike.library import naming
from soundalike.library.naming import Word
from soundalike.library.tracks import Track


def facts(rows: list[dict[str, object]]) -> pa.Table:
    empty = {"genre": "", "artist": "", "album_artist": "", "album": "", "year": None}
    numbered = [
        {**empty, "path": f"/music/{i}.flac", **row}  # type: ignore[dict-item]
        for i, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(
        numbered,
        schema=pa.schema(
            [(name, pa.int32() if name == "year" else pa.string()) for name in [*empty, "path"]]
        ),
    )


def midst(title: str, artist: str = "") -> Track:
    return Track("0" * 16, Path("/music/a.flac"), title, artist, "", 60.0)


def named(rows: list[dict[str, object]], labels: list[int]) -> list[str]:
    said, written = naming.said_by(facts(rows), ["/music"])
    words = naming.words_of(np.array(labels), said, written)
    return naming.names_of(words, [midst(f"Track {i}") for i in range(len(words))])


def test_a_group_is_named_by_what_only_it_says() -> None:
    rows = [{"genre": "Jazz", "year": 1961}] * 8 + [{"genre": "Rock", "year": 1975}] * 8
    assert named(rows, [0] * 8 + [1] * 8) == ["Jazz", "Rock"]


def test_what_everybody_says_is_no_name() -> None:
    rows = [{"genre": "Music", "artist": "A"}] * 8 + [{"genre": "Music", "artist": "B"}] * 8
    assert named(rows, [0] * 8 + [1] * 8) == ["A", "B"]


def test_a_second_word_is_added_where_the_first_covers_a_part_only() -> None:
    rows = [{"artist": "A"}] * 6 + [{"artist": "B"}] * 5 + [{"artist": f"C{i}"} for i in range(30)]
    assert named(rows, [0] * 11 + [1] * 30)[0] == "A, B"


def test_one_thing_said_by_three_tags_is_said_once() -> None:
    rows = [{"artist": "A", "album": "X", "path": f"/music/X/{i}.flac"} for i in range(6)]
    rows += [{"artist": f"B{i}"} for i in range(12)]
    assert named(rows, [0] * 6 + [1] * 12)[0] == "A"


def test_without_tags_a_group_is_called_after_its_midst() -> None:
    assert named([{}] * 6, [0, 0, 0, 1, 1, 1]) == ["like Track 0", "like Track 1"]


def test_no_two_groups_have_one_name() -> None:
    rows = [{"genre": "Jazz"}] * 12 + [{"genre": "Rock"}] * 40
    names = named(rows, [0] * 6 + [1] * 6 + [2] * 40)
    assert names[0] == "Jazz"
    assert names[1] == "Jazz, like Track 1"
    assert naming.names_of([[], []], [midst("One", "A")] * 2) == [
        "like A - One",
        "like A - One (2)",
    ]


def test_several_genres_in_one_tag_are_several_words_however_they_are_written() -> None:
    table = facts([{"genre": "Jazz; Bebop"}, {"genre": "jazz / Fusion"}, {"genre": "Jazz"}])
    said, written = naming.said_by(table, [])
    genres = [{text for kind, text in words if kind == "genre"} for words in said]
    assert genres == [{"jazz", "bebop"}, {"jazz", "fusion"}, {"jazz"}]
    assert written["genre", "jazz"] == "Jazz"


def test_folders_below_the_roots_are_words_and_the_roots_are_not() -> None:
    said, _ = naming.said_by(facts([{"path": "/music/Live/1999/a.flac"}]), ["/music"])
    assert {text for kind, text in said[0] if kind == "folder"} == {"live", "1999"}


@given(*[st.integers(1, 200)] * 4)
def test_the_ratio_is_that_of_the_table_of_four(a: int, b: int, c: int, d: int) -> None:
    """a of the group say it and b do not, c and d of the others."""
    expected = chi2_contingency([[a, b], [c, d]], correction=False, lambda_="log-likelihood")
    found = naming.log_likelihood(a, a + b, c, c + d)
    more = a / (a + b) > c / (c + d)
    assert found == pytest.approx(expected.statistic if more else 0.0, abs=1e-6)


def test_a_word_tells_its_shares() -> None:
    rows = [{"genre": "Jazz"}] * 6 + [{}] * 2 + [{"genre": "Jazz"}] + [{}] * 19
    said, written = naming.said_by(facts(rows), ["/music"])
    ((word,), none) = naming.words_of(np.array([0] * 8 + [1] * 20), said, written)
    assert word == Word("genre", "Jazz", 0.75, 0.05)
    assert none == []


def test_paths_that_are_not_utf8_have_folders_too() -> None:
    table = facts([{"path": "/music/\0dcff/a.flac"}])
    said, _ = naming.said_by(table, [str(Path("/music"))])
    assert ("folder", "\ufffd") in said[0]
