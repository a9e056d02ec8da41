"""A filter as people type it -> what it says, as a tree.

    genre = 'Jazz' AND (year BETWEEN 1955 AND 1965 OR bpm > 120) AND NOT title LIKE '%live%'

The WHERE of SQL without functions and arithmetic. In the order of binding: comparisons, NOT, AND,
OR. Text stands in single or double quotes, doubled inside (`'it''s'`); a name with spaces stands in
backticks; 3:30 is a number of seconds. Nothing here knows which columns there are: `filters` does.

Why not a parser by others is in docs/decisions.md: importing one takes longer than the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from soundalike.errors import QueryError

COMPARISONS = {sign: sign for sign in ("=", "!=", "<", "<=", ">", ">=")} | {"==": "=", "<>": "!="}
# Python would give up at some hundred; no person writes twenty.
DEEPEST = 50
# Characters shown around a mistake in a long filter.
SHOWN = 60

_WORDS = ["AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "NULL", "UNDER"]
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<time>\d+(?::\d\d?){1,2}(?:\.\d+)?)
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    | (?P<name>[^\W\d]\w*|`[^`]+`)
    | (?P<sign><=|>=|<>|!=|==|[=<>(),])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Column:
    """A name: of a column or a tag, lower case; `at` is where it stands, from 0."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: as text, and as a number if it was written as one (times are seconds)."""

    text: str
    number: float | None
    at: int


Operand: TypeAlias = Column | Literal


@dataclass(frozen=True, slots=True)
class Compare:
    """`left sign right`; sign is a value of `COMPARISONS`, LIKE, or UNDER (lies in that folder)."""

    sign: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Missing:
    """`column IS NULL`: the file does not say."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Every:
    """All of several, joined by AND."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of several, joined by OR."""

    parts: tuple[Node, ...]


Node: TypeAlias = Compare | Missing | Not | Every | Some


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # text, time, number, name, sign, word, end
    text: str
    at: int


def parse(expression: str) -> Node:
    """Read a filter.

    Raises:
        QueryError: it is empty, or is no filter; says at which character, and what was expected.
    """
    if not expression.strip():
        raise QueryError(
            "the filter is empty; write one such as \"genre = 'Jazz' AND year < 1970\""
        )
    return _Parser(expression).whole()


def mistake(expression: str, at: int, why: str) -> QueryError:
    """Make the error for a filter: what is wrong with it, and where."""
    start = max(0, at - SHOWN) if len(expression) > 2 * SHOWN else 0
    shown = expression[start : start + 2 * SHOWN]
    before, after = "…" * (start > 0), "…" * (start + 2 * SHOWN < len(expression))
    return QueryError(f"filter {before}{shown}{after}: {why} (at character {at + 1})")


class _Parser:
    """Recursive descent: one method per level of binding."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = self._split()
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._some()
        if self._token.kind != "end":
            raise self._unexpected("AND or OR")
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _some(self) -> Node:
        parts = self._joined("OR", self._every)
        return parts[0] if len(parts) == 1 else Some(parts)

    def _every(self) -> Node:
        parts = self._joined("AND", self._one)
        return parts[0] if len(parts) == 1 else Every(parts)

    def _joined(self, word: str, part: Callable[[], Node]) -> tuple[Node, ...]:
        parts = [part()]
        while self._take("word", word):
            parts.append(part())
        return tuple(parts)

    def _one(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            why = f"more than {DEEPEST} parentheses or NOTs within each other"
            raise mistake(self._expression, self._token.at, why)
        try:
            if self._take("word", "NOT"):
                return Not(self._one())
            if self._take("sign", "("):
                node = self._some()
                self._need("sign", ")")
                return node
            return self._test()
        finally:
            self._depth -= 1

    def _test(self) -> Node:
        left = self._operand("a column")
        if self._token.kind == "sign" and self._token.text in COMPARISONS:
            sign = COMPARISONS[self._advance().text]
            return Compare(sign, left, self._operand("a value"))
        if self._take("word", "IS"):
            opposite = self._take("word", "NOT")
            self._need("word", "NULL")
            return Not(Missing(left)) if opposite else Missing(left)
        opposite = self._take("word", "NOT")
        node = self._worded(left)
        return Not(node) if opposite else node

    def _worded(self, left: Operand) -> Node:
        if self._take("word", "IN"):
            self._need("sign", "(")
            values = [self._operand("a value")]
            while self._take("sign", ","):
                values.append(self._operand("a value"))
            self._need("sign", ")")
            return Some(tuple(Compare("=", left, value) for value in values))
        if self._take("word", "BETWEEN"):
            low = self._operand("a value")
            self._need("word", "AND")
            high = self._operand("a value")
            return Every((Compare(">=", left, low), Compare("<=", left, high)))
        for word, sign in (("LIKE", "LIKE"), ("ILIKE", "LIKE"), ("UNDER", "UNDER")):
            if self._take("word", word):
                return Compare(sign, left, self._operand("a text"))
        if self._token.text == "(" and isinstance(left, Column):
            raise mistake(
                self._expression,
                left.at,
                f"there are no functions such as {left.name}(); upper and lower case count as the "
                "same anyway",
            )
        raise self._unexpected("a comparison (=, <, IN, LIKE, BETWEEN, IS NULL, UNDER)")

    def _operand(self, wanted: str) -> Operand:
        token = self._token
        if token.kind not in ("text", "time", "number", "name"):
            raise self._unexpected(wanted)
        self._advance()
        if token.kind == "name":
            return Column(token.text.strip("`").lower(), token.at)
        if token.kind == "text":
            quote = token.text[0]
            return Literal(token.text[1:-1].replace(quote * 2, quote), None, token.at)
        return Literal(token.text, number_of(token.text), token.at)

    def _take(self, kind: str, text: str) -> bool:
        found = (self._token.kind, self._token.text) == (kind, text)
        self._next += found
        return found

    def _need(self, kind: str, text: str) -> None:
        if not self._take(kind, text):
            raise self._unexpected(text)

    def _advance(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _unexpected(self, wanted: str) -> QueryError:
        token = self._token
        found = "the end" if token.kind == "end" else token.text[:SHOWN]
        return mistake(self._expression, token.at, f"expected {wanted}, found {found}")

    def _split(self) -> list[_Token]:
        text, tokens, at = self._expression, [], 0
        while found := _TOKEN.match(text, at):
            kind, start = str(found.lastgroup), found.start(str(found.lastgroup))
            word, at = found[kind], found.end()
            if kind == "name" and word.upper() in _WORDS:
                kind, word = "word", word.upper()
            tokens.append(_Token(kind, word, start))
        rest = text[at:].lstrip()
        if rest:
            at = len(text) - len(rest)
            open_quote = rest[0] in "'\"`"
            why = (
                f"a quote {rest[0]} that does not end"
                if open_quote
                else f"{rest[0]} has no meaning"
            )
            raise mistake(text, at, why)
        return [*tokens, _Token("end", "", len(text))]


def number_of(text: str) -> float | None:
    """A number, or a time such as 3:30 in seconds; None for other text."""
    total = 0.0
    try:
        for part in text.split(":"):
            total = total * 60 + float(part)
    except ValueError:
        return None
    return total
