"""Two processes with half a batch each are one process with the whole batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import joint_batch
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_run import small_recipe

from soundalike.errors import RecipeError
from soundalike.training.distributed import process_group
from soundalike.training.run import assemble


@pytest.fixture
def features(tmp_path: Path, music: Path) -> Path:
    """A teacher's features of all tunes but one, which leaves the two processes unequally many."""
    folder = tmp_path / "features"
    rng = np.random.default_rng(0)
    for wav in sorted(music.parent.rglob("*.wav"))[:-1]:
        file = folder / f"{wav.relative_to(music.parent).as_posix()}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        if wav.name != "tune-02.wav":
            np.save(file, rng.normal(size=(7, 6)).astype(np.float16))
    layout = {"window_s": 1.0, "hop_s": 0.5, "columns": {"all": [0, 6]}}
    (folder / "layout.json").write_text(json.dumps(layout))
    return folder


def test_two_processes_have_the_gradients_of_one(
    tmp_path: Path, music: Path, features: Path
) -> None:
    script = Path(joint_batch.__file__)
    arguments = [str(music), str(features), str(tmp_path / "two")]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(script), *arguments]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    joint_batch.main(music, features, tmp_path / "one")
    for name in ("contrast", "artist", "banked"):
        one, two = (
            load_file(tmp_path / folder / f"{name}.safetensors") for folder in ("one", "two")
        )
        assert one.keys() == two.keys()
        largest = max(float(gradient.abs().max()) for gradient in one.values())
        assert largest > 1e-3
        for each, gradient in one.items():
            torch.testing.assert_close(
                two[each], gradient, atol=1e-5 * largest, rtol=1e-4, msg=f"{name}: {each}"
            )


def test_a_batch_that_cannot_be_shared_evenly_is_refused(
    tmp_path: Path, music: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(RecipeError, match=r"optimizer\.batch=4 cannot be shared evenly by 3"):
        assemble(small_recipe(music, cache), tmp_path, print)


def test_a_process_alone_is_the_first_and_joins_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group() as first:
        assert first
        assert not torch.distributed.is_initialized()
