"""What must hold when the power goes, the disk fills up or two programs come at once.

Files are replaced whole or not at all (`replaced`), one program writes at a time
(`WriteLock`), and what the operating system and Lance say in their own words becomes a
`LibraryError` (`explained`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from soundalike.errors import LibraryError

# Lance raises RuntimeError or ValueError with the system's words and a line of its own source.
_LANCE_SOURCE = re.compile(r",? ?(/|[A-Za-z]:\\)\S*\.rs:\d+(:\d+)?.*", re.DOTALL)
_LANCE_PREFIX = re.compile(r"^(lance error: |LanceError\(\w+\): )+")
_SYSTEM = {
    "os error 28": "the disk is full",
    "os error 13": "permission denied",
    "os error 30": "the file system is read-only",
    "os error 122": "the disk quota is used up",
}


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file by these bytes, as `replaced` does.

    Raises:
        OSError: the folder cannot be written or the disk is full; the old file is untouched.
    """
    with replaced(path) as file:
        file.write(data)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """Write a file anew: whenever a crash comes, it holds all of the old bytes or all of the new.

    What is there but is no file, /dev/stdout or a pipe, is written to, never replaced.

    Raises:
        OSError: the folder cannot be written or the disk is full; the old file is untouched.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    # Not tempfile: what that makes is for its owner alone, and a playlist is for everybody.
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a power cut; Windows has no such call."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what the system or Lance raises into a LibraryError: "what was being done: why not"."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        raise LibraryError(f"{doing}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Say in one clause why a call to the system or to Lance failed."""
    text = " ".join(str(error).split())
    number = error.errno if isinstance(error, OSError) else None
    for mark, words in _SYSTEM.items():
        if mark in text or mark == f"os error {number}":
            return words
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return _LANCE_PREFIX.sub("", _LANCE_SOURCE.sub("", text)) or type(error).__name__


class WriteLock:
    """One writer at a time: an exclusive lock on `write.lock`, held inside a `with` block.

    The system drops the lock with the process, however that ends, so a lock can never go stale; the
    file itself stays and tells who holds it. Readers do not take it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "write.lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> WriteLock:
        """Take the lock, or raise a LibraryError that names the process which has it."""
        with explained(f"cannot write to the library {self._path.parent}"):
            file = self._path.open("a+", encoding="utf-8")
        try:
            _lock(file)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                raise LibraryError(f"cannot lock {self._path}: {reason(error)}") from error
            raise LibraryError(
                f"another program is writing to the library {self._path.parent}"
                f"{f' (process {holder})' if holder else ''}; wait for it or end it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock(file: IO[str]) -> None:
    # Windows locks bytes, which nobody can read then: one byte far behind the process number.
    if sys.platform == "win32":
        import msvcrt

        file.seek(1024)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
