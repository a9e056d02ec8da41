"""The way between two tracks: ends kept, nothing twice, even, and the best there is among few."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_snapshot import snapshot_of

from soundalike.errors import QueryError
from soundalike.library import path
from soundalike.library.ground import Ground
from soundalike.library.path import find_path, places_between, step_angles
from soundalike.library.selection import Selection


def scattered(count: int, *, width: int = 6, seed: int = 0, **facts: list[str]) -> Ground:
    """Tracks in random directions."""
    vectors = np.random.default_rng(seed).standard_normal((count, width))
    named = [{name: values[i] for name, values in facts.items()} for i in range(count)]
    rows = [
        {"vector": vector, "duration": 100.0 + 10 * i, **named[i]}
        for i, vector in enumerate(vectors)
    ]
    return Ground(snapshot_of(rows))


def on_circle(degrees: list[float]) -> Ground:
    """Tracks on a circle, at these angles."""
    turns = np.radians(degrees)
    rows = [{"vector": [np.cos(t), np.sin(t)], "duration": 100.0 + i} for i, t in enumerate(turns)]
    return Ground(snapshot_of(rows), Selection(keep_versions=True))


def test_places_lie_evenly_on_the_great_circle() -> None:
    ends = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    places = places_between(ends, 2)
    expected = [[np.cos(t), np.sin(t), 0] for t in np.radians([30, 60])]
    assert np.allclose(places, expected)


def test_places_between_one_sound_and_between_opposites() -> None:
    a = np.array([0.6, 0.8, 0])
    assert np.allclose(places_between(np.stack([a, a]), 3), a)
    places = places_between(np.stack([a, -a]), 3)
    walk = np.vstack([a, places, -a])
    assert np.allclose(np.linalg.norm(places, axis=1), 1)
    assert np.allclose(np.einsum("nd,nd->n", walk[1:], walk[:-1]), np.cos(np.pi / 4))


def test_steps_on_a_circle_are_the_even_ones() -> None:
    ground = on_circle([0, 90, 7, 31, 29.9, 45, 60.1, 62, 83, 120, 200])
    assert find_path(ground, 0, 1, 4) == [0, 4, 6, 1]
    angles = np.degrees(step_angles(ground, [0, 4, 6, 1]))
    assert angles == pytest.approx([29.9, 30.2, 29.9], abs=0.01)


@given(seed=st.integers(0, 1000), library=st.integers(2, 30), n=st.integers(2, 40), own=st.data())
def test_a_path_always_exists_and_holds_nothing_twice(
    seed: int, library: int, n: int, own: st.DataObject
) -> None:
    ground = scattered(library, seed=seed)
    start, end = own.draw(st.permutations(range(library)))[:2]
    way = find_path(ground, start, end, n)
    assert (way[0], way[-1]) == (start, end)
    assert len(way) == len(set(way)) == min(n, library)
    assert set(way) <= set(range(library))


@pytest.mark.parametrize("seed", range(10))
def test_no_single_exchange_makes_a_path_cheaper(seed: int) -> None:
    """In a small library every track is a candidate; so a slow look at all exchanges finds none."""
    ground = scattered(20, seed=seed)
    way = find_path(ground, 0, 1, 6)
    cost = np.sum(step_angles(ground, way) ** path.POWER)
    for place, other in itertools.product(range(1, 5), set(range(20)) - set(way)):
        changed = [*way[:place], other, *way[place + 1 :]]
        assert np.sum(step_angles(ground, changed) ** path.POWER) >= cost - 1e-5


def test_a_path_comes_near_the_cheapest_of_all() -> None:
    """A slow twin tries every way; among ten tracks at random each one missing is a long step."""
    ratios = []
    for seed in range(20):
        ground = scattered(10, seed=seed)
        ways = [[0, *inner, 1] for inner in itertools.permutations(range(2, 10), 3)]
        best = min(np.sum(step_angles(ground, way) ** path.POWER) for way in ways)
        found = np.sum(step_angles(ground, find_path(ground, 0, 1, 5)) ** path.POWER)
        assert found >= best - 1e-9
        ratios.append(found / best)
    assert np.mean(ratios) < 1.3


def test_versions_of_a_recording_are_not_stepped_on_twice() -> None:
    vectors = np.random.default_rng(3).standard_normal((6, 4))
    rows = [{"vector": v, "duration": 100.0 * (i + 1)} for i, v in enumerate(vectors) for _ in "ab"]
    ground = Ground(snapshot_of(rows))
    way = find_path(ground, 0, 2, 12)
    assert len(way) == 6
    assert sorted(row // 2 for row in way) == list(range(6))
    ground = Ground(snapshot_of(rows), Selection(keep_versions=True))
    assert len(find_path(ground, 0, 2, 12)) == 12


def test_limits_on_artists_hold_between_start_and_end() -> None:
    artists = ["A", "B", *"AAABBBCCCDDD"]
    ground = scattered(len(artists), artist=artists)
    ground = Ground(ground.snapshot, Selection(max_per_artist=2))
    way = find_path(ground, 0, 1, 20)
    names = [artists[row] for row in way]
    assert sorted(names) == sorted("AABBCCDD")


def test_a_filter_holds_between_but_not_for_the_ends() -> None:
    genres = ["Rock", "Rock", *["Jazz"] * 3, *["Rock"] * 9]
    ground = Ground(scattered(14, genre=genres).snapshot, Selection(filter="genre = 'Jazz'"))
    assert sorted(find_path(ground, 0, 1, 10)) == [0, 1, 2, 3, 4]


def test_nothing_between() -> None:
    ground = scattered(5)
    assert find_path(ground, 3, 4, 2) == [3, 4]
    assert find_path(scattered(2), 1, 0, 10) == [1, 0]


@pytest.mark.parametrize("n", [1, 0, -3, path.MOST_TRACKS + 1, 2.5, True])
def test_n_out_of_range(n: int) -> None:
    with pytest.raises(QueryError, match=r"2 to 200 tracks"):
        find_path(scattered(5), 0, 1, n)


def test_from_a_track_to_itself() -> None:
    with pytest.raises(QueryError, match="starts and ends at the same"):
        find_path(scattered(5), 2, 2, 5)


def test_nothing_lies_between_copies_of_one_recording() -> None:
    copies = Ground(snapshot_of([{"vector": [1.0, 0.0], "title": "same"}] * 4))
    assert find_path(copies, 0, 1, 4) == [0, 1]


def test_copies_near_the_way_do_not_hide_what_lies_further_off() -> None:
    copy = {"vector": [1.0, 0.0, 0.0], "title": "same"}
    others = [{"vector": [0.0, 1.0, i / 4], "title": f"t{i}"} for i in range(2)]
    ground = Ground(snapshot_of([*[copy] * (path.CANDIDATES + 9), *others]))
    N = len(ground.snapshot)
    assert find_path(ground, 0, 1, 3) in ([0, N - 2, 1], [0, N - 1, 1])
