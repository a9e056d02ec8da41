"""Counts and similarities against slow twins that are obviously right."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from soundalike.evaluation.colistening.item_similarity import (
    MEASURES,
    CoListening,
    Measure,
    count_together,
)
from soundalike.evaluation.colistening.sessions import Sessions

N = 12


def sessions_of(tracks: list[list[int]]) -> Sessions:
    bounds = np.cumsum([0, *map(len, tracks)])
    return Sessions(
        np.array([t for each in tracks for t in each], np.int64), bounds, np.zeros(len(tracks))
    )


def some_sessions(seed: int = 0) -> list[list[int]]:
    """Of tracks 0 .. 9, so that the last two of N are never played; some are played twice.

    A session keeps to three or four tracks but for its last one.
    """
    rng = np.random.default_rng(seed)
    kinds = [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]
    return [
        [*rng.choice(kinds[i % 3], size=rng.integers(1, 9)).tolist(), int(rng.integers(10))]
        for i in range(40)
    ]


def slow_counts(tracks: list[list[int]], reach: int) -> np.ndarray:
    counts = np.zeros((N, N))
    for session in tracks:
        pairs = {
            tuple(sorted((session[i], session[j])))
            for i, j in combinations(range(len(session)), 2)
            if j - i <= reach and session[i] != session[j]
        }
        for one, other in pairs:
            counts[one, other] += 1
            counts[other, one] += 1
    return counts


def slow_similarity(tracks: list[list[int]], measure: Measure, reach: int) -> np.ndarray:
    """Cell by cell, by the formulas at the top of the file."""
    counts = slow_counts(tracks, reach)
    n = Counter(track for session in tracks for track in set(session))
    total = counts.sum(axis=1)
    values = np.zeros((N, N))
    for i in range(N):
        for j in range(N):
            c = counts[i, j]
            if c and measure.name == "cosine":
                values[i, j] = c / math.sqrt(n[i] * n[j]) * c / (c + measure.number)
            elif c:
                pmi = math.log(c * counts.sum() / (total[i] * total[j]))
                values[i, j] = max(0, pmi - math.log(measure.number))
    if measure.name == "ppmi-rows":
        lengths = np.linalg.norm(values, axis=1)
        rows = values / np.where(lengths > 0, lengths, 1)[:, None]
        values = rows @ rows.T
        np.fill_diagonal(values, 0)
    return values


@pytest.mark.parametrize("reach", [1, 3, 20])
def test_counts_are_those_of_a_slow_twin(reach: int) -> None:
    tracks = some_sessions()
    together = count_together(sessions_of(tracks), N, reach=reach)
    dense = np.zeros((N, N))
    dense[together.firsts(), together.others] = together.counts
    np.testing.assert_array_equal(dense, slow_counts(tracks, reach))
    assert together.sessions.tolist() == [sum(t in s for s in tracks) for t in range(N)]


@pytest.mark.parametrize("measure", [*MEASURES, Measure("ppmi", 1.5)], ids=str)
def test_similarities_are_those_of_a_slow_twin(measure: Measure) -> None:
    tracks = some_sessions(1)
    fast = CoListening(count_together(sessions_of(tracks), N), measure).similarity(np.arange(N))
    np.testing.assert_allclose(fast, slow_similarity(tracks, measure, 20), atol=1e-6)
    assert fast.max() > 0
    assert fast.dtype == np.float32


@pytest.mark.parametrize("measure", MEASURES, ids=str)
def test_a_track_that_nobody_played_is_like_nothing(measure: Measure) -> None:
    similarity = CoListening(count_together(sessions_of(some_sessions()), N), measure).similarity(
        np.arange(N)
    )
    assert not similarity[10:].any()
    assert not similarity[:, 10:].any()


def test_cosine_by_hand() -> None:
    together = count_together(sessions_of([[0, 1], [0, 1], [0, 2], [3]]), 4)
    cosine = CoListening(together, Measure("cosine", 0)).similarity([0])
    np.testing.assert_allclose(cosine, [[0, 2 / math.sqrt(6), 1 / math.sqrt(3), 0]], rtol=1e-6)
    shrunk = CoListening(together, Measure("cosine", 2)).similarity([0])
    np.testing.assert_allclose(shrunk[0, 1], cosine[0, 1] * 2 / 4, rtol=1e-6)


def test_ppmi_is_zero_where_tracks_meet_as_often_as_by_chance() -> None:
    # Everybody meets everybody once: 3 tracks, each pair in one session.
    together = count_together(sessions_of([[0, 1], [1, 2], [0, 2]]), 3)
    found = CoListening(together, Measure("ppmi", 1)).similarity([0])
    # p(i, j) = 1 / 6, p(i) = 1 / 3: log((1 / 6) / (1 / 9)), as nobody meets himself.
    np.testing.assert_allclose(found, [[0, math.log(1.5), math.log(1.5)]], rtol=1e-6)


def test_rows_find_tracks_that_never_met() -> None:
    together = count_together(sessions_of([[0, 2], [1, 2], [3, 4]]), 5)
    assert CoListening(together, Measure("ppmi", 1)).similarity([0])[0, 1] == 0
    assert CoListening(together, Measure("ppmi-rows", 1)).similarity([0])[0, 1] > 0.99


def test_no_sessions_are_no_similarity() -> None:
    for tracks in ([], [[1], [2]], [[1, 1, 1]]):
        together = count_together(sessions_of(tracks), 3)
        for measure in MEASURES:
            assert not CoListening(together, measure).similarity(np.arange(3)).any()


def test_a_library_of_a_hundred_thousand_tracks_is_kept_by_its_pairs() -> None:
    rng = np.random.default_rng(0)
    tracks = rng.integers(0, 100_000, size=(2_000, 10))
    sessions = Sessions(tracks.ravel(), np.arange(0, 20_001, 10), np.zeros(2_000))
    together = count_together(sessions, 100_000)
    assert len(together.others) <= 2 * 2_000 * 45
    similarity = CoListening(together, Measure("cosine", 1)).similarity(tracks[0, :3])
    assert similarity.shape == (3, 100_000)
    assert similarity[0, tracks[0, 1]] > 0


@pytest.mark.parametrize(("name", "number"), [("jaccard", 1), ("ppmi", 0.5), ("cosine", -1)])
def test_a_measure_that_is_none_is_refused(name: str, number: float) -> None:
    with pytest.raises(ValueError, match=name):
        Measure(name, number)
