"""The same processor time for every method: ast-30s, artist, clmr and artist-cnn, trained side by side.

    python recipes/equal_compute.py runs/equal --steps 350 --jobs 2

The first recipe runs for --steps; what learning costs there is the budget of the others (equal_time.py),
which have the same data. What is read out is h, and not made steady: what is compared is what was learnt.
And the transformer as it was before it learnt, to see whether so much training shows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from equal_time import PLAIN, Run, train_all

PRECISION = 'optimizer.precision="bfloat16"'  # halves the time of a step of either network
VIEWS = "data.views=12"  # kept per track for the transformers
WINDOWS = "model.segments.count=8"  # heard of a track: to describe 16 takes 1 s of processor
WARMUP = 0.05  # of the steps of a transformer, as in its full length

RUNS = (
    Run("ast-30s-equal", "ast-30s", (PRECISION, *PLAIN, VIEWS), WARMUP),
    Run("clmr-equal", "clmr", (PRECISION, *PLAIN, WINDOWS)),
    Run("artist-equal", "artist", (PRECISION, *PLAIN, VIEWS), WARMUP, like="ast-30s-equal"),
    Run("artist-cnn-equal", "artist-cnn", (PRECISION, *PLAIN, WINDOWS), like="clmr-equal"),
    Run("untrained-equal", "ast-30s", (*PLAIN, "data.views=0"), like="ast-30s-equal", learns=False),
)


def main() -> None:
    """Train all."""
    parser = argparse.ArgumentParser(description="Train four methods for equal processor time.")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=350, help=f"of {RUNS[0].name}: the budget")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    given = parser.parse_args()
    train_all(RUNS, given.out, given.steps, given.jobs)


if __name__ == "__main__":
    main()
