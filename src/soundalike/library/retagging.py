"""Files whose tags alone are new -> the rows they have, with the new tags and the old vectors.

A tagger leaves a file of another size and another content hash. But each row says what was listened to
(`heard`), and an encoder can tell from a file's packets, decoding none, whether it would hear just that
(`Embedder.recognizes`). Asked are files that changed where they are, each about its own row, and new
files about rows whose file is gone and lasted as long, which finds what was moved and retagged at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from soundalike.audio.waveform import AudioInfo, probe
from soundalike.errors import AudioError
from soundalike.library import scan
from soundalike.library.indexing import IndexReport, Progress, ProgressCallback
from soundalike.library.scan import AudioFile, Changes, Known
from soundalike.library.store import TrackTable, columns_of
from soundalike.library.tracks import read_tags

if TYPE_CHECKING:
    from soundalike.embedder import Embedder

Item = TypeVar("Item")
Result = TypeVar("Result")
CHUNK = 256
# Tracks of one length that a new file is compared with: copies of one recording, or made to length.
MOST_CANDIDATES = 8


class Retagging:
    """Takes files with new tags out of the changes of an indexing, and writes their rows."""

    def __init__(
        self,
        table: TrackTable,
        embedder: Embedder,
        *,
        report: IndexReport,
        progress: ProgressCallback,
        jobs: int | None,
    ) -> None:
        self._table, self._embedder, self._report = table, embedder, report
        self._progress, self._jobs = progress, jobs or os.cpu_count() or 1
        self._done = self._total = 0

    def run(self, changes: Changes) -> None:
        """Write rows for what is recognized among `changes.changed` and, of gone tracks, `added`.

        Raises:
            LibraryError: they cannot be written; those before stay.
        """
        gone = self._by_duration(changes.removed) if changes.added else {}
        self._total = len(changes.changed) + (len(changes.added) if gone else 0)
        own = [(file, [known]) for file, known in changes.changed]
        recognized = self._recognized(own)
        changes.changed = [pair for pair in changes.changed if pair[0].path not in recognized]
        self._report.retagged += len(recognized)
        if gone:
            moved = self._moved(changes.added, gone)
            changes.added = [file for file in changes.added if file.path not in moved]
            taken = set(moved.values())
            changes.removed = [track for track in changes.removed if track.id not in taken]
            self._report.moved += len(moved)

    def _moved(self, files: Sequence[AudioFile], gone: dict[float, list[Known]]) -> dict[Path, str]:
        asked = []
        for file, duration in self._side_by_side(_duration, files):
            if candidates := gone.get(duration):
                asked.append((file, candidates[:MOST_CANDIDATES]))
            self._tell(file)
        return self._recognized(asked, counted=False)

    def _recognized(
        self, asked: Sequence[tuple[AudioFile, list[Known]]], *, counted: bool = True
    ) -> dict[Path, str]:
        """Ask about files, write the rows of those recognized: path -> id of the row it has now."""
        found: dict[Path, str] = {}
        taken: set[str] = set()
        for start in range(0, len(asked), CHUNK):
            some = asked[start : start + CHUNK]
            derived: list[tuple[str, dict[str, Any]]] = []
            questions = [(file, self._heard(tracks)) for file, tracks in some]
            for (file, rows), info in self._side_by_side(self._answer, questions):
                free = [] if info is None else [i for i in rows.get(info[0], ()) if i not in taken]
                if info and free and (columns := _columns(file, info[1])):
                    taken.add(free[0])
                    found[file.path] = free[0]
                    derived.append((free[0], columns))
                if counted:
                    self._tell(file)
            self._table.derive(derived)
        return found

    def _heard(self, tracks: Sequence[Known]) -> dict[str, list[str]]:
        """What was listened to for tracks -> the ids of those it was."""
        rows = self._table.read(["id", "heard"], ids=[track.id for track in tracks]).to_pylist()
        heard: dict[str, list[str]] = {}
        for row in rows:
            if row["heard"]:
                heard.setdefault(row["heard"], []).append(row["id"])
        return heard

    def _answer(
        self, question: tuple[AudioFile, dict[str, list[str]]]
    ) -> tuple[str, AudioInfo] | None:
        file, rows = question
        answers = ((heard, self._embedder.recognizes(file.path, heard)) for heard in rows)
        return next(((heard, info) for heard, info in answers if info is not None), None)

    def _by_duration(self, tracks: Sequence[Known]) -> dict[float, list[Known]]:
        found: dict[float, list[Known]] = {}
        of_id = {track.id: track for track in tracks}
        names = list(of_id)
        for start in range(0, len(names), CHUNK):
            rows = self._table.read(["id", "duration"], ids=names[start : start + CHUNK])
            for row in rows.to_pylist():
                found.setdefault(row["duration"], []).append(of_id[row["id"]])
        return found

    def _side_by_side(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with what a function says of it, `jobs` at a time, a few hundred ahead."""
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="tags") as pool:
            for start in range(0, len(items), CHUNK):
                some = items[start : start + CHUNK]
                yield from zip(some, pool.map(function, some), strict=True)

    def _tell(self, file: AudioFile) -> None:
        self._done += 1
        self._progress(Progress("tags", self._done, self._total, current=file.path))


def _columns(file: AudioFile, info: AudioInfo) -> dict[str, Any] | None:
    try:
        content = scan.content_hash(file.path)
    except OSError:
        return None
    return {"content": content, **columns_of(file, read_tags(info.tags))}


def _duration(file: AudioFile) -> float:
    try:
        return probe(file.path).duration
    except AudioError:
        return 0.0
