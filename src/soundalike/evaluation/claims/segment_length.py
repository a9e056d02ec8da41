"""Claim: "A transformer that hears 30 s beats a CNN that hears 2.6 s, at equal training."

In: a record of evaluations (record.py) that holds both encoders, and the folders they were trained in.
Out: what each scored in every task, and what it took: processor seconds of training, vectors and bytes
per track, processor seconds to describe one. Nothing is measured here; the record and the history of
the runs say it all.

"Equal" is up to a tenth. Where training was not equal the verdict says so first: a longer run may win
for its length alone. Preparing views and validating is in neither figure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import ModelError, QueryError
from soundalike.evaluation.claims.intervals import BETTER, WORSE, in_figures, sign
from soundalike.evaluation.metrics import (
    LOWER_IS_BETTER,
    METRICS,
    Interval,
    bootstrap,
    paired_difference,
)
from soundalike.evaluation.pictures import forest
from soundalike.evaluation.retrieval import ALL

EQUAL = 0.1
SECONDS_PER_MINUTE = 60


def measure(record: Mapping[str, Any], runs: Sequence[Path]) -> dict[str, Any]:
    """Put two encoders side by side.

    Args:
        record: as `soundalike evaluate --out` writes it.
        runs: folders as `soundalike train --out` leaves them, the encoder in question first.

    Returns:
        The figures: of each encoder what it took, and the score of every query.

    Raises:
        QueryError: the record does not hold an encoder, or they were not asked the same.
        ModelError: a folder is not that of a run, or does not tell what its training took.
    """
    systems = [_system(record, run) for run in runs]
    asked = [{(name, task["asked"]) for name, task in s["tasks"].items()} for s in systems]
    shared = {name for name, _ in set.intersection(*asked)}
    if not shared:
        raise QueryError("the encoders were not asked the same; evaluate them by one command")
    for system in systems:
        system["tasks"] = {name: task for name, task in system["tasks"].items() if name in shared}
    return {"claim": "segment length", "systems": systems}


def as_markdown(figures: Mapping[str, Any]) -> str:
    """What the encoders took and scored, and the verdict."""
    systems = figures["systems"]
    lines = [
        "| | " + " | ".join(f"{s['identity']}" for s in systems) + " |",
        "|---" * (len(systems) + 1) + "|",
    ]
    rows = {
        "hears at once, s": [f"{s['segment_s']:g}" for s in systems],
        "vectors per track": [str(s["vectors"]) for s in systems],
        "kept per track, bytes": [f"{s['bytes']:,}" for s in systems],
        "to describe a minute of sound, processor s": [_per_minute(s["cost"]) for s in systems],
        "training, processor minutes": [
            f"{s['training_s'] / SECONDS_PER_MINUTE:.1f}" for s in systems
        ],
    }
    if all("steps" in s for s in systems):
        rows["training, steps"] = [f"{s['steps']:,}" for s in systems]
    for task, found in systems[0]["tasks"].items():
        of_each = [bootstrap(_values(s, task), groups=_groups(s, task)) for s in systems]
        rows[f"{task} {found['metric']}"] = [in_figures(each) for each in of_each]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    return "\n".join(lines) + f"\n\n{verdict(figures)}\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say, in words: the first encoder against each of the others."""
    ours, *others = figures["systems"]
    lines = []
    for other in others:
        share = ours["training_s"] / other["training_s"]
        equal = "at equal training"
        if not 1 - EQUAL <= share <= 1 / (1 - EQUAL):
            equal = f"NOT at equal training ({share:.2f} times its processor time)"
        signs = {task: sign(difference(ours, other, task)) for task in ours["tasks"]}
        said = [
            f"{what} in {', '.join(task for task in signs if signs[task] == what)}"
            for what in (BETTER, WORSE)
            if what in signs.values()
        ]
        gaps = ", ".join(
            f"{task} {in_figures(difference(ours, other, task), plus=True)}" for task in signs
        )
        lines.append(
            f"{ours['identity']} against {other['identity']}, {equal}: "
            f"{' and '.join(said) or 'nowhere decided'} ({gaps})."
        )
    return "**Verdict.** " + "\n".join(lines or ["there is nothing to compare with."])


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw the scores of both encoders, a panel per task.

    Raises:
        ModelError: matplotlib is not installed.
    """
    systems = figures["systems"]
    panels = {
        f"{task} {found['metric']}": {
            f"{s['name']}, {s['segment_s']:g} s": bootstrap(
                _values(s, task), groups=_groups(s, task)
            )
            for s in systems
        }
        for task, found in systems[0]["tasks"].items()
    }
    forest(panels, path)


def difference(ours: Mapping[str, Any], other: Mapping[str, Any], task: str) -> Interval:
    """Score minus score by the same queries; above 0 is better for ours, whatever the metric."""
    gap = _values(ours, task), _values(other, task)
    if ours["tasks"][task]["metric"] in LOWER_IS_BETTER:
        gap = gap[1], gap[0]
    return paired_difference(*gap, groups=_groups(ours, task))


def _system(record: Mapping[str, Any], run: Path) -> dict[str, Any]:
    config = _config(run)
    entry = next((e for e in record["evaluations"] if e["identity"] == config["identity"]), None)
    if entry is None:
        held = ", ".join(e["identity"] for e in record["evaluations"])
        raise QueryError(
            f"the record does not hold {config['identity']} of {run}, but {held or 'nothing'}; "
            f"evaluate {run / 'model'} into it"
        )
    tasks = {}
    for result in entry["results"]:
        metrics = [name for name in result["values"] if name in METRICS]
        if result["kind"] not in ("", ALL) or not metrics:
            continue  # one kind of several; or counts, which are no score of a query
        metric = next((m for m in ("mAP", "MRR") if m in metrics), metrics[0])
        values = result["values"][metric]
        tasks[result["task"]] = {
            "metric": metric,
            "asked": entry["asked"][result["task"]],
            "values": values,
            "groups": result.get("groups") or list(range(len(values))),
        }
    return {
        "name": config["name"],
        "identity": config["identity"],
        "segment_s": config["segments"]["length"],
        "vectors": config["segments"]["count"],
        "bytes": entry["bytes"],
        "cost": entry["cost"],
        **_training(run),
        "tasks": tasks,
    }


def _config(run: Path) -> dict[str, Any]:
    path = run / "model" / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
        _ = config["name"], config["identity"], config["segments"]["length"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{run} is not the folder of a finished run: {path}: {error}") from None
    return config


def _training(run: Path) -> dict[str, float]:
    path = run / "history.jsonl"
    try:
        last = json.loads(path.read_text("utf-8").splitlines()[-1])
        return {"training_s": float(last["cpu_s"]), "steps": int(last["step"])}
    except (OSError, IndexError, ValueError) as error:
        raise ModelError(f"{path} does not tell what the training took: {error}") from None
    except KeyError:
        raise ModelError(
            f"{path} has no cpu_s: it was trained by a version that did not measure it; train again"
        ) from None


def _per_minute(cost: Mapping[str, Any]) -> str:
    return f"{cost['processor'] / cost['audio'] * SECONDS_PER_MINUTE:.3f}" if cost["audio"] else "-"


def _values(system: Mapping[str, Any], task: str) -> np.ndarray:
    return np.array(system["tasks"][task]["values"], dtype=float)


def _groups(system: Mapping[str, Any], task: str) -> np.ndarray:
    return np.array(system["tasks"][task]["groups"])
