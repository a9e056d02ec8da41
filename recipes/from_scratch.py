"""Supervised training from nothing on 1, 10 and 100 % of the labels: what frozen vectors are held against.

    soundalike claim labels two-senses --lists .cache/labels --out labels.json
    python recipes/from_scratch.py .cache/labels runs/scratch --steps 150
    soundalike claim labels two-senses --scratch 0.1=runs/scratch/labels-0.1/model --out labels.json

LISTS are the CSVs that `--lists` wrote. Each is trained by recipe artist, with batches of 16, as the
smallest list has no more labels, and the weights of the last step are kept: nothing is chosen by looking.
A run that has its model is not trained again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

RECIPE = Path(__file__).parent / "artist.toml"
VIEWS, BATCH, WARMUP = 12, 16, 0.05


def train(labels: Path, out: Path, steps: int, validation: Path) -> None:
    """Train on one list, on one thread; `validation` is looked at once, when all is over."""
    if (out / "model" / "config.json").exists():
        return
    settings = {
        "data.music": json.dumps(str(labels.resolve())),
        "data.views": VIEWS,
        "model.name": json.dumps(out.name.replace(".", "-")),
        "optimizer.batch": BATCH,
        "optimizer.steps": steps,
        "optimizer.warmup": round(WARMUP * steps),
        "validation.every": steps,
    }
    command = [sys.executable, "-m", "soundalike", "train", str(RECIPE)]
    command += ["--out", str(out), "--tracks", str(validation)]
    command += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    print(" ".join(command[1:]), flush=True)
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def main() -> None:
    """Train on every list of a folder."""
    parser = argparse.ArgumentParser(description="Train from nothing on few and many labels.")
    parser.add_argument("lists", type=Path, help="folder of labels-*.csv")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=150, help="of each run")
    parser.add_argument("--tracks", type=Path, default=Path("../shared/music/tracks.csv"))
    given = parser.parse_args()
    for labels in sorted(given.lists.glob("labels-*.csv")):
        train(labels, given.out / labels.stem, given.steps, given.tracks)


if __name__ == "__main__":
    main()
