"""One step of some recipes, and the gradients it left: run by torchrun, or by one process alone.

python -m torch.distributed.run --nproc-per-node 2 joint_batch.py MUSIC FEATURES FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from small_run import small_recipe

from soundalike.training.distributed import process_group
from soundalike.training.recipe import Recipe
from soundalike.training.run import assemble


def recipes(music: Path, features: Path, folder: Path) -> dict[str, Recipe]:
    """Every objective, without augmentations and masks: those are drawn by each process for itself."""
    settings = {
        "contrast": {"masks": 1, "keep": 1.0},
        "optimizer": {"clip": 1e6},  # a clipped gradient would hide a wrong length
    }
    teacher = {"features": str(features), "columns": "all", "directions": 4}
    cache = folder / "cache"
    return {
        "contrast": small_recipe(music, cache, **settings, teacher=teacher),
        "artist": small_recipe(music, cache, **settings, objective="artist"),
        "banked": small_recipe(music, cache, **settings, data={"views": 5}),
    }


def main(music: Path, features: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    with process_group() as first:
        for name, recipe in recipes(music, features, folder).items():
            trainer, _ = assemble(recipe, folder / name, print)
            trainer.run(until=1)
            named = trainer.network.named_parameters()
            gradients = {each: p.grad for each, p in named if p.grad is not None}
            if first:
                save_file(gradients, folder / f"{name}.safetensors")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
