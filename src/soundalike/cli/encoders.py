"""What is done with trained encoders: join, export, models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from soundalike.cli import show
from soundalike.cli.places import NEW_FOLDER
from soundalike.cli.research import need_torch
from soundalike.errors import ModelError


@click.command()
@click.argument("parts", nargs=-1, required=True, metavar="SENSE=MODEL...")
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the joined model.")
@click.option("--name", required=True, help="Of the joined model.")
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="SENSE=NUMBER",
    help="Share of a sense in a comparison, relative to the others. Default: 1 each.",
)
def join(parts: tuple[str, ...], out: Path, name: str, weights: tuple[str, ...]) -> None:
    """Join encoders that were trained apart into one with several senses.

    \b
    soundalike join sound=runs/taught/model composition=runs/composition/model \\
        --name two-senses --out runs/two-senses/model

    Its vectors hold those of the parts side by side; `similar --sense` asks one of them alone. A part
    may be joined itself, and is one sense.
    """
    need_torch()
    from soundalike.model import senses
    from soundalike.model.checkpoint import from_pretrained
    from soundalike.model.export import export_folder

    encoders = {
        sense: from_pretrained(folder) for sense, folder in _pairs(parts, "SENSE=MODEL").items()
    }
    shares = dict.fromkeys(encoders, 1.0)
    for sense, number in _pairs(weights, "SENSE=NUMBER").items():
        try:
            shares[sense] = float(number)
        except ValueError:
            raise click.UsageError(f"--weight {sense}={number}: {number!r} is no number") from None
    try:
        joined = senses.join(encoders, shares, name)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{export_folder(joined, out)} in {show.show_path(out)}", err=True)


def _pairs(given: tuple[str, ...], form: str) -> dict[str, str]:
    """Split words of the form name=value; a name may stand once."""
    pairs: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{word!r} is not of the form {form}")
        if name in pairs:
            raise click.UsageError(f"{name} is given twice")
        pairs[name] = value
    return pairs


@click.command()
@click.argument("model")
@click.argument("out", type=NEW_FOLDER)
@click.option(
    "--sense",
    help="Of a joined model: write the encoder of this sense alone; sound.timbre is a part of sound.",
)
def export(model: str, out: Path, sense: str | None) -> None:
    """Write MODEL with its ONNX graph to OUT.

    MODEL is the name of a shipped encoder, or a folder or hub id of config.json and
    model.safetensors.
    """
    need_torch()
    from soundalike.embedder import WEIGHTS, shipped_models
    from soundalike.model.checkpoint import from_pretrained
    from soundalike.model.export import export_folder
    from soundalike.model.senses import Senses

    encoder = from_pretrained(WEIGHTS / model if model in shipped_models() else model)
    for part in sense.split(".") if sense else ():
        known = encoder.encoders if isinstance(encoder, Senses) else {}
        if part not in known:
            there = ", ".join(known) or "none, for it is a single encoder"
            raise ModelError(f"{model} has no sense {part!r}; it has: {there}")
        encoder, model = known[part], f"{part} of {model}"
    click.echo(f"{export_folder(encoder, out)} in {show.show_path(out)}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models(as_json: bool) -> None:
    """List the encoders that came with this installation."""
    from soundalike.embedder import Embedder, shipped_models

    names = shipped_models()
    default = Embedder().name if names else ""
    listed: list[dict[str, Any]] = [
        {"name": name, "identity": Embedder(name).identity, "default": name == default}
        for name in names
    ]
    if as_json:
        show.print_json(listed)
        return
    for entry in listed:
        click.echo(f"{entry['identity']}{'  (default)' if entry['default'] else ''}")
    if not listed:
        click.echo("no encoder is installed", err=True)
        sys.exit(1)
