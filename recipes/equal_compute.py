"""The same processor time for every method: ast-30s, artist, clmr and artist-cnn, trained side by side.

    python recipes/equal_compute.py runs/equal --steps 450

The first recipe runs for --steps; the processor seconds its learning took (history.jsonl, `cpu_s`;
making views and validating left out) are the budget of the others. How many steps that is follows
from a trial of four steps. Every run ends its cosine at its last step, has the same data, and is
validated once, at the end: nothing is chosen by looking. Stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

RECIPES = Path(__file__).parent
FIRST = "ast-30s"
OTHERS = ("artist", "clmr", "artist-cnn")
TRIAL = 4


def train(recipe: str, out: Path, steps: int, *, until: int | None = None, views: int = 0) -> None:
    """Train `recipe` for `steps`; what is there already is gone on with."""
    settings = [f"optimizer.steps={steps}", f"validation.every={steps}", f'model.name="{out.name}"']
    if views:
        settings.append(f"data.views={views}")
    command = [sys.executable, "-m", "soundalike", "train", f"{RECIPES / recipe}.toml"]
    command += ["--out", str(out)]
    command += [word for setting in settings for word in ("--set", setting)]
    command += ["--until", str(until)] if until else []
    print(" ".join(command[1:]), flush=True)
    subprocess.run(command, check=True)


def spent(out: Path) -> list[float]:
    """Processor seconds after each step of a run; none when it has not begun."""
    history = out / "history.jsonl"
    if not history.exists():
        return []
    return [json.loads(line)["cpu_s"] for line in history.read_text("utf-8").splitlines()]


def main() -> None:
    """Train all four."""
    parser = argparse.ArgumentParser(description="Train four methods for equal processor time.")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=450, help=f"of {FIRST}, which sets the budget")
    parser.add_argument("--views", type=int, default=12, help="kept per track for the transformers")
    given = parser.parse_args()
    train(FIRST, given.out / f"{FIRST}-equal", given.steps, views=given.views)
    budget = spent(given.out / f"{FIRST}-equal")[-1]
    print(f"budget: {budget:.0f} processor seconds", flush=True)
    for recipe in OTHERS:
        views = given.views if recipe == "artist" else 0
        trial = given.out / "trials" / recipe
        if len(spent(trial)) < TRIAL:
            train(recipe, trial, TRIAL, until=TRIAL, views=views)
        taken = spent(trial)
        steps = max(TRIAL, round(budget / ((taken[-1] - taken[0]) / (TRIAL - 1))))
        train(recipe, given.out / f"{recipe}-equal", steps, views=views)


if __name__ == "__main__":
    main()
