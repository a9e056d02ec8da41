"""One description of all grids is what the embedder makes of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fake_model import tone, write_fake_model
from soundalike.embedder import Embedder
from soundalike.evaluation.claims.dense_grid import COUNTS, DenseGrid, of_count


@pytest.fixture
def dense(tmp_path: Path) -> DenseGrid:
    return DenseGrid(Embedder(write_fake_model(tmp_path / "fake")))


def melody(seconds: float, seed: int = 0) -> np.ndarray:
    """A tone of its own in every half second."""
    heights = np.random.default_rng(seed).uniform(150, 4_000, round(2 * seconds))
    return np.concatenate([tone(height, 0.5) for height in heights])


@pytest.mark.parametrize("seconds", [1.5, 2.0, 3.0, 7.5, 40.0])
def test_every_grid_is_that_of_an_embedder_with_as_many_segments(
    dense: DenseGrid, tmp_path: Path, seconds: float
) -> None:
    waveform = melody(seconds)
    [description] = dense.describe([waveform])
    assert description.shape == (sum(COUNTS), 8)
    for S in COUNTS:
        embedder = Embedder(write_fake_model(tmp_path / f"fake-{S}", count=S))
        assert (of_count(description, S) == embedder.embed_waveform(waveform)).all()


def test_silent_places_are_stood_in_for_as_by_an_embedder(dense: DenseGrid, tmp_path: Path) -> None:
    waveform = melody(40.0)
    waveform[: 15 * 16_000] = 0
    [description] = dense.describe([waveform])
    for S in COUNTS:
        embedder = Embedder(write_fake_model(tmp_path / f"fake-{S}", count=S))
        assert (of_count(description, S) == embedder.embed_waveform(waveform)).all()


def test_where_one_grid_meets_silence_another_speaks_for_it(dense: DenseGrid) -> None:
    waveform = melody(40.0)
    waveform[15 * 16_000 : 25 * 16_000] = 0  # the only place of S = 1
    [description] = dense.describe([waveform])
    assert of_count(description, 1)[0].tolist() in of_count(description, 8).tolist()


def test_silence_is_zeros_and_like_nothing(dense: DenseGrid) -> None:
    silent, sounding = dense.describe([np.zeros(48_000, np.float32), melody(3.0)])
    assert not silent.any()
    assert not dense.similarity([silent], [sounding]).any()


def test_a_sound_is_most_like_itself(dense: DenseGrid) -> None:
    descriptions = list(dense.describe(melody(9.0, seed) for seed in range(4)))
    similarity = dense.similarity(descriptions, descriptions)
    assert similarity.dtype == np.float32
    assert (similarity.argmax(axis=1) == np.arange(4)).all()


def test_other_counts_are_another_system(dense: DenseGrid) -> None:
    fewer = DenseGrid(dense.embedder, (1, 3))
    assert len({dense.identity, fewer.identity, dense.embedder.identity}) == 3
    [description] = fewer.describe([melody(9.0)])
    assert fewer.numbers(description) == 4 * 8
    assert of_count(description, 3, (1, 3)).shape == (3, 8)
