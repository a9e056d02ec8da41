"""Where the segments of a track lie: a fixed grid for search, random crops for training.

In: the length of a track. Out: times in seconds (`grid`), starts in samples (`draw`), and from
those the sound itself (`cut`). A segment is what the encoder hears at once, 30 s unless a model
says otherwise. Search must place the same segments for the same track every time; training wants
new ones in every epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a track, `start` to `end` in seconds from its beginning."""

    start: float
    end: float


def grid(duration: float, *, count: int = 3, length: float = 30.0) -> tuple[Segment, ...]:
    """Place `count` segments evenly over a track.

    Segment i is centred at (i + 0.5) / count of the track and pushed inwards where it would reach
    past an end, so the segments of a track shorter than `count * length` overlap. A track shorter
    than one segment gives `count` equal segments that cover all of it; `cut` repeats the sound to
    fill them.

    Args:
        duration: of the track, seconds, above 0.
        count: segments to place, at least 1.
        length: of one segment, seconds, above 0.

    Returns:
        `count` segments in the order of time, each within 0 and `duration`.

    Raises:
        ValueError: a number outside the limits above.
    """
    _require(math.isfinite(duration) and duration > 0, f"duration is {duration} s, not above 0")
    _require(count >= 1, f"count is {count}; a track needs at least 1 segment")
    _require(math.isfinite(length) and length > 0, f"length is {length} s, not above 0")
    if duration <= length:
        return (Segment(0.0, duration),) * count
    last = duration - length
    centres = ((i + 0.5) / count * duration for i in range(count))
    starts = (min(max(centre - length / 2, 0.0), last) for centre in centres)
    return tuple(Segment(start, min(start + length, duration)) for start in starts)


def draw(
    rng: np.random.Generator, total: int, length: int, *, count: int = 2
) -> npt.NDArray[np.int64]:
    """Draw the starts of random crops that lie within the sound, uniformly and independently.

    Args:
        rng: the source of randomness.
        total: T, samples of the sound, at least 1.
        length: L, samples of one crop, at least 1.
        count: crops to draw, at least 1.

    Returns:
        Starts in samples, int64 [count]; all 0 when the sound is no longer than one crop.

    Raises:
        ValueError: a number outside the limits above.
    """
    _require(total >= 1, f"total is {total} samples; there is nothing to draw from")
    _require(length >= 1, f"length is {length} samples, not above 0")
    _require(count >= 1, f"count is {count}; draw at least 1 crop")
    return rng.integers(0, max(total - length, 0), size=count, dtype=np.int64, endpoint=True)


def cut(waveform: npt.NDArray[np.float32], start: int, length: int) -> npt.NDArray[np.float32]:
    """Cut `length` samples out of a waveform, from `start` on; past its end the sound begins again.

    Args:
        waveform: float32 [T], T at least 1.
        start: first sample, 0 to T - 1.
        length: L, samples to return, at least 1.

    Returns:
        float32 [L], a copy.

    Raises:
        ValueError: a number outside the limits above, or an array that is not one-dimensional.
    """
    _require(waveform.ndim == 1, f"waveform has shape {waveform.shape}; it must be [T], mono")
    total = len(waveform)
    _require(0 <= start < total, f"start is sample {start} of a sound of {total} samples")
    _require(length >= 1, f"length is {length} samples, not above 0")
    piece = waveform[start : start + length].astype(np.float32, copy=True)
    if len(piece) == length:
        return piece
    return np.resize(np.concatenate((piece, waveform[:start])), length).astype(
        np.float32, copy=False
    )


def sample_range(segment: Segment, sample_rate: int, length: int) -> tuple[int, int]:
    """Return the first sample of a segment and the one after its last, `length` samples at most."""
    first = round(segment.start * sample_rate)
    count = round((segment.end - segment.start) * sample_rate)
    return first, first + min(max(count, 1), length)


def _require(true: bool, otherwise: str) -> None:
    if not true:
        raise ValueError(otherwise)
