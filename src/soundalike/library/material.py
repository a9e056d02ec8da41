"""What one names to start from -> pieces: tracks of the library, and files listened to now.

A name is a track, its id, a file, a folder or a playlist. A name that is nothing is an error; what a
playlist or a folder holds and cannot be used is listed beside the pieces, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundalike.errors import AudioError, QueryError
from soundalike.library import playlists, queries, scan
from soundalike.library.aggregation import Vectors, track_vector
from soundalike.library.opened import Opened
from soundalike.library.playlists import Entry
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, path_to_text, read_tags, text_to_path, title_of


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One track to go by.

    Attributes:
        row: in the snapshot; None for a file the library does not have.
        track: the track; of a file outside, its id is made from its content as in a library.
        vector: unit mean of its segments, float32 [D].
    """

    row: int | None
    track: Track
    vector: Vectors


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was named and cannot be used.

    Attributes:
        name: a path, or what the line of a playlist says.
        reason: why.
        playlist, line: where it was named; None and 0 if on its own or in a folder.
        entry: of the playlist, if it was in one.
    """

    name: str
    reason: str
    playlist: Path | None = None
    line: int = 0
    entry: Entry | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Named:
    """Where a piece is to be had: a row, or a file to listen to."""

    row: int | None = None
    path: Path | None = None
    playlist: Path | None = None
    entry: Entry | None = None

    def unusable(self, reason: str) -> LeftOut:
        if self.entry is None:
            return LeftOut(str(self.path), reason)
        return LeftOut(self.entry.text, reason, self.playlist, self.entry.line, self.entry)


def gather(
    names: Iterable[Track | Path | str], snapshot: Snapshot, opened: Opened
) -> tuple[list[Piece], list[LeftOut]]:
    """Find the pieces that names stand for, in order; one named twice comes twice.

    Args:
        names: tracks, ids, files, folders (their tracks of the library and their other files) and
            playlists.
        snapshot: the library.
        opened: its encoder, for files that are not in it.

    Returns:
        The pieces, and what could not be used.

    Raises:
        QueryError: a name that is nothing, no names, or nothing usable behind them.
        AudioError: nothing usable, and a single file was named.
        ModelError: the encoder of the library is not at hand.
    """
    wanted: list[_Named] = []
    left_out: list[LeftOut] = []
    names = list(names)
    for name in names:
        _expand(name, snapshot, wanted, left_out)
    pieces = _pieces(wanted, snapshot, opened, left_out)
    if not pieces:
        if len(names) == 1 and len(wanted) == 1 and wanted[0].path and wanted[0].entry is None:
            raise AudioError(wanted[0].path, left_out[0].reason)
        said = ", ".join(repr(str(getattr(name, "path", name))) for name in names[:3])
        why = f": {left_out[0].name}: {left_out[0].reason}" if left_out else ""
        raise QueryError(f"there is no music in {said or 'nothing'}{why}")
    return pieces, left_out


def single(name: Track | Path | str, snapshot: Snapshot, opened: Opened) -> Piece:
    """Find the one track a name stands for.

    Raises:
        QueryError: it is nothing, a folder or a playlist.
        AudioError: a file that cannot be used.
        ModelError: the encoder of the library is not at hand.
    """
    if queries.row_of(name, snapshot) is None and not isinstance(name, Track):
        path = queries.absolute(name)
        if path.is_dir() or queries.is_playlist(path):
            kind = "a folder" if path.is_dir() else "a playlist"
            raise QueryError(f"{str(name)!r} is {kind}; name a track")
    ((piece,), _) = gather([name], snapshot, opened)
    return piece


def name_of(text: str, snapshot: Snapshot) -> str | Path:
    """An id, or the path a text of `path_to_text` stands for."""
    return text if text in snapshot.row_of_id else text_to_path(text)


def _expand(
    name: Track | Path | str,
    snapshot: Snapshot,
    wanted: list[_Named],
    left_out: list[LeftOut],
) -> None:
    if name == "":  # an unset variable of a script; the folder one is in cannot be meant
        raise queries.unknown(name, snapshot)
    row = queries.row_of(name, snapshot)
    path = name.path if isinstance(name, Track) else queries.absolute(name)
    if row is not None:
        wanted.append(_Named(row))
    elif path.is_dir():
        _expand_folder(path, snapshot, wanted, left_out)
    elif queries.is_playlist(path):
        for each in playlists.resolve(playlists.read_m3u8(path), snapshot):
            named = _Named(each.row, each.entry.path, path, each.entry)
            if each.row is None and each.entry.problem:
                left_out.append(named.unusable(each.entry.problem))
            else:
                wanted.append(named)
    elif path.exists():
        wanted.append(_Named(None, path))
    else:
        raise queries.unknown(name, snapshot)


def _expand_folder(
    folder: Path, snapshot: Snapshot, wanted: list[_Named], left_out: list[LeftOut]
) -> None:
    """The tracks below a folder: those of the library, there at the moment or not, and its files."""
    inside = path_to_text(folder).rstrip(os.sep) + os.sep
    rows = {text: row for text, row in snapshot.row_of_path.items() if text.startswith(inside)}
    found = scan.find_files([folder])
    others = {path_to_text(file.path): file.path for file in found.files}
    for text in sorted({*rows, *others}):
        # The library may have the folder under its real path.
        row = rows.get(text)
        if row is None:
            row = snapshot.row_of_path.get(path_to_text(others[text].resolve()))
        wanted.append(_Named(row, text_to_path(text)))
    left_out += [LeftOut(str(path), why) for path, why in found.unreadable]


def _pieces(
    wanted: Sequence[_Named], snapshot: Snapshot, opened: Opened, left_out: list[LeftOut]
) -> list[Piece]:
    outside = list(dict.fromkeys(each.path for each in wanted if each.row is None and each.path))
    heard = dict(zip(outside, _listen(outside, opened), strict=True)) if outside else {}
    pieces = []
    for each in wanted:
        if each.row is not None:
            pieces.append(Piece(each.row, snapshot.track(each.row), snapshot.means[each.row]))
            continue
        assert each.path is not None, "what is in no library is a file"
        result = heard[each.path]
        if isinstance(result, Piece):
            pieces.append(result)
        else:
            left_out.append(each.unusable(result))
    left_out.sort(key=lambda each: (str(each.playlist or ""), each.line))
    return pieces


def _listen(paths: Sequence[Path], opened: Opened) -> Iterable[Piece | str]:
    """Listen to files: a piece each, or why not."""
    embedder = opened.reading_embedder()
    for path, heard in zip(paths, embedder.embed(paths), strict=True):
        if isinstance(heard, AudioError):
            yield heard.reason
            continue
        try:
            content = scan.content_hash(path)
        except OSError as error:
            yield str(error.strerror)
            continue
        tags = read_tags(heard.tags)
        track = Track(
            content[:16],
            path,
            tags.title or title_of(path),
            tags.artist,
            tags.album,
            heard.duration,
            tags.album_artist,
            tags.genre,
            tags.year,
            tags.track_number,
        )
        yield Piece(None, track, track_vector(heard.vectors, "mean", embedder.senses))
