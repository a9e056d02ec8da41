"""`soundalike`'s own names: what is promised is there, once, and costs nothing until it is used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import soundalike


@pytest.mark.parametrize("name", soundalike.__all__)
def test_every_public_name_resolves(name: str) -> None:
    value = getattr(soundalike, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__name__ == name
        assert value.__module__ == f"soundalike.{soundalike._HOMES[name]}"


def test_what_is_public_is_what_is_visible() -> None:
    assert dir(soundalike) == soundalike.__all__ == sorted(set(soundalike.__all__))


def test_other_names_are_missing() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Libary'"):
        _ = soundalike.Libary


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(soundalike.__file__).read_text("utf-8"))
    (types,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {}
    for node in types.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.asname == alias.name, "a re-export names itself twice"
            seen[alias.name] = str(node.module).removeprefix("soundalike.")
    assert seen == soundalike._HOMES


def test_every_error_has_the_one_root() -> None:
    for name in soundalike.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(soundalike, name), soundalike.SoundalikeError)


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'av', 'onnxruntime', 'lancedb', 'pyarrow', 'torch', 'click'}"
    code = f"import sys, soundalike; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
