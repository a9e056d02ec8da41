"""Seconds from the start of `soundalike similar FILE` to its answer, in a new process every time.

python bench/cold_start.py [--library PATH] [--tracks 59] [--runs 7] [--model NAME] [--json PATH]

The library is on disk and its files are in the system's cache; nothing else is kept between runs.
Asked are a track of the library, whose vectors are stored, and a file that is not in it, which is
decoded and encoded first. One more run of each lists the modules it imported: PyTorch must not be
among them (the exit code is 1 if it is), and Lance need not be.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import finish, linked, music, parser, spread
from soundalike.library.library import Library

WATCHED = ("torch", "lancedb", "onnxruntime")


def answer(arguments: list[str], *, interpreter: tuple[str, ...] = ()) -> tuple[float, str]:
    """Seconds until the answer is complete and the program gone, and what it said on stderr."""
    command = [sys.executable, *interpreter, "-m", "soundalike", "similar", *arguments]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if not done.stdout.strip():
        raise SystemExit(f"no answer from {' '.join(command)}")
    return seconds, done.stderr


def imported(arguments: list[str]) -> list[str]:
    """Which of the watched packages a run imports."""
    _, log = answer(arguments, interpreter=("-X", "importtime"))
    modules = set(re.findall(r"\| +([\w.]+)$", log, re.MULTILINE))
    return [name for name in WATCHED if name in modules]


def measure(library: Path, outsider: Path, runs: int) -> dict[str, dict[str, Any]]:
    """Times and imports of both questions."""
    inside = str(Library(library).tracks()[0].path)
    figures = {}
    for name, query in (("a track of the library", inside), ("another file", str(outsider))):
        arguments = [query, "--library", str(library)]
        answer(arguments)  # warms the disk's cache
        times = [answer(arguments)[0] for _ in range(runs)]
        figures[name] = {"seconds": times, "imports": imported(arguments)}
    return figures


def as_markdown(figures: dict[str, Any]) -> str:
    """One row per question."""
    queries = figures["queries"]
    runs = len(next(iter(queries.values()))["seconds"])
    lines = [
        f"Library of {figures['tracks']} tracks, encoder {figures['model']}. Median of {runs} "
        "processes (smallest to largest).",
        "",
        "| asked about | seconds to the answer | imported: " + " / ".join(WATCHED) + " |",
        "|---|---|---|",
    ]
    for name, each in queries.items():
        seen = " / ".join("yes" if package in each["imports"] else "no" for package in WATCHED)
        lines.append(f"| {name} | {spread(each['seconds'])} | {seen} |")
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--library", type=Path, help="an indexed library; else one is made")
    options.add_argument("--music", type=Path, help="folder to take recordings from")
    options.add_argument("--tracks", type=int, default=59, help="how many to index")
    options.add_argument("--runs", type=int, default=7, help="processes per question")
    options.add_argument("--model", help="shipped name or folder; the default if none")
    chosen = options.parse_args()
    *files, outsider = music(chosen.music, chosen.tracks)
    with tempfile.TemporaryDirectory() as name:
        path = chosen.library or Path(name) / "library"
        if not chosen.library:
            Library(path, model=chosen.model).index([linked(files, Path(name) / "music")])
        library = Library(path)
        queries = measure(path, outsider, chosen.runs)
        figures = {"tracks": len(library), "model": library.model, "queries": queries}
    finish(__file__, as_markdown(figures), figures, chosen)
    if any("torch" in each["imports"] for each in queries.values()):
        raise SystemExit("PyTorch was imported to answer a listener")


if __name__ == "__main__":
    main()
