"""The same processor time for every method: ast-30s, artist, clmr and artist-cnn, trained side by side.

    python recipes/equal_compute.py runs/equal --steps 150 --jobs 2

The first recipe runs for --steps; what learning costs there, in processor seconds of one thread, is the
budget of the others. How many steps that is follows from a trial of a few steps of each network. What a
run then took stands in its history.jsonl (`cpu_s`; making views and validating left out). Every run ends
its cosine at its last step, has the same data, and is validated once, at the end: nothing is chosen by
looking. A run that has its model is not trained again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from soundalike.training.recipe import read_recipe
from soundalike.training.run import assemble

RECIPES = Path(__file__).parent
RUNS = FIRST, *_ = ("ast-30s", "clmr", "artist", "artist-cnn")
VIEWS = {"ast-30s": 12, "artist": 12}  # kept per track for the transformers
WINDOWS = {"clmr": 8, "artist-cnn": 8}  # heard of a track: to describe 16 takes 1 s of processor
SAME_NETWORK = {"artist": "ast-30s", "artist-cnn": "clmr"}  # and batch: a step costs the same
WARMUP = 0.05  # of the steps of a transformer, as in its full length
TRIAL = 4


def settings_of(recipe: str, steps: int) -> list[str]:
    """What is changed of a recipe."""
    settings = [f"optimizer.steps={steps}", f"validation.every={steps}"]
    settings.append(f'model.name="{recipe}-equal"')
    if recipe in VIEWS:
        settings += [f"data.views={VIEWS[recipe]}", f"optimizer.warmup={round(WARMUP * steps)}"]
    settings += [f"model.segments.count={WINDOWS[recipe]}"] if recipe in WINDOWS else []
    return settings


def pace(recipe: str, out: Path) -> float:
    """Processor seconds that a step takes, measured once in a process of its own."""
    recipe = SAME_NETWORK.get(recipe, recipe)
    note = out / "trials" / f"{recipe}.json"
    if not note.exists():
        subprocess.run([sys.executable, __file__, str(out), "--trial", recipe], check=True)
    return float(json.loads(note.read_text("utf-8")))


def measure_pace(recipe: str, trials: Path) -> None:
    """Write what a step takes; the first, which warms up, left out."""
    torch.set_num_threads(1)
    run = trials / recipe
    shutil.rmtree(run, ignore_errors=True)
    settings = read_recipe(RECIPES / f"{recipe}.toml", settings_of(recipe, TRIAL))
    trainer, _ = assemble(settings, run, warn=lambda error: print(error, file=sys.stderr))
    trainer.run(TRIAL)
    spent = [entry["cpu_s"] for entry in trainer.history]
    note = trials / f"{recipe}.json"
    note.write_text(json.dumps((spent[-1] - spent[0]) / (TRIAL - 1)), encoding="utf-8")


def train(recipe: str, out: Path, steps: int) -> None:
    """Train `recipe` for `steps` on one thread."""
    if (out / "model" / "config.json").exists():
        return
    command = [sys.executable, "-m", "soundalike", "train", str(RECIPES / f"{recipe}.toml")]
    command += ["--out", str(out)]
    command += [word for setting in settings_of(recipe, steps) for word in ("--set", setting)]
    print(" ".join(command[1:]), flush=True)
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def main() -> None:
    """Train all four."""
    parser = argparse.ArgumentParser(description="Train four methods for equal processor time.")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=150, help=f"of {FIRST}: the budget")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--trial", metavar="RECIPE", help="only measure what a step of it takes")
    given = parser.parse_args()
    if given.trial:
        measure_pace(given.trial, given.out / "trials")
        return
    budget = pace(FIRST, given.out) * given.steps
    print(f"budget: {budget:.0f} processor seconds", flush=True)

    def run(recipe: str) -> None:
        steps = round(budget / pace(recipe, given.out))
        train(recipe, given.out / f"{recipe}-equal", steps)

    with ThreadPoolExecutor(given.jobs) as pool:
        for _ in pool.map(run, RUNS):
            pass


if __name__ == "__main__":
    main()
