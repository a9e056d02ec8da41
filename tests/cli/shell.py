"""What a command leaves behind, and the tones of the small library it is asked about."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

FREQUENCIES = {"low": 220.0, "lower": 215.0, "middle": 880.0, "high": 3520.0, "higher": 3600.0}
"""Hz, by the name of the file."""


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]
"""`soundalike` with these arguments, as the fixture `run` of conftest.py gives it."""


def full(*_: object, **__: object) -> None:
    """What writing does on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")
