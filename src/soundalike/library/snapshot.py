"""A table laid out for reading: all tracks at one moment, sorted by path, vectors side by side.

Kept as a folder `snapshot-...` beside the table: `facts.arrow` (everything but vectors),
`means.f32` [N, D] and `segments.f32` [N, S, D], plain float32, mapped into memory and not read
until a query touches them. It is derived and disposable: written at the end of indexing under a new
name, then named in `library.json`. What it buys is starting time: a query waits neither for lancedb
to be imported nor for rows to be gathered.

In a library above `ranking.EXACT_LIMIT` tracks the segments stay in Lance, and a snapshot holds facts
and means alone.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from soundalike.audio.segments import Segment
from soundalike.library.disk import explained, sync_folder
from soundalike.library.groups import Groups, albums_of, artists_of
from soundalike.library.similarity import Scale
from soundalike.library.store import FACTS, TrackTable
from soundalike.library.tracks import Track, text_to_path, title_of

_PREFIX = "snapshot-"
_FACTS = (*FACTS, "starts", "ends")
_TRACK = tuple(field.name for field in fields(Track))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The tracks of a library, sorted by path; row i of every part is the same track.

    Attributes:
        facts: the columns of `store` except the vectors, N rows.
        means: unit mean of each track's segments, float32 [N, D].
        segments: unit rows, float32 [N, S, D]; None in a large library, whose table has them.
        senses: the columns of each sense among D, as in `library.json`; empty for a single encoder.
        scale: what cosines of these vectors mean.
    """

    facts: pa.Table
    means: npt.NDArray[np.float32]
    segments: npt.NDArray[np.float32] | None
    senses: Mapping[str, slice] = field(default_factory=dict)
    scale: Scale = field(default_factory=Scale)

    def __len__(self) -> int:
        return int(self.facts.num_rows)

    def track(self, row: int) -> Track:
        """Make a Track of a row."""
        return self.tracks(row, 1)[0]

    def tracks(self, start: int = 0, count: int | None = None) -> list[Track]:
        """Make Tracks of rows, all of them unless told otherwise."""
        return [_track(row) for row in self.facts.select(_TRACK).slice(start, count).to_pylist()]

    def times(self, row: int) -> tuple[Segment, ...]:
        """Where the segments of a row's track lie."""
        starts, ends = (self.facts[name][row].as_py() for name in ("starts", "ends"))
        return tuple(map(Segment, starts, ends))

    @functools.cached_property
    def ids(self) -> list[str]:
        """Id of every row."""
        return list(self.facts["id"].to_pylist())

    @functools.cached_property
    def paths(self) -> list[str]:
        """Path of every row as text of `path_to_text`."""
        return list(self.facts["path"].to_pylist())

    @functools.cached_property
    def contents(self) -> list[str]:
        """Content hash of every row."""
        return list(self.facts["content"].to_pylist())

    @functools.cached_property
    def artists(self) -> Groups:
        """The artists of the tracks."""
        return artists_of(self.facts["artist"].to_pylist())

    @functools.cached_property
    def albums(self) -> Groups:
        """The albums of the tracks."""
        names = ("album", "album_artist", "artist", "path")
        return albums_of(*(self.facts[name].to_pylist() for name in names))

    @functools.cached_property
    def row_of_id(self) -> dict[str, int]:
        """Row of every id."""
        return {name: row for row, name in enumerate(self.ids)}

    @functools.cached_property
    def row_of_path(self) -> dict[str, int]:
        """Row of every path text."""
        return {path: row for row, path in enumerate(self.paths)}


def gather(table: TrackTable, *, segments: bool) -> Snapshot:
    """Read a table into memory, with or without its segments. Raises LibraryError."""
    facts = _sorted_facts(table)
    N, S, D = facts.num_rows, table.segments, table.dimension
    means = np.empty((N, D), np.float32)
    parts = np.empty((N, S, D), np.float32) if segments else None
    for rows, some_means, some_segments in _vectors(table, facts, segments=segments):
        means[rows] = some_means
        if parts is not None:
            parts[rows] = some_segments
    return Snapshot(facts, means, parts)


def write_snapshot(folder: Path, table: TrackTable, *, segments: bool) -> str:
    """Write a table as a new snapshot folder, a few thousand rows in memory at a time.

    Returns:
        The name of the folder, complete and on the disk.

    Raises:
        LibraryError: the disk is full or cannot be written; nothing is left behind.
    """
    target = folder / f"{_PREFIX}{secrets.token_hex(4)}"
    with explained(f"cannot write a snapshot of the library {folder}"):
        try:
            target.mkdir()
            _write(target, table, segments=segments)
            for path in (target, folder):
                sync_folder(path)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
    return target.name


def load_snapshot(folder: Path, *, segments: int, dimension: int) -> Snapshot | None:
    """Map a snapshot folder into memory; None when it is not whole (then read the table)."""
    try:
        with pa.memory_map(str(folder / "facts.arrow")) as file:
            facts = pa.ipc.open_file(file).read_all()
        means = _mapped(folder / "means.f32", (facts.num_rows, dimension))
        if not (folder / "segments.f32").exists():
            return Snapshot(facts, means, None)
        rows = _mapped(folder / "segments.f32", (facts.num_rows, segments, dimension))
    except (OSError, ValueError):
        return None
    return Snapshot(facts, means, rows)


def sweep(folder: Path, *, keep: set[str]) -> None:
    """Delete snapshots nobody will open again and what killed writers left; the rest next time."""
    for path in folder.glob("*.tmp"):
        path.unlink(missing_ok=True)
    for path in folder.glob(f"{_PREFIX}*"):
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


def _mapped(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Map a file of exactly this many numbers. Raises OSError, and ValueError for another size."""
    # numpy notices a file that is too short, but takes the head of one that is too long.
    if path.stat().st_size != math.prod(shape) * np.dtype(np.float32).itemsize:
        raise ValueError(f"{path} does not hold {shape} numbers")
    if not math.prod(shape):
        return np.empty(shape, np.float32)  # nothing cannot be mapped
    return np.memmap(path, np.float32, "r", shape=shape).view(np.ndarray)


def _track(row: dict[str, Any]) -> Track:
    path = text_to_path(row["path"])
    return Track(**{**row, "path": path, "title": row["title"] or title_of(path)})


def _sorted_facts(table: TrackTable) -> pa.Table:
    return table.read(_FACTS).sort_by("path").combine_chunks()


def _vectors(
    table: TrackTable, facts: pa.Table, *, segments: bool
) -> Iterator[tuple[list[int], npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Rows of `facts`, their means [n, D] and segments [n, S, D]; without segments, [n, 0, D]."""
    rank = {name: row for row, name in enumerate(facts["id"].to_pylist())}
    columns = ["id", "vector", "segments"] if segments else ["id", "vector"]
    for batch in table.batches(columns):
        rows = [rank[name] for name in batch["id"].to_pylist()]
        means = batch["vector"].flatten().to_numpy().reshape(-1, table.dimension)
        flat = batch["segments"].flatten().to_numpy() if segments else np.empty(0, np.float32)
        S = table.segments if segments else 0
        yield rows, means, flat.reshape(len(rows), S, table.dimension)


def _write(target: Path, table: TrackTable, *, segments: bool) -> None:
    facts = _sorted_facts(table)
    with (
        pa.OSFile(str(target / "facts.arrow"), "wb") as file,
        pa.ipc.new_file(file, facts.schema) as writer,
    ):
        writer.write_table(facts)
    with contextlib.ExitStack() as stack:
        # Seek and write, not a writable memory map, which on a full disk ends the process.
        means_file = stack.enter_context((target / "means.f32").open("wb"))
        files = [means_file]
        if segments:
            files.append(stack.enter_context((target / "segments.f32").open("wb")))
        for rows, means, parts in _vectors(table, facts, segments=segments):
            for file, array in zip(files, (means, parts), strict=False):
                for row, track in zip(rows, array, strict=True):
                    file.seek(row * track.nbytes)
                    file.write(track.tobytes())
        for file in files:
            file.flush()
            os.fsync(file.fileno())
