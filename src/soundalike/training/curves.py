"""The history of a run as a picture: losses on the left, retrieval on the right."""

from __future__ import annotations

import json
from pathlib import Path

NOT_LOSSES = {"step", "rate"}


def draw_curves(history: Path, picture: Path) -> None:
    """Draw history.jsonl; does nothing while there is no step to draw."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    entries = (
        [json.loads(line) for line in history.read_text("utf-8").splitlines()]
        if (history.exists())
        else []
    )
    if not entries:
        return
    losses = [name for name in entries[0] if name not in NOT_LOSSES]
    looks = [entry for entry in entries if set(entry) - NOT_LOSSES - set(losses)]
    scores = [n for n in looks[0] if n not in NOT_LOSSES and n not in losses] if looks else []
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name in losses:
        left.plot([e["step"] for e in entries], [e[name] for e in entries], label=name, lw=0.8)
    for name in scores:
        right.plot([e["step"] for e in looks], [e[name] for e in looks], "o-", label=name)
    left.set(title="loss", xlabel="step")
    right.set(title="retrieval on held-out tracks", xlabel="step", ylim=(0, 1))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)
