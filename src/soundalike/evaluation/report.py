"""A record of evaluations -> text for people, Markdown for pages.

as_text       a terminal: a table per task, systems below each other
as_markdown   the few scores that a page begins with (`COLUMNS`)
tables        everything: a section per task, with the differences to the first system
"""

from __future__ import annotations

import datetime
import math
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.evaluation.metrics import Interval, paired_difference
from soundalike.evaluation.retrieval import ALL
from soundalike.evaluation.tasks.hubness import COUNTS, hubness_difference

Record = dict[str, Any]
Result = dict[str, Any]

COLUMNS = (
    ("same_track", "top-1"),
    ("same_track", "MRR"),
    ("same_album", "mAP"),
    ("same_album", "P@5"),
)
NAME = 24  # characters of a system's name in a terminal; its end says more than its beginning


def as_text(record: Record) -> str:
    """Tables for a terminal: mean and 95 % interval of every score, then what the systems cost."""
    evaluations = record["evaluations"]
    lines: list[str] = []
    for task, found in _by_task(evaluations).items():
        whole = {name: _whole(results) for name, results in found.items()}
        queries = ", ".join(dict.fromkeys(str(each["queries"]) for each in whole.values()))
        metrics = _metrics(whole)
        lines += [f"{task} ({queries} queries)", *_grid(metrics, whole), ""]
        if kinds := _kinds(found):
            lines += [f"{task}: {metrics[0]} by kind", *_kinds_grid(kinds, found, metrics[0]), ""]
    labels = _labels(evaluations)
    rows = {label: _cost(each) for label, each in zip(labels, evaluations, strict=True)}
    lines += ["kept and spent per track", *_aligned(list(_COST), rows), ""]
    for task, why in record.get("skipped", {}).items():
        lines.append(f"not asked: {task}: {why}")
    tracks = evaluations[0]["tracks"]
    lines.append(f"{tracks} tracks; in brackets 95 % bootstrap intervals")
    return "\n".join(lines)


def as_markdown(record: Record) -> str:
    """The scores of `COLUMNS` as one Markdown table."""
    heads = [f"{task.replace('_', ' ')} {score}" for task, score in COLUMNS]
    rows = []
    for evaluation in record["evaluations"]:
        found = {
            (result["task"], name): _interval(score)
            for result in evaluation["results"]
            if result.get("kind", "") in ("", ALL)
            for name, score in result["scores"].items()
        }
        cells = [_text(found[column]) if column in found else "-" for column in COLUMNS]
        rows.append([evaluation["identity"], str(evaluation["numbers"]), *cells])
    return _markdown(["system", "numbers per track", *heads], rows)


def tables(record: Record) -> str:
    """A section per task: scores, by kind where there are kinds, and differences to the first system.

    A difference is taken over the same queries, with its 95 % interval, and is left out where the two
    systems were not asked the same.
    """
    evaluations = record["evaluations"]
    sections = []
    for task, found in _by_task(evaluations).items():
        whole = {name: _whole(results) for name, results in found.items()}
        metrics = _metrics(whole)
        queries = dict.fromkeys(str(each["queries"]) for each in whole.values())
        rows = [[name, *_cells(result, metrics)] for name, result in whole.items()]
        parts = [
            f"## {task.replace('_', ' ')}",
            f"{', '.join(queries)} queries.",
            _markdown(["system", *metrics], rows),
        ]
        for metric in metrics if (kinds := _kinds(found)) else ():
            names = list(found)
            by_kind = [
                [kind, *(_mean(_of_kind(found[name], kind), metric) for name in names)]
                for kind in kinds
            ]
            parts.append(_markdown([f"{metric}, by kind", *names], by_kind))
        if differences := list(_differences(task, evaluations, metrics)):
            head = [f"{evaluations[0]['identity']} minus", *metrics]
            parts.append(_markdown(head, differences))
        sections.append("\n\n".join(parts))
    labels = zip(_labels(evaluations), evaluations, strict=True)
    rows = [[label, each["identity"], *_cost(each)] for label, each in labels]
    about = "Measured when a system was first described: rows of several runs do not compare."
    table = _markdown(["system", "identity", *_COST], rows)
    sections.append(f"## What a track costs\n\n{about}\n\n{table}")
    return "\n\n".join(sections) + "\n"


def provenance() -> dict[str, str]:
    """Of what, where and when a measurement was made."""
    return {
        "commit": _commit() or "unknown",
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
    }


def _by_task(evaluations: Sequence[Record]) -> dict[str, dict[str, list[Result]]]:
    """Task -> system -> its results of all kinds, tasks and systems in order."""
    tasks: dict[str, dict[str, list[Result]]] = {}
    for label, evaluation in zip(_labels(evaluations), evaluations, strict=True):
        for result in evaluation["results"]:
            tasks.setdefault(result["task"], {}).setdefault(label, []).append(result)
    return tasks


def _labels(evaluations: Sequence[Record]) -> list[str]:
    """Systems under the shortest names that tell them apart.

    That is what was asked for, of a folder the name of its model; or the identity; or the folder. The
    aggregation follows where it is not the usual one.
    """
    named = [_names(evaluation) for evaluation in evaluations]
    return [
        next((name for i, name in enumerate(ours) if _only(name, i, named)), ours[-1])
        for ours in named
    ]


def _names(evaluation: Record) -> list[str]:
    asked, identity = str(evaluation["system"]), str(evaluation["identity"])
    short = identity.partition("@")[0] if "/" in asked else asked
    aggregation = evaluation["aggregation"]
    way = "" if aggregation in ("", "mean") else f" ({aggregation})"
    return [name + way for name in (short, identity, asked)]


def _only(name: str, length: int, named: Sequence[Sequence[str]]) -> bool:
    return sum(names[length] == name for names in named) == 1


def _whole(results: Sequence[Result]) -> Result:
    """The result over queries of all kinds."""
    return next((each for each in results if each.get("kind", "") == ALL), results[0])


def _of_kind(results: Sequence[Result], kind: str) -> Result | None:
    return next((each for each in results if each.get("kind", "") == kind), None)


def _kinds(found: dict[str, list[Result]]) -> list[str]:
    """The kinds of a task in order; none where there is one."""
    kinds = [each.get("kind", "") for results in found.values() for each in results]
    return [kind for kind in dict.fromkeys(kinds) if kind not in ("", ALL)]


def _metrics(whole: dict[str, Result]) -> list[str]:
    return list(dict.fromkeys(name for each in whole.values() for name in each["scores"]))


def _cells(result: Result, metrics: Sequence[str]) -> list[str]:
    scores = result["scores"]
    return [_text(_interval(scores[name])) if name in scores else "-" for name in metrics]


def _mean(result: Result | None, metric: str) -> str:
    mean = result["scores"].get(metric, {}).get("mean") if result else None
    return "-" if mean is None else f"{mean:.3f}"


def _grid(metrics: Sequence[str], whole: dict[str, Result]) -> list[str]:
    return _aligned(metrics, {name: _cells(result, metrics) for name, result in whole.items()})


def _kinds_grid(kinds: Sequence[str], found: dict[str, list[Result]], metric: str) -> list[str]:
    rows = {
        kind: [_mean(_of_kind(results, kind), metric) for results in found.values()]
        for kind in kinds
    }
    return _aligned([name[-NAME:] for name in found], rows)


def _aligned(heads: Sequence[str], rows: dict[str, list[str]]) -> list[str]:
    """Lines with columns that stand below each other."""
    table = [["", *heads], *([name[-NAME:], *cells] for name, cells in rows.items())]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join([line[0].ljust(max(widths[0], NAME)), *map(str.rjust, line[1:], widths[1:])])
        for line in table
    ]


_COST = ("numbers", "bytes", "s of processor", "s on the clock", "for s of sound")


def _cost(evaluation: Record) -> list[str]:
    """Numbers and bytes kept of a track, and the time it took to describe one; "-" where unknown."""
    cost = evaluation.get("cost") or {}
    times = [cost.get(key) for key in ("processor", "wall", "audio")]
    kept = [str(evaluation["numbers"]), str(evaluation.get("bytes", "-"))]
    return kept + ["-" if time is None else f"{time:.3g}" for time in times]


def _differences(
    task: str, evaluations: Sequence[Record], metrics: Sequence[str]
) -> Iterator[list[str]]:
    """A row per other system: the first one's score minus its own, over the same queries."""
    first, *others = evaluations
    ours = [result for result in first["results"] if result["task"] == task]
    for other in others:
        theirs = [result for result in other["results"] if result["task"] == task]
        same = first.get("asked", {}).get(task) == other.get("asked", {}).get(task)
        if ours and theirs and same:
            pair = _whole(ours), _whole(theirs)
            yield [other["identity"], *(_difference(*pair, metric) for metric in metrics)]


def _difference(ours: Result, theirs: Result, metric: str) -> str:
    key = COUNTS if COUNTS in ours["values"] else metric
    if key not in ours["values"] or key not in theirs["values"]:
        return "-"
    a, b = (np.array(each["values"][key], dtype=float) for each in (ours, theirs))
    if a.shape != b.shape:
        return "-"
    if key == COUNTS:
        found = hubness_difference(a, b, metric)
    else:
        groups = np.array(ours["groups"]) if "groups" in ours else None
        found = paired_difference(a, b, groups=groups)
    if math.isnan(found.mean):
        return "-"
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


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


def _interval(score: dict[str, float | None]) -> Interval:
    return Interval(**{key: math.nan if value is None else value for key, value in score.items()})


def _text(score: Interval) -> str:
    if math.isnan(score.mean):
        return "-"
    return f"{score.mean:.3f} ({score.low:.3f}-{score.high:.3f})"
