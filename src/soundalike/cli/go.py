"""Going somewhere: path, radio, mix, sort."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.ask import meant, write_playlist
from soundalike.cli.options import (
    exclude_option,
    filter_option,
    json_option,
    library_option,
    model_option,
    open_library,
    require_playlists,
    sense_option,
)
from soundalike.cli.places import PLACE
from soundalike.library import fields

if TYPE_CHECKING:
    from soundalike.library.ground import Step
    from soundalike.library.material import LeftOut
    from soundalike.library.playlists import Entry
    from soundalike.library.selection import Selection
    from soundalike.library.tracks import Track

FAILED = 1

_OUT = (
    json_option,
    click.option("--m3u", type=PLACE, help="Write an M3U8 playlist."),
    click.option("--absolute", is_flag=True, help="Write whole paths into the playlist."),
    sense_option,
    library_option,
    model_option,
)
_CHOICE = (
    filter_option,
    exclude_option,
    click.option("--keep-versions", is_flag=True, help="Several files of one recording, too."),
)
_LIMITS = tuple(
    click.option(
        f"--max-per-{what}",
        type=click.IntRange(min=0),
        help=f"Tracks of one {what}, at most. Default: any number.",
    )
    for what in ("artist", "album")
)


def _options(*several: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator."""

    def decorate(command: Any) -> Any:
        for option in reversed(several):
            command = option(command)
        return command

    return decorate


@click.command()
@click.argument("start")
@click.argument("end")
@click.option(
    "-n", "count", type=int, default=10, show_default=True, help="Tracks, START and END included."
)
@_options(*_CHOICE, *_LIMITS, *_OUT)
def path(start: str, end: str, count: int, **options: Any) -> None:
    """Find a way from the track START to the track END.

    It leads over tracks that lie between the two, in steps as even as may be, and there always is one.
    START and END are tracks of the library, words that one track alone has, or any other audio files.

    The column "step" says how alike a track is to the one before it, "start" to START.
    """
    with _Playlist(options) as playlist:
        library = playlist.library
        route = library.path_between(
            meant(library, start),
            meant(library, end),
            count,
            sense=options["sense"],
            selection=_selected(options),
        )
        if len(route) < count:
            click.echo(f"{len(route)} instead of {count} tracks: there are no others", err=True)
        title = f"From {route[0].track.title} to {route[-1].track.title}"
        playlist.show(route, title, route.left_out)


@click.command()
@click.argument("seeds", nargs=-1, required=True, metavar="SEED...")
@click.option("-n", "count", type=int, default=50, show_default=True, help="Tracks wanted.")
@click.option(
    "--drift", default=0.0, show_default=True, help="0 stays around the seeds, 1 wanders off."
)
@click.option("--seed", default=0, show_default=True, help="Another number, another radio.")
@click.option(
    "--artist-spacing",
    default=0,
    metavar="K",
    help="Not the same artist again within K tracks, where there are others.",
)
@click.option("--repeat", is_flag=True, help="Begin anew when everything was played.")
@_options(*_CHOICE, *_OUT)
def radio(seeds: tuple[str, ...], count: int, **options: Any) -> None:
    """Play on from one or several tracks, never one twice.

    SEED is a track, an audio file, a folder or a playlist. The same --seed in the same library makes the
    same radio, and a longer one begins with the shorter.

    The column "step" says how alike a track is to the one before it, "seeds" to the nearest of the seeds.
    """
    with _Playlist(options) as playlist:
        _require_count(count)
        tuned = playlist.library.radio(
            [meant(playlist.library, seed) for seed in seeds],
            drift=options["drift"],
            seed=options["seed"],
            artist_spacing=options["artist_spacing"],
            repeat=options["repeat"],
            sense=options["sense"],
            selection=_selected(options),
        )
        steps = list(itertools.islice(tuned, count))
        if len(steps) < count:
            played = "1 track" if len(steps) == 1 else f"{len(steps)} tracks"
            click.echo(f"the library is used up after {played}; --repeat begins anew", err=True)
        playlist.show(steps, f"Radio {_name(seeds)}", tuned.left_out, since="seeds")


@click.command()
@click.argument("music", nargs=-1, required=True, metavar="MUSIC...")
@click.option("-n", "count", type=int, default=30, show_default=True, help="Tracks wanted.")
@click.option("--only-new", is_flag=True, help="Take none of MUSIC itself.")
@_options(*_CHOICE, *_LIMITS, *_OUT)
def mix(music: tuple[str, ...], count: int, only_new: bool, **options: Any) -> None:
    """Make a playlist that covers the breadth of MUSIC.

    MUSIC is any number of folders, playlists, tracks and audio files. Some that stand for all of it are
    asked in turns for what is like them, and the answers put in an order in which neighbors sound alike.
    A third are those themselves, where there are so many; the rest may be from MUSIC as well, so up to all
    are. With --only-new none are.

    The column "step" says how alike a track is to the one before it, "start" to the first.
    """
    with _Playlist(options) as playlist:
        route = playlist.library.mix(
            [meant(playlist.library, each) for each in music],
            count,
            only_new=only_new,
            sense=options["sense"],
            selection=_selected(options),
        )
        if len(route) < count:
            click.echo(f"{len(route)} instead of {count} tracks: there are no others", err=True)
        playlist.show(route, f"Mix {_name(music)}", route.left_out)


@click.command()
@click.argument("music", nargs=-1, required=True, metavar="PLAYLIST...")
@click.option("--start", metavar="TRACK", help="The one that comes first.")
@click.option("--end", metavar="TRACK", help="The one that comes last.")
@_options(*_OUT)
def sort(music: tuple[str, ...], start: str | None, end: str | None, **options: Any) -> None:
    """Bring a PLAYLIST into an order in which neighbors sound alike.

    Every entry is kept. Files outside the library are listened to; what cannot be heard (streams, files
    that are not there) comes last, is listed, and makes the exit code 1. PLAYLIST may also be folders or
    files. --m3u may name the playlist itself.

    The column "step" says how alike a track is to the one before it, "start" to the first.
    """
    with _Playlist(options) as playlist:
        library = playlist.library
        route = library.sort(
            list(music),
            start=start and meant(library, start),
            end=end and meant(library, end),
            sense=options["sense"],
        )
        playlist.show(route, _name(music), route.left_out, keep=True)


class _Playlist:
    """Where the answer of a command goes: the terminal, JSON, a file."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._json, self._m3u = options["as_json"], options["m3u"]
        self._absolute = options["absolute"]
        if self._absolute and not self._m3u:
            raise click.UsageError("--absolute is about the playlist of --m3u")
        self.library = open_library(options["library"], options["model"])
        self._failed = False

    def __enter__(self) -> _Playlist:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._failed:
            click.get_current_context().exit(FAILED)

    def show(
        self,
        steps: Sequence[Step],
        title: str,
        left_out: Sequence[LeftOut],
        *,
        keep: bool = False,
        since: str = "start",
    ) -> None:
        """Show steps and list what was left out, which with `keep` comes last in the playlist.

        `since` says what the steps started from: "start", the first of them, or "seeds".
        """
        self._failed = bool(left_out)
        for each in left_out:
            where = f"{show.show_path(each.playlist)}:{each.line}: " if each.playlist else ""
            click.echo(f"{where}{show.one_line(each.name)}: {each.reason}", err=True)
        if self._m3u:
            kept = [each.entry for each in left_out if keep and each.entry]
            tracks: list[Track | Entry] = [step.track for step in steps]
            tracks += kept
            whole = write_playlist(self._m3u, tracks, title, self._absolute)
            self._failed |= not whole
        if self._json:
            show.print_json([fields.step_fields(step) for step in steps])
        elif not self._m3u:
            show.print_steps(steps, since)


def _selected(options: dict[str, Any]) -> Selection:
    from soundalike.library.selection import Selection

    require_playlists(options["exclude"])
    names = ("filter", "exclude", "keep_versions", "max_per_artist", "max_per_album")
    return Selection(**{name: options[name] for name in names if name in options})


def _require_count(count: int) -> None:
    if count < 1:
        raise click.BadParameter(f"{count} is no number of tracks; 1 is the least", param_hint="-n")


def _name(names: Sequence[str]) -> str:
    """What to call a playlist made from these."""
    return ", ".join(Path(name).stem for name in names[:3]) + (", ..." if len(names) > 3 else "")
