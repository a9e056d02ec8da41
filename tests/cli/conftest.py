"""Fixtures for the commands: a small library of tones, and the shell they are typed into."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from shell import FREQUENCIES, Ran, Run

from fake_model import tone, write_fake_model, write_sound, write_tone
from soundalike.cli.main import main
from soundalike.library.library import Library


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `soundalike` with arguments; what a bare command would touch lies in `tmp_path`."""
    monkeypatch.delenv("SOUNDALIKE_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    # Not click's CliRunner alone: it stops short of `main`, where errors become exit codes.
    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["soundalike", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        assert isinstance(code, int | None), f"exit with {code!r}"
        return Ran(code or 0, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("models") / "fake")


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("models") / "other", name="other", dimension=6)


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five tones; "low" and "lower", "high" and "higher" are alike."""
    folder = tmp_path_factory.mktemp("sounds") / "music"
    for number, (name, frequency) in enumerate(FREQUENCIES.items()):
        tags = {"title": name.title(), "artist": "Sine", "album": "Tones"}
        write_tone(folder / f"{name}.flac", frequency, 4.0 + number, tags=tags)
    return folder


@pytest.fixture(scope="session")
def outsider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is in no library."""
    return write_tone(tmp_path_factory.mktemp("elsewhere") / "outsider.wav", 225.0, 6.0)


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, model: Path, music: Path) -> Path:
    """The library of `music`, for reading only."""
    library = Library(tmp_path_factory.mktemp("libraries") / "library", model=model)
    assert library.index([music], jobs=1).added == len(FREQUENCIES)
    return library.path


@pytest.fixture
def library(tmp_path: Path, indexed: Path) -> Path:
    """A copy of the library that may be changed."""
    return Path(shutil.copytree(indexed, tmp_path / "library"))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder in which nothing can be used: no audio, an empty file, half a second of sound."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "letter.mp3").write_text("Dear Sir or Madam,\n" * 100)
    (folder / "empty.flac").touch()
    write_tone(folder / "short.wav", 440.0, 0.5)
    return folder


@pytest.fixture(scope="session")
def joined_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake model as two senses: it takes low notes for the sound and high ones for the tune."""
    folder = tmp_path_factory.mktemp("models") / "two"
    return write_fake_model(folder, name="two", senses={"sound": 3, "composition": 1})


@pytest.fixture(scope="session")
def chords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song, a cover of it with another sound, and a sibling of the same sound."""
    folder = tmp_path_factory.mktemp("chords")
    for name, (low, high) in {
        "song": (110, 1400),
        "cover": (300, 1400),
        "sibling": (110, 5000),
        "other": (300, 5000),
    }.items():
        chord = tone(low, 5.0, level=0.4) + tone(high, 5.0, level=0.4)
        write_sound(folder / f"{name}.flac", chord[None], sample_rate=16_000)
    return folder


@pytest.fixture(scope="session")
def two_senses(tmp_path_factory: pytest.TempPathFactory, joined_model: Path, chords: Path) -> Path:
    library = Library(tmp_path_factory.mktemp("libraries") / "two", model=joined_model)
    assert library.index([chords], jobs=1).added == 4
    return library.path
