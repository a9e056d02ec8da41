"""Pictures of music: within a file, or beside it."""

from __future__ import annotations

from pathlib import Path

import av

from soundalike.audio.decoder import SAFELY

LARGEST = 20 * 2**20
"""Bytes; beyond, it is no cover."""
NAMES = ("cover", "folder", "front", "album", "albumart", "albumartsmall")
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_MAGIC = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def embedded(path: Path) -> tuple[bytes, str] | None:
    """The first picture in the tags of a file, and its type; None if there is none."""
    try:
        with av.open(f"file:{path}", container_options=SAFELY) as file:
            for stream in file.streams.video:
                if stream.disposition & av.stream.Disposition.attached_pic:
                    for packet in file.demux(stream):
                        found = typed(bytes(packet))
                        if found is not None:
                            return found
                        break
    except (av.FFmpegError, OSError, ValueError):
        return None
    return None


def beside(path: Path) -> list[Path]:
    """Files in the folder of a track that by their names are its cover, the likeliest first."""
    try:
        found = {entry.name.lower(): entry for entry in path.parent.iterdir()}
    except OSError:
        return []
    names = [name + ending for name in (*NAMES, path.stem.lower()) for ending in ENDINGS]
    return [found[name] for name in names if name in found]


def read(path: Path) -> tuple[bytes, str] | None:
    """A picture and its type; None for what is none, or too large."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError:
        return None
    return typed(data)


def typed(data: bytes) -> tuple[bytes, str] | None:
    """Bytes and the type they begin like; None if no browser would take them for a picture."""
    if len(data) > LARGEST:
        return None
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return data, kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data, "image/webp"
    return None
