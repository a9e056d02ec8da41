"""What a system is played: sounds that are made when they are needed.

A task names its sounds and makes none of them; whoever describes them makes those it has not met
before, which may be none. So the name of a sound, its key, must say all that the sound depends on.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.audio.waveform import load_audio

SAMPLE_RATE = 16_000
"""Hz; of the waveforms handed to a system, unless it wants another."""

_SHELF = 4  # decoded files kept at hand: a task asks for several parts of one file in a row


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to listen to, made when it is needed.

    Attributes:
        key: names the sound for caches; equal keys are equal sounds, whatever run made them. Sounds
            of one file begin with its `file_key`.
        make: sample rate in Hz -> waveform float32 [T], mono, within -1..1; the same samples every
            time. May raise AudioError.
    """

    key: str
    make: Callable[[int], np.ndarray]


def file_key(path: Path) -> str:
    """Name a file in the state it is in: "folder/name.ogg@1f0c…", of place, size and time of change.

    A file that is not there has a key too; its sound raises an AudioError when it is made.
    """
    try:
        found = path.stat()
        state = f"{found.st_size} {found.st_mtime_ns}"
    except OSError:
        state = "missing"
    return f"{path.parent.name}/{path.name}@{digest(str(path.resolve()), state)}"


def digest(*parts: str) -> str:
    """12 hexadecimal digits that change with any of the parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def samples(path: Path, sample_rate: int) -> np.ndarray:
    """Decode a whole file to 16 bits: int16 [T], mono, read-only; the last few files are kept.

    Raises:
        AudioError: the file cannot be used as music.
    """
    entry = _at_hand((file_key(path), sample_rate))
    with entry.lock:  # two threads that want the same file decode it once
        if entry.samples is None:
            waveform = load_audio(path, sample_rate=sample_rate)
            entry.samples = np.round(waveform * 32767).astype(np.int16)
            entry.samples.setflags(write=False)
        return entry.samples


def as_waveform(samples: np.ndarray) -> np.ndarray:
    """16-bit samples int16 [T] -> a new waveform float32 [T] within -1..1."""
    waveform: np.ndarray = samples.astype(np.float32) / 32767
    return waveform


@dataclass(slots=True, eq=False)
class _Decoded:
    lock: threading.Lock
    samples: np.ndarray | None = None


_shelf: OrderedDict[tuple[str, int], _Decoded] = OrderedDict()
_shelf_lock = threading.Lock()


def _at_hand(key: tuple[str, int]) -> _Decoded:
    with _shelf_lock:
        entry = _shelf.setdefault(key, _Decoded(threading.Lock()))
        _shelf.move_to_end(key)
        while len(_shelf) > _SHELF:
            _shelf.popitem(last=False)
        return entry
