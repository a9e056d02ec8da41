"""Claim: "Frozen vectors save labels."

In: descriptions of labelled tracks by several systems. A linear probe (probe.py) learns the label from
few and from all of the labels and names tracks it has not met. What is the first system's label worth
next to that of plain features, of an untrained network, of networks trained from scratch on the same
labels and nothing else?

    split      by track, stratified: of every class two fifths are asked about, the rest may be learnt
               from; drawn anew for every seed, the same for all systems
    fraction   of a class's tracks to learn from, one at least, so that 1 % of small classes is more than
               1 %: figures name the labels given. Small fractions are part of the larger ones
    scale      each number to mean 0 and deviation 1 over the tracks to learn from, labelled or not:
               a sound without its label is free
    track      is named by the sum of the log-probabilities of its segments

Tracks may have been heard in the encoder's own training, without their labels: that is what
self-supervision is for. A network trained from scratch must have seen the labels of the first seed's
tracks only; `lists_to_train_on` writes them down.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import QueryError
from soundalike.evaluation.claims.intervals import (
    BETTER,
    UNDECIDED,
    decided,
    in_figures,
    measured_of,
    sign,
)
from soundalike.evaluation.claims.probe import fit_probe, log_probabilities, standardiser
from soundalike.evaluation.metrics import Interval, bootstrap, paired_difference
from soundalike.evaluation.pictures import forest
from soundalike.evaluation.sounds import Sound

Describe = Callable[[Sequence[Sound]], list[np.ndarray]]
"""Sounds -> one description [S, D] each, as `Descriptions.of` gives them."""

FRACTIONS = (0.01, 0.1, 0.25, 0.5, 1.0)
SEEDS = 5
ASKED_SHARE = 0.4
FEWEST_TRACKS = 5
"""Of a class; smaller ones are left out, there being nothing to learn from or to ask about."""
SCRATCH = "from scratch"


def measure(
    systems: Mapping[str, Describe],
    sounds: Sequence[Sound],
    labels: Sequence[str],
    *,
    scratch: Mapping[float, Describe] | None = None,
    fractions: Sequence[float] = FRACTIONS,
    seeds: int = SEEDS,
) -> dict[str, Any]:
    """Probe every system with every fraction of the labels.

    Args:
        systems: name -> descriptions; the first is the one in question.
        sounds: N tracks.
        labels: N labels; "" and labels of fewer than `FEWEST_TRACKS` tracks are left out.
        scratch: fraction -> descriptions of a network trained from scratch on that fraction of the
            first split's labels, and on nothing else; asked about the first split only.
        fractions: of the labels, each in (0, 1].
        seeds: splits.

    Returns:
        The figures: the name given to every track in every split, -1 where it was not asked about.

    Raises:
        QueryError: fewer than two classes with enough tracks.
    """
    kept, classes, truth = usable_classes(labels)
    names = sorted(set(truth.tolist()))
    predictions: dict[str, dict[str, list[list[int]]]] = {}
    splits = [split(truth, seed) for seed in range(seeds)]
    given = {_key(f): len(labelled(truth, splits[0][0], f, 0)) for f in fractions}
    chosen = [sounds[i] for i in kept]
    for name, describe in systems.items():
        rows = describe(chosen)
        predictions[name] = {
            _key(fraction): [
                probed(rows, truth, learn, labelled(truth, learn, fraction, seed), ask)
                for seed, (learn, ask) in enumerate(splits)
            ]
            for fraction in fractions
        }
    for fraction, describe in (scratch or {}).items():
        learn, ask = splits[0]
        few = labelled(truth, learn, fraction, 0)
        named = probed(describe(chosen), truth, learn, few, ask)
        predictions.setdefault(SCRATCH, {})[_key(fraction)] = [named]
    return {
        "claim": "labels",
        "classes": [classes[name] for name in names],
        "truth": truth.tolist(),
        "labels_given": given,
        "learnt_from": len(splits[0][0]),
        "predictions": predictions,
    }


def usable_classes(labels: Sequence[str]) -> tuple[list[int], list[str], np.ndarray]:
    """Tracks of classes with enough tracks: their places, the classes, and the class of each [N].

    Raises:
        QueryError: fewer than two such classes.
    """
    known = [label for label in labels if label]
    classes = sorted({label for label in known if known.count(label) >= FEWEST_TRACKS})
    if len(classes) < 2:
        raise QueryError(
            f"{len(classes)} of {len(set(known))} labels have {FEWEST_TRACKS} tracks or more; "
            "to tell labels apart it takes two"
        )
    kept = [i for i, label in enumerate(labels) if label in classes]
    return kept, classes, np.array([classes.index(labels[i]) for i in kept])


def split(truth: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Tracks to learn from and tracks to ask about, of every class at least one each: int arrays."""
    rng = np.random.default_rng([seed, 1])
    learn: list[int] = []
    ask: list[int] = []
    for name in np.unique(truth):
        members = rng.permutation(np.flatnonzero(truth == name))
        count = min(max(1, round(ASKED_SHARE * len(members))), len(members) - 1)
        ask.extend(members[:count])
        learn.extend(members[count:])
    return np.sort(learn), np.sort(ask)


def labelled(truth: np.ndarray, learn: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Those of the tracks to learn from whose labels are given: int [n], of every class one or more."""
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction {fraction} of the labels; it must lie above 0 and up to 1")
    rng = np.random.default_rng([seed, 2])
    given: list[int] = []
    for name in np.unique(truth):
        members = rng.permutation(learn[truth[learn] == name])
        given.extend(members[: max(1, round(fraction * len(members)))])
    return np.sort(given)


def probed(
    rows: Sequence[np.ndarray],
    truth: np.ndarray,
    learn: np.ndarray,
    few: np.ndarray,
    ask: np.ndarray,
) -> list[int]:
    """Learn from the `few`, name those in `ask`: the class of each of N tracks, -1 if not asked."""
    scale = standardiser(np.concatenate([rows[i] for i in learn]))
    known = np.concatenate([np.full(len(rows[i]), truth[i]) for i in few])
    probe = fit_probe(scale(np.concatenate([rows[i] for i in few])), known, truth.max() + 1)
    named = np.full(len(truth), -1)
    for i in ask:
        named[i] = int(log_probabilities(probe, scale(rows[i])).sum(axis=0).argmax())
    return [int(name) for name in named]


def lists_to_train_on(
    tracks: Sequence[tuple[Path, str]], folder: Path, fractions: Sequence[float] = FRACTIONS
) -> list[Path]:
    """Write the labelled tracks of the first split, a CSV per fraction, to train from scratch on.

    Args:
        tracks: path and label of the same tracks, in the same order, that `measure` is given.
        folder: for the lists; recipe `artist` reads them as its `data.music`.
    """
    kept, classes, truth = usable_classes([label for _, label in tracks])
    learn, _ = split(truth, 0)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for fraction in fractions:
        path = folder / f"labels-{_key(fraction)}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["path", "split", "soundtrack", "artist"])
            for i in labelled(truth, learn, fraction, 0):
                label = classes[truth[i]]
                table.writerow([tracks[kept[i]][0].resolve(), "train", label, label])
        written.append(path)
    return written


def accuracy(figures: Mapping[str, Any], system: str, fraction: str) -> np.ndarray:
    """How often each track was named rightly, over the splits that asked about it: [N] or NaN."""
    return _accuracy(figures, figures["predictions"][system][fraction])


def macro_f1(
    figures: Mapping[str, Any], system: str, fraction: str, draws: int = 2_000
) -> Interval:
    """Mean over classes of the F1 of all splits together, with its interval over tracks."""
    truth, C = np.array(figures["truth"]), len(figures["classes"])
    hit, false, missed = (np.zeros((len(truth), C)) for _ in range(3))
    for named in np.array(figures["predictions"][system][fraction]):
        asked = np.flatnonzero(named >= 0)
        right = named[asked] == truth[asked]
        hit[asked[right], truth[asked[right]]] += 1
        false[asked[~right], named[asked[~right]]] += 1
        missed[asked[~right], truth[asked[~right]]] += 1
    rng = np.random.default_rng(0)
    weights = np.vstack(
        [
            np.ones(len(truth)),
            rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), draws),
        ]
    )
    tp, fp, fn = weights @ hit, weights @ false, weights @ missed
    # A class that a draw left out has no F1 there.
    met = tp + fn > 0
    each = np.where(met, 2 * tp / np.maximum(2 * tp + fp + fn, 1e-9), 0)
    values = each.sum(axis=1) / np.maximum(met.sum(axis=1), 1)
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Interval(float(values[0]), float(low), float(high))


def difference(
    figures: Mapping[str, Any], ours: tuple[str, str], theirs: tuple[str, str]
) -> Interval:
    """Accuracy of one (system, fraction) minus another's, by the same tracks and splits."""
    a, b = (figures["predictions"][system][fraction] for system, fraction in (ours, theirs))
    splits = min(len(a), len(b))  # a network from scratch has the first split only
    return paired_difference(_accuracy(figures, a[:splits]), _accuracy(figures, b[:splits]))


def as_markdown(figures: Mapping[str, Any]) -> str:
    """Accuracy and macro-F1 by system and fraction, and the verdict."""
    given = figures["labels_given"]
    heads = [_labels(figures, f) for f in given]
    lines = [
        f"{len(figures['truth'])} tracks of {len(figures['classes'])} classes; a probe learns from "
        f"up to {figures['learnt_from']}, and is asked about the others",
        "",
        "| accuracy, macro-F1 | " + " | ".join(heads) + " |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for system, found in figures["predictions"].items():
        cells = [
            f"{in_figures(bootstrap(accuracy(figures, system, f)))}, "
            f"{in_figures(macro_f1(figures, system, f))}"
            if f in found
            else "-"
            for f in given
        ]
        lines.append(f"| {system} | {' | '.join(cells)} |")
    parts = [measured_of(figures), "\n".join(lines), verdict(figures)]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say, in words."""
    ours, *others = figures["predictions"]
    fractions = list(figures["predictions"][ours])
    lines = []
    for other in others:
        found = [f for f in fractions if f in figures["predictions"][other]]
        signs = {
            _count(figures, f): sign(difference(figures, (ours, f), (other, f))) for f in found
        }
        line = f"{ours} against {other}, as many labels each: {decided(signs, 'with') or 'nowhere decided'}."
        lines.append(f"{line} {_saved(figures, ours, other, found[-1])}")
    return "**Verdict.** " + "\n".join(lines or ["there is nothing to compare with."])


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw the accuracy of all systems, a panel per fraction.

    Raises:
        ModelError: matplotlib is not installed.
    """
    panels = {
        f"accuracy, {_labels(figures, fraction)}": {
            system: bootstrap(accuracy(figures, system, fraction))
            for system, found in figures["predictions"].items()
            if fraction in found
        }
        for fraction in figures["labels_given"]
    }
    forest(panels, path)


def _saved(figures: Mapping[str, Any], ours: str, other: str, most: str) -> str:
    """From which fraction on ours is better than, or is not told from, the other with the most labels."""
    most_labels = _count(figures, most)
    fewer = {
        fraction: difference(figures, (ours, fraction), (other, most))
        for fraction in figures["predictions"][ours]
        if float(fraction) < float(most)
    }
    for wanted, words in (
        ((BETTER,), "it is better than"),
        ((BETTER, UNDECIDED), "it is as good, as far as is shown, as"),
    ):
        for fraction, gap in fewer.items():
            if sign(gap) in wanted:
                return (
                    f"With {_count(figures, fraction)} labels {words} {other} with {most_labels} "
                    f"({in_figures(gap, plus=True)})."
                )
    return f"With no fewer labels that were tried it reaches {other} with {most_labels}."


def _accuracy(figures: Mapping[str, Any], predictions: Sequence[Sequence[int]]) -> np.ndarray:
    named, truth = np.array(predictions), np.array(figures["truth"])
    asked = (named >= 0).sum(axis=0)
    right = (named == truth).sum(axis=0)
    share: np.ndarray = np.where(asked > 0, right / np.maximum(asked, 1), np.nan)
    return share


def _key(fraction: float) -> str:
    return f"{fraction:g}"


def _count(figures: Mapping[str, Any], fraction: str) -> str:
    return str(figures["labels_given"][fraction])


def _labels(figures: Mapping[str, Any], fraction: str) -> str:
    """Such as "20 of 151 labels": of few tracks 1 % is more than 1 %, for every class needs one."""
    return f"{_count(figures, fraction)} of {figures['learnt_from']} labels"
