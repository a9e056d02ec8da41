"""The pages say what is: commands parse, files exist, numbers agree."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import soundalike
from soundalike.cli.main import soundalike as program

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/soundalike"
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
}
RECIPES = sorted((ROOT / "recipes").rglob("*.toml"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)]+)\)")


def text_of(page: str) -> str:
    return PAGES[page].read_text("utf-8")


def blocks(page: str, language: str = "") -> list[str]:
    return [body for kind, body in FENCE.findall(text_of(page)) if kind == language]


def spans(page: str) -> list[str]:
    """Code within lines, each on one line."""
    return [" ".join(code.split()) for code in CODE.findall(FENCE.sub("", text_of(page)))]


def shell_lines(page: str) -> Iterator[str]:
    for block in blocks(page) + blocks(page, "sh"):
        yield from re.split(r"\n|&&|\|", block.replace("\\\n", " "))


def arguments_of(line: str) -> list[str] | None:
    """What `soundalike` is called with in a line of shell; None if it is not called."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # the output of a program, not a command
        return None
    if words[:1] == ["torchrun"]:
        words = words[words.index("-m") + 1 :]
    return words[1:] if words[:1] == ["soundalike"] else None


def check_usage(arguments: list[str]) -> None:
    """Let the command parse its arguments, and do nothing. Raises click.UsageError."""
    verb, *rest = arguments
    if verb in ("--version", "--help"):
        return
    assert verb in program.commands, f"there is no `soundalike {verb}`"
    try:
        program.commands[verb].make_context(verb, rest)
    except click.exceptions.Exit:  # --help
        return


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_blocks_are_ones_to_type(page: str) -> None:
    for line in shell_lines(page):
        if (arguments := arguments_of(line)) is not None:
            check_usage(arguments)


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_sentences_exist(page: str) -> None:
    """There, what is not under discussion may be left out."""
    for code in spans(page):
        words = [word for word in arguments_of(code) or [] if word not in ("...", "…")]
        if words and not words[0].isupper():
            try:
                check_usage(words)
            except (click.MissingParameter, click.BadOptionUsage):
                continue


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_commands_of_recipes_are_ones_to_type(recipe: Path) -> None:
    commands = re.findall(r"^# .*?(soundalike .*?)(?:  \(.*)?$", recipe.read_text("utf-8"), re.M)
    assert commands, "the head of a recipe says its command"
    for line in commands:
        arguments = arguments_of(line)
        assert arguments is not None
        check_usage(arguments)


def test_commands_of_the_makefile_are_ones_to_type() -> None:
    text = (ROOT / "Makefile").read_text("utf-8").replace("$(BIN)/", "").replace("\\\n", " ")
    while re.search(r"\$\([^()]*\)", text):
        text = re.sub(r"\$\([^()]*\)", "x", text)
    lines = [line.strip() for line in re.split(r"\n|&&|;", text)]
    called = [arguments for line in lines if (arguments := arguments_of(line)) is not None]
    assert called
    for arguments in called:
        check_usage(arguments)


def test_the_help_shows_commands_to_type() -> None:
    for line in str(program.help).splitlines():
        if (arguments := arguments_of(line.partition("   ")[0])) is not None:
            check_usage(arguments)


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_exist(page: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for line in [*shell_lines(page), *spans(page)]:
        words = line.split()
        if words[:1] == ["make"] and len(words) > 1:
            assert words[1] in targets


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(text_of(page)) if "://" not in link]
    missing = [target for target in targets if not (PAGES[page].parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    tops = {path.name for path in [*ROOT.iterdir(), *PACKAGE.iterdir()]} - {"runs", ".cache"}
    sources = {path.name for folder in ("src", "tests", "bench", "recipes")
               for path in (ROOT / folder).rglob("*.py")}  # fmt: skip
    words = [word for code in spans(page) for word in code.split()]
    for word in [word.rstrip("/") for word in words if re.fullmatch(r"[\w./-]+", word)]:
        if "/" in word and word.partition("/")[0] in tops:
            assert (ROOT / word).exists() or (PACKAGE / word).exists(), word
        elif "/" not in word and word.endswith(".py"):
            assert word in sources or (PACKAGE / word).exists(), word


def test_the_readme_leads_to_every_page() -> None:
    linked = {
        (ROOT / link.partition("#")[0]).resolve() for link in LINK.findall(text_of("README.md"))
    }
    assert {path for path in PAGES.values() if path.name != "README.md"} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_python_in_pages_uses_what_there_is(page: str) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                method = getattr(soundalike.Library, node.func.attr, None)
                names = {str(keyword.arg) for keyword in node.keywords}
                assert method is None or names <= set(inspect.signature(method).parameters)


@pytest.mark.parametrize("page", PAGES)
def test_settings_in_pages_are_ones_a_recipe_takes(page: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from soundalike.training.recipe import read_recipe

    for block in blocks(page, "toml"):
        recipe = tmp_path / "recipe.toml"
        recipe.write_text(block)
        read_recipe(recipe)


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(r"^## \[([\d.]+)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    assert newest
    assert project["version"] == soundalike.__version__ == newest[1]


def test_generated_pages_are_what_their_records_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    report = importlib.import_module("report")
    try:
        for path, text in report.pages().items():
            assert path.read_text("utf-8") == text, f"{path.name}: run python bench/report.py"
        # A second record of a benchmark, less flattering perhaps, is printed like the first.
        records = report.read(ROOT / "bench" / "results")
        page = report.speed_page(records)
        assert all(
            page.count(f"`{r['script']}`. ")
            == sum(other["script"] == r["script"] for other in records)
            for r in records
        )
    finally:
        for name in ("report", "quality", "readme", "record", *report.TITLES):
            sys.modules.pop(name, None)
