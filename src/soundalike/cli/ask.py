"""Asking a library: similar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.options import (
    aggregation_option,
    json_option,
    library_option,
    model_option,
    open_library,
    seconds,
    sense_option,
)
from soundalike.cli.places import PLACE
from soundalike.errors import QueryError

if TYPE_CHECKING:
    from soundalike.library.library import Library


@click.command()
@click.argument("query", required=False)
@click.option("-n", "count", type=int, default=10, show_default=True, help="Answers wanted.")
@click.option("--from", "start", metavar="TIME", help="Compare from here on, such as 1:00.")
@click.option("--to", "end", metavar="TIME", help="Compare up to here, such as 1:30.")
@aggregation_option
@sense_option
@click.option("--include-self", is_flag=True, help="Keep the query itself among the answers.")
@json_option
@click.option("--m3u", type=PLACE, help="Write the answers as an M3U8 playlist.")
@library_option
@model_option
def similar(
    query: str | None,
    count: int,
    start: str | None,
    end: str | None,
    as_json: bool,
    m3u: Path | None,
    library: Path | None,
    model: str | None,
    **options: Any,
) -> None:
    """Find the tracks that sound most like QUERY.

    QUERY is any audio file, in the library or not, or the id of a track. Without one, three tracks of
    the library are asked about, to look around.

    Each answer shows its similarity (1 the same, 0 unrelated) and where the two sound most alike: time
    in the query ~ time in the answer.
    """
    if query is None and (as_json or m3u or start or end):
        raise click.UsageError("--json, --m3u, --from and --to need a QUERY")
    opened = open_library(library, model)
    if query is None:
        _look_around(opened, count, options)
        return
    first, last = seconds(start, "--from"), seconds(end, "--to")
    if first is not None and last is not None and last <= first:
        raise click.BadParameter(f"{end} is not after --from {start}", param_hint="--to")
    neighbors = opened.similar(query, n=count, start=first, end=last, **options)
    if m3u:
        from soundalike.library.playlists import write_m3u8

        title = f"Like {Path(query).stem}"
        write_m3u8(m3u, [neighbor.track for neighbor in neighbors], title=title)
        click.echo(f"{len(neighbors)} tracks in {show.show_path(m3u)}", err=True)
    if as_json:
        sense = {"sense": options["sense"]}
        show.print_json([show.neighbor_fields(neighbor) | sense for neighbor in neighbors])
    elif not m3u:
        show.print_neighbors(neighbors)


def _look_around(library: Library, count: int, options: dict[str, Any]) -> None:
    tracks = library.tracks()
    if not tracks:
        raise QueryError(f"the library {library.path} is empty; run soundalike index FOLDER first")
    for track in tracks[:: max(1, len(tracks) // 3)][:3]:
        answers = library.similar(track, n=min(count, 5), **options)
        click.echo(f"\n{show.name_of(track)}   {show.show_path(track.path)}")
        show.print_neighbors(answers)
