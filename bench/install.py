"""Size and time of a fresh `pip install .` in a new virtual environment.

python bench/install.py [--json PATH]

The project is copied to a temporary folder, installed into an empty environment without pip's cache,
and asked for its version and its encoders. The time contains the downloads, so it says as much about
the network as about the package; the sizes are those of the installed files.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from record import ROOT, finish, parser

SHOWN = 8
COPIED = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "src")
# Runs in the new environment; sizes by distribution, of the files each has installed.
SIZES = """
import importlib.metadata, json, pathlib
sizes = {}
for each in importlib.metadata.distributions():
    paths = [pathlib.Path(str(each.locate_file(file))) for file in each.files or ()]
    sizes[each.name] = sum(path.stat().st_size for path in paths if path.is_file())
print(json.dumps(sizes))
"""


def install(work: Path) -> dict[str, Any]:
    """Seconds, bytes per package, and what the new command says."""
    project = work / "project"
    project.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*_cache")
            shutil.copytree(source, project / name, ignore=ignored)
        else:
            shutil.copy(source, project)
    venv.create(work / "venv", with_pip=True)
    programs = work / "venv/bin"
    began = time.perf_counter()
    pip = [programs / "pip", "install", "--no-cache-dir", "--quiet", project]
    subprocess.run(pip, check=True, cwd=work)
    seconds = time.perf_counter() - began

    def said(program: str, *arguments: str) -> str:
        line = [programs / program, *arguments]
        return subprocess.run(line, check=True, cwd=work, capture_output=True, text=True).stdout

    sizes = json.loads(said("python", "-c", SIZES))
    for installer in ("pip", "setuptools"):
        sizes.pop(installer, None)
    return {
        "seconds": seconds,
        "bytes": dict(sorted(sizes.items(), key=lambda pair: -pair[1])),
        "version": said("soundalike", "--version").strip(),
        "models": said("soundalike", "models").split("\n")[:-1],
    }


def as_markdown(figures: dict[str, Any]) -> str:
    """The whole, and the biggest packages."""
    sizes = figures["bytes"]
    whole = sum(sizes.values())
    rest = sum(list(sizes.values())[SHOWN:])
    lines = [
        f"{figures['version']}: {whole / 1e6:.0f} MB in {len(sizes)} packages, installed in "
        f"{figures['seconds']:.0f} s, downloads included. PyTorch is "
        f"{'among them' if 'torch' in sizes else 'not among them'}. Encoders: "
        f"{', '.join(figures['models'])}.",
        "",
        "| package | MB |",
        "|---|---:|",
        *(f"| {name} | {size / 1e6:.1f} |" for name, size in list(sizes.items())[:SHOWN]),
        f"| {len(sizes) - SHOWN} others | {rest / 1e6:.1f} |",
    ]
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = install(Path(name))
    finish(__file__, as_markdown(figures), figures, options)


if __name__ == "__main__":
    main()
