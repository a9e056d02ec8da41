"""Options that several commands share, and what their values mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.places import PLACE

if TYPE_CHECKING:
    from soundalike.library.library import Library
    from soundalike.library.selection import Selection

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
    help="What to hear by: how it sounds, what is played, or both, as the model weighs them.",
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

filter_option = click.option(
    "--filter",
    metavar="EXPR",
    default="",
    help="Only tracks for which this holds, such as \"genre = 'Jazz' AND year < 1970\".",
)
exclude_option = click.option(
    "--exclude-from",
    "exclude",
    multiple=True,
    type=PLACE,
    metavar="M3U8",
    help="Leave out what this playlist names.",
)
_SELECTION = (
    filter_option,
    exclude_option,
    click.option("--exclude-same-artist", is_flag=True, help="Leave out the artist of the query."),
    click.option("--exclude-same-album", is_flag=True, help="Leave out the album of the query."),
    click.option(
        "--max-per-artist",
        type=click.IntRange(min=0),
        help="Answers of an artist, at most; 0 for no limit. Default: 3, more if there are no others.",
    ),
    click.option(
        "--max-per-album",
        type=click.IntRange(min=0),
        help="Answers of an album, at most; 0 for no limit. Default: 2, more if there are no others.",
    ),
    click.option("--keep-versions", is_flag=True, help="Show every file of a recording."),
    click.option(
        "--max-duration-ratio",
        type=float,
        metavar="R",
        help="Answers at most R times as long as the query, and at least one Rth, such as 1.5.",
    ),
    click.option("--raw", is_flag=True, help="By similarity alone: no limits, every version."),
)


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What may answer; `selected` makes a `Selection` of it."""
    for option in reversed(_SELECTION):
        command = option(command)
    return command


def selected(options: dict[str, Any]) -> Selection:
    """Take the values of `selection_options` out of those of a command.

    Raises:
        click.UsageError: --raw together with what it switches off, or no playlist to exclude.
        QueryError: what cannot be meant.
    """
    from soundalike.library.selection import NO_LIMIT, Selection

    names = (*(option for option in Selection.__slots__ if option in options),)
    given = {name: options.pop(name) for name in names}
    require_playlists(given["exclude"])
    if options.pop("raw"):
        limits = ("max_per_artist", "max_per_album")
        against = [name for name in limits if given[name]]
        against += [name for name in given if name.startswith("exclude_same") and given[name]]
        if against:
            option = f"--{against[0].replace('_', '-')}"
            raise click.UsageError(f"--raw switches {option} off; give one of the two")
        given |= dict.fromkeys(limits, NO_LIMIT) | {"keep_versions": True}
    return Selection(**given)


def require_playlists(paths: Sequence[Path]) -> None:
    """Raise a click.BadParameter for an --exclude-from that is no playlist by its ending."""
    from soundalike.library.queries import is_playlist

    for path in paths:
        if not is_playlist(path):
            why = f"{show.show_path(path)} is no playlist (.m3u8, .m3u)"
            raise click.BadParameter(why, param_hint="--exclude-from")


def open_library(path: Path | None, model: str | None) -> Library:
    """The library at `path`, or the user's own."""
    from soundalike.library.library import Library

    if path is None:
        import platformdirs

        path = platformdirs.user_data_path("soundalike") / "library"
    return Library(path, model=model)


def existing_library(path: Path | None, model: str | None) -> Library:
    """The same, where it must be there already, be it empty. Raises QueryError."""
    from soundalike.library.held import require_library

    opened = open_library(path, model)
    require_library(opened.path)
    return opened


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
