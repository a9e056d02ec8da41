"""TOML -> frozen dataclasses, every value of the type that the dataclass says.

Tables become dataclasses, an int may stand for a float, a list for a tuple; nothing else bends. Keys
are written "table.key" throughout.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

TOML_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "a table",
    Mapping: "a table",
    list: "a list",
    tuple: "a list",
}


class Misfit(ValueError):
    """A value that does not fit, and the key it stands under, as "table.key"."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


def build(kind: type, values: Mapping[str, Any], at: tuple[str, ...] = ()) -> object:
    """The dataclass `kind` from the table that stands under the keys `at`.

    Raises:
        Misfit: unknown key, wrong type, or a ValueError of the dataclass itself.
    """
    hints = typing.get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind)]
    chosen = {}
    for key, value in values.items():
        full = ".".join((*at, key))
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(names)}"
            raise Misfit(f'unknown key "{full}"; {hint}', full)
        chosen[key] = _fit(hints[key], value, (*at, key))
    try:
        return kind(**chosen)
    except Misfit:
        raise
    except ValueError as error:
        raise Misfit(str(error), ".".join(at)) from error


def _fit(hint: Any, value: Any, at: tuple[str, ...]) -> Any:
    """`value` as the type `hint` asks for; an int may stand for a float, nothing else bends."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return build(typing.cast(type, hint), value, at)
    if origin is Mapping and isinstance(value, dict):
        return {key: _fit(inner[1], entry, (*at, key)) for key, entry in value.items()}
    if origin is tuple and isinstance(value, list):
        return tuple(_fit(inner[0], entry, at) for entry in value)
    if origin is types.UnionType:  # of one type and None, which TOML cannot spell
        return _fit(inner[0], value, at)
    if origin is Literal:
        if value in inner:
            return value
        raise Misfit(f"{'.'.join(at)}={value!r}; choose one of {inner}", ".".join(at))
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is hint:
        return value
    wanted = TOML_NAMES.get(origin or hint, "a table")
    given = TOML_NAMES.get(type(value), type(value).__name__)
    raise Misfit(f"{'.'.join(at)}={value!r} is {given}, expected {wanted}", ".".join(at))


def line_of(text: str, key: str) -> int | None:
    """Line on which `key` is set, or its table begins; tomllib does not keep it."""
    while key:
        table = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if header := re.match(r"\s*\[\s*([\w.\-]+)\s*\]", line):
                table = header[1]
                if f"{table}.".startswith(f"{key}."):
                    return number
                continue
            assignment = re.match(r"\s*([\w.\-]+)\s*=", line)
            if assignment and related(f"{table}.{assignment[1]}".lstrip("."), key):
                return number
        key = key.rpartition(".")[0]
    return None


def related(one: str, other: str) -> bool:
    """Whether one key is the other, or a table that holds it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
