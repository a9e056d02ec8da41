"""An encoder for files of text, for tests of what lies around the encoder.

Each line of such a file is one sound, and a sound is a direction: the same line gives the same
vector everywhere, other lines give others at random. Segment i hears line i, the last line where
there are fewer. Lines "tag=value" are tags; a file that begins with "broken" cannot be used.
With senses it is a joined model: in the line "x|y" the first sense hears x, the second y.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from soundalike.audio.segments import Segment
from soundalike.embedder import TrackVectors
from soundalike.errors import AudioError
from soundalike.library.library import Library

SEGMENTS = 3


class StandIn:
    """Takes the place of an Embedder; `heard` lists the files it was given, in order."""

    def __init__(
        self,
        *,
        version: int = 1,
        dimension: int = 16,
        name: str = "stand-in",
        senses: dict[str, slice] | None = None,
    ) -> None:
        self.name, self.identity = name, f"{name}@{version:012x}"
        self.dimension, self.segment_count = dimension, SEGMENTS
        self.folder = Path("no-folder")
        self.senses = senses or {}
        self.sample_rate, self.segment_length = 16_000, 30.0
        self.heard: list[Path] = []
        self._version = version

    def embed_file(
        self, path: Path, *, start: float | None = None, end: float | None = None
    ) -> TrackVectors:
        self.heard.append(Path(path))
        try:
            lines = Path(path).read_text().splitlines()
        except OSError as error:
            raise AudioError(path, str(error.strerror)) from error
        if not lines or lines[0].startswith("broken"):
            raise AudioError(path, "no audio stream")
        tags = dict(line.split("=", 1) for line in lines if "=" in line)
        sounds = [line for line in lines if "=" not in line]
        first = 0 if start is None else int(start // 30)
        heard = [sounds[min(i, len(sounds) - 1)] for i in range(first, first + SEGMENTS)]
        vectors = np.stack([self._direction(sound) for sound in heard])
        segments = tuple(Segment(30.0 * i, 30.0 * i + 30.0) for i in range(SEGMENTS))
        return TrackVectors(Path(path), 90.0, tags, segments, vectors)

    def embed(
        self, paths: Iterable[Path], *, jobs: int | None = None
    ) -> Iterator[TrackVectors | AudioError]:
        waiting: deque[TrackVectors | AudioError] = deque()
        for path in paths:
            try:
                waiting.append(self.embed_file(path))
            except AudioError as error:
                waiting.append(error)
            if len(waiting) > 3:
                yield waiting.popleft()
        yield from waiting

    def _direction(self, sound: str) -> np.ndarray:
        if not self.senses:
            return self._random(sound, self.dimension)
        widths = [own.stop - own.start for own in self.senses.values()]
        parts = map(self._random, sound.split("|"), widths)
        return np.concatenate(list(parts)) / np.float32(np.sqrt(len(widths)))

    def _random(self, sound: str, dimension: int) -> np.ndarray:
        seed = int.from_bytes(hashlib.blake2b(f"{self._version}{sound}".encode()).digest()[:8])
        vector = np.random.default_rng(seed).standard_normal(dimension)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def new_library(folder: Path) -> tuple[Library, StandIn]:
    """Open a library with an encoder of its own."""
    embedder = StandIn()
    return Library(folder, embedder=embedder), embedder  # type: ignore[arg-type]


def write_sounds(path: Path, *sounds: str, **tags: str) -> Path:
    """Write a file that a StandIn can hear."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*sounds, *(f"{k}={v}" for k, v in tags.items())]))
    return path


def later(path: Path) -> Path:
    """Give a file another time of change, whatever the resolution of the file system."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 5_000_000_000))
    return path


def contents(library: Library) -> dict[str, tuple[object, ...]]:
    """All a library knows but ids and times of indexing: path -> facts and the bytes of vectors."""
    snapshot = library._opened.snapshot()
    if not snapshot:
        return {}
    assert snapshot.segments is not None
    ignored = ("id", "added_at")
    rows = snapshot.facts.to_pylist()
    return {
        row["path"]: (
            *(str(value) for name, value in row.items() if name not in ignored),
            snapshot.means[i].tobytes(),
            snapshot.segments[i].tobytes(),
        )
        for i, row in enumerate(rows)
    }
