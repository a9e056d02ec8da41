"""The mean of the weights of several trainings that began alike; its read-out is fitted anew.

    python recipes/average.py runs/averaged/sound recipes/ast-30s-taught.toml \\
        runs/ast-30s-taught-first/model runs/ast-30s-taught/model

Networks that went on from the same weights lie in one basin, and the mean of them often does better than
each: Wortsman et al., "Model soups", ICML 2022, and "Robust fine-tuning of zero-shot models", CVPR 2022,
where one of the two is where the training began. Networks of different beginnings must not be averaged.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from refit_readout import encoder, fit

from soundalike.errors import SoundalikeError
from soundalike.model.export import export_folder
from soundalike.model.waveform_encoder import WaveformEncoder
from soundalike.training.recipe import read_recipe


def averaged(folders: list[Path], share: float) -> WaveformEncoder:
    """The last model, its weights `share` of its own and the rest, evenly, those of the others."""
    *others, last = [encoder(folder) for folder in folders]
    if any(other.settings.kind != last.settings.kind for other in others):
        raise SystemExit("the models are of several kinds: there is no mean of their weights")
    part = (1 - share) / len(others)
    states = [other.encoder.state_dict() for other in others]
    mean = last.encoder.state_dict()
    for name, value in mean.items():
        rest = torch.stack([state[name].double() for state in states]).sum(dim=0)
        mean[name] = (share * value.double() + part * rest).to(value.dtype)
    last.encoder.load_state_dict(mean)
    return last


def main() -> None:
    """Average, fit, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder to write the model to")
    parser.add_argument("recipe", type=Path, help="of the last model: its music and strengths")
    parser.add_argument("models", type=Path, nargs="+", help="folders; the last gives the name")
    parser.add_argument("--share", type=float, default=0.5, help="of the last model in the mean")
    given = parser.parse_args()
    if len(given.models) < 2:
        parser.error("name two models or more")
    try:
        model = fit(averaged(given.models, given.share), read_recipe(given.recipe))
        print(export_folder(model, given.out), "in", given.out)
    except SoundalikeError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
