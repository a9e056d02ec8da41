"""Sounds -> their descriptions, each made once per system and kept on disk.

    cache/<digest of the identity>/<digest of the keys>.npz    a pack of up to 64 descriptions

Tasks and claims ask for many of the same sounds; those that are known are read back. A pack is written
whole or not at all, so a run may be stopped at any moment and goes on where it was; a pack that
cannot be read is dropped and its sounds are described anew.
"""

from __future__ import annotations

import os
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundalike.errors import AudioError, ModelError
from soundalike.evaluation.sounds import Sound, digest
from soundalike.library.disk import explained, write_atomically

if TYPE_CHECKING:
    from soundalike.evaluation.systems import System

PACK = 64  # sounds described before they are written
PACK_SAMPLES = 2**26  # at most, unless one sound alone has more: 256 MiB of waveforms
WORKERS = 2

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is to do."""


def silently(done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What describing took, per sound; making the sound (decoding, degrading) is left out.

    Attributes:
        sounds: that the figures are a mean over.
        audio: seconds of sound.
        wall: seconds on the clock.
        processor: seconds of processor time, of all threads and of programs that were started.
    """

    sounds: int
    audio: float
    wall: float
    processor: float


class Descriptions:
    """What one system says about sounds.

    Args:
        system: is asked for what is not known yet.
        folder: keeps what was described, of all systems; None keeps it in memory alone.
        progress: is called with steps done and steps in all; a sound takes two, made and described.

    Attributes:
        failed: sounds that could not be made, by key, and why. They are not tried again.
    """

    def __init__(
        self, system: System, folder: Path | None = None, progress: Progress = silently
    ) -> None:
        self._system, self._progress = system, progress
        identity: str = getattr(system, "description_identity", system.identity)
        self._folder = folder / digest(identity) if folder else None
        self._known: dict[str, np.ndarray] = {}
        self._costs: dict[str, np.ndarray] = {}
        self.failed: dict[str, AudioError] = {}
        if self._folder and self._folder.is_dir():
            for path in sorted(self._folder.glob("*.npz")):
                self._read(path)

    def of(self, sounds: Sequence[Sound]) -> list[np.ndarray]:
        """Describe sounds, in order; equal keys once.

        Raises:
            AudioError: one of them cannot be made. All others are described and kept nevertheless.
        """
        self._describe(sounds)
        for sound in sounds:
            if sound.key in self.failed:
                raise self.failed[sound.key]
        return [self._known[sound.key] for sound in sounds]

    def missing(self, sounds: Iterable[Sound]) -> int:
        """How many of these would have to be made and described."""
        return len({sound.key for sound in sounds} - set(self._known) - set(self.failed))

    def heard(self, sounds: Sequence[Sound]) -> dict[str, np.ndarray]:
        """Describe those sounds that can be made: key -> description, in order."""
        self._describe(sounds)
        return {each.key: self._known[each.key] for each in sounds if each.key in self._known}

    def cost(self, sounds: Sequence[Sound]) -> Cost:
        """What these took when they were described, in this run or an earlier one."""
        rows = [self._costs[each.key] for each in sounds if each.key in self._costs]
        audio, wall, processor = np.mean(rows, axis=0) if rows else (np.nan,) * 3
        return Cost(len(rows), float(audio), float(wall), float(processor))

    def _describe(self, sounds: Sequence[Sound]) -> None:
        missing = {
            each.key: each
            for each in sounds
            if each.key not in self._known and each.key not in self.failed
        }
        total, done = 2 * len(missing), 0

        def step(count: int) -> None:
            nonlocal done
            done += count
            self._progress(done, total)

        for batch in self._batches(missing.values(), step):
            self._describe_batch(batch, step)

    def _batches(
        self, sounds: Iterable[Sound], step: Callable[[int], None]
    ) -> Iterator[list[tuple[Sound, np.ndarray]]]:
        """Make sounds, about a pack at a time.

        Nothing is made while a pack is described, so that the time of describing is known.
        """
        files: dict[str, list[Sound]] = {}
        for sound in sounds:  # one thread makes all parts of a file, which it decodes once
            files.setdefault(sound.key.partition("#")[0], []).append(sound)
        parts = [each[i : i + PACK] for each in files.values() for i in range(0, len(each), PACK)]
        batch: list[tuple[Sound, np.ndarray]] = []
        size = 0
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="make") as pool:
            for i in range(0, len(parts), WORKERS):
                for sound, made in chain.from_iterable(
                    pool.map(self._make, parts[i : i + WORKERS])
                ):
                    if isinstance(made, AudioError):
                        self.failed[sound.key] = made
                        step(2)
                    else:
                        batch.append((sound, made))
                        size += len(made)
                        step(1)
                if len(batch) >= PACK or size >= PACK_SAMPLES:
                    yield batch
                    batch, size = [], 0
        if batch:
            yield batch

    def _make(self, sounds: Sequence[Sound]) -> list[tuple[Sound, np.ndarray | AudioError]]:
        made: list[tuple[Sound, np.ndarray | AudioError]] = []
        for sound in sounds:
            try:
                made.append((sound, sound.make(self._system.sample_rate)))
            except AudioError as error:
                made.append((sound, error))
        return made

    def _describe_batch(
        self, batch: Sequence[tuple[Sound, np.ndarray]], step: Callable[[int], None]
    ) -> None:
        described: list[np.ndarray] = []
        wall, processor = time.perf_counter(), _processor_seconds()
        for description in self._system.describe(waveform for _, waveform in batch):
            described.append(np.asarray(description, dtype=np.float32))
            step(1)
        share = (
            (time.perf_counter() - wall) / len(batch),
            (_processor_seconds() - processor) / len(batch),
        )
        if len(described) != len(batch):
            words = f"{self._system.name} gave {len(described)} answers to {len(batch)} sounds"
            raise ModelError(words)
        for (sound, waveform), description in zip(batch, described, strict=True):
            if not np.isfinite(description).all():
                raise ModelError(f"{self._system.name} describes {sound.key} by numbers not finite")
            self._known[sound.key] = description
            audio = len(waveform) / self._system.sample_rate
            self._costs[sound.key] = np.array([audio, *share])
        self._write([sound.key for sound, _ in batch])

    def _write(self, keys: list[str]) -> None:
        if not self._folder:
            return
        file = BytesIO()
        numbered = {str(number): self._known[key] for number, key in enumerate(keys)}
        costs = np.stack([self._costs[key] for key in keys])
        np.savez(file, keys=np.array(keys), costs=costs, **numbered)  # type: ignore[arg-type]
        with explained(f"{self._folder}: descriptions cannot be kept"):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._folder / f"{digest(*keys)}.npz", file.getvalue())

    def _read(self, path: Path) -> None:
        try:
            # Not by its path: numpy leaves a torn file open.
            with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as pack:
                keys = [str(key) for key in pack["keys"]]
                descriptions = [pack[str(number)] for number in range(len(keys))]
                costs = pack["costs"]
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
            with suppress(OSError):
                path.unlink()
            return
        self._known |= zip(keys, descriptions, strict=True)
        self._costs |= zip(keys, costs, strict=True)


def _processor_seconds() -> float:
    """Of this process with all its threads, and of programs it started that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
