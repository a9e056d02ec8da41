"""New and changed files -> rows of the table, embedded in the order of their paths.

A commit holds `BATCH` tracks or what `SECONDS` brought, whichever comes first, and is all or
nothing. So whatever ends the program, a full disk or a pulled plug, a run that follows finds all
but the last batch done. Files of one content are embedded once.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundalike.audio.waveform import probe
from soundalike.errors import AudioError
from soundalike.library import scan
from soundalike.library.indexing import Ids, IndexReport, Progress, ProgressCallback, Terms
from soundalike.library.laying_out import Layout
from soundalike.library.scan import AudioFile, Changes, Known
from soundalike.library.store import Record, TrackTable
from soundalike.library.tracks import read_tags

if TYPE_CHECKING:
    from soundalike.embedder import Embedder, TrackVectors

BATCH = 64
SECONDS = 10.0
# Each commit adds a file and lists all files before it; joined now and then, that stays small.
MANY_COMMITS = 200
NEVER_READ = -1  # in the place of a time of change: no file has it


@dataclass(slots=True)
class _Job:
    """One content to embed: the first file that has it, and others that turn out to have it too."""

    files: list[tuple[AudioFile, Known | None]]
    content: str | None


class Ingest:
    """Embeds new and changed files into a table, committing as it goes."""

    def __init__(
        self,
        table: TrackTable,
        ids: Ids,
        layout: Layout,
        *,
        terms: Terms,
        report: IndexReport,
        progress: ProgressCallback,
    ) -> None:
        self._table, self._ids, self._layout = table, ids, layout
        self._report, self._progress, self._choice = report, progress, terms.choice
        self._failures, self._left_out = terms.logs
        self._records: list[Record] = []
        self._replacing = False
        self._committed = self._started = time.monotonic()
        self._done = self._total = self._commits = 0

    def run(self, embedder: Embedder, changes: Changes, *, jobs: int | None) -> None:
        """Embed `changes.added` and `changes.changed`.

        Raises:
            LibraryError: a commit failed; what was committed before stays.
        """
        work = _jobs(changes)
        self._total = sum(len(job.files) for job in work)
        waiting: deque[_Job] = deque()
        results = embedder.embed(self._feed(work, waiting), jobs=jobs)
        try:
            for result in results:
                job = waiting.popleft()
                if isinstance(result, AudioError):
                    self._fail(job, result.reason)
                else:
                    self._take(job, result)
                if len(self._records) >= BATCH or time.monotonic() - self._committed > SECONDS:
                    self._commit()
        finally:
            if isinstance(results, Generator):
                results.close()
            # Also when interrupted: what has been embedded so far is not done again.
            self._commit()

    def _feed(self, work: Sequence[_Job], waiting: deque[_Job]) -> Iterator[Path]:
        """Hand out paths to the embedder, which asks ahead and answers in the same order."""
        for job in work:
            path = job.files[0][0].path
            if self._choice.measures:
                with contextlib.suppress(AudioError):
                    self._leave_out(job, probe(path).duration)
                if not job.files:
                    continue
                path = job.files[0][0].path
            # A file that cannot be read here cannot be decoded either, and the decoder says why.
            with contextlib.suppress(OSError):
                job.content = job.content or scan.content_hash(path)
            waiting.append(job)
            yield path

    def _take(self, job: _Job, track: TrackVectors) -> None:
        expected = (self._table.segments, self._table.dimension)
        if track.vectors.shape != expected or not np.isfinite(track.vectors).all():
            self._fail(job, "the encoder gave no usable vectors for it")
            return
        if job.content is None:
            self._fail(job, "it could not be read at first")
            return
        if self._choice.measures:
            self._leave_out(job, track.duration)
        for file, known in job.files:
            self._replacing |= known is not None
            own_id = known.id if known else self._ids.new(job.content, file.path)
            self._records.append(
                Record(
                    own_id,
                    job.content,
                    file,
                    read_tags(track.tags),
                    track.duration,
                    track.segments,
                    track.vectors,
                    track.heard,
                )
            )
            self._report.updated += known is not None
            self._report.added += known is None
            self._tell(file)

    def _fail(self, job: _Job, reason: str) -> None:
        for file, known in job.files:
            # Permission given later changes neither size nor time: what was never read is retried.
            seen = file if job.content else replace(file, mtime_ns=NEVER_READ)
            self._failures.reasons[seen] = reason
            self._report.failed.append((file.path, reason))
            # A changed file that cannot be read any more must not answer with its old sound. One
            # that is to be heard again and is not there may be on a disk that has been pulled out.
            if known and (known.file != file or os.path.exists(file.path)):  # noqa: PTH110 - no error of a dead disk
                self._layout.gone.append(known.id)
            self._tell(file)

    def _leave_out(self, job: _Job, duration: float) -> None:
        """Take the files out of a job whose folders do not want tracks of this length."""
        for file, known in list(job.files):
            if why := self._choice.wrong_length(str(file.path), duration):
                job.files.remove((file, known))
                self._left_out.reasons[file] = why
                self._report.left_out.append((file.path, why))
                if known:
                    self._layout.gone.append(known.id)
                    self._report.excluded += 1
                self._tell(file)

    def _tell(self, file: AudioFile) -> None:
        self._done += 1
        rate = self._done / max(time.monotonic() - self._started, 1e-9)
        left = (self._total - self._done) / rate
        failed = len(self._report.failed)
        self._progress(Progress("embed", self._done, self._total, failed, file.path, rate, left))

    def _commit(self) -> None:
        # Emptied first: a commit that fails is not tried a second time on the way out.
        records, self._records = self._records, []
        replacing, self._replacing = self._replacing, False
        self._table.put(records, replacing=replacing)
        self._commits += bool(records)
        if self._commits == MANY_COMMITS:
            self._commits = 0
            self._table.tidy()
        self._failures.save()
        self._left_out.save()
        if records:
            self._layout.commit()
        self._committed = time.monotonic()


def _jobs(changes: Changes) -> list[_Job]:
    """Group what has to be embedded by content, in the order of paths."""
    files: list[tuple[AudioFile, Known | None]] = [(file, None) for file in changes.added]
    files += changes.changed
    jobs: list[_Job] = []
    of_content: dict[str, _Job] = {}
    for file, known in sorted(files, key=lambda pair: str(pair[0].path)):
        content = changes.content.get(file.path)
        if content in of_content:
            of_content[content].files.append((file, known))
            continue
        jobs.append(_Job([(file, known)], content))
        if content:
            of_content[content] = jobs[-1]
    return jobs
