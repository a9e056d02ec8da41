"""So many asks at a time; the others wait their turn.

A question is arithmetic on all cores' worth of memory bandwidth: two hundred at once are no faster than
two, and take two hundred times the memory. So a worker computes a few at a time, first come, first
served. Files are read by threads of their own and never wait behind questions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from soundalike.server.errors import BusyError

P = ParamSpec("P")
T = TypeVar("T")


class Work:
    """A bounded number of threads, and a bounded queue before them."""

    def __init__(self, at_once: int, waiting: int) -> None:
        """Take `at_once` asks at a time and let `waiting` wait."""
        self._turns = anyio.CapacityLimiter(at_once)
        self._waiting, self._most = 0, waiting

    async def __call__(
        self, function: Callable[P, T], /, *arguments: P.args, **options: P.kwargs
    ) -> T:
        """Call a function in a thread when it is its turn.

        Raises:
            BusyError: too many wait already.
            Exception: whatever the function raises.
        """
        if self._waiting >= self._most:
            raise BusyError(f"{self._waiting} questions are waiting; ask again in a moment")
        self._waiting += 1
        try:
            return await anyio.to_thread.run_sync(
                lambda: function(*arguments, **options), limiter=self._turns
            )
        finally:
            self._waiting -= 1

    @property
    def waiting(self) -> int:
        """Asks that are computed or wait."""
        return self._waiting
