"""What is claimed about the method, measured: one command per claim."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from soundalike.cli import show
from soundalike.cli.evaluation import CACHE, PIECES, TRACKS
from soundalike.cli.places import NEW_FILE, NEW_FOLDER, PLACE
from soundalike.errors import AudioError, QueryError

if TYPE_CHECKING:
    import numpy as np

    from soundalike.evaluation.sounds import Sound
    from soundalike.evaluation.systems import System
    from soundalike.evaluation.tasks.recordings import Recording

TASKS = ("same_track", "same_album", "degraded", "arrangement")
PNG = b"\x89PNG"
COMMAND = TypeVar("COMMAND", bound=Callable[..., Any])

_tracks = click.option(
    "--tracks", type=PLACE, default=TRACKS, show_default=True, help="CSV of recordings."
)
_cache = click.option(
    "--cache",
    type=NEW_FOLDER,
    default=CACHE,
    show_default=True,
    help="Folder that keeps what was described; a run that was stopped goes on.",
)


@click.group()
def claim() -> None:
    """Measure what is claimed about the method, also where it turns out wrong."""


def _reported(command: COMMAND) -> COMMAND:
    """Give a command the options for its record and picture, and print what it found."""

    @click.option("--out", type=NEW_FILE, required=True, help="JSON file to write the figures to.")
    @click.option("--picture", type=NEW_FILE, help="PNG file to draw the figures into.")
    @wraps(command)
    def run(*arguments: Any, out: Path, picture: Path | None, **options: Any) -> None:
        from soundalike.evaluation.record import ready_to_write, write_record
        from soundalike.evaluation.report import provenance

        # A record says which claim it is of, under the name of its module and its command.
        ready_to_write(out, "claim", command.__name__)
        if picture and picture.is_file() and not picture.read_bytes().startswith(PNG):
            raise QueryError(
                f"{picture} would be overwritten, and it is no PNG; name another with --picture"
            )
        claimed, figures = command(*arguments, **options)
        write_record({"provenance": provenance(), **figures}, out)
        if picture:
            picture.parent.mkdir(parents=True, exist_ok=True)
            claimed.draw(figures, picture)
        click.echo(claimed.as_markdown(figures), nl=False)

    return run  # type: ignore[return-value]


@claim.command()
@click.argument("model", default="default")
@_tracks
@click.option("--split", default="validation", show_default=True, help="Rows to ask about.")
@click.option("--pieces", type=PLACE, default=PIECES, show_default=True, help="CSV of scores.")
@click.option(
    "--tasks", default=",".join(TASKS), show_default=True, metavar="NAME,...", help="What to ask."
)
@click.option(
    "--per-kind", type=click.IntRange(min=1), default=60, show_default=True,
    help="Queries of one kind, at most.",
)  # fmt: skip
@click.option(
    "--training", type=click.IntRange(min=1), default=200, show_default=True,
    help="Tracks of the split train to fit the reduced concatenation on.",
)  # fmt: skip
@_cache
@_reported
def aggregation(
    model: str,
    tracks: Path,
    split: str,
    pieces: Path,
    tasks: str,
    per_kind: int,
    training: int,
    cache: Path,
) -> Any:
    """Does concatenating the segments of a track beat their mean?

    MODEL is a shipped encoder or a model folder. It hears every sound in 1, 2, 3, 5 and 8 places; with
    all tasks that takes about ten minutes of two cores, and the next time none.
    """
    from soundalike.embedder import Embedder
    from soundalike.evaluation import suite
    from soundalike.evaluation.claims import aggregation as claimed
    from soundalike.evaluation.claims.dense_grid import DenseGrid
    from soundalike.evaluation.descriptions import Descriptions
    from soundalike.evaluation.tasks.recordings import whole

    wanted = [suite.check_task(name.strip()) for name in tasks.split(",") if name.strip()]
    exam = suite.prepare(tracks, split, tasks=wanted, pieces=pieces, cache=cache, warn=_warn)
    asked = [claimed.thinned(each, per_kind) for each in exam.retrievals]
    asked += [claimed.trimmed(each) for each in asked if each.task == "same_track"]
    learnt = _evenly(_usable(tracks, "train", cache), training)
    dense = DenseGrid(Embedder(None if model == "default" else model))
    with show.plain_progress(model) as progress:
        described = Descriptions(dense, cache / "descriptions", progress)
        everything = [s for each in asked for s in (*each.tracks, *each.queries)]
        heard = described.heard([*everything, *(whole(recording) for recording in learnt)])
        for error in described.failed.values():
            _warn(error)
        left = [suite.without(each, heard) for each in asked]
        sounds = [whole(recording) for recording in learnt]
        figures = claimed.measure(described, left, sounds, senses=dense.embedder.senses)
    return claimed, {**figures, "system": dense.identity, "tracks": tracks.name, "split": split}


@claim.command()
@click.argument("supervised")
@click.argument("self_supervised")
@click.option(
    "--style", default="mfcc", show_default=True, help="The third opinion on what sounds alike."
)
@_tracks
@_cache
@_reported
def artist(supervised: str, self_supervised: str, style: str, tracks: Path, cache: Path) -> Any:
    """Does supervision by artist over-recommend the artist, and self-supervision not?

    SUPERVISED and SELF_SUPERVISED are encoders of the same data, trained by recipe artist and by a
    contrastive one. Both are asked about the tracks of the split train, whose artists the first one
    was taught, and about those of the split validation, whose artists it has never heard.
    """
    from soundalike.evaluation.claims import artist as claimed
    from soundalike.evaluation.claims.artist import SELF, SUPERVISED, Group
    from soundalike.evaluation.tasks.recordings import whole

    _require(supervised, self_supervised, style)
    groups = [
        Group(
            name,
            [whole(recording) for recording in found],
            [recording.artist for recording in found],
            [recording.album for recording in found],
        )
        for name, found in (
            ("artists of the training", _usable(tracks, "train", cache)),
            ("artists nobody trained on", _usable(tracks, "validation", cache)),
        )
    ]
    learnt = groups[0].sounds
    asked = {SUPERVISED: supervised, SELF: self_supervised, "third opinion": style}
    found = {name: _system(system, learnt, cache) for name, system in asked.items()}
    ours, theirs, ear = (_similarity(system, cache) for system in found.values())
    figures = claimed.measure({SUPERVISED: ours, SELF: theirs}, ear, groups)
    return claimed, {**figures, "identities": _identities(found)}


@claim.command()
@click.argument("systems", nargs=-1)
@_tracks
@click.option("--split", default="train", show_default=True, help="Rows whose labels are learnt.")
@click.option("--label", type=click.Choice(["soundtrack", "artist"]), default="soundtrack")
@click.option(
    "--scratch", "from_scratch", multiple=True, metavar="FRACTION=FOLDER",
    help="A model trained from nothing on that fraction of the labels; see --lists.",
)  # fmt: skip
@click.option(
    "--lists", type=NEW_FOLDER,
    help="Write here what such a model may be trained on, a CSV per fraction.",
)  # fmt: skip
@_cache
@_reported
def labels(
    systems: tuple[str, ...],
    tracks: Path,
    split: str,
    label: str,
    from_scratch: tuple[str, ...],
    lists: Path | None,
    cache: Path,
) -> Any:
    """Do frozen vectors save labels?

    SYSTEMS are encoders and baselines, the one in question first; without any, the shipped default
    against mfcc and mean-log-mel. A linear probe on the vectors of each learns from 1, 10, 25, 50 and
    100 % of the labels.
    """
    from soundalike.evaluation.claims import labels as claimed
    from soundalike.evaluation.tasks.recordings import whole

    folders = dict(_fraction_and_folder(each) for each in from_scratch)
    names = systems or ("default", "mfcc", "mean-log-mel")
    _require(*names, *folders.values())
    found = _usable(tracks, split, cache)
    wanted = [recording.album if label == "soundtrack" else recording.artist for recording in found]
    if lists:
        written = claimed.lists_to_train_on(
            [(recording.path, name) for recording, name in zip(found, wanted, strict=True)], lists
        )
        click.echo(f"lists to train on: {', '.join(map(show.show_path, written))}", err=True)
    sounds = [whole(recording) for recording in found]
    known = {name: _system(name, sounds, cache) for name in names}
    figures = claimed.measure(
        {name: _describe(system, cache) for name, system in known.items()},
        sounds,
        wanted,
        scratch={f: _describe(_system(name, sounds, cache), cache) for f, name in folders.items()},
    )
    set_of_tracks = {"label": label, "tracks": tracks.name, "split": split}
    return claimed, {**figures, **set_of_tracks, "identities": _identities(known)}


@claim.command("segment-length")
@click.argument("record", type=PLACE)
@click.argument("runs", type=PLACE, nargs=-1, required=True)
@_reported
def segment_length(record: Path, runs: tuple[Path, ...]) -> Any:
    """Does a transformer that hears 30 s beat a CNN that hears 2.6 s, at equal training?

    RECORD was written by soundalike evaluate and holds the models of all RUNS, the folders that
    soundalike train left, the one in question first.
    """
    from soundalike.evaluation.claims import segment_length as claimed

    return claimed, claimed.measure(_record(record), runs)


@claim.command()
@click.argument("record", type=PLACE)
@click.argument("arms", type=PLACE)
@_reported
def ablation(record: Path, arms: Path) -> Any:
    """Does every part of the recipe earn its place?

    RECORD was written by soundalike evaluate and holds all models; ARMS is the CSV that
    recipes/ablation.py wrote.
    """
    from soundalike.evaluation.claims import ablation as claimed

    return claimed, claimed.measure(_record(record), claimed.read_arms(arms))


@claim.command("found-again")
@click.argument("record", type=PLACE)
@_reported
def found_again(record: Path) -> Any:
    """Are identical tracks found excellently, and arrangements often?

    RECORD was written by soundalike evaluate; its first system is the one in question.
    """
    from soundalike.evaluation.claims import found_again as claimed

    return claimed, claimed.measure(_record(record))


@claim.command("cold-start")
@click.argument("systems", nargs=-1)
@_tracks
@click.option("--plays", type=PLACE, help="CSV of real plays, instead of simulated listeners.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=8, show_default=True,
    help="Simulations of every world.",
)  # fmt: skip
@_cache
@_reported
def cold_start(
    systems: tuple[str, ...], tracks: Path, plays: Path | None, seeds: int, cache: Path
) -> Any:
    """Does content answer for tracks nobody has played, and does a blend lose nothing elsewhere?"""
    from soundalike.evaluation.claims import cold_start as claimed

    names = systems or ("default", "mfcc")
    _require(*names)
    with show.plain_progress("describing") as progress:
        figures = claimed.run(
            tracks,
            names,
            plays=plays,
            seeds=seeds,
            cache=cache / "descriptions",
            progress=progress,
        )
    return claimed, figures


def _require(*names: str) -> None:
    """Refuse a misspelt name before anything is listened to."""
    from soundalike.evaluation.systems import require_system

    for name in names:
        require_system(name)


def _record(path: Path) -> Mapping[str, Any]:
    """A record of evaluations, or a QueryError that says what is wrong with it."""
    try:
        read: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        _ = read["tracks"], read["split"]
        for each in read["evaluations"]:
            _ = each["identity"], each["aggregation"], each["asked"].items(), *each["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QueryError(f"{path} is no record of an evaluation: {error}") from None
    return read


def _usable(tracks: Path, split: str, cache: Path) -> list[Recording]:
    from soundalike.evaluation.tasks.recordings import read_recordings, usable

    return usable(read_recordings(tracks, split), warn=_warn, cache=cache)


def _system(name: str, training: Sequence[Sound], cache: Path) -> System:
    from soundalike.evaluation.systems import find_system

    with show.plain_progress(f"{name}: scale") as progress:
        return find_system(name, training=training, cache=cache / "descriptions", progress=progress)


def _identities(systems: Mapping[str, System]) -> dict[str, str]:
    """Which weights were asked: names may come to mean others."""
    return {name: system.identity for name, system in systems.items()}


def _describe(system: System, cache: Path) -> Callable[[Sequence[Sound]], list[np.ndarray]]:
    from soundalike.evaluation.descriptions import Descriptions

    def describe(sounds: Sequence[Sound]) -> list[np.ndarray]:
        with show.plain_progress(system.name) as progress:
            return Descriptions(system, cache / "descriptions", progress).of(sounds)

    return describe


def _similarity(system: System, cache: Path) -> Callable[[Sequence[Sound]], np.ndarray]:
    describe = _describe(system, cache)

    def similarity(sounds: Sequence[Sound]) -> np.ndarray:
        described = describe(sounds)
        return system.similarity(described, described)

    return similarity


def _evenly(recordings: list[Recording], count: int) -> list[Recording]:
    """So many of them, from all over the list."""
    step = max(1, len(recordings) / count)
    return [recordings[int(i * step)] for i in range(min(count, len(recordings)))]


def _fraction_and_folder(text: str) -> tuple[float, str]:
    number, _, folder = text.partition("=")
    try:
        fraction = float(number)
    except ValueError:
        fraction = 0.0
    if not (0 < fraction <= 1 and folder):
        raise click.BadParameter(
            f"{text!r} is not FRACTION=FOLDER, such as 0.1=runs/scratch/model",
            param_hint="--scratch",
        )
    return fraction, folder


def _warn(error: AudioError) -> None:
    click.echo(f"left out {show.show_path(error.path)}: {error.reason}", err=True)
