"""docs/python.md: its examples run, in order, and its promises name what there is."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import soundalike
from fake_model import write_tone
from soundalike.cli.main import soundalike as program
from test_docs import CODE, blocks, spans, text_of

PAGE = "docs/python.md"
TONES = {"low": 220.0, "lower": 215.0, "high": 3520.0}


def test_the_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (name, frequency) in enumerate(TONES.items()):
        tags = {"title": name, "artist": "Sine"}
        write_tone(tmp_path / "music" / f"{name}.flac", frequency, 6.0 + 5 * number, tags=tags)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in blocks(PAGE, "python"):
        for command in re.findall(r"# soundalike (vectors .*)$", code, re.MULTILINE):
            arguments = [*command.split(), "--library", "my-library"]
            program.main(arguments, standalone_mode=False)
        exec(compile(code, PAGE, "exec"), names)
    printed = capsys.readouterr().out
    assert "3 []" in printed
    assert "Sine - lower" in printed
    assert names["titles"] == [track["title"] for track in names["tracks"]]
    assert names["vectors"].shape == (3, names["library"].vectors()[1].shape[1])


def test_every_public_name_is_promised() -> None:
    promised = set(re.findall(r"\w+", " ".join(spans(PAGE))))
    assert set(soundalike.__all__) - {"__version__"} <= promised


def test_what_is_promised_is_there() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", text_of(PAGE), re.MULTILINE)
    assert len(rows) >= 6
    for name, about in rows:
        value = getattr(soundalike, name)
        if not inspect.isclass(value) or issubclass(value, Exception):
            continue
        known = set(dir(value)) | (
            {f.name for f in fields(value)} if is_dataclass(value) else set()
        )
        if name in ("Embedder", "Library"):
            known |= set(re.findall(r"self\.(\w+)", inspect.getsource(value)))
        listed = about.partition("(each")[0]
        assert set(CODE.findall(listed)) <= known, name
