"""Asking a library: similar, find, versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    selected,
    selection_options,
    sense_option,
)
from soundalike.cli.places import PLACE
from soundalike.errors import QueryError
from soundalike.library import fields

if TYPE_CHECKING:
    from soundalike.library.library import Library
    from soundalike.library.playlists import Entry
    from soundalike.library.tracks import Track


# Tracks that words may fit for one of them to be meant by the name of its file.
MANY = 100


def seed_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Other ways to say what to ask with."""
    for option in (
        click.option(
            "--find", "words", metavar="TEXT", help="Ask with the track these words find."
        ),
        click.option("--album", metavar="NAME", help="Ask with all tracks of an album."),
        click.option("--artist", metavar="NAME", help="Ask with all tracks of an artist."),
        click.option(
            "--dislike",
            multiple=True,
            metavar="QUERY",
            help="Keep away from this track or file; may be given several times.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("queries", nargs=-1, metavar="[QUERY]...")
@click.option("-n", "count", type=int, default=10, show_default=True, help="Answers wanted.")
@seed_options
@click.option("--from", "start", metavar="TIME", help="Compare from here on, such as 1:00.")
@click.option("--to", "end", metavar="TIME", help="Compare up to here, such as 1:30.")
@selection_options
@click.option("--include-self", is_flag=True, help="Keep the query itself among the answers.")
@aggregation_option
@sense_option
@json_option
@click.option("--m3u", type=PLACE, help="Write the answers as an M3U8 playlist.")
@click.option("--absolute", is_flag=True, help="Write whole paths into the playlist.")
@library_option
@model_option
def similar(
    queries: tuple[str, ...],
    count: int,
    start: str | None,
    end: str | None,
    as_json: bool,
    m3u: Path | None,
    absolute: bool,
    library: Path | None,
    model: str | None,
    **options: Any,
) -> None:
    """Find the tracks that sound most like QUERY.

    QUERY is any audio file, in the library or not, the id of a track, a playlist (.m3u8, .m3u), or words
    that one track alone has in title, artist, album or path. Several are liked on average. Without
    one, three tracks of the library are asked about, to look around.

    Each answer shows its similarity (1 the same; one of a hundred unrelated tracks reaches 0.5) and where
    the two sound most alike: time in the query ~ time in the answer.

    Of several files of one recording the best is shown, and at most 3 tracks of an artist and 2 of an
    album, more only where there are no others; --raw shows everything.
    """
    wants = {name: options.pop(name) for name in ("words", "artist", "album", "dislike")}
    opened = open_library(library, model)
    selection = selected(options)
    how = {name: options[name] for name in ("aggregation", "sense")}
    if absolute and not m3u:
        raise click.UsageError("--absolute is about the playlist of --m3u")
    if not queries and not any(wants.values()):
        if as_json or m3u or start or end:
            raise click.UsageError("--json, --m3u, --from and --to need a QUERY")
        _look_around(opened, count, how | {"selection": selection})
        return
    first, last = seconds(start, "--from"), seconds(end, "--to")
    if first is not None and last is not None and last <= first:
        raise click.BadParameter(f"{end} is not after --from {start}", param_hint="--to")
    seeds = _seeds(opened, queries, wants)
    neighbors = opened.similar(
        seeds,
        n=count,
        dislike=[meant(opened, each) for each in wants["dislike"]],
        selection=selection,
        excerpt=(first, last),
        **how,
    )
    show.print_note(neighbors.note)
    whole = True
    if m3u:
        title = f"Like {', '.join(map(_name, seeds[:3]))}{', ...' if len(seeds) > 3 else ''}"
        tracks = [neighbor.track for neighbor in neighbors]
        whole = write_playlist(m3u, tracks, title, absolute)
    if as_json:
        by = {"sense": options["sense"], "calibrated": opened.calibrated}
        show.print_json([each | by for each in fields.answers_fields(neighbors)])
    elif not m3u:
        show.print_neighbors(neighbors)
    if not whole:
        click.get_current_context().exit(1)


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("-n", "count", type=int, default=20, show_default=True, help="Tracks wanted.")
@json_option
@library_option
@model_option
def find(
    text: tuple[str, ...], count: int, as_json: bool, library: Path | None, model: str | None
) -> None:
    """Find tracks by words in title, artist, album or path.

    All words must occur, in any order, also within longer ones; case and accents do not count. When
    no track has them all, those that come nearest are listed, and the exit code is 1.
    """
    tracks = open_library(library, model).find(" ".join(text), n=count)
    show.print_note(tracks.note)
    if as_json:
        show.print_json([fields.track_fields(track) for track in tracks])
    else:
        show.print_tracks(tracks)
    if tracks.note:
        click.get_current_context().exit(1)


@click.command()
@click.argument("query", required=False)
@json_option
@library_option
@model_option
def versions(query: str | None, as_json: bool, library: Path | None, model: str | None) -> None:
    """Show other files of a recording, and other versions of its piece.

    QUERY is a track of the library: its file, its id, or words that it alone has. "copy" is the same file
    under another name, "recording" the same recording in another file, "version" the same piece played
    again, perhaps. Without QUERY all copies and recordings of the library that are there more than
    once are listed. Nothing is ever deleted.
    """
    opened = open_library(library, model)
    if query is None:
        groups = opened.duplicates()
        if as_json:
            show.print_json([fields.duplicates_fields(group) for group in groups])
            return
        count = "1 recording is" if len(groups) == 1 else f"{len(groups)} recordings are"
        click.echo(f"{count} there more than once", err=True)
        for group in groups:
            click.echo(f"\n{group.kind}: {group.why}")
            # In a group of copies nothing else is to be told apart.
            show.print_tracks(group.tracks, group.copies if group.kind == "recording" else ())
        return
    wanted = meant(opened, query)
    found = opened.versions(wanted)
    if as_json:
        show.print_json([fields.version_fields(version) for version in found])
        return
    if not found:
        click.echo(f"no other version of {_name(wanted)} is in the library", err=True)
    for version in found:
        click.echo(f"{version.kind:9}  {version.similarity:.3f}  {show.name_of(version.track)}")
        click.echo(f"{'':18}{show.show_path(version.track.path)}")
        click.echo(f"{'':18}{version.why}")


def _seeds(library: Library, queries: Sequence[str], wants: dict[str, Any]) -> list[Any]:
    """Everything to ask with."""
    seeds: list[Any] = [meant(library, query) for query in queries]
    for what in ("artist", "album"):
        if wants[what]:
            seeds += library.find(**{what: wants[what]})
    if wants["words"]:
        found = library.find(wants["words"])
        if found.note:
            near = "".join(f"\n  {show.name_of(track)}" for track in found[:5])
            raise QueryError(f"{found.note}{':' if near else ''}{near}")
        others = f", the first of {len(found)}" if len(found) > 1 else ""
        _tell(found[0], others)
        seeds.append(found[0])
    if not seeds:
        raise click.UsageError("--dislike needs something that is liked: a QUERY")
    return seeds


def meant(library: Library, query: str) -> Any:
    """A query as it is, or the one track that words stand for, and tells which."""
    from soundalike.library import queries

    if query in library or queries.absolute(query).exists():
        return query
    try:
        found = library.find(query, n=MANY)
    except QueryError:
        return query  # `similar` says what is wrong with it
    named = [track for track in found if track.path.name == query] or found
    if len(named) != 1 or found.note:
        return query
    _tell(named[0])
    return named[0]


def write_playlist(m3u: Path, tracks: Sequence[Track | Entry], title: str, absolute: bool) -> bool:
    """Write a playlist and tell what is in it and what is not; whether it holds everything."""
    from soundalike.library.playlists import write_m3u8

    left_out = write_m3u8(m3u, tracks, title=title, absolute=absolute)
    for path, why in left_out:
        click.echo(f"left out {show.show_path(path)}: {why}", err=True)
    click.echo(f"{len(tracks) - len(left_out)} tracks in {show.show_path(m3u)}", err=True)
    return not left_out


def _tell(track: Track, others: str = "") -> None:
    click.echo(
        f"asking about {show.name_of(track)} ({show.show_path(track.path)}{others})", err=True
    )


def _name(seed: Any) -> str:
    """What to call a seed: a track's name, or a file's."""
    return Path(seed).stem if isinstance(seed, str) else show.name_of(seed)


def _look_around(library: Library, count: int, options: dict[str, Any]) -> None:
    tracks = library.tracks()
    if not tracks:
        from soundalike.library.held import nothing_in

        raise nothing_in(library.path, library.roots)
    for track in tracks[:: max(1, len(tracks) // 3)][:3]:
        answers = library.similar(track, n=min(count, 5), **options)
        click.echo(f"\n{show.name_of(track)}   {show.show_path(track.path)}")
        show.print_neighbors(answers)
