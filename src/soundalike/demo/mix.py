"""From the parts to a mastered track, mono, float32 [T] at SAMPLE_RATE.

Every note is made once per (instrument, pitch, length, force), rounded to a grid nobody hears, and
added where it is due. Each part is then brought to the loudness its role asks for, so that the
balance does not hang on how loud an instrument happens to come out; a room is added, and the
whole is mastered: LOUDNESS dBFS RMS, no sample above CEILING.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundalike.demo.band import BAND
from soundalike.demo.drumkit import drum
from soundalike.demo.score import DRUMS, Part
from soundalike.demo.synthesize import SAMPLE_RATE, Wave, decay, faded, noise_burst, samples

LOUDNESS = -16.0
CEILING = 10 ** (-1.2 / 20)
TAIL = 2.5  # seconds after the last note, the last two of them fading


class _Seat(NamedTuple):
    """Where a role sits: its level (of the melody's) and its share of the room."""

    level: float
    room: float


_SEATS = {
    "melody": _Seat(1.0, 1.0),
    "answer": _Seat(1.0, 1.0),
    "counter": _Seat(0.5, 1.0),
    "chords": _Seat(0.6, 0.9),
    "pad": _Seat(0.4, 1.2),
    "bass": _Seat(0.8, 0.2),
    "drums": _Seat(0.75, 0.35),
}


class _Room(NamedTuple):
    """Time to fall by 60 dB (s), level beside the dry sound, delay (s), and how dull it gets."""

    decay: float
    level: float
    delay: float
    dark: float


ROOMS = {
    "dry": _Room(0.35, 0.10, 0.004, 6000.0),
    "room": _Room(0.8, 0.22, 0.010, 5000.0),
    "hall": _Room(1.7, 0.32, 0.022, 3800.0),
    "church": _Room(2.0, 0.50, 0.035, 3000.0),
}


@dataclass(frozen=True, slots=True)
class Tempo:
    """Beats to seconds: quarter notes a minute, swing, and a slowing down before `end` beats."""

    rate: float
    end: float
    swing: float = 0.0
    strict: bool = False

    def seconds(self, beat: float) -> float:
        """When `beat` is due."""
        whole = int(beat // 1)
        part = beat - whole
        half = 0.5 + self.swing
        part = part * half / 0.5 if part < 0.5 else half + (part - 0.5) * (1 - half) / 0.5
        late = max(0.0, whole + part - (self.end - 8))
        slowing = 0.0 if self.strict else 0.03 * late**2
        return (whole + part + slowing) * 60 / self.rate


def mixdown(parts: Sequence[Part], tempo: Tempo, *, room: str = "room", seed: int = 0) -> Wave:
    """The whole track, [T], mastered. The same parts and seed give the same samples."""
    rng = np.random.default_rng(seed)
    last = max(note.end for part in parts for note in part.notes)
    length = samples(tempo.seconds(last) + TAIL)
    dry = np.zeros(length, dtype=np.float32)
    wet = np.zeros(length, dtype=np.float32)
    for part in parts:
        seat = _SEATS[part.role]
        stage = _play(part, tempo, rng, length)
        stage *= seat.level / (_loudness(stage) + 1e-9)
        dry += stage
        wet += seat.room * stage
    return master(dry + reverberation(wet, room))


def _play(part: Part, tempo: Tempo, rng: np.random.Generator, length: int) -> Wave:
    """One part on its own, [length], at whatever level its instrument has."""
    stage = np.zeros(length, dtype=np.float32)
    looseness = 0.0 if tempo.strict else 0.003 if part.role == "drums" else 0.006
    for note in part.notes:
        shift, force = rng.uniform(-1, 1, 2)
        start = tempo.seconds(note.start) + looseness * shift
        held = tempo.seconds(note.end) - tempo.seconds(note.start)
        velocity = note.velocity * (1 + 8 * looseness * force)
        sound = _sound(part.instrument, note.pitch, round(held * 30), round(velocity * 12))
        first = max(0, round(start * SAMPLE_RATE))
        sound = sound[: length - first]
        stage[first : first + len(sound)] += sound
    return stage


@lru_cache(maxsize=400)
def _sound(instrument: str, pitch: int, thirtieths: int, twelfths: int) -> Wave:
    """One note or stroke, [T]; length and force come rounded so that notes can be used again."""
    velocity = min(max(twelfths, 1), 12) / 12
    if instrument in BAND:
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        return BAND[instrument](frequency, max(thirtieths, 1) / 30, velocity=velocity)
    return drum(_DRUM_NAMES[pitch], instrument, velocity)


_DRUM_NAMES = {pitch: name for name, pitch in DRUMS.items()}


def _loudness(stage: Wave) -> float:
    """RMS while the part plays: frames of 50 ms more than 30 dB below the loudest do not count."""
    frame = SAMPLE_RATE // 20
    frames = stage[: len(stage) // frame * frame].reshape(-1, frame)
    power = np.einsum("ft,ft->f", frames, frames) / frame
    playing = power[power > power.max(initial=0.0) * 1e-3]
    return float(np.sqrt(playing.mean())) if len(playing) else 0.0


def reverberation(send: Wave, room: str) -> Wave:
    """What a room answers to `send` [T]: [T], by convolution with a dying noise, block by block."""
    response = _room_response(room)
    block = len(response)
    count = -(-len(send) // block)
    blocks = np.zeros((count, block), dtype=np.float32)
    blocks.ravel()[: len(send)] = send
    spectra = np.fft.rfft(blocks, 2 * block) * np.fft.rfft(response, 2 * block)
    pieces = np.fft.irfft(spectra, 2 * block).astype(np.float32)
    answer = np.zeros((count + 1) * block, dtype=np.float32)
    answer[: count * block] += pieces[:, :block].ravel()
    answer[block:] += pieces[:, block:].ravel()
    return answer[: len(send)]


@lru_cache(maxsize=len(ROOMS))
def _room_response(name: str) -> Wave:
    """The impulse response [power of two]; its bright part dies three times as fast."""
    room = ROOMS[name]
    length = 1 << (samples(room.decay) - 1).bit_length()
    quiet, fall = samples(room.delay), 6.9 / room.decay
    sounding = length - quiet
    bright = noise_burst(sounding, 300, 9000, seed=1) * decay(sounding, 3 * fall)
    dull = noise_burst(sounding, 150, room.dark, seed=3) * decay(sounding, fall)
    response = np.zeros(length, dtype=np.float32)
    response[quiet:] = faded(bright + dull, length // 4)
    response *= room.level / np.sqrt(np.sum(response**2))
    return response


def master(mix: Wave) -> Wave:
    """Without DC, at LOUDNESS, limited to CEILING, fading out."""
    mix = faded(mix - mix.mean(), samples(TAIL - 0.5))
    block = SAMPLE_RATE // 500
    count = -(-len(mix) // block)
    blocks = np.pad(mix, (0, count * block - len(mix))).reshape(count, block)
    peaks = np.abs(blocks).max(axis=1)
    power = np.einsum("bt,bt->b", blocks, blocks) / block
    target = 10 ** (LOUDNESS / 20)
    level = target / np.sqrt(power.mean() + 1e-12)
    # Limiting takes some loudness away. Three rounds win it back, unless the music is all peaks.
    for _ in range(3):
        gain = level * limiter_gain(level * peaks)
        level *= target / np.sqrt(np.mean(power * gain[:-1] * gain[1:]) + 1e-12)
    gain = level * limiter_gain(level * peaks)
    curve = np.interp(np.arange(len(mix)) / block, np.arange(count + 1), gain)
    return np.asarray(mix * curve, dtype=np.float32)


def limiter_gain(peaks: NDArray[np.float32], *, ceiling: float = CEILING) -> NDArray[np.float64]:
    """The gain at the edges of blocks, [count + 1], that keeps their `peaks` within `ceiling`.

    Each block needs some gain; every edge takes the least needed within 10 blocks, then the mean
    of those over as many: turned down ahead of a peak, back up after it, without a corner. A mean
    of minima that all reach over a block is never above what the block needs.
    """
    reach = 10
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    least = _windows(np.pad(needed, 2 * reach + 1, mode="edge"), 2 * reach + 2).min(axis=1)
    return np.asarray(_windows(least, 2 * reach + 1).mean(axis=1))


def _windows(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    return np.lib.stride_tricks.sliding_window_view(values, width)
