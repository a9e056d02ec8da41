"""How long the sound of an opened file is, as far as the file itself says so.

Most containers write the length down. Streams of bare frames do not, and FFmpeg then divides the
size of the file by its bit rate, which is wrong by minutes where the bit rate varies. Three headers
are read here because FFmpeg keeps to itself what they said: an mp3 may carry its count of frames
(Xing, Info, VBRI: the first frame, holding no sound); a WAV file names the size of its data, which
FFmpeg quietly cuts down to what is there; and of a WMA file that a picture has made larger than its
header says, FFmpeg no longer believes the length.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

BARE_FRAMES = frozenset(
    ["aac", "ac3", "amr", "dts", "dtshd", "eac3", "gsm", "loas", "mlp", "sbc", "truehd"]
)
MP3_REACH = 1 << 16  # bytes after the ID3v2 tag in which the first frame is looked for
WAV_REACH = 100  # chunks looked at: pictures and cue points may stand before the sound
ASF_REACH = 1 << 16  # bytes of the header in which the properties of the file are looked for
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
MP3_COUNT = re.compile(
    rb"(?:Xing|Info)\0\0\0[\x01\x03\x05\x07\x09\x0b\x0d\x0f](.{4})"  # odd flags: a count follows
    rb"|VBRI.{10}(.{4})",  # version, delay, quality, size, count
    re.DOTALL,
)


def promised_duration(path: Path, container: Any, stream: Any) -> float | None:
    """Return the duration of an audio stream in seconds; None if unknown or a mere estimate."""
    duration = _stated_duration(container, stream)
    if container.format.name in BARE_FRAMES or duration is None or duration <= 0:
        return None
    if container.format.name == "mp3":
        counted = _mp3_duration(path, stream.codec_context.sample_rate)
        # FFmpeg drops a count that contradicts the size of the file, as in two files joined.
        return duration if counted is not None and abs(counted - duration) < 1.0 else None
    if container.format.name == "asf":
        return _asf_duration(path)
    if container.format.name == "wav":
        return max(duration, _wav_duration(path))
    return duration


def _stated_duration(container: Any, stream: Any) -> float | None:
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    # Matroska keeps the length of each stream as a tag.
    tag = stream.metadata.get("DURATION", "")
    if clock := re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tag):
        hours, minutes, seconds = clock.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if container.duration is None or any(map(_is_film, container.streams.video)):
        return None  # the container's length is that of its longest stream, maybe the film
    return float(container.duration) / 1_000_000


def _is_film(video: Any) -> bool:
    return "attached_pic" not in str(video.disposition)  # as cover art is


def _mp3_duration(path: Path, sample_rate: int) -> float | None:
    with path.open("rb") as file:
        # ID3v2: "ID3", two bytes of version, flags, then the size in four bytes of seven bits.
        tag = file.read(10)
        size = sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(tag[6:10]))
        file.seek(10 + size if tag.startswith(b"ID3") else 0)
        found = MP3_COUNT.search(file.read(MP3_REACH))
    if found is None or sample_rate == 0:
        return None
    frames = int.from_bytes(found[1] or found[2], "big")
    return frames * (1152 if sample_rate >= 32_000 else 576) / sample_rate


def _asf_duration(path: Path) -> float | None:
    """Read the play duration, in 100 ns, and the preroll in it, in ms; None if there is none."""
    with path.open("rb") as file:
        head = file.read(ASF_REACH)
    start = head.find(ASF_PROPERTIES)
    fields = head[start + 16 : start + 92]
    if start < 0 or len(fields) < 76 or fields[72] & 1:  # a broadcast: nobody knew yet
        return None
    seconds = int.from_bytes(fields[48:56], "little") / 1e7
    seconds -= int.from_bytes(fields[64:72], "little") / 1e3
    return seconds if seconds > 0 else None


def _wav_duration(path: Path) -> float:
    """Read the chunks "fmt " and "data"; 0 if there are none or the size was not known."""
    bytes_per_second = 0
    with path.open("rb") as file:
        if file.read(12)[:4] != b"RIFF":
            return 0.0
        for _ in range(WAV_REACH):
            name, size = file.read(4), int.from_bytes(file.read(4), "little")
            if name == b"data":
                known = bytes_per_second > 0 and size < 0xFFFF_0000  # a pipe's writer says -1
                return size / bytes_per_second if known else 0.0
            body = file.read(min(size, 16))
            if name == b"fmt ":
                bytes_per_second = int.from_bytes(body[8:12], "little")
            file.seek(size + size % 2 - len(body), 1)
    return 0.0
