"""`soundalike serve` under load: requests a second, how long answers take, memory, and what is lost.

python bench/serve_load.py [--tracks 10000 100000] [--clients 1 16 256] [--seconds 20] [--hold 300]
                           [--workers 1] [--like LIBRARY] [--json PATH]

The libraries are synthetic (`synthetic_library.py`, made as by `library_scale.py`). The server is the real
program, asked by a process of clients on the same machine (`serve_client.py`), which takes part of the
processor; every client asks again as soon as it is answered. In the end 16 clients go on for
`--hold` seconds while memory is read every second; then they go on once more while another process
indexes new tracks, batch by batch, and each of them has to be found afterwards.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from library_scale import _likeness, learn, timed
from record import finish, parser
from soundalike.library.library import Library
from synthetic_library import SyntheticTracks

HERE = Path(__file__).parent
HOLDING = 16
BATCHES, BATCH = 10, 50
ASKED = 1000


def part_make(work: Path, tracks: int) -> None:
    """A library of so many tracks; some more are drawn, for later."""
    made = SyntheticTracks(tracks + BATCHES * BATCH, _likeness(work))
    made.write(work / "music", range(tracks))
    library = Library(work / "library", embedder=made)  # type: ignore[arg-type]
    assert library.index([work / "music"]).added == tracks


def part_grow(work: Path, tracks: int) -> None:
    """Index the tracks that were kept for later, batch by batch."""
    made = SyntheticTracks(tracks + BATCHES * BATCH, _likeness(work))
    library = Library(work / "library", embedder=made)  # type: ignore[arg-type]
    seconds = []
    for batch in range(BATCHES):
        first = tracks + batch * BATCH
        made.write(work / "music", range(first, first + BATCH))
        took, report = timed(library.index)
        assert report.added == BATCH, report
        seconds.append(took)
    print(json.dumps(seconds))


PARTS = {"make": part_make, "grow": part_grow}


class Served:
    """A running server, and its clients."""

    def __init__(self, process: subprocess.Popen[str], port: int, work: Path) -> None:
        self.process, self.port, self.ids = process, port, work / "ids"
        tracks = self.get("/api/tracks", f"limit={ASKED}")["tracks"]
        self.ids.write_text("\n".join(track["id"] for track in tracks), encoding="ascii")

    def get(self, path: str, query: str = "") -> Any:
        """What a room answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}?{query}") as answer:
            return json.load(answer)

    def load(self, clients: int, seconds: float) -> dict[str, Any]:
        """Ask with so many clients for so long."""
        command = [sys.executable, str(HERE / "serve_client.py"), str(self.port), str(clients)]
        done = subprocess.run(
            [*command, str(seconds), str(self.ids)], check=True, stdout=subprocess.PIPE, text=True
        )
        told = json.loads(done.stdout)
        p50, p95, p99 = (np.percentile(told["times"], (50, 95, 99)) * 1000).tolist()
        return {
            "clients": clients,
            "requests": len(told["times"]),
            "per_second": len(told["times"]) / told["seconds"],
            "p50": p50,
            "p95": p95,
            "p99": p99,
            "codes": told["codes"],
        }

    def memory(self) -> float:
        """MiB of the server and its workers together."""
        pids = [self.process.pid, *map(int, _children(self.process.pid))]
        lines = [Path(f"/proc/{pid}/status").read_text("ascii") for pid in pids]
        return sum(int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) for text in lines) / 1024


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()


@contextmanager
def served(work: Path, workers: int) -> Iterator[Served]:
    """The real program over the library; it must end with 0."""
    command = [sys.executable, "-m", "soundalike", "serve", "--library", str(work / "library")]
    command += ["--port", "0", "--quiet", "--workers", str(workers)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r" at http://[^:]+:(\d+)/", process.stderr.readline())
        assert found is not None, "the server does not start"
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            yield Served(process, int(found[1]), work)
        finally:
            process.terminate()
        assert process.wait(60) == 0


def hold(server: Served, seconds: float) -> dict[str, Any]:
    """Memory, second by second, while clients go on."""
    read, over = [server.memory()], threading.Event()

    def look() -> None:
        while not over.wait(1.0):
            read.append(server.memory())

    looking = threading.Thread(target=look)
    looking.start()
    told = server.load(HOLDING, seconds)
    over.set()
    looking.join()
    return told | {"memory": read}


def grow(server: Served, work: Path, tracks: int) -> dict[str, Any]:
    """The load while another process indexes; then every new track has to be there."""
    command = [sys.executable, __file__, "--part", "grow", "--work", str(work)]
    command += ["--tracks", str(tracks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as indexing:
        told, codes = [], Counter[str]()
        while indexing.poll() is None or not told:
            told.append(server.load(HOLDING, 3.0))
            codes.update(told[-1]["codes"])
        assert indexing.stdout is not None
        seconds = json.loads(indexing.stdout.read())
    found = int(server.get("/api/tracks", "limit=1")["total"])
    return {
        "requests": sum(each["requests"] for each in told),
        "p50": max(each["p50"] for each in told),
        "p99": max(each["p99"] for each in told),
        "codes": codes,
        "indexings": seconds,
        "expected": tracks + BATCHES * BATCH,
        "found": found,
    }


def as_markdown(figures: dict[str, Any]) -> str:
    """Tables: the load by size and clients, memory, indexing meanwhile."""
    lines = [
        f"`GET /api/similar?id=...&n=10`, {figures['workers']} worker(s), clients on the same machine that "
        "ask again as soon as they are answered; milliseconds.",
        "",
        "| tracks | clients | requests a second | p50 | p95 | p99 | not answered with 200 |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in figures["sizes"]:
        for run in one["load"]:
            lines.append(
                f"| {one['tracks']:,} | {run['clients']} | {run['per_second']:.0f} | "
                f"{run['p50']:.1f} | {run['p95']:.1f} | {run['p99']:.1f} | {_others(run['codes'])} |"
            )
    lines += [
        "",
        f"Memory of the server under {HOLDING} clients, MiB (mapped files included), and questions "
        "answered meanwhile:",
        "",
        "| tracks | before | after a quarter | half | at the end | most | questions | not 200 |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in figures["sizes"]:
        read = one["hold"]["memory"]
        when = (0, len(read) // 4, len(read) // 2, len(read) - 1)
        parts = " | ".join(f"{read[i]:.0f}" for i in when)
        lines.append(
            f"| {one['tracks']:,} | {parts} | {max(read):.0f} | {one['hold']['requests']:,} | "
            f"{_others(one['hold']['codes'])} |"
        )
    lines += [
        "",
        f"While another process indexes {BATCHES} times {BATCH} new tracks, under {HOLDING} clients; "
        "the largest p50 and p99 of any 3 s:",
        "",
        "| tracks | questions | p50 | p99 | not 200 | an indexing takes | tracks lost |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in figures["sizes"]:
        run = one["grow"]
        took = float(np.median(run["indexings"]))
        lines.append(
            f"| {one['tracks']:,} | {run['requests']:,} | {run['p50']:.1f} | {run['p99']:.1f} | "
            f"{_others(run['codes'])} | {took:.1f} s | {run['expected'] - run['found']} |"
        )
    return "\n".join(lines)


def _others(codes: dict[str, int]) -> int:
    return sum(count for code, count in codes.items() if code != "200")


def measure(options: Any, work: Path) -> dict[str, Any]:
    """Every size in turn."""
    figures: dict[str, Any] = {"workers": options.workers, "sizes": []}
    figures["like"] = learn(work, options.like, options.real)
    for tracks in options.tracks:
        room = work / str(tracks)
        room.mkdir()
        (room / "likeness.npz").symlink_to(work / "likeness.npz")
        command = [sys.executable, __file__, "--part", "make", "--work", str(room)]
        subprocess.run([*command, "--tracks", str(tracks)], check=True)
        print(f"{tracks} tracks indexed", file=sys.stderr)
        with served(room, options.workers) as server:
            server.load(1, 2.0)  # what is mapped has to be read once
            load = [server.load(clients, options.seconds) for clients in options.clients]
            held = hold(server, options.hold)
            grown = grow(server, room, tracks)
        figures["sizes"].append({"tracks": tracks, "load": load, "hold": held, "grow": grown})
        print(f"{tracks} tracks asked", file=sys.stderr)
    return figures


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--tracks", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--clients", type=int, nargs="+", default=[1, 16, 256])
    options.add_argument("--seconds", type=float, default=20.0, help="of each load")
    options.add_argument("--hold", type=float, default=300.0, help="seconds memory is watched")
    options.add_argument("--workers", type=int, default=1)
    options.add_argument(
        "--like", type=Path, help="an indexed library to imitate; else one is made"
    )
    options.add_argument("--real", type=int, default=59, help="recordings to make it of")
    options.add_argument("--part", choices=PARTS, help="run one part in this process")
    options.add_argument("--work", type=Path, help="folder of the parts; else a temporary one")
    chosen = options.parse_args()
    if chosen.part:
        PARTS[chosen.part](chosen.work, *chosen.tracks)
        return
    with tempfile.TemporaryDirectory() as name:
        figures = measure(chosen, chosen.work or Path(name))
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
