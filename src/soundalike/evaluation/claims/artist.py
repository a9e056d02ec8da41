"""Claim: "Supervision by artist over-recommends the artist; self-supervision does not."

In: what two encoders of the same data find alike, and a third opinion on style that knows neither.
Every track is asked about among all others of its group. Artists that the supervised encoder was
trained to name are one group, artists that nobody trained on another. Among the ten best answers:

    same artist     the share by the query's artist, beside the share that chance would give
    off style       the share by the query's artist, yet from the half of the tracks that sounds less
                    like the query by the third opinion (MFCC statistics, say): the artist is
                    recommended where the music does not call for it
    off label       the share by the query's artist, yet of another soundtrack
    quality         P@10 and nDCG@10 of the soundtrack when the artist's own tracks are left out

More tracks of the artist alone prove nothing: an artist sounds like himself, and a better encoder
hears it. Nor do more tracks from the far half: a worse encoder takes more of everybody from there. So
supervision is said to over-recommend only where it is off style more often than its answers from the far
half would be by chance, by more than self-supervision is, and where it is not the better encoder when the
artist is left out. And for each encoder alone: of its answers from the far half, how many times as many are
by the artist as are in the far half?

A track whose artist is not known is not asked about, though it may be answered with: the soundtrack that
stands for an artist in training is none. Queries of one artist help each other, so intervals are over
artists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import QueryError
from soundalike.evaluation.claims.intervals import (
    BETTER,
    WORSE,
    in_figures,
    measured_of,
    ratio,
    sign,
)
from soundalike.evaluation.metrics import METRICS, Interval, bootstrap, paired_difference
from soundalike.evaluation.pictures import forest
from soundalike.evaluation.sounds import Sound

Similarity = Callable[[Sequence[Sound]], np.ndarray]
"""Sounds -> how alike each two of them are: float [N, N], higher is more alike."""

SUPERVISED, SELF = "supervised", "self-supervised"
ANSWERS = 10
SHARES = ("same artist", "off style", "off label")
QUALITIES = ("P@10", "nDCG@10")


@dataclass(frozen=True, eq=False)
class Group:
    """Tracks that are asked about among one another.

    Attributes:
        name: such as "artists of the training".
        sounds: N tracks, whole.
        artists: N labels, "" where not known: asked about by nobody, and by nobody else.
        soundtracks: N labels.
    """

    name: str
    sounds: Sequence[Sound]
    artists: Sequence[str]
    soundtracks: Sequence[str]


def measure(
    encoders: Mapping[str, Similarity], style: Similarity, groups: Sequence[Group]
) -> dict[str, Any]:
    """Ask two encoders about every track that has others by its artist.

    Args:
        encoders: `SUPERVISED` and `SELF`, of the same data and network.
        style: a third opinion, independent of both.
        groups: the tracks.

    Returns:
        The figures: by group and encoder, the shares and qualities of every query.

    Raises:
        QueryError: a group in which no two tracks are by one artist.
    """
    return {
        "claim": "artist",
        "answers": ANSWERS,
        "groups": [_of_group(encoders, style, group) for group in groups],
    }


def _of_group(
    encoders: Mapping[str, Similarity], style: Similarity, group: Group
) -> dict[str, Any]:
    others = ~np.eye(len(group.sounds), dtype=bool)
    artists, soundtracks = np.asarray(group.artists), np.asarray(group.soundtracks)
    by_artist = (artists[:, None] == artists) & (artists != "")[:, None] & others
    same_label = (soundtracks[:, None] == soundtracks) & (soundtracks != "")[:, None]
    asked = by_artist.any(axis=1)
    if not asked.any():
        raise QueryError(
            f"{group.name}: no two of the {len(artists)} tracks are by one artist; nothing to ask"
        )
    far = far_half(style(group.sounds)) & others
    chance = _share(by_artist, others)
    found = {}
    for name, similarity in encoders.items():
        alike = similarity(group.sounds)
        ten = answers(alike)
        values = {
            "same artist": _share(by_artist & ten, ten),
            "off style": _share(by_artist & far & ten, ten),
            "off label": _share(by_artist & ~same_label & ten, ten),
            # What the far answers would hold of the artist if they were drawn from the far half.
            "off style by chance": _share(far & ten, ten) * _share(by_artist & far, far),
        }
        barred = np.where(by_artist | ~others, -np.inf, alike)
        relevant = same_label & ~by_artist & others
        values |= {metric: METRICS[metric](barred, relevant) for metric in QUALITIES}
        found[name] = {key: _listed(each[asked]) for key, each in values.items()}
    return {
        "group": group.name,
        "tracks": len(artists),
        "artists": len(set(artists[asked])),
        "chance": _listed(chance[asked]),
        "by": np.unique(artists[asked], return_inverse=True)[1].tolist(),
        "encoders": found,
    }


def answers(similarity: np.ndarray, count: int = ANSWERS) -> np.ndarray:
    """Which tracks are among a query's best answers, itself left out: bool [N, N]."""
    N = len(similarity)
    others = np.where(np.eye(N, dtype=bool), -np.inf, similarity)
    best = np.argsort(-others, axis=1, kind="stable")[:, : min(count, N - 1)]
    among = np.zeros((N, N), dtype=bool)
    np.put_along_axis(among, best, True, axis=1)
    return among


def far_half(similarity: np.ndarray) -> np.ndarray:
    """Which tracks are less like a query than the middle one of all others is: bool [N, N]."""
    others = np.where(np.eye(len(similarity), dtype=bool), np.nan, similarity)
    middle = np.nanmedian(others, axis=1, keepdims=True)
    far: np.ndarray = others < middle
    return far


def as_markdown(figures: Mapping[str, Any]) -> str:
    """A table per group, and the verdict."""
    told = measured_of(figures)
    tables = [told] if told else []
    for group in figures["groups"]:
        found = group["encoders"]
        queries = len(group["chance"])
        lines = [
            f"**{group['group']}**: {queries} tracks by {group['artists']} artists, asked about "
            f"among {group['tracks']}; by chance {_values(group['chance']).mean():.3f} of the answers "
            "are by the artist",
            "",
            f"| of {figures['answers']} answers | {SUPERVISED} | {SELF} | difference |",
            "|---|---|---|---|",
        ]
        for name in (*SHARES, *QUALITIES):
            cells = [in_figures(_score(group, e, name)) for e in (SUPERVISED, SELF)]
            gap = in_figures(difference(group, name), plus=True)
            lines.append(f"| {_row(name)} | {cells[0]} | {cells[1]} | {gap} |")
        gap = in_figures(_excess(group), plus=True)
        lines.append(f"| off style, less what chance gives in the far half | | | {gap} |")
        for label, lift in (("same artist", _lift), ("off style", _far_lift)):
            cells = [in_figures(lift(group, encoder)) for encoder in (SUPERVISED, SELF)]
            lines.append(f"| {label}, times chance | {cells[0]} | {cells[1]} | |")
        off = [_off_share(found[encoder]) for encoder in (SUPERVISED, SELF)]
        lines.append(f"| off style, of the answers by the artist | {off[0]:.3f} | {off[1]:.3f} | |")
        tables.append("\n".join(lines))
    return "\n\n".join([*tables, verdict(figures)]) + "\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say, in words."""
    lines = ["**Verdict.**"]
    for group in figures["groups"]:
        words = f"{_over(group)}; {_answers(group)}. {_alone(_far_lift(group, SELF))}"
        lines.append(f"{group['group']}: {words}")
    return "\n".join(lines)


def _over(group: Mapping[str, Any]) -> str:
    """Whether supervision over-recommends."""
    quality = sign(difference(group, "nDCG@10"))
    if sign(_excess(group)) != BETTER:
        return "no over-recommendation by supervision is shown"
    if quality == BETTER:
        return (
            "supervision is off style more often, but it is also the better encoder where the artist "
            "is left out: not decided"
        )
    beside = "worse" if quality == WORSE else "not shown to be better"
    return (
        "supervision over-recommends the artist: it is off style more often than by chance, and "
        f"{beside} where the artist is left out"
    )


def _answers(group: Mapping[str, Any]) -> str:
    """Whether supervision answers with the artist more often."""
    how = {BETTER: "more often than self-supervision", WORSE: "less often than self-supervision"}
    found = how.get(sign(difference(group, "same artist")))
    return (
        f"it answers with the artist {found or 'neither more nor less often, as far as is shown'}"
    )


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw shares and quality of both encoders, a row of panels per group.

    Raises:
        ModelError: matplotlib is not installed.
    """
    panels = {
        f"{group['group']}: {name}": {
            encoder: _score(group, encoder, name) for encoder in (SELF, SUPERVISED)
        }
        for group in figures["groups"]
        for name in ("same artist", "off style", "nDCG@10")
    }
    forest(panels, path, limits=(0, 1))


def difference(group: Mapping[str, Any], name: str) -> Interval:
    """Supervised minus self-supervised, by the same queries."""
    ours, theirs = (_values(group["encoders"][encoder][name]) for encoder in (SUPERVISED, SELF))
    return paired_difference(ours, theirs, groups=_by(group))


def _excess(group: Mapping[str, Any]) -> Interval:
    """Supervised minus self-supervised: off style, beyond what chance gives each in the far half."""
    ours, theirs = (
        _values(found["off style"]) - _values(found["off style by chance"])
        for found in (group["encoders"][encoder] for encoder in (SUPERVISED, SELF))
    )
    return paired_difference(ours, theirs, groups=_by(group))


def _score(group: Mapping[str, Any], encoder: str, name: str) -> Interval:
    return bootstrap(_values(group["encoders"][encoder][name]), groups=_by(group))


def _by(group: Mapping[str, Any]) -> np.ndarray:
    """Whose each query is: a number per artist."""
    return np.array(group["by"])


def _lift(group: Mapping[str, Any], encoder: str) -> Interval:
    found = _values(group["encoders"][encoder]["same artist"])
    return ratio(found, _values(group["chance"]), groups=_by(group))


def _far_lift(group: Mapping[str, Any], encoder: str) -> Interval:
    found = group["encoders"][encoder]
    chance = _values(found["off style by chance"])
    return ratio(_values(found["off style"]), chance, groups=_by(group))


def _alone(lift: Interval) -> str:
    """What self-supervision does, whatever supervision does."""
    if math.isnan(lift.mean):
        return "Self-supervision is never off style: none of its answers is from the far half."
    is_so = "is" if lift.low > 1 else "is not shown to be"
    return (
        f"Self-supervision {is_so} off style beyond chance: of its answers from the far half "
        f"{in_figures(lift)} times as many are by the artist as in the far half itself."
    )


def _off_share(found: Mapping[str, Any]) -> float:
    same = _values(found["same artist"]).sum()
    return float(_values(found["off style"]).sum() / same) if same else math.nan


def _row(name: str) -> str:
    return {
        "off style": "off style: by the artist, from the far half",
        "off label": "off label: by the artist, another soundtrack",
        "P@10": "P@10 of the soundtrack, the artist left out",
        "nDCG@10": "nDCG@10 of the soundtrack, the artist left out",
    }.get(name, name)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """How much of each row's whole is part: float [N], 0 where the whole is empty."""
    share: np.ndarray = part.sum(axis=1) / np.maximum(whole.sum(axis=1), 1)
    return share


def _listed(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 6) for value in values]


def _values(listed: Sequence[float | None]) -> np.ndarray:
    return np.array(listed, dtype=float)
