"""Tracks per second of `soundalike index` against bliss-audio, and where a track's time goes.

python bench/index_speed.py [--tracks 59] [--jobs 2] [--rounds 5] [--model NAME] [--json PATH]

Both hear the same files in the same run, taking turns, each as a program of its own with the same
number of workers, starting included: soundalike fills a new library with threads, bliss-audio
analyses in processes. bliss reads every second of a track, soundalike only its segments.

Where the time goes is measured in this process with one job and one thread, in processor time, so
that other work on the machine counts for less.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from record import finish, linked, music, parser, spread
from soundalike.audio.segments import grid
from soundalike.audio.waveform import load_segments, probe
from soundalike.embedder import Embedder
from soundalike.library.library import Library

IDLE = "soundalike, nothing new"
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}
BLISS = """
import sys
from concurrent.futures import ProcessPoolExecutor
import bliss_audio

def analyse(path):
    return bliss_audio.Song(path).analysis

if __name__ == "__main__":
    with ProcessPoolExecutor(int(sys.argv[1])) as pool:
        list(pool.map(analyse, sys.argv[2:]))
"""


def timed(command: Sequence[str | Path]) -> dict[str, float]:
    """Wall and processor seconds of a program."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=ALONE, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.perf_counter() - began, "processor": processor}


def side_by_side(
    files: list[Path], work: Path, *, rounds: int, jobs: int, model: str | None
) -> dict[str, list[dict[str, float]]]:
    """Both programs over the files, taking turns; the first round warms the disk and is dropped."""
    folder, peer = linked(files, work / "music"), importlib.util.find_spec("bliss_audio")
    (work / "bliss.py").write_text(BLISS)
    index = [sys.executable, "-m", "soundalike", "index", folder, "-q", "--jobs", str(jobs)]
    index += ["--model", model] if model else []
    times: dict[str, list[dict[str, float]]] = {"soundalike": [], "bliss-audio": []}
    for number in range(rounds + 1):
        times["soundalike"].append(timed([*index, "--library", work / f"library-{number}"]))
        if peer:
            command = [sys.executable, work / "bliss.py", str(jobs), *map(str, files)]
            times["bliss-audio"].append(timed(command))
    kept = {name: values[1:] for name, values in times.items() if values}
    # What starting alone costs: the same command once more, with nothing new to hear.
    return {**kept, IDLE: [timed([*index, "--library", work / "library-0"])]}


def where_time_goes(files: list[Path], work: Path, model: str | None) -> dict[str, float]:
    """Processor milliseconds per track of each stage, for one job on one thread."""
    embedder = Embedder(model, threads=1)
    S, L = embedder.segment_count, round(embedder.segment_length * embedder.sample_rate)
    Library(work / "warm", embedder=embedder).index([files[0]], jobs=1)  # imports are not a stage
    times, clock = (
        {"probe": 0.0, "decode, resample": 0.0, "log-mel, encoder": 0.0},
        time.process_time,
    )
    for file in files:
        began = clock()
        segments = grid(probe(file).duration, count=S, length=embedder.segment_length)
        probed = clock()
        rows = load_segments(file, segments, sample_rate=embedder.sample_rate, length=L)
        decoded = clock()
        embedder.embed_segments(rows)
        encoded = clock()
        steps = (probed - began, decoded - probed, encoded - decoded)
        for stage, seconds in zip(list(times), steps, strict=True):
            times[stage] += seconds
    began = clock()
    Library(work / "whole", embedder=embedder).index([work / "music"], jobs=1)
    times["store and the rest"] = clock() - began - sum(times.values())
    return {stage: 1000 * seconds / len(files) for stage, seconds in times.items()}


def as_markdown(figures: dict[str, Any]) -> str:
    """The two tables."""
    tracks, programs = figures["tracks"], figures["programs"]
    lines = [
        f"{tracks} tracks of {figures['minutes']:.0f} minutes, {figures['jobs']} workers, encoder "
        f"{figures['model']}. Median of {len(programs['soundalike'])} rounds (smallest to largest).",
        "",
        "| program | tracks per second | processor-ms per track |",
        "|---|---|---|",
    ]
    for name in ("soundalike", "bliss-audio"):
        rounds = programs.get(name, [])
        if not rounds:
            continue
        speeds = [tracks / each["wall"] for each in rounds]
        costs = [1000 * each["processor"] / tracks for each in rounds]
        lines.append(f"| {name} | {spread(speeds)} | {spread(costs, '.0f')} |")
    if "bliss-audio" in programs:
        turns = list(zip(programs["bliss-audio"], programs["soundalike"], strict=True))
        lines += ["", "soundalike's speed over bliss-audio's, round by round:"]
        for clock in ("wall", "processor"):
            ratios = [theirs[clock] / ours[clock] for theirs, ours in turns]
            lines.append(f"by {clock} time {spread(ratios)}.")
    else:
        lines += ["", "bliss-audio could not be imported; it was not measured."]
    idle = programs[IDLE][0]
    lines += [
        "",
        f"Of that, starting is {idle['processor']:.1f} processor-s ({idle['wall']:.1f} s): the same "
        "command with nothing new to hear.",
    ]
    stages, whole = figures["stages"], sum(figures["stages"].values())
    lines += ["", "| stage, one job | processor-ms per track | share |", "|---|---:|---:|"]
    lines += [f"| {k} | {ms:.1f} | {ms / whole:.0%} |" for k, ms in stages.items()]
    return "\n".join([*lines, f"| all | {whole:.1f} | |"])


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--music", type=Path, help="folder to take recordings from")
    options.add_argument("--tracks", type=int, default=59, help="how many")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="workers of each")
    options.add_argument("--rounds", type=int, default=5, help="turns that count")
    options.add_argument("--model", help="shipped name or folder; the default if none")
    chosen = options.parse_args()
    files = music(chosen.music, chosen.tracks)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        figures = {
            "tracks": len(files),
            "minutes": sum(probe(file).duration for file in files) / 60,
            "jobs": chosen.jobs,
            "model": Embedder(chosen.model).identity,
            "programs": side_by_side(
                files, work, rounds=chosen.rounds, jobs=chosen.jobs, model=chosen.model
            ),
            "stages": where_time_goes(files, work, chosen.model),
        }
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
