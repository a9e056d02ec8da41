"""Claim: "A transformer that hears 30 s beats a CNN that hears 2.6 s, at equal training."

In: a record of evaluations (record.py) that holds both encoders, and the folders they were trained in.
Out: what each scored in every task, and what it took: processor seconds of training, vectors and bytes
per track, processor seconds to describe one. Nothing is measured here; the record and the history of
the runs say it all.

An untrained network among them says whether so much training shows at all.

"Equal" is up to a tenth (runs.EQUAL). Where training was not equal the verdict says so first: a longer
run may win for its length alone. Preparing views and validating is in neither figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soundalike.evaluation.claims.intervals import decided, in_figures, sign
from soundalike.evaluation.claims.runs import difference, encoders_of, equally_long, score, trained
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
    return {"claim": "segment_length", "systems": encoders_of(record, runs)}


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
    """What the intervals say, in words: the first encoder against the others, all against untrained."""
    ours, *others = figures["systems"]
    pairs = [(ours, other) for other in others]
    learnt, blank = [[s for s in others if trained(s) is which] for which in (True, False)]
    pairs += [(other, untrained) for other in learnt for untrained in blank]
    lines = [f"- {_compared(*pair)}" for pair in pairs]
    return "**Verdict.**\n\n" + ("\n".join(lines) or "There is nothing to compare with.")


def _compared(ours: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    gaps = {task: difference(ours, other, task) for task in ours["tasks"]}
    signs = {task: sign(gap) for task, gap in gaps.items()}
    told = ", ".join(f"{task} {in_figures(gap, plus=True)}" for task, gap in gaps.items())
    return (
        f"{ours['identity']} against {other['identity']}, {_training(ours, other)}: "
        f"{decided(signs) or 'nowhere decided'} ({told})."
    )


def _training(ours: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if not trained(other):
        return "which was never trained"
    if equally_long(ours, other):
        return "at equal training"
    spent = [encoder["training_s"] / SECONDS_PER_MINUTE for encoder in (ours, other)]
    return f"NOT at equal training ({spent[0]:.1f} against {spent[1]:.1f} minutes)"


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
