"""What makes encoders: train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli import show
from soundalike.cli.places import NEW_FOLDER, PLACE
from soundalike.errors import AudioError, ModelError

if TYPE_CHECKING:
    from soundalike.evaluation.tasks.recordings import Halves
    from soundalike.model.waveform_encoder import WaveformEncoder


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
    from soundalike.evaluation.retrieval import judge
    from soundalike.evaluation.tasks.same_label import same_album
    from soundalike.evaluation.tasks.same_track import same_track
    from soundalike.library.aggregation import similarity_matrix

    if halves is None:
        return {"MRR": 0.0}
    first, second = halves.describe(model.describe)
    similarity = similarity_matrix(second, first, "mean")
    (track,) = judge(same_track(halves.recordings), similarity)
    (album,) = judge(same_album(halves.recordings), similarity)
    scores = {name: track.intervals[name].mean for name in ("MRR", "top-1")}
    if album.queries:
        scores["album mAP"] = album.intervals["mAP"].mean
    return scores


def _validation_halves(music: Path, sample_rate: int) -> Halves | None:
    from soundalike.evaluation.tasks.recordings import Halves, Recording, read_recordings
    from soundalike.training.sources import read_sources

    if music.is_file():
        recordings = read_recordings(music, "validation")
    else:
        sources = read_sources(music, "validation")
        recordings = [Recording(s.recordings[0], s.album, s.artist) for s in sources]
    return Halves.load(recordings, sample_rate=sample_rate, warn=_warn)


def _warn(error: AudioError) -> None:
    click.echo(f"left out {show.show_path(error.path)}: {error.reason}", err=True)
