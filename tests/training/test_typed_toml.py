"""TOML to dataclasses: what bends, what does not, and on which line a key stands."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from soundalike.training.typed_toml import Misfit, build, line_of


@dataclass(frozen=True)
class Inner:
    widths: tuple[int, ...] = (1,)
    level: float | None = None
    kind: Literal["a", "b"] = "a"

    def __post_init__(self) -> None:
        if len(self.widths) > 3:
            raise ValueError("too many widths")


@dataclass(frozen=True)
class Outer:
    number: int = 0
    inner: Inner = field(default_factory=Inner)


def read(text: str) -> Any:
    return build(Outer, tomllib.loads(text))


def test_lists_become_tuples_and_whole_numbers_floats() -> None:
    read_inner = read("inner = { widths = [4, 2], level = -20, kind = 'b' }").inner
    assert read_inner == Inner(widths=(4, 2), level=-20.0, kind="b")
    assert type(read_inner.level) is float


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("inner = { widths = [4, 2.5] }", "inner.widths", "2.5 is a number, expected a whole"),
        ("inner = { widths = 4 }", "inner.widths", "4 is a whole number, expected a list"),
        ("inner.level = 'loud'", "inner.level", "is text, expected a number"),
        ("inner.level = false", "inner.level", "is true or false, expected a number"),
        ("inner.kind = 'c'", "inner.kind", "choose one of"),
        ("inner = [1]", "inner", "is a list, expected a table"),
        ("inner.wdths = [1]", "inner.wdths", 'did you mean "widths"?'),
        ("inner.widths = [1, 2, 3, 4]", "inner", "too many widths"),
        ("number = 2024-01-01", "number", "is date, expected a whole number"),
    ],
)
def test_nothing_else_bends(text: str, key: str, words: str) -> None:
    with pytest.raises(Misfit) as caught:
        read(text)
    assert caught.value.key == key
    assert words in str(caught.value)


TEXT = """\
# number = 1
number = 2

[ inner ]
level = 3
deep.er = 4
[inner.table]
x = { y = 5 }
[other]
level = 6
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("number", 2),
        ("inner", 4),
        ("inner.level", 5),
        ("inner.deep", 6),
        ("inner.deep.er", 6),
        ("inner.table", 7),
        ("inner.table.x.y", 8),
        ("other.level", 10),
        ("inner.missing", 4),  # its table is the nearest place to look
        ("missing", None),
    ],
)
def test_the_line_of_a_key(key: str, line: int | None) -> None:
    assert line_of(TEXT, key) == line
