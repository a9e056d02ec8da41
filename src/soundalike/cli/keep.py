"""Keeping a library: index, failures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from soundalike.cli import show
from soundalike.cli.options import (
    jobs_option,
    json_option,
    library_option,
    model_option,
    open_library,
    quiet_option,
)
from soundalike.cli.places import PLACE


@click.command()
@click.argument("folders", nargs=-1, type=PLACE)
@library_option
@model_option
@jobs_option
@click.option(
    "--prune", is_flag=True, help="Forget missing tracks even where a whole folder is gone."
)
@quiet_option
def index(
    folders: tuple[Path, ...],
    library: Path | None,
    model: str | None,
    jobs: int | None,
    prune: bool,
    quiet: bool,
) -> None:
    """Listen to FOLDERS and keep a few vectors per track.

    Only new and changed files are opened, so run it again whenever music was added; without FOLDERS
    those indexed before are looked at again. It may be stopped at any moment and goes on where it was.
    Files that cannot be used are listed at the end and never stop it.
    """
    opened = open_library(library, model)
    with show.index_progress(quiet) as progress:
        report = opened.index(folders, jobs=jobs, progress=progress, prune=prune)
    show.print_report(report, len(opened), opened.path)
    if not len(opened):
        _explain_empty(folders, bool(report.failed or report.skipped))
    if report.failed or report.held:
        sys.exit(1)


def _explain_empty(folders: Sequence[Path], failed: bool) -> None:
    where = ", ".join(show.show_path(folder) for folder in folders) or "the folders"
    why = "every file in them failed" if failed else "no audio files were found there"
    click.echo(f"soundalike: the library is empty: {why} ({where})", err=True)
    sys.exit(1)


@click.command()
@library_option
@json_option
def failures(library: Path | None, as_json: bool) -> None:
    """List the files that could not be used, with the reason. They are retried when they change."""
    listed = open_library(library, None).failures()
    if as_json:
        show.print_json([{"path": show.show_path(p), "reason": reason} for p, reason in listed])
        return
    for path, reason in listed:
        click.echo(f"{show.show_path(path)}: {reason}")
    click.echo(f"{len(listed)} files", err=True)
