"""Claim: "Every part of the recipe earns its place."

In: a record of evaluations (record.py), and what was trained: the recipe as it is, and the recipe with one
thing changed at a time (recipes/ablation.py). Out: what each scored, and what it scored less or more than
the recipe, query by query.

A change helps where it is better in some task and worse in none, and does harm where it is worse in some
and better in none. A part of the recipe earns its place where every change to it does harm. What the recipe
lacks, and a change adds, is told apart: it would be worth adding where it helps.

Intervals are over queries. They say nothing of what another seed of the training would have brought; the
recipe trained with another seed, if it is among the arms, says what is to be expected of no change at all,
and the recipe never trained whether so much training shows.
And of many intervals one in twenty leaves 0 out by chance: a single task is a reason to look again.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundalike.errors import QueryError
from soundalike.evaluation.claims.intervals import (
    BETTER,
    UNDECIDED,
    WORSE,
    decided,
    in_figures,
    sign,
)
from soundalike.evaluation.claims.runs import difference, encoders_of, equally_long, score, trained
from soundalike.evaluation.metrics import Interval
from soundalike.evaluation.pictures import forest

TASKS = ("same_track", "same_album", "degraded", "arrangement")
COLUMNS = ["part", "change", "adds", "run"]
HELPS, HARMS, MIXED = "helps", "does harm", "mixed"
SECONDS_PER_MINUTE = 60


@dataclass(frozen=True)
class Arm:
    """One of the trainings compared.

    Attributes:
        part: of the recipe, "" for the recipe as it is.
        change: what was done to it.
        adds: whether the change adds to the recipe what it lacks.
        run: folder as `soundalike train --out` leaves it.
    """

    part: str
    change: str
    adds: bool
    run: Path


def read_arms(path: Path) -> list[Arm]:
    """Read a CSV of arms; `adds` is "yes" or "no", `run` relative to the file. The recipe comes first.

    Raises:
        QueryError: the file is no such list.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            arms = [
                Arm(row["part"], row["change"], row["adds"] == "yes", path.parent / row["run"])
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        raise QueryError(f"{path} is no CSV with the columns {', '.join(COLUMNS)}") from None
    if not arms or arms[0].part:
        raise QueryError(f"{path}: the first row has to be the recipe as it is, its part empty")
    return arms


def measure(record: Mapping[str, Any], arms: Sequence[Arm]) -> dict[str, Any]:
    """Hold every change against the recipe.

    Args:
        record: as `soundalike evaluate --out` writes it.
        arms: the recipe as it is, then its changes.

    Returns:
        The figures: of each arm what its training took, and by task the score and its difference to
        that of the recipe, means with intervals.

    Raises:
        QueryError: the record does not hold an encoder, or they were not asked the same.
        ModelError: a folder is not that of a run, or does not tell what its training took.
    """
    base, *_ = encoders = encoders_of(record, [arm.run for arm in arms])
    tasks = [task for task in TASKS if task in base["tasks"]]
    return {
        "claim": "ablation",
        "tracks": record["tracks"],
        "split": record["split"],
        "metrics": {task: base["tasks"][task]["metric"] for task in tasks},
        "arms": [
            {
                "part": arm.part,
                "change": arm.change,
                "adds": arm.adds,
                "training_s": encoder["training_s"],
                "steps": encoder["steps"],
                "equal": equally_long(base, encoder) or not trained(encoder),
                "scores": {task: _numbers(score(encoder, task)) for task in tasks},
                "gaps": {task: _numbers(difference(encoder, base, task)) for task in tasks},
            }
            for arm, encoder in zip(arms, encoders, strict=True)
        ],
    }


def as_markdown(figures: Mapping[str, Any]) -> str:
    """A row for every change, and the verdict."""
    metrics = figures["metrics"]
    heads = ["part", "changed to", "steps", "minutes"]
    heads += [f"{task.replace('_', ' ')} {metric}" for task, metric in metrics.items()]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for arm in figures["arms"]:
        cells = [arm["part"] or "none", arm["change"], f"{arm['steps']:,}"]
        cells.append(f"{arm['training_s'] / SECONDS_PER_MINUTE:.1f}")
        cells += [_cell(arm, task) for task in metrics]
        lines.append("| " + " | ".join(cells) + " |")
    about = (
        "Of the first row the score with its interval; of the others the score, and in brackets the "
        "interval of its difference to the first row over the same queries, in bold where that leaves "
        "0 out. Minutes of one processor, of learning alone."
    )
    return f"{about}\n\n" + "\n".join(lines) + f"\n\n{verdict(figures)}\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say of each part, in words."""
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for arm in figures["arms"][1:]:
        parts.setdefault(arm["part"], []).append(arm)
    lines = [
        f"- **{part}**: {_concluded(arms)}. {'; '.join(_told(arm) for arm in arms)}."
        for part, arms in parts.items()
    ]
    return "**Verdict.**\n\n" + ("\n".join(lines) or "Nothing was changed.")


def effect(arm: Mapping[str, Any]) -> str:
    """What a change does: `HELPS`, `HARMS`, `MIXED` or `UNDECIDED`."""
    signs = {sign(Interval(*gap)) for gap in arm["gaps"].values()}
    if {BETTER, WORSE} <= signs:
        return MIXED
    return HELPS if BETTER in signs else HARMS if WORSE in signs else UNDECIDED


def _concluded(arms: Sequence[Mapping[str, Any]]) -> str:
    effects = {effect(arm) for arm in arms}
    if not all(arm["equal"] for arm in arms):
        return "nothing follows from unequal training"
    if all(arm["adds"] for arm in arms):
        return "worth adding" if effects == {HELPS} else "not shown to be worth adding"
    if effects == {HARMS}:
        return "earns its place"
    return "better changed" if effects == {HELPS} else "not shown to earn its place"


def _told(arm: Mapping[str, Any]) -> str:
    signs = {task: sign(Interval(*gap)) for task, gap in arm["gaps"].items()}
    unequal = "" if arm["equal"] else " (NOT at equal training)"
    return f"{arm['change']}{unequal}: {decided(signs) or UNDECIDED}"


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw all scores, a panel per task, the recipe in colour.

    Raises:
        ModelError: matplotlib is not installed.
    """
    panels = {
        f"{task.replace('_', ' ')} {metric}": {
            _label(arm): Interval(*arm["scores"][task]) for arm in figures["arms"]
        }
        for task, metric in figures["metrics"].items()
    }
    forest(panels, path, limits=None)


def _label(arm: Mapping[str, Any]) -> str:
    return f"{arm['part']}: {arm['change']}" if arm["part"] else arm["change"]


def _cell(arm: Mapping[str, Any], task: str) -> str:
    found, gap = Interval(*arm["scores"][task]), Interval(*arm["gaps"][task])
    if not arm["part"]:
        return in_figures(found)
    cell = f"{found.mean:.3f} ({gap.low:+.3f} to {gap.high:+.3f})"
    return cell if sign(gap) == UNDECIDED else f"**{cell}**"


def _numbers(interval: Interval) -> list[float]:
    return [interval.mean, interval.low, interval.high]
