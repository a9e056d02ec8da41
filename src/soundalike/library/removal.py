"""Folders and tracks to forget -> rows that go, and paths that indexing passes over from then on.

The manifest is written first: killed in between, the next indexing finds rows whose files do not belong
to the library, and forgets them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from soundalike.errors import QueryError
from soundalike.library import queries
from soundalike.library.choice import within
from soundalike.library.laying_out import Layout
from soundalike.library.manifest import Manifest
from soundalike.library.opened import Opened
from soundalike.library.snapshot import Snapshot
from soundalike.library.store import LEFT_OUT, FailureLog
from soundalike.library.tracks import path_to_text


def path_of(thing: str | Path, snapshot: Snapshot, manifest: Manifest) -> str:
    """Find the path, as text of `path_to_text`, of a track (by path or id) or folder of a library.

    Raises:
        QueryError: it is neither, or was removed before.
    """
    row = queries.row_of(thing, snapshot)
    if row is not None:
        return snapshot.paths[row]
    path = path_to_text(queries.absolute(thing))
    if path in manifest.roots or any(within(track, path) for track in snapshot.paths):
        return path
    if any(within(path, removed) for removed in manifest.removed):
        raise QueryError(
            f"{str(thing)!r} was already removed; soundalike index with its path takes it up again"
        )
    # No names that come near: what is not meant must not be removed.
    raise QueryError(f"{str(thing)!r} is neither a track nor a folder of the library")


def remove(paths: Iterable[str], opened: Opened) -> int:
    """Forget folders and tracks in every table; the lock is held.

    Returns:
        How many tracks of the table that answers left.
    """
    manifest = opened.manifest
    for path in paths:
        if path in manifest.roots:
            manifest.roots.remove(path)
            manifest.filters.pop(path, None)
        # A folder around several roots takes them along.
        manifest.roots = [root for root in manifest.roots if not within(root, path)]
        manifest.removed = [other for other in manifest.removed if not within(other, path)]
        if any(within(path, root) for root in manifest.roots):
            manifest.removed.append(path)
    choice, left = manifest.choice(), 0
    for identity in manifest.tables:
        table = opened.table(identity)
        known = table.known()
        gone = [
            name
            for name, path in zip(known.ids, known.paths, strict=True)
            if not manifest.roots or not choice.takes(path)
        ]
        layout = Layout(opened, table, identity)
        layout.begin()
        layout.gone += gone
        layout.finish(answers=identity == manifest.model)
        left += len(gone) if identity == manifest.model else 0
    for log in (FailureLog(opened.folder), FailureLog(opened.folder, LEFT_OUT)):
        for file in list(log.reasons):
            if not manifest.roots or not choice.takes(str(file.path)):
                del log.reasons[file]
        log.save()
    return left
