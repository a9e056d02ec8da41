"""Segment vectors -> Parquet, the table `soundalike embed` writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from soundalike.embedder import TrackVectors
from soundalike.library.aggregation import track_vector
from soundalike.library.disk import explained, write_atomically
from soundalike.library.tracks import path_to_text


def write_parquet(out: Path, tracks: Sequence[TrackVectors], *, model: str, aggregate: str) -> None:
    """Write one row per track: path, vector, segments, starts, model.

    Raises:
        LibraryError: the file cannot be written; a file that was there stays as it was.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        {
            "path": pa.string(),
            "vector": pa.list_(pa.float32()),
            "segments": pa.list_(pa.list_(pa.float32())),
            "starts": pa.list_(pa.float64()),
            "model": pa.string(),
        }
    )
    columns = {
        "path": [path_to_text(track.path) for track in tracks],
        "vector": [track_vector(track.vectors, aggregate).tolist() for track in tracks],
        "segments": [track.vectors.tolist() for track in tracks],
        "starts": [[segment.start for segment in track.segments] for track in tracks],
        "model": [model] * len(tracks),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink)
    with explained(f"cannot write {out}"):
        write_atomically(out, sink.getvalue().to_pybytes())
