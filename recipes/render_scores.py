"""Scores -> arrangements, rendered: training pairs that share the music and nothing else.

    pip install "soundalike[train]" mido partitura       # partitura for notation only
    apt install fluidsynth fluid-soundfont-gm musescore-general-soundfont-small
    fonts="--soundfont FluidR3_GM.sf2 --soundfont MuseScore_General_Lite.sf3"
    python recipes/render_scores.py pieces.csv .cache/scores --suffix .mid --copies 3 $fonts
    python recipes/render_scores.py pieces.csv .cache/scores --suffix .mxl --copies 2 $fonts

`pieces.csv` has the columns `path` (relative to it), `use`, `piece` (unique), `composer`, `licence`
and `origin`; only rows whose use is "training" are touched. Soundfonts kept for evaluation must not
be named here. Composers take turns, so a run cut short by --minutes still has many of them.

Out come `<piece>/<k>.npy` (int16, 16 kHz mono, at full scale) and `index.json`, which groups the
files of each piece and says how each was made; the same share of two files of a group is the same
music. A piece in the index is not rendered again; one that cannot be rendered stands there under
"failures" and is tried again by the next run.

An .sf3 soundfont is unpacked anew for every file, which is half of the time; the same soundfont as
.sf2 renders the same samples.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.scores.orchestration import STYLES, Plan, draw_plans
from soundalike.scores.rendering import arrange, passage_end, play, read_score

SHORTEST = 10.0
"""Seconds: a jingle is no piece to find again."""


@dataclass(frozen=True)
class Job:
    """One piece to render: its row of pieces.csv, and how."""

    row: dict[str, str]
    score: Path
    out: Path
    soundfonts: tuple[Path, ...]
    copies: int
    longest: float
    seed: int
    deadline: float

    @property
    def folder(self) -> Path:
        """Where its files go, below `out`: "lieder:A/B" becomes lieder/A/B."""
        return Path(*self.row["piece"].replace(":", "/", 1).split("/"))


def render(job: Job) -> dict[str, Any] | str | None:
    """Render a piece: its group of the index, or why there is none; None when time is up."""
    if time.time() > job.deadline:
        return None
    try:
        return render_group(job)
    except Exception as error:  # one bad piece must not end the run
        return f"{type(error).__name__}: {error}"


def render_group(job: Job) -> dict[str, Any]:
    """Write the files of a piece and describe them."""
    score = read_score(job.score)
    if score.end < SHORTEST:
        raise ValueError(f"lasts {score.end:.1f} s, at least {SHORTEST:g} s are wanted")
    # The piece's own generator: what else is in the list, and what failed, changes nothing.
    digest = hashlib.blake2b(job.row["piece"].encode(), digest_size=8).digest()
    rng = np.random.default_rng([job.seed, int.from_bytes(digest, "big")])
    plans = draw_plans(score.voices(), rng, count=job.copies, soundfonts=len(job.soundfonts))
    end = passage_end(score, plans, longest=job.longest)
    (job.out / job.folder).mkdir(parents=True, exist_ok=True)
    arrangements = []
    for k, plan in enumerate(plans):
        soundfont = job.soundfonts[plan.soundfont]
        waveform = play(arrange(score, plan, end=end), soundfont, room=plan.room)
        file = job.folder / f"{k}.npy"
        np.save(job.out / file, waveform)
        arrangements.append({"file": file.as_posix(), **describe(plan, soundfont)})
    return {
        "piece": job.row["piece"],
        "files": [arrangement["file"] for arrangement in arrangements],
        "passage_s": round(end, 3),
        "licence": job.row["licence"],
        "origin": job.row["origin"],
        "arrangements": arrangements,
    }


def describe(plan: Plan, soundfont: Path) -> dict[str, Any]:
    """What the index says about one arrangement."""
    return {
        "style": plan.style,
        "transposition": plan.transposition,
        "speed": round(plan.speed, 4),
        "silent_voices": len(plan.silent),
        "soundfont": soundfont.stem,
    }


def in_turns(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Order rows so that each composer comes once before any comes twice."""
    shuffled = sorted(rows, key=lambda row: hashlib.blake2b(row["piece"].encode()).digest())
    turns: Counter[str] = Counter()
    placed = []
    for row in shuffled:
        turns[row["composer"]] += 1
        placed.append((turns[row["composer"]] if row["composer"] else 1, row))
    return [row for _, row in sorted(placed, key=lambda place: place[0])]


class Index:
    """index.json: read when it is there, written after every piece."""

    def __init__(self, path: Path) -> None:
        self.path = path
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.groups = {group["piece"]: group for group in known.get("groups", [])}
        self.failures: dict[str, str] = known.get("failures", {})

    def add(self, piece: str, outcome: dict[str, Any] | str) -> None:
        """Note what came of a piece."""
        self.failures.pop(piece, None)
        if isinstance(outcome, str):
            self.failures[piece] = outcome
        else:
            self.groups[piece] = outcome
        whole = {
            "format": "int16, 16000 Hz, mono",
            "groups": [self.groups[piece] for piece in sorted(self.groups)],
            "failures": dict(sorted(self.failures.items())),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".unfinished")
        text = json.dumps(whole, indent=1, ensure_ascii=False)
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(self.path)


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Render scores in several arrangements each.")
    parser.add_argument("pieces", type=Path, help="pieces.csv")
    parser.add_argument("out", type=Path, help="the folder to write to")
    parser.add_argument("--soundfont", type=Path, action="append", required=True)
    parser.add_argument("--suffix", default=".mid", help="of the scores to render")
    parser.add_argument("--copies", type=int, default=3, help=f"2 to {len(STYLES)}")
    parser.add_argument("--longest", type=float, default=95.0, help="seconds, of any arrangement")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no piece after these")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not 2 <= given.copies <= len(STYLES):
        parser.error(f"--copies {given.copies}: a pair takes 2, and there are {len(STYLES)} styles")
    return given


def main() -> int:
    """Render what is asked for; exit 0 when all pieces could be rendered, 1 when some could not."""
    given = read_arguments()
    with given.pieces.open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["use"] == "training"]
    index = Index(given.out / "index.json")
    wanted = [row for row in rows if row["path"].endswith(given.suffix)]
    begun = time.time()
    jobs = [
        Job(
            row=row,
            score=given.pieces.parent / row["path"],
            out=given.out,
            soundfonts=tuple(given.soundfont),
            copies=given.copies,
            longest=given.longest,
            seed=given.seed,
            deadline=begun + 60 * given.minutes,
        )
        for row in in_turns(wanted)
        if row["piece"] not in index.groups
    ]
    print(f"{len(wanted)} pieces, {len(jobs)} to render", flush=True)
    failed = 0
    with ProcessPoolExecutor(given.jobs) as pool:
        for done, (job, outcome) in enumerate(zip(jobs, pool.map(render, jobs), strict=True), 1):
            if outcome is None:
                continue
            index.add(job.row["piece"], outcome)
            failed += isinstance(outcome, str)
            if isinstance(outcome, str):
                print(f"{job.row['piece']}: {outcome}", file=sys.stderr, flush=True)
            if done % 20 == 0:
                print(f"{done} pieces in {time.time() - begun:.0f} s", flush=True)
    print(f"{len(index.groups)} pieces in the index, {failed} failed just now", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
