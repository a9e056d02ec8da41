"""Runs that may each learn for the same processor time, trained side by side.

    equal_compute.py   four methods
    ablation.py        one recipe, changed in one thing at a time

How many steps the time of one run buys another follows from a trial of a few steps of each. What a run
then took stands in its history.jsonl (`cpu_s`, of one thread; making views and validating left out). Every
run ends its cosine at its last step and is validated once, there: nothing is chosen by looking. A run that
has its model is not trained again, one that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from soundalike.training.recipe import read_recipe
from soundalike.training.run import assemble

RECIPES = Path(__file__).parent

PLAIN = ("steadiness.strength=0.0", "model.readout.means=[]", "model.readout.deviations=[]")
"""Settings that read h out and nothing else, not made steady: to compare what was learnt."""

TRIAL = 4


@dataclass(frozen=True)
class Run:
    """A recipe and what is changed of it.

    Attributes:
        name: of its folder and of the model.
        recipe: file in recipes/, without its ending.
        settings: "table.key=value", whatever the number of steps.
        warmup: share of the steps; None to leave the recipe's.
        like: name of the run a step of which costs as much; "" to try it.
        learns: whether it is trained at all.
    """

    name: str
    recipe: str
    settings: tuple[str, ...] = ()
    warmup: float | None = None
    like: str = ""
    learns: bool = True

    def of_length(self, steps: int) -> list[str]:
        """All that is changed of the recipe for a run of so many steps."""
        ends = [f"optimizer.steps={steps}", f"validation.every={steps}"]
        if self.warmup is not None:
            ends.append(f"optimizer.warmup={round(self.warmup * steps)}")
        return [*self.settings, f'model.name="{self.name}"', *ends]

    @property
    def path(self) -> Path:
        """The recipe's file."""
        return RECIPES / f"{self.recipe}.toml"


def train_all(runs: Sequence[Run], out: Path, steps: int, jobs: int) -> None:
    """Train every run under `out`: the first for `steps`, the others for as long as that takes."""
    named = {run.name: run for run in runs}
    budget = pace(runs[0], out) * steps
    print(f"budget: {budget:.0f} processor seconds", flush=True)

    def one(run: Run) -> None:
        _train(run, out / run.name, round(budget / pace(named[run.like or run.name], out)))

    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(one, runs):
            pass


def pace(run: Run, out: Path) -> float:
    """Processor seconds that a step takes, measured once in a process of its own."""
    note = out / "trials" / f"{run.name}.json"
    if not note.exists():
        command = [sys.executable, __file__, str(note), str(run.path), *run.of_length(TRIAL)]
        subprocess.run(command, check=True, env=_one_thread())
    return float(json.loads(note.read_text("utf-8")))


def _train(run: Run, folder: Path, steps: int) -> None:
    if (folder / "model" / "config.json").exists():
        return
    command = [sys.executable, "-m", "soundalike", "train", str(run.path), "--out", str(folder)]
    command += [word for setting in run.of_length(steps) for word in ("--set", setting)]
    command += [] if run.learns else ["--until", "0"]
    print(" ".join(command[1:]), flush=True)
    subprocess.run(command, check=True, env=_one_thread())


def _one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def measure_pace(note: Path, recipe: str, settings: Sequence[str]) -> None:
    """Write what a step takes; the first, which warms up, left out."""
    torch.set_num_threads(1)
    folder = note.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    trainer, _ = assemble(
        read_recipe(recipe, settings), folder, warn=lambda error: print(error, file=sys.stderr)
    )
    trainer.run(TRIAL)
    spent = [entry["cpu_s"] for entry in trainer.history]
    note.write_text(json.dumps((spent[-1] - spent[0]) / (TRIAL - 1)), encoding="utf-8")
    shutil.rmtree(folder)


if __name__ == "__main__":
    measure_pace(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
