"""Places on a plane: neighbors stay together, the same vectors give the same places."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
import pytest

from soundalike.errors import LibraryError, QueryError
from soundalike.library import layout
from soundalike.library.aggregation import unit


def three_groups(count: int = 60, D: int = 30) -> npt.NDArray[np.float32]:
    labels = np.arange(count) % 3
    noise = 0.15 * np.random.default_rng(3).standard_normal((count, D))
    return unit(np.eye(D)[labels] + noise).astype(np.float32)


@pytest.mark.parametrize("name", layout.LAYOUTS)
def test_neighbors_stay_together(name: str) -> None:
    pytest.importorskip("openTSNE")
    places = layout.place(three_groups(), layout=name)
    away = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(away, np.inf)
    assert (away.argmin(axis=1) % 3 == np.arange(60) % 3).all()


@pytest.mark.parametrize("name", layout.LAYOUTS)
def test_the_same_vectors_give_the_same_places(name: str) -> None:
    pytest.importorskip("openTSNE")
    vectors = three_groups()
    one, two = (layout.place(vectors, layout=name, seed=4) for _ in range(2))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("name", layout.LAYOUTS)
@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 9])
def test_few_tracks_have_places_too(name: str, count: int) -> None:
    pytest.importorskip("openTSNE")
    places = layout.place(three_groups(9)[:count], layout=name)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert ((places >= 0) & (places <= 1)).all()


@pytest.mark.parametrize("name", layout.LAYOUTS)
def test_copies_of_one_track_have_places(name: str) -> None:
    pytest.importorskip("openTSNE")
    places = layout.place(np.repeat(three_groups(3)[:1], 12, axis=0), layout=name)
    assert np.isfinite(places).all()


def test_pca_is_what_the_singular_values_say() -> None:
    vectors = three_groups(40)
    centred = vectors - vectors.mean(axis=0)
    left, values, _ = np.linalg.svd(centred.astype(float), full_matrices=False)
    found = layout.principal(vectors, 5)
    np.testing.assert_allclose(np.abs(found), np.abs(left[:, :5] * values[:5]), atol=1e-5)


def test_places_have_one_scale_and_lie_amid_the_sheet() -> None:
    places = layout.place(three_groups(), layout="pca")
    low, high = places.min(axis=0), places.max(axis=0)
    assert (high - low).max() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose((low + high) / 2, 0.5, atol=1e-6)


def test_it_tells_how_far_it_is() -> None:
    pytest.importorskip("openTSNE")
    told: list[tuple[str, int, int]] = []
    layout.place(three_groups(), tell=lambda *now: told.append(now))
    done = [count for _, count, _ in told]
    assert done == sorted(done)
    assert len(done) > 20
    assert told[-1] == ("layout", told[-1][2], told[-1][2])


def test_an_unknown_layout_is_named_with_those_there_are() -> None:
    with pytest.raises(QueryError, match="'umap'; there are tsne, pca"):
        layout.place(three_groups(), layout="umap")


def test_what_is_missing_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(LibraryError, match=r"pip install 'soundalike\[map\]'.*--layout pca"):
        layout.place(three_groups())
    assert layout.place(three_groups(), layout="pca").shape == (60, 2)
