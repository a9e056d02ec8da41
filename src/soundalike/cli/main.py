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
    serve,
    take,
)
from soundalike.errors import QueryError, RecipeError, SoundalikeError

FAILED, MISUSED = 1, 2


FAMILIES: dict[str, tuple[click.Command, ...]] = {
    "Your music": (
        demonstrate.demo,
        keep.index,
        keep.info,
        keep.failures,
        keep.remove,
        keep.doctor,
    ),
    "Ask": (ask.similar, ask.find, ask.versions, relate.artists, relate.albums),
    "Go on": (go.path, go.radio, go.mix, go.sort),
    "Serve": (serve.serve,),
    "See and take out": (see.map_command, see.clusters, take.vectors, take.embed),
    "Encoders": (encoders.models, research.train, encoders.export, encoders.join),
    "Measure": (evaluation.evaluate, calibrate.calibrate, claims.claim),
}
"""What people want -> the commands for it, in the order of the help."""


class Verbs(click.Group):
    """The group of all commands, listed by family."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with the first line of its help."""
        del ctx
        width = max(len(str(command.name)) for family in FAMILIES.values() for command in family)
        room = formatter.width - width - 6
        for family, commands in FAMILIES.items():
            with formatter.section(family):
                formatter.write_dl(
                    [
                        (str(command.name).ljust(width), command.get_short_help_str(room))
                        for command in commands
                    ]
                )


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="soundalike")
def soundalike() -> None:
    """Find music that sounds like the music you are listening to, from the audio alone.

    \b
    soundalike index ~/Music          listen to a folder, once; later runs add what is new
    soundalike similar song.mp3       what sounds like this?
    soundalike demo                   try it without any music at hand
    """


for command in (command for family in FAMILIES.values() for command in family):
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
