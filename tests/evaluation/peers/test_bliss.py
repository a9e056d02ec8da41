"""The script for bliss-audio: run as the frame runs it, with a stand-in for the library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from soundalike.evaluation import peers

STAND_IN = """
class Song:
    def __init__(self, path):
        self.analysis = [float(path[-5]) + number / 100 for number in range(23)]
"""


def test_every_sound_gets_its_row(tmp_path: Path) -> None:
    (tmp_path / "bliss_audio.py").write_text(STAND_IN)
    sounds, out = tmp_path / "sounds", tmp_path / "out.npz"
    sounds.mkdir()
    for number in (2, 0, 1):
        (sounds / f"{number:06}.wav").touch()
    (sounds / "notes.txt").touch()
    script = Path(peers.__file__).with_name("bliss.py")
    done = subprocess.run(
        [sys.executable, str(script), str(sounds), str(out)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["done 1/3", "done 2/3", "done 3/3"]
    with np.load(out) as answers:
        assert sorted(answers) == ["000000", "000001", "000002"]
        for number in range(3):
            row = answers[f"{number:06}"]
            assert row.dtype == np.float32
            np.testing.assert_allclose(row, number + np.arange(23)[None] / 100, rtol=1e-6)
