from __future__ import annotations

import hashlib

import pytest

from soundalike.server.subsonic.failures import FailureError
from soundalike.server.subsonic.login import check
from soundalike.server.subsonic.parameters import Parameters

TOKEN = "sésame"


def hashed(salt: str, token: str = TOKEN) -> dict[str, str]:
    return {"u": "ann", "s": salt, "t": hashlib.md5((token + salt).encode()).hexdigest()}


def failure(token: str | None = TOKEN, **given: str) -> int | None:
    try:
        check(Parameters(list(given.items())), token)
    except FailureError as error:
        return error.code
    return None


def test_the_token_is_password_and_key() -> None:
    assert failure(u="ann", p=TOKEN) is None
    assert failure(u="ann", p="enc:" + TOKEN.encode().hex()) is None
    assert failure(u="ann", p="enc:" + TOKEN.encode("latin-1").hex()) is None
    assert failure(**hashed("c19b2d")) is None
    assert failure(apiKey=TOKEN) is None


def test_the_hash_is_that_of_the_protocol() -> None:
    """The example in the description of the API."""
    given = {"u": "joe", "s": "c19b2d", "t": "26719a1196d2a940705a59634eb18eab"}
    assert failure("sesame", **given) is None


@pytest.mark.parametrize(
    ("code", "given"),
    [
        (10, {}),
        (10, {"u": "ann"}),
        (10, {"p": TOKEN}),
        (10, {"u": "ann", "t": "0" * 32}),
        (10, {"u": "ann", "s": "salt"}),
        (40, {"u": "ann", "p": "wrong"}),
        (40, {"u": "ann", "p": "enc:zz"}),
        (40, {"u": "ann", "p": "enc:ff"}),
        (40, {"u": "ann", "p": "enc:"}),
        (40, {"u": "ann", "t": "0" * 32, "s": "salt"}),
        (40, hashed("salt", "wrong")),
        (43, {"u": "ann", "apiKey": TOKEN}),
        (43, {"p": TOKEN, "apiKey": TOKEN}),
        (43, {"u": "ann", "p": TOKEN, "t": "0" * 32, "s": "salt"}),
        (44, {"apiKey": "wrong"}),
    ],
)
def test_others_are_turned_away(code: int, given: dict[str, str]) -> None:
    assert failure(**given) == code


def test_without_a_token_any_login_is_taken() -> None:
    assert failure(None) is None
    assert failure(None, u="ann", p="whatever") is None
    assert failure(None, u="ann", t="x", s="y") is None
    assert failure(None, u="ann", apiKey="x") == 43


def test_text_that_is_no_unicode_is_only_wrong() -> None:
    assert failure(u="ann", p="\ud800") == 40
    assert failure(u="ann", t="\ud800", s="\udfff") == 40
