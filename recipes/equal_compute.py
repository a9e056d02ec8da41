"""The same processor time for every method: ast-30s, artist, clmr and artist-cnn, trained side by side.

    python recipes/equal_compute.py runs/equal --steps 150 --jobs 2

The first recipe runs for --steps; what learning costs there is the budget of the others (equal_time.py),
which have the same data.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from equal_time import Run, train_all

VIEWS = "data.views=12"  # kept per track for the transformers
WINDOWS = "model.segments.count=8"  # heard of a track: to describe 16 takes 1 s of processor
WARMUP = 0.05  # of the steps of a transformer, as in its full length

RUNS = (
    Run("ast-30s-equal", "ast-30s", (VIEWS,), WARMUP),
    Run("clmr-equal", "clmr", (WINDOWS,)),
    Run("artist-equal", "artist", (VIEWS,), WARMUP, like="ast-30s-equal"),
    Run("artist-cnn-equal", "artist-cnn", (WINDOWS,), like="clmr-equal"),
)


def main() -> None:
    """Train all four."""
    parser = argparse.ArgumentParser(description="Train four methods for equal processor time.")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=150, help=f"of {RUNS[0].name}: the budget")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    given = parser.parse_args()
    train_all(RUNS, given.out, given.steps, given.jobs)


if __name__ == "__main__":
    main()
