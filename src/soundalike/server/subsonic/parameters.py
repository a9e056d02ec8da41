"""The parameters of a call: those of the query string, then those of a form in the body.

A name may come several times (`songId=a&songId=b`). Values are text; bytes that are not UTF-8 become
U+FFFD and find nothing.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from starlette.requests import Request

from soundalike.server.subsonic.failures import GENERIC, MISSING_PARAMETER, FailureError

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 200_000
_NUMBER = re.compile(r"-?[0-9]{1,18}")


class Parameters:
    """What a call was given, by name."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        """Take names and values in their order."""
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        """Every value of a name, in order; those without text are none."""
        return [value for value in self._values.get(name, ()) if value]

    def given(self, name: str) -> bool:
        """Tell whether a name is there, be it without text."""
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        """The first value of a name, else the default."""
        return next(iter(self.all(name)), default)

    def required(self, name: str) -> str:
        """The value of a name. Raises FailureError 10 if there is none."""
        value = self.text(name)
        if not value:
            raise FailureError(MISSING_PARAMETER, f"the parameter {name} is missing")
        return value

    def number(self, name: str, default: int, *, most: int = 2**31 - 1) -> int:
        """A whole number from 0 on; more than `most` are `most`. Raises FailureError."""
        value = self.text(name)
        return min(self._number(name, value, least=0), most) if value else default

    def numbers(self, name: str) -> list[int]:
        """Every whole number of a name, from 0 on. Raises FailureError."""
        return [self._number(name, value, least=0) for value in self.all(name)]

    def required_number(self, name: str) -> int:
        """A whole number, also a negative one. Raises FailureError, 10 if there is none."""
        return self._number(name, self.required(name))

    def flag(self, name: str) -> bool | None:
        """True or false; None if neither is said. Raises FailureError."""
        value = self.text(name).lower()
        if value in ("", "true", "false"):
            return {"true": True, "false": False}.get(value)
        raise FailureError(GENERIC, f"{name} is {value[:80]!r}; it is true or false")

    def _number(self, name: str, value: str, *, least: int | None = None) -> int:
        number = int(value) if _NUMBER.fullmatch(value) else None
        if number is None or (least is not None and number < least):
            kind = "a whole number" if least is None else f"a whole number from {least} on"
            raise FailureError(GENERIC, f"{name} is {value[:80]!r}; it is {kind}")
        return number


async def of_request(request: Request) -> Parameters:
    """All parameters of a request. Raises FailureError for more of them than can be meant."""
    query = request.scope["query_string"]
    body = b""
    if request.method == "POST":
        kind = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
        body = await request.body() if kind == FORM else b""
    return Parameters(_pairs(query) + _pairs(body))


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            encoded.decode("latin-1"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise FailureError(GENERIC, f"more than {MOST_FIELDS} parameters") from None
