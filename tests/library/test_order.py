"""Orders: every track once, ends held, near the best of all orders; picks that cover."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_snapshot import snapshot_of

from soundalike.errors import QueryError
from soundalike.library import order
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.ground import Ground
from soundalike.library.order import length, medoids, shortest_order, spread
from soundalike.library.selection import Selection


def scattered(count: int, *, width: int = 4, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32))


@given(seed=st.integers(0, 10_000), n=st.integers(0, 30), own=st.data())
def test_every_track_once_and_the_ends_where_they_belong(
    seed: int, n: int, own: st.DataObject
) -> None:
    some = st.none() | st.integers(0, n - 1) if n else st.none()
    start, end = own.draw(some), own.draw(some)
    if n > 1 and start == end:
        end = None
    found = shortest_order(scattered(n, seed=seed), start=start, end=end).tolist()
    assert sorted(found) == list(range(n))
    assert start is None or found[0] == start
    assert end is None or found[-1] == end


@pytest.mark.parametrize(("start", "end"), [(None, None), (0, None), (None, 3), (0, 3)])
def test_beside_all_orders(start: int | None, end: int | None) -> None:
    """A slow twin tries every order."""
    ratios = []
    for seed in range(20):
        vectors = scattered(7, seed=seed)
        best = min(
            length(vectors, way)
            for way in itertools.permutations(range(7))
            if start in (None, way[0]) and end in (None, way[-1])
        )
        found = length(vectors, shortest_order(vectors, start=start, end=end))
        assert found >= best - 1e-5
        ratios.append(found / best)
    assert max(ratios) < 1.1
    assert np.mean(ratios) < 1.01


def test_a_shuffled_line_is_found_again() -> None:
    turns = np.linspace(0, 3, 40)
    line = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    shuffled = np.random.default_rng(0).permutation(40)
    found = shuffled[shortest_order(line[shuffled])].tolist()
    assert found in (list(range(40)), list(range(39, -1, -1)))


def test_the_order_does_not_depend_on_chance() -> None:
    vectors = scattered(200, width=16)
    assert np.array_equal(shortest_order(vectors), shortest_order(vectors.copy()))


def test_no_turn_of_a_stretch_shortens_an_order() -> None:
    """With all others as partners; a slow twin tries every stretch."""
    vectors = scattered(12, seed=5)
    found = shortest_order(vectors).tolist()
    for i, j in itertools.combinations(range(13), 2):
        turned = [*found[:i], *found[i:j][::-1], *found[j:]]
        assert length(vectors, turned) >= length(vectors, found) - 1e-4


def test_the_same_track_twice_is_kept_apart() -> None:
    vectors = scattered(6)
    doubled = np.concatenate([vectors, vectors[:2]])
    found = shortest_order(doubled, copies=[0, 1, 2, 3, 4, 5, 0, 1]).tolist()
    names = [i % 6 for i in found]
    assert sorted(found) == list(range(8))
    assert all(one != other for one, other in itertools.pairwise(names))


def test_one_track_cannot_be_both_ends() -> None:
    assert shortest_order(scattered(1), start=0, end=0).tolist() == [0]
    with pytest.raises(QueryError, match="first and last"):
        shortest_order(scattered(3), start=1, end=1)


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "MOST_SORTED", 3)
    with pytest.raises(QueryError, match="4 tracks are too many to sort; 3"):
        shortest_order(scattered(4))


def clusters(sizes: list[int], *, seed: int = 0) -> Vectors:
    """Tracks around as many axes, in the order of the axes."""
    rng = np.random.default_rng(seed)
    axes = np.repeat(np.eye(len(sizes)), sizes, axis=0)
    return unit((axes + 0.1 * rng.standard_normal(axes.shape)).astype(np.float32))


@pytest.mark.parametrize("seed", range(5))
def test_picks_cover_every_cluster(seed: int) -> None:
    vectors = clusters([30, 3, 8, 1], seed=seed)
    picks = medoids(vectors, 4)
    assert np.repeat(range(4), [30, 3, 8, 1])[picks].tolist() == [0, 2, 1, 3]


@given(seed=st.integers(0, 1000), n=st.integers(1, 25), count=st.integers(1, 30))
def test_picks_are_different_tracks(seed: int, n: int, count: int) -> None:
    vectors = scattered(n, seed=seed)
    vectors[: n // 2] = vectors[0]  # copies
    picks = medoids(vectors, count).tolist()
    assert len(set(picks)) == len(picks) == min(n, count)


def ground_of(vectors: Vectors, selection: Selection | None = None) -> Ground:
    rows = [{"vector": v, "duration": 100.0 + 10 * i} for i, v in enumerate(vectors)]
    return Ground(snapshot_of(rows), selection or Selection(keep_versions=True))


def test_a_mix_has_something_of_every_kind() -> None:
    kinds = np.repeat(range(4), [40, 10, 10, 10])
    ground = ground_of(clusters([40, 10, 10, 10]))
    given = np.flatnonzero([i % 2 == 0 for i in range(70)])
    for only_new in (False, True):
        chosen = spread(ground, given, 12, only_new=only_new)
        assert len(set(chosen)) == 12
        assert np.bincount(kinds[chosen]).min() >= 2
        own = sum(point in given for point in chosen)
        assert own == 0 if only_new else own >= 4
        changes = np.count_nonzero(np.diff(kinds[chosen]))
        assert changes == 3  # neighbors sound alike: each kind in one stretch


def test_a_mix_ends_with_the_library() -> None:
    ground = ground_of(scattered(9))
    assert sorted(spread(ground, np.array([2, 4]), 50, only_new=False)) == list(range(9))
    assert sorted(spread(ground, np.array([2, 4]), 50, only_new=True)) == [0, 1, 3, 5, 6, 7, 8]
    assert spread(ground, np.arange(9), 5, only_new=True) == []


def test_a_mix_has_one_of_each_recording() -> None:
    vectors = np.repeat(scattered(5), 2, axis=0)
    rows = [{"vector": v, "duration": 100.0 * (i // 2 + 1)} for i, v in enumerate(vectors)]
    ground = Ground(snapshot_of(rows))
    chosen = spread(ground, np.array([0, 1]), 10, only_new=False)
    assert sorted({point // 2 for point in chosen}) == list(range(5))
    assert len(chosen) == 5
    chosen = spread(ground, np.array([0]), 10, only_new=True)
    assert sorted(point // 2 for point in chosen) == [1, 2, 3, 4]


def test_a_mix_keeps_to_limits() -> None:
    rows = [
        {"vector": v, "artist": "AB"[i % 2], "duration": 100.0 + 10 * i}
        for i, v in enumerate(scattered(20))
    ]
    ground = Ground(snapshot_of(rows), Selection(max_per_artist=3))
    chosen = spread(ground, np.arange(10), 20, only_new=False)
    assert sorted(ground.artist(point) for point in chosen) == [*"aaabbb"]


def test_a_mix_too_long_to_sort_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "MOST_SORTED", 8)
    monkeypatch.setattr(order, "medoids", None)
    ground = Ground(snapshot_of([{"vector": v} for v in scattered(9)]))
    with pytest.raises(QueryError, match="a mix has at most 8"):
        spread(ground, np.array([2]), 50, only_new=False)
