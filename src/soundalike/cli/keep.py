"""Keeping a library: index, remove, failures, info, doctor."""

from __future__ import annotations

import datetime
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.options import (
    existing_library,
    jobs_option,
    json_option,
    library_option,
    model_option,
    open_library,
    quiet_option,
    seconds,
)
from soundalike.cli.places import PLACE
from soundalike.library.tracks import path_to_text

if TYPE_CHECKING:
    from soundalike.library.choice import Filters
    from soundalike.library.indexing import IndexReport
    from soundalike.library.info import Info
    from soundalike.library.library import Library


@click.command()
@click.argument("folders", nargs=-1, type=PLACE)
@library_option
@model_option
@jobs_option
@click.option(
    "--nice",
    type=click.IntRange(0, 19),
    help="Give way to other programs: 0 not at all, 19 always. Not on Windows.",
)
@click.option(
    "--include",
    metavar="GLOB",
    multiple=True,
    help="Take only files of FOLDERS whose path in there matches, such as 'Jazz/*'. Repeatable, "
    "remembered; '' takes all again.",
)
@click.option(
    "--exclude",
    metavar="GLOB",
    multiple=True,
    help="Leave out files whose path matches, such as Podcasts or '*.wma'. Repeatable, remembered; "
    "'' leaves out none.",
)
@click.option(
    "--min-duration", metavar="TIME", help="Leave out shorter files, such as 0:30. 0: no limit."
)
@click.option(
    "--max-duration",
    metavar="TIME",
    help="Leave out longer files, such as 20:00: mixes, audiobooks. 0: no limit.",
)
@click.option("--force", is_flag=True, help="Listen again to all of FOLDERS, changed or not.")
@click.option(
    "--prune", is_flag=True, help="Forget missing tracks even where a whole folder is gone."
)
@quiet_option
def index(
    folders: tuple[Path, ...],
    library: Path | None,
    model: str | None,
    jobs: int | None,
    nice: int | None,
    quiet: bool,
    prune: bool,
    force: bool,
    **filters: Any,
) -> None:
    """Listen to FOLDERS and keep a few vectors per track.

    Only new and changed files are opened, so run it again whenever music was added; without FOLDERS
    those indexed before are looked at again. It may be stopped at any moment and goes on where it was.
    Files that cannot be used are listed at the end and never stop it. Moved and retagged files are not
    listened to again.

    A GLOB is compared with the path below the folder, * stands for anything, "/" included; what names a
    folder names all in it. Questions are answered meanwhile.
    """
    if nice:
        if not hasattr(os, "nice"):
            raise click.BadParameter("not on this system", param_hint="--nice")
        os.nice(nice)
    chosen = _filters(**filters)
    opened = open_library(library, model)
    with show.index_progress(quiet) as progress:
        report = opened.index(
            folders, jobs=jobs, progress=progress, prune=prune, force=force, filters=chosen
        )
    show.print_report(report, len(opened), opened.path)
    if not len(opened):
        _explain_empty(opened, folders, report)
    if report.failed or report.held:
        sys.exit(1)


def _explain_empty(opened: Library, folders: Sequence[Path], report: IndexReport) -> None:
    from soundalike.library import queries, scan

    places = [queries.absolute(folder) for folder in folders] or opened.roots
    where = ", ".join(map(show.show_path, folders)) or "the folders indexed before"
    failed = len(report.failed) + report.skipped
    # What was left out or removed before is in no report.
    there, known = len(scan.find_files(places).states), opened.info()
    ways = ["failed"] if failed else []
    if there > failed:
        ways += ["was removed"] if known.removed else []
        filtered = any(_filter_lines(root.filters) for root in known.roots)
        ways += ["is left out by the filters"] if filtered else []
    why = f"every file in them {' or '.join(ways) or 'was passed over'}"
    if not there:
        why = "no audio files were found there"
    click.echo(f"soundalike: the library is empty: {why} ({where})", err=True)
    sys.exit(1 if failed or report.held else 2)


def _filters(
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    min_duration: str | None,
    max_duration: str | None,
) -> Filters | None:
    from soundalike.library.choice import Filters

    if not (include or exclude or min_duration or max_duration):
        return None
    longest = seconds(max_duration, "--max-duration")
    return Filters(
        tuple(filter(None, include)) if include else None,
        tuple(filter(None, exclude)) if exclude else None,
        seconds(min_duration, "--min-duration"),
        math.inf if longest == 0 else longest,
    )


@click.command()
@click.argument("things", metavar="FOLDER|TRACK...", nargs=-1, required=True)
@library_option
def remove(things: tuple[str, ...], library: Path | None) -> None:
    """Forget folders or tracks; the music itself is never touched.

    A folder that was indexed is forgotten altogether. A track, or a folder inside one that stays, is
    remembered as removed: later runs pass it over until `soundalike index` is given its very path.
    A track is named by its path or id.
    """
    if not all(things):  # what a shell makes of a variable that is not set; not this folder
        raise click.BadParameter("one of them is empty", param_hint="FOLDER|TRACK")
    count = open_library(library, None).remove(things)
    tracks = "1 track" if count == 1 else f"{count} tracks"
    click.echo(f"{tracks} left the library; the music is where it was", err=True)


@click.command()
@library_option
@model_option
@json_option
def info(library: Path | None, model: str | None, as_json: bool) -> None:
    """Say what the library holds: tracks, folders with their filters, encoders, disk use."""
    found = existing_library(library, model).info()
    if as_json:
        show.print_json(_info_fields(found))
        return
    click.echo(f"library   {show.show_path(found.path)}")
    hours = f"{found.seconds / 3600:.1f} hours"
    click.echo(f"music     {found.tracks} tracks, {hours}")
    click.echo(f"          {found.artists} artists, {found.albums} albums")
    for root in found.roots:
        gone = "" if root.reachable else "   (not there now)"
        click.echo(f"folder    {show.show_path(root.path)}   {root.tracks} tracks{gone}")
        for line in _filter_lines(root.filters):
            click.echo(f"          {line}")
    for path in found.removed:
        click.echo(f"removed   {show.show_path(path)}")
    for encoder in found.encoders:
        notes = ["answers questions"] if encoder.answers else []
        notes += ["being indexed, or cut short"] if encoder.behind else []
        notes += [f"indexed {_local(encoder.indexed)}"] if encoder.indexed else []
        count = "not laid out" if encoder.tracks is None else f"{encoder.tracks} tracks"
        click.echo(f"encoder   {encoder.identity}   {', '.join([count, *notes])}")
    if found.left_out:
        click.echo(f"left out  {found.left_out} too short or long (soundalike failures --left-out)")
    files = "1 file" if found.failures == 1 else f"{found.failures} files"
    click.echo(f"failed    {files}{' (soundalike failures)' if found.failures else ''}")
    total = sum(found.disk.values())
    each = f", {found.bytes_per_track / 1000:.1f} KB per track" if found.tracks else ""
    parts = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in found.disk.items())
    click.echo(f"disk      {total / 1e6:.1f} MB ({parts}){each}")


def _filter_lines(filters: Filters) -> list[str]:
    lines = [f"only {glob}" for glob in filters.include or ()]
    lines += [f"excluding {glob}" for glob in filters.exclude or ()]
    if filters.min_duration:
        lines.append(f"at least {show.clock(filters.min_duration)}")
    if filters.max_duration not in (None, math.inf):
        lines.append(f"at most {show.clock(filters.max_duration)}")
    return lines


def _local(moment: str) -> str:
    """A moment in ISO 8601 as the clock on the wall says it."""
    try:
        return f"{datetime.datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return moment


def _info_fields(found: Info) -> dict[str, Any]:
    return {
        "path": path_to_text(found.path),
        "tracks": found.tracks,
        "artists": found.artists,
        "albums": found.albums,
        "seconds": round(found.seconds, 3),
        "roots": [
            {
                "path": path_to_text(root.path),
                "tracks": root.tracks,
                "reachable": root.reachable,
                "include": list(root.filters.include or ()),
                "exclude": list(root.filters.exclude or ()),
                "min_duration": root.filters.min_duration,
                "max_duration": root.filters.max_duration,
            }
            for root in found.roots
        ],
        "removed": [path_to_text(path) for path in found.removed],
        "encoders": [asdict(encoder) for encoder in found.encoders],
        "failures": found.failures,
        "left_out": found.left_out,
        "disk": dict(found.disk),
        "bytes_per_track": round(found.bytes_per_track),
    }


@click.command()
@library_option
@model_option
@json_option
def doctor(library: Path | None, model: str | None, as_json: bool) -> None:
    """Examine the installation and the library, and say what to do where something is wrong.

    Nothing is changed. The exit code is 1 if a check fails; a warning is no failure.
    """
    from soundalike.library.doctor import FAIL, worst

    checks = open_library(library, model).check()
    if as_json:
        show.print_json([asdict(check) for check in checks])
    for check in () if as_json else checks:
        click.echo(f"{check.status:5} {check.name}: {show.show_path(Path(check.found))}")
        if check.advice:
            click.echo(f"      -> {check.advice}")
    if worst(checks) == FAIL:
        sys.exit(1)


@click.command()
@click.option(
    "--left-out", is_flag=True, help="List the files too short or too long for the filters instead."
)
@library_option
@json_option
def failures(left_out: bool, library: Path | None, as_json: bool) -> None:
    """List the files that could not be used, with the reason. They are retried when they change."""
    opened = existing_library(library, None)
    listed = opened.left_out() if left_out else opened.failures()
    if as_json:
        show.print_json([{"path": show.show_path(p), "reason": reason} for p, reason in listed])
        return
    for path, reason in listed:
        click.echo(f"{show.show_path(path)}: {reason}")
    click.echo(f"{len(listed)} files", err=True)
