"""Options that several commands share, and what their values mean."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli.places import PLACE

if TYPE_CHECKING:
    from soundalike.library.library import Library

AGGREGATIONS = ("mean", "concat", "maxsim")

library_option = click.option(
    "--library",
    type=PLACE,
    envvar="SOUNDALIKE_LIBRARY",
    show_envvar=True,
    help="Folder of the library, not of the music. Default: in your user data folder.",
)
model_option = click.option(
    "--model", help="Name of a shipped encoder (soundalike models) or folder of your own."
)
sense_option = click.option(
    "--sense",
    metavar="sound|composition|both",
    default="both",
    show_default=True,
    help="What to hear by: how it sounds, what is played, or both as the model weighs them.",
)
aggregation_option = click.option(
    "--aggregation",
    type=click.Choice(AGGREGATIONS),
    default="mean",
    show_default=True,
    help="How segments of two tracks are compared.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Files listened to at once. Default: one per CPU."
)


def open_library(path: Path | None, model: str | None) -> Library:
    """The library at `path`, or the user's own."""
    from soundalike.library.library import Library

    if path is None:
        import platformdirs

        path = platformdirs.user_data_path("soundalike") / "library"
    return Library(path, model=model)


def seconds(text: str | None, option: str) -> float | None:
    """A time such as 90, 1:30 or 1:02:03 in seconds.

    Raises:
        click.BadParameter: anything else.
    """
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
        if len(parts) > 3 or not all(0 <= part < math.inf for part in parts):
            raise ValueError
    except ValueError:
        raise click.BadParameter(
            f'"{text}" is not a time; write 90, 1:30 or 1:02:03', param_hint=option
        ) from None
    total = 0.0
    for part in parts:
        total = total * 60 + part
    return total
