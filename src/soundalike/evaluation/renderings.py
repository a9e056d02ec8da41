"""Versions of pieces -> sound, rendered once and kept as FLAC files.

    prepare(versions, renderings)       renders what is missing, several pieces side by side
    sound(version, renderings)          Sound: read from the cache, or rendered when asked for

The name of a file is a digest of everything it was made from: notes, kind of version, seed,
soundfont, and `PROTOCOL`. Files appear whole or not at all. One that was torn afterwards, by a full
disk or a bad copy, is noticed when it is read, and rendered again.

Soundfonts are none of those the shipped encoders were trained with.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from soundalike.audio.waveform import load_audio, probe
from soundalike.errors import AudioError, QueryError, RecipeError
from soundalike.evaluation.pieces import Piece
from soundalike.evaluation.sounds import SAMPLE_RATE, Sound
from soundalike.evaluation.versions import LONGEST, Version, read, write
from soundalike.scores.orchestration import FAMILIES, STYLES

if TYPE_CHECKING:  # mido is not among the things a listener has
    from soundalike.scores.rendering import Score

PROTOCOL = 1
"""Counted up when the same files and seed come to sound otherwise."""

SOUNDFONTS = (
    Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
    Path("/usr/share/sounds/sf2/OPL-3_FM_128M.sf2"),
)
"""The original's, then the other one's: where Debian puts them."""

PACKAGES = {
    "TimGM6mb.sf2": "timgm6mb-soundfont",
    "OPL-3_FM_128M.sf2": "opl3-soundfont",
}


@dataclass(frozen=True, slots=True)
class Renderings:
    """Where renderings are kept, and what they are played with.

    Attributes:
        cache: folder of FLAC files; made when there is something to keep.
        soundfonts: the original's and the other one's, .sf2 or .sf3.
    """

    cache: Path
    soundfonts: tuple[Path, Path] = SOUNDFONTS

    def path(self, version: Version) -> Path:
        """Where a version is kept, whether it is there or not.

        Raises:
            RecipeError: its soundfont is not there; the message names Debian's package.
            QueryError: a score or performance is not there.
        """
        files = (self.soundfonts[version.soundfont], version.piece.score, version.source)
        made_from = [
            f"{PROTOCOL} {LONGEST} {STYLES} {FAMILIES}",
            f"{version.piece.name}|{version.kind}|{version.seed}",
            *map(_fingerprint, files),
        ]
        digest = hashlib.blake2b("\n".join(made_from).encode(), digest_size=12).hexdigest()
        return self.cache / f"{digest}.flac"


def prepare(
    versions: Iterable[Version],
    renderings: Renderings,
    *,
    jobs: int = 2,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[AudioError]:
    """Render what is not in the cache yet; stopped at any moment, it goes on from there.

    Args:
        versions: to be rendered.
        renderings: the cache and the soundfonts.
        jobs: pieces rendered side by side, 1 or more.
        progress: called with versions done and versions missing at the beginning.

    Returns:
        Why some versions cannot be made; the others are.

    Raises:
        RecipeError: fluidsynth or a soundfont is missing; the message names Debian's package.
        QueryError: a score or performance is not there.
        ModelError: mido is not installed.
    """
    missing: dict[Piece, list[Version]] = {}
    for version in versions:
        if not renderings.path(version).exists():
            missing.setdefault(version.piece, []).append(version)
    failed: list[AudioError] = []
    total, done = sum(map(len, missing.values())), 0
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        work = {
            pool.submit(_render_piece, of_piece, renderings): len(of_piece)
            for of_piece in missing.values()
        }
        try:
            for finished in as_completed(work):
                failed += finished.result()
                done += work[finished]
                progress(done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return failed


def sound(version: Version, renderings: Renderings) -> Sound:
    """Name a version for systems to listen to; it is rendered when nobody prepared it.

    Raises:
        RecipeError, QueryError: what it is made from is not there, as in `Renderings.path`.
    """
    key = f"{version.piece.name}#{version.kind}@{renderings.path(version).stem}"
    return Sound(key, partial(_listen, version, renderings))


def _listen(version: Version, renderings: Renderings, sample_rate: int) -> np.ndarray:
    """Read a rendering, made anew where it is missing or torn: float32 [T]."""
    path = renderings.path(version)
    if path.exists():
        try:
            waveform = load_audio(path, sample_rate=sample_rate)
            if abs(len(waveform) / sample_rate - probe(path).duration) < 0.01:
                return waveform
        except AudioError:
            pass  # torn
    _render(version, renderings, read(version.piece))
    return load_audio(path, sample_rate=sample_rate)


def _render_piece(versions: Sequence[Version], renderings: Renderings) -> list[AudioError]:
    """Render versions of one piece, whose score is read once."""
    failed: list[AudioError] = []
    try:
        score = read(versions[0].piece)
    except AudioError as error:
        return [error] * len(versions)
    for version in versions:
        try:
            _render(version, renderings, score)
        except AudioError as error:
            failed.append(error)
    return failed


def _render(version: Version, renderings: Renderings, score: Score) -> None:
    from soundalike.scores.rendering import play  # needs mido, which a listener has not

    arranged, plan = write(version, score)
    samples = play(arranged, renderings.soundfonts[plan.soundfont], room=plan.room)
    _save(renderings.path(version), samples)


def _save(path: Path, samples: np.ndarray) -> None:
    """Write int16 [T] as FLAC, about half the size, in one step for whoever looks on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_file = path.with_name(f"{path.stem}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with av.open(str(partial_file), "w", format="flac") as container:
            stream = container.add_stream("flac", rate=SAMPLE_RATE)
            stream.layout = "mono"
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)
        partial_file.replace(path)
    finally:
        partial_file.unlink(missing_ok=True)


def _fingerprint(path: Path) -> str:
    try:
        state = path.stat()
    except OSError:
        if path.suffix not in (".sf2", ".sf3"):
            raise QueryError(f"there is no score at {path}; was it moved or deleted?") from None
        package = PACKAGES.get(path.name)
        hint = f"; Debian's package is called {package}" if package else ""
        raise RecipeError(f"there is no soundfont at {path}{hint}") from None
    return _digest_of(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest_of(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - a changed file is another
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
