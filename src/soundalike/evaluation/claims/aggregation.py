"""Claim: "Concatenation beats the mean for combining the segments of a track."

In: one description per sound that holds its segments on several grids (`DenseGrid`), and tasks. Every
way of combining (combining.py) with every number of segments S is put through every task; the score
looked at is the task's mAP, else its MRR. Differences are taken query by query:

    at the same S        every way against the mean of the same segments
    at equal numbers     D per track: "reduced" against the mean; S * D per track: the ways that keep
                         all segments against concat
    after trimming       the query loses its beginning, which shifts its segments against the track's

With S = 1 all ways are one and the same. The verdict rests on one interval per task: the difference
averaged over S above 1, drawn by tracks, so that 24 cells do not give 24 chances to be right.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from soundalike.evaluation.claims.combining import NAMES, Combination, combinations
from soundalike.evaluation.claims.dense_grid import COUNTS, of_count
from soundalike.evaluation.claims.intervals import BETTER, WORSE, in_figures, sign
from soundalike.evaluation.metrics import Interval, paired_difference
from soundalike.evaluation.pictures import forest
from soundalike.evaluation.retrieval import ALL, Retrieval, judge
from soundalike.evaluation.sounds import Sound
from soundalike.library.aggregation import ONE, Senses

TRIMS = (0.0, 5.0, 10.0, 20.0, 30.0)
TRIMMED = " trimmed"
BYTES = 4  # a number of float32
_MARKS = {BETTER: " ▲", WORSE: " ▼"}


class Described(Protocol):
    """What is asked of `Descriptions`: sounds in, [sum of counts, D] each."""

    def of(self, sounds: Sequence[Sound]) -> list[np.ndarray]:
        """Describe."""
        ...


def trimmed(retrieval: Retrieval, seconds: Sequence[float] = TRIMS) -> Retrieval:
    """The same task, asked once for each of `seconds` that a query's beginning is cut off by.

    At most half of a sound is cut off, so that what is left is music still.
    """
    times = len(seconds)
    return Retrieval(
        task=retrieval.task + TRIMMED,
        queries=[_without_beginning(q, s) for s in seconds for q in retrieval.queries],
        tracks=retrieval.tracks,
        relevant=np.tile(retrieval.relevant, (times, 1)),
        barred=np.tile(retrieval.barred, (times, 1)),
        kinds=[f"first {s:g} s cut off" for s in seconds for _ in retrieval.queries],
        metrics=retrieval.metrics,
        together=[*retrieval.together] * times,
    )


def thinned(retrieval: Retrieval, per_kind: int) -> Retrieval:
    """The task with at most so many queries of each kind, evenly out of all: every track answers."""
    kinds = np.asarray(retrieval.kinds)
    places: list[int] = []
    for kind in dict.fromkeys(retrieval.kinds):
        of_kind = np.flatnonzero(kinds == kind)
        evenly = np.linspace(0, len(of_kind) - 1, min(per_kind, len(of_kind))).round().astype(int)
        places.extend(of_kind[evenly].tolist())
    return replace(
        retrieval,
        queries=[retrieval.queries[i] for i in places],
        relevant=retrieval.relevant[places],
        barred=retrieval.barred[places],
        kinds=[retrieval.kinds[i] for i in places],
        together=[retrieval.together[i] for i in places] if retrieval.together else [],
    )


def measure(
    described: Described,
    retrievals: Sequence[Retrieval],
    training: Sequence[Sound],
    *,
    senses: Senses = ONE,
    counts: Sequence[int] = COUNTS,
    timed: int = 10_000,
) -> dict[str, Any]:
    """Put every way of combining through every task.

    Args:
        described: sounds -> descriptions of a `DenseGrid` with these counts.
        retrievals: the tasks; `trimmed` makes one of another.
        training: sounds that no task holds, to fit "reduced" on.
        senses: the columns of each sense of a joined model.
        counts: numbers of segments S.
        timed: random tracks that one query is compared with to measure its time; 0 measures none.

    Returns:
        The figures: scores of every query by task, way and S, and what every way costs.
    """
    references = described.of(training)
    ways = {S: combinations(_grids(references, S, counts), senses) for S in counts}
    tasks = []
    for retrieval in retrievals:
        sounds = described.of(retrieval.queries), described.of(retrieval.tracks)
        metric = next((m for m in ("mAP", "MRR") if m in retrieval.metrics), retrieval.metrics[0])
        asked = replace(retrieval, metrics=(metric,))
        values: dict[str, dict[str, list[float | None]]] = {name: {} for name in NAMES}
        for S in counts:
            queries, tracks = (_grids(each, S, counts) for each in sounds)
            for way in ways[S]:
                score = judge(asked, way.matrix(queries, tracks))[-1]
                values[way.name][str(S)] = [_number(value) for value in score.values[metric]]
        entry = {"task": retrieval.task, "metric": metric, "kinds": list(retrieval.kinds)}
        # Otherwise every query is a track of its own.
        groups = score.groups or list(range(len(retrieval.queries)))
        tasks.append({**entry, "groups": groups, "values": values})
    return {
        "claim": "aggregation",
        "counts": list(counts),
        "training_tracks": len(training),
        "tasks": tasks,
        "cost": [
            row for S in counts for row in _cost(ways[S], _grids(references, S, counts), timed)
        ],
    }


def difference(
    task: Mapping[str, Any], way: str, other: str, *, S: int | None = None, kind: str = ALL
) -> Interval:
    """Score of `way` minus score of `other` by the same segments: mean and interval over tracks.

    Args:
        task: an entry of the figures' "tasks".
        way, other: names of combinations.
        S: segments; None averages over all S above 1.
        kind: of the queries, or `ALL`.
    """
    chosen = _of_kind(task, kind)
    ours, theirs = (_values(task, name, S)[chosen] for name in (way, other))
    return paired_difference(ours, theirs, groups=np.asarray(task["groups"])[chosen])


def as_markdown(figures: Mapping[str, Any]) -> str:
    """The tables and the verdict."""
    of = f"{figures['system']}, {figures['split']} split." if "system" in figures else ""
    parts = [of] if of else []
    parts += [_scores(figures, task) for task in figures["tasks"]]
    parts += [_differences(figures), _equal_numbers(figures), _costs(figures), verdict(figures)]
    return "\n\n".join(parts) + "\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say, in words."""
    tasks = figures["tasks"]
    lines = [f"**Verdict.** {_judgement(tasks, 'concat')}"]
    for name in NAMES[2:]:
        narrow = _narrow(figures) if name == "reduced" else ""
        lines.append(f"{name} against mean{narrow}: {_where(tasks, name)[1]}.")
    for task in tasks:
        if task["task"].endswith(TRIMMED):
            kinds = _kinds(task)
            signs = {kind: sign(difference(task, "concat", "mean", kind=kind)) for kind in kinds}
            found = [
                f"{what} with the {' / '.join(k for k in kinds if signs[k] == what)}"
                for what in (BETTER, WORSE)
                if what in signs.values()
            ]
            lines.append(
                f"{task['task']}: concat is {' and '.join(found) or 'nowhere decided'} "
                f"(of {len(kinds)} trims)."
            )
    return "\n".join(lines)


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw what every way scores above or below the mean, averaged over S, a panel per task.

    Raises:
        ModelError: matplotlib is not installed.
    """
    panels = {}
    for task in figures["tasks"]:
        kinds = _kinds(task) if task["task"].endswith(TRIMMED) else [ALL]
        for kind in kinds:
            title = task["task"] if kind == ALL else kind
            # The mean itself stands at 0, where the panel has its line.
            panels[f"{title}: {task['metric']} - that of mean"] = {
                name: difference(task, name, "mean", kind=kind) for name in NAMES
            }
    gaps = [gap for panel in panels.values() for gap in panel.values()]
    ends = min(gap.low for gap in gaps) - 0.01, max(gap.high for gap in gaps) + 0.01
    forest(panels, path, limits=ends)


def _without_beginning(sound: Sound, seconds: float) -> Sound:
    if not seconds:
        return sound

    def make(sample_rate: int) -> np.ndarray:
        waveform = sound.make(sample_rate)
        return waveform[min(round(seconds * sample_rate), len(waveform) // 2) :]

    return Sound(f"{sound.key}|first {seconds:g} s cut off, half at most", make)


def _grids(descriptions: Sequence[np.ndarray], S: int, counts: Sequence[int]) -> np.ndarray:
    return np.stack([of_count(each, S, counts) for each in descriptions])


def _cost(ways: Sequence[Combination], tracks: np.ndarray, timed: int) -> list[dict[str, Any]]:
    """Numbers and bytes per track, and processor microseconds per comparison, the least of five."""
    S, D = tracks.shape[1:]
    rng = np.random.default_rng(0)
    random = rng.standard_normal((timed, S, D)).astype(np.float32)
    random /= np.linalg.norm(random, axis=2, keepdims=True)
    rows = []
    for way in ways:
        numbers = int(way.keep(tracks[:1])[0].size)
        row = {"way": way.name, "S": S, "numbers": numbers, "bytes": numbers * BYTES}
        if timed:
            kept, query = way.keep(random), way.keep(tracks[:1].astype(np.float32))[0]
            best = min(_seconds(way, query, kept) for _ in range(5))
            row["microseconds"] = round(best / timed * 1e6, 4)
        rows.append(row)
    return rows


def _seconds(way: Combination, query: np.ndarray, kept: np.ndarray) -> float:
    began = time.process_time()  # of all threads: a busy machine does not make it longer
    way.compare(query, kept)
    return time.process_time() - began


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _values(task: Mapping[str, Any], way: str, S: int | None) -> np.ndarray:
    """Score of every query, [Q]; averaged over all S above 1 if none is given."""
    table = task["values"][way]
    counts = [str(S)] if S is not None else [count for count in table if int(count) > 1]
    mean: np.ndarray = np.array([table[count] for count in counts], dtype=float).mean(axis=0)
    return mean


def _kinds(task: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(task["kinds"]))


def _of_kind(task: Mapping[str, Any], kind: str) -> np.ndarray:
    kinds = np.asarray(task["kinds"])
    return np.ones(len(kinds), dtype=bool) if kind == ALL else kinds == kind


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _scores(figures: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """Score by way and S, over the queries of all kinds."""
    rows = []
    for way in NAMES:
        cells = []
        for S in figures["counts"]:
            score = np.nanmean(_values(task, way, S))
            against = difference(task, way, "mean", S=S)
            cells.append(f"{score:.3f}{_MARKS.get(sign(against), '')}")
        rows.append([way, *cells])
    kinds = _kinds(task)
    of_what = f", {len(kinds)} kinds of queries" if len(kinds) > 1 else ""
    asked = ~np.isnan(_values(task, "mean", figures["counts"][0]))
    groups = len(set(np.asarray(task["groups"])[asked].tolist()))
    together = f" of {groups} tracks or labels" if groups < asked.sum() else ""
    head = f"**{task['task']}**, {task['metric']}, {asked.sum()} queries{together}{of_what}"
    note = "▲ ▼ above or below the mean of the same segments, its interval without 0"
    return f"{head} ({note})\n\n" + _table(["", *(f"S = {S}" for S in figures["counts"])], rows)


def _differences(figures: Mapping[str, Any]) -> str:
    rows = []
    for task in figures["tasks"]:
        kinds = _kinds(task)
        for kind in [*(kinds if len(kinds) > 1 else []), ALL]:
            cells = [difference(task, way, "mean", kind=kind) for way in NAMES[1:]]
            name = task["task"] if kind == ALL else f"{task['task']}: {kind}"
            rows.append([name, *(in_figures(cell, plus=True) for cell in cells)])
    head = (
        "**Difference from the mean of the same segments**, averaged over S above 1, 95 % interval"
    )
    return f"{head}\n\n" + _table(["", *NAMES[1:]], rows)


def _equal_numbers(figures: Mapping[str, Any]) -> str:
    pairs = [("reduced", "mean"), *((way, "concat") for way in NAMES[3:])]
    rows = [
        [task["task"], *(in_figures(difference(task, *pair), plus=True) for pair in pairs)]
        for task in figures["tasks"]
    ]
    heads = [f"{a} - {b} ({'D' if b == 'mean' else 'S * D'} numbers)" for a, b in pairs]
    width, D = _widths(figures)
    few = ", only as many as tracks it was fitted on" if width < D else ""
    head = f"**At equal numbers per track**, averaged over S above 1 (reduced: {width}{few}; mean: {D})"
    return f"{head}\n\n" + _table(["", *heads], rows)


def _widths(figures: Mapping[str, Any]) -> list[int]:
    """Numbers per track of "reduced" and of the mean."""
    return [
        max(row["numbers"] for row in figures["cost"] if row["way"] == way)
        for way in ("reduced", "mean")
    ]


def _narrow(figures: Mapping[str, Any]) -> str:
    """A warning where "reduced" could not be made as wide as the mean."""
    width, D = _widths(figures)
    return f" (NOT at equal numbers: {width} to {D})" if width < D else ""


def _costs(figures: Mapping[str, Any]) -> str:
    cost = {(row["way"], row["S"]): row for row in figures["cost"]}

    def cell(row: Mapping[str, Any]) -> str:
        time_ = f", {row['microseconds']:.2f} µs" if "microseconds" in row else ""
        return f"{row['bytes']:,} B{time_}"

    rows = [[way, *(cell(cost[way, S]) for S in figures["counts"])] for way in NAMES]
    head = "**Cost**: bytes per track, and processor time per track that a query is compared with"
    return f"{head}\n\n" + _table(["", *(f"S = {S}" for S in figures["counts"])], rows)


def _where(tasks: Sequence[Mapping[str, Any]], way: str) -> tuple[set[str], str]:
    """What the tasks say of a way against the mean, and which says what."""
    named: dict[str, list[str]] = {}
    for task in tasks:
        gap = difference(task, way, "mean")
        named.setdefault(sign(gap), []).append(f"{task['task']} ({gap.mean:+.3f})")
    found = [f"{what} in {', '.join(named[what])}" for what in (BETTER, WORSE) if what in named]
    return set(named), "; ".join(found) or "undecided everywhere"


def _judgement(tasks: Sequence[Mapping[str, Any]], way: str) -> str:
    signs, where = _where(tasks, way)
    if BETTER in signs and WORSE in signs:
        answer = "Concatenation beats the mean in some tasks and loses in others"
    elif BETTER in signs:
        answer = "The claim holds" + _of(tasks, way, BETTER)
    elif WORSE in signs:
        answer = "The claim does not hold: the mean is better" + _of(tasks, way, WORSE)
    else:
        answer = "Not shown: no task tells concatenation from the mean"
    return f"{answer} (concat against mean: {where})."


def _of(tasks: Sequence[Mapping[str, Any]], way: str, what: str) -> str:
    """How many tasks say so, unless all do."""
    count = sum(sign(difference(task, way, "mean")) == what for task in tasks)
    said = f" in {count} of {len(tasks)} tasks, which the others do not confirm"
    return "" if count == len(tasks) else said
