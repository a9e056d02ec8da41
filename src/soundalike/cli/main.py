"""The `soundalike` command: the group of all verbs, and how errors become exit codes."""

from __future__ import annotations

import sys

import click

from soundalike import __version__
from soundalike.cli import (
    ask,
    calibrate,
    claims,
    demonstrate,
    encoders,
    evaluation,
    go,
    keep,
    relate,
    research,
    see,
    take,
)
from soundalike.errors import QueryError, RecipeError, SoundalikeError

FAILED, MISUSED = 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="soundalike")
def soundalike() -> None:
    """Find music that sounds like the music you are listening to, from the audio alone.

    \b
    soundalike index ~/Music          listen to a folder, once; later runs add what is new
    soundalike similar song.mp3       what sounds like this?
    soundalike demo                   try it without any music at hand
    """


for command in (
    demonstrate.demo,
    keep.index,
    ask.similar,
    relate.artists,
    relate.albums,
    ask.find,
    ask.versions,
    go.path,
    go.radio,
    go.mix,
    go.sort,
    take.embed,
    take.vectors,
    see.map_command,
    see.clusters,
    keep.failures,
    research.train,
    evaluation.evaluate,
    encoders.export,
    encoders.join,
    encoders.models,
    calibrate.calibrate,
    claims.claim,
):
    soundalike.add_command(command)


def main() -> None:
    """Run the command line; prints errors of ours without a traceback."""
    try:
        soundalike()
    except (
        SoundalikeError,
        OSError,
    ) as error:  # OSError: disk full, no permission, in its own words
        click.echo(f"soundalike: {printable(str(error))}", err=True)
        sys.exit(MISUSED if isinstance(error, QueryError | RecipeError) else FAILED)


def printable(text: str) -> str:
    """Text that any terminal takes: names that are not UTF-8 show their odd bytes as \\xNN."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
