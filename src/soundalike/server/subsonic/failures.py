"""What can go wrong, by the numbers Subsonic has for it.

The request itself was fine as far as HTTP goes, so a failure is answered with status 200 like everything
else: many players read the number and the sentence of a failure only then.
"""

from __future__ import annotations

GENERIC = 0
MISSING_PARAMETER = 10
CLIENT_TOO_OLD = 20
SERVER_TOO_OLD = 30
WRONG_PASSWORD = 40
NO_SUCH_LOGIN = 42
CONFLICTING_LOGINS = 43
WRONG_API_KEY = 44
NOT_ALLOWED = 50
NOT_FOUND = 70


class FailureError(Exception):
    """A call that fails.

    Attributes:
        code: one of the numbers above.
        message: a sentence for people.
    """

    def __init__(self, code: int, message: str) -> None:
        """Say what went wrong."""
        super().__init__(message)
        self.code, self.message = code, message


def not_found(what: str, name: str) -> FailureError:
    """The failure for an id that leads nowhere."""
    return FailureError(NOT_FOUND, f"the library has no {what} with the id {name[:80]!r}")
