"""The rooms of the house: imports go down only, and listening needs no PyTorch."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import soundalike
from fake_model import write_fake_model, write_tone

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/soundalike"

# Every room and what it may look into besides itself. Training and evaluation do not know each
# other, and the demo knows nothing but the errors.
BELOW = {
    "errors": set(),
    "audio": {"errors"},
    "model": {"audio", "errors"},
    "embedder": {"model", "audio", "errors"},
    "library": {"embedder", "model", "audio", "errors"},
    "scores": {"audio", "errors"},
    "training": {"scores", "library", "embedder", "model", "audio", "errors"},
    "evaluation": {"scores", "library", "embedder", "model", "audio", "errors"},
    "demo": {"errors"},
    "server": {"library", "embedder", "model", "audio", "errors"},
    "cli": {
        *("server", "training", "evaluation", "demo", "library"),
        *("embedder", "model", "audio", "errors"),
    },
}
TORCH = {
    *("audio.augmentations", "audio.constant_q", "audio.filters", "audio.melspectrogram"),
    *("audio.pitch_shift", "audio.reverb", "model", "training"),
}
# Asked for by name and missed with a message that says what to install.
OPTIONAL = {"bliss_audio", "librosa", "mido", "musicnn", "partitura", "tensorflow"}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
HOUSE = {name.removesuffix(".__init__"): tree for name, tree in MODULES.items() if "." in name}
HOUSE |= {name: tree for name, tree in MODULES.items() if not name.startswith("__")}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module imported, also for types only and within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(tree: ast.AST) -> set[str]:
    """Modules of this package that are imported, without its name."""
    names = {name.removeprefix("soundalike.") for name in imports(tree)}
    return names & set(HOUSE)


def may_use_torch(module: str) -> bool:
    return module in TORCH or module.partition(".")[0] in TORCH


@pytest.mark.parametrize("module", HOUSE)
def test_imports_go_down_only(module: str) -> None:
    room = module.partition(".")[0]
    assert room in BELOW, f"{room} is a new room; say what it may import"
    looked_into = {name.partition(".")[0] for name in ours(HOUSE[module])} - {room}
    assert looked_into <= BELOW[room]


def test_no_room_is_above_and_below_another() -> None:
    for room, below in BELOW.items():
        assert not [other for other in below if room in BELOW[other]]


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    below = {module: ours(tree) - {module} for module, tree in _at_import().items()}
    while below:
        free = {module for module, needs in below.items() if not needs & set(below)}
        assert free, f"a circle among {sorted(below)}"
        below = {module: needs for module, needs in below.items() if module not in free}


@pytest.mark.parametrize("module", HOUSE)
def test_names_come_from_the_file_that_defines_them(module: str) -> None:
    public = {f"soundalike.{name}" for name in soundalike.__all__} - {"soundalike.__version__"}
    assert not public & set(imports(HOUSE[module]))


@pytest.mark.parametrize("module", HOUSE)
def test_torch_stays_where_numbers_become_vectors(module: str) -> None:
    if not may_use_torch(module):
        assert "torch" not in {name.partition(".")[0] for name in imports(HOUSE[module])}


@pytest.mark.parametrize("module", HOUSE)
def test_what_is_imported_is_declared(module: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = list(project["dependencies"])
    if module in ("library.layout", "library.picture"):
        declared += project["optional-dependencies"]["map"]
    if may_use_torch(module) or module in ("training.curves", "evaluation.pictures"):
        declared += project["optional-dependencies"]["train"]
    names = {line.split(">")[0].split("=")[0].strip().replace("-", "_") for line in declared}
    used = {name.partition(".")[0] for name in imports(HOUSE[module])}
    known = names | OPTIONAL | set(sys.stdlib_module_names) | {"soundalike"}
    assert used <= known


def _at_import() -> dict[str, ast.AST]:
    """The modules without what is imported later: in functions, and for types only."""
    return {module: ast.Module(list(_top(tree)), []) for module, tree in HOUSE.items()}


def _top(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        types_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if not types_only and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node


# Everything a listener does, in a process that cannot import what a listener does not have.
LISTENING = """
import sys

BLOCKED = {"torch", "openTSNE", "safetensors", "huggingface_hub", "onnx", "matplotlib", "transformers"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())

import importlib
import soundalike
from soundalike.cli.main import main
from soundalike.demo import render

modules, model, music, outsider, folder = sys.argv[1:]
for name in modules.split(","):
    importlib.import_module(f"soundalike.{name}")
for name in soundalike.__all__:
    getattr(soundalike, name)

def run(*arguments):
    sys.argv = ["soundalike", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (arguments, end.code)

library = ["--library", f"{folder}/library"]
run("--help")
for verb in "demo index similar embed vectors map clusters failures info train evaluate export".split():
    run(verb, "--help")
run("index", music, *library, "--model", model, "-q")
run("similar", f"{music}/0.flac", "--json", "--m3u", f"{folder}/mix.m3u8", *library)
run("similar", outsider, "--aggregation", "maxsim", *library)
run("similar", *library)
run("failures", *library)
run("info", *library)
run("doctor", *library)
run("embed", outsider, "--out", f"{folder}/vectors.parquet", "--model", model)
run("vectors", "--out", f"{folder}/library.npz", *library)
run("map", "--layout", "pca", "--out", f"{folder}/map.json", *library)
run("clusters", *library)
run("evaluate", model, "mfcc", "--tracks", f"{music}/tracks.csv")
two = render.demo_tracks()[:2]
render.demo_tracks = lambda: two
run("demo", "--folder", f"{folder}/demo", "--model", model)
assert not BLOCKED & set(sys.modules), BLOCKED & set(sys.modules)
"""


def test_listening_runs_without_torch(tmp_path: Path) -> None:
    model, music = write_fake_model(tmp_path / "fake"), tmp_path / "music"
    rows = ["path,split,soundtrack"]
    for number in range(3):
        write_tone(music / f"{number}.flac", 220.0 * 2**number, 12.0)
        rows.append(f"{number}.flac,validation,tones")
    (music / "tracks.csv").write_text("\n".join(rows))
    outsider = write_tone(tmp_path / "outsider.wav", 230.0, 3.0)
    modules = ",".join(module for module in HOUSE if not may_use_torch(module))
    arguments = [modules, *map(str, (model, music, outsider, tmp_path))]
    command = [sys.executable, "-c", LISTENING, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
