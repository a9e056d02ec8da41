"""An encoder and music that has nothing to do with one another -> what its cosines mean.

    recordings -> vectors [N, S, D] ─┐
    who is unrelated: bool [N, N]    ├─► cosines of unrelated pairs ─► curves, for calibration.json
                                     └─► with curves: how many pairs reach a similarity

Unrelated are tracks of different albums that are not known to be by one artist. Of a recording that
occurs twice (`duplicates`) one copy counts. What a similarity promises is said in
`library/similarity.py`; `measure` looks whether music that was not fitted on keeps the promise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.embedder import Embedder
from soundalike.errors import AudioError, QueryError
from soundalike.evaluation.descriptions import Progress, silently
from soundalike.evaluation.duplicates import same_recording
from soundalike.evaluation.report import provenance
from soundalike.evaluation.sounds import digest, file_key
from soundalike.evaluation.tasks.recordings import Recording
from soundalike.library.aggregation import ONE, Senses, similarity_matrix, unit
from soundalike.library.disk import explained, write_atomically
from soundalike.library.ranking import BOTH
from soundalike.library.similarity import (
    FILE_NAME,
    FORMAT,
    KINDS,
    SEGMENT,
    SHARES,
    VALUES,
    Curve,
    Curves,
    Scale,
)

FEWEST_PAIRS = 1000
"""Below this nothing can be said of one pair in 1,000."""

DRAWS = 2000


def heard(
    embedder: Embedder,
    recordings: Sequence[Recording],
    *,
    cache: Path | None = None,
    jobs: int | None = None,
    progress: Progress = silently,
    warn: Callable[[AudioError], object] = str,
) -> tuple[list[Recording], np.ndarray]:
    """Listen to recordings as the library does.

    Args:
        embedder: to listen with.
        recordings: in any order, which is kept.
        cache: a folder that keeps vectors from one run to the next.
        jobs: files listened to at once; None is one per CPU.
        progress: is called with files done and files in all.
        warn: is called for each file that cannot be used; it is left out.

    Returns:
        The recordings that could be used, and their vectors, float32 [N, S, D].
    """
    file = cache / f"{embedder.identity}.npz" if cache else None
    known = _kept(file)
    keys = [file_key(recording.path) for recording in recordings]
    missing = {key: each.path for key, each in zip(keys, recordings, strict=True)
               if key not in known}  # fmt: skip
    for done, (key, outcome) in enumerate(
        zip(missing, embedder.embed(missing.values(), jobs=jobs), strict=True), start=1
    ):
        if isinstance(outcome, AudioError):
            warn(outcome)
        else:
            known[key] = outcome.vectors
        progress(done, len(missing))
    if file and missing:
        packed = BytesIO()
        np.savez(packed, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
        with explained(f"{file}: vectors cannot be kept"):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, packed.getvalue())
    usable = [i for i, key in enumerate(keys) if key in known]
    if not usable:
        raise QueryError(f"none of the {len(recordings)} recordings can be used")
    return [recordings[i] for i in usable], np.stack([known[keys[i]] for i in usable])


def distinct(recordings: Sequence[Recording], *, cache: Path | None = None) -> list[int]:
    """Places of the recordings, but of copies by what is heard the first alone. Raises AudioError."""
    name = f"duplicates-{digest(*(file_key(recording.path) for recording in recordings))}.json"
    place = cache / name if cache else None
    if place and place.is_file():
        groups = [set(group) for group in json.loads(place.read_text("utf-8"))]
    else:
        groups = same_recording(recordings)
        if place:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(place, json.dumps([sorted(group) for group in groups]).encode())
    copies = {i for group in groups for i in sorted(group)[1:]}
    return [i for i in range(len(recordings)) if i not in copies]


def unrelated(recordings: Sequence[Recording]) -> np.ndarray:
    """Pairs of different albums that are not known to be by one artist: bool [N, N], above the diagonal."""
    albums = np.array([recording.album for recording in recordings])
    artists = np.array([recording.artist for recording in recordings])
    same = (artists[:, None] == artists) & (artists != "")
    return np.triu((albums[:, None] != albums) & ~same, 1)


def cosines(vectors: np.ndarray, kind: str, senses: Senses = ONE) -> np.ndarray:
    """Compare all tracks [N, S, D] with all: float32 [N, N], of segments [N, N, S * S].

    Args:
        vectors: unit rows.
        kind: an aggregation, or `SEGMENT`.
        senses: the columns of each sense, where they are all there.
    """
    if kind != SEGMENT:
        return similarity_matrix(list(vectors), list(vectors), kind, senses)
    N, S, D = vectors.shape
    flat = vectors.reshape(N * S, D)
    table = (flat @ flat.T).reshape(N, S, N, S)
    return np.asarray(table.transpose(0, 2, 1, 3).reshape(N, N, S * S))


def fit(vectors: np.ndarray, apart: np.ndarray, senses: Mapping[str, slice]) -> Curves:
    """Find the curves of an encoder.

    Args:
        vectors: float32 [N, S, D], unit rows.
        apart: which pairs are unrelated, bool [N, N].
        senses: the columns of each, as `Embedder.senses` has them.

    Raises:
        QueryError: fewer than `FEWEST_PAIRS` pairs are unrelated, or their cosines do not differ.
    """
    pairs = int(apart.sum())
    if pairs < FEWEST_PAIRS:
        raise QueryError(
            f"only {pairs} pairs of tracks are of different albums and artists; at least "
            f"{FEWEST_PAIRS} are needed, as 46 albums of one track have"
        )
    return {
        sense: {
            kind: _curve(cosines(own, kind, joined)[apart], f"{kind} of {sense}") for kind in KINDS
        }
        for sense, own, joined in _by_sense(vectors, senses)
    }


def measure(
    curves: Curves,
    vectors: np.ndarray,
    apart: np.ndarray,
    albums: Sequence[str],
    senses: Mapping[str, slice],
    *,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Count the unrelated pairs that reach each similarity.

    Args:
        curves: of the encoder.
        vectors, apart, senses: as in `fit`, of other music.
        albums: of each track; intervals come from drawing albums anew, since the tracks of one are
            no independent witnesses.
        seed: of the draws.

    Returns:
        For every sense and kind: {"sense", "kind", "pairs", "shares"}, the shares as
        [share, low, high] for each of `VALUES`, with their 95 % bootstrap intervals.
    """
    scale, rows = Scale(curves), []
    names, place = np.unique(albums, return_inverse=True)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(names), [1 / len(names)] * len(names), DRAWS).astype(float)
    counted = _by_album(apart.astype(float), place)
    for sense, own, joined in _by_sense(vectors, senses):
        for kind in KINDS:
            similar = scale.similarities(cosines(own, kind, joined), sense, kind)
            similar = similar if kind == SEGMENT else similar[..., None]
            shares = []
            for value in VALUES:
                reached = (similar >= value if value else similar > 0).mean(axis=-1)
                reaching = _by_album(np.where(apart, reached, 0.0), place)
                drawn = _forms(weights, reaching) / np.maximum(_forms(weights, counted), 1)
                low, high = np.quantile(drawn, [0.025, 0.975])
                shares.append([float(reaching.sum() / counted.sum()), float(low), float(high)])
            rows.append({"sense": sense, "kind": kind, "pairs": int(apart.sum()), "shares": shares})
    return rows


def document(
    identity: str, curves: Curves, recordings: Sequence[Recording], *, source: str
) -> dict[str, Any]:
    """What calibration.json holds, with what it was measured on.

    Args:
        identity: of the encoder.
        curves: as `fit` found them.
        recordings: they were fitted on.
        source: of those, in words.
    """
    return {
        "format": FORMAT,
        "model": identity,
        "measured_on": {
            "source": source,
            "tracks": len(recordings),
            "albums": len({recording.album for recording in recordings}),
            "pairs": int(unrelated(recordings).sum()),
        },
        "provenance": provenance(),
        "shares": list(SHARES),
        "values": list(VALUES),
        "curves": {
            sense: {k: list(c) for k, c in kinds.items()} for sense, kinds in curves.items()
        },
    }


def write_calibration(folder: Path, calibration: Mapping[str, Any]) -> Path:
    """Write calibration.json into a model folder. Raises LibraryError where it cannot be written."""
    # A curve to a line.
    text = re.sub(r"\[[^\[\]]*\]", _on_one_line, json.dumps(calibration, indent=1))
    with explained(f"cannot write {folder / FILE_NAME}"):
        write_atomically(folder / FILE_NAME, (text + "\n").encode())
    return folder / FILE_NAME


def _on_one_line(found: re.Match[str]) -> str:
    return re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]")


def _by_sense(vectors: np.ndarray, senses: Senses) -> Iterator[tuple[str, np.ndarray, Senses]]:
    """Every sense, its vectors, and the senses that these still hold side by side."""
    yield BOTH, vectors, senses
    for sense, own in senses.items():
        yield sense, unit(vectors[..., own]), ONE


def _curve(cosines: np.ndarray, name: str) -> Curve:
    found = np.quantile(cosines.astype(np.float64).ravel(), [1 - share for share in SHARES])
    curve = tuple(float(cosine) for cosine in found.round(6))
    if not all(a < b for a, b in zip((-1.0, *curve), (*curve, 1.0), strict=True)):
        raise QueryError(
            f"the cosines of {name} are {', '.join(map(str, curve))} where similarity should be "
            f"{', '.join(map(str, VALUES))}: the encoder does not tell these tracks apart"
        )
    return curve


def _by_album(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Sums over the pairs of two albums: [N, N] -> [A, A]."""
    member = np.eye(place.max() + 1)[place]
    return np.asarray(member.T @ values @ member)


def _forms(weights: np.ndarray, table: np.ndarray) -> np.ndarray:
    """w A w for every row w: [R, A], [A, A] -> [R]."""
    return np.asarray(np.einsum("ra,ab,rb->r", weights, table, weights, optimize=True))


def _kept(file: Path | None) -> dict[str, np.ndarray]:
    if file is None or not file.is_file():
        return {}
    with np.load(BytesIO(file.read_bytes()), allow_pickle=False) as pack:
        return dict(zip(map(str, pack["keys"]), pack["vectors"], strict=True))
