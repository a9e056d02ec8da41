"""demo."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import FREQUENCIES, Run

from fake_model import write_tone
from soundalike.library.library import Library


def test_demo_asks_about_the_arrangements_it_made(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With tones in place of the tunes, which take half a minute to render."""
    tunes = {"Deep": ["low.flac", "lower.flac"], "Shrill": ["high.flac", "higher.flac"]}

    def write(folder: Path, *, progress: object) -> None:
        for name, frequency in FREQUENCIES.items():
            write_tone(folder / f"{name}.flac", frequency, 4.0)

    monkeypatch.setattr("soundalike.demo.render.write_demo", write)
    monkeypatch.setattr("soundalike.demo.render.demo_groups", lambda: tunes)
    ran = run("demo", "--model", model)
    assert ran.code == 0
    assert "What sounds like low?" in ran.out
    assert "for 4 of 4 tracks (guessing would find 1)" in ran.out
    assert (tmp_path / "soundalike-demo").is_dir()
    assert len(Library(tmp_path / "soundalike-demo-library")) == 5


def test_demo_cannot_write_into_a_file(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run("demo", "--folder", "file", "--model", model)
    assert ran.code == 1
    assert "soundalike: file: " in ran.err
