"""The one shape of every task: queries among tracks, and which answers are right.

    similarity float [Q, N] + relevant bool [Q, N]  ->  Score: mean, interval, value of every query

A task only says who is asked, among whom and what counts; `judge` is the one place where that
becomes figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from soundalike.evaluation.metrics import METRICS, Interval, bootstrap
from soundalike.evaluation.sounds import Sound

ALL = "all"
"""The kind of a score over the queries of all kinds."""


@dataclass(frozen=True, eq=False)
class Retrieval:
    """One named task: who is asked, among whom, and what counts.

    Attributes:
        task: such as "same_track", "degraded", "same_album".
        queries: Q sounds that are asked about.
        tracks: N sounds that are ranked for each of them.
        relevant: bool [Q, N], right answers. A query without any is not asked.
        barred: bool [Q, N], left out of the query's ranking: itself, the same artist.
        kinds: Q names of what was done to the query ("mp3 32 kbit/s"); "" where there is one kind.
        metrics: names out of `METRICS`.
        together: Q names; queries of one name do not speak independently, as those of one album: the
            interval is over names. Empty where every query speaks for itself.

    Raises:
        ValueError: shapes that do not fit each other, or a metric that does not exist.
    """

    task: str
    queries: Sequence[Sound]
    tracks: Sequence[Sound]
    relevant: np.ndarray
    barred: np.ndarray
    kinds: Sequence[str]
    metrics: tuple[str, ...]
    together: Sequence[str] = ()

    def __post_init__(self) -> None:
        shape = (len(self.queries), len(self.tracks))
        if self.relevant.shape != shape or self.barred.shape != shape:
            raise ValueError(
                f"{self.task}: relevant {self.relevant.shape} and barred {self.barred.shape} must "
                f"both be [Q, N] = {shape}"
            )
        if len(self.kinds) != shape[0]:
            raise ValueError(f"{self.task}: {len(self.kinds)} kinds for {shape[0]} queries")
        if len(self.together) not in (0, shape[0]):
            raise ValueError(f"{self.task}: {len(self.together)} names for {shape[0]} queries")
        if unknown := set(self.metrics) - set(METRICS):
            raise ValueError(f"{self.task}: no metric {unknown}; there are {', '.join(METRICS)}")


@dataclass(frozen=True, slots=True)
class Score:
    """What a system scored in one task, for the queries of one kind.

    Attributes:
        task: of the `Retrieval`.
        kind: of the queries; "" where there is one kind, `ALL` for those of all kinds.
        queries: how many had something to find.
        intervals: metric -> mean over queries with its 95 % interval.
        values: metric -> value of every query in order, NaN for one that had nothing to find.
        groups: which queries belong together, a number for each; empty where none do. Those made from
            one sound, in a score of `ALL`; those of one label. The interval is over these, as ten
            changed copies of a track are not ten tracks.
    """

    task: str
    kind: str
    queries: int
    intervals: dict[str, Interval]
    values: dict[str, list[float]]
    groups: list[int] = field(default_factory=list)


def judge(retrieval: Retrieval, similarity: np.ndarray) -> list[Score]:
    """Score a system's similarities.

    Args:
        retrieval: the task.
        similarity: float [Q, N], higher is more alike.

    Returns:
        One score per kind in the order they appear; where there are several, one for `ALL` at last.

    Raises:
        ValueError: a shape that does not fit the task, or a similarity that is NaN.
    """
    relevant = retrieval.relevant & ~retrieval.barred
    if similarity.shape != relevant.shape:
        raise ValueError(
            f"{retrieval.task}: similarity {similarity.shape} must be [Q, N] = {relevant.shape}"
        )
    allowed = np.where(retrieval.barred, -np.inf, similarity)
    values = {name: METRICS[name](allowed, relevant) for name in retrieval.metrics}
    kinds = np.asarray(retrieval.kinds)
    several = list(dict.fromkeys(retrieval.kinds))
    asked = relevant.any(axis=1)

    # Queries of one origin seek the same answers, when what was barred is counted among them.
    _, origins = np.unique(relevant | retrieval.barred, axis=0, return_inverse=True)
    named = None
    if retrieval.together:
        named = np.unique(np.asarray(retrieval.together), return_inverse=True)[1]

    def score(kind: str, chosen: np.ndarray, groups: np.ndarray | None) -> Score:
        found = {name: each[chosen] for name, each in values.items()}
        return Score(
            task=retrieval.task,
            kind=kind,
            queries=int(asked[chosen].sum()),
            intervals={name: bootstrap(each, groups=groups) for name, each in found.items()},
            values={name: each.tolist() for name, each in found.items()},
            groups=[] if groups is None else groups.tolist(),
        )

    def of_kind(kind: str) -> Score:
        chosen = kinds == kind
        return score(kind, chosen, None if named is None else named[chosen])

    scores = [of_kind(kind) for kind in several]
    if len(several) > 1:
        whole = np.ones(len(kinds), dtype=bool)
        scores.append(score(ALL, whole, origins.reshape(-1) if named is None else named))
    return scores
