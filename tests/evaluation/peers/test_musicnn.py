"""The script for musicnn: its windows and means, with stand-ins for TensorFlow and the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from soundalike.evaluation import peers
from soundalike.evaluation.peers import musicnn
from soundalike.evaluation.systems import Peer
from soundalike.evaluation.systems import peers as known_peers

FOLDER = Path(peers.__file__).parent
NAMES = ("musicnn", "musicnn-penultimate")


def test_windows_lie_side_by_side() -> None:
    frames = np.arange(2 * 187 + 50)[:, None] * np.ones(96)
    windows = musicnn.cut(frames)
    assert windows.shape == (2, 187, 96)
    np.testing.assert_array_equal(windows.reshape(-1, 96), frames[: 2 * 187])
    assert musicnn.cut(frames[:187]).shape == (1, 187, 96)


def test_a_short_sound_is_repeated() -> None:
    (window,) = musicnn.cut(np.arange(100)[:, None] * np.ones(96))
    np.testing.assert_array_equal(window[:, 0], [*range(100), *range(87)])


def test_a_track_is_the_mean_of_its_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def load(*layers: str) -> object:
        asked.append(layers)
        return lambda windows: np.stack([windows.mean((1, 2)), windows.max((1, 2))], axis=1)

    rng = np.random.default_rng(0)
    frames = {name: rng.random((187 * 70 + 9, 96)) for name in ("000000", "000001")}
    for name in frames:
        (tmp_path / f"{name}.wav").touch()
    monkeypatch.setattr(musicnn, "load", load)
    monkeypatch.setattr(musicnn, "spectrogram", lambda path: frames[path.stem])
    monkeypatch.setattr(sys, "path", [*sys.path])
    musicnn.main(str(tmp_path), str(tmp_path / "out.npz"))
    assert asked == [("mean_pool", "max_pool", "penultimate")]
    assert "done 2/2" in capsys.readouterr().out
    with np.load(tmp_path / "out.npz") as answers:
        for name, heard in frames.items():
            windows = heard[: 187 * 70].reshape(70, -1)  # more than are answered at once
            expected = [[windows.mean(), windows.max(axis=1).mean()]]
            np.testing.assert_allclose(answers[name], expected, rtol=1e-6)


# What the script asks of its three packages, as far as it does; they write down what they got.
LIBROSA = """
import types
import numpy as np

def load(path, sr):
    assert sr == 16_000
    return np.full(sr, int(path.stem) + 1.0), sr

def melspectrogram(y, sr, hop_length, n_fft, n_mels):
    assert (sr, hop_length, n_fft, n_mels) == (16_000, 256, 512, 96)
    return np.full((96, 400), y[0])

feature = types.SimpleNamespace(melspectrogram=melspectrogram)
"""
TENSORFLOW = """
import contextlib, types
import numpy as np

class Session:
    def __init__(self, config):
        assert config == {"intra_op_parallelism_threads": 1, "inter_op_parallelism_threads": 1}

    def run(self, layers, fed):
        windows, training = fed.values()
        assert training is False
        assert windows.shape[1:] == (187, 96) and windows.dtype == np.float32
        return [np.full((len(windows), width), windows[0, 0, 0] + width) for width in layers]

class Saver:
    def restore(self, session, prefix):
        assert prefix.endswith("musicnn/MSD_musicnn/"), prefix

float32, bool = "float32", "bool"
name_scope = contextlib.nullcontext
v1 = types.SimpleNamespace(
    disable_eager_execution=lambda: None,
    placeholder=lambda kind, shape=None: kind,
    Session=Session,
    ConfigProto=dict,
    train=types.SimpleNamespace(Saver=Saver),
)
compat = types.SimpleNamespace(v1=v1)
"""
MODELS = """
def define_model(x, training, model, classes):
    assert (model, classes) == ("MSD_musicnn", 50)
    return "logits", "timbral", 3, 2, 1  # mean_pool, max_pool, penultimate: so many numbers
"""
CONFIGURATION = "SR, FFT_HOP, FFT_SIZE, N_MELS, MSD_LABELS = 16_000, 256, 512, 96, [''] * 50"


def test_as_a_program_it_finds_its_package_and_not_itself(tmp_path: Path) -> None:
    package = tmp_path / "site/musicnn"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models.py").write_text(MODELS)
    (package / "configuration.py").write_text(CONFIGURATION)
    (package.parent / "librosa.py").write_text(LIBROSA)
    (package.parent / "tensorflow.py").write_text(TENSORFLOW)
    for number in range(3):
        (tmp_path / f"{number:06}.wav").touch()
    script, out = FOLDER / "musicnn.py", tmp_path / "out.npz"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(out)],
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    widths = [3, 3, 3, 2, 2, 1]
    with np.load(out) as answers:
        for number in range(3):
            level = np.log10(10_000 * (number + 1) + 1)
            expected = level + np.array([widths])
            np.testing.assert_allclose(answers[f"{number:06}"], expected, rtol=1e-5)


def test_both_peers_compare_their_columns_of_one_description() -> None:
    pools, penultimate = (Peer(name, known_peers()[name]) for name in NAMES)
    assert pools.description_identity == penultimate.description_identity
    assert pools.script == penultimate.script
    described = np.arange(1706, dtype=np.float32)[None]
    assert (pools.numbers(described), penultimate.numbers(described)) == (1506, 200)


def test_all_peers_are_known_by_name_and_say_how_to_install() -> None:
    assert set(known_peers()) == {"bliss", "musicnn", "musicnn-penultimate"}
    for script in known_peers().values():
        lines = script.read_text("utf-8").splitlines()
        assert [line for line in lines if line.startswith("Install: ")], script
        assert not [line for line in lines if "import" in line and "soundalike" in line], script
