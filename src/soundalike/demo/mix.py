"""From the parts to a mastered stereo track, float32 [2, T] at SAMPLE_RATE.

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
from soundalike.demo.score import DRUMS, Note, Part
from soundalike.demo.synthesize import SAMPLE_RATE, Wave, decay, faded, noise_burst, samples

Sound = NDArray[np.float32]  # [2, T]

LOUDNESS = -16.0
CEILING = 10 ** (-1.2 / 20)
TAIL = 2.5  # seconds after the last note, the last two of them fading


class _Seat(NamedTuple):
    """Where a role sits: level (of the melody's), place and width (-1..1), share of the room."""

    level: float
    place: float
    width: float
    room: float


_SEATS = {
    "melody": _Seat(1.0, -0.08, 0.1, 1.0),
    "answer": _Seat(1.0, 0.25, 0.1, 1.0),
    "counter": _Seat(0.5, -0.4, 0.1, 1.0),
    "chords": _Seat(0.6, 0.2, 0.5, 0.9),
    "pad": _Seat(0.4, -0.2, 0.6, 1.2),
    "bass": _Seat(0.8, 0.0, 0.0, 0.2),
    "drums": _Seat(0.75, 0.0, 0.0, 0.35),
}
_DRUM_PLACES = {
    DRUMS[name]: place
    for name, place in {
        "hat": 0.3, "open hat": 0.3, "ride": -0.35, "crash": -0.3, "shaker": -0.45, "clap": 0.1,
        "tambourine": 0.45, "high tom": 0.35, "low tom": -0.35, "rim": 0.2, "block": -0.3,
    }.items()
}  # fmt: skip


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


def mixdown(parts: Sequence[Part], tempo: Tempo, *, room: str = "room", seed: int = 0) -> Sound:
    """The whole track, [2, T], mastered. The same parts and seed give the same samples."""
    rng = np.random.default_rng(seed)
    last = max(note.end for part in parts for note in part.notes)
    length = samples(tempo.seconds(last) + TAIL)
    dry = np.zeros((2, length), dtype=np.float32)
    wet = np.zeros(length, dtype=np.float32)
    for part in parts:
        seat = _SEATS[part.role]
        stage = _play(part, tempo, rng, length)
        stage *= seat.level / (_loudness(stage) + 1e-9)
        dry += stage
        wet += seat.room * stage.mean(axis=0)
    return master(dry + reverberation(wet, room))


def _play(part: Part, tempo: Tempo, rng: np.random.Generator, length: int) -> Sound:
    """One part on its own, [2, length], at whatever level its instrument has."""
    stage = np.zeros((2, length), dtype=np.float32)
    looseness = 0.0 if tempo.strict else 0.003 if part.role == "drums" else 0.006
    middle = sum(note.pitch for note in part.notes) / max(1, len(part.notes))
    for note in part.notes:
        shift, force = rng.uniform(-1, 1, 2)
        start = tempo.seconds(note.start) + looseness * shift
        held = tempo.seconds(note.end) - tempo.seconds(note.start)
        velocity = note.velocity * (1 + 8 * looseness * force)
        sound = _sound(part.instrument, note.pitch, round(held * 30), round(velocity * 12))
        first = max(0, round(start * SAMPLE_RATE))
        sound = sound[: length - first]
        angle = np.pi / 4 * (1 + _place(part.role, note, middle))
        stage[0, first : first + len(sound)] += np.float32(np.cos(angle)) * sound
        stage[1, first : first + len(sound)] += np.float32(np.sin(angle)) * sound
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


def _place(role: str, note: Note, middle: float) -> float:
    if role == "drums":
        return _DRUM_PLACES.get(note.pitch, 0.0)
    seat = _SEATS[role]
    spread = seat.width * min(max((note.pitch - middle) / 12, -1), 1)
    return min(max(seat.place + spread, -0.9), 0.9)


def _loudness(stage: Sound) -> float:
    """RMS while the part plays: frames of 50 ms more than 30 dB below the loudest do not count."""
    frame = SAMPLE_RATE // 20
    whole = stage.shape[1] // frame * frame
    frames = stage[:, :whole].reshape(2, -1, frame)
    power = np.einsum("eft,eft->f", frames, frames) / frame
    playing = power[power > power.max(initial=0.0) * 1e-3]
    return float(np.sqrt(playing.mean())) if len(playing) else 0.0


def reverberation(send: Wave, room: str) -> Sound:
    """What a room answers to `send` [T]: [2, T], by convolution with a dying noise, block by block.

    The two ears get different noises, which is what makes a room wide.
    """
    response = _room_response(room)
    block = response.shape[1]
    count = -(-len(send) // block)
    blocks = np.zeros((count, block), dtype=np.float32)
    blocks.ravel()[: len(send)] = send
    spectra = np.fft.rfft(blocks, 2 * block)
    answer = np.zeros((2, (count + 1) * block), dtype=np.float32)
    for ear, transfer in enumerate(np.fft.rfft(response, 2 * block)):
        pieces = np.fft.irfft(spectra * transfer, 2 * block).astype(np.float32)
        answer[ear, : count * block] += pieces[:, :block].ravel()
        answer[ear, block:] += pieces[:, block:].ravel()
    return answer[:, : len(send)]


@lru_cache(maxsize=len(ROOMS))
def _room_response(name: str) -> Sound:
    """The impulse response [2, power of two]; its bright part dies three times as fast."""
    room = ROOMS[name]
    length = 1 << (samples(room.decay) - 1).bit_length()
    quiet, fall = samples(room.delay), 6.9 / room.decay
    ears = np.zeros((2, length), dtype=np.float32)
    for ear, response in enumerate(ears):
        sounding = length - quiet
        bright = noise_burst(sounding, 300, 9000, seed=ear + 1) * decay(sounding, 3 * fall)
        dull = noise_burst(sounding, 150, room.dark, seed=ear + 3) * decay(sounding, fall)
        response[quiet:] = faded(bright + dull, length // 4)
        response *= room.level / np.sqrt(np.sum(response**2))
    return ears


def master(mix: Sound) -> Sound:
    """Without DC, at LOUDNESS, limited to CEILING, fading out."""
    mix = faded(mix - mix.mean(axis=1, keepdims=True), samples(TAIL - 0.5))
    block = SAMPLE_RATE // 500
    count = -(-mix.shape[1] // block)
    padded = np.zeros((2, count * block), dtype=np.float32)
    padded[:, : mix.shape[1]] = mix
    blocks = padded.reshape(2, count, block)
    peaks = np.abs(blocks).max(axis=(0, 2))
    power = np.einsum("ebt,ebt->b", blocks, blocks) / (2 * block)
    target = 10 ** (LOUDNESS / 20)
    level = target / np.sqrt(power.mean() + 1e-12)
    # Limiting takes some loudness away. Three rounds win it back, unless the music is all peaks.
    for _ in range(3):
        gain = level * limiter_gain(level * peaks)
        level *= target / np.sqrt(np.mean(power * gain[:-1] * gain[1:]) + 1e-12)
    gain = level * limiter_gain(level * peaks)
    curve = np.interp(np.arange(mix.shape[1]) / block, np.arange(count + 1), gain)
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
