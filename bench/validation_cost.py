"""What `soundalike evaluate SYSTEM` takes: every task of the validation split, the system described anew.

python bench/validation_cost.py [SYSTEM] [--split validation] [--cache .cache/evaluation] [--json PATH]

Sounds that are costly to make (renderings, degraded excerpts) are taken from the cache, into which an
evaluation of `chance` puts them first; descriptions are not. So this is what each further encoder costs.
Processor time is that of the process and of all it started. On a machine with other work the clock says
more than it would on an idle one; processor time over the number of cores says what an idle one could do
at best.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import ROOT, finish, parser

DESCRIBED = "descriptions"


def measure(system: str, split: str, cache: Path) -> dict[str, Any]:
    """Evaluate once, with everything but descriptions from the cache."""
    _evaluate("chance", split, cache)
    with tempfile.TemporaryDirectory() as name:
        fresh, record = Path(name) / "cache", Path(name) / "record.json"
        fresh.mkdir()
        for kept in sorted(cache.iterdir()):
            if kept.name != DESCRIBED:
                (fresh / kept.name).symlink_to(kept.resolve())
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        _evaluate(system, split, fresh, "--out", str(record))
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        (evaluation,) = json.loads(record.read_text("utf-8"))["evaluations"]
    return {
        "system": evaluation["identity"],
        "split": split,
        "tracks": evaluation["tracks"],
        "queries": sum(
            each["queries"]
            for each in evaluation["results"]
            if each.get("kind", "") in ("", "all") and each["task"] != "hubness"
        ),
        "tasks": list(dict.fromkeys(each["task"] for each in evaluation["results"])),
        "seconds": seconds,
        "processor_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[2],
    }


def _evaluate(system: str, split: str, cache: Path, *options: str) -> None:
    command = [sys.executable, "-m", "soundalike", "evaluate", system, "--split", split]
    command += ["--cache", str(cache), *options]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def as_markdown(figures: dict[str, Any]) -> str:
    """One row."""
    minutes, processor = figures["seconds"] / 60, figures["processor_s"] / 60
    return "\n".join(
        [
            f"{figures['system']}, {figures['split']} split: {figures['tracks']} tracks, "
            f"{figures['queries']:,} queries in {len(figures['tasks'])} tasks. Renderings and degraded "
            "excerpts were in the cache, descriptions were not.",
            "",
            f"| minutes on the clock | load meanwhile, {figures['cores']} cores | processor minutes | "
            "over the cores |",
            "|---|---|---|---|",
            f"| {minutes:.1f} | {figures['load']:.1f} | {processor:.1f} | "
            f"{processor / figures['cores']:.1f} |",
        ]
    )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("system", nargs="?", default="default", help="as evaluate knows it")
    options.add_argument("--split", default="validation", help="rows to ask about")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache/evaluation")
    chosen = options.parse_args()
    figures = measure(chosen.system, chosen.split, chosen.cache)
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
