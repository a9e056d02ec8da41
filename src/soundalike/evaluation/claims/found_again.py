"""Claim: "Identical tracks are found excellently, arrangements often."

In: a record of evaluations (record.py) that holds `degraded` and `arrangement`. Nothing is measured here.
Out: how often the first answer is right for the system in question, by kind of change, beside the best
of the others.

What the two words mean is set here: "excellently" is a first answer that is right nine
times in ten or more, "often" one that is right more often than not. A kind meets its word where its
whole interval lies there, misses it where its whole interval lies below, and is undecided otherwise.
All kinds of a task together are judged like one.

An identical track is the same recording after what happens to music on its way. Where pitch or tempo
was changed it is strictly no longer identical; these kinds are judged like the others and told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import QueryError
from soundalike.evaluation.claims.intervals import in_figures
from soundalike.evaluation.metrics import Interval, bootstrap
from soundalike.evaluation.pictures import forest
from soundalike.evaluation.retrieval import ALL

WORDS = {"degraded": ("excellently", 0.9), "arrangement": ("often", 0.5)}
METRIC = "top-1"
MET, MISSED, UNDECIDED = "met", "missed", "undecided"


def measure(record: Mapping[str, Any]) -> dict[str, Any]:
    """Take the first answers out of a record, the system in question first.

    Args:
        record: as `soundalike evaluate --out` writes it.

    Returns:
        The figures: by task, kind and system, whether the first answer to every query was right.

    Raises:
        QueryError: its first system was not asked both tasks.
    """
    first = record["evaluations"][0] if record["evaluations"] else {"results": []}
    there = {result["task"] for result in first["results"]}
    if missing := [task for task in WORDS if task not in there]:
        raise QueryError(
            f"the record's first system was not asked {missing[0]}; evaluate it with "
            f"--tasks {','.join(WORDS)}"
        )
    asked = {task: first["asked"][task] for task in WORDS}
    tasks: dict[str, dict[str, dict[str, Any]]] = {task: {} for task in WORDS}
    for entry in record["evaluations"]:
        for result in entry["results"]:
            task = result["task"]
            if task in WORDS and entry["asked"].get(task) == asked[task]:
                found = {"values": result["values"][METRIC], "groups": result.get("groups")}
                of_kind = tasks[task].setdefault(result["kind"] or ALL, {})
                # A record may hold one encoder under several aggregations: the first is in question.
                of_kind.setdefault(entry["identity"], found)
    return {
        "claim": "found_again",
        "system": first["identity"],
        "tracks": record["tracks"],
        "split": record["split"],
        "tasks": tasks,
    }


def as_markdown(figures: Mapping[str, Any]) -> str:
    """A table per task, and the verdict."""
    ours = figures["system"]
    parts = [f"{ours}, {figures['split']} split of {figures['tracks']}. First answer right:"]
    for task, kinds in figures["tasks"].items():
        word, bar = WORDS[task]
        lines = [
            f"| {task} | {ours} | {word}: {bar:g} | best of the others |",
            "|---|---|---|---|",
        ]
        for kind, systems in kinds.items():
            found = _interval(systems[ours])
            cells = [kind, in_figures(found), judged(found, bar), _best_other(systems, ours)]
            lines.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, verdict(figures)]) + "\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say, in words."""
    lines = ["**Verdict.**"]
    for task, kinds in figures["tasks"].items():
        word, bar = WORDS[task]
        found = {
            kind: _interval(systems[figures["system"]])
            for kind, systems in kinds.items()
            if kind != ALL
        }
        fates = {kind: judged(interval, bar) for kind, interval in found.items()}
        whole = _interval(kinds[ALL][figures["system"]])
        told = [
            f"{fate} by {', '.join(kind for kind in fates if fates[kind] == fate)}"
            for fate in (MET, UNDECIDED, MISSED)
            if fate in fates.values()
        ]
        lines.append(
            f'- {task}: "{word}" is {judged(whole, bar)} over all kinds together '
            f"({in_figures(whole)}); {'; '.join(told)}."
        )
    return "\n".join(lines)


def judged(found: Interval, bar: float) -> str:
    """`MET` where the interval lies at or above the bar, `MISSED` below it, else `UNDECIDED`."""
    if found.low >= bar:
        return MET
    return MISSED if found.high < bar else UNDECIDED


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw the first answers of the system in question, all kinds of both tasks below each other.

    Raises:
        ModelError: matplotlib is not installed.
    """
    lines, bars = {}, {}
    for task, kinds in figures["tasks"].items():
        for kind, systems in kinds.items():
            name = f"all {task}" if kind == ALL else kind
            lines[name] = _interval(systems[figures["system"]])
            bars[name] = WORDS[task][1]
    forest({"first answer right; short line: the bar": lines}, path, limits=(0, 1), chance=bars)


def _best_other(systems: Mapping[str, Any], ours: str) -> str:
    others = {name: _interval(found) for name, found in systems.items() if name != ours}
    if not others:
        return "-"
    best = max(others, key=lambda name: others[name].mean)
    return f"{in_figures(others[best])} {best.partition('@')[0]}"


def _interval(found: Mapping[str, Any]) -> Interval:
    groups: Sequence[int] | None = found["groups"]
    values = np.array(found["values"], dtype=float)
    return bootstrap(values, groups=None if groups is None else np.array(groups))
