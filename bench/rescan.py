"""Seconds and memory of `soundalike index` where nothing has changed, in a library of many tracks.

python bench/rescan.py [--tracks 100000] [--runs 3] [--model NAME] [--json PATH]

The tree is real, its files are a byte each: a rescan does not open them. Folders of 12 lie two deep, as
albums do. The rows of the table are made up, with random vectors and tags of a usual length. Everything is
made in a temporary folder ($TMPDIR) and deleted in the end.
Times are those of new processes, from start to end; the system's cache is warm after the first.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from record import finish, parser, spread
from soundalike.audio.segments import Segment
from soundalike.embedder import Embedder
from soundalike.library.library import Library
from soundalike.library.scan import AudioFile
from soundalike.library.store import Record
from soundalike.library.tracks import Tags

ALBUM, AT_ONCE = 12, 2000


def make_tree(folder: Path, count: int) -> list[Path]:
    """Write `count` files of one byte, artist/album/track."""
    paths = []
    for number in range(count):
        album = number // ALBUM
        path = folder / f"Artist {album // 5:05d}" / f"Album {album:05d}" / f"{number:06d} Song.mp3"
        if number % ALBUM == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        paths.append(path)
    return paths


def fill(library: Library, embedder: Embedder, paths: list[Path]) -> None:
    """Enter files into the table of a library, as if they had been listened to."""
    table = library._opened.table(embedder.identity)
    S, D = embedder.segment_count, embedder.dimension
    rng = np.random.default_rng(0)
    segments = tuple(Segment(60.0 * i, 60.0 * i + 30) for i in range(S))
    for start in range(0, len(paths), AT_ONCE):
        some = paths[start : start + AT_ONCE]
        vectors = rng.standard_normal((len(some), S, D), np.float32)
        vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
        records = []
        for number, (path, own) in enumerate(zip(some, vectors, strict=True), start):
            status = path.stat()
            file = AudioFile(path, status.st_size, status.st_mtime_ns)
            tags = Tags(f"Song {number}", path.parts[-3], path.parts[-2], genre="Jazz", year=1980)
            name = f"{number:016x}"
            records.append(Record(name, 2 * name, file, tags, 180.0, segments, own))
        table.put(records, replacing=False)


def run(command: list[str], expected: str) -> dict[str, float]:
    """Seconds, processor seconds (of a machine that others may use, too) and megabytes of a process."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        used = os.wait4(process.pid, 0)[2]
        process.returncode = 0
        seconds = time.perf_counter() - began
        said.seek(0)
        text = said.read()
    if expected not in text:
        raise SystemExit(f"not a rescan: {text}")
    busy, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return {"seconds": seconds, "processor_seconds": busy, "peak_megabytes": peak}


def measure(count: int, *, runs: int = 3, model: str | None = None) -> dict[str, Any]:
    """Make a library of `count` tracks, look at it again and again, and throw it away."""
    with tempfile.TemporaryDirectory(prefix="rescan-") as place:
        music, kept = Path(place) / "music", Path(place) / "library"
        paths = make_tree(music, count)
        (Path(place) / "empty").mkdir()
        library = Library(kept, model=model)
        library.index(Path(place) / "empty")
        embedder = library._opened.embedder()
        fill(library, embedder, paths)
        library._opened.manifest.tables[embedder.identity].snapshot = None
        library._opened.write()
        command = [sys.executable, "-m", "soundalike", "index", str(music), "-q"]
        command += ["--library", str(kept)]
        first = run(command, f"{count} unchanged")  # lays out the snapshot
        again = [run(command, f"{count} unchanged") for _ in range(runs)]
        disk = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    return {
        "tracks": count,
        "model": embedder.identity,
        "first": first,
        "again": again,
        "disk_bytes": disk,
    }


def as_markdown(figures: dict[str, Any]) -> str:
    """A row for the rescans, and one for the run before, which lays the table out for reading."""
    lines = [
        f"Encoder {figures['model']}, {figures['tracks']} tracks, "
        f"{figures['disk_bytes'] / figures['tracks'] / 1000:.1f} KB of disk each. "
        f"Median of {len(figures['again'])} processes.",
        "",
        "| | seconds | of the processor | peak memory, MB |",
        "|---|---|---|---|",
    ]
    for name, each in (("nothing changed", figures["again"]), ("laid out", [figures["first"]])):
        cells = (
            spread([one[key] for one in each], form)
            for key, form in (
                ("seconds", ".1f"),
                ("processor_seconds", ".1f"),
                ("peak_megabytes", ".0f"),
            )
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--tracks", type=int, default=100_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--model", help="shipped name or folder; the default if none")
    given = options.parse_args()
    figures = measure(given.tracks, runs=given.runs, model=given.model)
    finish(__file__, as_markdown(figures), figures, given)


if __name__ == "__main__":
    main()
