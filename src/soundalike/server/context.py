"""What routes stand on: the library, the settings, and the hands that work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, Request

from soundalike.library.library import Library
from soundalike.server.jobs import Jobs
from soundalike.server.settings import Settings
from soundalike.server.work import Work

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Context:
    """One worker's view of what it serves.

    Attributes:
        library: which is asked.
        settings: how it is served.
        state: the folder the workers share.
        work: computes answers to questions, a few at a time.
        jobs: the indexing, if there is one.
        uploads: one for each that is received or heard at a time.
        decoders: one for each uploaded file that is opened at a time.
        drawing: one map at a time.
        stopping: set when the server is to end, for whoever would go on and on.
    """

    library: Library
    settings: Settings
    state: Path
    work: Work
    jobs: Jobs
    uploads: anyio.CapacityLimiter
    decoders: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(2))
    drawing: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))
    stopping: threading.Event = field(default_factory=threading.Event)
    _known: dict[str, tuple[str, Any]] = field(default_factory=dict)

    async def reading(
        self, function: Callable[P, T], /, *arguments: P.args, **options: P.kwargs
    ) -> T:
        """Call a function that reads a file, in a thread that questions do not hold up."""
        return await anyio.to_thread.run_sync(lambda: function(*arguments, **options))

    def remembered(self, name: str, function: Callable[[Context], T]) -> T:
        """What a function says of the library as it is now, computed once until that changes."""
        revision = self.library.revision
        known = self._known.get(name)
        if known is None or known[0] != revision:
            # Two at once may both compute it, and both are right.
            known = self._known[name] = (revision, function(self))
        value: T = known[1]
        return value


async def context_of(request: Request) -> Context:
    """The context `create_app` made. Async, or FastAPI would take a thread to look it up."""
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(context_of)]
"""The context, as a parameter of a route."""
