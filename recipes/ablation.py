"""What every part of recipe ast-30s is worth: the recipe, and one thing changed at a time.

    python recipes/ablation.py runs/ablation --steps 300 --jobs 2
    soundalike evaluate runs/ablation/*/model --out runs/ablation/record.json
    soundalike claim ablation runs/ablation/record.json runs/ablation/arms.csv --out ablation.json

All learn for the processor time of the first (equal_time.py), so what makes a step dear has to earn it;
patches of another shape and segments of 10 s are masked so that a view leaves as many patches as in the
recipe; of 3 s all 54 are looked at, as there are no more. Far shorter than the recipe's own runs, with
bfloat16, eight views of a track and h read out plainly: what a change is worth in a long run, this does not
say.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
from pathlib import Path

from equal_time import PLAIN, Run, train_all

from soundalike.evaluation.claims.ablation import COLUMNS

SHORT = ("data.views=8", 'optimizer.precision="bfloat16"', *PLAIN)
WARMUP = 0.05
BASE = Run("as-it-is", "ast-30s", SHORT, WARMUP)
STAGES = ("noise", "high_low_pass", "delay", "pitch_shift", "reverb")
ADDS = ("data", "teacher")  # what the recipe lacks
TEACHER = 'teacher.features=".cache/teachers/musicnn"'
SCORES = 'data.arrangements=".cache/scores/index.json"'

SAME_COST = {
    ("seed", "another"): ["seed=2"],
    ("chain", "crop alone"): [f"augmentations.{stage}.probability=0.0" for stage in STAGES],
    ("loss", "temperature 0.5, as CLMR"): ["contrast.temperature=0.5"],
    ("data", "40 % rendered scores"): [
        SCORES,
        "data.arrangement_share=0.4",
        "data.arrangement_views=2",
    ],
    ("teacher", "musicnn beside the contrast"): [TEACHER, "teacher.weight=4.0"],
}
OTHER_COST = {
    ("mask", "leaves everything"): ["contrast.keep=1.0"],
    ("patch", "all bands x 3 frames"): [
        "model.ast.patch_mels=96",
        "model.ast.stride_mels=96",
        "model.ast.patch_frames=3",
        "model.ast.stride_frames=3",
        "contrast.keep=0.168",
    ],
    ("segment", "10 s, nine of a track"): [
        "model.segments={length=10.0, count=9}",
        "contrast.keep=0.452",
    ],
    ("segment", "3 s, thirty of a track"): [
        "model.segments={length=3.0, count=30}",
        "contrast.keep=1.0",
    ],
    ("size", "0.9 M weights: 128 x 4"): [
        "model.ast.width=128",
        "model.ast.heads=2",
        "model.ast.depth=4",
        "model.ast.hidden=512",
    ],
}


def arms() -> dict[tuple[str, str], Run]:
    """(Part of the recipe, what it is changed to) -> run; the recipe itself first."""
    found = {("", "the recipe"): BASE}
    for changes, like in ((SAME_COST, BASE.name), (OTHER_COST, "")):
        for (part, change), settings in changes.items():
            name = "-".join([part, *"".join(c if c.isalnum() else " " for c in change).split()])
            changed = (*SHORT, *settings)
            found[part, change] = dataclasses.replace(
                BASE, name=name.lower(), settings=changed, like=like
            )
    never = dataclasses.replace(BASE, name="untrained", like=BASE.name, learns=False)
    found["training", "none"] = dataclasses.replace(never, settings=(*SHORT, "data.views=0"))
    return found


def main() -> None:
    """Train all of them, and write what each is."""
    parser = argparse.ArgumentParser(description="Change one thing at a time of recipe ast-30s.")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=300, help="of the recipe itself: the budget")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "arms.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for (part, change), run in arms().items():
            rows.writerow([part, change, "yes" if part in ADDS else "no", run.name])
    train_all(list(arms().values()), given.out, given.steps, given.jobs)


if __name__ == "__main__":
    main()
