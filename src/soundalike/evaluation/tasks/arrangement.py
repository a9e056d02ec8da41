"""Another version of a piece: is the piece found?

    arrangement           a version (other instruments, key, tempo, parts, performer, all of them)
                          among the pieces as a piano plays the score: one right answer
    arrangement_versions  the same queries among everything: all pieces and all other versions of
                          them, right is whatever is of the same piece; itself is barred

The first asks the question of a listener who has the song and meets a cover of it. The second is
the protocol of cover song retrieval (Serra et al., "Chroma binary similarity and local alignment
applied to cover song identification", IEEE TASLP 2008): there an encoder that hears instruments
first is led astray by every other piece in the same scoring.

What the versions are stands in evaluation/versions.py, who is asked in evaluation/pieces.py: pieces
of the other split are not even distractors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.errors import AudioError
from soundalike.evaluation import renderings
from soundalike.evaluation.pieces import choose, read_pieces
from soundalike.evaluation.renderings import SOUNDFONTS, Renderings
from soundalike.evaluation.retrieval import Retrieval
from soundalike.evaluation.versions import KINDS, ORIGINAL, Version, versions_of

METRICS = ("top-1", "MRR", "mAP", "MR1")


@dataclass(frozen=True, slots=True)
class Material:
    """What is asked about, and among what it hides.

    Attributes:
        queries: versions, all of one kind before those of the next.
        tracks: originals: of the pieces asked about, then of the split's other pieces.
        renderings: where their sound is kept.
    """

    queries: list[Version]
    tracks: list[Version]
    renderings: Renderings


def gather(
    pieces: Path,
    cache: Path,
    *,
    split: str = "validation",
    seed: int = 0,
    limit: int = 60,
    soundfonts: tuple[Path, Path] = SOUNDFONTS,
) -> Material:
    """Choose the pieces and their versions; nothing is rendered.

    Args:
        pieces: a list of pieces (evaluation/pieces.py), of which those for evaluation only are read.
        cache: folder for renderings.
        split: "validation" to choose by, "test" to report.
        seed: of the choice of pieces and of all that is drawn for their versions.
        limit: pieces asked about, at most; the split's others are distractors.
        soundfonts: the original's and the other one's.

    Raises:
        QueryError: no list of pieces, nothing in the split, or a limit below 1.
    """
    asked, others = choose(read_pieces(pieces), split, seed=seed, limit=limit)
    versions = [version for piece in asked for version in versions_of(piece, seed=seed)]
    versions.sort(key=lambda version: KINDS.index(version.kind))
    originals = [Version(piece, ORIGINAL) for piece in (*asked, *others)]
    return Material(versions, originals, Renderings(cache, soundfonts))


def prepare(
    material: Material, *, jobs: int = 2, progress: Callable[[int, int], None] = lambda *_: None
) -> list[AudioError]:
    """Render what is missing, as `evaluation.renderings.prepare` does, before anybody listens."""
    everything = (*material.tracks, *material.queries)
    return renderings.prepare(everything, material.renderings, jobs=jobs, progress=progress)


def arrangement(
    pieces: Path,
    cache: Path,
    *,
    split: str = "validation",
    seed: int = 0,
    limit: int = 60,
    soundfonts: tuple[Path, Path] = SOUNDFONTS,
) -> list[Retrieval]:
    """`arrangement` and `arrangement_versions`, of the same sounds; arguments as for `gather`.

    What `prepare` has not rendered is rendered when it is listened to.

    Raises:
        QueryError: as `gather`, or a score is not there.
        RecipeError: a soundfont is missing; the message names Debian's package.
    """
    return tasks_of(
        gather(pieces, cache, split=split, seed=seed, limit=limit, soundfonts=soundfonts)
    )


def tasks_of(material: Material) -> list[Retrieval]:
    """Both tasks of some material."""
    queries = [renderings.sound(version, material.renderings) for version in material.queries]
    originals = [renderings.sound(version, material.renderings) for version in material.tracks]
    kinds = [version.kind for version in material.queries]
    asked = np.array([version.piece.name for version in material.queries])
    listed = np.array([version.piece.name for version in material.tracks])
    everything = np.concatenate([listed, asked])
    itself = np.eye(len(queries), len(everything), k=len(originals), dtype=bool)
    among_originals = asked[:, None] == listed[None, :]
    return [
        Retrieval(
            task="arrangement",
            queries=queries,
            tracks=originals,
            relevant=among_originals,
            barred=np.zeros_like(among_originals),
            kinds=kinds,
            metrics=METRICS,
        ),
        Retrieval(
            task="arrangement_versions",
            queries=queries,
            tracks=[*originals, *queries],
            relevant=(asked[:, None] == everything[None, :]) & ~itself,
            barred=itself,
            kinds=kinds,
            metrics=METRICS,
        ),
    ]
