"""Tracks in any order -> in one in which neighbors sound alike, and a few of many that cover them all.

`shortest_order` is the open travelling salesman: the sum of 1 - cosine over all neighbors is to be
small. One place more, at no distance from any, closes the way to a round trip, and where a track must
come first or last, the distance to that place holds it there. The trip starts with always going on to
the nearest; then stretches are turned around (2-opt, Croes 1958) and stretches of up to three moved
elsewhere (Or-opt, Or 1976) as long as that helps. For each track only the partners that are nearest
to it are tried, and again only after something has changed beside it (Bentley 1992). Nothing is
random.

`medoids` picks tracks that stand for a collection: first the one nearest to all, then always the one
farthest from those picked (Gonzalez 1985), then each becomes the track nearest to the middle of what
is nearest to it, as in k-means. It never holds more than one column per pick.

`spread` makes a playlist of what such picks and their neighbors are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.ground import Counted, Ground, Points

# The table of distances takes 4 bytes x n^2: 400 MB.
MOST_SORTED = 10_000
STRETCH = 3
# Above the rounding of float32, so that rounds come to an end.
_LEAST = 2e-5
ROUNDS = 50
# Of each track, so many others are tried as its neighbors.
PARTNERS = 10
# More than one change can save, and little enough for float32 to tell _LEAST beside it.
_HOLD = 16.0
# The same track twice in a row is the last thing a sorted playlist should have.
APART = 3.0
# Of a mix that may hold the given tracks: one in so many is one of them.
SHARE_GIVEN = 3
# Picks are for what one cannot hear at once; a mix goes round them again for the rest.
MOST_PICKS = 50

Order: TypeAlias = npt.NDArray[np.int64]


def shortest_order(
    vectors: Vectors,
    *,
    start: int | None = None,
    end: int | None = None,
    copies: Sequence[object] | None = None,
) -> Order:
    """Order tracks so that neighbors sound alike.

    Args:
        vectors: unit rows, [n, D].
        start, end: which one must come first and last; None for any.
        copies: a name for each; two of one name are kept apart.

    Returns:
        A permutation of 0..n-1, int64 [n].

    Raises:
        QueryError: more than `MOST_SORTED`, or one track is to be first and last of several.
    """
    n = len(vectors)
    if n > MOST_SORTED:
        raise QueryError(f"{n} tracks are too many to sort; {MOST_SORTED} at most can be")
    if n > 1 and start is not None and start == end:
        raise QueryError("one track cannot come first and last; give another start or end")
    if n < 2:
        return np.arange(n)
    distances = np.zeros((n + 1, n + 1), np.float32)
    inner = distances[:n, :n]
    np.matmul(vectors.astype(np.float32), vectors.astype(np.float32).T, out=inner)
    np.subtract(1, inner, out=inner)
    np.maximum(inner, 0, out=inner)
    _keep_apart(inner, copies)
    for fixed in (start, end):
        if fixed is not None:
            distances[n, fixed] = distances[fixed, n] = -_HOLD
    trip = _improved(np.append(_nearest_next(inner, start, end), n), distances)
    at = int(np.flatnonzero(trip == n)[0])
    order = np.roll(trip, -at)[1:]
    backwards = order[0] == end or order[-1] == start
    return order[::-1].copy() if backwards else order


def length(vectors: Vectors, order: Sequence[int] | Order) -> float:
    """Sum of 1 - cosine over the neighbors of an order."""
    ordered = vectors[np.asarray(order, np.int64)].astype(np.float64)
    return float(np.sum(1 - np.einsum("nd,nd->n", ordered[1:], ordered[:-1])))


def medoids(vectors: Vectors, count: int) -> Order:
    """Pick tracks that stand for all of them.

    Args:
        vectors: unit rows, [n, D].
        count: picks wanted, at least 1; there are at most n.

    Returns:
        Indices, each once, int64 [count]: the first stands for most.
    """
    count = min(count, len(vectors))
    picks = [int((vectors @ vectors.mean(axis=0)).argmax())]
    nearest = vectors @ vectors[picks[0]]
    while len(picks) < count:
        nearest[picks] = np.inf
        picks.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, vectors @ vectors[picks[-1]])
    for _ in range(ROUNDS):
        groups = (vectors @ vectors[picks].T).argmax(axis=1)
        # A copy of a pick may win its place; so each is of its own group, whatever the ties.
        groups[picks] = np.arange(count)
        moved = [_middle(vectors, np.flatnonzero(groups == k)) for k in range(count)]
        if moved == picks:
            break
        picks = moved
    sizes = np.bincount(groups, minlength=count)
    return np.array(picks, np.int64)[np.lexsort((np.array(picks), -sizes))]


def spread(ground: Ground, given: Points, n: int, *, only_new: bool) -> list[int]:
    """Choose tracks that cover the breadth of the given ones, and bring them into an order.

    Some of the given that stand for all of them are asked in turns for the track most like them,
    until there are enough. Unless only new ones are wanted, a third are those picks themselves, and
    the other given ones may be among the answers.

    Args:
        ground: what may be chosen.
        given: points to go by, each once.
        n: tracks wanted; there are fewer where no more may be chosen.
        only_new: choose none of the given, and no recording of theirs.

    Returns:
        Points, each once.

    Raises:
        QueryError: more than `MOST_SORTED` are wanted, and there.
    """
    open_rows = ground.open()
    may = int(open_rows.sum()) + int((given >= len(open_rows)).sum())
    n = min(n, max(1, may))
    if n > MOST_SORTED:
        raise QueryError(f"n is {n}; a mix has at most {MOST_SORTED} tracks")
    vectors = ground.vectors(given)
    share = n if only_new else -(-n // SHARE_GIVEN)
    picks = given[medoids(vectors, min(share, MOST_PICKS))]
    counted, chosen = Counted(ground), list[int]()
    if only_new and ground.selection.keep_versions:
        open_rows[given[given < len(open_rows)]] = False
    elif only_new:
        open_rows &= ~ground.recordings(given)
    else:
        for point in picks.tolist():
            may = point >= len(open_rows) or open_rows[point]
            if may and len(chosen) < n and _free(point, ground, counted, chosen):
                counted.take(point)
                chosen.append(point)
    turns = [_answers(ground, pick, open_rows) for pick in picks.tolist()]
    while turns and len(chosen) < n:
        for turn in list(turns):
            row = next((row for row in turn if _free(row, ground, counted, chosen)), None)
            if row is None:
                turns.remove(turn)
            elif len(chosen) < n:
                counted.take(row)
                chosen.append(row)
    return [chosen[i] for i in shortest_order(ground.vectors(chosen)).tolist()] if chosen else []


def _answers(ground: Ground, pick: int, open_rows: npt.NDArray[np.bool_]) -> Iterator[int]:
    """Rows that may be chosen, the most like a pick first."""
    scores = ground.likeness(ground.vectors([pick]))[0]
    scores[~open_rows] = -np.inf
    rows = np.lexsort((np.arange(len(scores)), -scores))[: int(open_rows.sum())]
    yield from rows.tolist()


def _free(row: int, ground: Ground, counted: Counted, chosen: list[int]) -> bool:
    """Whether a row is neither there already nor one too many."""
    if row in chosen or not counted.room(row):
        return False
    if ground.selection.keep_versions or not chosen:
        return True
    return not ground.same(row, np.array(chosen, np.int64)).any()


def _middle(vectors: Vectors, members: Order) -> int:
    """The member most like the middle of all members."""
    return int(members[int((vectors[members] @ unit(vectors[members].mean(axis=0))).argmax())])


def _nearest_next(distances: Vectors, start: int | None, end: int | None) -> Order:
    """Begin somewhere and always go on to the nearest that is left."""
    n = len(distances)
    order = np.empty(n, np.int64)
    left = np.ones(n, bool)
    at = start
    if at is None:  # an outlier is a good end of a way, and there are two
        sums = distances.sum(axis=1)
        sums[[] if end is None else [end]] = -1
        at = int(sums.argmax())
    if end is not None:
        left[end] = False
        order[-1] = end
    for i in range(n - (end is not None)):
        if i:
            at = int(np.where(left, distances[at], np.inf).argmin())
        order[i], left[at] = at, False
    return order


def _keep_apart(distances: Vectors, copies: Sequence[object] | None) -> None:
    """Put tracks of one name far from each other, in place."""
    groups: dict[object, list[int]] = {}
    for i, name in enumerate(copies or ()):
        groups.setdefault(name, []).append(i)
    for group in groups.values():
        if len(group) > 1:
            distances[np.ix_(group, group)] = APART


def _improved(trip: Order, distances: Vectors) -> Order:
    """Shorten a round trip until no turn and no move near any track does."""
    count = len(trip)
    near = min(PARTNERS, count - 1)
    partners = np.argpartition(distances, near, axis=1)[:, : near + 1]
    # The place that is no track is near to all.
    partners = np.column_stack([partners, np.full(count, count - 1)])
    place = np.empty(count, np.int64)
    place[trip] = np.arange(count)
    waiting, queued = deque(trip.tolist()), np.ones(count, bool)
    while waiting:
        city = waiting.popleft()
        queued[city] = False
        others = partners[city][partners[city] != city]
        better = _best_change(city, others, trip, place, distances)
        if better is None:
            continue
        trip, touched = better
        place[trip] = np.arange(count)
        for each in (city, *touched):
            if not queued[each]:
                queued[each] = True
                waiting.append(each)
    return trip


def _best_change(
    city: int, others: Order, trip: Order, place: Order, distances: Vectors
) -> tuple[Order, list[int]] | None:
    """The change that brings a track beside one of others and saves most.

    Returns:
        The new trip, and the tracks that have new neighbors; None if nothing saves.
    """
    count, i, j = len(trip), int(place[city]), place[others]
    best, change = _LEAST, (0, 0, 0, False)
    to = distances[city, others]
    for way in (1, -1):
        beyond, offsets = trip[(j + way) % count], (way * (j - i)) % count
        before = trip[(j - way) % count]
        for size in range(STRETCH + 1):
            # Size 0 turns what lies between the two around. Others move `size` tracks from `city` on.
            tail, after = (
                trip[(i + way * (size - 1)) % count],
                trip[(i + way * max(size, 1)) % count],
            )
            if size == 0:
                gains = distances[city, after] + distances[others, beyond]
                gains -= to + distances[after, beyond]
                best, change = _better(gains, best, change, (way, size, False), offsets)
                continue
            if size + 2 > count:
                continue
            front = trip[(i - way) % count]
            saved = distances[front, city] + distances[tail, after] - distances[front, after]
            behind = saved - to - distances[tail, beyond] + distances[others, beyond]
            behind[(offsets < size) | (offsets == count - 1)] = -np.inf
            best, change = _better(behind, best, change, (way, size, False), offsets)
            ahead = saved - to - distances[before, tail] + distances[before, others]
            ahead[offsets <= size] = -np.inf
            best, change = _better(ahead, best, change, (way, size, True), offsets)
    return None if best <= _LEAST else _changed(i, change, trip)


def _better(
    gains: Vectors,
    best: float,
    change: tuple[int, int, int, bool],
    kind: tuple[int, int, bool],
    offsets: Order,
) -> tuple[float, tuple[int, int, int, bool]]:
    most = int(gains.argmax())
    if gains[most] > best:
        return float(gains[most]), (kind[0], kind[1], int(offsets[most]), kind[2])
    return best, change


def _changed(i: int, change: tuple[int, int, int, bool], trip: Order) -> tuple[Order, list[int]]:
    """Carry out a change at place i: (way, size, offset of the partner, whether it is turned)."""
    way, size, offset, turned = change
    ahead = np.roll(trip, -i) if way > 0 else np.roll(trip[::-1], i + 1)  # begins with the city
    if size == 0:
        new = np.concatenate([ahead[:1], ahead[offset:0:-1], ahead[offset + 1 :]])
        return new, [int(each) for each in (new[1], new[offset], new[(offset + 1) % len(new)])]
    stretch, rest = ahead[:size], ahead[size:]
    at = offset - size + (not turned)
    stretch = stretch[::-1] if turned else stretch
    new = np.concatenate([rest[:at], stretch, rest[at:]])
    ends = (rest[0], rest[-1], rest[at - 1], rest[at % len(rest)], stretch[0], stretch[-1])
    return new, [int(each) for each in ends]
