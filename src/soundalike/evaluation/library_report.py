"""The record of a library (`own_library`) -> lines for a terminal, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.evaluation import pictures
from soundalike.evaluation.metrics import Interval
from soundalike.evaluation.retrieval import ALL

Record = dict[str, Any]
BLIND = "any two tracks"
"""Name of the pairs that are drawn blindly."""

MEANING = {
    "same_artist": "a track is asked about; right are others with its artist tag",
    "same_album": "right are others of its album",
    "same_genre": "right are others with its genre tag",
    "same_track": "the second half of a track is asked about, among the first halves of the sample",
    "degraded": "half a minute that was changed is asked about, among the tracks of the sample; "
    "clean: not changed",
}
"""What is asked and what is right, by task."""


def as_text(record: Record) -> str:
    """A record as lines for a terminal: what was measured, what it means, what was left out."""
    tags = [
        f"{tag['tracks']} with {'an' if name[0] == 'a' else 'a'} {name} ({tag['values']} different)"
        for name, tag in record["tags"].items()
    ]
    lines = [
        f"{record['library']}: {record['tracks']} tracks, {record['encoder']}, segments compared by "
        f"{record['aggregation']}",
        f"tags: {', '.join(tags)}",
    ]
    if record["left_out"]:
        lines.append(f"{record['left_out']} tracks, drawn by chance, were left out: too many")
    if record["results"]:
        lines += ["", f"{'':40}{'queries':>8}{'among':>8}{'guessing':>10}  mean and 95 % interval"]
        lines += [_line(result) for result in record["results"]]
    asked = dict.fromkeys(result["task"].partition("_other_")[0] for result in record["results"])
    lines += [f"  {_title({'task': task})}: {MEANING[task]}" for task in asked]
    lines += ["", *_pair_lines(record), *_hub_lines(record)]
    lines += [f"{_title(entry)}: not measured, {entry['reason']}" for entry in record["skipped"]]
    lines += [f"could not be used: {each['path']}: {each['reason']}" for each in record["failed"]]
    return "\n".join(lines).rstrip()


def draw_library(record: Record, folder: Path) -> list[Path]:
    """Draw what a record holds: scores.png, degraded.png, similarities.png, lists.png.

    Args:
        record: of `own_library.evaluate_library`.
        folder: made if missing; pictures of what the record does not hold are not made.

    Returns:
        The pictures made.

    Raises:
        ModelError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    of_tasks = [each for each in record["results"] if each["kind"] in ("", ALL)]
    of_kinds = [each for each in record["results"] if each["kind"] not in ("", ALL)]
    drawn = _forest(of_tasks, folder / "scores.png", _title)
    drawn += _forest(of_kinds, folder / "degraded.png", lambda result: str(result["kind"]))
    if record["pairs"]:
        drawn.append(folder / "similarities.png")
        labels = ("similarity of two tracks", "share of pairs")
        pictures.steps(_where_pairs_are(record["pairs"]), drawn[-1], labels=labels)
    if record["hubness"]:
        drawn.append(folder / "lists.png")
        counts, k = record["hubness"]["tracks by lists"], record["hubness"]["k"]
        edges = [number - 0.5 for number in range(len(counts) + 1)]
        labels = (f"lists of the {k} nearest that a track is in", "tracks")
        pictures.steps({"tracks": (edges, counts)}, drawn[-1], labels=labels, counted=True)
    return drawn


def _forest(results: Sequence[Record], picture: Path, name: Callable[[Record], str]) -> list[Path]:
    panels: dict[str, dict[str, Interval]] = {}
    for score, title in (("top-1", "the first answer is right"), ("P@10", "P@10")):
        for result in results:
            if result["scores"].get(score, {}).get("mean") is not None:
                panel = panels.setdefault(f"{title} (upright line: guessing)", {})
                panel[name(result)] = Interval(**result["scores"][score])
    chance = {name(result): result["chance"] for result in results}
    if panels:
        pictures.forest(panels, picture, chance=chance)
    return [picture] if panels else []


def _where_pairs_are(pairs: Record) -> dict[str, tuple[list[float], list[float]]]:
    """Histograms without the bins at both ends where no pair is."""
    filled = np.flatnonzero(np.sum([pair["shares"] for pair in pairs.values()], axis=0))
    first, last = int(filled[0]), int(filled[-1]) + 1
    return {
        name: (pair["edges"][first : last + 1], pair["shares"][first:last])
        for name, pair in pairs.items()
    }


def _title(entry: Record) -> str:
    name = entry["task"].replace("_", " ")
    return f"{name}, {entry['kind']}" if entry.get("kind") else name


def _line(result: Record) -> str:
    scores = "  ".join(
        f"{name} {value['mean']:.3f} ({value['low']:.3f}-{value['high']:.3f})"
        for name, value in result["scores"].items()
        if value["mean"] is not None
    )
    counts = f"{result['queries']:>8}{result['tracks']:>8}{result['chance']:>10.4f}"
    return f"{_title(result)[:39]:40}{counts}  {scores}"


def _pair_lines(record: Record) -> list[str]:
    return [
        f"two tracks of the {name} are more alike than two drawn blindly "
        f"{pair['more alike than any two']:.0%} of the time (mean {pair['mean']:.2f} against "
        f"{record['pairs']['any two tracks']['mean']:.2f})"
        for name, pair in record["pairs"].items()
        if name != BLIND
    ]


def _hub_lines(record: Record) -> list[str]:
    hubs = record["hubness"]
    if not hubs:
        return []
    skewness, nobody = (hubs["scores"][name]["mean"] for name in ("skewness of N_10", "anti-hubs"))
    return [
        f"hubness: among {hubs['tracks']} tracks {nobody:.0%} are in no list of the {hubs['k']} "
        f"nearest; skewness {skewness:.2f} (0 is even); most often listed:",
        *(f"  {each['lists']:4} times {each['track']}" for each in hubs["most"]),
    ]
