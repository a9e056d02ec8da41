"""A library of any size without its music: files of a few bytes, and an encoder that looks tracks up.

What it imitates is measured, not guessed: the vectors of real music (an indexed library) give the mean
and, for the senses one by one, how far albums lie from the mean, tracks from their album, segments
from their track. A synthetic track is a draw from those three, its tags have the shape of a real
collection: few artists with many tracks and many with few, albums of about eleven.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from soundalike.audio.segments import Segment
from soundalike.embedder import TrackVectors
from soundalike.errors import AudioError
from soundalike.library.aggregation import unit

Vectors = npt.NDArray[np.float32]
ALBUM_LENGTH = 11
TRACKS_PER_ARTIST = 14
GENRES = ("Rock", "Electronic", "Jazz", "Classical", "Folk", "Hip-Hop", "Metal", "Ambient")
WORDS = (
    *("amber", "ballad", "canyon", "dawn", "ember", "fable", "garden", "harbour", "island"),
    *("jubilee", "kestrel", "lantern", "meadow", "nocturne", "orchard", "paper", "quarry"),
    *("river", "silver", "thistle", "umbra", "valley", "winter", "yonder", "zephyr"),
)


@dataclass(frozen=True)
class Likeness:
    """What real vectors of one sense are like; factors [D, D] colour white noise.

    Attributes:
        mean: [D].
        albums, tracks, segments: factors of the covariances between albums, of tracks within an
            album and of segments within a track.
        length: of every segment in these columns; its square is the weight of the sense.
    """

    mean: Vectors
    albums: Vectors
    tracks: Vectors
    segments: Vectors
    length: float

    @classmethod
    def of(cls, segments: Vectors, albums: list[str]) -> Likeness:
        """Measure segments [N, S, D] of tracks on these albums."""
        tracks = segments.mean(axis=1)
        rows = [np.flatnonzero(np.array(albums) == name) for name in dict.fromkeys(albums)]
        centres = np.stack([tracks[own].mean(axis=0) for own in rows])
        within = np.concatenate([tracks[own] - tracks[own].mean(axis=0) for own in rows])
        parts = (segments - tracks[:, None]).reshape(-1, segments.shape[2])
        length = float(np.median(np.linalg.norm(segments, axis=2)))
        # A mean of n scatters by 1/n of one; what is left of it is given back.
        spread = len(within) / max(len(within) - len(rows), 1)
        more = segments.shape[1] / (segments.shape[1] - 1)
        mean = tracks.mean(axis=0)
        return cls(
            mean,
            _factor(centres - mean, 1.0),
            _factor(within, spread),
            _factor(parts, more),
            length,
        )


class SyntheticTracks:
    """N tracks in the order of their paths, made the same from the same seed.

    It takes the place of an `Embedder`: `embed` finds the vectors of a path by the number that is in
    its name.
    """

    sample_rate, segment_length = 16_000, 30.0

    def __init__(
        self, count: int, senses: Mapping[str, Likeness], *, segments: int = 3, seed: int = 0
    ) -> None:
        self._count, self._seed, self._likeness = count, seed, senses
        self.segment_count = segments
        ends = np.cumsum([0, *(len(one.mean) for one in senses.values())]).tolist()
        places = {name: slice(ends[i], ends[i + 1]) for i, name in enumerate(senses)}
        self.senses = places if len(places) > 1 else {}
        self.dimension = ends[-1]
        self.name, self.identity = "synthetic", f"synthetic@{count:06x}{seed:06x}"
        self.folder = Path("synthetic")
        self._album = lru_cache(maxsize=64)(self._draw)

    def path(self, number: int) -> Path:
        """Where a track lies below the root: Artist/Album/number title."""
        tags = self.tags(number)
        name = f"{number:07d} {tags['title']}.flac"
        return Path(tags["artist"]) / tags["album"] / name

    def tags(self, number: int) -> dict[str, str]:
        """What the file says."""
        album = number // ALBUM_LENGTH
        # Zipf's law, roughly: the artist of an album by the square of a uniform number.
        draw = np.random.default_rng((self._seed, album)).random(4)
        artists = max(self._count // TRACKS_PER_ARTIST, 1)
        artist = int(draw[0] ** 2 * artists)
        words = np.random.default_rng((self._seed, 1, number)).integers(len(WORDS), size=3)
        return {
            "title": " ".join(WORDS[word] for word in words).title(),
            "artist": f"{WORDS[artist % len(WORDS)].title()} {artist}",
            "album": f"{WORDS[int(draw[1] * len(WORDS))].title()} {album}",
            "genre": GENRES[int(draw[2] * len(GENRES))],
            "date": str(1960 + int(draw[3] * 66)),
            "track": str(number % ALBUM_LENGTH + 1),
        }

    def write(self, root: Path, numbers: Iterable[int] | None = None) -> None:
        """Write the files, a few bytes each, no two alike: all of them, or those of these numbers."""
        made: set[Path] = set()
        for number in range(self._count) if numbers is None else numbers:
            path = root / self.path(number)
            if path.parent not in made:
                path.parent.mkdir(parents=True, exist_ok=True)
                made.add(path.parent)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT)
            os.write(handle, f"track {number}".ljust(40 + number % 4000).encode())
            os.close(handle)

    def embed(
        self, paths: Iterable[Path], *, jobs: int | None = None
    ) -> Iterator[TrackVectors | AudioError]:
        """Look the vectors up."""
        del jobs
        for path in paths:
            number = int(path.name.partition(" ")[0])
            duration = 90.0 + 300.0 * ((number * 2654435761) % 2**32) / 2**32
            starts = [duration * (i + 0.5) / self.segment_count - 15 for i in range(3)]
            segments = tuple(Segment(start, start + 30) for start in starts)
            vectors = self._album(number // ALBUM_LENGTH)[number % ALBUM_LENGTH]
            yield TrackVectors(path, duration, self.tags(number), segments, vectors)

    def recognizes(self, path: Path, heard: str) -> None:
        """Such files are never retagged."""

    def _draw(self, album: int) -> Vectors:
        """Unit segment vectors of an album, [ALBUM_LENGTH, S, D]."""
        rng, made = np.random.default_rng((self._seed, 2, album)), []
        for likeness in self._likeness.values():
            D = len(likeness.mean)
            centre = likeness.mean + _noise(rng, (1, D), likeness.albums)
            tracks = centre + _noise(rng, (ALBUM_LENGTH, D), likeness.tracks)
            shape = (ALBUM_LENGTH, self.segment_count, D)
            parts = tracks[:, None] + _noise(rng, shape, likeness.segments)
            made.append(np.float32(likeness.length) * unit(parts))
        return np.concatenate(made, axis=2)


def likeness_of(
    segments: Vectors, senses: Mapping[str, slice], albums: list[str]
) -> dict[str, Likeness]:
    """What a real library is like, sense by sense; "both" where there is a single one."""
    columns = senses or {"both": slice(None)}
    return {name: Likeness.of(segments[..., own], albums) for name, own in columns.items()}


def _factor(rows: Vectors, scale: float) -> Vectors:
    """A factor of the covariance of centred rows, times `scale`."""
    _, values, axes = np.linalg.svd(rows, full_matrices=False)
    return np.asarray((values[:, None] * axes) * np.sqrt(scale / len(rows)), np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], factor: Vectors) -> Vectors:
    white = rng.standard_normal((*shape[:-1], len(factor)), np.float32)
    return np.asarray(white @ factor)
