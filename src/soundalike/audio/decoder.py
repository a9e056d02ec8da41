"""One audio file, opened: mono samples from any moment of it.

In: a path. Out: float32 samples, the plain mean of all channels, resampled by FFmpeg.

Positions are samples of the rate asked for, counted from the first sound the decoder gives out
(encoder delay and pre-skip are gone by then). A read from the middle seeks to shortly before it,
lets decoder and resampler settle, and finds its place by the timestamp of the first frame; where
that cannot be trusted it decodes from the beginning and counts. The resampler starts on a sample
that both rates share, so reading after a seek gives the very samples of a full decode, wherever
frames are stamped to the sample and decoding draws no random numbers (AAC's noise does). Matroska,
ASF and FLV stamp to 1 ms, raw AC-3 drifts by 0.2 ms a second, an MPEG program stream may be taken
up one frame late: there a read lies that far off.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np
import numpy.typing as npt

from soundalike.audio.header import promised_duration
from soundalike.errors import AudioError

if TYPE_CHECKING:
    from soundalike.audio.transcript import Transcript

SETTLING = 1  # seconds decoded before a read: mp3 bit reservoir, Opus pre-roll, SBR headers
MARGIN = Fraction(1, 10)  # seconds of that for the resampler, whose filter spans a few ms
BLOCK = 1 << 16  # samples handed to the resampler at once
# Formats that are the sound of other files, or of the network, under this name.
_ELSEWHERE = frozenset(["concat", "dash", "hls", "image2", "imf", "rtsp", "sap", "sdp", "vobsub"])
SAFELY = {
    # A list dressed up as a song opens no address, and is not opened itself: its head alone names
    # files, and FFmpeg would look into them.
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(sorted(av.formats_available - _ELSEWHERE)),
}
"""Options for FFmpeg to open a file that others made."""
_LISTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"<?xml")
BROKEN_PACKETS = 5  # forgiven, and beyond them one in 20: stray tags look like packets


class Decoder:
    """An open audio file.

    Args:
        path: the file.
        transcript: takes down what is decoded from here on.

    Attributes:
        path: the file.
        container: PyAV's input container.
        stream: the audio stream that plays by default.
        promised: seconds of sound by the header; None if unknown or a mere estimate.
        end: where the sound ended, in samples of the last read; None until a read came there.

    Raises:
        AudioError: the file is missing, unreadable, empty, not audio or holds no audio stream.
    """

    def __init__(self, path: str | Path, *, transcript: Transcript | None = None) -> None:
        self.path = Path(path)
        self.end: int | None = None
        self._origin: int | None = None  # timestamp of the first frame
        self._transcript = transcript
        self._open()
        self.promised = promised_duration(self.path, self.container, self.stream)
        if transcript is not None:
            transcript.settings(self.container, self.stream, self.promised)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def read(self, rate: int, first: int = 0, stop: int | None = None) -> npt.NDArray[np.float32]:
        """Decode samples `first` to `stop` (to the end when None) at `rate` samples per second.

        Returns:
            float32 [stop - first], or fewer where the sound ends before, and `end` says where.

        Raises:
            AudioError: the file cannot be read on, or too much of it cannot be decoded.
        """
        self.end = None
        frames, skip, at = self._frames_before(first, rate)
        kept = []
        for block in _mono_blocks(frames, skip, rate):
            if at + len(block) > first:
                kept.append(block[max(first - at, 0) : None if stop is None else stop - at])
            at += len(block)
            if stop is not None and at >= stop:
                break
        else:
            self.end = at
        return np.concatenate(kept) if kept else np.zeros(0, np.float32)

    def replay(self, target: int | None, count: int, *, ended: bool) -> None:
        """Take one turn of a transcript: hand `count` packets to this decoder's own, decoding none.

        Args:
            target: the tick to go to first; None is the beginning.
            count: packets to read.
            ended: whether the file had no more; then all there are are read.

        Raises:
            AudioError: the file cannot be read.
        """
        if target is None:
            self._rewind()
        else:
            with suppress(av.FFmpegError):
                self._go_to(target)
        if count or ended:
            for number, _ in enumerate(self._packets(), start=1):
                if number >= count and not ended:
                    break

    def measure(self) -> float:
        """Walk through all packets, decoding none, and return how long they last in seconds.

        Nothing can be read afterwards.
        """
        begin, end, total = None, 0, 0
        for packet in self._packets():
            total += packet.duration or 0
            if packet.pts is not None:
                begin = packet.pts if begin is None else begin
                end = max(end, packet.pts + (packet.duration or 0))
        ticks = total if begin is None else end - begin
        return float(ticks * self.stream.time_base)

    def _open(self) -> None:
        try:
            status = self.path.stat()
            if stat.S_ISDIR(status.st_mode):
                raise AudioError(self.path, "is a folder, not a file")
            if not stat.S_ISREG(status.st_mode):
                raise AudioError(self.path, "is not a regular file")
            if status.st_size == 0:
                raise AudioError(self.path, "empty file (0 bytes)")
            # "file:" keeps FFmpeg from taking "http:..." or "a: b.mp3" for an address. As `options`
            # the others would crash PyAV before 18 on MPEG program streams.
            self.container: Any = av.open(
                f"file:{self.path}",
                metadata_errors="replace",
                # All tags: else FFmpeg keeps the tempo of an MP4 to itself.
                container_options={**SAFELY, "export_all": "1"},
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            words = "is a list of other files, not audio" if _is_list(self.path) else _reason(error)
            raise AudioError(self.path, words) from error
        self.stream: Any = self.container.streams.best("audio")
        if self.stream is None or self.stream.codec_context is None:
            self.container.close()
            known = "no audio stream" if self.stream is None else "no decoder (copy-protected?)"
            raise AudioError(self.path, known)
        self.stream.codec_context.thread_count = 1  # files run in parallel instead
        self._fresh = True

    def _frames_before(self, first: int, rate: int) -> tuple[Iterator[Any], int, int]:
        """Find frames from some moment before output sample `first`, ready for the resampler.

        Returns:
            the frames, how many of their samples to drop, and the output sample that comes then.
        """
        if first > 2 * SETTLING * rate:
            with suppress(av.FFmpegError, AudioError, _NoSeekingError):
                return self._seek(first, rate)
        return self._frames_from_start(), 0, 0

    def _seek(self, first: int, rate: int) -> tuple[Iterator[Any], int, int]:
        if self._origin is None:
            next(self._frames_from_start(), None)
        if self._origin is None:
            raise _NoSeekingError
        moment, tick = Fraction(first, rate), self.stream.time_base
        self._go_to(self._origin + math.floor((moment - SETTLING) / tick))
        frames = self._frames()
        head = next(frames, None)
        if head is None or head.pts is None:
            raise _NoSeekingError
        position = round((head.pts - self._origin) * tick * head.sample_rate)
        # The input sample `shared` falls on an output sample: the phases of a full decode.
        period = head.sample_rate // math.gcd(head.sample_rate, rate)
        shared = math.floor((moment - MARGIN) * head.sample_rate / period) * period
        if not 0 <= position <= shared:
            raise _NoSeekingError
        return chain((head,), frames), shared - position, shared * rate // head.sample_rate

    def _frames_from_start(self) -> Iterator[Any]:
        self._rewind()
        frames = self._frames()
        head = next(frames, None)
        if head is not None:
            self._origin = head.pts
            yield head
        yield from frames

    def _rewind(self) -> None:
        if not self._fresh:
            self.container.close()
            self._open()
        self._fresh = False
        if self._transcript is not None:
            self._transcript.turn(None)

    def _go_to(self, target: int) -> None:
        self._fresh = False
        if self._transcript is not None:
            self._transcript.turn(target)
        try:
            self.container.seek(target, stream=self.stream)
        except av.FFmpegError:
            if self._transcript is not None:
                self._transcript.end()
            raise

    def _frames(self) -> Iterator[Any]:
        broken = 0
        for number, packet in enumerate(self._packets(), start=1):
            try:
                yield from packet.decode()
            except av.FFmpegError as error:
                broken += 1
                if broken > max(BROKEN_PACKETS, number / 20):
                    words = f"damaged: {broken} of {number} packets cannot be decoded"
                    raise AudioError(self.path, words) from error

    def _packets(self) -> Iterator[Any]:
        try:
            for packet in self.container.demux(self.stream):
                if self._transcript is not None:
                    self._transcript.packet(packet)
                yield packet
        except (av.InvalidDataError, av.error.BlockingIOError, IndexError):
            pass  # the container stops making sense; `end` then lies before `promised`
        except (av.FFmpegError, OSError) as error:
            raise AudioError(self.path, _reason(error)) from error
        if self._transcript is not None:
            self._transcript.end()


class _NoSeekingError(Exception):
    """The container cannot be trusted to find a moment."""


def _mono_blocks(frames: Iterator[Any], skip: int, rate: int) -> Iterator[npt.NDArray[np.float32]]:
    """Mix and resample frames but for the first `skip` samples: float32 blocks, `BLOCK` at most."""
    graph, shape, waiting = None, None, 0
    for frame in frames:
        if shape != (frame.sample_rate, frame.format.name, frame.layout.name):
            if graph is not None:  # joined streams may go from stereo to mono, or to another rate
                yield from _pull(graph, flush=True)
            shape = (frame.sample_rate, frame.format.name, frame.layout.name)
            graph, skip, waiting = _mixer(frame, skip, rate), 0, 0
        assert graph is not None
        graph.push(frame)
        waiting += frame.samples
        if waiting >= BLOCK:
            yield from _pull(graph)
            waiting = 0
    if graph is not None:
        yield from _pull(graph, flush=True)


def _mixer(frame: Any, skip: int, rate: int) -> Any:
    """Build FFmpeg's filters for frames like this one: any channels, any rate -> mono, `rate`."""
    graph, channels = av.filter.Graph(), frame.layout.nb_channels
    # Written out because FFmpeg's own downmix weighs channels by layout and by sample format.
    mean = "+".join(f"{1 / channels:.9f}*c{i}" for i in range(channels))
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        ),
        graph.add("atrim", start_sample=str(skip)),
        graph.add("aformat", sample_fmts="fltp"),
        graph.add("pan", f"mono|c0={mean}"),
        graph.add("aresample", str(rate)),
        graph.add("asetnsamples", f"n={BLOCK}:p=0"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pull(graph: Any, *, flush: bool = False) -> Iterator[npt.NDArray[np.float32]]:
    if flush:
        graph.push(None)
    with suppress(av.error.BlockingIOError, av.error.EOFError):  # no block yet, no more blocks
        while True:
            yield graph.pull().to_ndarray()[0]


def _is_list(path: Path) -> bool:
    """Whether a file begins like a list of others."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \r\n").startswith(_LISTS)
    return False


def _reason(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "no such file; was it moved or deleted?"
        case PermissionError():
            return "no permission to read it"
        case av.InvalidDataError():
            return "not audio, or damaged at its head"
        case OSError(strerror=str(words)):
            return f"cannot be read: {words}"
    return f"cannot be read: {error}"
