"""Folders -> the audio files in them, and what has become of the tracks a library knows.

Two steps, the first reading names only, the second as little of the files as it can:

    find_files(roots)        walk: path, size and time of change of every audio file
    compare(files, known)    -> added, copied, changed, touched, moved, removed

A file with the size and time it had is the same file and is not opened. Content is compared by
`content_hash`, and only where that can decide something: for files whose size occurs more than
once.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from soundalike.audio.endings import AUDIO_EXTENSIONS
from soundalike.library.choice import Choice
from soundalike.library.disk import reason

HASH_BLOCK = 64 * 1024
HASH_BLOCKS = 5
# Equal sizes say nothing of these: as long is as large, and an edit changes no byte elsewhere.
UNCOMPRESSED = frozenset(
    [".aif", ".aifc", ".aiff", ".au", ".caf", ".dff", ".dsf", ".snd", ".w64", ".wav", ".wave"]
)
# File systems know times after the year 2262, tables do not.
LAST_MOMENT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A file that looks like music: `size` in bytes, `mtime_ns` when it was last written."""

    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Known:
    """A track as the library remembers it: its id, its file as it was then, the file's hash."""

    id: str
    file: AudioFile
    content: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk came across.

    Attributes:
        states: (size, mtime_ns) by path, in no order. Texts, for a library has 100,000 of them and
            most are what they were.
        unreadable: folders that could not be read, and why.
    """

    states: dict[str, tuple[int, int]]
    unreadable: tuple[tuple[Path, str], ...]

    @property
    def files(self) -> tuple[AudioFile, ...]:
        """The files, sorted by path."""
        return tuple(AudioFile(Path(path), *self.states[path]) for path in sorted(self.states))


@dataclass(slots=True)
class Changes:
    """What to do about the files of a library; every file is in one list at most.

    Attributes:
        added: new files with content that has to be embedded.
        copied: new files with the content of a known track; its vectors serve both.
        changed: known paths with other content.
        touched: known paths, same content, another time of change; the tags may be new.
        moved: known content under another path, no longer under its old one.
        removed: tracks whose file is gone.
        unchanged: how many files are as they were.
        steady: ids of the tracks of those files, where lengths matter.
        content: the hashes there was reason to compute.
    """

    added: list[AudioFile] = field(default_factory=list)
    copied: list[tuple[AudioFile, Known]] = field(default_factory=list)
    changed: list[tuple[AudioFile, Known]] = field(default_factory=list)
    touched: list[tuple[AudioFile, Known]] = field(default_factory=list)
    moved: list[tuple[AudioFile, Known]] = field(default_factory=list)
    removed: list[Known] = field(default_factory=list)
    unchanged: int = 0
    steady: set[str] = field(default_factory=set)
    content: dict[Path, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Say whether there is anything to do."""
        lists = (self.added, self.copied, self.changed, self.touched, self.moved, self.removed)
        return any(lists)


def find_files(roots: Iterable[Path], choice: Choice | None = None) -> Found:
    """Walk folders for files with an audio ending.

    Hidden files and folders are left out. A folder reached twice, through a link, a loop of links
    or two nested roots, is read once; folders behind links come last, so a file goes by its real
    path if it has one in here. A root may also be a single file.

    Args:
        roots: absolute paths.
        choice: which files and folders to leave out besides.

    Returns:
        The files, and each folder that could not be read with the reason.
    """
    files: dict[str, tuple[int, int]] = {}
    unreadable: list[tuple[Path, str]] = []
    folders, links = deque(map(str, roots)), deque[str]()
    seen: set[tuple[int, int]] = set()
    while folders or links:
        folder = folders.popleft() if folders else links.popleft()
        if choice and not choice.enters(folder):
            continue
        try:
            status = os.stat(folder)  # noqa: PTH116 - no Path per folder
            if stat.S_ISREG(status.st_mode):
                if sounds(folder) and (not choice or choice.takes(folder)):
                    files[folder] = _size_and_time(status)
                continue
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            unreadable.append((Path(folder), reason(error)))
            continue
        for entry in sorted(visible, key=lambda entry: entry.name):
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(entry.path)
            elif sounds(entry.name) and (not choice or choice.takes(entry.path)):
                state = _state(entry)
                if state is not None:
                    files[entry.path] = state
    return Found(files, tuple(unreadable))


def content_hash(path: Path) -> str:
    """Hash a file: BLAKE2b over its size and five blocks of 64 KiB spread evenly over it.

    Files of uncompressed audio, by their ending, and all up to 320 KiB are hashed whole.

    Reading a whole library over a network or from a spinning disk takes longer than embedding it,
    for which 90 s of each track are decoded; five blocks take milliseconds. Two files
    pass for the same only if their sizes and all five blocks agree, which compressed audio that
    differs anywhere before the end practically never does. Uncompressed audio does: an edit in one
    place, or the stems of one piece, which are silent for the most part.

    Returns:
        32 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16)
        if size <= HASH_BLOCKS * HASH_BLOCK or path.suffix.lower() in UNCOMPRESSED:
            while block := file.read(16 * HASH_BLOCK):
                digest.update(block)
        else:
            for i in range(HASH_BLOCKS):
                file.seek((size - HASH_BLOCK) * i // (HASH_BLOCKS - 1))
                digest.update(file.read(HASH_BLOCK))
    return digest.hexdigest()


def compare(
    files: Sequence[AudioFile],
    known: Sequence[Known],
    *,
    content: Callable[[Path], str] = content_hash,
) -> Changes:
    """Tell what has changed between the files of now and the tracks of the last time.

    A file that cannot be read for its hash counts as new or changed; whoever decodes it will learn
    why.

    Args:
        files: what `find_files` found.
        known: tracks of the library; one whose file is not among `files` counts as gone.
        content: the hash, replaceable to watch it or count it.
    """
    changes = Changes()
    tracks = {track.file.path: track for track in known}
    present = {file.path for file in files}
    fresh = [file for file in files if file.path not in tracks]
    altered = [file for file in files if file.path in tracks and tracks[file.path].file != file]
    changes.unchanged = len(files) - len(fresh) - len(altered)
    changes.content = _hashes(fresh + altered, known, content=content)
    for file in altered:
        if changes.content.get(file.path) == tracks[file.path].content:
            changes.touched.append((file, tracks[file.path]))
        else:
            fresh.append(file)
    touched = {file.path for file, _ in changes.touched}
    settled = touched | present - {file.path for file in fresh}
    homeless = [track for track in known if track.file.path not in settled]
    _place(fresh, homeless, known=known, changes=changes)
    return changes


def _place(
    files: Sequence[AudioFile],
    homeless: Sequence[Known],
    *,
    known: Sequence[Known],
    changes: Changes,
) -> None:
    """Bring files without a track and tracks without their content together.

    First by content, so that renumbered files (1 becomes 2, 2 becomes 3) and two that swapped names
    keep their vectors. What is then left under its old path has changed.
    """
    waiting: dict[str, deque[Known]] = {}
    for track in homeless:
        waiting.setdefault(track.content, deque()).append(track)
    claimed: set[str] = set()
    strangers: list[AudioFile] = []
    for file in sorted(files, key=lambda file: str(file.path)):
        if queue := waiting.get(changes.content.get(file.path, "")):
            changes.moved.append((file, queue.popleft()))
            claimed.add(changes.moved[-1][1].id)
        else:
            strangers.append(file)

    of_path = {track.file.path: track for track in homeless if track.id not in claimed}
    holders = {track.content: track for track in known}
    for file in strangers:
        holder = holders.get(changes.content.get(file.path, ""))
        if file.path in of_path:
            changes.changed.append((file, of_path.pop(file.path)))
        elif holder:
            changes.copied.append((file, holder))
        else:
            changes.added.append(file)
    changes.removed = list(of_path.values())


def _hashes(
    files: Sequence[AudioFile], known: Sequence[Known], *, content: Callable[[Path], str]
) -> dict[Path, str]:
    sizes = Counter(track.file.size for track in known) + Counter(file.size for file in files)
    hashes: dict[Path, str] = {}
    for file in files:
        if sizes[file.size] > 1:
            try:
                hashes[file.path] = content(file.path)
            except OSError:
                continue
    return hashes


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links that leads nowhere
        return False


def sounds(name: str) -> bool:
    """Say whether a file of this name is looked at: it has one of the endings of audio."""
    return os.path.splitext(name)[1].lower() in AUDIO_EXTENSIONS  # noqa: PTH122 - no Path per file


def _state(entry: os.DirEntry[str]) -> tuple[int, int] | None:
    try:
        status = entry.stat()
    except OSError:  # a dead link, or gone since the folder was listed
        return None
    return _size_and_time(status) if stat.S_ISREG(status.st_mode) else None


def _size_and_time(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, max(-LAST_MOMENT, min(status.st_mtime_ns, LAST_MOMENT))
