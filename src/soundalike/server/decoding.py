"""The process that opens an uploaded file: little memory, little time, nothing to write to.

    python -m soundalike.server.decoding PATH RATE LENGTH COUNT START END MEMORY SECONDS

On standard output a line of JSON, either {"reason": ...} or what was heard of the file, followed then by the
samples, float32 [S, L]. FFmpeg reads what anybody may have sent; should a file get the better of it, the
process ends and the server goes on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def limit(memory: int, seconds: int) -> None:
    """Give this process so many bytes and so much processor time, and no file to write to."""
    if sys.platform == "win32":
        return  # has no such limits; the server still ends what takes too long
    import resource

    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def hear(path: Path, ear: tuple[int, int, int], start: str, end: str) -> tuple[Any, bytes]:
    """What is said of a file, or why it is not; and its samples."""
    from soundalike.audio.listening import Ear, listen
    from soundalike.errors import AudioError, QueryError
    from soundalike.library.scan import content_hash

    try:
        sound = listen(path, Ear(*ear), *(float(text) if text else None for text in (start, end)))
    except AudioError as error:
        return {"reason": error.reason}, b""
    except QueryError as error:
        return {"refused": str(error).replace(str(path), path.name)}, b""
    said = {
        "duration": sound.duration,
        "tags": sound.tags,
        "segments": [[segment.start, segment.end] for segment in sound.segments],
        "shape": sound.rows.shape,
        "content": content_hash(path),
    }
    return said, sound.rows.astype("<f4").tobytes()


def main(arguments: list[str]) -> None:
    """Hear a file within limits and write down what was heard."""
    path, rate, length, count, start, end, memory, seconds = arguments
    limit(int(memory), int(seconds))
    try:
        said, samples = hear(Path(path), (int(rate), int(length), int(count)), start, end)
    except MemoryError:
        said, samples = {"reason": "it takes too much memory to open"}, b""
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + samples)


if __name__ == "__main__":
    main(sys.argv[1:])
