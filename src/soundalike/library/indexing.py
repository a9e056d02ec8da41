"""What indexing does before it embeds anything, and what it tells while it runs.

    look     walk the folders and compare with the table -> changes; folders that seem to be missing
    reuse    moved, copied and touched files take over vectors

Of what is left, new and changed files, `retagging.py` finds those whose tags alone are new; the others go
to `ingest.py`. Where nothing has changed, no object is made of a file or a track.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundalike.audio.waveform import probe
from soundalike.errors import AudioError
from soundalike.library import scan
from soundalike.library.choice import Choice, within
from soundalike.library.scan import AudioFile, Changes, Known
from soundalike.library.store import FailureLog, Memory, TrackTable, columns_of
from soundalike.library.tracks import path_to_text, read_tags, text_to_path

# More than half of a folder gone, and not just a few files, looks like a disk that is not there.
REMOVAL_RATIO = 0.5
REMOVAL_FEW = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """How far indexing has come.

    Attributes:
        stage: "scan" (looking at files), "tags" (reading those of files whose sound is known),
            "embed" or "finish" (tidying the table).
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
        updated: tracks whose file has another sound now, or that were to be embedded again.
        retagged: tracks whose file has the same sound and other tags; not embedded again.
        moved: tracks found under another path; not embedded again.
        removed: tracks whose file is gone.
        excluded: tracks that left the library, for their files are excluded or too short or long.
        unchanged: tracks that stayed as they were.
        skipped: files that failed before and have not changed since; not tried again.
        failed: files that could not be used this time, with the reason.
        left_out: files found this time to be too short or too long, with the reason.
        held: folders that cannot be read, or seem to be missing as a whole, with the reason; the
            tracks under them were kept.
        model: identity of the encoder whose table was brought up to date.
        seconds: it took.
    """

    added: int = 0
    updated: int = 0
    retagged: int = 0
    moved: int = 0
    removed: int = 0
    excluded: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)
    held: list[tuple[Path, str]] = field(default_factory=list)
    model: str = ""
    seconds: float = 0.0


ProgressCallback = Callable[[Progress], object]


@dataclass(slots=True)
class Terms:
    """What an indexing is to heed.

    Attributes:
        choice: which files belong to the library.
        logs: files that could not be used or were left out before, each with its state and reason.
            Those that are gone or have changed are dropped from them by `look`.
        prune: forget tracks that are gone even where a whole folder is.
        force: embed again what has not changed, and try again what failed.
    """

    choice: Choice
    logs: tuple[FailureLog, FailureLog]
    prune: bool = False
    force: bool = False


def look(
    roots: Sequence[Path],
    known: Memory,
    *,
    terms: Terms,
    report: IndexReport,
    progress: ProgressCallback,
) -> Changes:
    """Walk the roots and compare with what is known; fills in the report but for what is written.

    Tracks outside the roots are taken to be where they were.
    """
    progress(Progress("scan"))
    found = scan.find_files(roots, terms.choice or None)
    folders = [str(root) for root in roots]
    states = _to_look_at(found, folders, terms=terms, report=report)
    same = [states.get(path) == was for path, was in zip(known.paths, known.states, strict=True)]
    files, relevant = _in_question(states, known, same=same, folders=folders, choice=terms.choice)

    def content(path: Path) -> str:
        progress(Progress("scan", current=path))
        return scan.content_hash(path)

    changes = scan.compare(files, relevant, content=content)
    unread = known.unread if not terms.force else ()
    unchanged = [row for row, is_same in enumerate(same) if is_same]
    changes.unchanged = len(unchanged)
    if terms.choice.measures:
        changes.steady = {known.ids[row] for row in unchanged}
    if terms.force:
        changes.changed += [(known[row].file, known[row]) for row in unchanged]
        changes.changed += changes.touched
        changes.touched, changes.unchanged = [], 0
    elif unread:
        unread_rows = [known[row] for row in unchanged if known.ids[row] in unread]
        changes.touched += [(track.file, track) for track in unread_rows]
        changes.unchanged -= len(unread_rows)
    _remove(changes, roots, found, known=known, terms=terms, report=report)
    return changes


def reuse(
    table: TrackTable, changes: Changes, *, ids: Ids, terms: Terms, report: IndexReport
) -> None:
    """Write what needs no embedding: moved, copied and touched files. What is gone stays as yet."""
    moved = ((track.id, columns_of(file)) for file, track in changes.moved)
    copied = (
        (track.id, {"id": ids.new(track.content, file.path), **columns_of(file)})
        for file, track in changes.copied
    )
    touched = ((track.id, _anew(file)) for file, track in changes.touched)
    table.derive(itertools.chain(moved, copied, touched))
    report.added += len(changes.copied)
    report.moved += len(changes.moved)
    wanted = sum(terms.choice.takes(str(track.file.path)) for track in changes.removed)
    report.removed += wanted
    report.excluded += len(changes.removed) - wanted
    report.unchanged += changes.unchanged + len(changes.touched)


def leave_out(
    table: TrackTable, changes: Changes, *, terms: Terms, report: IndexReport
) -> list[str]:
    """Find tracks that are too short or long for the filters of now, after `reuse`: their ids.

    Those that are embedded again are left for that, which may find another length.
    """
    if not terms.choice.measures:
        return []
    later = {track.id for _, track in changes.changed} | {track.id for track in changes.removed}
    steady = changes.steady | {track.id for _, track in changes.touched}
    unwanted = []
    rows = table.read(["id", "path", "size", "mtime_ns", "duration"])
    for batch in rows.to_batches(4096):
        for row in batch.to_pylist():
            path = text_to_path(row["path"])
            why = terms.choice.wrong_length(str(path), row["duration"])
            if why and row["id"] not in later:
                unwanted.append(row["id"])
                terms.logs[1].reasons[AudioFile(path, row["size"], row["mtime_ns"])] = why
                report.left_out.append((path, why))
    report.excluded += len(unwanted)
    # Tracks that moved, or whose folder is not there, were not counted as unchanged.
    report.unchanged -= sum(track in steady for track in unwanted)
    return unwanted


class Ids:
    """Hands out ids: the content hash, and for a second file of the same content hash and path."""

    def __init__(self, known: Iterable[str]) -> None:
        """Take the ids there are."""
        self._taken = set(known)

    def new(self, content: str, path: Path) -> str:
        """Make the id of a new track, 16 hexadecimal digits."""
        name = content[:16]
        while name in self._taken:
            name = hashlib.blake2b(
                f"{name}{path_to_text(path)}".encode(), digest_size=8
            ).hexdigest()
        self._taken.add(name)
        return name


def _to_look_at(
    found: scan.Found, folders: Sequence[str], *, terms: Terms, report: IndexReport
) -> dict[str, tuple[int, int]]:
    """The files found but for those that failed or were left out before and are as they were."""
    states = dict(found.states)
    for log, count in zip(terms.logs, (True, False), strict=True):
        for file in list(log.reasons):
            path = str(file.path)
            if not any(within(path, folder) for folder in folders):
                continue
            if terms.force or found.states.get(path) != (file.size, file.mtime_ns):
                del log.reasons[file]
            else:
                states.pop(path, None)
                report.skipped += count
    return states


def _in_question(
    states: dict[str, tuple[int, int]],
    known: Memory,
    *,
    same: Sequence[bool],
    folders: Sequence[str],
    choice: Choice,
) -> tuple[list[AudioFile], list[Known]]:
    """Files and tracks that are not plainly the same, and all tracks such a file may be a copy of."""
    settled = {path for path, is_same in zip(known.paths, same, strict=True) if is_same}
    files = [AudioFile(Path(p), *states[p]) for p in states if p not in settled]
    # The content of two files can only be equal if their sizes are.
    sizes = {file.size for file in files}
    relevant = []
    for row, is_same in enumerate(same):
        path = known.paths[row]
        inside = any(within(path, folder) for folder in folders)
        if is_same or (not inside and choice.takes(path)):
            if known.states[row][0] in sizes:
                relevant.append(known[row])
                files.append(relevant[-1].file)
        else:
            relevant.append(known[row])
    return files, relevant


def _remove(
    changes: Changes,
    roots: Sequence[Path],
    found: scan.Found,
    *,
    known: Memory,
    terms: Terms,
    report: IndexReport,
) -> None:
    """Tell tracks that left from those that are gone, and those from what may be on no disk now."""
    unwanted = [t for t in changes.removed if not terms.choice.takes(str(t.file.path))]
    gone = [t for t in changes.removed if terms.choice.takes(str(t.file.path))]
    if not terms.prune:
        # One that is there and failed is not missing.
        missing = [t for t in gone if str(t.file.path) not in found.states]
        report.held = _held(roots, found, known=known, missing=missing)
        kept = [str(folder) for folder, _ in report.held]
        gone = [t for t in gone if not any(within(str(t.file.path), folder) for folder in kept)]
    changes.removed = gone + unwanted


def _anew(file: AudioFile) -> dict[str, Any]:
    try:
        return columns_of(file, read_tags(probe(file.path).tags))
    except AudioError:
        return {**columns_of(file), "more": ""}


def _held(
    roots: Sequence[Path], found: scan.Found, *, known: Memory, missing: Sequence[Known]
) -> list[tuple[Path, str]]:
    """Folders whose missing tracks are no proof that anybody deleted them, with the reason."""
    held = list(found.unreadable)
    gone = [str(track.file.path) for track in missing]
    for root in map(str, roots) if gone else ():
        lost = sum(within(path, root) for path in gone)
        if lost and not any(root == str(folder) for folder, _ in held):
            before = sum(within(path, root) for path in known.paths)
            if not any(within(path, root) for path in found.states):
                held.append((Path(root), f"no music in it, where there were {before} tracks"))
            elif lost > max(REMOVAL_FEW, REMOVAL_RATIO * before):
                held.append((Path(root), f"{lost} of {before} tracks are gone"))
    counts = [sum(within(path, str(folder)) for path in gone) for folder, _ in held]
    return [
        (folder, f"{why}; {count} tracks under it are kept" if count else why)
        for (folder, why), count in zip(held, counts, strict=True)
    ]
