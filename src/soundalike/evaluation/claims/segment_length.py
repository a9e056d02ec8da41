"""Claim: "A transformer that hears 30 s beats a CNN that hears 2.6 s, at equal training."

In: a record of evaluations (record.py) that holds both encoders, and the folders they were trained in.
Out: what each scored in every task, and what it took: processor seconds of training, vectors and bytes
per track, processor seconds to describe one. Nothing is measured here; the record and the history of
the runs say it all.

"Equal" is up to a tenth (runs.EQUAL). Where training was not equal the verdict says so first: a longer
run may win for its length alone. Preparing views and validating is in neither figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soundalike.evaluation.claims.intervals import BETTER, WORSE, in_figures, sign
from soundalike.evaluation.claims.runs import difference, encoders_of, equally_long, score
from soundalike.evaluation.pictures import forest

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
    return {"claim": "segment length", "systems": encoders_of(record, runs)}


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
        rows[f"{task} {found['metric']}"] = [in_figures(score(s, task)) for s in systems]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    return "\n".join(lines) + f"\n\n{verdict(figures)}\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say, in words: the first encoder against each of the others."""
    ours, *others = figures["systems"]
    lines = []
    for other in others:
        equal = "at equal training"
        if not equally_long(ours, other):
            share = ours["training_s"] / other["training_s"]
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
            f"{s['name']}, {s['segment_s']:g} s": score(s, task) for s in systems
        }
        for task, found in systems[0]["tasks"].items()
    }
    forest(panels, path)


def _per_minute(cost: Mapping[str, Any]) -> str:
    return f"{cost['processor'] / cost['audio'] * SECONDS_PER_MINUTE:.3f}" if cost["audio"] else "-"
