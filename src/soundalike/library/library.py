"""Library: the one object people hold. Folders go in, similar tracks come out.

    library = Library("my-library")
    report = library.index(["~/Music"])
    for neighbor in library.similar("song.mp3", n=20):
        print(neighbor.similarity, neighbor.track.artist, neighbor.track.title)

A library is a folder (see `manifest`, `store`, `snapshot`). One program indexes at a time; any
number read, also meanwhile, each from the state it opened. A reader takes up a finished indexing by
itself.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundalike.errors import LibraryError, QueryError
from soundalike.library import queries, scan, search
from soundalike.library.aggregation import Vectors
from soundalike.library.disk import WriteLock, explained
from soundalike.library.opened import Opened
from soundalike.library.search import Match, Neighbor, Query
from soundalike.library.snapshot import Snapshot, sweep, write_snapshot
from soundalike.library.store import OLD_VERSIONS, FailureLog, TrackTable, drop_table
from soundalike.library.tracks import Track, path_to_text, text_to_path

if TYPE_CHECKING:
    from soundalike.embedder import Embedder
    from soundalike.library.indexing import IndexReport, ProgressCallback

__all__ = ["Library", "Match", "Neighbor", "Track"]

# Joining the files of a table rewrites it; a few do no harm.
MANY_FRAGMENTS = 8
AT_ONCE = datetime.timedelta(milliseconds=1)


class Library:
    """A music library: its tracks, and what sounds like what.

    Attributes:
        path: the folder of the library, absolute.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        embedder: Embedder | None = None,
        model: str | Path | None = None,
    ) -> None:
        """Open a library; a new one appears on disk with the first `index`.

        Without `embedder` and `model` the library keeps to the encoder that made it, and a new one
        takes the shipped default. An encoder is loaded when it is first needed.

        Args:
            path: the folder of the library (not of the music).
            embedder: the encoder to use.
            model: or its name, or the folder it is in.

        Raises:
            LibraryError: damaged, of a newer format, or a folder with other things in it.
        """
        if embedder is not None and model is not None:
            raise ValueError("give an embedder or the name of a model, not both")
        self.path = queries.absolute(path)
        if path_to_text(self.path) != str(self.path):
            raise LibraryError(
                f"the path {str(self.path)!r} is not UTF-8; a library needs one that is"
            )
        self._opened = Opened(self.path, embedder=embedder, model=model)

    def __len__(self) -> int:
        """Count the tracks."""
        snapshot = self._opened.snapshot()
        return 0 if snapshot is None else len(snapshot)

    @property
    def model(self) -> str | None:
        """Identity of the encoder that answers; None before the first `index`."""
        return self._opened.identity()

    @property
    def models(self) -> list[str]:
        """Identities of all encoders whose vectors the library holds."""
        self._opened.refresh()
        return sorted(self._opened.manifest.tables)

    @property
    def senses(self) -> list[str]:
        """Senses one can ask by, apart from "both"; none if the encoder that answers is a single one."""
        snapshot = self._opened.snapshot()
        return [] if snapshot is None else list(snapshot.senses)

    @property
    def roots(self) -> list[Path]:
        """Folders that were indexed."""
        self._opened.refresh()
        return [text_to_path(root) for root in self._opened.manifest.roots]

    def tracks(self) -> list[Track]:
        """List all tracks by path."""
        snapshot = self._opened.snapshot()
        return [] if snapshot is None else snapshot.tracks()

    def track(self, query: str | Path) -> Track:
        """Find a track by id or path. Raises QueryError, with similar names if there are any."""
        snapshot = self._filled()
        row = queries.row_of(query, snapshot)
        if row is None:
            raise queries.unknown(query, snapshot)
        return snapshot.track(row)

    def failures(self) -> list[tuple[Path, str]]:
        """List the files that could not be used, by path, with the reason."""
        if not self.models:
            return []
        reasons = FailureLog(self.path).reasons
        return sorted(((file.path, why) for file, why in reasons.items()), key=lambda f: str(f[0]))

    def similar(
        self,
        query: Track | Path | str | Vectors,
        *,
        n: int = 10,
        aggregation: str = "mean",
        include_self: bool = False,
        start: float | None = None,
        end: float | None = None,
        sense: str = search.BOTH,
    ) -> list[Neighbor]:
        """Find the tracks that sound most like a query.

        Args:
            query: a track of the library, its id or its path, whose stored vectors are taken; any
                other audio file, embedded now; or vectors of the library's encoder, [D] or [S, D].
            n: answers wanted, at least 1; there are fewer when the library is smaller.
            aggregation: how segments make a similarity, one of `aggregation.AGGREGATIONS`.
            include_self: keep the query among the answers. Else tracks with its id, its path or
                exactly its content, copies under other names included, are left out.
            start, end: compare this stretch of the file only, in seconds.
            sense: compare by one sense of a joined model alone, such as "composition" (`senses`
                lists them); "both" weighs all of them together.

        Returns:
            Neighbors by descending similarity, equal ones by path.

        Raises:
            QueryError: an empty library, an unknown track, n below 1, no such aggregation or
                sense.
            ModelError: the library holds no vectors of the encoder asked with.
            AudioError: the file cannot be used.
        """
        search.check_request(n, aggregation)
        snapshot = self._filled()
        search.columns_of(sense, snapshot.senses)  # or else an error, before a file is listened to
        asked = self._query(query, snapshot, start=start, end=end)
        if include_self:
            asked = Query(asked.vectors, asked.segments)
        index = self._opened.table() if snapshot.segments is None else None
        return search.neighbors(
            asked, snapshot, n=n, aggregation=aggregation, index=index, sense=sense
        )

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

    def forget_model(self, identity: str) -> None:
        """Delete the vectors of an encoder other than the one that answers. Raises LibraryError."""
        with WriteLock(self.path):
            others = [name for name in self.models if name != self._opened.manifest.model]
            if identity not in others:
                raise LibraryError(f"cannot forget {identity!r}; there are {others or 'no others'}")
            entry = self._opened.manifest.tables.pop(identity)
            self._opened.write()
            drop_table(self.path, entry.name)

    def _filled(self) -> Snapshot:
        snapshot = self._opened.snapshot()
        if not snapshot:
            raise QueryError(
                f"the library {self.path} is empty; index a folder of music first "
                "(soundalike index FOLDER)"
            )
        return snapshot

    def _query(
        self,
        query: Track | Path | str | Vectors,
        snapshot: Snapshot,
        *,
        start: float | None,
        end: float | None,
    ) -> Query:
        whole = start is None and end is None
        if isinstance(query, np.ndarray):
            if not whole:
                raise QueryError("start and end belong to a file; vectors have no times")
            return queries.of_vectors(query, self._opened.dimension())
        row = queries.row_of(query, snapshot)
        if row is not None and whole:
            return queries.of_row(row, snapshot, opened=self._opened)
        path = queries.absolute(query) if not isinstance(query, Track) else query.path
        if row is not None:
            path = text_to_path(snapshot.paths[row])
        elif isinstance(query, Track) or not path.exists():
            raise queries.unknown(query, snapshot)
        return queries.of_file(path, snapshot, opened=self._opened, start=start, end=end)

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
        exact = len(table) <= search.EXACT_LIMIT
        if not exact:
            table.build_index()
        if self._opened.load(entry) is None:
            entry.snapshot = write_snapshot(self.path, table, vectors=exact)
        if not any(path_to_text(folder) in manifest.roots for folder, _ in report.held):
            manifest.model = report.model
        self._opened.write()
        sweep(self.path, keep={e.snapshot for e in manifest.tables.values() if e.snapshot})
        if table.fragments() > MANY_FRAGMENTS:
            # Small libraries answer from the snapshot: nobody stays on an old version.
            table.tidy(keep=AT_ONCE if exact else OLD_VERSIONS)
