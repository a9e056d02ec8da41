"""A filter and the facts of a library -> which tracks may answer.

    matching("genre = 'Jazz' AND year < 1970 AND NOT folder LIKE '%/Live/%'", facts) -> bool [N]

`expressions` reads it; here its columns and values get their meaning:

- **Columns** are those of `COLUMNS` and every other tag of the files (`bpm`, `composer`, ...), by any name
  that a container has for it.
- **Text** is compared without regard to upper and lower case. LIKE knows % and _.
- **Numbers**: year, track_number, duration, size; a tag is one where the value is written as one,
  by the number it begins with (`bpm > 120` holds for "128.0 BPM").
- **duration** takes 210 and 3:30, **added_at** (UTC) '2026', '2026-11' and '2026-11-20' and means the
  whole of it, **folder** is the one the file lies in, and UNDER also counts those within.
- **What a file does not say** meets no comparison, and NOT is always the opposite: `year < 1970` drops
  tracks without a year, `NOT year < 1970` and `genre != 'Christmas'` keep those without one. SQL's
  third truth value would drop them in both cases.

Nothing is evaluated but these comparisons, by pyarrow's functions on whole columns.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundalike.library.expressions import (
    Column,
    Compare,
    Every,
    Literal,
    Missing,
    Node,
    Not,
    mistake,
    number_of,
    parse,
)
from soundalike.library.tracks import kept_as, names_of, path_to_text, text_to_path, title_of

Mask: TypeAlias = npt.NDArray[np.bool_]

TEXTS = ("title", "artist", "album", "album_artist", "genre", "path", "folder", "id")
NUMBERS = ("year", "track_number", "duration", "size")
COLUMNS = (*TEXTS, *NUMBERS, "added_at")
_ALIASES = {
    "albumartist": "album_artist",
    "track": "track_number",
    "tracknumber": "track_number",
    "length": "duration",
    "added": "added_at",
}
_MORE = "more"  # the column with all other tags, a JSON object or ""
_NEAR = 3
_LISTED = 12
_DATE = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?")
_LEADING_NUMBER = r"^\s*(?P<number>[+-]?\d+(?:\.\d+)?)"
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_FUNCTIONS = {"=": "equal", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}


def matching(expression: str, facts: pa.Table) -> Mask:
    """Find the tracks a filter lets through.

    Args:
        expression: such as "genre = 'Jazz' AND year < 1970".
        facts: of a snapshot, N rows.

    Returns:
        bool [N].

    Raises:
        QueryError: no filter, a column that is not there (names those that come near), or a value
            that does not fit its column.
    """
    return _Filter(expression, facts).mask(parse(expression))


class _Filter:
    """One filter on one table; every column is prepared once."""

    def __init__(self, expression: str, facts: pa.Table) -> None:
        self._expression, self._facts = expression, facts
        self._text = functools.cache(self._lowered)
        self._tag = functools.cache(self._read_tag)

    def mask(self, node: Node) -> Mask:
        if isinstance(node, Compare):
            return self._compare(node)
        if isinstance(node, Missing):
            return self._missing(node)
        if isinstance(node, Not):
            return ~self.mask(node.inner)
        both = np.logical_and if isinstance(node, Every) else np.logical_or
        return functools.reduce(both, map(self.mask, node.parts))

    def _compare(self, node: Compare) -> Mask:
        left, right, sign = node.left, node.right, node.sign
        if isinstance(left, Literal) and isinstance(right, Column) and sign in _FLIPPED:
            left, right, sign = right, left, _FLIPPED[sign]
        if isinstance(left, Literal):
            why = "two values are compared, and no column; text stands in quotes, columns do not"
            raise mistake(self._expression, left.at, why)
        name = self._name(left, beside=right)
        if sign == "!=":
            return ~self._compare(Compare("=", left, right))
        if isinstance(right, Column):
            return self._columns(sign, left, right)
        if sign in ("LIKE", "UNDER"):
            return self._like(name, right, left) if sign == "LIKE" else self._under(name, right)
        if name == "added_at":
            return self._moment(sign, right)
        if name in NUMBERS:
            return self._number(sign, name, right)
        if name not in COLUMNS and right.number is not None:
            return _applied(sign, _leading(self._tag(name)), right.number)
        if right.number is not None and sign != "=":
            why = f"{name} is text; put {right.text} in quotes to compare it as text"
            raise mistake(self._expression, right.at, why)
        value = right.text.rstrip("/") or "/" if name == "folder" else right.text
        # For an order one spelling has to do; the composed one is what tags are written in.
        forms = _forms(value) if sign == "=" else _forms(value)[:1]
        values = (_applied(sign, self._text(name), form) for form in forms)
        return functools.reduce(np.logical_or, values)

    def _columns(self, sign: str, left: Column, right: Column) -> Mask:
        names = [self._name(left), self._name(right, beside=left)]
        if "added_at" in names or sign not in _FUNCTIONS:
            why = f"{sign} wants a value here, not a column; text stands in quotes"
            raise mistake(self._expression, right.at, why)
        numbers = [name in NUMBERS for name in names]
        if any(numbers) and any(name in TEXTS for name in names):
            why = f"{names[0]} and {names[1]} do not compare: one is a number, the other text"
            raise mistake(self._expression, right.at, why)
        if any(numbers):
            sides = [
                self._column(name) if name in NUMBERS else _leading(self._tag(name))
                for name in names
            ]
        else:
            sides = [self._text(name) for name in names]
        return _applied(sign, *sides)

    def _number(self, sign: str, name: str, value: Literal) -> Mask:
        number = number_of(value.text) if value.number is None else value.number
        if number is None:
            example = "3:30 or 210" if name == "duration" else "a number such as 1999"
            why = f"{name} is a number, and {value.text!r} is none; write {example}"
            raise mistake(self._expression, value.at, why)
        return _applied(sign, pc.cast(self._column(name), pa.float64()), number)

    def _moment(self, sign: str, value: Literal) -> Mask:
        span = _span(value.text)
        if span is None:
            why = f"added_at is a day; {value.text!r} is none, write '2026-11-20' or '2026-11'"
            raise mistake(self._expression, value.at, why)
        first, past = (pa.scalar(moment, pa.timestamp("us", tz="UTC")) for moment in span)
        added = self._column("added_at")
        if sign == "=":
            return _applied(">=", added, first) & _applied("<", added, past)
        return (
            _applied(sign, added, first)
            if sign in ("<", ">=")
            else _applied({"<=": "<", ">": ">="}[sign], added, past)
        )

    def _like(self, name: str, pattern: Literal, column: Column) -> Mask:
        if name in NUMBERS or name == "added_at":
            why = f"LIKE compares text, and {name} is none; write {name} BETWEEN ... AND ..."
            raise mistake(self._expression, column.at, why)
        found = np.zeros(self._facts.num_rows, bool)
        encoded = self._text(name).dictionary_encode()
        for form in _forms(pattern.text):
            alike = pc.match_like(encoded.dictionary, form)
            if name == "folder":  # '%/Jazz/%' is meant for /music/Jazz itself, too
                whole = pc.binary_join_element_wise(encoded.dictionary, "", "/")
                alike = pc.or_(alike, pc.match_like(whole, form))
            found |= _mask(pc.take(alike, encoded.indices))
        return found

    def _under(self, name: str, folder: Literal) -> Mask:
        if name not in ("path", "folder"):
            why = f"UNDER says in which folder a file lies; write path UNDER {folder.text!r}"
            raise mistake(self._expression, folder.at, why)
        # As `queries.absolute` makes paths absolute, which are then as they were indexed.
        place = path_to_text(Path(os.path.abspath(os.path.expanduser(folder.text))))  # noqa: PTH100, PTH111
        found = np.zeros(self._facts.num_rows, bool)
        for form in _forms(place.replace(os.sep, "/").rstrip("/") + "/"):
            found |= _mask(pc.starts_with(self._text("path"), form))
        return found

    def _missing(self, node: Missing) -> Mask:
        if isinstance(node.operand, Literal):
            raise mistake(self._expression, node.operand.at, "IS NULL asks about a column")
        name = self._name(node.operand)
        if name == "folder":
            name = "path"
        column = self._column(name) if name in COLUMNS else self._tag(name)
        return ~_mask(pc.is_valid(_said(column)))

    def _name(self, column: Column, *, beside: object = None) -> str:
        """The name of a column that is there. Raises QueryError."""
        name = _ALIASES.get(column.name, column.name)
        if name in COLUMNS:
            return name
        if self._tag(column.name).null_count < self._facts.num_rows:
            return column.name
        raise mistake(self._expression, column.at, self._unknown(column, beside))

    def _unknown(self, column: Column, beside: object) -> str:
        if isinstance(beside, Column | Literal) and beside.at < column.at:
            written = self._expression[column.at : column.at + len(column.name)]
            return f"there is no column {column.name}; if it is text, put it in quotes: '{written}'"
        tags = self._tags()
        near = difflib.get_close_matches(column.name, [*COLUMNS, *_ALIASES, *tags], n=_NEAR)
        if near:
            return f"there is no column {column.name}, did you mean {' or '.join(near)}?"
        others = f" and the tags {', '.join(tags[:_LISTED])}" if tags else ""
        others += ", ..." if len(tags) > _LISTED else ""
        return f"there is no column {column.name}; there are {', '.join(COLUMNS)}{others}"

    def _tags(self) -> list[str]:
        """Names of all tags besides the columns, the frequent ones first."""
        counts: dict[str, int] = {}
        if _MORE in self._facts.column_names:
            for text in self._column(_MORE).to_pylist():
                for name in {kept_as(name) for name in json.loads(text or "{}")}:
                    counts[name] = counts.get(name, 0) + 1
        return sorted(counts, key=lambda name: (-counts[name], name))

    def _lowered(self, name: str) -> pa.Array:
        """A text or a tag in lower case, null where the file does not say."""
        if name == "folder":
            parts = pc.split_pattern(self._paths(), "/", max_splits=1, reverse=True)
            column = pc.list_element(parts, 0)
            column = pc.if_else(pc.equal(column, ""), "/", column)
        elif name == "path":
            column = self._paths()
        elif name == "title":
            column = self._titles()
        else:
            column = self._column(name) if name in TEXTS else self._tag(name)
        return pc.utf8_lower(_said(column))

    def _column(self, name: str) -> pa.Array:
        return self._facts[name].combine_chunks()

    def _paths(self) -> pa.Array:
        paths = self._column("path")
        return paths if os.sep == "/" else pc.replace_substring(paths, os.sep, "/")

    def _titles(self) -> pa.Array:
        """Titles as people see them: the tag, or the name of the file."""
        titles = self._column("title")
        without = pc.is_null(_said(titles))
        paths = self._column("path").filter(without).to_pylist()
        names = [title_of(text_to_path(path)) for path in paths]
        return pc.replace_with_mask(titles, without, pa.array(names, pa.string()))

    def _read_tag(self, name: str) -> pa.Array:
        """A tag of every file out of the JSON column; null where it is under none of its names."""
        found = pa.nulls(self._facts.num_rows, pa.string())
        for spelling in names_of(name) if _MORE in self._facts.column_names else ():
            quoted = json.dumps(spelling, ensure_ascii=False)
            named = pc.match_substring(self._column(_MORE), quoted)
            named = pc.and_(pc.fill_null(named, False), pc.is_null(found))
            if objects := self._column(_MORE).filter(named):
                found = pc.replace_with_mask(found, named, _member(objects, spelling))
        return found


def _member(objects: pa.Array, name: str) -> pa.Array:
    """One member of JSON objects [n], as text; null where it is not there."""
    from pyarrow.json import ParseOptions, ReadOptions, read_json

    whole = pa.ListArray.from_arrays(pa.array([0, len(objects)], pa.int32()), objects)
    lines = pc.binary_join(whole, "\n")[0].as_buffer()
    schema = pa.schema([(name, pa.string())])
    try:
        table = read_json(
            pa.BufferReader(lines),
            read_options=ReadOptions(block_size=lines.size + 1),
            parse_options=ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
        return table[name].combine_chunks()
    except pa.ArrowInvalid:  # a value that is no text: slower, and taken as it is written
        values = [json.loads(text).get(name) for text in objects.to_pylist()]
        texts = [value if value is None else str(value) for value in values]
        return pa.array(texts, pa.string())


def _said(column: pa.Array) -> pa.Array:
    """The same with null in place of empty text."""
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _applied(sign: str, column: Any, value: Any) -> Mask:
    return _mask(pc.call_function(_FUNCTIONS[sign], [column, value]))


def _mask(column: Any) -> Mask:
    return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False), bool)


def _leading(column: pa.Array) -> pa.Array:
    """The numbers texts begin with, null where there is none."""
    return pc.cast(pc.struct_field(pc.extract_regex(column, _LEADING_NUMBER), 0), pa.float64())


def _forms(text: str) -> list[str]:
    """The spellings of a text: accents composed first, then apart, as some file systems have them."""
    text = "".join(f"\0{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)
    lowered = pc.utf8_lower(pa.scalar(text)).as_py()
    spellings = [unicodedata.normalize(form, lowered) for form in ("NFC", "NFD")]
    return list(dict.fromkeys([*spellings, lowered]))


def _span(text: str) -> tuple[datetime.datetime, datetime.datetime] | None:
    """The first moment of a year, month, day or second, and the first one after it."""
    found = _DATE.fullmatch(text.strip())
    try:
        if not found:
            moment = datetime.datetime.fromisoformat(text.strip())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
            return moment, moment + datetime.timedelta(seconds=1)
        year, month, day = (int(part) if part else None for part in found.groups())
        assert year is not None
        first = datetime.datetime(year, month or 1, day or 1, tzinfo=datetime.UTC)
        if day:
            return first, first + datetime.timedelta(days=1)
        if month:
            return first, (first + datetime.timedelta(days=32)).replace(day=1)
        return first, first.replace(year=year + 1)
    except (ValueError, OverflowError):
        return None
