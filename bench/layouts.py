"""Layouts of a library on a plane: what they keep, and what they cost.

python bench/layouts.py NAME [--tracks 10000] [--json PATH]

NAME is one of opentsne, sklearn, umap, pacmap (each if it can be imported) and pca, in a process of its
own, for one that has compiled or imported something is not to help the next. Tracks are synthetic: albums
of eleven around thirty centres, 448 numbers each, reduced to their 50 principal directions. Of each map it
tells how many of the 15 nearest tracks are still among the 15 nearest, its trustworthiness (Venna and Kaski
2001), processor time with imports, and peak memory. The decision is in docs/decisions.md.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from record import finish, parser
from soundalike.library.layout import principal

NEAREST, ASKED = 15, 1000


def tracks(count: int, *, D: int = 448, d: int = 20) -> np.ndarray:
    """Unit vectors [count, D] of d dimensions and a little noise."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((30, d))
    albums = centres[rng.integers(30, size=max(count // 11, 1))]
    albums = albums + 0.6 * rng.standard_normal(albums.shape)
    own = albums[np.arange(count) // 11 % len(albums)] + 0.35 * rng.standard_normal((count, d))
    found = own @ rng.standard_normal((d, D)) / np.sqrt(d) + 0.25 * rng.standard_normal((count, D))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def laid_out(name: str, rows: np.ndarray) -> np.ndarray:
    """Places [N, 2] by a library's defaults, one thread, a fixed seed."""
    if name == "opentsne":
        import openTSNE

        return np.asarray(openTSNE.TSNE(random_state=0, n_jobs=1).fit(rows))
    if name == "sklearn":
        from sklearn.manifold import TSNE

        return TSNE(random_state=0, init="pca", n_jobs=1).fit_transform(rows)
    if name == "umap":
        import umap

        return umap.UMAP(random_state=0, n_jobs=1).fit_transform(rows)
    if name == "pacmap":
        import pacmap

        return pacmap.PaCMAP(random_state=0).fit_transform(rows)
    return rows[:, :2]


def kept(vectors: np.ndarray, places: np.ndarray) -> tuple[float, float]:
    """The share of neighbors that stay neighbors, and trustworthiness, over some tracks."""
    N, k = len(vectors), NEAREST
    rows = np.random.default_rng(1).permutation(N)[:ASKED]
    shares, penalty = [], 0.0
    for row in rows.tolist():
        likeness = vectors @ vectors[row]
        likeness[row] = -np.inf
        rank = np.empty(N, np.int64)
        rank[np.argsort(-likeness)] = np.arange(N)
        away = ((places - places[row]) ** 2).sum(axis=1)
        away[row] = np.inf
        near = rank[np.argpartition(away, k)[:k]]
        shares.append(float((near < k).mean()))
        penalty += float(np.maximum(near + 1 - k, 0).sum())
    return float(np.mean(shares)), 1 - 2 * penalty / (len(rows) * k * (2 * N - 3 * k - 1))


def as_markdown(figures: dict[str, Any]) -> str:
    head = "| layout | tracks | neighbors kept | trustworthiness | processor | peak |"
    line = (
        f"| {figures['layout']} | {figures['tracks']:,} | {figures['kept']:.3f} | "
        f"{figures['trust']:.4f} | {figures['seconds']:.1f} s | {figures['mib']} MiB |"
    )
    return f"{head}\n|---|---:|---:|---:|---:|---:|\n{line}"


def main() -> None:
    options = parser(__doc__)
    options.add_argument("layout", choices=["opentsne", "sklearn", "umap", "pacmap", "pca"])
    options.add_argument("--tracks", type=int, default=10_000)
    chosen = options.parse_args()
    vectors = tracks(chosen.tracks)
    began = time.process_time()
    places = laid_out(chosen.layout, np.asarray(principal(vectors, 50), np.float32))
    seconds = time.process_time() - began
    share, trust = kept(vectors, np.asarray(places, np.float32))
    figures = {
        "layout": chosen.layout,
        "tracks": chosen.tracks,
        "kept": share,
        "trust": trust,
        "seconds": seconds,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
