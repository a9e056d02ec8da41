"""Whole runs: from a recipe and files on disk to a model, whatever happens on the way."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from small_run import RATE, small_model, small_recipe, tune, write_tunes, write_wav

from small_model import small_timbre
from soundalike.audio.augmentations import Chain
from soundalike.errors import AudioError, RecipeError
from soundalike.evaluation.retrieval import judge
from soundalike.evaluation.tasks.recordings import Halves, read_recordings
from soundalike.evaluation.tasks.same_track import same_track
from soundalike.library.aggregation import similarity_matrix
from soundalike.model.checkpoint import save_pretrained
from soundalike.model.sample_cnn import SampleCNNSettings
from soundalike.model.waveform_encoder import (
    ModelSettings,
    Readout,
    ReadoutSettings,
    SegmentSettings,
    WaveformEncoder,
)
from soundalike.training.pairs import NOT_CONTRASTED
from soundalike.training.readout import (
    final_readout,
    fit_readout,
    readout_segments,
    steady_readout,
)
from soundalike.training.recipe import Recipe, SteadinessSettings, read_recipe
from soundalike.training.run import _start_from, assemble, train
from soundalike.training.sources import Source, WaveformCache, read_sources
from soundalike.training.state import read_history
from soundalike.training.trainer import Progress, Scores

TINY = Path(__file__).parents[2] / "recipes/tiny.toml"


def no_validation(_: WaveformEncoder) -> Scores:
    return {"MRR": 0.0}


def weights(model: WaveformEncoder) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


# Killing


def kill_while_training(command: list[str], *, after: str) -> None:
    """Start a training run, and kill -9 it as soon as it tells of the step `after`."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    process = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    told = []
    try:
        for line in process.stderr:
            told.append(line)
            if line.startswith(f"step {after}"):
                break
        else:
            pytest.fail("".join(told))
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the workers too
        process.stderr.close()
        assert process.wait() == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_run_that_was_killed_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    music = write_tunes(tmp_path / "music", train=6, validation=2, seconds=10.4)
    changes = {
        "data.music": f"'{music}'",
        "data.cache": f"'{tmp_path / 'cache'}'",
        "data.workers": "1",
        "optimizer.batch": "4",
        "optimizer.steps": "200",
        "validation.every": "20",
    }
    overrides = [f"{key}={value}" for key, value in changes.items()]
    command = [sys.executable, "-m", "soundalike", "train", str(TINY)]
    command += ["--out", str(tmp_path / "killed")]
    kill_while_training(
        [*command, *(word for override in overrides for word in ("--set", override))],
        after="30/200",  # ten steps after a save, ten before the next
    )
    with safe_open(tmp_path / "killed/state.safetensors", framework="pt") as file:
        saved = json.loads(file.metadata()["notes"])["step"]
    assert 20 <= saved < 180

    recipe = read_recipe(TINY, overrides)
    first: list[int] = []
    for name in ("killed", "whole"):
        told: list[int] = []
        train(
            recipe,
            tmp_path / name,
            validate=no_validation,
            report=lambda progress, told=told: told.append(progress.step),  # type: ignore[misc]
            until=saved + 7,
        )
        first.append(told[0])
    assert first == [saved + 1, 1]
    killed, whole = (load_file(tmp_path / f"{n}/state.safetensors") for n in ("killed", "whole"))
    assert killed.keys() == whole.keys()
    for name, tensor in whole.items():
        assert torch.equal(killed[name], tensor), name
    losses = [
        [entry["contrast"] for entry in read_history(tmp_path / name / "history.jsonl")]
        for name in ("killed", "whole")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == saved + 7


# Learning


def test_the_tiny_recipe_learns_to_find_filtered_music_again(tmp_path: Path) -> None:
    music = write_tunes(tmp_path / "music", train=36, validation=48, seconds=10.4)
    recipe = read_recipe(TINY, [f"data.music='{music}'", f"data.cache='{tmp_path / 'cache'}'"])
    halves = Halves.load(read_recordings(music, "validation"), sample_rate=RATE, warn=fail)
    filters = Chain.from_settings(
        {"high_low_pass": {"probability": 1.0}}, sample_rate=RATE, length=5 * RATE
    )
    seconds = torch.from_numpy(np.stack(halves.second).astype(np.float32) / 32767)
    seconds = filters(seconds, torch.Generator().manual_seed(0))

    def validate(model: WaveformEncoder) -> Scores:
        first, _ = halves.describe(model.describe)
        second = [model.describe(half) for half in seconds.numpy()]
        (found,) = judge(same_track(halves.recordings), similarity_matrix(second, first, "mean"))
        return {"MRR": found.intervals["MRR"].mean}

    run = {"validate": validate, "warn": fail}
    before = validate(train(recipe, tmp_path / "run", until=0, **run))["MRR"]  # type: ignore[arg-type]
    after = validate(train(recipe, tmp_path / "run", **run))["MRR"]  # type: ignore[arg-type]
    chance = float(np.mean(1 / np.arange(1, 49)))
    assert before > 2 * chance  # even a random encoder tells timbres apart
    assert after > before + 0.05
    history = read_history(tmp_path / "run/history.jsonl")
    assert after == max(entry["MRR"] for entry in history if "MRR" in entry)
    losses = [entry["contrast"] for entry in history]
    assert np.mean(losses[-20:]) < np.mean(losses[:20]) - 0.3


def fail(error: AudioError) -> None:
    raise error


def test_the_artist_baseline_learns_who_made_what(music: Path, cache: Path, tmp_path: Path) -> None:
    recipe = small_recipe(music, cache, objective="artist", optimizer={"steps": 40})
    trainer, _ = assemble(recipe, tmp_path, fail)
    trainer.run()
    losses = [entry["artist"] for entry in trainer.history]
    assert losses[0] == pytest.approx(np.log(3), rel=0.2)  # three albums stand for three artists
    assert np.mean(losses[-5:]) < 0.7 * np.log(3)


def test_one_artist_is_nothing_to_tell_apart(tmp_path: Path, cache: Path) -> None:
    music = write_tunes(tmp_path / "music", train=2, validation=1, seconds=1.5)
    recipe = small_recipe(music, cache, objective="artist", optimizer={"batch": 2})
    with pytest.raises(RecipeError, match="needs 2 artists or more, there are 1"):
        assemble(recipe, tmp_path, fail)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"views": 3}},
        {"augmentations": {"gain": {"probability": 0.5}}},
        {
            "data": {"clip": 2.0, "same_clip": True},
            "augmentations": {"random_resized_crop": {"probability": 1.0}},
        },
    ],
    ids=["banked", "augmented", "one clip"],
)
def test_the_same_recipe_gives_the_same_model_and_another_seed_another(
    tmp_path: Path, music: Path, cache: Path, changes: dict[str, dict[str, object]]
) -> None:
    def trained(name: str, seed: int) -> dict[str, torch.Tensor]:
        recipe = small_recipe(music, cache, seed=seed, **changes)
        return weights(train(recipe, tmp_path / name, validate=no_validation, until=3))

    one, again, other = trained("one", 1), trained("again", 1), trained("other", 2)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["encoder.norm.weight"], other["encoder.norm.weight"])


def test_sample_cnn_trains_by_the_same_loop(tmp_path: Path, music: Path, cache: Path) -> None:
    model = ModelSettings(
        name="small-cnn",
        kind="sample_cnn",
        segments=SegmentSettings(length=0.25, count=3),
        sample_cnn=SampleCNNSettings(sample_rate=RATE, first_width=4, widths=(4, 8, 8, 8, 8)),
    )
    recipe = dataclasses.replace(small_recipe(music, cache), model=model)
    told: list[Progress] = []
    trained = train(recipe, tmp_path, validate=no_validation, report=told.append, until=4)
    assert [progress.step for progress in told] == [1, 2, 3, 4]
    assert trained.describe(tune(1, 3.0)).shape == (3, 8)
    statistics = weights(trained)["encoder.first.norm.running_mean"]
    assert bool((statistics != 0).all())


# Music


def test_recordings_that_cannot_be_used_are_told_of_and_left_out(
    tmp_path: Path, cache: Path
) -> None:
    music = write_tunes(tmp_path / "music", train=6, validation=1, seconds=1.5)
    broken = music.parent / "album-1/tune-02.wav"
    broken.write_bytes(b"RIFF, but no more")
    (music.parent / "album-2/tune-04.wav").unlink()
    told: list[AudioError] = []
    trained = train(
        small_recipe(music, cache),
        tmp_path / "run",
        validate=no_validation,
        warn=told.append,
        until=1,
    )
    assert [error.path.name for error in told] == ["tune-02.wav", "tune-04.wav"]
    assert all(error.reason for error in told)
    assert isinstance(trained, WaveformEncoder)


def test_a_batch_larger_than_the_music_is_refused(tmp_path: Path, music: Path, cache: Path) -> None:
    recipe = small_recipe(music, cache, optimizer={"batch": 7})
    with pytest.raises(RecipeError, match="asks for 7 recordings a step, there are 6"):
        assemble(recipe, tmp_path, fail)


@pytest.fixture
def arrangements(tmp_path: Path) -> Path:
    """An index of three pieces in two versions each, the second one slower."""
    groups = []
    for piece in range(3):
        files = [f"{piece}-{version}.npy" for version in range(2)]
        for version, file in enumerate(files):
            samples = np.repeat(tune(piece, 2.0), version + 1)
            np.save(tmp_path / file, np.round(samples * 32767).astype(np.int16))
        groups.append({"piece": f"piece {piece}", "files": files})
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"groups": groups}))
    return index


@pytest.mark.parametrize("views", [0, 3])
def test_arrangements_are_learnt_from_beside_recordings(
    tmp_path: Path, music: Path, cache: Path, arrangements: Path, views: int
) -> None:
    data = {"arrangements": str(arrangements), "arrangement_share": 0.5, "views": views}
    trainer, _ = assemble(small_recipe(music, cache, data=data), tmp_path / "run", fail)
    batch = trainer.pairs[0]
    assert batch.features.shape == (8, 32, 49)
    assert batch.label.tolist() == [*batch.label[:2].tolist(), -1, -1] * 2
    trainer.run(until=1)
    greedy = small_recipe(music, cache, data=data, optimizer={"batch": 8})
    with pytest.raises(RecipeError, match="asks for 4 arrangements a step, there are 3"):
        assemble(greedy, tmp_path / "run", fail)


@pytest.fixture
def mixtures(tmp_path: Path, music: Path) -> dict[str, dict[str, object]]:
    """Tables of a recipe whose teacher knows all recordings, and five mixtures of them."""
    features, folder = tmp_path / "features", tmp_path / "mixtures"
    (features / "mixtures").mkdir(parents=True)
    folder.mkdir()
    layout = {"window_s": 0.5, "hop_s": 0.5, "columns": {"heard": [0, 3]}}
    (features / "layout.json").write_text(json.dumps(layout))
    rng = np.random.default_rng(0)
    for number in range(5):
        sound = (tune(number, 4.0) + tune(number + 1, 4.0)) / 2
        np.save(folder / f"{number:04}.npy", np.round(sound * 32767).astype(np.int16))
        np.save(features / "mixtures" / f"{number:04}.npy", rng.normal(size=(8, 3)))
    for source in read_sources(music, "train"):
        (features / source.key).parent.mkdir(exist_ok=True)
        np.save(features / f"{source.key}.npy", rng.normal(size=(8, 3)))
    return {
        "data": {"mixtures": (str(folder),), "mixture_share": 0.5},
        "teacher": {"features": str(features), "columns": "heard", "directions": 3, "spans": 2},
    }


@pytest.mark.parametrize("views", [0, 3])
def test_mixtures_are_learnt_from_beside_recordings(
    tmp_path: Path,
    music: Path,
    cache: Path,
    mixtures: dict[str, dict[str, object]],
    views: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = {**mixtures["data"], "views": views}
    recipe = small_recipe(music, cache, data=data, teacher=mixtures["teacher"])
    trainer, segments = assemble(recipe, tmp_path / "run", fail)
    batch = trainer.pairs[1]
    assert (batch.source == NOT_CONTRASTED).tolist() == [False, False, True, True] * 2
    assert bool(batch.target.isfinite().all())
    assert batch.target.shape == (8, 2, 3)
    trainer.run(until=2)
    for rank in (0, 1):
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("RANK", str(rank))
        half, _ = assemble(recipe, tmp_path / f"run-{rank}", fail)
        mine = [rank, rank + 2, rank + 4, rank + 6]
        assert torch.equal(half.pairs[1].source, batch.source[mine])
        assert torch.equal(half.pairs[1].target, batch.target[mine])
    monkeypatch.undo()
    resumed, again = assemble(recipe, tmp_path / "run", fail)
    np.testing.assert_array_equal(segments, again)  # the read-out is fitted on recordings alone
    resumed.run(until=3)
    assert resumed.step == 3
    greedy = small_recipe(
        music, cache, data=data, teacher=mixtures["teacher"], optimizer={"batch": 12}
    )
    with pytest.raises(RecipeError, match="asks for 6 mixtures a step, there are 5"):
        assemble(greedy, tmp_path / "greedy", fail)


def test_a_timbre_network_learns_from_a_teacher_alone_and_from_the_transformers_views(
    tmp_path: Path, music: Path, cache: Path, mixtures: dict[str, dict[str, object]]
) -> None:
    data = {**mixtures["data"], "views": 3}
    teacher = mixtures["teacher"]
    assemble(small_recipe(music, cache, data=data, teacher=teacher), tmp_path / "ast", fail)
    banks = sorted(cache.glob("views-*"))
    recipe = small_recipe(
        music,
        cache,
        data=data,
        teacher=teacher,
        contrast={"weight": 0.0},
        model=small_timbre("small"),
    )
    trainer, _ = assemble(recipe, tmp_path / "run", fail)
    assert sorted(cache.glob("views-*")) == banks
    before = trainer.model.encoder.out.weight.detach().clone()
    trainer.run(until=2)
    assert list(trainer.objectives) == ["teacher"]
    assert not torch.equal(trainer.model.encoder.out.weight, before)


# Where a run begins and ends


def test_a_run_may_start_from_another_models_encoder(
    tmp_path: Path, music: Path, cache: Path
) -> None:
    torch.manual_seed(7)
    other = WaveformEncoder(
        dataclasses.replace(small_model(), name="other", segments=SegmentSettings(1.0, 5))
    )
    save_pretrained(other, tmp_path / "other")
    recipe = small_recipe(music, cache, initial=str(tmp_path / "other"))
    started = train(recipe, tmp_path / "run", validate=no_validation, until=0)
    theirs = weights(other)
    for name, tensor in weights(started).items():
        if name.startswith("encoder."):
            assert torch.equal(tensor, theirs[name]), name
    assert started.settings == recipe.model


def test_a_model_of_another_shape_cannot_be_started_from(
    tmp_path: Path, music: Path, cache: Path
) -> None:
    settings = small_model()
    deeper = dataclasses.replace(settings, ast=dataclasses.replace(settings.ast, depth=3))
    save_pretrained(WaveformEncoder(deeper), tmp_path / "other")
    recipe = small_recipe(music, cache, initial=str(tmp_path / "other"))
    with pytest.raises(RecipeError, match="network of another shape or front end"):
        assemble(recipe, tmp_path / "run", fail)


def test_validation_sees_the_average_with_its_readout_fitted(
    tmp_path: Path, music: Path, cache: Path
) -> None:
    seen: list[torch.Tensor] = []

    def validate(model: WaveformEncoder) -> Scores:
        assert not model.training
        seen.append(model.readout.mean.clone())
        return {"MRR": 0.5}

    recipe = small_recipe(music, cache)
    returned = train(recipe, tmp_path, validate=validate, until=4)
    assert len(seen) == 1
    assert bool((seen[0] != 0).any())
    torch.testing.assert_close(returned.readout.mean, seen[0])


# The read-out


@pytest.fixture
def plain(music: Path, cache: Path) -> Callable[[Recipe], np.ndarray]:
    def segments(recipe: Recipe) -> np.ndarray:
        waveforms = WaveformCache(cache, RATE)
        model = WaveformEncoder(recipe.model)
        return readout_segments(waveforms, read_sources(music, "train"), model)

    return segments


def test_the_readout_is_fitted_on_plain_segments_of_every_track(
    plain: Callable[[Recipe], np.ndarray], music: Path, cache: Path
) -> None:
    segments = plain(small_recipe(music, cache))
    assert segments.shape == (6 * 4, RATE)
    assert segments.dtype == np.int16
    samples = WaveformCache(cache, RATE).waveform(read_sources(music, "train")[1].recordings[0])
    for row, start in zip(segments[4:8], (0.0, 1.0, 2.0, 3.0), strict=True):
        first = round(start * RATE)
        np.testing.assert_array_equal(row, samples[first : first + RATE])


def test_many_segments_are_thinned_evenly(
    plain: Callable[[Recipe], np.ndarray],
    music: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = plain(small_recipe(music, cache))
    monkeypatch.setattr("soundalike.training.readout.READOUT_SEGMENTS", 8)
    np.testing.assert_array_equal(plain(small_recipe(music, cache)), everything)  # 24 numbers
    monkeypatch.setattr(WaveformEncoder, "dimension", 8)
    thinned = plain(small_recipe(music, cache))
    np.testing.assert_array_equal(thinned, everything[[0, 3, 6, 9, 13, 16, 19, 23]])


def test_short_recordings_are_repeated_to_fill_a_segment(tmp_path: Path, cache: Path) -> None:
    write_wav(tmp_path / "short.wav", tune(1, 1.2))
    recipe = small_recipe(tmp_path, cache)
    model = dataclasses.replace(
        recipe.model,
        segments=SegmentSettings(length=2.0, count=1),
        ast=dataclasses.replace(recipe.model.ast, max_frames=99),
    )
    waveforms = WaveformCache(cache, RATE)
    (segment, *_) = readout_segments(
        waveforms, [Source("short", (tmp_path / "short.wav",))], WaveformEncoder(model)
    )
    samples = waveforms.waveform(tmp_path / "short.wav")
    np.testing.assert_array_equal(segment, np.resize(samples, 2 * RATE))


def test_a_fitted_readout_centres_training_music(
    plain: Callable[[Recipe], np.ndarray], music: Path, cache: Path
) -> None:
    torch.manual_seed(0)
    model = WaveformEncoder(small_model()).eval()
    segments = np.concatenate([plain(small_recipe(music, cache)), 9 * np.eye(9, RATE)])
    fit_readout(model, segments.astype(np.int16), 0.5)
    with torch.no_grad():
        waveforms = torch.from_numpy(segments.astype(np.float32) / 32767)
        h = model.encoder(model.front_end(waveforms))
    torch.testing.assert_close(model.readout.mean, h.mean(dim=0), atol=1e-5, rtol=1e-4)
    covariance = ((h - h.mean(dim=0)) @ model.readout.weight.T).T.cov()
    before = h.T.cov()
    spread = [float(c.diagonal().max() / c.diagonal().mean()) for c in (before, covariance)]
    assert spread[1] < spread[0]


def test_a_handful_of_segments_leaves_the_readout_plain(
    plain: Callable[[Recipe], np.ndarray], music: Path, cache: Path
) -> None:
    model = WaveformEncoder(small_model()).eval()
    fit_readout(model, plain(small_recipe(music, cache))[:23], 0.5)  # of 24 dimensions
    assert torch.equal(model.readout.weight, torch.eye(24))
    assert not model.readout.mean.any()


def test_a_steady_readout_tells_a_segment_and_its_noisy_twin_apart_less(
    plain: Callable[[Recipe], np.ndarray], music: Path, cache: Path
) -> None:
    torch.manual_seed(0)
    model = WaveformEncoder(small_model()).eval()
    noise = {"noise": {"probability": 1.0, "min_ratio": 0.5, "max_ratio": 1.0}}
    recipe = small_recipe(
        music, cache, steadiness=SteadinessSettings(strength=1.0, views=4, changes=noise)
    )
    segments = plain(recipe)
    fit_readout(model, segments, 0.5)
    waveforms = torch.from_numpy(segments.astype(np.float32) / 32767)
    noisy = recipe.changes(waveforms, torch.Generator().manual_seed(99))

    def alike() -> float:
        with torch.no_grad():
            return float((model(waveforms) * model(noisy)).sum(dim=1).mean())

    before = alike()
    steady_readout(model, segments, recipe)
    assert alike() > before + 0.05
    again = WaveformEncoder(small_model()).eval()
    again.load_state_dict({**model.state_dict()})
    fit_readout(again, segments, 0.5)
    steady_readout(again, segments, recipe)
    torch.testing.assert_close(again.readout.weight, model.readout.weight)  # nothing is by chance


def test_a_steady_readout_is_centred_and_whitened_on_segments_and_changed_ones(
    plain: Callable[[Recipe], np.ndarray], music: Path, cache: Path
) -> None:
    torch.manual_seed(0)
    model = WaveformEncoder(small_model()).eval()
    recipe = small_recipe(music, cache, steadiness=SteadinessSettings(strength=0.5, views=1))
    segments = plain(recipe)
    final_readout(model, segments, recipe)
    waveforms = torch.from_numpy(segments.astype(np.float32) / 32767)
    changed = recipe.changes(waveforms, torch.Generator().manual_seed(recipe.seed))
    with torch.no_grad():
        before, after = model.represent(waveforms), model.represent(changed)
    by_hand = Readout(24)
    by_hand.fit(torch.cat([before, after]), strength=recipe.validation.readout)
    by_hand.steady(before, after, strength=0.5)
    torch.testing.assert_close(model.readout.mean, by_hand.mean)
    torch.testing.assert_close(model.readout.weight, by_hand.weight, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("strength", "count"), [(0.0, 24), (0.5, 11)])
def test_without_steadiness_or_enough_views_the_readout_is_fitted_on_plain_segments(
    plain: Callable[[Recipe], np.ndarray], music: Path, cache: Path, strength: float, count: int
) -> None:
    torch.manual_seed(0)
    model = WaveformEncoder(small_model()).eval()  # of 24 dimensions, and two views a segment
    recipe = small_recipe(music, cache, steadiness=SteadinessSettings(strength=strength))
    segments = plain(recipe)[:count]
    expected = copy.deepcopy(model)
    final_readout(model, segments, recipe)
    fit_readout(expected, segments, recipe.validation.readout)
    assert torch.equal(model.readout.weight, expected.readout.weight)
    assert torch.equal(model.readout.weight, torch.eye(24)) == (count < 24)


def test_a_network_of_another_depth_is_no_beginning(tmp_path: Path) -> None:
    """Told as such, also where its blocks could not be read as the recipe says."""
    deep = dataclasses.replace(small_model(), readout=ReadoutSettings((1, 2)))
    shallow = dataclasses.replace(small_model(), ast=dataclasses.replace(deep.ast, depth=1))
    save_pretrained(WaveformEncoder(shallow).eval(), tmp_path / "shallow")
    with pytest.raises(RecipeError, match="of another shape"):
        _start_from(WaveformEncoder(deep), str(tmp_path / "shallow"))
