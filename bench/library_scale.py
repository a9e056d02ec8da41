"""A library of 100,000 tracks: indexing without sound, rescan, questions, memory, disk.

python bench/library_scale.py [--tracks 100000] [--like LIBRARY] [--queries 200] [--runs 9] [--json PATH]

No music of that size is at hand, so tracks are synthetic (`synthetic_library.py`): vectors drawn like
those of a real, indexed library, tags and paths in the shape of a collection, and files of some bytes
in folders by artist and album. What is measured is everything but listening. Each part runs in a
process of its own, whose peak memory is read at its end. Voyager, the HNSW index that AudioMuse-AI
used, answers the same plain questions if it can be imported.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from record import finish, linked, music, parser, spread
from soundalike.library import ranking, search
from soundalike.library.library import Library
from soundalike.library.queries import of_row
from soundalike.library.ranking import Question
from soundalike.library.selection import RAW, Selection
from soundalike.library.snapshot import gather
from synthetic_library import Likeness, SyntheticTracks, likeness_of

SIZES = (1_000, 10_000)
JAZZ = "year > 2000 AND genre = 'Jazz'"
QUESTIONS: dict[str, dict[str, Any]] = {
    "as people ask: few of an artist or album, one file of a recording": {},
    "the same, by one sense": {"sense": "composition"},
    f"the same, filtered: {JAZZ}": {"selection": Selection(filter=JAZZ)},
    "by similarity alone (raw)": {"selection": RAW},
    "raw, segments one by one (maxsim)": {"selection": RAW, "aggregation": "maxsim"},
    "raw, beginning with beginning (concat)": {"selection": RAW, "aggregation": "concat"},
}


def timed(do: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    began = time.perf_counter()
    result = do()
    return time.perf_counter() - began, result


def peak() -> float:
    """The most memory this process has had, MiB; getrusage would count its parent's, too."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def part_index(work: Path, tracks: int) -> dict[str, Any]:
    """Write the files, index them, and look at them again."""
    made = SyntheticTracks(tracks, _likeness(work))
    made.write(work / "music")
    library = Library(work / "library", embedder=made)  # type: ignore[arg-type]
    before = peak()
    seconds, report = timed(lambda: library.index([work / "music"]))
    assert report.added == tracks, report
    size = sum(path.stat().st_size for path in library.path.rglob("*") if path.is_file())
    return {
        "seconds": seconds,
        "bytes": size,
        "mib_before": before,
        "mib": peak(),
        "dimension": made.dimension,
    }


def part_rescan(work: Path, tracks: int) -> dict[str, Any]:
    """Index again with nothing changed, in a process that knows nothing yet."""
    made = SyntheticTracks(tracks, _likeness(work))
    seconds, report = timed(lambda: Library(work / "library", embedder=made).index())  # type: ignore[arg-type]
    assert report.unchanged == tracks, report
    return {"seconds": seconds, "mib": peak()}


def part_ask(work: Path, tracks: int, queries: int) -> dict[str, Any]:
    """Open the library and ask, each kind of question about the same tracks."""
    opening, library = timed(lambda: _opened(work))
    rows = np.random.default_rng(1).integers(tracks, size=queries)
    asked = [library.tracks()[row] for row in rows] if tracks <= 20_000 else _some(library, rows)
    figures = {}
    for name, options in QUESTIONS.items():
        if options.get("sense", "both") not in (*library.senses, "both"):
            continue
        library.similar(asked[0], **options)
        figures[name] = [timed(lambda t=t, o=options: library.similar(t, **o))[0] for t in asked]
    return {"opening": opening, "seconds": figures, "mib": peak()}


def part_approximate(work: Path, tracks: int, queries: int) -> dict[str, Any]:
    """The approximate index that libraries above the limit get, against exact answers."""
    library = _opened(work)
    exact, table = library._opened.snapshot(), library._opened.table()
    building, _ = timed(table.build_index)
    large = gather(table, segments=False)
    seconds, recalled = [], 0
    for row in np.random.default_rng(1).integers(tracks, size=queries).tolist():
        question = Question((of_row(row, exact, opened=library._opened).query,))
        truth = {one.track.id for one in search.neighbors(question, exact, n=10)}
        took, found = timed(lambda q=question: search.neighbors(q, large, n=10, table=table))
        seconds.append(took)
        recalled += len(truth & {one.track.id for one in found})
    return {"building": building, "seconds": seconds, "recall": recalled / (10 * queries)}


def part_voyager(work: Path, tracks: int, queries: int) -> dict[str, Any]:
    """Voyager's HNSW over the mean vectors, M 16, ef 200 to build and 100 to ask."""
    try:
        import voyager
    except ImportError:
        return {}
    snapshot = _opened(work)._opened.snapshot()
    index = voyager.Index(
        voyager.Space.InnerProduct, snapshot.means.shape[1], M=16, ef_construction=200
    )
    building, _ = timed(lambda: index.add_items(np.array(snapshot.means)))
    seconds, recalled = [], 0
    for row in np.random.default_rng(1).integers(tracks, size=queries).tolist():
        truth = np.argsort(-(snapshot.means @ snapshot.means[row]))[:11]
        took, (found, _) = timed(
            lambda r=row: index.query(np.array(snapshot.means[r]), 11, query_ef=100)
        )
        seconds.append(took)
        recalled += len(set(truth.tolist()) & set(found.tolist())) - 1
    return {"building": building, "seconds": seconds, "recall": recalled / (10 * queries)}


PARTS = {
    "index": part_index,
    "rescan": part_rescan,
    "ask": part_ask,
    "approximate": part_approximate,
    "voyager": part_voyager,
}


def cold(work: Path, runs: int) -> dict[str, list[float]]:
    """Seconds of whole processes, `soundalike similar ID` and its answer."""
    track = _some(_opened(work), np.array([7]))[0].id
    options = {
        "as people ask": [],
        f"as people ask, filtered: {JAZZ}": ["--filter", JAZZ],
        "by similarity alone (raw)": ["--raw"],
        "raw, maxsim": ["--raw", "--aggregation", "maxsim"],
    }
    times: dict[str, list[float]] = {}
    for name, more in options.items():
        command = [sys.executable, "-m", "soundalike", "similar", track, *more]
        command += ["--library", str(work / "library")]
        subprocess.run(command, check=True, capture_output=True)
        times[name] = [
            timed(lambda c=command: subprocess.run(c, check=True, capture_output=True))[0]
            for _ in range(runs)
        ]
    return times


def run_part(name: str, work: Path, tracks: int, queries: int | None = None) -> dict[str, Any]:
    """Run a part in a process of its own."""
    command = [sys.executable, __file__, "--part", name, "--work", str(work)]
    command += ["--tracks", str(tracks)] + (["--queries", str(queries)] if queries else [])
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def learn(work: Path, like: Path | None, count: int) -> dict[str, Any]:
    """Measure what the vectors of real music are like, and keep it in the work folder."""
    with tempfile.TemporaryDirectory() as name:
        library = Library(like or Path(name) / "library")
        if like is None:
            library.index([linked(music(None, count), Path(name) / "music")])
        snapshot = library._opened.snapshot()
        assert snapshot is not None
        assert snapshot.segments is not None
        albums = [str(track.path.resolve().parent) for track in snapshot.tracks()]
        found = likeness_of(np.array(snapshot.segments), snapshot.senses, albums)
        parts = {
            f"{sense}/{part}": getattr(one, part)
            for sense, one in found.items()
            for part in Likeness.__dataclass_fields__
        }
        np.savez(work / "likeness.npz", **parts)
        return {"model": library.model, "tracks": len(snapshot), "albums": len(set(albums))}


def _likeness(work: Path) -> dict[str, Likeness]:
    with np.load(work / "likeness.npz") as stored:
        senses = dict.fromkeys(name.split("/")[0] for name in stored)
        fields = Likeness.__dataclass_fields__
        return {
            sense: Likeness(**{part: stored[f"{sense}/{part}"] for part in fields})
            for sense in senses
        }


def _opened(work: Path) -> Library:
    library = Library(work / "library")
    library._opened.snapshot()
    return library


def _some(library: Library, rows: Any) -> list[Any]:
    snapshot = library._opened.snapshot()
    assert snapshot is not None
    return [snapshot.track(int(row)) for row in rows]


def as_markdown(figures: dict[str, Any]) -> str:
    """Tables: indexing by size, questions, cold starts, the approximate index."""
    like, most = figures["like"], figures["sizes"][-1]
    lines = [
        f"Synthetic tracks, like the {like['tracks']} real ones of {like['albums']} albums that "
        f"{like['model']} heard: {most['dimension']} numbers a segment, 3 segments a track.",
        "",
        "| tracks | indexing, listening apart | peak memory | per track | on disk, per track | "
        "again, nothing changed |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for one in figures["sizes"]:
        count = one["tracks"]
        own = (one["mib"] - one["mib_before"]) * 1024 / count
        lines.append(
            f"| {count:,} | {one['seconds']:.1f} s | {one['mib']:.0f} MiB | {own:.1f} KiB | "
            f"{one['bytes'] / count / 1024:.1f} KiB | {one['rescan']['seconds']:.2f} s |"
        )
    ask = figures["ask"]
    lines += [
        "",
        f"`Library.similar`, n = 10, {most['tracks']:,} tracks, in one process "
        f"(opened in {ask['opening']:.2f} s, peak {ask['mib']:.0f} MiB, mapped files included):",
        "",
        "| question | p50 ms | p95 ms |",
        "|---|---:|---:|",
    ]
    for name, seconds in ask["seconds"].items():
        p50, p95 = np.percentile(np.array(seconds) * 1000, (50, 95))
        lines.append(f"| {name} | {p50:.1f} | {p95:.1f} |")
    lines += ["", "`soundalike similar ID`, a new process each time:", ""]
    lines += ["| question | seconds (smallest to largest) | p95 |", "|---|---|---:|"]
    for name, seconds in figures["cold"].items():
        lines.append(f"| {name} | {spread(seconds)} | {np.percentile(seconds, 95):.2f} |")
    lines += [
        "",
        f"Indexes over the same {most['tracks']:,} means, against exact answers. Lance's is what a "
        f"library above {figures['limit']:,} tracks asks for candidates, which are then compared "
        "exactly; the others answer by themselves.",
        "",
        "| index | built in | p50 ms | p95 ms | recall@10 |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in ("approximate", "voyager"):
        if found := figures.get(name):
            p50, p95 = np.percentile(np.array(found["seconds"]) * 1000, (50, 95))
            label = {"approximate": "Lance IVF_RQ and exact re-rank", "voyager": "Voyager HNSW"}
            lines.append(
                f"| {label[name]} | {found['building']:.1f} s | {p50:.1f} | {p95:.1f} | "
                f"{found['recall']:.3f} |"
            )
    return "\n".join(lines)


def measure(options: Any, work: Path) -> dict[str, Any]:
    """All parts, the largest library last."""
    figures: dict[str, Any] = {"like": learn(work, options.like, options.real)}
    figures |= {"limit": ranking.EXACT_LIMIT, "sizes": []}
    for tracks in sorted({*(size for size in SIZES if size < options.tracks), options.tracks}):
        shutil.rmtree(work / "music", ignore_errors=True)
        shutil.rmtree(work / "library", ignore_errors=True)
        made = {"tracks": tracks, **run_part("index", work, tracks)}
        figures["sizes"].append(made | {"rescan": run_part("rescan", work, tracks)})
        print(f"{tracks} tracks indexed", file=sys.stderr)
    figures["ask"] = run_part("ask", work, tracks, options.queries)
    figures["cold"] = cold(work, options.runs)
    for name in ("approximate", "voyager"):
        figures[name] = run_part(name, work, tracks, options.queries)
    return figures


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--tracks", type=int, default=100_000, help="size of the largest library")
    options.add_argument(
        "--like", type=Path, help="an indexed library to imitate; else one is made"
    )
    options.add_argument("--real", type=int, default=59, help="recordings to make it of")
    options.add_argument("--queries", type=int, default=200, help="questions of each kind")
    options.add_argument("--runs", type=int, default=9, help="processes per question")
    options.add_argument("--part", choices=PARTS, help="run one part in this process, print JSON")
    options.add_argument("--work", type=Path, help="folder of the parts; else a temporary one")
    chosen = options.parse_args()
    if chosen.part:
        more = {"queries": chosen.queries} if chosen.part not in ("index", "rescan") else {}
        print(json.dumps(PARTS[chosen.part](chosen.work, chosen.tracks, **more)))
        return
    with tempfile.TemporaryDirectory() as name:
        figures = measure(chosen, chosen.work or Path(name))
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
