"""A sound -> its segment vectors for several numbers of segments at once: [1 + 2 + 3 + 5 + 8, D].

To compare numbers of segments every sound would be described once for each. Here one description
holds them all, grid after grid, and places that two grids share are encoded once. `of_count` takes
one grid out again; its rows are what an `Embedder` with that number of segments gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from soundalike.audio.segments import Segment, cut, grid, sample_range
from soundalike.audio.waveform import is_sounding
from soundalike.embedder import Embedder
from soundalike.library.aggregation import unit

COUNTS = (1, 2, 3, 5, 8)
WORKERS = 2  # sounds encoded side by side, one thread each


class DenseGrid:
    """An encoder that listens to the grids of all `counts`: a `System` for `Descriptions`.

    Attributes:
        name, sample_rate: of the encoder.
        identity: of the encoder, with the counts: its descriptions are others than the encoder's.
    """

    def __init__(self, embedder: Embedder, counts: Sequence[int] = COUNTS) -> None:
        self.embedder, self.counts = embedder, tuple(counts)
        self.name, self.sample_rate = embedder.name, embedder.sample_rate
        self.identity = f"{embedder.identity}|segments {','.join(map(str, self.counts))}"

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Waveforms float32 [T] -> rows of unit length, float32 [sum of counts, D], one by one.

        A waveform that is silent in all places gives zeros, as an `Encoder` does.

        Raises:
            ModelError: the encoder fails.
        """
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="describe") as pool:
            yield from pool.map(self._rows, waveforms)

    def similarity(self, queries: Sequence[np.ndarray], tracks: Sequence[np.ndarray]) -> np.ndarray:
        """Cosines of the means over the largest grid, float32 [Q, N]."""
        ours, theirs = (
            np.stack([of_count(each, self.counts[-1], self.counts).mean(axis=0) for each in sounds])
            for sounds in (queries, tracks)
        )
        return np.asarray(unit(ours) @ unit(theirs).T, dtype=np.float32)

    def numbers(self, description: np.ndarray) -> int:
        """What is kept of a track in all, far more than any one way to compare needs."""
        return description.size

    def _rows(self, waveform: np.ndarray) -> np.ndarray:
        rate, length = self.sample_rate, self.embedder.segment_length
        grids = [grid(len(waveform) / rate, count=S, length=length) for S in self.counts]
        vectors: dict[Segment, np.ndarray] = {}
        for segment in dict.fromkeys(segment for each in grids for segment in each):
            first, stop = sample_range(segment, rate, round(length * rate))
            row = cut(waveform[first:stop], 0, round(length * rate))
            if is_sounding(row):
                vectors[segment] = self.embedder.embed_segments(row[None])[0]
        if not vectors:
            return np.zeros((sum(self.counts), self.embedder.dimension), dtype=np.float32)
        return np.stack([vectors[_heard(each, s, vectors)] for each in grids for s in each])


def of_count(description: np.ndarray, count: int, counts: Sequence[int] = COUNTS) -> np.ndarray:
    """Take the grid of `count` segments out of a description: [sum of counts, D] -> [count, D]."""
    begin = sum(counts[: list(counts).index(count)])
    return description[begin : begin + count]


def _heard(
    grid_: Sequence[Segment], segment: Segment, vectors: dict[Segment, np.ndarray]
) -> Segment:
    """The segment itself, or the nearest of its grid that sounds, as the `Embedder` does it."""
    if segment in vectors:
        return segment
    # Where one grid meets silence only, another's places speak for it: no track without an answer.
    sounding = [s for s in grid_ if s in vectors] or list(vectors)
    return min(sounding, key=lambda s: abs(s.start - segment.start))
