"""House rules that a machine can check: sizes, docstrings, nothing left lying about."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 400, 60, 7

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> dict[str, Path]:
    files = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path for path in files}


PACKAGE = sources("src")
PAGE = {
    path.relative_to(ROOT).as_posix(): path
    for path in sorted((ROOT / "src/soundalike/web").rglob("*"))
    if path.suffix in (".html", ".css", ".js")
}
SCRIPTS = sources("bench", "recipes")
EVERYTHING = PACKAGE | SCRIPTS | sources("tests")


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


@pytest.mark.parametrize("name", PACKAGE | SCRIPTS | PAGE)
def test_a_file_is_read_at_one_sitting(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("name", [name for name in PAGE if not name.endswith("html")])
def test_a_file_of_the_page_explains_itself(name: str) -> None:
    assert PAGE[name].read_text("utf-8").startswith("/* ")


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_function_fits_on_a_screen(name: str) -> None:
    for function in functions(EVERYTHING[name]):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < LONGEST_FUNCTION, function.name


@pytest.mark.parametrize("name", PACKAGE)
def test_a_function_is_told_few_things(name: str) -> None:
    """Commands aside: there each option is a parameter."""
    for function in functions(PACKAGE[name]):
        given = function.args
        count = len([*given.posonlyargs, *given.args, *given.kwonlyargs])
        own = bool(given.args) and given.args[0].arg in ("self", "cls")
        if "click" not in "".join(map(ast.dump, function.decorator_list)):
            assert count - own <= MOST_PARAMETERS, function.name


@pytest.mark.parametrize("name", PACKAGE)
def test_what_is_public_explains_itself(name: str) -> None:
    tree = ast.parse(PACKAGE[name].read_text("utf-8"))
    assert ast.get_docstring(tree), "a file begins with what it is about"
    missing = [
        node.name
        for node in _public(tree)
        if not ast.get_docstring(node) and "overload" not in map(ast.unparse, node.decorator_list)
    ]
    assert missing == []


@pytest.mark.parametrize("name", EVERYTHING)
def test_nothing_is_left_undone(name: str) -> None:
    marks = "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"))
    left = re.findall(rf"\b(?:{marks})\b.*", EVERYTHING[name].read_text("utf-8"))
    assert left == []


def test_what_is_not_code_is_packaged_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    package = ROOT / "src/soundalike"
    patterns = project["tool"]["setuptools"]["package-data"]["soundalike"]
    packaged = {path for pattern in patterns for path in package.glob(pattern)}
    others = (path for path in package.rglob("*") if path.is_file() and path.suffix != ".py")
    left_out = {path for path in others if path.suffix != ".pyc" and "/." not in str(path)}
    assert left_out <= packaged


def test_helpers_live_beside_their_only_user() -> None:
    drawers = ("utils", "util", "helpers", "misc", "common")
    assert [name for name in EVERYTHING if Path(name).stem in drawers] == []


def test_tests_mirror_the_package() -> None:
    """A test of a module lies where the module lies."""
    for name, path in sources("tests").items():
        if path.stem.startswith("test_") and path.parent.name != "tests":
            room = ROOT / "src/soundalike" / path.parent.relative_to(ROOT / "tests")
            stem = path.stem.removeprefix("test_")
            assert any((room / f"{stem}{ending}").is_file() for ending in (".py", ".js")), name


def _public(tree: ast.AST) -> Iterator[Function | ast.ClassDef]:
    """Public functions and classes, and the public methods of those."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)
