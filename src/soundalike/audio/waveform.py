"""A file -> a waveform: what is audio, what its header says, and its sound as mono float32.

In: any file FFmpeg can decode: lossy, lossless, a video's sound track, with or without cover art.
Out: float32 [T] or [S, L] at the sample rate asked for, finite, within -1..1. Channels become one
by their plain mean; FFmpeg's resampler changes the rate. The same file gives the same samples
every time.

Whatever cannot be used as music is an `AudioError` that says why in plain words: not audio, empty,
truncated, damaged, silent, too short. Up to one broken packet in 20 is played over, as any player
does; nothing else is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from soundalike.audio.decoder import Decoder
from soundalike.audio.segments import Segment, cut, sample_range
from soundalike.errors import AudioError

if TYPE_CHECKING:
    from soundalike.audio.transcript import Transcript

SHORTEST = 1.0  # seconds of sound a file must hold to be music
SILENCE = -90.0  # dBFS (RMS, full scale 1.0): below lies nothing but dither


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file says about its sound.

    Attributes:
        duration: seconds.
        sample_rate: of the file, in Hz.
        channels: of the file.
        codec: FFmpeg's name of the coding, such as "mp3", "aac", "flac".
        tags: such as {"title": "Clair de lune", "artist": "..."}; keys in lower case.
    """

    duration: float
    sample_rate: int
    channels: int
    codec: str
    tags: dict[str, str]


def probe(path: str | Path) -> AudioInfo:
    """Read the header of a file, and decode nothing.

    Where the container holds no duration or only an estimate (raw AAC and AC-3, an mp3 without a
    Xing or VBRI header), its packets are counted, which reads the whole file.

    Raises:
        AudioError: the file cannot be opened as audio.
    """
    with Decoder(path) as decoder:
        codec = decoder.stream.codec_context
        sample_rate, channels, name = codec.sample_rate, codec.channels, codec.codec.canonical_name
        tags = {**decoder.stream.metadata, **decoder.container.metadata}
        duration = decoder.measure() if decoder.promised is None else decoder.promised
        if duration <= 0:
            raise AudioError(decoder.path, "holds no sound")
    tags = {key.lower(): value for key, value in tags.items()}
    return AudioInfo(duration, sample_rate, channels, name, tags)


def load_audio(
    path: str | Path,
    *,
    sample_rate: int = 16_000,
    start: float = 0.0,
    duration: float | None = None,
) -> npt.NDArray[np.float32]:
    """Decode a file, or the excerpt of `duration` seconds from `start` on.

    Args:
        path: the file.
        sample_rate: of the result, Hz.
        start: seconds from the beginning, 0 or more.
        duration: seconds, above 0; None means to the end.

    Returns:
        float32 [T], mono, finite, within -1..1: fewer samples than asked for where the sound ends
        before; 0 for what is no number in the file (NaN, infinity).

    Raises:
        AudioError: the file cannot be used as music, or the excerpt starts past its end.
        ValueError: a negative `start`, or a `duration` that is not above 0.
    """
    if start < 0 or (duration is not None and duration <= 0):
        raise ValueError(f"no excerpt of {duration} s from {start} s: start >= 0, duration > 0")
    first = round(start * sample_rate)
    stop = None if duration is None else first + max(round(duration * sample_rate), 1)
    with Decoder(path) as decoder:
        waveform = decoder.read(sample_rate, first, stop)
        _check_end(decoder, sample_rate, needed=first + 1)
    waveform = _clean(waveform)
    if not is_sounding(waveform):
        raise AudioError(decoder.path, "silent")
    return waveform


def load_segments(
    path: str | Path,
    segments: Sequence[Segment],
    *,
    sample_rate: int,
    length: int,
    transcript: Transcript | None = None,
) -> npt.NDArray[np.float32]:
    """Decode the segments of a file and little else, by seeking.

    Args:
        path: the file.
        segments: S segments in any order; equal and overlapping ones are decoded once.
        sample_rate: of the result, Hz.
        length: L, samples of each row. A segment with fewer is repeated to fill its row.
        transcript: takes down what was decoded.

    Returns:
        float32 [S, L], mono, finite, within -1..1.

    Raises:
        AudioError: the file cannot be used as music, ends before a segment does, or is silent in
            all segments.
        ValueError: no segments.
    """
    if not segments:
        raise ValueError("no segments to load; a track needs at least 1")
    ranges = {segment: sample_range(segment, sample_rate, length) for segment in segments}
    rows: dict[tuple[int, int], npt.NDArray[np.float32]] = {}
    with Decoder(path, transcript=transcript) as decoder:
        for run in _runs(sorted(set(ranges.values())), apart=sample_rate):
            begin = run[0][0]
            # At least a second, to notice a sound shorter than that.
            end = max(begin + round(SHORTEST * sample_rate), *(stop for _, stop in run))
            waveform = decoder.read(sample_rate, begin, end)
            # Honest headers are up to 2 s too long; a segment that loses no more is filled.
            needed = max(stop - min(2 * sample_rate, (stop - first) // 2) for first, stop in run)
            _check_end(decoder, sample_rate, needed=needed)
            waveform = _clean(waveform)
            for first, stop in run:
                rows[first, stop] = cut(waveform[first - begin : stop - begin], 0, length)
    result = np.stack([rows[ranges[segment]] for segment in segments])
    if not any(map(is_sounding, result)):
        raise AudioError(decoder.path, "silent wherever it was listened to")
    return result


def is_sounding(waveform: npt.NDArray[np.float32]) -> bool:
    """Tell whether a finite waveform [T] is louder than `SILENCE`."""
    return bool(np.mean(np.square(waveform)) > 10 ** (SILENCE / 10))


def _runs(ranges: Sequence[tuple[int, int]], *, apart: int) -> list[list[tuple[int, int]]]:
    """Group ranges less than `apart` samples apart: decoding on costs less than seeking again."""
    runs, reach = [[ranges[0]]], ranges[0][1]
    for first, stop in ranges[1:]:
        if first <= reach + apart:
            runs[-1].append((first, stop))
        else:
            runs.append([(first, stop)])
        reach = max(reach, stop)
    return runs


def _clean(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if not np.isfinite(waveform).all():
        waveform = np.nan_to_num(waveform, posinf=0.0, neginf=0.0)
    return np.clip(waveform, -1.0, 1.0)


def _check_end(decoder: Decoder, sample_rate: int, *, needed: int) -> None:
    """Raise if the last read found the end of the sound too early, or before sample `needed`."""
    if decoder.end is None:
        return
    end, promised = decoder.end / sample_rate, decoder.promised
    if end == 0:
        raise AudioError(decoder.path, "holds no sound that can be decoded")
    # Padding, rounding and sound that stops before its film make honest headers a little wrong.
    if promised is not None and promised - end > min(2.0, promised / 10):
        known = f"the header promises {_clock(promised)}, the sound ends at {_clock(end)}"
        raise AudioError(decoder.path, f"truncated or damaged: {known}")
    if end < SHORTEST:
        raise AudioError(decoder.path, f"too short: {end:.3g} s, at least {SHORTEST:g} s is needed")
    if decoder.end < needed:
        known = f"ends at {_clock(end)}, but is wanted up to {_clock(needed / sample_rate)}"
        raise AudioError(decoder.path, known)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
