"""Every way to combine, against a slow twin that is obviously right."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.evaluation.claims.combining import (
    NAMES,
    best_pairs,
    combinations,
    principal_axes,
)
from soundalike.library.aggregation import unit


def vectors(*shape: int, seed: int = 0) -> np.ndarray:
    return np.asarray(unit(np.random.default_rng(seed).standard_normal(shape).astype(np.float32)))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a.ravel() @ b.ravel() / np.linalg.norm(a) / np.linalg.norm(b))


def greedy(table: np.ndarray, pairs: int) -> float:
    """Take the best pair, strike out its row and column, and so on."""
    found = []
    for _ in range(pairs):
        i, j = max(np.ndindex(*table.shape), key=lambda place: table[place])
        found.append(table[i, j])
        table = np.delete(np.delete(table, i, 0), j, 1)
    return float(np.mean(found))


TWINS = {
    "mean": lambda q, t: cosine(q.mean(axis=0), t.mean(axis=0)),
    "concat": cosine,
    "max": lambda q, t: float(max(a @ b for a in q for b in t)),
    "maxsim": lambda q, t: (
        float(
            np.mean([max(a @ b for b in t) for a in q])
            + np.mean([max(a @ b for a in q) for b in t])
        )
        / 2
    ),
    "best pairs": lambda q, t: greedy(q @ t.T, min(len(q), 3)),
}


@pytest.mark.parametrize("S", [1, 2, 3, 5])
@pytest.mark.parametrize("name", TWINS)
def test_a_way_agrees_with_its_slow_twin(name: str, S: int) -> None:
    queries, tracks = vectors(4, S, 6), vectors(7, S, 6, seed=1)
    ways = {way.name: way for way in combinations(vectors(40, S, 6, seed=2))}
    expected = [[TWINS[name](q, t) for t in tracks] for q in queries]
    assert ways[name].matrix(queries, tracks) == pytest.approx(np.array(expected), abs=1e-5)


def test_all_ways_are_there_and_are_one_with_one_segment() -> None:
    queries, tracks = vectors(4, 1, 6), vectors(7, 1, 6, seed=1)
    ways = combinations(vectors(40, 1, 6, seed=2))
    assert tuple(way.name for way in ways) == NAMES
    for way in ways:
        assert way.matrix(queries, tracks) == pytest.approx(
            queries[:, 0] @ tracks[:, 0].T, abs=1e-5
        )


def test_reduced_keeps_what_training_tracks_differ_in() -> None:
    # 3 segments of 8 numbers, yet all tracks lie in the same 8 directions: nothing is lost.
    directions = vectors(8, 24, seed=3)

    def tracks(count: int, seed: int) -> np.ndarray:
        mixed = np.random.default_rng(seed).standard_normal((count, 8)) @ directions
        return np.asarray(unit(mixed.reshape(count, 3, 8).astype(np.float32)))

    ways = {way.name: way for way in combinations(np.concatenate([tracks(40, 0)]))}
    kept = ways["reduced"].keep(tracks(5, 1))
    assert kept.shape == (5, 8)
    assert ways["mean"].keep(tracks(5, 1)).shape == (5, 8)
    assert np.linalg.norm(kept, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_principal_axes_span_the_vectors() -> None:
    rows = np.random.default_rng(0).standard_normal((30, 4)) @ vectors(4, 12)
    axes = principal_axes(rows, 4)
    assert axes @ axes.T == pytest.approx(np.eye(4), abs=1e-6)
    assert rows @ axes.T @ axes == pytest.approx(rows, abs=1e-4)
    assert principal_axes(rows[:3], 4).shape == (3, 12)


def test_best_pairs_leave_their_table_as_it_was() -> None:
    table = np.random.default_rng(0).random((5, 4, 4))
    before = table.copy()
    best_pairs(table)
    assert (table == before).all()
