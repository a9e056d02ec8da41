"""Baselines that bring a measure of their own: a description per sound, and a function that compares.

    Measure     two functions under a name
    Reference   the same, whose distances are rescaled by mutual proximity to sounds of the training split
    Maker       what is needed to make one of them

Both are a `System`. What is a row of plain numbers needs neither: `systems.Statistic` standardises it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from soundalike.errors import ModelError
from soundalike.evaluation.baselines.mutual_proximity import mutual_proximity
from soundalike.evaluation.descriptions import Descriptions, Progress, silently
from soundalike.evaluation.sounds import SAMPLE_RATE, Sound, digest
from soundalike.evaluation.systems import source_digest


class Measure:
    """A system made of two pure functions.

    Args:
        name: as people type it.
        describe: waveform float32 [T] at 16 kHz -> float32 [1, D].
        compare: descriptions of queries [Q, D] and of tracks [N, D] -> similarities [Q, N].

    Attributes:
        description_identity: changes with any file of the baselines, so what is kept of sounds was
            made by this very code; `identity` also with what a measure was fitted on.
    """

    sample_rate = SAMPLE_RATE

    def __init__(
        self,
        name: str,
        describe: Callable[[np.ndarray], np.ndarray],
        compare: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> None:
        self.name = name
        self.identity = self.description_identity = f"{name}@{source_digest(describe)}"
        self._describe, self._compare = describe, compare

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """One row of each."""
        return map(self._describe, waveforms)

    def fit(
        self,
        training: Sequence[Sound],  # noqa: ARG002
        fitted_on: str = "train",  # noqa: ARG002
        *,
        cache: Path | None = None,  # noqa: ARG002
        progress: Progress = silently,  # noqa: ARG002
    ) -> Self:
        """Learn nothing: both functions are complete."""
        return self

    def similarity(self, queries: Sequence[np.ndarray], tracks: Sequence[np.ndarray]) -> np.ndarray:
        """What the measure says of every pair: float32 [Q, N], higher is more alike."""
        return self._compare(np.concatenate(queries), np.concatenate(tracks)).astype(np.float32)

    def numbers(self, description: np.ndarray) -> int:
        """D."""
        return int(description.size)


class Reference(Measure):
    """A distance, rescaled by mutual proximity. `fit` must come before `similarity`.

    Args:
        name: as people type it.
        describe: waveform float32 [T] at 16 kHz -> float32 [1, D].
        distance: descriptions [Q, D] and [N, D] -> distances [Q, N], 0 or more.
    """

    def __init__(
        self,
        name: str,
        describe: Callable[[np.ndarray], np.ndarray],
        distance: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> None:
        super().__init__(name, describe, self._proximity)
        self._distance = distance
        self._references = np.zeros((0, 0))

    def fit(
        self,
        training: Sequence[Sound],
        fitted_on: str = "train",
        *,
        cache: Path | None = None,
        progress: Progress = silently,
    ) -> Self:
        """Describe the reference sounds, leaving out those that cannot be decoded.

        Raises:
            ModelError: none of them can be used.
        """
        heard = Descriptions(self, cache, progress).heard(training)
        if not heard:
            raise ModelError(
                f"{self.name} has nothing to measure against: none of the {len(training)} sounds "
                "to fit it on can be used; it needs rows of the split train, or a set to compare"
            )
        self._references = np.concatenate(list(heard.values()))
        fitted = digest(self.description_identity, *heard)
        self.identity = f"{self.name}@{fitted} fitted on {fitted_on}"
        return self

    def _proximity(self, queries: np.ndarray, tracks: np.ndarray) -> np.ndarray:
        if not len(self._references):
            raise ValueError(f"{self.name} has not been fitted")
        return mutual_proximity(
            self._distance(queries, tracks),
            self._distance(queries, self._references),
            self._distance(tracks, self._references),
        )


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes a measure of a name, fitted if it must be.

    Attributes:
        name, describe, compare: as for a `Measure`; `compare` gives distances for a `Reference`.
        kind: which of the two it is.
    """

    name: str
    describe: Callable[[np.ndarray], np.ndarray]
    compare: Callable[[np.ndarray, np.ndarray], np.ndarray]
    kind: type[Measure] = Measure

    def __call__(
        self,
        training: Sequence[Sound],
        fitted_on: str = "train",
        *,
        cache: Path | None = None,
        progress: Progress = silently,
    ) -> Measure:
        """Make it.

        Args:
            training: sounds to fit on; a plain `Measure` needs none.
            fitted_on: what these are, for the identity: "train", or "the set itself".
            cache: folder of descriptions, where those of the training sounds are kept too.
            progress: is called with steps done and steps in all while fitting.

        Raises:
            ModelError: it must be fitted, and none of the sounds can be used.
        """
        measure = self.kind(self.name, self.describe, self.compare)
        return measure.fit(training, fitted_on, cache=cache, progress=progress)
