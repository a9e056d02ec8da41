"""Half a minute of a track, after what happens to music on its way: is the track found?

    excerpt -> codec | noise | telephone | other pitch | other tempo | hall | quieter  }  among all
    whole track -> its beginning is missing                                            }  whole tracks

Relevant is the track itself. The kind "clean" is the excerpt as it is, so what a degradation costs is
the distance to that row. What the degradations are stands in evaluation/degradations.py. The grid
follows that of audio fingerprinting (Haitsma & Kalker, ISMIR 2002, section 4), but it asks for a
track, not for a moment in it.

Which half minute is drawn from the seed and the name of the file, so that it does not depend on what
else is in the set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from soundalike.errors import AudioError
from soundalike.evaluation.degradations import COSTLY, DEGRADATIONS, OF_WHOLE_TRACKS, SHORTEST
from soundalike.evaluation.retrieval import Retrieval
from soundalike.evaluation.sounds import Sound, as_waveform, digest, file_key, samples
from soundalike.evaluation.tasks.recordings import Recording, whole
from soundalike.evaluation.tasks.same_track import same_recording
from soundalike.library.disk import explained, write_atomically

PROTOCOL = 1
"""Counted up when the same file and seed come to sound otherwise."""

EXCERPT = 30.0  # seconds
EDGE = 5.0  # seconds at either end of a track that excerpts keep away from: fades and applause


def degraded(
    recordings: Sequence[Recording],
    *,
    seed: int = 0,
    duplicates: Sequence[set[int]] = (),
    cache: Path | None = None,
) -> Retrieval:
    """Every recording after each of `DEGRADATIONS`, among all whole recordings.

    Args:
        recordings: N tracks of 5 s or more; those under 30 s are asked about as a whole.
        seed: of excerpts, noise and halls.
        duplicates: places of tracks that hold the same recording; to find any of them is right.
        cache: folder to keep what is costly to make in (about a MB each at 16 kHz); None keeps none.
    """
    N = len(recordings)
    asked = [(kind, recording) for kind in DEGRADATIONS for recording in recordings]
    return Retrieval(
        task="degraded",
        queries=[degraded_sound(recording, kind, seed, cache) for kind, recording in asked],
        tracks=[whole(recording) for recording in recordings],
        relevant=np.tile(same_recording(N, duplicates), (len(DEGRADATIONS), 1)),
        barred=np.zeros((len(asked), N), dtype=bool),
        kinds=[kind for kind, _ in asked],
        metrics=("top-1", "MRR"),
    )


def degraded_sound(
    recording: Recording, kind: str, seed: int = 0, cache: Path | None = None
) -> Sound:
    """A recording after one of `DEGRADATIONS`: its excerpt, or all of it where that is what is changed.

    Making it raises an AudioError where the file cannot be used or is shorter than 5 s, a ModelError
    where FFmpeg lacks the encoder, a LibraryError where the cache cannot be written.
    """
    path, name = recording.path, f"{recording.path.parent.name}/{recording.path.name}"
    key = f"{file_key(path)}#degraded|{kind}|{EXCERPT:g} s|seed {seed}|v{PROTOCOL}"

    def make(rate: int) -> np.ndarray:
        sound = samples(path, rate)
        if len(sound) < SHORTEST * rate:
            seconds = len(sound) / rate
            raise AudioError(
                path, f"too short to be found again: {seconds:.2g} s, not {SHORTEST:g}"
            )
        if kind not in OF_WHOLE_TRACKS:
            first = round(excerpt_start(len(sound) / rate, name, seed) * rate)
            sound = sound[first : first + round(EXCERPT * rate)]
        return DEGRADATIONS[kind](as_waveform(sound), rate, _generator(seed, name, kind))

    def make_once(rate: int) -> np.ndarray:
        file = cache / f"{digest(key, str(rate))}.npy" if cache else None
        return as_waveform(_kept(file, lambda: np.round(make(rate) * 32767).astype(np.int16)))

    return Sound(key, make_once if kind in COSTLY else make)


def excerpt_start(duration: float, name: str, seed: int = 0) -> float:
    """Where the excerpt of a track of some duration begins, both in seconds."""
    spare = max(duration - EXCERPT, 0.0)
    edge = min(EDGE, spare / 2)
    return edge + float(_generator(seed, name).random()) * (spare - 2 * edge)


def _generator(seed: int, *names: str) -> np.random.Generator:
    named = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(named[:8], "big")])


def _kept(path: Path | None, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Read int16 samples back, or make and keep them; a torn file is made anew."""
    if path is None:
        return make()
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, EOFError, ValueError):
        made = make()
    file = BytesIO()
    np.save(file, made)
    with explained(f"{path.parent}: degraded sounds cannot be kept"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, file.getvalue())
    return made
