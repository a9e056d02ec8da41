"""What a library holds, in numbers: `Library.info()`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from soundalike.library.choice import Filters, within
from soundalike.library.opened import Opened
from soundalike.library.store import LEFT_OUT, FailureLog
from soundalike.library.tracks import text_to_path


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that was indexed: its tracks, what it gives, and whether it is there now."""

    path: Path
    tracks: int
    filters: Filters
    reachable: bool


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder whose vectors the library holds.

    Attributes:
        identity: name and hash.
        source: what it was asked for by, a shipped name or a folder.
        tracks: of its table as last laid out; None if it never was.
        answers: whether questions go to its table.
        behind: whether its table has gone on since its snapshot: indexing runs, or was cut short.
        indexed: when its last complete indexing ended, ISO 8601, UTC; None if none did.
    """

    identity: str
    source: str
    tracks: int | None
    answers: bool
    behind: bool
    indexed: str | None


@dataclass(frozen=True, slots=True)
class Info:
    """What a library holds.

    Attributes:
        path: the folder of the library.
        tracks: how many.
        artists, albums: how many `Library.artists` and `albums` list.
        seconds: of music, the whole files.
        roots: the folders that were indexed.
        removed: tracks and folders that indexing passes over.
        encoders: whose vectors it holds.
        failures, left_out: files that could not be used, and files too short or too long.
        disk: bytes on disk by part: "tables", "snapshots", "rest".
    """

    path: Path
    tracks: int
    artists: int
    albums: int
    seconds: float
    roots: tuple[Root, ...]
    removed: tuple[Path, ...]
    encoders: tuple[Encoder, ...]
    failures: int
    left_out: int
    disk: Mapping[str, int]

    @property
    def bytes_per_track(self) -> float:
        """Disk taken by a track, all parts together; 0.0 in an empty library."""
        return sum(self.disk.values()) / self.tracks if self.tracks else 0.0


def describe(opened: Opened) -> Info:
    """Count what a library holds. Raises LibraryError."""
    snapshot = opened.snapshot()
    manifest = opened.manifest
    there = bool(manifest.tables)
    paths = [] if snapshot is None else [str(text_to_path(text)) for text in snapshot.paths]
    seconds = 0.0 if snapshot is None else sum(snapshot.facts["duration"].to_pylist())
    return Info(
        path=opened.folder,
        tracks=len(paths),
        artists=0 if snapshot is None else len(snapshot.artists.listed),
        albums=0 if snapshot is None else len(snapshot.albums.listed),
        seconds=seconds,
        roots=tuple(_root(text, opened, paths) for text in manifest.roots),
        removed=tuple(map(text_to_path, manifest.removed)),
        encoders=tuple(_encoder(identity, opened) for identity in sorted(manifest.tables)),
        failures=len(FailureLog(opened.folder).reasons) if there else 0,
        left_out=len(FailureLog(opened.folder, LEFT_OUT).reasons) if there else 0,
        disk=disk_use(opened.folder),
    )


def disk_use(folder: Path) -> dict[str, int]:
    """Bytes of the files of a library, by part."""
    parts = Counter({"tables": 0, "snapshots": 0, "rest": 0})
    for path in folder.rglob("*") if folder.is_dir() else ():
        part = path.relative_to(folder).parts[0]
        kind = "tables" if part.startswith("tracks-") else "rest"
        try:
            size = path.stat().st_size if path.is_file() else 0
        except OSError:  # tidied away by an indexing meanwhile
            continue
        parts["snapshots" if part.startswith("snapshot-") else kind] += size
    return dict(parts)


def _root(text: str, opened: Opened, paths: list[str]) -> Root:
    path = text_to_path(text)
    filters = opened.manifest.filters.get(text, Filters())
    count = sum(within(track, str(path)) for track in paths)
    return Root(path, count, filters, path.exists())


def _encoder(identity: str, opened: Opened) -> Encoder:
    entry = opened.manifest.tables[identity]
    snapshot = opened.load(entry)
    return Encoder(
        identity,
        entry.source,
        None if snapshot is None else len(snapshot),
        identity == opened.manifest.model,
        entry.behind,
        entry.indexed,
    )
