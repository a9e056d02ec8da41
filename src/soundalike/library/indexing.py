"""What indexing does before it embeds anything, and what it tells while it runs.

    look     walk the folders and compare with the table -> changes; folders that seem to be missing
    reuse    moved, copied and touched files take over vectors; what is gone is forgotten

What is left, new and changed files, goes to `ingest.py`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundalike.audio.waveform import probe
from soundalike.errors import AudioError
from soundalike.library import scan
from soundalike.library.scan import AudioFile, Changes, Known
from soundalike.library.store import TrackTable, columns_of
from soundalike.library.tracks import Tags, path_to_text, read_tags

# More than half of a folder gone, and not just a few files, looks like a disk that is not there.
REMOVAL_RATIO = 0.5
REMOVAL_FEW = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """How far indexing has come.

    Attributes:
        stage: "scan" (looking at files), "embed" or "finish" (tidying the table).
        done: files dealt with of the stage, failed ones included.
        total: files of the stage; 0 while not known.
        failed: how many of `done` could not be used.
        current: the file dealt with last, None at the start of a stage.
        rate: files per second, 0.0 until there is one.
        seconds_left: of the stage, None until there is a rate.
    """

    stage: str
    done: int = 0
    total: int = 0
    failed: int = 0
    current: Path | None = None
    rate: float = 0.0
    seconds_left: float | None = None


@dataclass(slots=True)
class IndexReport:
    """What indexing has done.

    Attributes:
        added: tracks new to the library, copies of known ones included.
        updated: tracks whose file has other content now.
        moved: tracks found under another path; not embedded again.
        removed: tracks whose file is gone.
        unchanged: tracks that stayed as they were.
        skipped: files that failed before and have not changed since; not tried again.
        failed: files that could not be used this time, with the reason.
        held: folders that cannot be read, or seem to be missing as a whole, with the reason; the
            tracks under them were kept.
        model: identity of the encoder whose table was brought up to date.
        seconds: it took.
    """

    added: int = 0
    updated: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    held: list[tuple[Path, str]] = field(default_factory=list)
    model: str = ""
    seconds: float = 0.0


ProgressCallback = Callable[[Progress], object]


def look(
    roots: Sequence[Path],
    known: Sequence[Known],
    *,
    failures: dict[AudioFile, str],
    prune: bool,
    report: IndexReport,
    progress: ProgressCallback,
) -> Changes:
    """Walk the roots and compare with what is known; fills in the report's `skipped` and `held`.

    Tracks outside the roots are taken to be where they were. Of `failures`, those whose file is
    gone or has changed are dropped.
    """
    progress(Progress("scan"))
    found = scan.find_files(roots)
    inside = [track for track in known if _within(track.file.path, roots)]
    outside = [track.file for track in known if not _within(track.file.path, roots)]
    files = [file for file in found.files if file not in failures]
    report.skipped = len(found.files) - len(files)
    seen = set(found.files)
    for file in [file for file in failures if _within(file.path, roots) and file not in seen]:
        del failures[file]

    def content(path: Path) -> str:
        progress(Progress("scan", current=path))
        return scan.content_hash(path)

    changes = scan.compare(files + outside, known, content=content)
    changes.unchanged -= len(outside)
    if not prune:
        report.held = _held(roots, found, known=inside, removed=changes.removed)
        kept = [folder for folder, _ in report.held]
        changes.removed = [t for t in changes.removed if not _within(t.file.path, kept)]
    return changes


def reuse(table: TrackTable, changes: Changes, *, ids: Ids, report: IndexReport) -> None:
    """Write what needs no embedding: moved, copied and touched files, and tracks to forget."""
    derived: list[tuple[str, dict[str, Any]]] = []
    derived += [(track.id, columns_of(file)) for file, track in changes.moved]
    for file, track in changes.copied:
        derived.append((track.id, {"id": ids.new(track.content, file.path), **columns_of(file)}))
    derived += [(track.id, columns_of(file, _tags(file))) for file, track in changes.touched]
    table.derive(derived)
    table.delete([track.id for track in changes.removed])
    report.added += len(changes.copied)
    report.moved += len(changes.moved)
    report.removed += len(changes.removed)
    report.unchanged += changes.unchanged + len(changes.touched)


class Ids:
    """Hands out ids: the content hash, and for a second file of the same content hash and path."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._taken = {track.id for track in known}

    def new(self, content: str, path: Path) -> str:
        """Make the id of a new track, 16 hexadecimal digits."""
        name = content[:16]
        while name in self._taken:
            name = hashlib.blake2b(
                f"{name}{path_to_text(path)}".encode(), digest_size=8
            ).hexdigest()
        self._taken.add(name)
        return name


def _tags(file: AudioFile) -> Tags | None:
    try:
        return read_tags(probe(file.path).tags)
    except AudioError:
        return None


def _held(
    roots: Sequence[Path], found: scan.Found, *, known: Sequence[Known], removed: Sequence[Known]
) -> list[tuple[Path, str]]:
    """Folders whose missing tracks are no proof that anybody deleted them, with the reason."""
    held = list(found.unreadable)
    gone = [track.file.path for track in removed]
    for root in roots:
        missing = sum(_within(path, [root]) for path in gone)
        before = sum(_within(track.file.path, [root]) for track in known)
        after = any(_within(file.path, [root]) for file in found.files)
        if missing and not any(root == folder for folder, _ in held):
            if not after:
                held.append((root, f"no music in it, where there were {before} tracks"))
            elif missing > max(REMOVAL_FEW, REMOVAL_RATIO * before):
                held.append((root, f"{missing} of {before} tracks are gone"))
    counts = [sum(_within(path, [folder]) for path in gone) for folder, _ in held]
    return [
        (folder, f"{why}; {count} tracks under it are kept" if count else why)
        for (folder, why), count in zip(held, counts, strict=True)
    ]


def _within(path: Path, folders: Iterable[Path]) -> bool:
    text = str(path)
    # A root folder such as "/" ends with a separator already.
    return any(
        text == str(folder) or text.startswith(str(folder).rstrip(os.sep) + os.sep)
        for folder in folders
    )
