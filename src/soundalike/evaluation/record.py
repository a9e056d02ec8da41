"""Evaluations <-> a record: one JSON file per set of tracks, with systems side by side.

    {"tracks", "split", "seed", "recordings", "skipped", "provenance",
     "evaluations": [{"system", "identity", "aggregation", "tracks", "numbers", "bytes", "cost",
                      "asked", "provenance",
                      "results": [{"task", "kind", "queries", "scores", "values", "groups"?}]}]}

A record keeps the value of every query, so that any two systems in it can be compared query by query
later on. It grows by systems: one that is measured again replaces itself, in the tasks that it was asked
again, and the others stay.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soundalike.errors import QueryError
from soundalike.evaluation.report import provenance
from soundalike.evaluation.suite import Evaluation
from soundalike.library.disk import reason, write_atomically

Record = dict[str, Any]

DIGITS = 6
BYTES = 4  # a number is kept as float32
_NUMBERS = re.compile(r"\[\n([^\[\]{}\"]*)\]")


def new_record(set_of_tracks: Mapping[str, object], skipped: Mapping[str, str]) -> Record:
    """Begin a record without systems.

    Args:
        set_of_tracks: "tracks", "split", "seed" and "recordings", a digest of what the files hold: what
            makes the figures of systems comparable.
        skipped: task -> why it was not asked.
    """
    made = {"skipped": dict(skipped), "provenance": provenance(), "evaluations": []}
    return {**set_of_tracks, **made}


def with_evaluation(record: Record, evaluation: Evaluation) -> Record:
    """The record with one more system at its end."""
    entry = _entry(evaluation, record["provenance"])
    return {**record, "evaluations": [*record["evaluations"], entry]}


def followed_by(record: Record, earlier: Sequence[Record]) -> Record:
    """The record with evaluations of an earlier one behind its own.

    Of those of the same identity and aggregation only the tasks that were not asked again are kept.
    """
    before = {_name(entry): entry for entry in earlier}
    again = [_with_tasks_of(entry, before.get(_name(entry))) for entry in record["evaluations"]]
    measured = [_name(entry) for entry in again]
    kept = [entry for entry in earlier if _name(entry) not in measured]
    return {**record, "evaluations": [*again, *kept]}


def read_evaluations(path: Path, set_of_tracks: Mapping[str, object]) -> list[Record]:
    """The evaluations that a record has already; none where there is no file.

    Raises:
        QueryError: the file is something else, or a record of other tracks, and would be overwritten.
    """
    if not path.is_file():
        return []
    try:
        old = json.loads(path.read_text("utf-8"))
        # What older records do not tell cannot differ.
        told = {"seed": 0, **{key: old[key] for key in set_of_tracks if key in old}}
        of = {key: told.get(key, value) for key, value in set_of_tracks.items()}
        evaluations = [
            {"provenance": old["provenance"], **evaluation} for evaluation in old["evaluations"]
        ]
        for entry in evaluations:
            _ = *_name(entry), entry["asked"].items(), [each["task"] for each in entry["results"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is no record of an evaluation"
        raise QueryError(
            f"{path} would be overwritten, and {why}; name another file with --out"
        ) from None
    if of != set_of_tracks:
        words = ", ".join(f"{key} {value}" for key, value in of.items())
        raise QueryError(
            f"{path} would be overwritten, and is the record of {words}; name another file with --out"
        )
    return evaluations


def as_json(record: Record) -> str:
    """The record as text: null where there is no value, numbers in a row on one line."""
    text = json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def ready_to_write(path: Path, key: str, value: str = "") -> None:
    """Make the folder of a record, before hours are spent on what goes into it.

    Args:
        path: of the record.
        key: that a record of its kind has at the top.
        value: what stands there, where several kinds of record have it; "" for whatever.

    Raises:
        QueryError: a file is there that is no such record, and would be lost.
        OSError: the folder cannot be made, or nothing can be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"{path} cannot be written: permission denied")
    if path.is_file():
        try:
            there = json.loads(path.read_text("utf-8"))
        except ValueError:
            there = None
        ours = isinstance(there, dict) and key in there and "provenance" in there
        if not ours or (value and there[key] != value):
            raise QueryError(
                f"{path} would be overwritten, and it is no record of this kind; "
                "name another file with --out"
            )


def write_record(record: Record, path: Path) -> None:
    """Replace the file whole; its folder is made.

    Raises:
        OSError: it cannot be written; what was there is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, as_json(record).encode())


def _with_tasks_of(entry: Record, earlier: Record | None) -> Record:
    """The entry, with results of tasks that only the earlier one has behind its own."""
    if earlier is None:
        return entry
    asked = {task: sign for task, sign in earlier["asked"].items() if task not in entry["asked"]}
    kept = [result for result in earlier["results"] if result["task"] in asked]
    return {
        **entry,
        "asked": {**entry["asked"], **asked},
        "results": [*entry["results"], *kept],
    }


def _entry(evaluation: Evaluation, made: dict[str, str]) -> Record:
    entry = asdict(evaluation)
    results = []
    for result in entry.pop("results"):
        scores, groups = result.pop("intervals"), result.pop("groups")
        values = result.pop("values")
        results.append({**result, "scores": scores, "values": values})
        if groups:
            results[-1]["groups"] = groups
    plain: Record = _plain(
        {**entry, "bytes": BYTES * evaluation.numbers, "provenance": made, "results": results}
    )
    return plain


def _name(entry: Record) -> tuple[str, str]:
    return entry["identity"], entry["aggregation"]


def _plain(value: Any) -> Any:
    """JSON knows no NaN: None in its place. Six digits are more than a score has."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    return value
