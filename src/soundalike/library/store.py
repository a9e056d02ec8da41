"""Tracks and their vectors in Lance tables; every write is one atomic commit.

One table per encoder, one row per track. Vectors are float32, bit for bit what the encoder gave:

    id, content                 text, see `scan.content_hash`
    path                        text of `tracks.path_to_text`
    size, mtime_ns              of the file when it was read
    title .. track_number       cleaned tags; "" or null when the file does not say
    more                        all other tags as a JSON object, "" if there are none
    duration, added_at          seconds; time of the first indexing, UTC
    heard                       what was listened to (`Embedder.recognizes`), "" if not known
    starts, ends                float64 [S], seconds
    segments                    float32 [S * D], unit rows one after the other
    vector                      float32 [D], their unit mean: what the approximate index holds

Beside them `failures` and `left_out`: path, reason, size, mtime_ns of the files that could not be used,
and of those too short or too long.

Tables made before there were `more` and `heard` are read as if they held null and ""; whoever writes
gives them the columns first (`upgrade`).

Lance never changes a file it has written: a reader keeps the version it opened, and a process
killed while writing leaves the last version as it was. Importing lancedb takes a second or two, so
it happens with the first table opened here, and reading goes by the snapshot (`snapshot.py`)
whenever there is one.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from soundalike.audio.segments import Segment
from soundalike.errors import LibraryError
from soundalike.library.aggregation import ONE, Senses, track_vector
from soundalike.library.disk import explained
from soundalike.library.memory import connect
from soundalike.library.scan import AudioFile, Known
from soundalike.library.tracks import Tags, clean, path_to_text, text_to_path

# Readers in other processes may still be on an older version; no query takes longer than this.
OLD_VERSIONS = datetime.timedelta(minutes=5)
CHUNK = 512
FAILURES, LEFT_OUT = "failures", "left_out"
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
    ("heard", pa.string()),
]
FACTS = tuple(name for name, _ in _FACTS)
"""All columns but times and vectors."""
# Columns that older tables lack, as SQL says them.
_LATER = {"more": "CAST(NULL AS STRING)", "heard": "''"}
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
    heard: str = ""


class TrackTable:
    """The tracks of a library as one encoder hears them."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        segments: int,
        dimension: int,
        senses: Senses = ONE,
        create: bool = False,
    ) -> None:
        """Open the table, with `create` also one that is not there yet. Raises LibraryError."""
        self.segments, self.dimension, self._senses = segments, dimension, senses
        self.schema = _schema(segments, dimension)
        self._doing = f"the table {name} of the library {folder}"
        with explained(f"cannot open {self._doing}"):
            if create:
                connect(folder).create_table(name, schema=self.schema, exist_ok=True)
            self._table = connect(folder).open_table(name)
            self._require_shape()

    def __len__(self) -> int:
        return int(self._table.count_rows())

    def upgrade(self) -> None:
        """Give a table of an older format the columns it lacks; no row is rewritten."""
        with explained(f"cannot write {self._doing}"):
            if lacking := {name: _LATER[name] for name in self._lacking()}:
                self._table.add_columns(lacking)

    def fold_anew(self) -> None:
        """Take the means of all segments anew, as `track_vector` does now; a killed run is repeated."""
        with explained(f"cannot write {self._doing}"):
            ids = self.read(["id"])["id"].to_pylist()
            for start in range(0, len(ids), CHUNK):
                rows = self.read(self.schema.names, ids=ids[start : start + CHUNK])
                flat = rows["segments"].combine_chunks().flatten().to_numpy()
                segments = flat.reshape(-1, self.segments, self.dimension)
                means = track_vector(segments, "mean", self._senses)
                place = rows.schema.get_field_index("vector")
                self._merge(rows.set_column(place, self.schema.field("vector"), _fixed(means)))

    def known(self) -> Memory:
        """List what the table remembers of every file, in no order."""
        rows = self.read(["id", "content", *(name for name, _ in _FILE)])
        unread = self.read(["id"], where="more IS NULL")["id"] if not self._lacking() else []
        return Memory(rows, {name.as_py() for name in unread})

    def read(
        self, columns: Sequence[str], *, ids: Iterable[str] | None = None, where: str | None = None
    ) -> pa.Table:
        """Read columns of all rows, of those with the ids, or by a condition in SQL, in no order."""
        with explained(f"cannot read {self._doing}"):
            there = [name for name in columns if name not in self._lacking()]
            rows = self._query(there, _among(ids) if ids is not None else where).to_arrow()
        return completed(rows, columns)

    def batches(self, columns: Sequence[str], *, rows: int = 2048) -> Iterator[pa.RecordBatch]:
        """Read columns of all rows, some thousand at a time."""
        with explained(f"cannot read {self._doing}"):
            # Not `to_batches`: it reads ahead and keeps what it read, 25 KB a row in the end.
            for start in range(0, len(self), rows):
                some = self._query(columns, None).limit(rows).offset(start)
                yield from some.to_arrow().to_batches()

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
            rows = _columns(
                self.schema, facts, segments=segments, vectors=vectors, senses=self._senses
            )
            if replacing:
                self._merge(rows)
            else:
                with explained(f"cannot write {self._doing}"):
                    self._table.add(rows)

    def derive(self, changes: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Write rows that take over the vectors of others: (id of the other, columns that differ).

        With another "id" among the columns this adds a row, without it the row itself is edited.
        Some hundred are taken from `changes` at a time, and written before the next.
        """
        left = iter(changes)
        while chunk := list(itertools.islice(left, CHUNK)):
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
        """Build what is not there yet: the approximate index of `vector`, and one that finds ids."""
        from lancedb.index import BTree, IvfFlat, IvfRq

        # RaBitQ wants whole bytes: 5 ms a query at 200,000 tracks, built in half a minute.
        kind = IvfFlat if self.dimension % 8 else IvfRq
        with explained(f"cannot build the index of {self._doing}"):
            there = {column for index in self._table.list_indices() for column in index.columns}
            if "vector" not in there:
                self._table.create_index("vector", config=kind(distance_type="cosine"))
            if "id" not in there:
                self._table.create_index("id", config=BTree())

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

    def _lacking(self) -> list[str]:
        names = self._table.schema.names
        return [name for name in _LATER if name not in names]

    def _query(self, columns: Sequence[str], where: str | None) -> Any:
        query = self._table.search().select(list(columns))
        return query if where is None else query.where(where)

    def _merge(self, rows: pa.Table) -> None:
        with explained(f"cannot write {self._doing}"):
            merge = self._table.merge_insert("id")
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)


class Memory(Sequence[Known]):
    """What a table remembers of its files, in columns: a `Known` is made only of who is asked for.

    Attributes:
        paths: of every row, as the system spells it.
        states: (size, mtime_ns) of every row.
        ids: of every row.
        unread: ids of rows from before all tags were kept.
    """

    def __init__(self, rows: pa.Table, unread: Set[str] = frozenset()) -> None:
        """Take the columns id, content, path, size, mtime_ns."""
        self.unread = unread
        self.ids: list[str] = rows["id"].to_pylist()
        self._contents = rows["content"]
        texts = rows["path"].to_pylist()
        self.paths = [str(text_to_path(text)) if "\0" in text else text for text in texts]
        sizes, times = rows["size"].to_pylist(), rows["mtime_ns"].to_pylist()
        self.states = list(zip(sizes, times, strict=True))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: Any) -> Any:
        """The Known of a row."""
        file = AudioFile(Path(self.paths[row]), *self.states[row])
        return Known(self.ids[row], file, self._contents[row].as_py())


class FailureLog:
    """Files that could not be used, with the reason; each is tried again once it has changed.

    Attributes:
        reasons: why, of every such file as it was then. Edit it, then `save`.
    """

    def __init__(self, folder: Path, name: str = FAILURES) -> None:
        """Read the log; a library without one has no failures. Raises LibraryError."""
        self._folder, self._name = folder, name
        with explained(f"cannot read the {name} of the library {folder}"):
            there = (folder / f"{name}.lance").is_dir()
            rows = connect(folder).open_table(name).to_arrow().to_pylist() if there else []
        self.reasons: dict[AudioFile, str] = {_file(row): row["reason"] for row in rows}
        self._saved = dict(self.reasons)

    def save(self) -> None:
        """Write the log in one commit if it has changed. Raises LibraryError."""
        if self.reasons == self._saved:
            return
        rows = [{**columns_of(file), "reason": clean(why)} for file, why in self.reasons.items()]
        with explained(f"cannot write the {self._name} of the library {self._folder}"):
            database = connect(self._folder)
            table = database.create_table(self._name, schema=_FAILURES, exist_ok=True)
            table.add(pa.Table.from_pylist(rows, schema=_FAILURES), mode="overwrite")
            table.optimize(cleanup_older_than=OLD_VERSIONS)
        self._saved = dict(self.reasons)


def completed(rows: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Rows with all these columns in this order; those that an older format lacks hold "" each."""
    for name in columns:
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.array([""] * len(rows), pa.string()))
    return rows.select(list(columns))


def drop_table(folder: Path, name: str) -> None:
    """Delete a table and its files."""
    with explained(f"cannot delete the table {name} of the library {folder}"):
        connect(folder).drop_table(name, ignore_missing=True)


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
    return {**own, "heard": record.heard, **columns_of(record.file, record.tags)}


def _columns(
    schema: pa.Schema,
    facts: list[dict[str, Any]],
    *,
    segments: Sequence[tuple[Segment, ...]],
    vectors: npt.NDArray[np.float32],
    senses: Senses,
) -> pa.Table:
    times = np.array([[(s.start, s.end) for s in row] for row in segments], np.float64)
    means = track_vector(vectors, "mean", senses)
    arrays: list[npt.NDArray[Any]] = [times[..., 0], times[..., 1], vectors, means]
    rows = pa.Table.from_pylist(facts, schema=pa.schema(_FACTS))
    for name, array in zip(schema.names[len(FACTS) :], arrays, strict=True):
        rows = rows.append_column(schema.field(name), _fixed(array.reshape(len(rows), -1)))
    return rows


def _fixed(array: npt.NDArray[Any]) -> pa.FixedSizeListArray:
    """A column of lists, one for each row [n, W]."""
    flat = pa.array(np.ascontiguousarray(array).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])


def _file(row: dict[str, Any]) -> AudioFile:
    return AudioFile(text_to_path(row["path"]), row["size"], row["mtime_ns"])


def _among(ids: Iterable[str]) -> str:
    # Ids are hexadecimal digits, so nothing needs quoting.
    return "id IN ({})".format(", ".join(f"'{name}'" for name in ids))
