"""Groups: found where they are, the same every time, as many as stand apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.library import clusters
from soundalike.library.aggregation import unit


def bunches(
    sizes: list[int], *, spread: float = 0.1, D: int = 24
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Unit vectors around directions at right angles, mixed up, and which belong together."""
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = np.eye(D)[labels] + spread * rng.standard_normal((len(labels), D))
    return unit(vectors).astype(np.float32), labels


def slow_silhouette(vectors: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """Pair by pair, as it is defined."""
    distances = 1 - vectors.astype(float) @ vectors.T.astype(float)
    values = []
    for i, own in enumerate(labels):
        inside = [distances[i, j] for j in range(len(labels)) if labels[j] == own and j != i]
        outside = min(
            np.mean(distances[i, labels == other]) for other in set(labels.tolist()) - {own}
        )
        a = np.mean(inside) if inside else 0.0
        values.append((outside - a) / max(a, outside) if inside else 0.0)
    return float(np.mean(values))


def test_groups_that_stand_apart_are_found() -> None:
    vectors, truth = bunches([30, 20, 10])
    found = clusters.clusters(vectors, 3)
    assert (found == truth).all()  # both are numbered from the largest on


@pytest.mark.parametrize("k", [3, 5, 8])
def test_as_many_groups_as_there_are(k: int) -> None:
    vectors, _ = bunches([20] * k)
    assert clusters.best_k(vectors) == k


def test_more_groups_are_preferred_where_they_stand_apart_nearly_as_well() -> None:
    noise = np.random.default_rng(1).standard_normal((200, 24))
    vectors = unit(noise).astype(np.float32)
    k = clusters.best_k(vectors)
    values = {
        n: clusters.silhouette(vectors, clusters.clusters(vectors, n))
        for n in range(clusters.FEWEST, clusters.MOST + 1)
    }
    near = [n for n, value in values.items() if value >= max(values.values()) - 0.01]
    assert k == max(near)


@pytest.mark.parametrize("N", [1, 2, 5])
def test_a_few_tracks_are_one_group(N: int) -> None:
    vectors, _ = bunches([N])
    assert clusters.best_k(vectors) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 3))
def test_groups_are_whole_and_numbered_by_size(N: int, k: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(N).standard_normal((N, 6))).astype(np.float32)
    labels = clusters.clusters(vectors, min(k, N), seed=seed)
    sizes = np.bincount(labels)
    assert len(labels) == N
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()
    assert (labels == clusters.clusters(vectors, min(k, N), seed=seed)).all()


def test_copies_share_a_group_and_make_no_more() -> None:
    vectors = np.repeat(np.eye(3, 8, dtype=np.float32), [4, 3, 2], axis=0)
    labels = clusters.clusters(vectors, 7)
    assert labels.tolist() == [0] * 4 + [1] * 3 + [2] * 2


def test_a_sample_finds_the_groups_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = bunches([300, 200, 100])
    monkeypatch.setattr(clusters, "SAMPLE", 60)
    assert (clusters.clusters(vectors, 3) == truth).all()


@pytest.mark.parametrize("spread", [0.1, 0.5])
def test_the_silhouette_is_that_of_its_definition(spread: float) -> None:
    vectors, labels = bunches([12, 7, 1], spread=spread)
    expected = slow_silhouette(vectors, labels)
    assert clusters.silhouette(vectors, labels) == pytest.approx(expected, abs=1e-5)


def test_groups_are_about_as_tight_as_those_of_scikit_learn() -> None:
    """No worse a minimum than k-means of a library finds, on data without clear groups."""
    sklearn = pytest.importorskip("sklearn.cluster")
    vectors = unit(np.random.default_rng(2).standard_normal((400, 16))).astype(np.float32)
    ours = clusters.clusters(vectors, 8)
    theirs = sklearn.KMeans(8, n_init=8, random_state=0).fit_predict(vectors)

    def tightness(labels: npt.NDArray[np.int64]) -> float:
        return sum(float(np.linalg.norm(vectors[labels == g].sum(axis=0))) for g in range(8))

    assert tightness(ours) > 0.98 * tightness(theirs)


def test_the_first_of_a_group_is_its_medoid() -> None:
    vectors, _ = bunches([15], spread=0.4)
    rows = np.array([2, 3, 5, 7, 11, 13])
    order = clusters.central_first(vectors, rows)
    likeness = {row: float(np.mean(vectors[rows] @ vectors[row])) for row in rows.tolist()}
    assert order.tolist() == sorted(rows.tolist(), key=lambda row: -likeness[row])
