"""A trained model -> the same network, its read-out fitted anew as a recipe now says.

    soundalike export two-senses runs/sound --sense sound.transformer
    python recipes/refit_readout.py runs/sound recipes/ast-30s-taught.toml runs/sound-steady

`soundalike train` does the same at the end of a run; this is for a model whose training is over. Weights
of the network are not touched, the training music of the recipe is listened to once.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from soundalike.errors import SoundalikeError
from soundalike.model.checkpoint import from_pretrained
from soundalike.model.export import export_folder
from soundalike.model.waveform_encoder import WaveformEncoder
from soundalike.training.readout import final_readout, readout_segments
from soundalike.training.recipe import Recipe, read_recipe
from soundalike.training.sources import WaveformCache, read_sources


def refit(folder: Path, recipe_file: Path, out: Path) -> str:
    """Fit and write a model folder; returns the identity of the model in it."""
    return export_folder(fit(encoder(folder), read_recipe(recipe_file)), out)


def encoder(folder: Path) -> WaveformEncoder:
    """A model of one network."""
    model = from_pretrained(folder)
    if not isinstance(model, WaveformEncoder):
        raise SystemExit(f"{folder} joins several networks; export one of its senses first")
    return model


def fit(trained: WaveformEncoder, recipe: Recipe) -> WaveformEncoder:
    """The same encoder, read out as a recipe says, fitted on its training music."""
    try:
        model = WaveformEncoder(replace(trained.settings, readout=recipe.model.readout)).eval()
    except ValueError as error:
        raise SystemExit(f"the recipe is of another network: {error}") from None
    model.encoder.load_state_dict(trained.encoder.state_dict())
    cache = WaveformCache(recipe.data.cache, model.settings.sample_rate)
    sources, failed = cache.fill(read_sources(recipe.data.music, "train"))
    for error in failed:
        print(error, file=sys.stderr)
    segments = readout_segments(cache, sources, model)
    final_readout(model, segments, recipe)
    return model


def main() -> None:
    """Fit one model."""
    parser = argparse.ArgumentParser(description="Fit the read-out of a model anew.")
    parser.add_argument("model", type=Path, help="its folder")
    parser.add_argument("recipe", type=Path, help="which blocks, which strengths, which music")
    parser.add_argument("out", type=Path, help="folder to write the model to")
    given = parser.parse_args()
    try:
        print(refit(given.model, given.recipe, given.out), "in", given.out)
    except SoundalikeError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
