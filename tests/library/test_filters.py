"""Filters: beside a slow twin over random rows, and what each column and each mistake means."""

from __future__ import annotations

import contextlib
import datetime
import json
import operator
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.errors import QueryError
from soundalike.library.filters import matching
from soundalike.library.store import FACTS

Row = dict[str, Any]
Clause = tuple[str, Callable[[Row], bool]]

QUOTES = ("'", '"')
DAY = datetime.datetime(2026, 11, 20, 12, 30, tzinfo=datetime.UTC)
TEXT = ("title", "artist", "album", "album_artist", "genre")
NUMBER = ("year", "track_number", "duration")
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def row(**known: Any) -> Row:
    empty = {"year": None, "track_number": None, "duration": 200.0, "size": 1, "mtime_ns": 1}
    texts = dict.fromkeys(("id", "content", "path", *TEXT, "more"), "")
    given = {"path": "/music/x.flac", "title": "X", "added_at": DAY}
    return {**texts, **empty, **given, **known}


def table(*rows: Row) -> pa.Table:
    numbers = {"year": pa.int32(), "track_number": pa.int32(), "size": pa.int64()}
    others = {"duration": pa.float64(), "added_at": pa.timestamp("us", tz="UTC")}
    columns = [*FACTS, *({"more"} - set(FACTS))]
    kinds = numbers | {"mtime_ns": pa.int64()} | others
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
    return pa.Table.from_pylist(list(rows), schema=schema)


def holds(expression: str, **known: Any) -> bool:
    (answer,) = matching(expression, table(row(**known))).tolist()
    return bool(answer)


# --- the twin: every clause carries a plain Python function that says the same -------------------

words = st.sampled_from(
    ["", "a", "A", "b", "ab", "Ab%", "a_b", "it's", 'q"', "é", "É", "ß", "1", "9x"]
)
years = st.none() | st.integers(1, 4)
rows = st.builds(
    row,
    title=words.filter(bool),
    artist=words,
    album=words,
    genre=words,
    year=years,
    track_number=years,
    duration=st.sampled_from([1.0, 2.5, 90.0, 210.0]),
    more=st.dictionaries(st.sampled_from(["bpm", "mood"]), words.filter(bool)).map(
        lambda tags: json.dumps(tags, ensure_ascii=False) if tags else ""
    ),
)


def quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote


def said(found: Row, name: str) -> str | None:
    tags = json.loads(found["more"] or "{}")
    value = found[name] if name in TEXT else tags.get(name)
    return value.lower() if value else None


@st.composite
def text_clauses(draw: st.DrawFn) -> Clause:
    name, value = draw(st.sampled_from(TEXT)), draw(words)
    sign, compare = draw(st.sampled_from(list(SIGNS.items())))

    def twin(found: Row) -> bool:
        own = said(found, name)
        return own is not None and compare(own, value.lower())

    return f"{name} {sign} {quoted(value, draw(st.sampled_from(QUOTES)))}", twin


@st.composite
def number_clauses(draw: st.DrawFn) -> Clause:
    name = draw(st.sampled_from(NUMBER))
    text, value = draw(
        st.sampled_from([("2", 2.0), ("2.5", 2.5), ("3:30", 210.0), ("'1:30'", 90.0)])
    )
    sign, compare = draw(st.sampled_from(list(SIGNS.items())))

    def twin(found: Row) -> bool:
        return found[name] is not None and compare(found[name], value)

    return f"{name} {sign} {text}", twin


@st.composite
def like_clauses(draw: st.DrawFn) -> Clause:
    name = draw(st.sampled_from(TEXT))
    pattern = "".join(draw(st.lists(st.sampled_from(["%", "_", "a", "B", "é", "'"]), max_size=4)))
    expression = re.escape(pattern.lower()).replace("%", ".*").replace("_", ".")

    def twin(found: Row) -> bool:
        own = said(found, name)
        return own is not None and bool(re.fullmatch(expression, own, re.DOTALL))

    return f"{name} {draw(st.sampled_from(['LIKE', 'ilike']))} {quoted(pattern, QUOTES[0])}", twin


@st.composite
def other_clauses(draw: st.DrawFn) -> Clause:
    name = draw(st.sampled_from(TEXT))
    if draw(st.booleans()):
        return f"{name} is null", lambda found: said(found, name) is None
    values = draw(st.lists(words, min_size=1, max_size=3))
    listed = ", ".join(quoted(value, QUOTES[0]) for value in values)
    lowered = [value.lower() for value in values]
    return f"{name} IN ({listed})", lambda found: said(found, name) in lowered


clauses = text_clauses() | number_clauses() | like_clauses() | other_clauses()


def joined(parts: st.SearchStrategy[Clause]) -> st.SearchStrategy[Clause]:
    both = st.tuples(parts, parts)
    return (
        parts.map(lambda a: (f"NOT ({a[0]})", lambda found: not a[1](found)))
        | both.map(lambda p: (f"({p[0][0]}) AND ({p[1][0]})",
                              lambda found: p[0][1](found) and p[1][1](found)))
        | both.map(lambda p: (f"({p[0][0]}) or ({p[1][0]})",
                              lambda found: p[0][1](found) or p[1][1](found)))
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=6), st.recursive(clauses, joined, max_leaves=5))
def test_a_filter_says_what_its_slow_twin_says(found: list[Row], clause: Clause) -> None:
    expression, twin = clause
    assert matching(expression, table(*found)).tolist() == [twin(one) for one in found], expression


@settings(max_examples=100, deadline=None)
@given(st.lists(rows, min_size=1, max_size=6), clauses, clauses, clauses)
def test_not_binds_before_and_and_and_before_or(
    found: list[Row], a: Clause, b: Clause, c: Clause
) -> None:
    bare = f"NOT {a[0]} OR {b[0]} AND NOT {c[0]}"
    clear = f"(NOT ({a[0]})) OR (({b[0]}) AND (NOT ({c[0]})))"
    assert matching(bare, table(*found)).tolist() == matching(clear, table(*found)).tolist()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30) | st.lists(st.sampled_from(
    ["year", "genre", "=", "<", "'a'", "3", "(", ")", "AND", "OR", "NOT", "IN", ",", "IS", "NULL",
     "LIKE", "BETWEEN", "UNDER", "3:30", "`x", "\ud800", "\0"]), max_size=8).map(" ".join))  # fmt: skip
def test_whatever_is_typed_is_a_filter_or_an_error(typed: str) -> None:
    with contextlib.suppress(QueryError):
        assert matching(typed, table(row())).shape == (1,)


# --- columns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("genre = 'jazz'", True),
        ("genre != 'rock'", True),
        ("genre <> 'JAZZ'", False),
        ("'jazz' = genre", True),
        ("1900 < year", True),
        ("year BETWEEN 1959 AND 1959", True),
        ("year NOT BETWEEN 1959 AND 1959", False),
        ("year = '1959'", True),
        ("year NOT IN (1958, 1960)", True),
        ("title NOT LIKE '%blue%'", False),
        ("title = 'SO WHAT (blue)'", True),
        ("artist != album_artist", True),
        ("artist = title", False),
        ("track_number IS NULL", True),
        ("year IS NOT NULL", True),
        ("albumartist IS NULL", True),
        ("length < 10:00", True),
        ("duration > 1:02:03", False),
        ("duration = 545", True),
        ("added_at = '2026-11-20'", True),
        ("added_at = '2026'", True),
        ("added_at > '2026-11-20'", False),
        ("added_at <= '2026-11-20'", True),
        ("added_at < '2026-11-20'", False),
        ("added_at >= '2026-11'", True),
        ("added_at > '2026-11-20 12:00'", True),
        ("added_at > '2026-11-20T13:00+00:00'", False),
        ("added_at = 2026", True),
        ("bpm > 120", True),
        ("bpm = 136", True),
        ("bpm = '136.5 bpm'", True),
        ("bpm > '1'", True),
        ("`Album Type` = 'live'", True),
        ("mood IS NULL", False),
    ],
)
def test_what_each_column_means(expression: str, expected: bool) -> None:
    more = {"bpm": "136.5 BPM", "album type": "Live", "mood": 'so "blue"\n'}
    known = row(
        path="/music/Jazz/Miles/01.flac",
        title="So What (Blue)",
        artist="Miles Davis",
        genre="Jazz",
        year=1959,
        duration=545.0,
        more=json.dumps(more),
    )
    if "bpm = 136" in expression and "'" not in expression:
        known["more"] = json.dumps(more | {"bpm": "136 BPM"})
    assert matching(expression, table(known)).tolist() == [expected]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("folder = '/music/100%_Jazz'", True),
        ("folder = '/music/100%_Jazz/'", True),
        ("folder = '/music'", False),
        ("folder LIKE '%/100\\%\\_jazz'", True),
        ("folder LIKE '%Jazz/%'", True),
        ("folder LIKE '/music/%'", True),
        ("folder UNDER '/music'", True),
        ("path UNDER '/MUSIC/x/../100%_jazz'", True),
        ("path UNDER '/mus'", False),
        ("path UNDER '/'", True),
        ("path LIKE '%.FLAC'", True),
        ("path = '/music/100%_jazz/a.flac'", True),
    ],
)
def test_folders(expression: str, expected: bool) -> None:
    assert holds(expression, path="/music/100%_Jazz/a.flac") is expected


def test_under_takes_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert holds("path UNDER '~/Music'", path="/home/ann/Music/a.flac")


def test_a_title_is_the_one_people_see() -> None:
    facts = table(row(title="", path="/m/Blue\0dcff Train.flac"), row(title="Blue"))
    assert matching("title LIKE 'blue_ train'", facts).tolist() == [True, False]
    assert matching("title IS NULL", facts).tolist() == [True, False]


def test_accents_are_the_same_composed_and_apart() -> None:
    assert holds("artist = 'CAF\u00c9'", artist="Cafe\u0301")
    assert holds("artist LIKE 'cafe\u0301%'", artist="Caf\u00e9 del Mar")


def test_paths_that_are_not_utf8_can_be_named() -> None:
    assert holds("path LIKE '%\udcff%'", path="/m/\0dcff.flac")
    assert holds("path LIKE '%a%b%'", path="/m/a\nb.flac")


def test_what_a_file_does_not_say_meets_no_comparison_and_every_opposite() -> None:
    for clause in ("year < 1970", "year >= 1970", "genre = 'x'", "genre < 'x'", "genre LIKE '%'"):
        assert not holds(clause)
        assert holds(f"NOT {clause}")
    assert holds("genre != 'Christmas'")


def test_tags_are_found_where_a_value_is_no_text() -> None:
    facts = table(
        row(more='{"bpm": 128, "x": null}'), row(more=""), row(more='{"xbpm": "\\"bpm\\""}')
    )
    assert matching("bpm > 127", facts).tolist() == [True, False, False]


def test_tags_are_found_under_the_names_of_every_container() -> None:
    facts = table(
        row(more='{"bpm": "130"}'),
        row(more='{"tbpm": "128"}'),  # as libraries of before kept it
        row(more='{"tmpo": "90"}'),
        row(more='{"label": "Columbia", "publisher": "Sony"}'),
        row(more='{"mood": "tbpm"}'),
    )
    for name in ("bpm", "TBPM"):
        assert matching(f"{name} > 120", facts).tolist() == [True, True, False, False, False]
    assert matching("bpm IS NULL", facts).tolist() == [False, False, False, True, True]
    for words in ("publisher = 'Sony'", "label = 'Columbia'", "tpub = 'Columbia'"):
        assert matching(words, facts).tolist() == [False, False, False, True, False]


def test_a_library_made_before_tags_were_kept_has_none() -> None:
    facts = table(row(year=1999)).drop_columns(["more"])
    assert matching("year = 1999", facts).tolist() == [True]
    with pytest.raises(QueryError, match="no column bpm"):
        matching("bpm > 120", facts)


def test_a_filter_of_no_tracks_lets_none_through() -> None:
    assert matching("year = 1999", table()).shape == (0,)


# --- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "the filter is empty"),
        ("  \n", "the filter is empty"),
        ("yeer = 1999", r"no column yeer, did you mean year\? \(at character 1\)"),
        ("year = 1999 AND bmp > 3", r"no column bmp, did you mean bpm\? \(at character 17\)"),
        ("zzz = 1", "there are title, artist, .* and the tags bpm"),
        ("genre = Jazz", "if it is text, put it in quotes: 'Jazz'"),
        ("genre IN (Jazz, 'Rock')", "put it in quotes: 'Jazz'"),
        ("year = 'abc'", "year is a number, and 'abc' is none"),
        ("duration > 'long'", "write 3:30 or 210"),
        ("added_at > 'yesterday'", "added_at is a day; 'yesterday' is none"),
        ("added_at = '2026-13'", "'2026-13' is none"),
        ("added_at = '9999'", "'9999' is none"),
        ("genre > 5", "genre is text; put 5 in quotes"),
        ("year LIKE '19%'", "LIKE compares text, and year is none"),
        ("genre LIKE artist", "LIKE wants a value"),
        ("added_at > year", "> wants a value"),
        ("year = artist", "one is a number, the other text"),
        ("artist UNDER '/music'", "write path UNDER '/music'"),
        ("'a' = 'b'", "no column"),
        ("'a' IS NULL", "IS NULL asks about a column"),
        ("year =", r"expected a value, found the end \(at character 7\)"),
        ("year", "expected a comparison"),
        ("(year = 1", r"expected \), found the end"),
        ("year = 1)", r"expected AND or OR, found \)"),
        ("year = 1 genre = 'x'", "expected AND or OR, found genre"),
        ("year IS 3", "expected NULL, found 3"),
        ("year BETWEEN 1 OR 2", "expected AND, found OR"),
        ("year IN ()", r"expected a value, found \)"),
        ("genre = 'Jazz", r"a quote ' that does not end \(at character 9\)"),
        ("year > 1; DROP TABLE x", "; has no meaning"),
        ("lower(genre) = 'x'", r"no functions such as lower\(\)"),
        ("(" * 60 + "year = 1" + ")" * 60, "more than 50 parentheses"),
        ("NOT " * 100_000 + "year = 1", "more than 50 parentheses"),
    ],
)
def test_a_mistake_is_named_with_its_place(expression: str, message: str) -> None:
    facts = table(row(more='{"bpm": "120"}'))
    with pytest.raises(QueryError, match=message) as caught:
        matching(expression, facts)
    assert len(str(caught.value)) < 500


def test_a_long_filter_is_no_deep_one() -> None:
    assert holds(" OR ".join(["year = 1999"] * 2000), year=1999)
    assert holds(f"genre NOT IN ({', '.join(['1'] * 500)})")
