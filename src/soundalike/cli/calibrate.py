"""Giving an encoder's similarities their meaning: calibrate."""

from __future__ import annotations

import random
from contextlib import nullcontext
from pathlib import Path

import click

from soundalike.cli import show
from soundalike.cli.evaluation import TRACKS
from soundalike.cli.options import jobs_option, quiet_option
from soundalike.cli.places import NEW_FOLDER, PLACE
from soundalike.errors import AudioError

CACHE = Path(".cache/calibration")


@click.command()
@click.argument("model")
@click.option("--tracks", type=PLACE, default=TRACKS, show_default=True, help="CSV of recordings.")
@click.option("--split", default="train", show_default=True, help="Rows of the CSV to use.")
@click.option(
    "--sample",
    type=click.IntRange(min=50),
    default=1000,
    show_default=True,
    help="Recordings to listen to, at most, picked at random.",
)
@click.option(
    "--cache",
    type=NEW_FOLDER,
    default=CACHE,
    show_default=True,
    help="Folder that keeps vectors from one run to the next.",
)
@jobs_option
@quiet_option
def calibrate(
    model: str,
    tracks: Path,
    split: str,
    sample: int,
    cache: Path,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Measure how alike unrelated music is to MODEL, and write its calibration.json.

    MODEL is a folder, or the name of a shipped encoder. The CSV has the columns path, split and
    soundtrack, and artist where it is known; tracks of different soundtracks and artists are taken to
    have nothing to do with each other. With the calibration, similarities read as how rare they are:
    0.25 is one in ten unrelated tracks, 0.5 one in a hundred, 0.75 one in a thousand. A library that
    was indexed before takes it up with the next `soundalike index`.
    """
    from soundalike.embedder import Embedder
    from soundalike.evaluation import calibration
    from soundalike.evaluation.descriptions import silently
    from soundalike.evaluation.tasks.recordings import read_recordings

    recordings = read_recordings(tracks, split)
    if len(recordings) > sample:
        recordings = random.Random(0).sample(recordings, sample)
    embedder = Embedder(model)
    with nullcontext(silently) if quiet else show.plain_progress("listening") as progress:
        recordings, vectors = calibration.heard(
            embedder, recordings, cache=cache, jobs=jobs, progress=progress, warn=_warn
        )
    kept = calibration.distinct(recordings, cache=cache)
    recordings, vectors = [recordings[i] for i in kept], vectors[kept]
    curves = calibration.fit(vectors, calibration.unrelated(recordings), embedder.senses)
    source = f"{tracks.parent.name}/{tracks.name}, split {split}"
    made = calibration.document(embedder.identity, curves, recordings, source=source)
    path = calibration.write_calibration(embedder.folder, made)
    on = made["measured_on"]
    click.echo(
        f"{on['pairs']} pairs of {on['tracks']} tracks of {on['albums']} albums; "
        f"in {show.show_path(path)}",
        err=True,
    )


def _warn(error: AudioError) -> None:
    click.echo(f"left out {show.show_path(error.path)}: {error.reason}", err=True)
