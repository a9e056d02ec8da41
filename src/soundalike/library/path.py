r"""Two tracks -> a way from one to the other, over tracks that lie between, in steps as even as may be.

With a and b the unit vectors of start and end, omega the angle between them and n tracks in all, the
places one would like to step on lie evenly along the great circle,

    t_k = sin((1 - x) omega) / sin(omega) a + sin(x omega) / sin(omega) b,    x = k / (n - 1)

No library has a track there. So each place gets the tracks that lie nearest to it, in turns, none
for two places, and of all ways that take one track for each place the one with the smallest sum of
step angles to the fourth is found by dynamic programming. The power makes steps even: one long step
costs more than two of half its length. At last each track is exchanged for any other candidate that
makes the sum smaller, until none does.

Which tracks are the same recording is sorted out before: of several only the one nearest to any
place may be stepped on.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.ground import Counted, Ground, Points

# Tracks to choose from for each place.
CANDIDATES = 64
# Beyond, the places lie closer to each other than any two tracks do.
MOST_TRACKS = 200
# Of 2, 4 and 8: higher powers make the longest step shorter and the mean one longer.
POWER = 4
SWEEPS = 10


def find_path(ground: Ground, start: int, end: int, n: int) -> list[int]:
    """Find the way from one point to another.

    Args:
        ground: the tracks, and which of them may be chosen between the two.
        start, end: two points; they come first and last whatever the terms say.
        n: tracks in all, start and end included, 2..`MOST_TRACKS`.

    Returns:
        Points, none twice: n of them, or fewer where there are not so many to choose from.

    Raises:
        QueryError: n out of range, or start and end are the same point.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 2 <= n <= MOST_TRACKS:
        raise QueryError(
            f"n is {n!r}; a path has 2 to {MOST_TRACKS} tracks, its start and its end included"
        )
    if start == end:
        raise QueryError(
            f"the path starts and ends at the same track, {ground.track(start).title!r}; "
            "to stay around one track, ask for its radio"
        )
    ends = ground.vectors([start, end]).astype(np.float64)
    open_rows = ground.open()
    open_rows[[point for point in (start, end) if point < len(open_rows)]] = False
    while True:
        count = min(int(n) - 2, int(open_rows.sum()))
        if count < 1:
            return [start, end]
        layers = _layers(ground, ends, count, open_rows, start=start, end=end)
        if len(layers) < min(count, int(open_rows.sum())):
            continue  # too many candidates were recordings of others; they are closed now
        if not layers:
            return [start, end]
        way = _smoothed(ground, [start, *_cheapest(ground, ends, layers), end], layers)
        # Who is on the way too often is thinned out, and another way is found without them.
        surplus = _surplus(ground, way)
        if not surplus:
            return way
        open_rows[surplus] = False


def step_angles(ground: Ground, points: list[int]) -> npt.NDArray[np.float64]:
    """Angles between neighbors on a way, radians, float64 [n - 1]."""
    vectors = unit(ground.vectors(points).astype(np.float64))
    cosines = np.einsum("nd,nd->n", vectors[1:], vectors[:-1])
    return np.asarray(np.arccos(np.clip(cosines, -1, 1)), np.float64)


def places_between(ends: Vectors, count: int) -> Vectors:
    """Places evenly along the great circle between two unit vectors [2, D]: [count, D]."""
    a, b = ends
    omega = math.acos(float(np.clip(a @ b, -1, 1)))
    if omega < 1e-6:  # one sound: everything stays there
        return np.repeat(ends[:1], count, axis=0)
    if math.pi - omega < 1e-6:  # opposite: every great circle leads there, so take one
        side = np.zeros_like(a)
        side[int(np.argmin(np.abs(a)))] = 1.0
        turn = unit(side - (side @ a) * a)
        angles = np.linspace(0, math.pi, count + 2)[1:-1, None]
        return np.asarray(np.cos(angles) * a + np.sin(angles) * turn)
    x = np.linspace(0, 1, count + 2)[1:-1, None]
    return np.asarray((np.sin((1 - x) * omega) * a + np.sin(x * omega) * b) / math.sin(omega))


def _layers(
    ground: Ground,
    ends: Vectors,
    count: int,
    open_rows: npt.NDArray[np.bool_],
    *,
    start: int,
    end: int,
) -> list[Points]:
    """For each of `count` places the rows to choose from, no row for two of them.

    Rows that turn out to be one recording with another are closed for good.
    """
    places = places_between(ends, count)
    depth = min(int(open_rows.sum()), CANDIDATES * count)
    nearest = []
    for place in places:
        scores = ground.likeness(place)[0]
        scores[~open_rows] = -np.inf
        rows = np.argpartition(-scores, depth - 1)[:depth]
        nearest.append(rows[np.lexsort((rows, -scores[rows]))])
    if not ground.selection.keep_versions:
        _close_versions(ground, nearest, open_rows, start=start, end=end)
    taken: set[int] = set()
    layers: list[list[int]] = [[] for _ in range(count)]
    turns = [(row for row in rows.tolist() if open_rows[row]) for rows in nearest]
    for turn in range(CANDIDATES):
        order = range(count) if turn % 2 == 0 else range(count - 1, -1, -1)
        for k in order:
            row = next((row for row in turns[k] if row not in taken), None)
            if row is not None:
                taken.add(row)
                layers[k].append(row)
    return [np.array(layer, np.int64) for layer in layers if layer]


def _close_versions(
    ground: Ground,
    nearest: list[Points],
    open_rows: npt.NDArray[np.bool_],
    *,
    start: int,
    end: int,
) -> None:
    """Leave one of each recording open among the candidates, and none of start and end."""
    best: dict[int, int] = {}
    for rows in nearest:
        for rank, row in enumerate(rows.tolist()):
            best[row] = min(rank, best.get(row, rank))
    # Start and end come first, for a pair leaves its first one open.
    ordered = [start, end, *sorted(best, key=lambda row: (best[row], row))]
    closed: set[int] = set()
    for i, j in ground.recorded_twice(np.array(ordered, np.int64)):
        if i not in closed and j > 1:
            closed.add(j)
    open_rows[[ordered[j] for j in sorted(closed)]] = False


def _cheapest(ground: Ground, ends: Vectors, layers: list[Points]) -> list[int]:
    """One row of each layer, so that the costs of the steps add up to the least."""
    before = ends[:1]
    cost = np.zeros(1)
    back: list[Points] = []
    for layer in layers:
        vectors = ground.vectors(layer).astype(np.float64)
        total = cost[:, None] + _costs(before, vectors)
        back.append(total.argmin(axis=0))
        cost, before = total.min(axis=0), vectors
    at = int((cost + _costs(before, ends[1:])[:, 0]).argmin())
    way = []
    for layer, previous in zip(reversed(layers), reversed(back), strict=True):
        way.append(int(layer[at]))
        at = int(previous[at])
    return way[::-1]


def _smoothed(ground: Ground, way: list[int], layers: list[Points]) -> list[int]:
    """Exchange tracks between start and end for candidates of any place as long as that pays."""
    pool = np.concatenate(layers)
    vectors = ground.vectors(pool).astype(np.float64)
    place = {row: i for i, row in enumerate(pool.tolist())}
    used = np.isin(pool, way)
    steps = ground.vectors(way).astype(np.float64)
    for _ in range(SWEEPS):
        changed = False
        for i in range(1, len(way) - 1):
            costs = _costs(vectors, steps[[i - 1, i + 1]]).sum(axis=1)
            own = place[way[i]]
            now = costs[own]
            costs[used] = np.inf
            best = int(costs.argmin())
            if costs[best] < now - 1e-9:
                used[own], used[best] = False, True
                way[i], steps[i], changed = int(pool[best]), vectors[best], True
        if not changed:
            break
    return way


def _costs(left: Vectors, right: Vectors) -> Vectors:
    return np.arccos(np.clip(left @ right.T, -1, 1)) ** POWER


def _surplus(ground: Ground, way: list[int]) -> list[int]:
    """Rows between start and end that are too many of an artist or album; the smoothest stay."""
    counted = Counted(ground)
    for point in (way[0], way[-1]):
        counted.take(point)
    angles = step_angles(ground, way)
    bumps = {row: a + b for row, (a, b) in zip(way[1:-1], pairwise(angles.tolist()), strict=True)}
    surplus = []
    for row in sorted(bumps, key=lambda row: (bumps[row], row)):
        if counted.room(row):
            counted.take(row)
        else:
            surplus.append(row)
    return surplus
