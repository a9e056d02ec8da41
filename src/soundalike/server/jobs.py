"""An indexing in a process of its own, seen by all workers.

    job.json     how far it has come, written by that process
    job.lock     held by that process as long as it lives, so that nobody takes a dead job for a running one
    job.cancel   asks it to stop

The three lie in the folder the workers share. Whichever worker is asked starts the job or cancels it, all
see it, and readers take up the finished index by themselves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from soundalike.errors import LibraryError, QueryError
from soundalike.library.disk import write_atomically
from soundalike.library.library import Library
from soundalike.library.queries import absolute
from soundalike.library.tracks import path_to_text, text_to_path
from soundalike.server.errors import RefusedError
from soundalike.server.settings import Settings

STATE, LOCK, CANCEL = "job.json", "job.lock", "job.cancel"
# Seconds the process has to lay down its work when the server ends, before it is ended itself.
PATIENCE = 5.0


class Jobs:
    """The index jobs of a library; one at a time."""

    def __init__(self, library: Library, settings: Settings, state: Path) -> None:
        """Look after the job in the folder `state`."""
        self._library, self._settings, self._state = library, settings, state
        self._own: subprocess.Popen[bytes] | None = None

    def start(self, folders: Sequence[str]) -> dict[str, Any]:
        """Start indexing these folders, or those indexed before, and say how it stands.

        Raises:
            RefusedError: one is running, or a folder is none that may be indexed.
            QueryError: there is no such folder, or none at all.
            LibraryError: the system has no locks that a process hands on.
        """
        wanted = self._permitted(folders)
        with (self._state / LOCK).open("a") as lock:
            if not self._taken_in_time(lock):
                raise RefusedError(409, "the library is being indexed already", kind="indexing")
            if self._own is not None:
                self._own.wait(PATIENCE)  # it has let go of the lock, which it does at its end
            (self._state / CANCEL).unlink(missing_ok=True)
            write(self._state, {**BEGUN, "started": time.time()})
            # -P: what lies in the folder the server was started from is no module.
            command = [sys.executable, "-P", "-m", "soundalike.server.indexing", str(self._state)]
            command += [str(self._library.path), self._settings.model or ""]
            command += [str(self._settings.index_nice), *map(str, wanted)]
            # The lock goes with the process: it holds for as long as that lives.
            self._own = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[lock.fileno()],
                start_new_session=True,
            )
        found = self.current()
        assert found is not None, "it was written just now"
        return found

    def current(self) -> dict[str, Any] | None:
        """How the job stands, or stood in the end; None if there was none."""
        alive = self._alive()  # before the file is read, whose last words come before the end
        try:
            job: dict[str, Any] = json.loads((self._state / STATE).read_text("utf-8"))
        except FileNotFoundError:
            return None
        if job["state"] == "running" and not alive:
            error = "the process that indexed ended without a word; index again to go on"
            job |= {"state": "failed", "error": error}
        return job

    def cancel(self) -> dict[str, Any] | None:
        """Ask the job to stop; what it has done is kept."""
        if self._alive():
            (self._state / CANCEL).touch()
        return self.current()

    def close(self) -> None:
        """End the job this worker has started, in good order if it can."""
        if self._own is None:
            return
        if self._own.poll() is None:
            (self._state / CANCEL).touch()
            self._own.terminate()
        try:
            self._own.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._own.kill()
            self._own.wait()

    def _taken_in_time(self, lock: IO[str]) -> bool:
        """Take the lock; from a process that has said its last words it will be free in a moment."""
        until = time.monotonic() + PATIENCE
        while not _taken(lock):
            job = self.current()
            if job is None or job["state"] == "running" or time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def _alive(self) -> bool:
        if self._own is not None:
            self._own.poll()  # or it would stay as a zombie
        with suppress(FileNotFoundError), (self._state / LOCK).open("r") as lock:
            return not _taken(lock)
        return False

    def _permitted(self, folders: Sequence[str]) -> list[Path]:
        """The folders as paths, if they may be indexed over HTTP."""
        known = [*self._library.roots, *map(absolute, self._settings.music)]
        if not folders and not self._library.roots:
            if not known:
                raise QueryError(
                    "the library has no folders yet; start the server with --music FOLDER, or "
                    "index one on the command line: soundalike index FOLDER"
                )
            return known
        # As `status` spells them; NUL is in no path, and the system would not even be asked.
        wanted = [text_to_path(folder) for folder in folders]
        if any("\0" in str(folder) for folder in wanted):
            raise QueryError("a folder with a NUL in its name cannot be")
        wanted = [absolute(folder) for folder in wanted]
        real = [Path(os.path.realpath(folder)) for folder in known]
        for folder in wanted:
            inside = Path(os.path.realpath(folder))
            if not any(inside.is_relative_to(each) for each in real):
                raise RefusedError(
                    403,
                    f"{path_to_text(folder)!r} is in no folder of the library; start the server "
                    "with --music FOLDER to let it be indexed from here",
                )
            if not folder.exists():
                raise QueryError(f"there is no folder {path_to_text(folder)!r}")
        return wanted


BEGUN: dict[str, Any] = {
    "state": "running",
    "stage": "scan",
    "done": 0,
    "total": 0,
    "rate": 0.0,
    "seconds_left": None,
    "failed": 0,
    "started": 0.0,
    "report": None,
    "error": None,
}
"""A job that has begun."""


def write(state: Path, job: dict[str, Any]) -> None:
    """Write down how a job stands, whole or not at all."""
    write_atomically(state / STATE, json.dumps(job).encode())


def _taken(file: IO[str]) -> bool:
    """Take the lock if it is free. It goes with the last process that has the file open."""
    if sys.platform == "win32":
        raise LibraryError("this system cannot index from here; run soundalike index FOLDER")
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
