"""A file -> what an encoder hears of it: where it listens, and the samples there.

The half of embedding that opens files. It knows no encoder, so that it can be done where none is: by a
server, in a process that may run out of memory alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from soundalike.audio.segments import Segment, grid
from soundalike.audio.transcript import Transcript
from soundalike.audio.waveform import SHORTEST, load_segments, probe
from soundalike.errors import QueryError


@dataclass(frozen=True, slots=True)
class Ear:
    """What an encoder listens to: `count` segments of `length` samples at `sample_rate` Hz."""

    sample_rate: int
    length: int
    count: int

    def segments(self, duration: float) -> tuple[Segment, ...]:
        """Where it listens in a track of this duration, seconds."""
        return grid(duration, count=self.count, length=self.length / self.sample_rate)


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """What is heard of one file.

    Attributes:
        path: the file, as given.
        duration: of the whole file, seconds.
        tags: of the file, keys in lower case.
        segments: S stretches that were listened to.
        rows: their samples, float32 [S, L].
        heard: the transcript of what was decoded; "" where there can be none.
    """

    path: Path
    duration: float
    tags: dict[str, str]
    segments: tuple[Segment, ...]
    rows: npt.NDArray[np.float32]
    heard: str = ""


def listen(path: Path, ear: Ear, start: float | None = None, end: float | None = None) -> Sound:
    """Open a file, or its excerpt from `start` to `end` in seconds, and decode what is listened to.

    Raises:
        AudioError: the file cannot be used as music.
        QueryError: no such excerpt.
    """
    info = probe(path)
    first, last = _excerpt(path, info.duration, start, end)
    segments = tuple(
        Segment(first + segment.start, first + segment.end)
        for segment in ear.segments(last - first)
    )
    transcript = Transcript()
    rows = load_segments(
        path, segments, sample_rate=ear.sample_rate, length=ear.length, transcript=transcript
    )
    heard = transcript.text(info.duration)
    return Sound(path, info.duration, info.tags, segments, rows, heard)


def _excerpt(
    path: Path, duration: float, start: float | None, end: float | None
) -> tuple[float, float]:
    first = 0.0 if start is None else start
    last = duration if end is None else min(end, duration)
    if first == 0.0 and last == duration:
        return first, last  # all of it; whether that is long enough, decoding will tell
    if first >= duration:
        raise QueryError(f"{path}: no excerpt from {first:g} s on; the track has {duration:.1f} s")
    if not 0 <= first <= last - SHORTEST:
        raise QueryError(
            f"{path}: no excerpt of at least {SHORTEST:g} s from {first:g} s to {last:g} s; "
            f"the track has {duration:.1f} s"
        )
    return first, last
