"""What makes and judges encoders: train, evaluate, export, models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.places import NEW_FILE, NEW_FOLDER, PLACE
from soundalike.errors import AudioError, ModelError

if TYPE_CHECKING:
    from soundalike.evaluation.tasks import Halves
    from soundalike.model.waveform_encoder import WaveformEncoder

TRACKS = Path("../shared/music/tracks.csv")


def need_torch() -> None:
    """Say what to install where PyTorch is missing.

    Raises:
        ModelError: it is.
    """
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        raise ModelError("this command needs PyTorch: pip install 'soundalike[train]'")


@click.command()
@click.argument("recipe", type=PLACE)
@click.option(
    "--out", type=NEW_FOLDER, required=True, help="Folder of the run; continued if there is one."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override the recipe.")
@click.option(
    "--until", type=click.IntRange(min=0), help="Stop after this step; 0 exports untrained."
)
@click.option(
    "--tracks", type=PLACE, help="CSV with a validation split. Default: the recipe's music."
)
def train(
    recipe: Path, out: Path, overrides: tuple[str, ...], until: int | None, tracks: Path | None
) -> None:
    """Train an encoder by RECIPE (a TOML file) and write its model folder to OUT/model.

    May be stopped at any moment; the same command goes on from the last save, with the same result as
    if it had never stopped. Under torchrun, all processes share one batch.
    """
    need_torch()
    from soundalike.training.curves import draw_curves
    from soundalike.training.distributed import process_group
    from soundalike.training.recipe import read_recipe
    from soundalike.training.run import train as run

    settings = read_recipe(recipe, overrides)
    halves = _validation_halves(tracks or Path(settings.data.music), settings.model.sample_rate)

    def validate(model: WaveformEncoder) -> dict[str, float]:
        return validation_scores(halves, model)

    with (
        process_group() as first,
        show.training_progress(settings.optimizer.steps, first) as report,
    ):
        model = run(settings, out, validate=validate, report=report, warn=_warn, until=until)
    if first:
        from soundalike.model.export import export_folder

        identity = export_folder(model, out / "model")
        draw_curves(out / "history.jsonl", out / "curves.png")
        click.echo(f"{identity} in {show.show_path(out / 'model')}", err=True)


def validation_scores(halves: Halves | None, model: WaveformEncoder) -> dict[str, float]:
    """Retrieval on held-out tracks; the first score chooses the weights."""
    from soundalike.evaluation.tasks import same_album, same_track, similarity_matrix

    if halves is None:
        return {"MRR": 0.0}
    first, second = halves.describe(model.describe)
    similarity = similarity_matrix(second, first, "mean")
    track = same_track(similarity).scores
    album = same_album(similarity, [r.album for r in halves.recordings]).scores
    return {
        "MRR": track["MRR"].mean,
        "top-1": track["top-1"].mean,
        "album mAP": album["mAP"].mean,
    }


def _validation_halves(music: Path, sample_rate: int) -> Halves | None:
    from soundalike.evaluation.tasks import Halves, Recording, read_recordings
    from soundalike.training.sources import read_sources

    if music.is_file():
        recordings = read_recordings(music, "validation")
    else:
        sources = read_sources(music, "validation")
        recordings = [Recording(s.recordings[0], s.album, s.artist) for s in sources]
    return Halves.load(recordings, sample_rate=sample_rate, warn=_warn)


def _warn(error: AudioError) -> None:
    click.echo(f"left out {show.show_path(error.path)}: {error.reason}", err=True)


@click.command()
@click.argument("systems", nargs=-1)
@click.option("--tracks", type=PLACE, default=TRACKS, show_default=True, help="CSV of recordings.")
@click.option("--split", default="validation", show_default=True, help="Rows of the CSV to use.")
@click.option(
    "--aggregation",
    type=click.Choice(["mean", "concat", "maxsim"]),
    default="mean",
    show_default=True,
)
@click.option("--out", type=NEW_FILE, help="JSON file to write the results to.")
def evaluate(
    systems: tuple[str, ...], tracks: Path, split: str, aggregation: str, out: Path | None
) -> None:
    """Measure how good "similar" is.

    SYSTEMS are shipped encoders, model folders, or the baselines mean-log-mel, mfcc and bliss; the
    shipped default if none is named. Tasks: the second half of every track against the first halves
    of all (same_track), and the tracks of an album against all others (same_album). The exit code is
    1 when a track of the list cannot be used; the others are measured.
    """
    from soundalike.evaluation.report import as_json, as_text
    from soundalike.evaluation.suite import evaluate_system

    left_out: set[Path] = set()

    def warn(error: AudioError) -> None:
        if error.path not in left_out:  # every system meets it again
            left_out.add(error.path)
            _warn(error)

    results = []
    for name in systems or ("default",):
        with show.plain_progress(name) as progress:
            results.append(
                evaluate_system(
                    name,
                    tracks,
                    split,
                    aggregation=aggregation,
                    warn=warn,
                    progress=progress,
                )
            )
    click.echo(as_text(results))
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(as_json(results, tracks=tracks.name, split=split), encoding="utf-8")
    if left_out:
        sys.exit(1)


@click.command()
@click.argument("model")
@click.argument("out", type=NEW_FOLDER)
def export(model: str, out: Path) -> None:
    """Write MODEL (a folder or hub id of config.json and model.safetensors) with its ONNX graph to OUT."""
    need_torch()
    from soundalike.model.checkpoint import from_pretrained
    from soundalike.model.export import export_folder

    identity = export_folder(from_pretrained(model), out)
    click.echo(f"{identity} in {show.show_path(out)}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models(as_json: bool) -> None:
    """List the encoders that came with this installation."""
    from soundalike.embedder import Embedder, shipped_models

    names = shipped_models()
    default = Embedder().name if names else ""
    listed: list[dict[str, Any]] = [
        {"name": name, "identity": Embedder(name).identity, "default": name == default}
        for name in names
    ]
    if as_json:
        show.print_json(listed)
        return
    for entry in listed:
        click.echo(f"{entry['identity']}{'  (default)' if entry['default'] else ''}")
    if not listed:
        click.echo("no encoder is installed", err=True)
        sys.exit(1)
