"""Tracks and their vectors in Lance tables; every write is one atomic commit.

One table per encoder, one row per track. Vectors are float32, bit for bit what the encoder gave:

    id, content                 text, see `scan.content_hash`
    path                        text of `tracks.path_to_text`
    size, mtime_ns              of the file when it was read
    title .. track_number       cleaned tags; "" or null when the file does not say
    duration, added_at          seconds; time of the first indexing, UTC
    starts, ends                float64 [S], seconds
    segments                    float32 [S * D], unit rows one after the other
    vector                      float32 [D], their unit mean: what the approximate index holds

Beside them `failures`: path, reason, size, mtime_ns of the files that could not be used.

Lance never changes a file it has written: a reader keeps the version it opened, and a process
killed while writing leaves the last version as it was. Importing lancedb takes a second or two, so
it happens with the first table opened here, and reading goes by the snapshot (`snapshot.py`)
whenever there is one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from soundalike.audio.segments import Segment
from soundalike.errors import LibraryError
from soundalike.library.aggregation import track_vector
from soundalike.library.disk import explained
from soundalike.library.scan import AudioFile, Known
from soundalike.library.tracks import Tags, clean, path_to_text, text_to_path

# Readers in other processes may still be on an older version; no query takes longer than this.
OLD_VERSIONS = datetime.timedelta(minutes=5)
CHUNK = 512
CLUSTERS = 20  # of the approximate index that a query looks into

_FILE = [("path", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64())]
_NUMBERS = ("year", "track_number")
_TAGS = [(f.name, pa.int32() if f.name in _NUMBERS else pa.string()) for f in fields(Tags)]
_FACTS = [
    ("id", pa.string()),
    ("content", pa.string()),
    *_FILE,
    *_TAGS,
    ("duration", pa.float64()),
    ("added_at", pa.timestamp("us", tz="UTC")),
]
FACTS = tuple(name for name, _ in _FACTS)
_FAILURES = pa.schema([*_FILE, ("reason", pa.string())])


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One row: a track with the vectors of its segments, float32 [S, D]."""

    id: str
    content: str
    file: AudioFile
    tags: Tags
    duration: float
    segments: tuple[Segment, ...]
    vectors: npt.NDArray[np.float32]


class TrackTable:
    """The tracks of a library as one encoder hears them."""

    def __init__(
        self, folder: Path, name: str, *, segments: int, dimension: int, create: bool = False
    ) -> None:
        """Open the table, with `create` also one that is not there yet. Raises LibraryError."""
        self.segments, self.dimension = segments, dimension
        self.schema = _schema(segments, dimension)
        self._doing = f"the table {name} of the library {folder}"
        with explained(f"cannot open {self._doing}"):
            if create:
                _connect(folder).create_table(name, schema=self.schema, exist_ok=True)
            self._table = _connect(folder).open_table(name)
            self._require_shape()

    def __len__(self) -> int:
        return int(self._table.count_rows())

    def known(self) -> list[Known]:
        """List what the table remembers of every file, in no order."""
        rows = self.read(["id", "content", *(name for name, _ in _FILE)])
        return [Known(row["id"], _file(row), row["content"]) for row in rows.to_pylist()]

    def read(self, columns: Sequence[str], *, ids: Iterable[str] | None = None) -> pa.Table:
        """Read columns of all rows, or of those with the ids, in no order."""
        with explained(f"cannot read {self._doing}"):
            return self._query(columns, ids).to_arrow()

    def batches(self, columns: Sequence[str], *, rows: int = 4096) -> Iterator[pa.RecordBatch]:
        """Read columns of all rows, some thousand at a time."""
        with explained(f"cannot read {self._doing}"):
            yield from self._query(columns, None).to_batches(rows)

    def put(self, records: Sequence[Record], *, replacing: bool = True) -> None:
        """Add rows in one commit, all or nothing.

        Args:
            records: the rows, any number.
            replacing: take the place of rows with the same ids; without it there must be none, and
                the table need not be searched for them.

        Raises:
            LibraryError: the disk is full or cannot be written; the table is as it was.
        """
        if records:
            now = datetime.datetime.now(datetime.UTC)
            facts = [{**_facts(record), "added_at": now} for record in records]
            vectors = np.stack([record.vectors for record in records])
            segments = [record.segments for record in records]
            rows = _columns(self.schema, facts, segments=segments, vectors=vectors)
            if replacing:
                self._merge(rows)
            else:
                with explained(f"cannot write {self._doing}"):
                    self._table.add(rows)

    def derive(self, changes: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Write rows that take over the vectors of others: (id of the other, columns that differ).

        With another "id" among the columns this adds a row, without it the row itself is edited.
        """
        for start in range(0, len(changes), CHUNK):
            chunk = changes[start : start + CHUNK]
            rows = self.read(self.schema.names, ids={source for source, _ in chunk})
            place = {name: i for i, name in enumerate(rows["id"].to_pylist())}
            taken = rows.take([place[source] for source, _ in chunk])
            facts = taken.select(FACTS).to_pylist()
            edited = [{**row, **columns} for row, (_, columns) in zip(facts, chunk, strict=True)]
            new = pa.Table.from_pylist(edited, schema=pa.schema(_FACTS))
            for name in self.schema.names[len(FACTS) :]:
                new = new.append_column(self.schema.field(name), taken[name])
            self._merge(new)

    def delete(self, ids: Sequence[str]) -> None:
        """Forget tracks; ids that are not there are no error."""
        for start in range(0, len(ids), CHUNK):
            with explained(f"cannot write {self._doing}"):
                self._table.delete(_among(ids[start : start + CHUNK]))

    def fragments(self) -> int:
        """Count the files the rows lie in; every commit adds one."""
        with explained(f"cannot read {self._doing}"):
            return int(self._table.stats()["fragment_stats"]["num_fragments"])

    def tidy(self, *, keep: datetime.timedelta = OLD_VERSIONS) -> None:
        """Join the files into few, take new rows into the index, drop versions older than `keep`."""
        with explained(f"cannot tidy up {self._doing}"):
            self._table.optimize(cleanup_older_than=keep)

    def build_index(self) -> None:
        """Build the approximate index of `vector` if there is none yet."""
        from lancedb.index import IvfFlat, IvfRq

        # RaBitQ wants whole bytes: 5 ms a query at 200,000 tracks, built in half a minute.
        kind = IvfFlat if self.dimension % 8 else IvfRq
        with explained(f"cannot build the index of {self._doing}"):
            if not self._table.list_indices():
                self._table.create_index("vector", config=kind(distance_type="cosine"))

    def candidates(self, vector: npt.NDArray[np.floating[Any]], count: int) -> list[str]:
        """Find the ids of tracks near a vector [D] by the approximate index, best first."""
        with explained(f"cannot search {self._doing}"):
            query = self._table.search(vector, vector_column_name="vector").distance_type("cosine")
            near = query.nprobes(CLUSTERS).refine_factor(4).limit(count)
            return list(near.select(["id", "_distance"]).to_arrow()["id"].to_pylist())

    def segments_of(self, ids: Sequence[str]) -> npt.NDArray[np.float32]:
        """Read the segments [n, S, D] of tracks, in the order of their ids; all must be there."""
        stored = self.read(["id", "segments"], ids=ids)
        place = {name: i for i, name in enumerate(stored["id"].to_pylist())}
        if not set(ids) <= set(place):
            raise LibraryError(f"{self._doing} has changed; ask again")
        flat = stored["segments"].combine_chunks().flatten().to_numpy()
        rows = flat.reshape(-1, self.segments, self.dimension)
        return np.asarray(rows[[place[name] for name in ids]])

    def _require_shape(self) -> None:
        for name, numbers in (
            ("segments", self.segments * self.dimension),
            ("vector", self.dimension),
        ):
            found = self._table.schema.field(name).type.list_size
            if found != numbers:
                raise ValueError(
                    f"its column {name} holds {found} numbers, library.json says {numbers}; "
                    "one of the two is damaged"
                )

    def _query(self, columns: Sequence[str], ids: Iterable[str] | None) -> Any:
        query = self._table.search().select(list(columns))
        return query if ids is None else query.where(_among(ids))

    def _merge(self, rows: pa.Table) -> None:
        with explained(f"cannot write {self._doing}"):
            merge = self._table.merge_insert("id")
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)


class FailureLog:
    """Files that could not be used, with the reason; each is tried again once it has changed.

    Attributes:
        reasons: why, of every such file as it was then. Edit it, then `save`.
    """

    def __init__(self, folder: Path) -> None:
        """Read the log; a library without one has no failures. Raises LibraryError."""
        self._folder = folder
        with explained(f"cannot read the failures of the library {folder}"):
            there = (folder / "failures.lance").is_dir()
            rows = _connect(folder).open_table("failures").to_arrow().to_pylist() if there else []
        self.reasons: dict[AudioFile, str] = {_file(row): row["reason"] for row in rows}
        self._saved = dict(self.reasons)

    def save(self) -> None:
        """Write the log in one commit if it has changed. Raises LibraryError."""
        if self.reasons == self._saved:
            return
        rows = [{**columns_of(file), "reason": clean(why)} for file, why in self.reasons.items()]
        with explained(f"cannot write the failures of the library {self._folder}"):
            database = _connect(self._folder)
            table = database.create_table("failures", schema=_FAILURES, exist_ok=True)
            table.add(pa.Table.from_pylist(rows, schema=_FAILURES), mode="overwrite")
            table.optimize(cleanup_older_than=OLD_VERSIONS)
        self._saved = dict(self.reasons)


def drop_table(folder: Path, name: str) -> None:
    """Delete a table and its files."""
    with explained(f"cannot delete the table {name} of the library {folder}"):
        _connect(folder).drop_table(name, ignore_missing=True)


def columns_of(file: AudioFile, tags: Tags | None = None) -> dict[str, Any]:
    """Columns that say where a file lies and, if given, what its tags say."""
    place = {"path": path_to_text(file.path), "size": file.size, "mtime_ns": file.mtime_ns}
    return {**place, **(asdict(tags) if tags else {})}


def _schema(segments: int, dimension: int) -> pa.Schema:
    return pa.schema(
        [
            *_FACTS,
            ("starts", pa.list_(pa.float64(), segments)),
            ("ends", pa.list_(pa.float64(), segments)),
            ("segments", pa.list_(pa.float32(), segments * dimension)),
            ("vector", pa.list_(pa.float32(), dimension)),
        ]
    )


def _facts(record: Record) -> dict[str, Any]:
    own = {"id": record.id, "content": record.content, "duration": record.duration}
    return {**own, **columns_of(record.file, record.tags)}


def _columns(
    schema: pa.Schema,
    facts: list[dict[str, Any]],
    *,
    segments: Sequence[tuple[Segment, ...]],
    vectors: npt.NDArray[np.float32],
) -> pa.Table:
    times = np.array([[(s.start, s.end) for s in row] for row in segments], np.float64)
    arrays = (times[..., 0], times[..., 1], vectors, track_vector(vectors, "mean"))
    rows = pa.Table.from_pylist(facts, schema=pa.schema(_FACTS))
    for name, array in zip(schema.names[len(FACTS) :], arrays, strict=True):
        field, flat = schema.field(name), pa.array(np.ascontiguousarray(array).ravel())
        column = pa.FixedSizeListArray.from_arrays(flat, field.type.list_size)
        rows = rows.append_column(field, column)
    return rows


def _file(row: dict[str, Any]) -> AudioFile:
    return AudioFile(text_to_path(row["path"]), row["size"], row["mtime_ns"])


def _among(ids: Iterable[str]) -> str:
    # Ids are hexadecimal digits, so nothing needs quoting.
    return "id IN ({})".format(", ".join(f"'{name}'" for name in ids))


def _connect(folder: Path) -> Any:
    import lancedb

    return lancedb.connect(str(folder))
