"""What a decoder was given of a file, so that a file with new tags is known by its sound.

A decoder is a machine: from the same packets, in the same order, it makes the same sound. While
segments are decoded, a `Transcript` takes down every packet (payload, times, and the side data that says
what to cut off), the settings of the codec, and where the decoder started or was sent to. Its text is
a digest of all that and the list of turns:

    9c1f...e2 start+1 2822400+1182 8467200+1182 14112000+640!

"from the start, 1 packet; at tick 2822400, 1182 packets; ...; here the sound ended". `heard_again`
takes the same turns through a file, reading packets and decoding none, and compares digests. Equal
texts mean equal sound and so equal vectors. Tags and pictures are in none of it, save where they make
the container land elsewhere when it is sent to a moment: then the texts differ though the sound does
not, and all that costs is listening once more.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from av import Packet

from soundalike.audio.decoder import Decoder
from soundalike.errors import AudioError

_TURN = re.compile(r"(start|-?\d+)\+(\d+)(!?)")
# Tags that containers hand on beside the packets.
_TAGS = frozenset(["strings_metadata", "metadata_update"])
_XIPH_HEADERS = 3
_VORBIS_FIRST = 30  # bytes of its first header, always


class Transcript:
    """Takes down what one decoder is given; `Decoder` calls the methods."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)
        self._turns: list[str] = []
        self._update = self._digest.update
        self._count = 0
        # Older versions of PyAV have no way to say what of a packet is cut off.
        self._asks_for_side_data = hasattr(Packet, "iter_sidedata")

    def settings(self, container: Any, stream: Any, promised: float | None) -> None:
        """Note what decides how packets are decoded, apart from them."""
        codec = stream.codec_context
        self._note(
            *(container.format.name, codec.name, codec.sample_rate, codec.layout.name),
            *(stream.time_base, stream.start_time, promised),
        )
        self._digest.update(_setup(codec.codec.canonical_name, codec.extradata or b""))

    def turn(self, target: int | None) -> None:
        """Note that decoding starts: at the beginning, or at a tick the container was sent to."""
        self._close()
        self._turns.append("start" if target is None else str(target))
        self._note("turn", self._turns[-1])

    def packet(self, packet: Any) -> None:
        """Note a packet that goes to the decoder."""
        self._count += 1
        update = self._update
        # A track has thousands of packets: no function is called here that need not be.
        update(f"{packet.pts} {packet.dts} {packet.duration} {packet.size}".encode())
        update(packet)
        if packet.is_corrupt or packet.is_discard:
            update(b"corrupt" if packet.is_corrupt else b"discard")
        if self._asks_for_side_data:
            for piece in packet.iter_sidedata():
                if piece.data_type not in _TAGS:
                    self._note(piece.data_type, bytes(piece))

    def end(self) -> None:
        """Note that the file has no more packets."""
        self._note("end")
        self._close(ended=True)

    def text(self, duration: float) -> str:
        """Sum it up, with the length of the whole file in seconds; "" if it would not be sound."""
        self._close()
        self._note(duration)
        return (
            " ".join([self._digest.hexdigest(), *self._turns]) if self._asks_for_side_data else ""
        )

    def _close(self, *, ended: bool = False) -> None:
        if self._turns and "+" not in self._turns[-1]:
            self._turns[-1] += f"+{self._count}{'!' if ended else ''}"
        self._count = 0

    def _note(self, *values: object) -> None:
        self._digest.update(repr(values).encode())


def heard_again(path: str | Path, text: str, duration: float) -> bool:
    """Say whether a decoder would be given by this file what a transcript tells.

    Args:
        path: the file.
        text: of the transcript; "" is like no file.
        duration: of this file, seconds.

    Returns:
        True only if the sound is the same sample by sample; False also where the file cannot be read.
    """
    turns = _TURN.findall(text)
    if not turns:
        return False
    transcript = Transcript()
    try:
        with Decoder(path, transcript=transcript) as decoder:
            for target, count, ended in turns:
                where = None if target == "start" else int(target)
                decoder.replay(where, int(count), ended=bool(ended))
    except AudioError:
        return False
    return transcript.text(duration) == text


def _setup(codec: str, extradata: bytes) -> bytes:
    """The extradata without the tags that Vorbis keeps there: its first and third header."""
    if codec != "vorbis":
        return extradata
    headers = _xiph_headers(extradata)
    return b"\0".join((headers[0], headers[2])) if len(headers) == _XIPH_HEADERS else extradata


def _xiph_headers(data: bytes) -> list[bytes]:
    """Take three headers apart: each after its size in 16 bits, or all after two sizes in 255s."""
    if data[:2] == _VORBIS_FIRST.to_bytes(2, "big"):
        headers, at = [], 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 2], "big")
            headers.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        return headers
    if data[:1] != b"\x02":
        return []
    sizes, at = [], 1
    for _ in range(_XIPH_HEADERS - 1):
        size = 0
        while data[at : at + 1] == b"\xff":
            size, at = size + 255, at + 1
        size, at = size + int.from_bytes(data[at : at + 1], "big"), at + 1
        sizes.append(size)
    first, second = at + sizes[0], at + sum(sizes)
    return [data[at:first], data[first:second], data[second:]]
