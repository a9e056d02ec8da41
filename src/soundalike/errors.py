"""The errors soundalike raises. Each message names the thing, the reason and, where known, the mistake.

SoundalikeError
├── AudioError           one file cannot be used as music; the rest of a folder goes on
├── ModelError           an encoder cannot be read, or does not fit the vectors it is asked to meet
├── LibraryError         the library on disk cannot be opened, read or written
├── QueryError           a question that has no sensible answer: unknown track or folder, n below 1
└── RecipeError          a training recipe with an unknown key, a wrong type or an impossible value

The command line prints the message without a traceback; a server maps each child to a status code.
"""

from __future__ import annotations

from pathlib import Path


class SoundalikeError(Exception):
    """Root of every error this package raises on purpose."""


class AudioError(SoundalikeError):
    """A file that cannot be used as music.

    Attributes:
        path: the file.
        reason: one clause without the file name, fit to stand in a list of failures.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[AudioError], tuple[Path, str]]:
        # Exceptions pickle by `args`; ours differ from the constructor's, and workers send them home.
        return type(self), (self.path, self.reason)


class ModelError(SoundalikeError):
    """An encoder that cannot be read, or vectors of two encoders about to be mixed."""


class LibraryError(SoundalikeError):
    """A library that cannot be opened, read or written."""


class QueryError(SoundalikeError):
    """A question that has no sensible answer, or a folder to index that is not there."""


class RecipeError(SoundalikeError):
    """A training recipe that cannot be followed.

    Attributes:
        path: the recipe file, or None when it did not come from a file.
        line: 1-based line of the offending key, or None when it cannot be told.
    """

    def __init__(self, message: str, *, path: Path | None = None, line: int | None = None) -> None:
        place = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        super().__init__(place + message)
        self.path = path
        self.line = line
