"""Memory that stays small while a large library is written.

Of the 1.4 GiB that indexing 100,000 tracks once took, most was not in use: glibc keeps freed blocks in an
arena per thread and raises, after the first large one, the size from which it gives them back. Lance, for
its part, keeps what it has read of every version, and reads whole files ahead when it joins them.
`bench/library_scale.py` measures what is left.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path
from typing import Any

MIB = 1 << 20
# Enough for the index of a million tracks, and for the files of the versions in use.
INDEX_CACHE, METADATA_CACHE = 64 * MIB, 8 * MIB
# Rows and bytes that Lance reads ahead; a row takes 14 KB.
READ_AHEAD = {
    "LANCE_DEFAULT_BATCH_SIZE": "256",
    "LANCE_DEFAULT_IO_BUFFER_SIZE": str(32 * MIB),
    "LANCE_IO_THREADS": "2",
    "LANCE_CPU_THREADS": "2",
}
# Numbers of mallopt(3) in <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
LARGE = 128 * 1024  # bytes; glibc's own beginning
ARENAS = 2


def give_back() -> None:
    """Let the C library return freed memory to the system from now on; elsewhere than glibc nothing.

    Large blocks are then asked of the system one by one.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    for option, value in (
        (_ARENA_MAX, ARENAS),
        (_MMAP_THRESHOLD, LARGE),
        (_TRIM_THRESHOLD, LARGE),
    ):
        mallopt(option, value)


def connect(folder: Path) -> Any:
    """Open a LanceDB database with small caches; what is set in the environment counts more."""
    for name, value in READ_AHEAD.items():
        os.environ.setdefault(name, value)  # Lance reads them once, with its first table
    import lancedb

    return lancedb.connect(str(folder), session=_session())


@functools.cache
def _session() -> Any:
    """The caches, one for all libraries of the process."""
    import lancedb

    return lancedb.Session(INDEX_CACHE, METADATA_CACHE)
