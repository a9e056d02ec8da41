"""Keeping a library: folders of music go in, and it stays as they are."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from soundalike.errors import LibraryError, QueryError
from soundalike.library import memory, queries, scan
from soundalike.library.choice import Filters, within
from soundalike.library.disk import WriteLock, explained
from soundalike.library.held import Held
from soundalike.library.store import LEFT_OUT, FailureLog, drop_table
from soundalike.library.tracks import path_to_text, text_to_path

if TYPE_CHECKING:
    from soundalike.library import indexing
    from soundalike.library.doctor import Check
    from soundalike.library.indexing import IndexReport, ProgressCallback
    from soundalike.library.info import Info


class Keeping(Held):
    """The verbs that change a library, and what is known of its state."""

    def index(
        self,
        folders: str | Path | Iterable[str | Path] = (),
        *,
        jobs: int | None = None,
        progress: ProgressCallback | None = None,
        prune: bool = False,
        force: bool = False,
        filters: Filters | None = None,
    ) -> IndexReport:
        """Bring the library up to date with folders of music.

        Only new and changed files are opened. Files that cannot be used are recorded (`failures`)
        and do not stop it; when interrupted, all but the last seconds' work is kept, and calling
        again goes on. Under an encoder that is new to the library all its folders are embedded into
        a table of their own; the old one answers until that is complete.

        Args:
            folders: one or several, with music; none means those indexed before. An audio file
                will do, too. One that was removed (`remove`) is taken up again.
            jobs: files to decode and embed at a time; None lets the embedder choose.
            progress: called with a `Progress` for every file.
            prune: forget tracks that are gone even where a folder, or more than half of it, is
                missing, which else is taken for a disk that is not connected (`held`).
            force: embed files again that have not changed, and try again those that failed.
            filters: what these folders give from now on; None is what they gave before.

        Raises:
            QueryError: no such folder, none at all, or filters that no track can pass; nothing has
                changed.
            LibraryError: another program is indexing, disk full or read-only.
            ModelError: the encoder cannot be loaded.
        """
        from soundalike.library import indexing

        started, tell = time.monotonic(), progress or (lambda _: None)
        memory.give_back()
        given, embedder = self._existing(folders, filters), self._opened.embedder()
        with explained(f"cannot create the library {self.path}"):
            self.path.mkdir(parents=True, exist_ok=True)
        with WriteLock(self.path):
            logs = (FailureLog(self.path), FailureLog(self.path, LEFT_OUT))
            roots = self._begin(given, filters, logs[1])
            terms = indexing.Terms(self._opened.manifest.choice(), logs, prune=prune, force=force)
            report = indexing.IndexReport(model=embedder.identity)
            self._update(roots, terms=terms, report=report, progress=tell, jobs=jobs)
        report.seconds = time.monotonic() - started
        return report

    def failures(self) -> list[tuple[Path, str]]:
        """List the files that could not be used, by path, with the reason."""
        return self._logged(FailureLog(self.path)) if self.models else []

    def left_out(self) -> list[tuple[Path, str]]:
        """List the files that are too short or too long for the filters, by path, with the reason."""
        return self._logged(FailureLog(self.path, LEFT_OUT)) if self.models else []

    def remove(self, things: str | Path | Iterable[str | Path]) -> int:
        """Forget folders or tracks. The music itself is never touched.

        A folder that was indexed as such is forgotten with its filters. Whatever lies inside one is
        remembered as removed, by path, and later indexing passes it over until `index` is told its
        very path.

        Args:
            things: folders, paths of tracks, or their ids.

        Returns:
            How many tracks left.

        Raises:
            QueryError: one of them is no track and no folder of the library, or no longer; nothing
                has changed.
            LibraryError: another program is indexing, disk full or read-only.
        """
        from soundalike.library import removal

        several = [things] if isinstance(things, str | Path) else list(things)
        snapshot = self._opened.snapshot()
        if snapshot is None or not self.roots:
            snapshot = self._filled()
        paths = [removal.path_of(thing, snapshot, self._opened.manifest) for thing in several]
        with WriteLock(self.path):
            self._opened.refresh()
            return removal.remove(paths, self._opened)

    def info(self) -> Info:
        """Say what the library holds. Raises LibraryError."""
        from soundalike.library import info

        return info.describe(self._opened)

    def check(self) -> list[Check]:
        """Examine the installation and the library, from the versions to the files of its tracks."""
        from soundalike.library import doctor

        return doctor.examine(self._opened)

    def forget_model(self, identity: str) -> None:
        """Delete the vectors of an encoder other than the one that answers. Raises LibraryError."""
        with WriteLock(self.path):
            others = [name for name in self.models if name != self._opened.manifest.model]
            if identity not in others:
                raise LibraryError(f"cannot forget {identity!r}; there are {others or 'no others'}")
            entry = self._opened.manifest.tables.pop(identity)
            self._opened.write()
            drop_table(self.path, entry.name)

    def _begin(
        self, given: Sequence[Path], filters: Filters | None, left_out: FailureLog
    ) -> Sequence[Path]:
        """Enter folders, filters and encoder into the manifest; say which folders to look at."""
        self._opened.refresh()
        manifest = self._opened.manifest
        for root in given:
            if not any(root.is_relative_to(text_to_path(known)) for known in manifest.roots):
                manifest.roots.append(path_to_text(root))
        again = {path_to_text(root) for root in given}
        manifest.removed = [path for path in manifest.removed if path not in again]
        for text in (again or manifest.roots) if filters else ():
            before = manifest.filters.get(text, Filters())
            manifest.filters[text] = filters.over(before) if filters else before
            # Whether they still are too short or long is for this run to find.
            folder = str(text_to_path(text))
            for file in [f for f in left_out.reasons if within(str(f.path), folder)]:
                del left_out.reasons[file]
        self._opened.add_table()
        self._opened.write()
        # A table that does not answer yet has to catch up with all that the others hold.
        if given and manifest.model == self._opened.embedder().identity:
            return given
        return self.roots

    def _update(
        self,
        roots: Sequence[Path],
        *,
        terms: indexing.Terms,
        report: IndexReport,
        progress: ProgressCallback,
        jobs: int | None,
    ) -> None:
        """Bring the table of the encoder up to date, under the lock."""
        from soundalike.library import indexing, ingest, laying_out, retagging

        embedder, manifest = self._opened.embedder(), self._opened.manifest
        table = self._opened.table(embedder.identity)
        table.upgrade()
        known = table.known()
        changes = indexing.look(roots, known, terms=terms, report=report, progress=progress)
        if terms.prune:
            self._opened.forget_missing_roots()
        layout = laying_out.Layout(self._opened, table, embedder.identity)
        entry = manifest.tables[embedder.identity]
        if not entry.balanced:
            if entry.senses and len(table):
                layout.begin()
                table.fold_anew()
            entry.balanced = True
        if changes:
            layout.begin()
        ids = indexing.Ids(known.ids)
        del known
        try:
            if not terms.force:
                retagging.Retagging(
                    table, embedder, report=report, progress=progress, jobs=jobs
                ).run(changes)
            indexing.reuse(table, changes, ids=ids, terms=terms, report=report)
            # Moved and retagged files may have come under other limits of length.
            layout.gone += indexing.leave_out(table, changes, terms=terms, report=report)
            layout.gone += [track.id for track in changes.removed]
            if layout.gone:
                layout.begin()
            run = ingest.Ingest(table, ids, layout, terms=terms, report=report, progress=progress)
            run.run(embedder, changes, jobs=jobs)
        except BaseException:
            with contextlib.suppress(LibraryError):
                layout.write()
            raise
        progress(indexing.Progress("finish"))
        held = any(path_to_text(folder) in manifest.roots for folder, _ in report.held)
        layout.finish(answers=not held)

    def _existing(
        self, folders: str | Path | Iterable[str | Path], filters: Filters | None
    ) -> list[Path]:
        """Folders as absolute paths; one that is missing must have been there before.

        Asked before anything is made or written, so that a slip of the keyboard leaves no trace.
        """
        self._opened.refresh()
        manifest = self._opened.manifest
        several = [folders] if isinstance(folders, str | Path) else folders
        roots = [queries.absolute(folder) for folder in several]
        for root in roots:
            if not root.exists() and path_to_text(root) not in manifest.roots:
                raise QueryError(f"there is no folder {str(root)!r}")
            if root.is_file() and not scan.sounds(root.name):
                raise QueryError(
                    f"{str(root)!r} is a file, and its name has no ending of audio; "
                    "name a folder of music"
                )
            for removed in map(text_to_path, manifest.removed):
                if root != removed and root.is_relative_to(removed):
                    raise QueryError(
                        f"{str(root)!r} lies in {str(removed)!r}, which was removed from the "
                        f"library; index {str(removed)!r} to take it up again"
                    )
        if not (roots or manifest.roots):
            raise QueryError(f"the library {self.path} has no folders yet; name one to index")
        if filters:
            self._check_filters(roots, filters)
        return roots

    def _check_filters(self, given: Sequence[Path], filters: Filters) -> None:
        roots = [text_to_path(root) for root in self._opened.manifest.roots]
        for folder in given:
            for root in roots:
                if folder != root and folder.is_relative_to(root) and folder not in roots:
                    raise QueryError(
                        f"{str(folder)!r} lies in {str(root)!r}, and filters belong to that; "
                        "name it instead, with patterns relative to it"
                    )
        for folder in given or roots:
            before = self._opened.manifest.filters.get(path_to_text(folder), Filters())
            filters.over(before).checked()

    @staticmethod
    def _logged(log: FailureLog) -> list[tuple[Path, str]]:
        return sorted(((f.path, why) for f, why in log.reasons.items()), key=lambda f: str(f[0]))
