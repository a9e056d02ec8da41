"""Taking vectors out: embed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from soundalike.cli import show
from soundalike.cli.options import jobs_option, model_option, sense_option
from soundalike.cli.places import NEW_FILE, PLACE
from soundalike.errors import AudioError


@click.command()
@click.argument("files", nargs=-1, required=True, type=PLACE)
@click.option(
    "--out",
    type=NEW_FILE,
    required=True,
    help="Parquet file to write.",
)
@click.option(
    "--aggregate",
    type=click.Choice(["mean", "concat"]),
    default="mean",
    show_default=True,
    help="What a track's one vector is made of.",
)
@sense_option
@model_option
@jobs_option
def embed(
    files: tuple[Path, ...],
    out: Path,
    aggregate: str,
    sense: str,
    model: str | None,
    jobs: int | None,
) -> None:
    """Write the vectors of FILES as a Parquet table.

    Columns: path, vector (of the track), segments (one vector each), starts (seconds), model (and
    #sense, if it is one). Files that cannot be read are listed and left out; the exit code is 1 then.
    """
    from soundalike.cli.vectors import write_parquet
    from soundalike.embedder import Embedder, sense_of
    from soundalike.library.ranking import columns_of

    if not out.absolute().parent.is_dir():  # to be told now, not when all files have been heard
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    embedder = Embedder(model)
    one_sense = columns_of(sense, embedder.senses) is not None
    done, failed = [], []
    for outcome in embedder.embed(files, jobs=jobs):
        if isinstance(outcome, AudioError):
            failed.append(outcome)
            click.echo(f"soundalike: {show.show_path(outcome.path)}: {outcome.reason}", err=True)
        elif one_sense:
            own = sense_of(outcome.vectors, sense, embedder.senses)
            done.append(replace(outcome, vectors=own))
        else:
            done.append(outcome)
    identity = f"{embedder.identity}#{sense}" if one_sense else embedder.identity
    write_parquet(out, done, model=identity, aggregate=aggregate)
    click.echo(f"{len(done)} of {len(files)} files in {show.show_path(out)}", err=True)
    if failed:
        sys.exit(1)
