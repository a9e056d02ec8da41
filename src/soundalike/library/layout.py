"""Vectors -> places on a sheet of paper: alike means near.

    tsne    t-SNE, which keeps neighbors together. By openTSNE, an extra: pip install "soundalike[map]"
    pca     the two directions in which the tracks differ most. Always there, in a blink, but most
            neighbors of so many dimensions are lost in two

The same vectors give the same places. Why t-SNE by openTSNE and not another: docs/decisions.md.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from soundalike.errors import LibraryError, QueryError
from soundalike.library.aggregation import Vectors

Places = npt.NDArray[np.float32]
Tell = Callable[[str, int, int], object]
"""What is being done, how many of how many are done."""

LAYOUTS = ("tsne", "pca")
MISSING = (
    "the layout tsne needs openTSNE, which is missing: pip install 'soundalike[map]', "
    "or take --layout pca"
)
# Directions the neighbors are sought in; the rest of the vectors is close to noise.
_KEPT = 50
# Neighbors each track is to have on the map: fewer in small libraries, whose neighbors soon run out.
FEWEST, MOST = 5.0, 30.0
_EARLY, _LATE, _EVERY = 250, 500, 10
# A line where t-SNE has nothing to arrange.
_FEW = 5
_SAME = 1e-6


def place(
    vectors: Vectors, *, layout: str = "tsne", seed: int = 0, tell: Tell | None = None
) -> Places:
    """Lay tracks out.

    Args:
        vectors: unit rows, float32 [N, D].
        layout: one of `LAYOUTS`.
        seed: of whatever the layout draws at random.
        tell: called as it goes on.

    Returns:
        x and y of every track, float32 [N, 2], in 0..1, both in the same scale, the middle of the
        tracks' extent at 0.5.

    Raises:
        QueryError: no such layout.
        LibraryError: what it needs is not installed.
    """
    check_layout(layout)
    if len(vectors) == 0:
        return np.empty((0, 2), np.float32)
    if layout == "pca" or len(vectors) < _FEW:
        return _framed(principal(vectors, 2))
    # Its directions have no meaning: the longer side lies, as the sheet does.
    return _framed(principal(_tsne(vectors, seed, tell), 2))


def check_layout(layout: str) -> None:
    """Raise a QueryError where there is no such layout, a LibraryError where it is not installed."""
    if layout not in LAYOUTS:
        raise QueryError(f"no layout {layout!r}; there are {', '.join(LAYOUTS)}")
    if layout == "tsne" and importlib.util.find_spec("openTSNE") is None:
        raise LibraryError(MISSING)


def principal(vectors: Vectors, count: int) -> npt.NDArray[np.float64]:
    """Coordinates [N, count] along the directions of most variance, the most first.

    A direction points where its largest part is positive, so that no picture is the mirror of
    another; where there are fewer directions than asked for, zeros follow.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    D = vectors.shape[1]
    scatter, step = np.zeros((D, D)), 4096
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step] - mean
        scatter += block.T @ block
    _, axes = np.linalg.eigh(scatter)
    axes = axes[:, ::-1][:, :count]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    found = np.zeros((len(vectors), count))
    for start in range(0, len(vectors), step):
        found[start : start + step, : axes.shape[1]] = (vectors[start : start + step] - mean) @ axes
    return found


def _tsne(vectors: Vectors, seed: int, tell: Tell | None) -> npt.NDArray[np.float64]:
    import openTSNE

    def report(done: int, *_: Any) -> None:
        if tell is not None:
            tell("layout", done, _EARLY + _LATE)

    class Later:
        """The second stage counts from 0 again."""

        def __call__(self, done: int, *_: Any) -> None:
            report(_EARLY + done)

    N = len(vectors)
    coordinates = principal(vectors, min(_KEPT, vectors.shape[1]))
    if np.ptp(coordinates[:, 0]) < _SAME:
        return coordinates[:, :2]  # all alike: there is nothing to arrange
    if tell is not None:
        tell("layout", 0, _EARLY + _LATE)
    with warnings.catch_warnings():
        # Its remarks on small libraries and on numpy are for whoever tunes it.
        warnings.simplefilter("ignore")
        perplexity = min(max(FEWEST, min(MOST, N**0.5)), (N - 1) / 3)
        affinities = openTSNE.affinity.PerplexityBasedNN(
            coordinates, perplexity=perplexity, random_state=seed, n_jobs=-1
        )
        start = openTSNE.initialization.rescale(coordinates[:, :2])
        embedding = openTSNE.TSNEEmbedding(
            start, affinities, random_state=seed, n_jobs=1, callbacks_every_iters=_EVERY
        )
        embedding = embedding.optimize(_EARLY, exaggeration=12, momentum=0.5, callbacks=report)
        embedding = embedding.optimize(_LATE, momentum=0.8, callbacks=Later())
    return np.asarray(embedding, np.float64)


def _framed(places: npt.NDArray[np.float64]) -> Places:
    low, high = places.min(axis=0), places.max(axis=0)
    extent = float((high - low).max()) or 1.0
    return np.asarray(np.clip((places - (low + high) / 2) / extent + 0.5, 0, 1), np.float32)
