"""The tables of quality in README.md: docs/results/*.json -> what stands between two comments.

    <!-- quality of validation -->  ...  <!-- end -->
    <!-- quality of test -->        ...  <!-- end -->

A row per system of `ROWS` that a record holds, a column per score of `COLUMNS`; the best of a column is bold.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from soundalike.evaluation.retrieval import ALL

Record = dict[str, Any]

PLACE = re.compile(r"(<!-- quality of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

COLUMNS = {
    "same track: first answer right": ("same_track", "", "top-1"),
    "same soundtrack: mAP": ("same_album", "", "mAP"),
    "changed: first answer right": ("degraded", ALL, "top-1"),
    "arrangement: MRR": ("arrangement", "all at once", "MRR"),
}
ROWS = {
    "two-senses": "**soundalike** (`two-senses`)",
    "sound": "its sense of sound alone",
    "composition": "its sense of composition alone",
    "ast-30s": "soundalike, contrast alone (`ast-30s`)",
    "musicnn": "musicnn (MSD), its pools",
    "mandel-ellis-mp": "Mandel-Ellis with mutual proximity",
    "mfcc": "MFCC mean and deviation",
    "chroma-bigrams": "chroma bigrams, best of 12 keys",
    "bliss": "bliss-audio",
    "untrained": "the transformer before training",
    "mean-log-mel": "mean log-mel spectrum",
}


def with_tables(text: str, results: Path) -> str:
    """A text with its tables written anew from the records in a folder."""

    def table(place: re.Match[str]) -> str:
        record = json.loads((results / f"{place[2]}.json").read_text("utf-8"))
        return f"{place[1]}\n{quality_table(record)}\n\n{place[3]}"

    return PLACE.sub(table, text)


def quality_table(record: Record) -> str:
    """Systems by their scores, as Markdown."""
    found = {_name(entry): entry for entry in record["evaluations"]}
    rows = {
        label: [_score(found[name], *column) for column in COLUMNS.values()]
        for name, label in ROWS.items()
        if name in found
    }
    best = [
        max(means) for means in zip(*([m for m, _ in row] for row in rows.values()), strict=True)
    ]
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for label, row in rows.items():
        cells = [_cell(mean, told, most) for (mean, told), most in zip(row, best, strict=True)]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _name(entry: Record) -> str:
    """ "mfcc" of "mfcc@0123 fitted on train", "bliss" of "bliss 0.1.11@0123"."""
    name: str = re.split(r"[@ ]", entry["identity"])[0]
    return name


def _score(entry: Record, task: str, kind: str, metric: str) -> tuple[float, str]:
    """Mean, and what is told of it; below all others where the task was not asked."""
    for result in entry["results"]:
        if (result["task"], result["kind"]) == (task, kind):
            score = result["scores"][metric]
            return score["mean"], f"({score['low']:.2f}-{score['high']:.2f})"
    return -1.0, ""


def _cell(mean: float, told: str, best: float) -> str:
    if not told:
        return "not asked"
    figure = f"**{mean:.2f}**" if mean == best else f"{mean:.2f}"
    return f"{figure} {told}"
