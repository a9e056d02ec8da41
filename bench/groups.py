"""Which rule says best how alike two artists are, two soundtracks, two artists of two styles each.

The tracks of every group are cut into two halves at random. With one half of a group the other halves of
all groups are ranked; right is its own. Recordings: the training split of $SOUNDALIKE_DATA/music.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from record import DATA, ROOT, finish, parser
from soundalike.embedder import Embedder
from soundalike.evaluation import calibration
from soundalike.evaluation.tasks.recordings import Recording, read_recordings
from soundalike.library.aggregation import track_vector, unit
from soundalike.library.ranking import BOTH
from soundalike.library.similarity import VALUES, Scale, read_curves

Rule = Callable[[np.ndarray, np.ndarray], float]
"""Unit rows of two groups, [m, D] and [n, D] -> how alike they are."""

CACHE = ROOT / ".cache/calibration"
FEWEST = 4  # tracks of a group: two to ask with, two to be found
SPLITS = 50
DRAWS = 2000


def centroid(ones: np.ndarray, others: np.ndarray) -> float:
    return float(unit(ones.mean(axis=0)) @ unit(others.mean(axis=0)))


def all_pairs(ones: np.ndarray, others: np.ndarray) -> float:
    return float((ones @ others.T).mean())


def forth(ones: np.ndarray, others: np.ndarray) -> float:
    return float((ones @ others.T).max(axis=1).mean())


def back(ones: np.ndarray, others: np.ndarray) -> float:
    return forth(others, ones)


def both_ways(ones: np.ndarray, others: np.ndarray) -> float:
    return (forth(ones, others) + back(ones, others)) / 2


def best(count: int) -> Rule:
    def rule(ones: np.ndarray, others: np.ndarray) -> float:
        return float(np.sort((ones @ others.T).ravel())[-count:].mean())

    return rule


def mixed(ones: np.ndarray, others: np.ndarray) -> float:
    return (centroid(ones, others) + both_ways(ones, others)) / 2


RULES: dict[str, Rule] = {
    "centroids": centroid,
    "best matches, both ways (Chamfer)": both_ways,
    "centroids and best matches": mixed,
    "best matches of the one that asks": forth,
    "best matches of the one that answers": back,
    "mean of all pairs": all_pairs,
    "best pair": best(1),
    "best 3 pairs": best(3),
    "best 10 pairs": best(10),
}

Group = list[list[int]]
"""The tracks of a group, style by style; every style goes half and half."""


def labelled(recordings: list[Recording], label: str) -> list[Group]:
    """Groups of at least `FEWEST` tracks that share an artist or an album."""
    names = [getattr(recording, label) for recording in recordings]
    rows = {name: [i for i, other in enumerate(names) if other == name] for name in names if name}
    return [[tracks] for tracks in rows.values() if len(tracks) >= FEWEST]


def two_styles(albums: list[Group], rng: np.random.Generator) -> list[Group]:
    """Pair albums off at random, as if one artist had made both."""
    order = rng.permutation(len(albums))
    return [albums[i] + albums[j] for i, j in zip(order[::2], order[1::2], strict=False)]


def halved(group: Group, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    one: list[int] = []
    other: list[int] = []
    for tracks in group:
        mixed = rng.permutation(tracks).tolist()
        one += mixed[: len(mixed) // 2]
        other += mixed[len(mixed) // 2 :]
    return one, other


def reciprocal_ranks(
    vectors: np.ndarray, groups: list[Group], rule: Rule, rng: np.random.Generator
) -> np.ndarray:
    """1 / the rank of each group's other half: [G]."""
    halves = [halved(group, rng) for group in groups]
    table = np.array(
        [[rule(vectors[one], vectors[other]) for _, other in halves] for one, _ in halves]
    )
    return 1 / (table >= np.diag(table)[:, None]).sum(axis=1)


def measured(vectors: np.ndarray, recordings: list[Recording]) -> dict[str, Any]:
    """Per kind of group: how many, and MRR with interval and difference to the first for each rule."""
    albums = labelled(recordings, "album")
    kinds = {"artists": labelled(recordings, "artist"), "soundtracks": albums, "two styles": albums}
    figures = {}
    for kind, groups in kinds.items():
        scores: dict[str, np.ndarray] = {}
        for name, rule in RULES.items():
            rng = np.random.default_rng(0)  # every rule sees the same halves
            found = []
            for _ in range(SPLITS):
                drawn = two_styles(groups, rng) if kind == "two styles" else groups
                found.append(reciprocal_ranks(vectors, drawn, rule, rng))
            # Who is paired with whom changes there: a draw is the witness, else a group.
            scores[name] = np.mean(found, axis=1 if kind == "two styles" else 0)
        figures[kind] = {
            "groups": len(groups) // 2 if kind == "two styles" else len(groups),
            "scores": {
                name: {
                    "MRR": interval(values),
                    "minus first": interval(values - scores[next(iter(RULES))]),
                }
                for name, values in scores.items()
            },
        }
    return figures


def reached(means: np.ndarray, recordings: list[Recording], scale: Scale) -> dict[str, Any]:
    """Similarities of the centroids of different soundtracks: how many pairs reach which."""
    centroids = unit(
        np.stack([means[group[0]].mean(axis=0) for group in labelled(recordings, "album")])
    )
    cosines = (centroids @ centroids.T)[np.triu_indices(len(centroids), 1)]
    similar = scale.similarities(cosines, BOTH, "mean")
    shares = {f"{value:g}": float((similar >= value).mean()) for value in VALUES[1:]}
    return {"pairs": len(cosines), "shares": shares}


def interval(values: np.ndarray) -> list[float]:
    """Mean, and 95 % of bootstrap means."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (DRAWS, len(values)))].mean(axis=1)
    return [float(values.mean()), *map(float, np.quantile(means, [0.025, 0.975]))]


def as_markdown(figures: dict[str, Any]) -> str:
    parts = []
    for encoder, kinds in figures["encoders"].items():
        heads = [f"{kind} ({found['groups']})" for kind, found in kinds.items()]
        lines = [f"| `{encoder}` | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
        for rule in RULES:
            cells = [_cell(found["scores"][rule]) for found in kinds.values()]
            lines.append(f"| {rule} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def scale_in_words(figures: dict[str, Any]) -> str:
    """What similarities of groups are like, beside those of tracks."""
    said = []
    for encoder, found in figures["reached"].items():
        shares = ", ".join(f"{share:.3f} reach {value}" for value, share in found["shares"].items())
        said.append(f"of {found['pairs']} pairs of soundtracks, `{encoder}`: {shares}")
    listed = ";\n".join(said)
    return (
        "Their similarities go through the curve of tracks. Centroids lie further apart from the middle\n"
        f"than tracks, so high values are less rare among them:\n{listed}.\n"
    )


def _cell(score: dict[str, list[float]]) -> str:
    mean, low, high = score["MRR"]
    _, worse, better = score["minus first"]
    mark = " −" if better < 0 else " +" if worse > 0 else ""
    return f"{mean:.3f} ({low:.3f}-{high:.3f}){mark}"


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--models", nargs="+", default=["two-senses", "ast-30s"])
    options = made.parse_args()
    recordings = read_recordings(DATA / "music/tracks.csv", "train")
    figures: dict[str, Any] = {"splits": SPLITS, "encoders": {}, "reached": {}}
    for name in options.models:
        embedder = Embedder(name)
        heard, vectors = calibration.heard(embedder, recordings, cache=CACHE, jobs=1)
        kept = calibration.distinct(heard, cache=CACHE)
        means = track_vector(vectors[kept], "mean", embedder.senses)
        recordings_of = [heard[i] for i in kept]
        figures["encoders"][embedder.identity] = measured(means, recordings_of)
        curves = read_curves(embedder.folder, embedder.identity)
        figures["reached"][embedder.identity] = reached(means, recordings_of, Scale(curves))
    finish(Path(__file__).name, as_markdown(figures), figures, options)


if __name__ == "__main__":
    main()
