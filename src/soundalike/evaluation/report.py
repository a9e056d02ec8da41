"""Evaluations -> text for people, JSON for the record, Markdown for docs/results.md."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soundalike.evaluation.metrics import Interval
from soundalike.evaluation.suite import Evaluation

COLUMNS = (
    ("same_track", "top-1"),
    ("same_track", "MRR"),
    ("same_album", "mAP"),
    ("same_album", "P@5"),
)


def as_text(evaluations: Sequence[Evaluation]) -> str:
    """A table for a terminal: mean and 95 % interval of every score."""
    heads = [f"{task} {score}" for task, score in COLUMNS]
    lines = [f"{'':24}" + "".join(f"{head:>24}" for head in heads)]
    for evaluation in evaluations:
        found = {(r.task, name): s for r in evaluation.results for name, s in r.scores.items()}
        cells = "".join(f"{_text(found[column]):>24}" for column in COLUMNS)
        lines.append(f"{evaluation.system[-24:]:24}{cells}")
    lines.append(f"{evaluations[0].tracks} tracks; 95 % bootstrap interval over queries")
    return "\n".join(lines)


def as_json(evaluations: Sequence[Evaluation], *, tracks: str, split: str) -> str:
    """The whole record, with what is needed to say where it came from; null where there is no value."""
    record = {
        "tracks": tracks,
        "split": split,
        "provenance": provenance(),
        "evaluations": [_with_null(asdict(evaluation)) for evaluation in evaluations],
    }
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def as_markdown(record: dict[str, Any]) -> str:
    """One record as a Markdown table."""
    heads = [f"{task.replace('_', ' ')} {score}" for task, score in COLUMNS]
    lines = [
        "| system | numbers per track | " + " | ".join(heads) + " |",
        "|---|---|" + "---|" * len(heads),
    ]
    for evaluation in record["evaluations"]:
        found = {
            (result["task"], name): Interval(
                **{key: math.nan if value is None else value for key, value in score.items()}
            )
            for result in evaluation["results"]
            for name, score in result["scores"].items()
        }
        cells = " | ".join(_text(found[column]) for column in COLUMNS)
        name = evaluation["identity"]
        lines.append(f"| {name} | {evaluation['numbers']} | {cells} |")
    return "\n".join(lines)


def provenance() -> dict[str, str]:
    """Of what, where and when a measurement was made."""
    return {
        "commit": _commit() or "unknown",
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
    }


def _commit() -> str:
    """Of the repository the package runs from; "" where it was installed from a wheel."""
    command = ["git", "describe", "--always", "--dirty"]
    folder = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _with_null(value: Any) -> Any:
    """JSON knows no NaN: None in its place."""
    if isinstance(value, dict):
        return {key: _with_null(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_null(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _text(score: Interval) -> str:
    if math.isnan(score.mean):
        return "-"
    return f"{score.mean:.3f} ({score.low:.3f}-{score.high:.3f})"
