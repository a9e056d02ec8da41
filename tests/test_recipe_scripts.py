"""The scripts beside the recipes: runs of equal time, and what is made of trained networks."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from small_model import small_ast
from soundalike.embedder import Embedder
from soundalike.model.export import export_folder
from soundalike.model.pitch_cnn import PitchCNNSettings
from soundalike.model.waveform_encoder import ModelSettings, ReadoutSettings, WaveformEncoder
from soundalike.training.recipe import Recipe, SteadinessSettings, read_recipe
from soundalike.training.sources import Source, read_mixtures, read_sources
from training.small_run import small_recipe, write_tunes

RECIPES = Path(__file__).parents[1] / "recipes"
SCRIPTS = ("ablation", "average", "equal_compute", "equal_time", "refit_readout")


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.syspath_prepend(str(RECIPES))
    yield {name: importlib.import_module(name) for name in SCRIPTS}
    for name in SCRIPTS:
        sys.modules.pop(name)


def recipes_of(runs: Any, steps: int = 40) -> list[Recipe]:
    return [read_recipe(run.path, run.of_length(steps)) for run in runs]


def test_every_arm_differs_from_the_recipe_and_can_be_trained(scripts: dict[str, Any]) -> None:
    arms = scripts["ablation"].arms()
    base, *changed = recipes_of(arms.values())
    assert base.optimizer.warmup == 2
    assert len({run.name for run in arms.values()}) == len(arms)
    for (part, change), recipe in zip(list(arms)[1:], changed, strict=True):
        assert recipe.optimizer.batch == base.optimizer.batch
        assert recipe != base, change
        if part != "size":
            WaveformEncoder(recipe.model)


@pytest.mark.parametrize("part", ["patch", "segment"])
def test_other_patches_and_lengths_leave_as_many_patches(
    scripts: dict[str, Any], part: str
) -> None:
    """A view of 3 s has no more than 54: there all are looked at."""

    def left(recipe: Recipe) -> tuple[int, int]:
        model = WaveformEncoder(recipe.model)
        heard = model.front_end(torch.zeros(1, recipe.model.samples))
        patches = model.encoder.patches(heard[:, None]).flatten(2).shape[-1]
        return round(patches * recipe.contrast.keep), patches

    arms = scripts["ablation"].arms()
    base, *others = recipes_of(run for (of, _), run in arms.items() if of in ("", part))
    for recipe in others:
        assert left(recipe)[0] == min(*left(recipe)[1:], left(base)[0])


def test_runs_of_equal_time(scripts: dict[str, Any], tmp_path: Path, monkeypatch: Any) -> None:
    """Steps follow from what a step takes, tried or known from another run; what is done stays done."""
    equal_time = scripts["equal_time"]
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> None:
        asked.append(command)
        if command[1].endswith("equal_time.py"):
            note = Path(command[2])
            note.parent.mkdir(exist_ok=True, parents=True)
            note.write_text("10.0" if note.stem == "clmr-equal" else "2.0")

    monkeypatch.setattr(equal_time.subprocess, "run", run)
    (tmp_path / "artist-equal" / "model").mkdir(parents=True)
    (tmp_path / "artist-equal" / "model" / "config.json").touch()
    equal_time.train_all(scripts["equal_compute"].RUNS, tmp_path, 100, 1)
    trials = [Path(command[2]).stem for command in asked if command[1].endswith("equal_time.py")]
    assert trials == ["ast-30s-equal", "clmr-equal"]
    trained = {
        Path(command[command.index("--out") + 1]).name: command
        for command in asked
        if "train" in command
    }
    assert {name: "optimizer.steps=20" in command for name, command in trained.items()} == {
        "ast-30s-equal": False,
        "clmr-equal": True,
        "artist-cnn-equal": True,
        "untrained-equal": False,
    }
    assert [name for name, words in trained.items() if "--until" in words] == ["untrained-equal"]
    assert "optimizer.steps=100" in trained["ast-30s-equal"]


@pytest.fixture
def trained(tmp_path: Path) -> list[Path]:
    """Folders of three networks of one shape and of other weights."""
    folders = []
    for seed in range(3):
        torch.manual_seed(seed)
        folders.append(tmp_path / f"model-{seed}")
        export_folder(WaveformEncoder(small_ast(f"small-{seed}")).eval(), folders[-1])
    return folders


def test_the_mean_of_weights(scripts: dict[str, Any], trained: list[Path]) -> None:
    one, two, three = [scripts["refit_readout"].encoder(folder) for folder in trained]
    mean = scripts["average"].averaged(trained, 0.6)
    assert mean.settings.name == "small-2"
    of = [dict(model.encoder.named_parameters()) for model in (one, two, three, mean)]
    for name, value in of[3].items():
        torch.testing.assert_close(
            value, 0.2 * of[0][name] + 0.2 * of[1][name] + 0.6 * of[2][name], msg=name
        )


def test_networks_of_several_kinds_have_no_mean(
    scripts: dict[str, Any], trained: list[Path], tmp_path: Path
) -> None:
    settings = ModelSettings(name="other", kind="pitch_cnn", pitch_cnn=PitchCNNSettings())
    export_folder(WaveformEncoder(settings).eval(), tmp_path / "other")
    with pytest.raises(SystemExit, match="of several kinds"):
        scripts["average"].averaged([tmp_path / "other", trained[0]], 0.5)


def test_a_read_out_is_fitted_and_the_network_left_alone(
    scripts: dict[str, Any], trained: list[Path], tmp_path: Path
) -> None:
    recipe = small_recipe(
        write_tunes(tmp_path / "music"),
        tmp_path / "cache",
        steadiness=SteadinessSettings(strength=0.5),
    )
    before = scripts["refit_readout"].encoder(trained[0])
    fitted = scripts["refit_readout"].fit(before, recipe)
    for name, value in before.encoder.state_dict().items():
        assert torch.equal(value, fitted.encoder.state_dict()[name]), name
    assert not torch.equal(before.readout.weight, fitted.readout.weight)
    again = tmp_path / "fitted"
    assert export_folder(fitted, again) != Embedder(trained[0]).identity


def test_a_read_out_of_other_blocks_may_be_fitted_when_a_network_has_learnt(
    scripts: dict[str, Any], trained: list[Path], tmp_path: Path
) -> None:
    recipe = small_recipe(write_tunes(tmp_path / "music"), tmp_path / "cache")
    both = replace(recipe, model=replace(recipe.model, readout=ReadoutSettings((1, 2))))
    before = scripts["refit_readout"].encoder(trained[0])
    fitted = scripts["refit_readout"].fit(before, both)
    assert (before.dimension, fitted.dimension) == (24, 48)
    export_folder(fitted, tmp_path / "fitted")
    assert Embedder(tmp_path / "fitted").dimension == 48


# Mixtures that a teacher is asked about


@pytest.fixture
def mixtures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(RECIPES / "teachers"))
    yield importlib.import_module("musicnn_mixtures")
    for name in ("musicnn_mixtures", "musicnn_features"):
        sys.modules.pop(name)


def rms(waveform: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(waveform))))


def tone(frequency: float, seconds: float, level: float = 0.1) -> np.ndarray:
    time = np.arange(int(seconds * 16_000)) / 16_000
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def loudest(waveform: np.ndarray) -> float:
    """Its strongest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(spectrum.argmax() * 16_000 / len(waveform))


def test_a_mixture_of_one_recording_is_that_one_at_another_speed(mixtures: Any) -> None:
    heard = [
        loudest(mixtures.mix([tone(1000, 30)], np.random.default_rng(seed), 80_000))
        for seed in range(12)
    ]
    assert all(2 ** (-4 / 12) * 999 < frequency < 2 ** (4 / 12) * 1001 for frequency in heard)
    assert max(heard) > 1100
    assert min(heard) < 900


def test_the_second_recording_of_a_mixture_is_as_loud_or_softer(mixtures: Any) -> None:
    first, second = tone(300, 20, 0.05), tone(3000, 3, 0.4)  # shorter than the mixture: repeated
    for seed in range(6):
        mixture = mixtures.mix([first, second], np.random.default_rng(seed), 80_000)
        assert mixture.shape == (80_000,)
        assert mixture.dtype == np.float32
        spectrum = np.abs(np.fft.rfft(mixture)) ** 2
        middle = len(spectrum) // 8  # 1 kHz, between the two
        level = 10 * np.log10(spectrum[middle:].sum() / spectrum[:middle].sum())
        assert -9.5 < level < 0.5
        assert rms(mixture) == pytest.approx(0.05 / np.sqrt(2), rel=0.5)


def test_silence_has_no_level_to_be_mixed_by_and_nothing_clips(mixtures: Any) -> None:
    silent = np.zeros(160_000, np.float32)
    for parts in ([silent, tone(300, 10)], [tone(300, 10), silent], [silent], [tone(300, 10, 1.4)]):
        mixture = mixtures.mix(parts, np.random.default_rng(0), 80_000)
        assert np.isfinite(mixture).all()
        assert np.abs(mixture).max() <= 1
    for quiet in (silent, tone(200, 10, 2e-5)):
        mixture = mixtures.mix([quiet, tone(300, 10)], np.random.default_rng(0), 80_000)
        assert rms(mixture) > 0.03


def test_half_of_the_parts_are_renderings_where_there_are_any(mixtures: Any) -> None:
    sources = [Source(f"r{i}", (Path(f"r{i}"),)) for i in range(5)]
    pieces = [Source(f"p{i}", (Path(f"p{i}a"), Path(f"p{i}b"))) for i in range(5)]
    drawn = [mixtures.choose(np.random.default_rng(i), sources, pieces) for i in range(2000)]
    assert sum(len(parts) for parts in drawn) / len(drawn) == pytest.approx(5 / 3, abs=0.05)
    names = [part.name for parts in drawn for part in parts]
    assert len(set(names)) == 15
    assert sum(name[0] == "p" for name in names) / len(names) == pytest.approx(0.5, abs=0.03)
    assert all(len({part.name[:2] for part in parts}) == len(parts) for parts in drawn)
    plain = [mixtures.choose(np.random.default_rng(i), sources, []) for i in range(50)]
    assert {part.name[0] for parts in plain for part in parts} == {"r"}


def test_mixtures_and_what_is_heard_in_them_are_made_once(
    mixtures: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """With a stand-in for musicnn, whose weights are not ours to keep here."""

    class Loudness:
        def __init__(self) -> None:
            self.weights = {"mel_filters": torch.ones(96, 257) / 257}

        def features(self, windows: np.ndarray) -> np.ndarray:
            return windows.mean(axis=(1, 2), keepdims=True)[:, 0]

    sources = read_sources(write_tunes(tmp_path / "music"), "train")
    monkeypatch.setattr(mixtures, "_sources", sources, raising=False)
    monkeypatch.setattr(mixtures, "_renderings", [], raising=False)
    monkeypatch.setattr(mixtures, "_teacher", Loudness(), raising=False)
    job = mixtures.Job(
        number=3,
        seed=1,
        seconds=12.0,
        level=None,
        cache=tmp_path / "cache",
        waveform=tmp_path / "mixtures" / "0003.npy",
        features=tmp_path / "features" / "mixtures" / "0003.npy",
    )
    assert mixtures.make(job) is None
    (mixture,) = read_mixtures(tmp_path / "mixtures")
    made = np.load(mixture.recordings[0])
    assert made.shape == (192_000,)
    assert made.dtype == np.int16
    assert np.load(job.features).shape == (4, 1)
    again = replace(job, waveform=tmp_path / "again.npy")
    assert mixtures.make(again) is None
    np.testing.assert_array_equal(np.load(again.waveform), made)
    monkeypatch.setattr(mixtures, "_sources", [])
    assert "mixture 3: ValueError" in mixtures.make(job)
