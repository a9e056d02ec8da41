"""The beets plugin in real beets: its command line in this process, on a small library of tones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fake_model import write_fake_model, write_tone

pytest.importorskip("beets")
import beets
import beets.plugins
import beets.ui

Beet = Callable[..., str]
TONES = {"low": 220.0, "lower": 215.0, "middle": 880.0, "high": 3520.0, "higher": 3600.0}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with beets' configuration, and music two artists made."""
    model = write_fake_model(tmp_path / "model")
    for name, frequency in TONES.items():
        artist = "Bass" if frequency < 500 else "Treble"
        tags = {"title": name, "artist": artist, "album": artist, "albumartist": artist}
        write_tone(tmp_path / "music" / artist / f"{name}.flac", frequency, 4.0, tags=tags)
    configure(tmp_path, model)
    monkeypatch.setenv("BEETSDIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def configure(home: Path, model: Path, *, auto: str = "no") -> None:
    (home / "config.yaml").write_text(
        f"""
directory: {home / "music"}
library: {home / "beets.db"}
plugins: soundalike
threaded: no
import: {{autotag: no, copy: no, write: no}}
ui: {{color: no}}
soundalike: {{library: {home / "vectors"}, model: {model}, auto: {auto}}}
"""
    )


@pytest.fixture
def beet(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Beet]:
    """Run `beet` with arguments; gives what it prints. An error of its own is raised."""

    def run(*arguments: str) -> str:
        forget()
        beets.config.read()
        beets.ui._raw_main(list(arguments))
        return capsys.readouterr().out

    def forget() -> None:
        beets.config.clear()
        beets.plugins._instances.clear()
        beets.plugins.BeetsPlugin.listeners.clear()
        beets.plugins.BeetsPlugin._raw_listeners.clear()
        for name in list(sys.modules):
            if name.startswith("beetsplug.soundalike"):
                del sys.modules[name]

    del home
    yield run
    forget()


def test_index_and_similar(beet: Beet, home: Path) -> None:
    beet("import", "-q", str(home / "music"))
    assert "5 new" in beet("soundalike", "index")
    lines = beet("soundalike", "similar", "title::^low$").splitlines()
    assert "lower" in lines[0]
    similarities = [float(line.split()[0]) for line in lines]
    assert similarities == sorted(similarities, reverse=True)
    assert len(lines) == 4  # never the seed itself
    assert "0 new" in beet("soundalike", "index")
