"""Relating artists and albums: artists, albums."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.options import (
    existing_library,
    filter_option,
    json_option,
    library_option,
    model_option,
    sense_option,
)
from soundalike.library import fields

if TYPE_CHECKING:
    from soundalike.library.groups import Group
    from soundalike.library.relating import GroupNeighbor

_NAME_WIDTH = 40

count_option = click.option(
    "-n", "count", type=int, default=10, show_default=True, help="Answers wanted."
)


@click.command()
@click.argument("name", required=False)
@count_option
@sense_option
@filter_option
@json_option
@library_option
@model_option
def artists(
    name: str | None,
    count: int,
    sense: str,
    as_json: bool,
    library: Path | None,
    model: str | None,
    **options: Any,
) -> None:
    """Find the artists that sound most like the artist NAME; without NAME, list all there are.

    Artists are compared by what their tracks are on the whole. Behind an answer stand how many tracks it
    has and the two that are most alike, NAME's first. Case and accents of a name do not matter.
    """
    opened = existing_library(library, model)
    if name is None:
        _print_groups(opened.artists(), as_json, "artists")
        return
    found = opened.similar_artists(name, n=count, sense=sense, **options)
    _print_neighbors(found, as_json, sense, "no other artist in the library could answer")


@click.command()
@click.argument("name", required=False)
@click.option("--artist", help="Whose album, where several have this name.")
@click.option("--exclude-same-artist", is_flag=True, help="Leave out other albums of its artist.")
@count_option
@sense_option
@filter_option
@json_option
@library_option
@model_option
def albums(
    name: str | None,
    artist: str | None,
    count: int,
    sense: str,
    as_json: bool,
    library: Path | None,
    model: str | None,
    **options: Any,
) -> None:
    """Find the albums that sound most like the album NAME; without NAME, list all there are.

    Albums are compared by what their tracks are on the whole. Behind an answer stand how many tracks it
    has and the two that are most alike, NAME's first. Case and accents of a name do not matter.
    """
    opened = existing_library(library, model)
    if name is None:
        if artist is not None:
            raise click.UsageError("--artist needs the NAME of an album")
        _print_groups(opened.albums(), as_json, "albums")
        return
    found = opened.similar_albums(name, artist=artist, n=count, sense=sense, **options)
    _print_neighbors(found, as_json, sense, "no other album in the library could answer")


def _print_groups(listed: Sequence[Group], as_json: bool, what: str) -> None:
    if as_json:
        show.print_json([fields.group_fields(each) for each in listed])
        return
    for each in listed:
        click.echo(f"{_count(each.tracks):>12}  {_title(each)}")
    click.echo(f"{len(listed)} {what}", err=True)


def _print_neighbors(
    found: Sequence[GroupNeighbor], as_json: bool, sense: str, nothing: str
) -> None:
    if as_json:
        show.print_json([fields.group_neighbor_fields(each) | {"sense": sense} for each in found])
    if not found:
        click.echo(f"soundalike: {nothing}", err=True)
    if as_json:
        return
    for place, each in enumerate(found, start=1):
        name = _title(each)
        name = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
        line = f"{place:3}  {each.similarity:.3f}  {name:{_NAME_WIDTH}}  {_count(each.tracks):>10}"
        best = each.pairs[0]
        click.echo(f"{line}  {_short(best.query.title)} ~ {_short(best.answer.title)}")


def _count(tracks: int) -> str:
    return "1 track" if tracks == 1 else f"{tracks} tracks"


def _title(group: Group | GroupNeighbor) -> str:
    whose = group.artist and group.artist != group.name
    return f"{group.artist} - {group.name}" if whose else group.name


def _short(title: str) -> str:
    return title if len(title) <= 30 else f"{title[:29]}…"
