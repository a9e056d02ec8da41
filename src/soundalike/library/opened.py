"""What a library has open: its manifest, the encoder, the table and the snapshot that answer.

Each is opened when it is first needed, so that listing tracks loads no encoder and a query no
Lance, and let go when another program has written to the library since. Here, too, vectors of two
encoders are kept apart: whoever asks with an encoder the library has no table of gets a
`ModelError` with both names.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from soundalike.errors import LibraryError, ModelError
from soundalike.library import ranking
from soundalike.library.manifest import FILE_NAME, TableEntry, read_manifest, table_name
from soundalike.library.similarity import Scale, read_curves, shipped_curves
from soundalike.library.snapshot import Snapshot, gather, load_snapshot
from soundalike.library.store import TrackTable
from soundalike.library.tracks import text_to_path

if TYPE_CHECKING:
    from soundalike.embedder import Embedder


class Opened:
    """The open parts of a library.

    Attributes:
        folder: of the library.
        manifest: as of the last `refresh`.
    """

    def __init__(
        self, folder: Path, *, embedder: Embedder | None, model: str | Path | None
    ) -> None:
        """Read the manifest, nothing else. Raises LibraryError."""
        self.folder = folder
        self._signature = _signature(folder)
        self.manifest = read_manifest(folder)
        self._embedder, self._model = embedder, model
        self._asked = embedder is not None or model is not None
        self._snapshot: Snapshot | None = None
        self._tables: dict[str, TrackTable] = {}

    def refresh(self) -> None:
        """Take up what another program has written since. Raises LibraryError."""
        signature = _signature(self.folder)
        if signature != self._signature:
            before, self.manifest = self.manifest.model, read_manifest(self.folder)
            self._signature = signature
            self._snapshot, self._tables = None, {}
            if not self._asked and before != self.manifest.model:
                self._embedder = None

    def revision(self) -> str:
        """Name what is on disk now, as text; "" where nothing is. Raises LibraryError."""
        self.refresh()
        return "-".join(f"{part:x}" for part in self._signature or ())

    def write(self) -> None:
        """Write the manifest and let go of what it made stale.

        Raises:
            LibraryError: it cannot be written; the manifest is again as it is on disk.
        """
        try:
            self.manifest.write(self.folder)
        except LibraryError:
            self.manifest = read_manifest(self.folder)
            raise
        self._signature = _signature(self.folder)
        self._snapshot, self._tables = None, {}

    def forget_missing_roots(self) -> None:
        """Drop folders that are gone from the manifest."""
        roots = self.manifest.roots
        self.manifest.roots = [root for root in roots if text_to_path(root).exists()]

    def identity(self) -> str | None:
        """Identity of the encoder whose table answers; None before the first indexing.

        Raises:
            ModelError: there is no table of the encoder asked for.
        """
        self.refresh()
        if not self._asked or not self.manifest.tables:
            return self.manifest.model
        return self._require(self.embedder().identity)

    @property
    def loaded(self) -> int | None:
        """Tracks of what is open already; None if nothing is."""
        snapshot = self._snapshot
        return None if snapshot is None else len(snapshot)

    def snapshot(self) -> Snapshot | None:
        """The tracks of now; None before the first indexing."""
        identity = self.identity()
        if identity is None:
            return None
        # Local names: another thread may let go of the attributes at any time.
        signature = self._signature
        snapshot, entry = self._snapshot, self.manifest.tables[identity]
        if snapshot is not None:
            return snapshot
        snapshot = self.load(entry)
        if snapshot is None and entry.snapshot is not None:
            # An indexing may just have put a newer one in its place.
            self.refresh()
            signature = self._signature
            entry = self.manifest.tables.get(identity, entry)
            snapshot = self.load(entry)
        if snapshot is None:
            try:
                snapshot = _gather_all(self.table(identity), entry)
            except LibraryError:
                # That version may just have been tidied away; the newest holds the same.
                self._tables = {}
                snapshot = _gather_all(self.table(identity), entry)
        if not snapshot.scale.calibrated:
            # A library that was indexed before there were calibrations.
            snapshot = replace(snapshot, scale=Scale(shipped_curves(identity)))
        if signature == self._signature:  # else it is of before, and would stay for good
            self._snapshot = snapshot
        return snapshot

    def load(self, entry: TableEntry) -> Snapshot | None:
        """The snapshot of a table; None when it has none, or not the whole of it."""
        if entry.snapshot is None:
            return None
        folder = self.folder / entry.snapshot
        found = load_snapshot(folder, segments=entry.segments, dimension=entry.dimension)
        return None if found is None else _named(found, entry)

    def table(self, identity: str | None = None) -> TrackTable:
        """The table that answers, or that of an encoder in the manifest. Raises LibraryError."""
        identity = identity or self.identity()
        assert identity is not None, "a library without tables has none to open"
        table = self._tables.get(identity)
        if table is None:
            table = _open_table(self.folder, self.manifest.tables[identity])
            self._tables[identity] = table
        return table

    def add_table(self) -> None:
        """Enter an empty table for `embedder` into the manifest, unless there is one already."""
        embedder = self.embedder()
        if embedder.identity not in self.manifest.tables:
            # Killed at any point here, the folder is a library and names only tables it has.
            self.write()
            name, S, D = table_name(embedder.identity), embedder.segment_count, embedder.dimension
            entry = TableEntry(name, self.source(), S, D)
            _open_table(self.folder, entry, create=True)
            self.manifest.tables[embedder.identity] = entry
            self.manifest.model = self.manifest.model or embedder.identity
        # Also of a table that was made before senses and curves were recorded.
        entry = self.manifest.tables[embedder.identity]
        entry.senses = {sense: (own.start, own.stop) for sense, own in embedder.senses.items()}
        entry.curves = read_curves(embedder.folder, embedder.identity)

    def dimension(self) -> int:
        """D of the vectors that answer."""
        identity = self.identity()
        assert identity is not None, "a library without tables has no vectors"
        return self.manifest.tables[identity].dimension

    def embedder(self) -> Embedder:
        """The encoder asked for, else the one the library was made by, else the default.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._embedder is None:
            from soundalike.embedder import Embedder

            if self._asked or self.manifest.model is None:
                self._embedder = Embedder(self._model)
            else:
                try:
                    self._embedder = Embedder(self.manifest.tables[self.manifest.model].source)
                except ModelError as error:
                    raise ModelError(
                        f"the library {self.folder} was indexed by {self.manifest.model}, which is "
                        f"not at hand ({error}); index it again with another one (--model NAME)"
                    ) from error
        return self._embedder

    def reading_embedder(self) -> Embedder:
        """The encoder that made the vectors that answer, to embed a query.

        Raises:
            ModelError: it is not at hand; under its name there may be another version of it.
        """
        self.refresh()
        self._require(
            self.embedder().identity, exactly=None if self._asked else self.manifest.model
        )
        return self.embedder()

    def source(self) -> str:
        """The name or folder by which `embedder` can be had again."""
        if self._model is not None:
            folder = Path(self._model)
            return str(folder.resolve() if folder.is_dir() else folder)
        entry = self.manifest.tables.get(self.embedder().identity)
        return self.embedder().name if entry is None else entry.source

    def _require(self, identity: str, *, exactly: str | None = None) -> str:
        if identity in ([exactly] if exactly else self.manifest.tables):
            return identity
        old = str(self.manifest.model)
        source, old_source = self.source(), self.manifest.tables[old].source
        instead = "" if source == old_source else f", or ask with `--model {old_source}`"
        raise ModelError(
            f"the library {self.folder} was indexed by {old}, the model at hand is {identity}, and "
            "vectors of two encoders cannot be compared; embed the library again with "
            f"`soundalike index --model {source}`{instead}"
        )


def _open_table(folder: Path, entry: TableEntry, *, create: bool = False) -> TrackTable:
    S, D, senses = entry.segments, entry.dimension, entry.columns
    return TrackTable(folder, entry.name, segments=S, dimension=D, senses=senses, create=create)


def _gather_all(table: TrackTable, entry: TableEntry) -> Snapshot:
    snapshot = gather(table, segments=len(table) <= ranking.EXACT_LIMIT)
    return _named(snapshot, entry)


def _named(snapshot: Snapshot, entry: TableEntry) -> Snapshot:
    """A snapshot with what the manifest knows of its columns."""
    return replace(snapshot, senses=entry.columns, scale=Scale(entry.curves))


def _signature(folder: Path) -> tuple[int, int, int] | None:
    try:
        status = (folder / FILE_NAME).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
