"""How even the steps of a path are, and how fast and how well playlists are sorted.

python bench/going.py [--library PATH] [--tracks 59] [--pairs 100] [--json PATH]

Paths lead between pairs of tracks drawn at random. Beside them, over the same pairs: always the track
nearest to each evenly spaced place that is not taken yet ("nearest"), and tracks drawn at random. Even
is told by the largest step angle over the mean one, 1 at best; but random tracks are all equally far
from each other, so the mean itself has to be seen beside it.

Sorting is timed on vectors drawn around random centres, 20 to each, which real playlists resemble, and
on all tracks of the library, whose mean similarity of neighbors by path is that before.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from record import finish, linked, music, parser
from soundalike.library import order, path
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.ground import Ground
from soundalike.library.library import Library
from soundalike.library.selection import Selection

LENGTHS = (5, 10, 25)
SIZES = (1000, 5000)
WAYS = ("path", "nearest", "random")


def nearest(ground: Ground, start: int, end: int, n: int) -> list[int]:
    """To each place the track nearest to it that is not on the way yet."""
    ends = ground.vectors([start, end]).astype(np.float64)
    way = [start]
    for place in path.places_between(ends, n - 2):
        scores = ground.likeness(place)[0]
        scores[[*way, end]] = -np.inf
        way.append(int(scores.argmax()))
    return [*way, end]


def at_random(count: int, start: int, end: int, n: int, rng: np.random.Generator) -> list[int]:
    """Any tracks between start and end."""
    others = np.setdiff1d(np.arange(count), [start, end])
    return [start, *rng.choice(others, n - 2, replace=False).tolist(), end]


def evenness(ground: Ground, n: int, pairs: int) -> dict[str, dict[str, float]]:
    """Of every way: largest over mean step, mean step in degrees, seconds to find it."""
    count = len(ground.snapshot)
    rng = np.random.default_rng(0)
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in WAYS}
    for _ in range(pairs):
        start, end = rng.choice(count, 2, replace=False).tolist()
        for name in WAYS:
            began = time.perf_counter()
            if name == "path":
                way = path.find_path(ground, start, end, n)
            elif name == "nearest":
                way = nearest(ground, start, end, n)
            else:
                way = at_random(count, start, end, n, rng)
            seconds = time.perf_counter() - began
            angles = np.degrees(path.step_angles(ground, way))
            figures[name].append((angles.max() / angles.mean(), angles.mean(), seconds))
    keys = ("ratio", "degrees", "seconds")
    return {
        name: dict(zip(keys, np.mean(values, axis=0).tolist(), strict=True))
        for name, values in figures.items()
    }


def sorting(vectors: Vectors) -> dict[str, float]:
    """Mean similarity of neighbors before and after, and processor seconds."""
    steps = len(vectors) - 1
    began = time.process_time()
    found = order.shortest_order(vectors)
    return {
        "tracks": len(vectors),
        "seconds": time.process_time() - began,
        "before": 1 - order.length(vectors, range(len(vectors))) / steps,
        "after": 1 - order.length(vectors, found) / steps,
    }


def centred(count: int, width: int) -> Vectors:
    """Unit vectors around random centres, 20 to each, in no order: float32 [count, width]."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((count // 20, width))
    around = centres[rng.integers(len(centres), size=count)]
    return unit((around + 0.9 * rng.standard_normal((count, width))).astype(np.float32))


def as_markdown(figures: dict[str, Any]) -> str:
    """A table of paths and one of sorting."""
    lines = [
        f"Library of {figures['tracks']} tracks, encoder {figures['model']}; {figures['pairs']} pairs "
        "of tracks at random.",
        "",
        "| way | tracks | largest / mean step | mean step, degrees | ms |",
        "|---|---|---|---|---|",
    ]
    for n, ways in figures["paths"].items():
        lines += [
            f"| {name} | {n} | {each['ratio']:.2f} | {each['degrees']:.1f} "
            f"| {1000 * each['seconds']:.0f} |"
            for name, each in ways.items()
        ]
    lines += [
        "",
        "| sorted | similarity of neighbors before | after | processor seconds |",
        "|---|---|---|---|",
    ]
    for name, each in figures["sorting"].items():
        before, after, seconds = (f"{each[key]:.3f}" for key in ("before", "after", "seconds"))
        lines.append(f"| {name} | {before} | {after} | {seconds[:-1]} |")
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--library", type=Path, help="an indexed library; else one is made")
    options.add_argument("--music", type=Path, help="folder to take recordings from")
    options.add_argument("--tracks", type=int, default=59, help="how many to index")
    options.add_argument("--pairs", type=int, default=100, help="paths of each length")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        library = Library(chosen.library or Path(name) / "library")
        if not chosen.library:
            files = music(chosen.music, chosen.tracks)
            library.index([linked(files, Path(name) / "music")])
        snapshot = library._filled()
        ground = Ground(snapshot, Selection())
        width = snapshot.means.shape[1]
        samples = {f"{n} vectors around centres": centred(n, width) for n in SIZES}
        samples[f"the {len(snapshot)} tracks of the library"] = np.asarray(snapshot.means)
        figures = {
            "tracks": len(snapshot),
            "model": library.model,
            "pairs": chosen.pairs,
            "paths": {str(n): evenness(ground, n, chosen.pairs) for n in LENGTHS},
            "sorting": {what: sorting(vectors) for what, vectors in samples.items()},
        }
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
