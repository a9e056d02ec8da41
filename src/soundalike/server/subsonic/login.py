"""Who calls: a name with a password, a name with a salted hash of it, or an API key.

The password and the API key are the token of the server; the name may be any. Without a token, whoever
reaches the server may ask, and any login is taken: players want to fill in something.
"""

from __future__ import annotations

import hashlib

from soundalike.server.access import same
from soundalike.server.subsonic.failures import (
    CONFLICTING_LOGINS,
    MISSING_PARAMETER,
    WRONG_API_KEY,
    WRONG_PASSWORD,
    FailureError,
)
from soundalike.server.subsonic.parameters import Parameters

_LOGIN = ("u", "p", "t", "s")


def check(parameters: Parameters, token: str | None) -> None:
    """Let a call through, or raise a FailureError: 10, 40, 43 or 44."""
    key = parameters.text("apiKey")
    if key and any(map(parameters.text, _LOGIN)):
        raise FailureError(
            CONFLICTING_LOGINS, "give apiKey alone, or u with p, or u with t and s; not both"
        )
    if parameters.text("p") and parameters.text("t"):
        raise FailureError(CONFLICTING_LOGINS, "give p, or t and s; not both")
    if token is None:
        return
    if key:
        if not same(key, token):
            raise FailureError(WRONG_API_KEY, "this is not the token of the server")
        return
    parameters.required("u")
    if not (_has_password(parameters, token) or _has_hash(parameters, token)):
        raise FailureError(
            WRONG_PASSWORD, "wrong password; it is the token the server was started with"
        )


def _has_password(parameters: Parameters, token: str) -> bool:
    password = parameters.text("p")
    if password.startswith("enc:"):
        try:
            data = bytes.fromhex(password.removeprefix("enc:"))
        except ValueError:
            return False
        # Some players write the number of each letter, which is UTF-8 for those of ASCII alone.
        spelled = (data.decode("utf-8", "replace"), data.decode("latin-1"))
        return any(same(each, token) for each in spelled)
    return bool(password) and same(password, token)


def _has_hash(parameters: Parameters, token: str) -> bool:
    given = parameters.text("t")
    if not given:
        if not parameters.text("p"):
            raise FailureError(MISSING_PARAMETER, "a password is missing: p, t with s, or apiKey")
        return False
    salted = (token + parameters.required("s")).encode("utf-8", "surrogatepass")
    # The protocol wants MD5; whoever can should send the API key over TLS instead.
    return same(given.lower(), hashlib.md5(salted, usedforsecurity=False).hexdigest())
