"""Which files of the folders belong to a library, and which are left out.

In: what people said of each folder (`Filters`) and what they removed. Out: `Choice`, which answers for
every path of a walk. A pattern is compared with the path relative to the folder it was given for, with
"/" between names:

    Podcasts          a file or folder of this name there, and all below it
    Podcasts/*        all below it
    *.wma             at any depth, for * also stands for "/"
    */Live/*          below any folder called Live but one at the top
    **/Live/*         also one at the top
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from soundalike.errors import QueryError


@dataclass(frozen=True, slots=True)
class Filters:
    """What a folder of music gives to the library.

    Attributes:
        include: patterns of which a file must match one, if there are any.
        exclude: patterns of which it must match none.
        min_duration: shorter files are left out; seconds, 0 for no limit.
        max_duration: longer files are left out; seconds, infinity for no limit.

    None, in a question to `Library.index`, is what it was before.
    """

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    min_duration: float | None = None
    max_duration: float | None = None

    def over(self, before: Filters) -> Filters:
        """These filters, and where they say nothing those of before."""

        def either(now: object, then: object) -> object:
            return then if now is None else now

        return Filters(*(either(getattr(self, n), getattr(before, n)) for n in self.__slots__))  # type: ignore[arg-type]

    def checked(self) -> Filters:
        """Raise QueryError if no track could pass, or a pattern cannot match."""
        low, high = self.min_duration or 0.0, _most(self)
        if not 0 <= low < high:
            raise QueryError(
                f"no track is at least {low:g} s and at most {high:g} s long; "
                "the minimum must be below the maximum"
            )
        for glob in (*(self.include or ()), *(self.exclude or ())):
            if glob.startswith(("/", "./", "../")):
                raise QueryError(
                    f"the pattern {glob!r} matches no file: patterns are compared with the path "
                    "below the folder, such as 'Jazz/*'"
                )
        return self

    def wrong_length(self, duration: float) -> str | None:
        """Say why a track of this many seconds is left out; None if it is not."""
        low, high = self.min_duration or 0.0, _most(self)
        if duration < low:
            return f"{_clock(duration)} long, less than the {_clock(low)} of --min-duration"
        if duration > high:
            return f"{_clock(duration)} long, more than the {_clock(high)} of --max-duration"
        return None


class Choice:
    """The filters of all folders of a library, and what was removed from it.

    Paths are texts as the system spells them.
    """

    def __init__(self, filters: Mapping[str, Filters], removed: Iterable[str] = ()) -> None:
        """Take the filters of each root, and the paths of tracks and folders to leave out."""
        # The deepest folder that holds a path has the say.
        self._filters = dict(sorted(filters.items(), key=lambda item: -len(item[0])))
        self._include = {root: _pattern(own.include or ()) for root, own in filters.items()}
        self._exclude = {root: _pattern(own.exclude or ()) for root, own in filters.items()}
        self._removed = frozenset(removed)
        self.measures = any(f.min_duration or _most(f) != float("inf") for f in filters.values())
        """Whether lengths matter."""

    def __bool__(self) -> bool:
        """Say whether any path can be left out."""
        return bool(self._removed) or any(
            pattern for some in (self._include, self._exclude) for pattern in some.values()
        )

    def enters(self, folder: str) -> bool:
        """Say whether anything below a folder can belong to the library, its parents asked before."""
        if folder in self._removed:
            return False
        root = self._root(folder)
        pattern = None if root is None or root == folder else self._exclude[root]
        return not (pattern and root and pattern.fullmatch(_relative(folder, root)))

    def takes(self, path: str) -> bool:
        """Say whether a file belongs to the library, as far as its path tells."""
        if self._removed and any(part in self._removed for part in _upwards(path)):
            return False
        root = self._root(path)
        if root is None:  # of a folder that was forgotten; without any, all belongs
            return not self._filters
        name, include, exclude = _relative(path, root), self._include[root], self._exclude[root]
        return not (include and not include.fullmatch(name)) and not (
            exclude and exclude.fullmatch(name)
        )

    def wrong_length(self, path: str, duration: float) -> str | None:
        """Say why a file of this many seconds is left out; None if it is not."""
        root = self._root(path)
        return None if root is None else self._filters[root].wrong_length(duration)

    def _root(self, path: str) -> str | None:
        return next((root for root in self._filters if within(path, root)), None)


def within(path: str, folder: str) -> bool:
    """Say whether a path is a folder or lies below it."""
    # A root folder such as "/" ends with a separator already.
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _upwards(path: str) -> Iterable[str]:
    """A path, the folder it is in, the one above, and so on."""
    while path:
        yield path
        above = os.path.dirname(path)  # noqa: PTH120 - no Path per file
        path = "" if above == path else above


def _relative(path: str, root: str) -> str:
    if path == root:
        return os.path.basename(path)  # noqa: PTH119
    return path[len(root.rstrip(os.sep)) + 1 :].replace(os.sep, "/")


def _pattern(globs: Iterable[str]) -> re.Pattern[str] | None:
    """One expression for all patterns, each with all that lies below what it names."""
    parts = []
    for glob in globs:
        name = glob.rstrip("/")
        for one in (name, name.removeprefix("**/")):
            parts += [fnmatch.translate(one), fnmatch.translate(f"{one}/*")]
    return re.compile("|".join(dict.fromkeys(parts))) if parts else None


def _most(filters: Filters) -> float:
    return float("inf") if filters.max_duration is None else filters.max_duration


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:02.0f}" if minutes else f"{seconds:g} s"
