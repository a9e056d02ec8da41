"""Snapshots made of rows and vectors, without files or tables."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from soundalike.library.aggregation import unit
from soundalike.library.snapshot import Snapshot

SEGMENTS = 2
_TEXTS = ("title", "artist", "album", "album_artist", "genre")
_NUMBERS = ("year", "track_number")


def snapshot_of(rows: list[dict[str, Any]], **options: Any) -> Snapshot:
    """A snapshot of rows, each a dict with `vector` [D] and any facts; paths default to /m/0000.flac.

    Rows must be sorted by path. All segments of a track are its vector.
    """
    facts = []
    for i, row in enumerate(rows):
        empty = dict.fromkeys(_TEXTS, "") | dict.fromkeys(_NUMBERS)
        own = {"id": f"{i:016x}", "content": str(i), "path": f"/m/{i:04}.flac", "duration": 200.0}
        times = {"starts": [0.0, 30.0], "ends": [30.0, 60.0]}
        given = {name: value for name, value in row.items() if name != "vector"}
        added = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        facts.append(
            {**empty, **own, **times, "size": 1, "mtime_ns": 1, "added_at": added, **given}
        )
    kinds = {
        **dict.fromkeys(("id", "content", "path", *_TEXTS), pa.string()),
        **dict.fromkeys(_NUMBERS, pa.int32()),
        **dict.fromkeys(("size", "mtime_ns"), pa.int64()),
        **dict.fromkeys(("starts", "ends"), pa.list_(pa.float64())),
        "duration": pa.float64(),
        "added_at": pa.timestamp("us", tz="UTC"),
    }
    table = pa.Table.from_pylist(facts, schema=pa.schema(list(kinds.items())))
    width = len(rows[0]["vector"]) if rows else 1
    vectors = np.array([row["vector"] for row in rows], np.float32).reshape(-1, width)
    means = unit(vectors)
    return Snapshot(table, means, np.repeat(means[:, None], SEGMENTS, axis=1), **options)


def towards(cosine: float, *, axis: int = 1, width: int = 8) -> list[float]:
    """A unit vector whose cosine with the first axis is given, and that leans to another axis."""
    vector = [0.0] * width
    vector[0], vector[axis] = cosine, float(np.sqrt(1 - cosine**2))
    return vector
