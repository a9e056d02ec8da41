"""musicnn done again, and a student fitted to it; by a stand-in: its weights are not ours to keep here."""

from __future__ import annotations

import importlib
import json
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from soundalike.audio.melspectrogram import LogMelSettings, mel_filters
from soundalike.model.checkpoint import from_pretrained
from soundalike.model.timbre_cnn import TimbreCNN, TimbreCNNSettings
from soundalike.model.waveform_encoder import ModelSettings, WaveformEncoder
from soundalike.training.recipe import DataSettings, Recipe, TeacherSettings
from soundalike.training.sources import WaveformCache, as_float, read_sources
from soundalike.training.teacher import TeacherTargets

RATE, LEVEL = 16_000, -20.0
CHANNELS = {"conv2d": 5, "conv2d_1": 4, "conv2d_2": 2, "conv2d_3": 2, "conv2d_4": 3}
SHAPES = {
    "conv2d": (7, 38),
    "conv2d_1": (7, 67),
    "conv2d_2": (128, 1),
    "conv2d_3": (64, 1),
    "conv2d_4": (32, 1),
}
C, MIDDLE = sum(CHANNELS.values()), 64
DIRECTIONS = 12


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "recipes" / "teachers"))
    yield importlib.import_module("musicnn_student")
    for name in ("musicnn_student", "musicnn_features"):
        sys.modules.pop(name)


def weights() -> dict[str, np.ndarray]:
    """A network of musicnn's build, smaller; every other filter is turned round, and two say nothing."""
    rng = np.random.default_rng(1)
    made: dict[str, np.ndarray] = {"mel_filters": mel_filters(LogMelSettings())}

    def normalisation(i: int, channels: int, *, turned: bool = False) -> None:
        name = f"batch_normalization{f'_{i}' if i else ''}"
        made[f"{name}/gamma"] = np.where(np.arange(channels) % 2 * turned, -1.0, 1.0)
        made[f"{name}/beta"] = np.zeros(channels)
        made[f"{name}/moving_mean"] = np.zeros(channels)
        made[f"{name}/moving_variance"] = np.ones(channels)

    normalisation(0, 1)
    for i, (name, channels) in enumerate(CHANNELS.items()):
        frames, bands = SHAPES[name]
        kernel = rng.normal(size=(frames, bands, 1, channels))
        kernel += rng.normal(size=(1, bands, 1, channels))
        made[f"{name}/kernel"] = kernel / (frames * bands**0.5)
        made[f"{name}/bias"] = np.full(channels, 2.0)
        normalisation(i + 1, channels, turned=True)
    made["conv2d/bias"][2] = -1e6
    made["conv2d_1/kernel"][..., 1] *= 1e-9
    for i, before in ((5, C), (6, MIDDLE), (7, MIDDLE)):
        made[f"conv2d_{i}/kernel"] = rng.normal(size=(7, before, 1, MIDDLE)) / (7 * before) ** 0.5
        made[f"conv2d_{i}/bias"] = np.full(MIDDLE, 0.1)
        normalisation(i + 1, MIDDLE)
    normalisation(9, 2 * (C + 3 * MIDDLE))
    made["dense/kernel"] = np.zeros((2 * (C + 3 * MIDDLE), 4))
    made["dense/bias"] = np.zeros(4)
    normalisation(10, 4)
    return {name: value.astype(np.float32) for name, value in made.items()}


def song(seed: int, seconds: float = 30.0) -> np.ndarray:
    """Notes that fade, over a little noise that comes and goes."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    made = rng.normal(size=len(time)) * 0.02 * (1 + np.sin(time * rng.uniform(0.5, 3)))
    for start in np.arange(0, seconds - 1, rng.uniform(0.2, 0.6)):
        frequency = 110 * 2 ** (rng.integers(0, 48) / 12)
        note = time[: int(rng.uniform(0.2, 1) * RATE)]
        tone = sum(np.sin(2 * np.pi * frequency * k * note) / k for k in range(1, 6))
        first = int(start * RATE)
        made[first : first + len(note)] += 0.1 * tone * np.exp(-note * rng.uniform(1, 6))
    return made.astype(np.float32) / 2


@pytest.fixture
def recipe(script: Any, tmp_path: Path) -> Recipe:
    """Four songs and what the stand-in hears in them."""
    features = importlib.import_module("musicnn_features")
    teacher, rows = features.Teacher(weights()), ["path,split"]
    heard = tmp_path / "heard"
    heard.mkdir()
    for seed in range(4):
        with wave.open(str(tmp_path / f"{seed}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(np.round(song(seed) * 32767).astype("<i2").tobytes())
        rows.append(f"{seed}.wav,train")
    (tmp_path / "tracks.csv").write_text("\n".join(rows) + "\n")
    data = DataSettings(music=str(tmp_path / "tracks.csv"), cache=str(tmp_path / "cache"))
    cache = WaveformCache(data.cache, RATE)
    for source in cache.fill(read_sources(data.music, "train"))[0]:
        waveform = as_float(cache.waveform(source.recordings[0]))
        frames = features.log_mel(features.levelled(waveform, LEVEL), weights()["mel_filters"])
        found = teacher.features(features.cut_windows(frames))
        features.write(heard / f"{source.key}.npy", features.halved(found))
    width = C + 3 * MIDDLE
    columns = {"mean_pool": [0, width], "max_pool": [width, 2 * width]}
    layout = {"window_s": 3.0, "hop_s": 3.0, "level": LEVEL, "columns": columns}
    (heard / "layout.json").write_text(json.dumps(layout))
    shape = TimbreCNNSettings(heights=(38, 67), tall=4, long=4, steps=(2, 2), dimension=DIRECTIONS)
    return Recipe(
        model=ModelSettings(name="student", kind="timbre_cnn", timbre_cnn=shape),
        data=data,
        teacher=TeacherSettings(features=str(heard), directions=DIRECTIONS),
    )


def test_filters_that_say_nothing_need_not_be_asked(script: Any) -> None:
    """Against the network as Pons and Serra draw it: rectified, normalised, and then the maximum."""
    known = weights()
    frames = torch.from_numpy(script.log_mel(song(5, 6.5), known["mel_filters"])).numpy()
    windows = importlib.import_module("musicnn_features").cut_windows(frames)
    found = script.Teacher(known).features(windows)
    x, front = torch.from_numpy(windows)[:, None], []
    for i, (name, (length, _)) in enumerate(SHAPES.items()):
        kernel, bias = (torch.from_numpy(known[f"{name}/{part}"]) for part in ("kernel", "bias"))
        answers = F.conv2d(
            F.pad(x, (0, 0, (length - 1) // 2, length // 2)), kernel.permute(3, 2, 0, 1), bias
        )
        gamma = torch.from_numpy(known[f"batch_normalization_{i + 1}/gamma"])[:, None, None]
        front.append((answers.relu() * gamma / (1 + 1e-3) ** 0.5).amax(dim=3))
    wanted = torch.cat(front, dim=1)
    assert found.shape == (2, 2 * (C + 3 * MIDDLE) + 4)
    np.testing.assert_allclose(found[:, :C], wanted.mean(dim=2), rtol=1e-3, atol=1e-3)
    most = found[:, C + 3 * MIDDLE :][:, :C]
    np.testing.assert_allclose(most, wanted.amax(dim=2), rtol=1e-3, atol=1e-3)
    assert np.ptp(found[:, 6]) == 0 < np.ptp(found[:, 5])  # the one whose kernel is nothing


def test_every_filter_answers_as_the_teachers_and_h_is_what_training_will_ask_for(
    script: Any, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "EVERY", 1)
    model = script.fitted(recipe, weights(), LEVEL)
    assert "filters that answer to music: 4 3 2 2 3" in capsys.readouterr().out
    network = model.encoder
    assert isinstance(network, TimbreCNN)

    # Music that nothing was fitted on.
    teacher = script.Teacher(weights())
    speak = [torch.arange(n) for n in CHANNELS.values()]
    clip = script.hear(teacher, model, speak, song(9), LEVEL)
    n = clip.bands.shape[1]
    with torch.no_grad():
        bent = network.bend(clip.ours)[:, ::4][:, :n]
        assert _alike(bent.flatten(), clip.bands.flatten()) > 0.97
        for number, heard in enumerate(network.layers(clip.ours[None])[:3]):
            ours = network.in_time[number](heard)[0][:, ::4][:, 16 : n - 16]
            wanted = clip.in_time[number][:, 16 : n - 16]
            alike = [_alike(a, b) for a, b in zip(ours, wanted, strict=True)]
            assert np.median(alike) > 0.55, number

    sources = read_sources(recipe.data.music, "train")
    targets = TeacherTargets(recipe.teacher, sources, RATE)
    cache, cosines = WaveformCache(recipe.data.cache, RATE), {"fitted": [], "as made": []}
    torch.manual_seed(0)
    networks = {"fitted": model, "as made": WaveformEncoder(recipe.model).eval()}
    for source, number, waveform in script.clips_of(cache, sources):
        target = torch.from_numpy(targets.heard[source.key][10 * number :][:10].mean(axis=0))
        for name, network in networks.items():
            with torch.no_grad():
                h = network(torch.from_numpy(waveform)[None])[0]
            cosines[name].append(float(F.cosine_similarity(h, target, dim=0)))
    assert np.mean(cosines["fitted"]) > 0.9
    assert abs(np.mean(cosines["as made"])) < 0.5


def _alike(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])


def test_the_script_writes_a_model_that_a_recipe_can_begin_with(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "weights.npz", **weights())
    asked: list[Recipe] = []

    def fitted(recipe: Recipe, _: dict[str, np.ndarray], level: float) -> WaveformEncoder:
        asked.append(recipe)
        assert level == LEVEL
        return WaveformEncoder(recipe.model)

    monkeypatch.setattr(script, "fitted", fitted)
    given = Path(__file__).parents[1] / "recipes" / "timbre.toml"
    command = ["musicnn_student.py", str(tmp_path / "weights.npz"), str(given)]
    monkeypatch.setattr(sys, "argv", [*command, str(tmp_path / "out")])
    assert script.main() == 0
    assert asked[0].initial == ""
    assert from_pretrained(tmp_path / "out").settings == asked[0].model
    other = given.with_name("ast-30s.toml")
    monkeypatch.setattr(sys, "argv", [*command[:2], str(other), str(tmp_path / "no")])
    with pytest.raises(SystemExit):
        script.main()
    assert not (tmp_path / "no").exists()
