"""The command as a whole."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from shell import Run

from soundalike.cli.main import soundalike


def test_names_that_are_not_utf_8_are_printed(
    run: Run, model: Path, music: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    try:
        (odd / os.fsdecode(b"caf\xe9.flac")).write_bytes((music / "low.flac").read_bytes())
        (odd / os.fsdecode(b"th\xe9.flac")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    ran = run("index", odd, "--library", "lib", "--model", model, "-q")
    assert ran.code == 1
    assert "th\\udce9.flac: " in ran.err or "th\\xe9.flac: " in ran.err
    answer = run("similar", music / "high.flac", "--json", "--library", "lib", "--model", model)
    assert answer.code == 0
    assert len(json.loads(answer.out)) == 1


@pytest.mark.parametrize("name", ["", *soundalike.commands])
def test_every_command_helps(name: str) -> None:
    result = CliRunner().invoke(soundalike, [name, "--help"] if name else ["--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


@pytest.mark.parametrize("arguments", [["play"], ["--loud"]])
def test_unknown_commands_are_wrong_usage(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).code == 2


def test_the_help_lists_every_command_in_a_family() -> None:
    text = CliRunner().invoke(soundalike, ["--help"]).output
    listed = re.findall(r"^  (\w+)  ", text, re.MULTILINE)
    assert sorted(set(listed) & set(soundalike.commands)) == sorted(soundalike.commands)
    assert "Your music:" in text
