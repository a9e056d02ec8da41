"""The process that indexes for the server, and tells how far it has come.

    python -m soundalike.server.indexing STATE LIBRARY MODEL NICE [FOLDER...]

It gives way to the workers (NICE), and stops when it is asked to or when the server is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from soundalike.errors import SoundalikeError
from soundalike.library import fields
from soundalike.library.indexing import Progress
from soundalike.library.library import Library
from soundalike.server import jobs

EVERY = 0.25


class CancelledError(BaseException):
    """Somebody wants it to stop. No Exception: nobody who catches those is meant."""


class Teller:
    """Writes down how the job stands, a few times a second; stops it where that is wanted."""

    def __init__(self, state: Path) -> None:
        """Go on with the job that the server wrote down."""
        self._state, self._told = state, 0.0
        self._job: dict[str, Any] = json.loads((state / jobs.STATE).read_text("utf-8"))
        self._server = os.getppid()

    def __call__(self, progress: Progress) -> None:
        """Take up how far it has come. Raises CancelledError."""
        stage = progress.stage != self._job["stage"]
        left = progress.seconds_left
        self._job |= {
            "stage": progress.stage,
            "done": progress.done,
            "total": progress.total,
            "failed": progress.failed,
            "rate": round(progress.rate, 3),
            "seconds_left": None if left is None else round(left, 1),
        }
        # After that: what is told of is kept, also the last of it.
        if (self._state / jobs.CANCEL).exists() or os.getppid() != self._server:
            raise CancelledError
        if stage or time.monotonic() - self._told >= EVERY:
            self._write()

    def end(self, state: str, **more: Any) -> None:
        """Say how it ended."""
        self._job |= {"state": state, "rate": 0.0, "seconds_left": None, **more}
        self._write()

    def _write(self) -> None:
        jobs.write(self._state, self._job)
        self._told = time.monotonic()


def main(state: Path, library: Path, model: str, nice: int, folders: list[Path]) -> None:
    """Index, and leave word of how it went."""
    signal.signal(signal.SIGTERM, _stop)
    os.nice(nice)
    tell = Teller(state)
    try:
        report = Library(library, model=model or None).index(folders, progress=tell)
        tell.end("done", report=fields.report_fields(report), failed=len(report.failed))
    except (CancelledError, KeyboardInterrupt):
        tell.end("cancelled")
    except (SoundalikeError, OSError) as error:
        tell.end("failed", error=str(error).encode("utf-8", "backslashreplace").decode())


def _stop(*_: object) -> None:
    raise CancelledError


if __name__ == "__main__":
    at, library, model, nice, *folders = sys.argv[1:]
    main(Path(at), Path(library), model, int(nice), list(map(Path, folders)))
