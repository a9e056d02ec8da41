"""A table that is being written to, and the snapshots that answer meanwhile.

    begin     the manifest says that the table goes ahead of its snapshot (`behind`), which answers on
    commit    called after each: a new snapshot is due when the table has doubled or some minutes passed
    finish    a last one; rows to forget go; the manifest says that both agree

Writing snapshots so costs a small share of the time, whatever the size. Killed at any point, the manifest
names a snapshot that is whole, and the next indexing finds `behind` and lays out anew.

Rows to forget (`gone`) leave with a snapshot, and are deleted once none names them: a large library has
its segments in the table alone, and whoever was answered with a track must find it there.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING

from soundalike.library import ranking
from soundalike.library.snapshot import sweep, write_snapshot
from soundalike.library.store import OLD_VERSIONS, TrackTable

if TYPE_CHECKING:
    from soundalike.library.manifest import TableEntry
    from soundalike.library.opened import Opened

EVERY = 300.0  # seconds between snapshots of a table that grows slowly
SHARE = 20  # the time between two is at least this many times what writing one took
# Joining the files of a table rewrites it; a few do no harm.
MANY_FRAGMENTS = 8
AT_ONCE = datetime.timedelta(milliseconds=1)


class Layout:
    """The snapshots of a table while it is written to, under the lock.

    Attributes:
        gone: ids of rows to forget; append to it.
    """

    def __init__(self, opened: Opened, table: TrackTable, identity: str) -> None:
        """Take the table of an encoder that is in the manifest."""
        self.gone: list[str] = []
        self._opened, self._table, self._identity = opened, table, identity
        found = opened.load(self._entry)
        self._rows = 0 if found is None else len(found)
        self._written, self._took, self._ahead = time.monotonic(), 0.0, found is None

    def begin(self) -> None:
        """Say that the table is going ahead of its snapshot. Raises LibraryError."""
        self._entry.behind = self._ahead = True
        self._opened.write()

    def commit(self) -> None:
        """Write a snapshot if one is due. Raises LibraryError."""
        waited = time.monotonic() - self._written
        grown = len(self._table) >= max(2 * self._rows, 1)
        if grown or waited > max(EVERY, SHARE * self._took):
            self.write()

    def write(self) -> None:
        """Write a snapshot and let it answer. Raises LibraryError; the one before then stays."""
        if not self._ahead:
            return
        began, before = time.monotonic(), self._entry.snapshot
        exact = len(self._table) - len(self.gone) <= ranking.EXACT_LIMIT
        folder = self._opened.folder
        self._entry.snapshot = write_snapshot(
            folder, self._table, segments=exact, without=self.gone
        )
        self._opened.write()
        # A reader that has just read the manifest may still be about to open the one before.
        self._sweep(before)
        self._rows, self._written = len(self._table), time.monotonic()
        self._took = self._written - began

    def finish(self, *, answers: bool) -> None:
        """Write the last snapshot, forget what is gone, tidy up behind it.

        Args:
            answers: let this table answer from now on.

        Raises:
            LibraryError: the disk is full or cannot be written; calling again puts it right.
        """
        exact = len(self._table) - len(self.gone) <= ranking.EXACT_LIMIT
        if not exact:
            self._table.build_index()
        self._ahead |= self._entry.behind
        self.write()
        self._table.delete(self.gone)
        self.gone, self._ahead, self._entry.behind = [], False, False
        if answers:
            self._opened.manifest.model = self._identity
        self._entry.indexed = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._opened.write()
        self._sweep()
        if self._table.fragments() > MANY_FRAGMENTS:
            # Small libraries answer from the snapshot: nobody stays on an old version.
            self._table.tidy(keep=AT_ONCE if exact else OLD_VERSIONS)

    @property
    def _entry(self) -> TableEntry:
        return self._opened.manifest.tables[self._identity]

    def _sweep(self, before: str | None = None) -> None:
        named = {entry.snapshot for entry in self._opened.manifest.tables.values()}
        sweep(self._opened.folder, keep={name for name in (*named, before) if name})
