"""A record of evaluations and the folders of training runs -> what each encoder took, and scored.

What claims about training share: an encoder is found in the record by the identity of the model that its
run left, and two of them are compared query by query where they were asked the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import ModelError, QueryError
from soundalike.evaluation.metrics import (
    LOWER_IS_BETTER,
    METRICS,
    Interval,
    bootstrap,
    paired_difference,
)
from soundalike.evaluation.retrieval import ALL

Encoder = dict[str, Any]

EQUAL = 0.1
"""Up to this share two trainings took the same."""


def encoders_of(record: Mapping[str, Any], runs: Sequence[Path]) -> list[Encoder]:
    """What every run took and scored, in the tasks that all were asked alike.

    Args:
        record: as `soundalike evaluate --out` writes it.
        runs: folders as `soundalike train --out` leaves them.

    Returns:
        Of each: name, identity, segment_s, vectors and bytes per track, cost, training_s, steps, and
        `tasks`: metric, values of the queries, and their groups.

    Raises:
        QueryError: the record does not hold an encoder, or they were not asked the same.
        ModelError: a folder is not that of a run, or does not tell what its training took.
    """
    encoders = [_encoder(record, run) for run in runs]
    asked = [{(name, task["asked"]) for name, task in e["tasks"].items()} for e in encoders]
    shared = {name for name, _ in set.intersection(*asked)}
    if not shared:
        raise QueryError("the encoders were not asked the same; evaluate them by one command")
    for encoder in encoders:
        encoder["tasks"] = {n: task for n, task in encoder["tasks"].items() if n in shared}
    return encoders


def score(encoder: Mapping[str, Any], task: str) -> Interval:
    """Mean and interval of a task."""
    return bootstrap(_values(encoder, task), groups=_groups(encoder, task))


def difference(ours: Mapping[str, Any], other: Mapping[str, Any], task: str) -> Interval:
    """Score minus score by the same queries; above 0 is better for ours, whatever the metric."""
    gap = _values(ours, task), _values(other, task)
    if ours["tasks"][task]["metric"] in LOWER_IS_BETTER:
        gap = gap[1], gap[0]
    return paired_difference(*gap, groups=_groups(ours, task))


def trained(encoder: Mapping[str, Any]) -> bool:
    """Whether it learnt at all."""
    return bool(encoder["steps"])


def equally_long(ours: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two learnt for the same processor time."""
    less, more = sorted([ours["training_s"], other["training_s"]])
    return bool(less >= (1 - EQUAL) * more)


def _encoder(record: Mapping[str, Any], run: Path) -> Encoder:
    config = _config(run)
    entries = [e for e in record["evaluations"] if e["identity"] == config["identity"]]
    if len(entries) > 1:
        ways = ", ".join(e["aggregation"] for e in entries)
        raise QueryError(
            f"the record holds {config['identity']} several times, its segments compared by {ways}; "
            "evaluate into a record of its own what is to be compared"
        )
    if not entries:
        held = ", ".join(e["identity"] for e in record["evaluations"])
        raise QueryError(
            f"the record does not hold {config['identity']} of {run}, but {held or 'nothing'}; "
            f"evaluate {run / 'model'} into it"
        )
    entry, tasks = entries[0], {}
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
        steps = path.read_text("utf-8").splitlines()
        last = json.loads(steps[-1]) if steps else {"step": 0, "cpu_s": 0.0}
        return {"training_s": float(last["cpu_s"]), "steps": int(last["step"])}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} does not tell what the training took: {error}") from None
    except KeyError:
        raise ModelError(
            f"{path} has no cpu_s: it was trained by a version that did not measure it; train again"
        ) from None


def _values(encoder: Mapping[str, Any], task: str) -> np.ndarray:
    return np.array(encoder["tasks"][task]["values"], dtype=float)


def _groups(encoder: Mapping[str, Any], task: str) -> np.ndarray:
    return np.array(encoder["tasks"][task]["groups"])
