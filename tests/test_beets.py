"""The beets plugin in real beets: its command line in this process, on a small library of tones."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fake_model import write_fake_model, write_tone
from soundalike import Library

pytest.importorskip("beets")
import beets
import beets.plugins
import beets.ui
from beets.exceptions import UserError
from setuptools import find_namespace_packages

Beet = Callable[..., str]
TONES = {"low": 220.0, "lower": 215.0, "middle": 880.0, "high": 3520.0, "higher": 3600.0}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with beets' configuration, and music two artists made."""
    model = write_fake_model(tmp_path / "model")
    # Of different lengths: else two that sound all but alike would be one recording.
    for number, (name, frequency) in enumerate(TONES.items()):
        artist = "Bass" if frequency < 500 else "Treble"
        tags = {"title": name, "artist": artist, "album": artist, "albumartist": artist}
        write_tone(
            tmp_path / "music" / artist / f"{name}.flac", frequency, 4.0 + 3 * number, tags=tags
        )
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


@pytest.fixture
def imported(beet: Beet, home: Path) -> Beet:
    beet("import", "-q", str(home / "music"))
    beet("soundalike", "index")
    return beet


def test_answers_take_the_form_beets_is_told(imported: Beet, home: Path) -> None:
    form = "$title by $artist: $similarity"
    (line,) = imported("soundalike", "similar", "title:higher", "-n", "1", "-f", form).splitlines()
    assert line.startswith("high by Treble: 0.")
    (path,) = imported("soundalike", "similar", "title:higher", "-n", "1", "-p").splitlines()
    assert path == str(home / "music/Treble/high.flac")
    assert "similarity" not in imported("ls", "-f", "$similarity", "title:high").replace(
        "$similarity", ""
    )  # shown, never stored


def test_several_items_are_several_seeds(imported: Beet) -> None:
    lines = imported("soundalike", "similar", "artist:Treble").splitlines()
    assert sorted(line.split(" - ")[-1] for line in lines) == ["low", "lower"]


def test_answers_as_a_playlist(imported: Beet, home: Path) -> None:
    out = home / "mix.m3u8"
    assert "2 tracks in" in imported(
        *("soundalike", "similar", "title::^low$", "-n", "2", "--m3u", str(out))
    )
    lines = out.read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXTINF:7,Bass - lower" in lines
    assert "music/Bass/lower.flac" in lines


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_what_a_playlist_cannot_hold_is_told(beet: Beet, home: Path) -> None:
    (home / "music/Bass/lower.flac").rename(home / "music/Bass/low\ner.flac")
    beet("import", "-q", str(home / "music"))
    beet("soundalike", "index")
    out = home / "mix.m3u8"
    with pytest.raises(UserError, match=r"left out .*low\\ner.flac.*line break"):
        beet("soundalike", "similar", "title::^low$", "-n", "2", "--m3u", str(out))
    assert len([line for line in out.read_text("utf-8").splitlines() if line[0] != "#"]) == 1


def test_a_query_names_what_is_indexed(beet: Beet, home: Path) -> None:
    beet("import", "-q", str(home / "music"))
    assert "2 new" in beet("soundalike", "index", "artist:Bass")
    assert [track.path.stem for track in Library(home / "vectors").tracks()] == ["low", "lower"]
    assert "3 new" in beet("soundalike", "index")


def test_answers_beets_does_not_know_are_passed_over(imported: Beet) -> None:
    imported("remove", "-f", "title:lower")
    lines = imported("soundalike", "similar", "title::^low$", "-n", "2").splitlines()
    assert len(lines) == 2
    assert not any("lower" in line for line in lines)


def test_what_is_imported_is_listened_to_if_told_so(beet: Beet, home: Path) -> None:
    configure(home, home / "model", auto="yes")
    assert "5 new" in beet("import", "-q", str(home / "music"))
    write_tone(home / "music/Solo/alone.flac", 440.0, 4.0, tags={"title": "alone", "artist": "S"})
    assert "1 new" in beet("import", "-q", "-s", str(home / "music/Solo"))
    assert len(Library(home / "vectors")) == 6


def test_not_told_so_nothing_is_listened_to(beet: Beet, home: Path) -> None:
    beet("import", "-q", str(home / "music"))
    assert not (home / "vectors").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "no verb ''"),
        (("simlar", "low"), "no verb 'simlar'; there are: beet soundalike index"),
        (("similar",), "similar needs a query"),
        (("similar", "title:nobody"), "no item of beets matches 'title:nobody'"),
        (("index", "title:nobody"), "no item of beets matches"),
        (("similar", "title::^low$", "-n", "0"), "n must be"),
    ],
)
def test_what_it_cannot_do(imported: Beet, arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UserError, match="soundalike: ") as caught:
        imported("soundalike", *arguments)
    assert reason in str(caught.value)


def test_before_indexing_it_says_what_to_do(beet: Beet, home: Path) -> None:
    beet("import", "-q", str(home / "music"))
    with pytest.raises(UserError, match=r"there is no library in .*soundalike index FOLDER"):
        beet("soundalike", "similar", "title:low")


def test_pip_brings_it() -> None:
    """It lies where setuptools looks, in a namespace others add to as well."""
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    assert project["tool"]["setuptools"]["packages"]["find"] == {"where": ["src"]}
    assert "beetsplug" in find_namespace_packages(str(root / "src"))
    assert not (root / "src/beetsplug/__init__.py").exists()
