"""What judges encoders: evaluate."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from soundalike.cli import show
from soundalike.cli.places import NEW_FILE, NEW_FOLDER, PLACE
from soundalike.errors import AudioError, ModelError

TRACKS = Path("../shared/music/tracks.csv")
PIECES = Path("../shared/midi/pieces.csv")
CACHE = Path(".cache/evaluation")


@click.command()
@click.argument("systems", nargs=-1)
@click.option(
    "--tasks",
    metavar="NAME,...",
    help="same_track, degraded, arrangement, same_album, same_artist, same_genre, hubness. "
    "Default: all that the data at hand allows.",
)
@click.option("--tracks", type=PLACE, default=TRACKS, show_default=True, help="CSV of recordings.")
@click.option("--split", default="validation", show_default=True, help="Rows of the CSV to use.")
@click.option("--pieces", type=PLACE, default=PIECES, show_default=True, help="CSV of scores.")
@click.option(
    "--aggregation",
    type=click.Choice(["mean", "concat", "maxsim"]),
    default="mean",
    show_default=True,
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--cache",
    type=NEW_FOLDER,
    default=CACHE,
    show_default=True,
    help="Folder that keeps what was described; a run that was stopped goes on.",
)
@click.option("--no-cache", is_flag=True, help="Keep nothing but --out, and describe all anew.")
@click.option(
    "--library",
    "own",
    type=PLACE,
    help="Measure this library instead, by its own tags and sound.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="With --library: tracks to decode.",
)
@click.option("--pictures", type=NEW_FOLDER, help="With --library: folder to draw pictures in.")  # fmt: skip
@click.option("--out", type=NEW_FILE, help="JSON record to write; systems in it already are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the record instead of tables.")
def evaluate(
    systems: tuple[str, ...],
    tasks: str | None,
    tracks: Path,
    split: str,
    pieces: Path,
    aggregation: str,
    seed: int,
    cache: Path,
    no_cache: bool,
    own: Path | None,
    sample: int,
    pictures: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure how good "similar" is.

    SYSTEMS are shipped encoders, model folders, baselines such as mfcc, or peers; the shipped default
    if none is named. Name the one in question first: the others are compared with it. What the tasks
    ask stands in docs/evaluation.md. The exit code is 1 when a track cannot be used or a system cannot
    be run; the others are measured.

    \b
    soundalike evaluate --library ~/my-library --pictures seen
    """
    if own:
        if systems:
            raise click.UsageError("--library measures its own encoder; name no systems with it")
        given = {"aggregation": aggregation, "sample": sample, "seed": seed}
        sys.exit(_evaluate_library(own, out, pictures, given, as_json))
    names = tuple(dict.fromkeys(systems)) or ("default",)
    with ExitStack() as stack:
        if no_cache:
            cache = Path(stack.enter_context(TemporaryDirectory(prefix="soundalike-")))
        examined = {"pieces": pieces, "aggregation": aggregation, "seed": seed, "cache": cache}
        wanted = [name.strip() for name in (tasks or "").split(",") if name.strip()]
        if tasks is not None and not wanted:
            raise click.BadParameter("names no task; leave it out for all", param_hint="--tasks")
        sys.exit(_evaluate_systems(names, (tracks, split), wanted, examined, out, as_json))


def _evaluate_systems(
    names: Sequence[str],
    tracks: tuple[Path, str],
    tasks: Sequence[str],
    given: Mapping[str, Any],
    out: Path | None,
    as_json: bool,
) -> int:
    """Put systems through the tasks; the record grows with each, on disk too. Answers the exit code."""
    from soundalike.evaluation import record, report, suite
    from soundalike.evaluation.systems import require_system
    from soundalike.evaluation.tasks.recordings import digest_of, read_recordings

    for name in names:
        require_system(name)
    if out:
        record.ready_to_write(out, "evaluations")
    (table, split), seed = tracks, given["seed"]
    recordings = digest_of(read_recordings(table, split))
    set_of_tracks = {"tracks": table.name, "split": split, "seed": seed, "recordings": recordings}
    earlier = record.read_evaluations(out, set_of_tracks) if out else []
    complaints = _Complaints()
    shared: dict[str, Any] = {"cache": given["cache"], "warn": complaints.warn}
    exam = suite.prepare(table, split, tasks=tasks, pieces=given["pieces"], seed=seed, **shared)
    measured = record.new_record(set_of_tracks, exam.skipped)
    for name in names:
        try:
            with show.plain_progress(name) as progress:
                evaluation = suite.evaluate(
                    name, exam, aggregation=given["aggregation"], progress=progress, **shared
                )
        except ModelError as error:
            complaints.fail(error)
            continue
        measured = record.with_evaluation(measured, evaluation)
        if out:
            record.write_record(record.followed_by(measured, earlier), out)
    if measured["evaluations"]:
        text = record.as_json(measured) if as_json else report.as_text(measured)
        click.echo(text, nl=not as_json)
    return int(complaints.number > 0)


def _evaluate_library(
    own: Path, out: Path | None, pictures: Path | None, given: Mapping[str, Any], as_json: bool
) -> int:
    """Measure a library of the listener's. Answers the exit code."""
    from soundalike.evaluation.library_report import as_text
    from soundalike.evaluation.own_library import run_library
    from soundalike.evaluation.record import ready_to_write

    if out:
        ready_to_write(out, "library")
    with show.staged_progress() as progress:
        measured, drawn = run_library(own, out=out, drawings=pictures, progress=progress, **given)
    if as_json:
        show.print_json(measured)
    else:
        click.echo(as_text(measured))
    for path in drawn:
        click.echo(show.show_path(path), err=True)
    return int(bool(measured["failed"]))


class _Complaints:
    """Tells of what cannot be used, once each: every system meets a broken file again."""

    def __init__(self) -> None:
        self.number = 0
        self._told: set[Path] = set()

    def warn(self, error: AudioError) -> None:
        """A file is left out."""
        if error.path not in self._told:
            self._told.add(error.path)
            self.number += 1
            click.echo(f"left out {show.show_path(error.path)}: {error.reason}", err=True)

    def fail(self, error: ModelError) -> None:
        """A system is left out."""
        self.number += 1
        click.echo(f"soundalike: {error}", err=True)
