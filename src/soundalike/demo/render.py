"""The demo's library on disk: every track composed, arranged, mixed and written as tagged FLAC.

`write_demo(folder)` is the way in. The music is the same on every run: all randomness is seeded by
the track's title, and no clock is asked. A file counts as finished when its last sample is there
and its comment names this EDITION of the music; anything else is written again, under a temporary
name first, so that whatever stands in the folder under its own name is whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from soundalike.demo.arrange import arrange
from soundalike.demo.mix import Tempo, mixdown
from soundalike.demo.pieces import PIECES
from soundalike.demo.score import Arrangement, Part, Tune
from soundalike.demo.synthesize import SAMPLE_RATE, Wave
from soundalike.demo.tunes import TUNES
from soundalike.errors import AudioError

EDITION = 2
ALBUM = "Music from Nowhere"
YEAR = "2025"
_COMMENT = f"Composed and rendered by soundalike, edition {EDITION}"
_FRAME = 1 << 16


@dataclass(frozen=True)
class DemoTrack:
    """One track to be: a tune and who plays it."""

    number: int
    tune: Tune
    arrangement: Arrangement

    @property
    def title(self) -> str:
        """Tune and scoring, as in "Harbour Lanterns (string quartet)"."""
        return f"{self.tune.name} ({self.arrangement.scoring})"

    @property
    def file_name(self) -> str:
        """The title with the ending .flac."""
        return f"{self.title}.flac"

    @property
    def tags(self) -> dict[str, str]:
        """What the file says about itself; `comment` carries the edition."""
        return {
            "title": self.title,
            "artist": self.arrangement.ensemble,
            "album": ALBUM,
            "date": YEAR,
            "genre": self.arrangement.genre,
            "track": str(self.number),
            "comment": _COMMENT,
        }


def demo_tracks() -> tuple[DemoTrack, ...]:
    """Every track of the demo in album order: the tunes, three by three, then the pieces."""
    pairs = [(tune, arrangement) for tune, three in TUNES for arrangement in three]
    return tuple(DemoTrack(i, *pair) for i, pair in enumerate([*pairs, *PIECES], start=1))


def demo_groups() -> dict[str, list[str]]:
    """Each tune's name and the file names of its arrangements: what ought to find each other."""
    groups: dict[str, list[str]] = {tune.name: [] for tune, _ in TUNES}
    for track in demo_tracks():
        if track.tune.name in groups:
            groups[track.tune.name].append(track.file_name)
    return groups


def write_demo(folder: Path, *, progress: Callable[[int, int], None] | None = None) -> list[Path]:
    """Writes the demo's tracks into `folder` (made if missing); about half a minute of work.

    What an earlier run finished is kept. `progress(done, total)` is called after every track.

    Returns:
        The paths of all tracks, in album order.

    Raises:
        AudioError: a file cannot be written, or `folder` is a file.
    """
    tracks, paths = demo_tracks(), []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(folder, f"no folder to write the demo to ({error.strerror})") from error
    for done, track in enumerate(tracks, start=1):
        paths.append(folder / track.file_name)
        if not is_finished(paths[-1]):
            write_flac(paths[-1], render(track), track.tags)
        if progress is not None:
            progress(done, len(tracks))
    return paths


def score(track: DemoTrack) -> tuple[tuple[Part, ...], Tempo]:
    """The parts of a track and the tempo they are played at."""
    tune, arrangement = track.tune, track.arrangement
    parts = arrange(tune, arrangement)
    tempo = Tempo(
        rate=tune.tempo * arrangement.pace,
        end=max(note.end for part in parts for note in part.notes),
        swing=arrangement.swing,
        strict=arrangement.strict,
    )
    return parts, tempo


def render(track: DemoTrack) -> Wave:
    """The sound of a track, mono, float32 [T] at SAMPLE_RATE."""
    parts, tempo = score(track)
    seed = zlib.crc32(track.title.encode())
    return mixdown(parts, tempo, room=track.arrangement.room, seed=seed)


def write_flac(path: Path, sound: Wave, tags: Mapping[str, str]) -> None:
    """Writes [T] as 16 bit FLAC, first as `path` + ".part"; an error leaves nothing behind."""
    # The last two of the sixteen bits stay 0: at this loudness nobody hears them, and FLAC, which
    # notices, writes a fifth less.
    pcm = (4 * np.round(sound * (32767 / 4))).astype(np.int16)
    partial = path.with_name(path.name + ".part")
    try:
        with av.open(str(partial), "w", format="flac", options={"fflags": "+bitexact"}) as out:
            out.metadata.update(tags)
            stream = out.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
            stream.format = "s16"
            for start in range(0, len(pcm), _FRAME):
                block = pcm[np.newaxis, start : start + _FRAME]
                frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
                frame.sample_rate, frame.pts = SAMPLE_RATE, start
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        partial.replace(path)
    except (OSError, av.FFmpegError) as error:
        raise AudioError(path, f"cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


def is_finished(path: Path) -> bool:
    """Whether `path` holds a whole track of this edition: every sample its header promises."""
    if not path.is_file():
        return False
    try:
        with av.open(str(path)) as source:
            stream = source.streams.audio[0]
            promised = stream.duration
            held = sum(packet.duration or 0 for packet in source.demux(stream))
            comment = source.metadata.get("comment", "")
    except (OSError, av.FFmpegError, IndexError):
        return False
    return bool(held == promised and comment == _COMMENT)
