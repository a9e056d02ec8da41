"""Taking vectors out: embed, vectors."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.options import (
    filter_option,
    jobs_option,
    library_option,
    model_option,
    open_library,
    sense_option,
)
from soundalike.cli.places import NEW_FILE, PLACE
from soundalike.errors import AudioError
from soundalike.library import fields
from soundalike.library.tracks import path_to_text

if TYPE_CHECKING:
    from soundalike.cli.vectors import VectorFile
    from soundalike.embedder import TrackVectors

# Tracks written at a time.
ROWS = 256

out_option = click.option(
    "--out",
    type=NEW_FILE,
    required=True,
    help="File to write: .parquet, .npz, or .npy with a .npy.json beside it.",
)
aggregate_option = click.option(
    "--aggregate",
    type=click.Choice(["mean", "concat"]),
    default="mean",
    show_default=True,
    help="What a track's one vector is made of.",
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=PLACE)
@out_option
@aggregate_option
@sense_option
@model_option
@jobs_option
def embed(
    files: tuple[Path, ...],
    out: Path,
    aggregate: str,
    sense: str,
    model: str | None,
    jobs: int | None,
) -> None:
    """Write the vectors of FILES, as a Parquet table or NumPy arrays.

    Columns: path, vector (of the track), segments (one vector each), starts (seconds), model (and
    #sense, if it is one). Files that cannot be read are listed and left out; the exit code is 1 then.
    """
    from soundalike.cli.vectors import VectorFile
    from soundalike.embedder import Embedder, sense_of
    from soundalike.library.ranking import columns_of

    _check_place(out)
    embedder = Embedder(model)
    one_sense = columns_of(sense, embedder.senses) is not None
    waiting: list[TrackVectors] = []
    done = 0
    with VectorFile(out, _identity(embedder.identity, sense, one_sense)) as file:
        width = embedder.senses[sense] if one_sense else slice(0, embedder.dimension)
        shape = (embedder.segment_count, width.stop - width.start)
        senses = {} if one_sense else embedder.senses
        for outcome in embedder.embed(files, jobs=jobs):
            if isinstance(outcome, AudioError):
                click.echo(
                    f"soundalike: {show.show_path(outcome.path)}: {outcome.reason}", err=True
                )
                continue
            if one_sense:
                own = sense_of(outcome.vectors, sense, embedder.senses)
                outcome = replace(outcome, vectors=own)
            waiting.append(outcome)
            done += 1
            if len(waiting) == ROWS:
                _write(file, waiting, aggregate, shape, senses)
                waiting.clear()
        if waiting or not done:
            _write(file, waiting, aggregate, shape, senses)
    click.echo(f"{done} of {len(files)} files in {show.show_path(out)}", err=True)
    if done < len(files):
        sys.exit(1)


@click.command()
@out_option
@aggregate_option
@click.option("--segments", is_flag=True, help="The vectors of the segments and their times, too.")
@filter_option
@sense_option
@library_option
@model_option
def vectors(
    out: Path,
    aggregate: str,
    segments: bool,
    filter: str,  # noqa: A002 - as it is called everywhere
    sense: str,
    library: Path | None,
    model: str | None,
) -> None:
    """Write the vectors of the library, as a Parquet table or NumPy arrays.

    Nothing is listened to. Columns: id, path, title, artist, album, album_artist, genre, year,
    track_number, duration, vector, model (and #sense, if it is one); with --segments also segments and
    starts (seconds). In .npz the tags are in tracks.json, beside .npy in the file NAME.npy.json.
    """
    from soundalike.cli.vectors import VectorFile

    _check_place(out)
    opened = open_library(library, model)
    read = opened.vector_batches(
        filter=filter, aggregation=aggregate, sense=sense, segments=segments
    )
    count = 0
    with VectorFile(out, _identity(str(opened.model), sense, sense in opened.senses)) as file:
        for tracks, batch in read:
            arrays: dict[str, Any] = {"vector": batch.vectors}
            if batch.segments is not None and batch.starts is not None:
                arrays |= {"segments": batch.segments, "starts": batch.starts}
            file.add([fields.all_fields(track) for track in tracks], **arrays)
            count += len(tracks)
    click.echo(f"{count} tracks in {show.show_path(out)}", err=True)


def _check_place(out: Path) -> None:
    """Tell now what is wrong with the place, not when all files have been heard."""
    from soundalike.cli.vectors import check_ending

    check_ending(out)
    if not out.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")


def _identity(model: str, sense: str, one_sense: bool) -> str:
    return f"{model}#{sense}" if one_sense else model


def _write(
    file: VectorFile,
    tracks: Sequence[TrackVectors],
    aggregate: str,
    shape: tuple[int, int],
    senses: Mapping[str, slice],
) -> None:
    """Write some files; none of them makes an empty table of the same columns."""
    import numpy as np

    from soundalike.library.aggregation import track_vector

    S, D = shape
    segments = np.array([track.vectors for track in tracks], np.float32).reshape(-1, S, D)
    starts = [[segment.start for segment in track.segments] for track in tracks]
    file.add(
        [{"path": path_to_text(track.path)} for track in tracks],
        vector=np.asarray(track_vector(segments, aggregate, senses), np.float32),
        segments=segments,
        starts=np.array(starts, np.float64).reshape(-1, S),
    )
