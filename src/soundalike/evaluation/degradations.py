"""What happens to music on its way to a listener: codecs, noise, telephones, other speeds, rooms.

Every change takes a waveform float32 [T] of a tenth of a second or more and its sample rate in Hz,
those that draw something a generator too, and returns a new waveform float32 [T'] at the same rate,
within -1..1: turned down as a whole where it would clip. The same input and the same state of the
generator give the same output. Silence stays silent.

FFmpeg does what it does well: coding, resampling, and time stretching by its `atempo` (WSOLA: Verhelst
& Roelands, ICASSP 1993). The delay of codecs is taken off, so moments stay where they were. All of it
happens at the sample rate that a system listens at: a codec that is handed 16 kHz spends no bits above
8 kHz, which is a little kinder than a real file of its bit rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from fractions import Fraction
from functools import partial
from io import BytesIO
from types import MappingProxyType
from typing import Any

import av
import numpy as np

from soundalike.errors import ModelError

Degradation = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
"""Waveform float32 [T], sample rate in Hz, generator -> waveform float32 [T']."""

REVERBERATION = 1.2  # seconds until the room is 60 dB quieter (RT60): a hall
DIRECT_TO_REVERBERANT = 0.0  # dB: half of the energy comes from the walls
FIRST_REFLECTION = 0.01  # seconds after the direct sound

TELEPHONE_BAND = (300.0, 3400.0)  # Hz, ITU-T G.712
TELEPHONE_RATE = 8_000  # Hz
MU = 255  # ITU-T G.711

ACTIVE_FRAME = 0.02  # seconds
ACTIVE_RANGE = 30.0  # dB below the loudest frame; what is quieter is a pause

SHORTEST = 5.0  # seconds that a trim leaves, whatever it was to drop


def coded(codec: str, bit_rate: int, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Encode and decode: [T] -> [T], in place to the sample.

    Encoded at the codec's next higher sample rate, or its highest.

    Args:
        codec: FFmpeg's name of the encoder: "libmp3lame" or "libopus".
        bit_rate: bits per second, of one channel.
        waveform: float32 [T].
        sample_rate: Hz.

    Raises:
        ModelError: this FFmpeg lacks the encoder.
    """
    rates = _encoder(codec).audio_rates
    rate = min((each for each in rates if each >= sample_rate), default=max(rates))
    file = BytesIO()
    with av.open(file, "w", format="mp3" if codec == "libmp3lame" else "ogg") as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        sound = _frame(resampled(waveform, sample_rate, rate), rate)
        for frame in (sound, None):
            container.mux(stream.encode(frame))
    file.seek(0)
    with av.open(file) as container:
        frames = list(container.decode(audio=0))
        decoded = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
        rate = frames[0].sample_rate  # Opus is always decoded at 48 kHz
    return _within(_fitted(resampled(decoded, rate, sample_rate), len(waveform)))


def noisy(
    ratio: float, waveform: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Add white noise, `ratio` dB below the `active_power` of the music: [T] -> [T]."""
    power = active_power(waveform, sample_rate) / 10 ** (ratio / 10)
    noise = rng.standard_normal(len(waveform), dtype=np.float32)
    return _within(waveform + np.float32(np.sqrt(power)) * noise)


def active_power(waveform: np.ndarray, sample_rate: int) -> float:
    """Mean square of a waveform float32 [T] where it plays: pauses would flatter a noise.

    It plays in the frames of 20 ms at most 30 dB below the loudest, the idea of ITU-T P.56.
    """
    length = max(round(ACTIVE_FRAME * sample_rate), 1)
    whole = max(len(waveform) // length, 1) * length
    frames = _fitted(waveform, whole).reshape(-1, length)
    powers = np.mean(np.square(frames, dtype=np.float64), axis=1)
    return float(powers[powers >= powers.max() * 10 ** (-ACTIVE_RANGE / 10)].mean())


def telephone(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Through a telephone line: 300 to 3400 Hz, at 8 kHz, in 8 bits by the mu-law: [T] -> [T]."""
    narrow = resampled(waveform, sample_rate, TELEPHONE_RATE)
    spectrum = np.fft.rfft(narrow)
    frequencies = np.fft.rfftfreq(len(narrow), 1 / TELEPHONE_RATE)
    low, high = TELEPHONE_BAND
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    line = np.clip(np.fft.irfft(spectrum, len(narrow)), -1, 1)
    compressed = np.sign(line) * np.log1p(MU * np.abs(line)) / np.log1p(MU)
    compressed = np.round(compressed * 127) / 127
    line = np.sign(compressed) * np.expm1(np.abs(compressed) * np.log1p(MU)) / MU
    heard = resampled(line.astype(np.float32), TELEPHONE_RATE, sample_rate)
    return _within(_fitted(heard, len(waveform)))


def pitched(semitones: float, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Play higher or lower at the same tempo: [T] -> [T]."""
    factor = 2 ** (semitones / 12)
    filters = [
        ("asetrate", str(round(sample_rate * factor))),
        ("aresample", str(sample_rate)),
        ("atempo", f"{1 / factor:.9f}"),
    ]
    return _within(_fitted(_filtered(waveform, sample_rate, filters), len(waveform)))


def paced(percent: float, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Play faster or slower at the same pitch: [T] -> [T / (1 + percent / 100)]."""
    factor = 1 + percent / 100
    stretched = _filtered(waveform, sample_rate, [("atempo", f"{factor:.9f}")])
    return _within(_fitted(stretched, round(len(waveform) / factor)))


def reverberant(waveform: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Play in a hall: [T] -> [T + the echo of its end]."""
    response = impulse_response(sample_rate, rng)
    length = len(waveform) + len(response) - 1
    padded = 1 << (length - 1).bit_length()
    spectrum = np.fft.rfft(waveform, padded) * np.fft.rfft(response, padded)
    return _within(np.fft.irfft(spectrum, padded)[:length].astype(np.float32))


def impulse_response(sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Of a hall: the direct sound, then noise that decays exponentially; float64 [T].

    The model of Polack 1988. It decays by 60 dB in `REVERBERATION` seconds and ends there, and begins
    `FIRST_REFLECTION` seconds after the direct sound, whose energy is `DIRECT_TO_REVERBERANT` dB
    above that of all the rest.
    """
    times = np.arange(round(REVERBERATION * sample_rate)) / sample_rate
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / REVERBERATION)
    tail[times < FIRST_REFLECTION] = 0
    tail /= np.sqrt(np.sum(tail**2) * 10 ** (DIRECT_TO_REVERBERANT / 10))
    tail[0] = 1
    return tail


def amplified(decibels: float, waveform: np.ndarray) -> np.ndarray:
    """Louder or quieter: [T] -> [T]."""
    return _within(waveform * np.float32(10 ** (decibels / 20)))


def trimmed(seconds: float, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Drop the beginning; of what would have less than 5 s left, its last 5 s stay: [T] -> [T']."""
    most = max(len(waveform) - round(SHORTEST * sample_rate), 0)
    return waveform[min(round(seconds * sample_rate), most) :].copy()


def _certain(change: Callable[[np.ndarray, int], np.ndarray]) -> Degradation:
    """Something that draws nothing."""
    return lambda waveform, sample_rate, _: change(waveform, sample_rate)


DEGRADATIONS: Mapping[str, Degradation] = MappingProxyType(
    {
        "clean": lambda waveform, *_: waveform.copy(),
        "MP3 64 kbit/s": _certain(partial(coded, "libmp3lame", 64_000)),
        "MP3 32 kbit/s": _certain(partial(coded, "libmp3lame", 32_000)),
        "Opus 24 kbit/s": _certain(partial(coded, "libopus", 24_000)),
        "noise 20 dB": partial(noisy, 20),
        "noise 10 dB": partial(noisy, 10),
        "noise 0 dB": partial(noisy, 0),
        "telephone": _certain(telephone),
        "pitch +1 semitone": _certain(partial(pitched, 1)),
        "pitch -1 semitone": _certain(partial(pitched, -1)),
        "pitch +2 semitones": _certain(partial(pitched, 2)),
        "pitch -2 semitones": _certain(partial(pitched, -2)),
        "tempo +4 %": _certain(partial(paced, 4)),
        "tempo -4 %": _certain(partial(paced, -4)),
        "tempo +8 %": _certain(partial(paced, 8)),
        "tempo -8 %": _certain(partial(paced, -8)),
        "reverb": reverberant,
        "gain -12 dB": lambda waveform, *_: amplified(-12, waveform),
        "trim 5 s": _certain(partial(trimmed, 5)),
        "trim 15 s": _certain(partial(trimmed, 15)),
    }
)
"""By the name in the tables, in their order."""

OF_WHOLE_TRACKS = frozenset({"trim 5 s", "trim 15 s"})
"""What is done to a whole track: of an excerpt these would only make a shorter excerpt."""

COSTLY = frozenset({"MP3 64 kbit/s", "MP3 32 kbit/s", "Opus 24 kbit/s"})
"""What takes longer to make than to read back; the rest together costs less than one of these."""


def resampled(waveform: np.ndarray, sample_rate: int, wanted: int) -> np.ndarray:
    """Change the sample rate by FFmpeg: float32 [T] -> float32 [T * wanted / sample_rate]."""
    if wanted == sample_rate:
        return waveform
    changed = _filtered(waveform, sample_rate, [("aresample", str(wanted))])
    return _fitted(changed, round(len(waveform) * wanted / sample_rate))


def _filtered(
    waveform: np.ndarray, sample_rate: int, filters: Iterable[tuple[str, str]]
) -> np.ndarray:
    """Through FFmpeg's filters, each a name and its arguments."""
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=sample_rate,
            format="flt",
            layout="mono",
            time_base=Fraction(1, sample_rate),
        ),
        *(graph.add(name, arguments) for name, arguments in filters),
        graph.add("aformat", "sample_fmts=flt:channel_layouts=mono"),
        graph.add("abuffersink"),
    ).configure()
    graph.push(_frame(waveform, sample_rate))
    graph.push(None)
    blocks = [np.zeros(0, np.float32)]
    with suppress(av.error.EOFError):
        while True:
            blocks.append(graph.pull().to_ndarray().ravel())
    return np.concatenate(blocks)


def _frame(waveform: np.ndarray, sample_rate: int) -> Any:
    samples = np.ascontiguousarray(waveform, dtype=np.float32)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
    return frame


def _encoder(name: str) -> Any:
    try:
        return av.codec.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        raise ModelError(
            f"PyAV {av.__version__} was built without the encoder {name}; "
            "its wheels have it: pip install --force-reinstall --only-binary av av"
        ) from None


def _fitted(waveform: np.ndarray, length: int) -> np.ndarray:
    """Cut or fill with silence to `length` samples."""
    return np.pad(waveform[:length], (0, max(length - len(waveform), 0)))


def _within(waveform: np.ndarray) -> np.ndarray:
    """Turn down what would clip; never up."""
    peak = float(np.abs(waveform).max(initial=0))
    return waveform / np.float32(peak) if peak > 1 else waveform
