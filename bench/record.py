"""What the benchmarks share: the music, the machine, and how figures are kept.

A record is {"script", "provenance", "settings", "figures"}; `report.py` turns those of
bench/results/ into bench/results.md. Music is the validation split of $SOUNDALIKE_DATA/music
(default ../shared), or any folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from soundalike.audio.endings import AUDIO_EXTENSIONS
from soundalike.evaluation.report import provenance

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SOUNDALIKE_DATA", ROOT.parent / "shared"))


def music(folder: Path | None, count: int) -> list[Path]:
    """`count` recordings spread evenly over a folder, or over the validation split."""
    if folder:
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_EXTENSIONS)
    else:
        table = DATA / "music/tracks.csv"
        if not table.is_file():
            raise SystemExit(f"{table} is missing; set SOUNDALIKE_DATA or name --music FOLDER")
        with table.open(newline="", encoding="utf-8") as rows:
            paths = [
                table.parent / row["path"]
                for row in csv.DictReader(rows)
                if row["split"] == "validation"
            ]
    count = min(count, len(paths))
    return [paths[i * len(paths) // count].resolve() for i in range(count)]


def linked(paths: Sequence[Path], folder: Path) -> Path:
    """A folder of links to the recordings, for programs that take a folder."""
    folder.mkdir()
    for number, path in enumerate(paths):
        (folder / f"{number:04d}{path.suffix}").symlink_to(path)
    return folder


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Options every benchmark has."""
    made = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    made.add_argument("--json", type=Path, help="write the record to this file")
    return made


def finish(
    script: str, markdown: str, figures: dict[str, Any], options: argparse.Namespace
) -> None:
    """Print the table, and keep the record if asked."""
    print(markdown)
    if options.json:
        settings = {k: str(v) for k, v in vars(options).items() if k != "json" and v is not None}
        record = {
            "script": f"bench/{Path(script).name}",
            "provenance": provenance(),
            "settings": settings,
            "figures": figures,
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Median, and from smallest to largest."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"
