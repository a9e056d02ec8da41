"""Vectors -> a file others compute with: Parquet, NPZ or NPY, by its ending.

    .parquet    a row per track: what is known of it, vector, segments and starts where asked, model
    .npz        the same numbers as arrays: id, path, vector, segments, starts, model; and tracks.json
    .npy        the array of vectors alone; beside it NAME.npy.json: model, tracks

Rows come some at a time and go to the disk at once, so memory does not grow with their number. A file
that was there is replaced when the new one is whole, and stays as it was when it is not.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.disk import explained, replaced, write_atomically

ENDINGS = (".parquet", ".npz", ".npy")
_NUMBERS = {"duration": "float64", "year": "int32", "track_number": "int32"}


def check_ending(out: Path) -> None:
    """Raise a QueryError for an ending that is none of `ENDINGS`."""
    if out.suffix.lower() not in ENDINGS:
        raise QueryError(f"{out.name}: vectors go to a file that ends in {', '.join(ENDINGS)}")


class VectorFile:
    """A file of vectors, written within a `with` block; any error leaves the old one as it was."""

    def __init__(self, out: Path, model: str) -> None:
        """Begin a file.

        Args:
            out: where; the ending says how.
            model: identity of the encoder, with #sense where it is one.

        Raises:
            QueryError: another ending.
        """
        check_ending(out)
        self._out, self._stack = out, ExitStack()
        writers: dict[str, Any] = {".parquet": _Parquet, ".npz": _Npz, ".npy": _Npy}
        self._writer = writers[out.suffix.lower()]
        self._open: Any = None
        self._model = model

    def __enter__(self) -> VectorFile:
        """Open it. Raises LibraryError."""
        with explained(f"cannot write {self._out}"):
            file = self._stack.enter_context(replaced(self._out))
        self._open = self._writer(file, self._out, self._model)
        self._stack.enter_context(self._open)
        return self

    def add(self, tracks: Sequence[Mapping[str, Any]], **arrays: npt.NDArray[Any]) -> None:
        """Add rows.

        Args:
            tracks: what is known of each, the same keys in all.
            arrays: vector [n, D] and, where wanted, segments [n, S, D] and starts [n, S].

        Raises:
            LibraryError: the disk is full.
        """
        with explained(f"cannot write {self._out}"):
            self._open.add(tracks, arrays)

    def __exit__(self, *error: Any) -> None:
        """Finish it and put it in its place, or throw it away. Raises LibraryError."""
        with explained(f"cannot write {self._out}"):
            self._stack.__exit__(*error)


class _Parquet:
    def __init__(self, file: IO[bytes], _: Path, model: str) -> None:
        self._file, self._model = file, model
        self._writer: Any = None

    def add(self, tracks: Sequence[Mapping[str, Any]], arrays: dict[str, npt.NDArray[Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {}
        for name in tracks[0] if tracks else ("path",):
            kind = pa.type_for_alias(_NUMBERS.get(name, "string"))
            columns[name] = pa.array([track[name] for track in tracks], kind)
        for name, array in arrays.items():
            columns[name] = _lists(array)
        columns["model"] = pa.array([self._model] * len(tracks), pa.string())
        table = pa.table(columns)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema)
        self._writer.write_table(table)

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()


class _Arrays:
    """Arrays that grow by rows in files of their own, and what is known of the tracks."""

    def __init__(self, file: IO[bytes], out: Path, model: str) -> None:
        self._file, self._out, self._model = file, out, model
        self._tracks: list[Mapping[str, Any]] = []
        self._rows: dict[str, tuple[IO[bytes], npt.NDArray[Any]]] = {}
        self._stack = ExitStack()

    def add(self, tracks: Sequence[Mapping[str, Any]], arrays: dict[str, npt.NDArray[Any]]) -> None:
        self._tracks.extend(tracks)
        for name, array in arrays.items():
            if name not in self._rows:
                # Beside the file: where it is to lie there is room, in /tmp there may not be.
                spool = tempfile.TemporaryFile(dir=self._out.parent)  # noqa: SIM115 - by the stack
                self._rows[name] = self._stack.enter_context(spool), array[:0]
            self._rows[name][0].write(np.ascontiguousarray(array).tobytes())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._stack:
            if kind is None:
                self._finish()

    def _finish(self) -> None:
        raise NotImplementedError

    def _about(self) -> bytes:
        about = {"model": self._model, "tracks": self._tracks}
        return json.dumps(about, ensure_ascii=False).encode()

    def _copy(self, name: str, target: IO[bytes]) -> None:
        """Write one of the arrays in the format of NPY."""
        spool, like = self._rows[name]
        header = {"descr": like.dtype.str, "fortran_order": False}
        shape = {"shape": (len(self._tracks), *like.shape[1:])}
        np.lib.format.write_array_header_1_0(target, header | shape)
        spool.seek(0)
        shutil.copyfileobj(spool, target, 1 << 20)


class _Npz(_Arrays):
    def _finish(self) -> None:
        with zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED) as package:
            for name in self._rows:
                with package.open(f"{name}.npy", "w", force_zip64=True) as member:
                    self._copy(name, member)
            texts = {"id", "path"} & set(self._tracks[0] if self._tracks else ["path"])
            for name in sorted(texts):
                array = np.array([track[name] for track in self._tracks], np.str_)
                with package.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
            with package.open("model.npy", "w") as member:
                np.lib.format.write_array(member, np.array(self._model), allow_pickle=False)
            package.writestr("tracks.json", self._about(), zipfile.ZIP_DEFLATED)


class _Npy(_Arrays):
    def _finish(self) -> None:
        self._copy("vector", self._file)
        write_atomically(self._out.with_name(f"{self._out.name}.json"), self._about())


def _lists(array: npt.NDArray[Any]) -> Any:
    """An array [n, ...] as a column of lists, and lists of lists."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(array).ravel())
    for depth in range(array.ndim - 1, 0, -1):
        count = int(np.prod(array.shape[:depth]))
        ends = np.arange(count + 1, dtype=np.int32) * array.shape[depth]
        flat = pa.ListArray.from_arrays(pa.array(ends), flat)
    return flat
