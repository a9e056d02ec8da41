"""Keeping a library: folders of music go in, and it stays as they are."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from soundalike.errors import LibraryError
from soundalike.library import queries, ranking, scan
from soundalike.library.disk import WriteLock, explained
from soundalike.library.held import Held
from soundalike.library.snapshot import sweep, write_snapshot
from soundalike.library.store import OLD_VERSIONS, FailureLog, TrackTable, drop_table
from soundalike.library.tracks import path_to_text, text_to_path

if TYPE_CHECKING:
    from soundalike.library.indexing import IndexReport, ProgressCallback

# Joining the files of a table rewrites it; a few do no harm.
MANY_FRAGMENTS = 8
AT_ONCE = datetime.timedelta(milliseconds=1)


class Keeping(Held):
    """The verbs that change a library, and what went wrong with its files."""

    def index(
        self,
        folders: str | Path | Iterable[str | Path] = (),
        *,
        jobs: int | None = None,
        progress: ProgressCallback | None = None,
        prune: bool = False,
    ) -> IndexReport:
        """Bring the library up to date with folders of music.

        Only new and changed files are opened. Files that cannot be used are recorded (`failures`)
        and do not stop it; when interrupted, all but the last seconds' work is kept, and calling
        again goes on. Under an encoder that is new to the library all its folders are embedded into
        a table of their own; the old one answers until that is complete.

        Args:
            folders: one or several, with music; none means those indexed before. An audio file
                will do, too.
            jobs: files to decode and embed at a time; None lets the embedder choose.
            progress: called with a `Progress` for every file.
            prune: forget tracks that are gone even where a folder, or more than half of it, is
                missing, which else is taken for a disk that is not connected (`held`).

        Raises:
            LibraryError: no such folder, another program is indexing, disk full or read-only.
            ModelError: the encoder cannot be loaded.
        """
        from soundalike.library import indexing, ingest

        started, tell = time.monotonic(), progress or (lambda _: None)
        given, embedder = self._existing(folders), self._opened.embedder()
        with explained(f"cannot create the library {self.path}"):
            self.path.mkdir(parents=True, exist_ok=True)
        with WriteLock(self.path):
            roots = self._begin(given)
            table = self._opened.table(embedder.identity)
            known, failures = table.known(), FailureLog(self.path)
            report = indexing.IndexReport(model=embedder.identity)
            changes = indexing.look(
                roots, known, failures=failures.reasons, prune=prune, report=report, progress=tell
            )
            if prune:
                self._opened.forget_missing_roots()
            if changes:
                # From the first commit on the table is ahead of its snapshot.
                self._opened.manifest.tables[embedder.identity].snapshot = None
                self._opened.write()
            ids = indexing.Ids(known)
            indexing.reuse(table, changes, ids=ids, report=report)
            run = ingest.Ingest(table, ids, report=report, failures=failures, progress=tell)
            run.run(embedder, changes, jobs=jobs)
            tell(indexing.Progress("finish"))
            self._finish(table, report)
        report.seconds = time.monotonic() - started
        return report

    def failures(self) -> list[tuple[Path, str]]:
        """List the files that could not be used, by path, with the reason."""
        if not self.models:
            return []
        reasons = FailureLog(self.path).reasons
        return sorted(((file.path, why) for file, why in reasons.items()), key=lambda f: str(f[0]))

    def forget_model(self, identity: str) -> None:
        """Delete the vectors of an encoder other than the one that answers. Raises LibraryError."""
        with WriteLock(self.path):
            others = [name for name in self.models if name != self._opened.manifest.model]
            if identity not in others:
                raise LibraryError(f"cannot forget {identity!r}; there are {others or 'no others'}")
            entry = self._opened.manifest.tables.pop(identity)
            self._opened.write()
            drop_table(self.path, entry.name)

    def _begin(self, given: Sequence[Path]) -> Sequence[Path]:
        """Enter folders and encoder into the manifest; say which folders to look at."""
        self._opened.refresh()
        manifest = self._opened.manifest
        for root in given:
            if not any(root.is_relative_to(text_to_path(known)) for known in manifest.roots):
                manifest.roots.append(path_to_text(root))
        self._opened.add_table()
        self._opened.write()
        # A table that does not answer yet has to catch up with all that the others hold.
        if given and manifest.model == self._opened.embedder().identity:
            return given
        return self.roots

    def _existing(self, folders: str | Path | Iterable[str | Path]) -> list[Path]:
        """Folders as absolute paths; one that is missing must have been there before.

        Asked before anything is made or written, so that a slip of the keyboard leaves no trace.
        """
        self._opened.refresh()
        several = [folders] if isinstance(folders, str | Path) else folders
        roots = [queries.absolute(folder) for folder in several]
        for root in roots:
            if not root.exists() and path_to_text(root) not in self._opened.manifest.roots:
                raise LibraryError(f"there is no folder {str(root)!r}")
            if root.is_file() and not scan.sounds(root.name):
                raise LibraryError(
                    f"{str(root)!r} is a file, and its name has no ending of audio; "
                    "name a folder of music"
                )
        if not (roots or self._opened.manifest.roots):
            raise LibraryError(f"the library {self.path} has no folders yet; name one to index")
        return roots

    def _finish(self, table: TrackTable, report: IndexReport) -> None:
        """Lay out the snapshot of the table, let it answer, tidy up behind it."""
        manifest = self._opened.manifest
        entry = manifest.tables[report.model]
        exact = len(table) <= ranking.EXACT_LIMIT
        if not exact:
            table.build_index()
        if self._opened.load(entry) is None:
            entry.snapshot = write_snapshot(self.path, table, segments=exact)
        if not any(path_to_text(folder) in manifest.roots for folder, _ in report.held):
            manifest.model = report.model
        self._opened.write()
        sweep(self.path, keep={e.snapshot for e in manifest.tables.values() if e.snapshot})
        if table.fragments() > MANY_FRAGMENTS:
            # Small libraries answer from the snapshot: nobody stays on an old version.
            table.tidy(keep=AT_ONCE if exact else OLD_VERSIONS)
