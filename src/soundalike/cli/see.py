"""Seeing a library as a whole: map, clusters."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.options import (
    json_option,
    library_option,
    model_option,
    open_library,
    quiet_option,
    sense_option,
)
from soundalike.cli.places import NEW_FILE
from soundalike.library import fields

if TYPE_CHECKING:
    pass

COLORS = ("cluster", "genre", "artist", "album", "year", "folder")
LAYOUTS = ("tsne", "pca")
# Names in a line of the table.
SHOWN = 3


class Groups(click.ParamType[Any]):
    """A number of groups, or "auto", which is None."""

    name = "N|auto"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Read it, or stop with the reason why not."""
        if value is None or value == "auto":
            return None
        try:
            return int(value)
        except ValueError:
            self.fail(f'"{value}" is no number of groups; write 8 or auto', param, ctx)


groups_option = click.option(
    "-k",
    type=Groups(),
    metavar="N|auto",
    help="Groups to make. Default: auto, as many as stand apart.",
)
seed_option = click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Of what is drawn at random; the same gives the same.",
)


@click.command()
@click.option("--out", type=NEW_FILE, required=True, help="Picture (.png, .svg) or data (.json).")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="tsne",
    show_default=True,
    help="tsne keeps neighbors together and needs soundalike[map]; pca is quick and always there.",
)
@click.option(
    "--color",
    type=click.Choice(COLORS),
    default="cluster",
    show_default=True,
    help="What the colours of a picture tell apart.",
)
@click.option("--dark", is_flag=True, help="A picture that is light on dark.")
@groups_option
@sense_option
@seed_option
@quiet_option
@library_option
@model_option
def map_command(
    out: Path,
    layout: str,
    color: str,
    dark: bool,
    k: int | None,
    sense: str,
    seed: int,
    quiet: bool,
    library: Path | None,
    model: str | None,
) -> None:
    """Draw the library: a dot for each track, tracks that sound alike near each other.

    Groups of tracks that sound alike have a colour and a name, taken from what their tags have in
    common. With an --out ending in .json: x, y (0 to 1) and cluster of every track, and the clusters
    with name, centre and size.
    """
    from soundalike.library import picture

    as_data = out.suffix.lower() == ".json"
    if as_data and (dark or color != "cluster"):
        raise click.UsageError("--dark and --color are for pictures (.png, .svg)")
    if not out.absolute().parent.is_dir():  # to be told now, not when all is laid out
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    if not as_data:
        picture.check_picture(out, color)
    opened = open_library(library, model)
    with nullcontext() if quiet else show.staged_progress() as progress:
        seen = opened.map(layout=layout, k=k, sense=sense, seed=seed, progress=progress)
    if as_data:
        from soundalike.library.disk import explained, write_atomically

        text = json.dumps(fields.map_fields(seen), ensure_ascii=False)
        with explained(f"cannot write {out}"):
            write_atomically(out, text.encode())
    else:
        picture.draw(seen, out, color=color, dark=dark)
    click.echo(
        f"{len(seen.tracks)} tracks in {len(seen.clusters)} groups in {show.show_path(out)}",
        err=True,
    )


@click.command()
@groups_option
@sense_option
@seed_option
@json_option
@quiet_option
@library_option
@model_option
def clusters(
    k: int | None,
    sense: str,
    seed: int,
    as_json: bool,
    quiet: bool,
    library: Path | None,
    model: str | None,
) -> None:
    """List groups of tracks that sound alike, with names from their tags.

    Each line: tracks in the group, its name, and tracks in its midst. With --json also what the tags
    of the group say more often than those of the rest, and the ids of all its tracks.
    """
    opened = open_library(library, model)
    with nullcontext() if quiet else show.staged_progress() as progress:
        found = opened.clusters(k, sense=sense, seed=seed, progress=progress)
    if as_json:
        show.print_json([fields.cluster_fields(cluster) for cluster in found])
        return
    for cluster in found:
        shown = cluster.representatives[:SHOWN]
        tracks = "; ".join(show.short(show.name_of(track)).rstrip() for track in shown)
        name = show.short(cluster.name).rstrip()
        click.echo(f"{len(cluster.tracks):6}  {name}: {tracks}")


map_command.name = "map"
