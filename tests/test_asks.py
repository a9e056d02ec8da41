"""docs/asks.md: 25 rows, and every test it names is one that runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/asks.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+ \|", line)
]


def test_every_ask_has_a_row() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 26))
    assert all(len(row) == 5 and all(row[:4]) for row in ROWS)


def test_every_answer_is_shown_or_says_that_there_is_none() -> None:
    for row in ROWS:
        assert re.search(r"`tests/[^`]+`", row[4]) or row[3].startswith("Not yet"), row[0]


def test_the_tests_that_are_named_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) >= 20
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not name or name in tests, f"{file} has no {name}"


def test_the_options_that_are_named_exist() -> None:
    from soundalike.cli.main import soundalike as program

    known = {
        option
        for command in program.commands.values()
        for parameter in command.params
        for option in parameter.opts
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert named <= known
