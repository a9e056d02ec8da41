"""Playlist files: tracks -> M3U8, and M3U or M3U8 -> entries, each with its track or the reason why not.

M3U8 is M3U in UTF-8: a line with the path of each track, above it `#EXTINF:seconds,artist - title`.
Written, paths are relative to the playlist where there is a way from there, so that a music folder
can be moved together with its playlists; slashes are forward, which every player reads on every
system.

Read is whatever players have left behind in twenty years: byte order marks, any line ends, Latin-1,
backslashes, `file://` URLs. Nothing is skipped in silence: a stream and a file that is not there are
entries, too, with the reason.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from soundalike.errors import QueryError
from soundalike.library import queries
from soundalike.library.disk import explained, reason, write_atomically
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, clean, path_to_text, text_to_path

# 100,000 entries with long paths and titles take some 30 MB; beyond, it is something else.
MOST_BYTES = 64 * 2**20
# Players round, and count silence at the end or do not.
SAME_DURATION = 3.0
_EXTINF = re.compile(r"#EXTINF:\s*(-?\d+(?:\.\d+)?)?(?:\s+[\w-]+=\"[^\"]*\")*\s*,?(.*)", re.I)
_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.I)
_ELSEWHERE = re.compile(r"[a-z]:[\\/]|\\\\|//", re.I)
_BYTE_ORDER = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_OTHERS = {b"[playlist]": "a PLS playlist", b"<": "XML or HTML", b"{": "JSON"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a playlist that names something to play.

    Attributes:
        line: its number in the file, from 1.
        text: what it says.
        path: the file it names, absolute, whether it is there or not; None if it names no file of
            this system: a stream, a path with a drive letter elsewhere than on Windows.
        title: from `#EXTINF`, mostly "artist - title"; "" if the playlist does not say.
        duration: from there, seconds, or None.
        problem: why it cannot be played from here; "" if it is a file that is there.
    """

    line: int
    text: str
    path: Path | None
    title: str = ""
    duration: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An entry and what it is to a library.

    Attributes:
        entry: as the playlist has it.
        row: of the snapshot; None if the library does not have it. Then `entry.problem` says
            whether it is at least a file.
        moved: it is not where the playlist says, and was recognised by the end of its path.
    """

    entry: Entry
    row: int | None
    moved: bool = False


def write_m3u8(
    path: str | Path, tracks: Iterable[Track | Entry], *, title: str = "", absolute: bool = False
) -> list[tuple[Path, str]]:
    """Write a playlist, replacing the file whole or not at all.

    Args:
        path: of the playlist; its folder must exist.
        tracks: in the order of playing; entries of other playlists keep their titles, and their
            text where it means the same in this one.
        title: the name players show. Line breaks in it and in tags become spaces.
        absolute: write whole paths, which still lead there when the playlist is moved alone.

    Returns:
        What M3U8 cannot express and the playlist lacks: paths with a line break or bytes that are
        no UTF-8, each with the reason.

    Raises:
        LibraryError: a place that cannot be written.
    """
    path = Path(path)
    text, left_out = m3u8(path, tracks, title=title, absolute=absolute)
    with explained(f"cannot write the playlist {path}"):
        write_atomically(path, text.encode())
    return left_out


def m3u8(
    path: Path, tracks: Iterable[Track | Entry], *, title: str = "", absolute: bool = False
) -> tuple[str, list[tuple[Path, str]]]:
    """Make the text of a playlist that is to lie at a path, and what it cannot hold, as `write_m3u8`."""
    left_out: list[tuple[Path, str]] = []
    lines = ["#EXTM3U"]
    if clean(title):
        lines.append(f"#PLAYLIST:{clean(title)}")
    for track in tracks:
        line = _line(track, path, absolute=absolute)
        why = _inexpressible(line)
        if why and track.path is not None:
            left_out.append((track.path, why))
            continue
        if isinstance(track, Track):
            artist, name = clean(track.artist), clean(track.title)
            lines.append(
                f"#EXTINF:{round(track.duration)},{f'{artist} - ' if artist else ''}{name}"
            )
        elif track.title or track.duration is not None:
            duration = -1 if track.duration is None else round(track.duration)
            lines.append(f"#EXTINF:{duration},{clean(track.title)}")
        lines.append(line)
    return "".join(f"{line}\n" for line in lines), left_out


def read_m3u8(path: str | Path) -> list[Entry]:
    """Read an M3U or M3U8 playlist.

    Args:
        path: of the playlist. Relative entries start from its folder.

    Returns:
        An entry for every line that is neither empty nor a comment, in order; none if the playlist
        is there but names nothing.

    Raises:
        QueryError: no such file, a folder, an empty file, or something that is no such playlist.
    """
    path = queries.absolute(path)
    entries: list[Entry] = []
    title, duration = "", None
    for number, line in enumerate(_lines(path), start=1):
        text = _decoded(line)
        if text.lstrip().startswith("#"):
            if found := _EXTINF.match(text.lstrip()):
                title, seconds = clean(found[2]), float(found[1] or -1)
                duration = seconds if seconds > 0 else None
        elif text.strip():
            place, problem = _place(line, path)
            entries.append(Entry(number, text.strip(), place, title, duration, problem))
            title, duration = "", None
    return entries


def resolve(entries: Iterable[Entry], snapshot: Snapshot) -> list[Resolved]:
    """Find the tracks of a library that entries name.

    First by the path as it stands, then as the same file under another path (links), then, for a
    file that is not there, by the end of its path, so that a playlist survives a move to another
    disk or machine: the one track whose path has most folders in common with it, counted from the
    name. At least the name and its folder must agree, or the name and the duration.

    Args:
        entries: of a playlist.
        snapshot: the library.

    Returns:
        One for each entry, in order.
    """
    named: dict[str, list[int]] = {}
    found = []
    for entry in entries:
        row = None if entry.path is None else snapshot.row_of_path.get(path_to_text(entry.path))
        if row is not None:
            found.append(Resolved(entry, row))
            continue
        if not named:
            for other, text in enumerate(snapshot.paths):
                named.setdefault(_folded(text.rpartition(os.sep)[2]), []).append(other)
        tail = _tail(entry)
        rows = named.get(tail[-1], []) if tail else []
        if not entry.problem:
            found.append(Resolved(entry, _same_file(entry, rows, snapshot)))
        else:
            row = _moved(entry, tail, rows, snapshot)
            found.append(Resolved(entry, row, moved=row is not None))
    return found


def rows_listed(path: str | Path, snapshot: Snapshot) -> tuple[list[int], list[Entry]]:
    """Find the tracks of a library that a playlist names, as for `--exclude-from`.

    Returns:
        Their rows, each once, in the order of the playlist; and the entries the library lacks.

    Raises:
        QueryError: see `read_m3u8`.
    """
    resolved = resolve(read_m3u8(path), snapshot)
    rows = dict.fromkeys(each.row for each in resolved if each.row is not None)
    return list(rows), [each.entry for each in resolved if each.row is None]


def _line(track: Track | Entry, playlist: Path, *, absolute: bool) -> str:
    """The line for a track, or for an entry of another playlist."""
    if isinstance(track, Entry) and (
        track.path is None
        or (not absolute and _place(track.text.encode(), playlist.absolute())[0] == track.path)
    ):
        return track.text
    assert track.path is not None, "only an entry may name no file"
    try:
        place = str(track.path)
        if not absolute:
            place = os.path.relpath(track.path, playlist.absolute().parent)
    except ValueError:  # Windows: another drive
        pass
    entry = place.replace(os.sep, "/")
    # To a player a line that begins with # is a comment, and outer space is not part of the line.
    return f"./{entry}" if entry.startswith(("#", " ")) else entry


def _inexpressible(line: str) -> str:
    """Why a playlist cannot hold a line; "" if it can."""
    if "\n" in line or "\r" in line:
        return "its path has a line break, which a playlist cannot hold"
    try:
        line.encode()
    except UnicodeEncodeError:
        return "its path is not UTF-8, which an M3U8 playlist cannot hold"
    return ""


def _lines(path: Path) -> list[bytes]:
    """The lines of a playlist as bytes, UTF-8 unless it is older. Raises QueryError."""
    try:
        if path.is_dir():
            raise QueryError(f"{str(path)!r} is a folder; name a playlist (.m3u8, .m3u)")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        near = _near(path) if isinstance(error, FileNotFoundError) else ""
        raise QueryError(f"cannot read the playlist {str(path)!r}: {reason(error)}{near}") from None
    for mark, encoding in _BYTE_ORDER.items():
        if data.startswith(mark):
            data = data[2:].decode(encoding, "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = data.lstrip()[:10].lower()
    if not head:
        raise QueryError(f"the playlist {str(path)!r} is empty")
    if b"\0" in data or len(data) > MOST_BYTES:
        raise QueryError(f"{str(path)!r} is no playlist but binary; an M3U8 is text, a path a line")
    for mark, what in _OTHERS.items():
        if head.startswith(mark):
            raise QueryError(f"{str(path)!r} is {what}; save the playlist as M3U8")
    return data.splitlines()


def _near(path: Path) -> str:
    """Playlists beside the one that is not there, for the end of an error."""
    try:
        names = [beside.name for beside in path.parent.iterdir()]
    except OSError:
        return ""
    lists = [name for name in names if name.lower().endswith((".m3u8", ".m3u"))]
    near = difflib.get_close_matches(path.name, lists, n=3)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _decoded(line: bytes) -> str:
    """Text as it is meant: UTF-8, else what Windows called Latin-1."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        try:
            return line.decode("cp1252")
        except UnicodeDecodeError:
            return line.decode("latin-1")


def _place(line: bytes, playlist: Path) -> tuple[Path | None, str]:
    """The file a line names, and why it cannot be played, "" if it can."""
    text = _decoded(line).strip()
    url = _URL.match(text)
    if url and url[1].lower() != "file":
        return None, f"a stream ({url[1].lower()}), not a file"
    # What is not there is told, and written again, in the spelling that most likely is meant.
    spellings = list(_of_url(text) if url else _spellings(line))
    missing, problem = None, ""
    for spelling in spellings:
        if os.sep == "/" and _ELSEWHERE.match(spelling):
            missing, problem = None, "on a drive or machine that is not here"
            if not os.path.lexists(playlist.parent / spelling):
                continue
        place = Path(os.path.abspath(playlist.parent / spelling))  # noqa: PTH100, see queries.absolute
        try:
            kind = place.stat().st_mode
        except (OSError, ValueError) as error:
            missing, problem = place, reason(error)
            continue
        return place, "a folder, not a file" if stat.S_ISDIR(kind) else ""
    return missing, problem


def _spellings(line: bytes) -> Iterator[str]:
    """How a path may be meant; the first that is there counts, else the last.

    As it stands to the last byte and blank; blanks around it dropped; with accents joined to their
    letters or apart, as one system writes and another does not; with slashes for backslashes.
    """
    yield os.fsdecode(line)
    text = _decoded(line).strip()
    for spelled in (text, text.replace("\\", "/")):
        yield from (unicodedata.normalize(form, spelled) for form in ("NFC", "NFD"))
        yield spelled


def _of_url(url: str) -> Iterator[str]:
    """The paths of a file:// URL; only there does a percent sign begin a code."""
    rest = url[len("file://") :]
    if not rest.startswith("/"):
        host, slash, below = rest.partition("/")
        # A host is another machine's name; on Windows that is a path, too.
        rest = slash + below if host.lower() in ("localhost", "127.0.0.1") else f"//{rest}"
    path = os.fsdecode(urllib.parse.unquote_to_bytes(rest))
    yield path[1:] if re.match(r"/[A-Za-z]:", path) else path


def _tail(entry: Entry) -> tuple[str, ...]:
    """The parts of an entry's path, folded; none of a stream."""
    text, url = entry.text, _URL.match(entry.text)
    if url:
        if url[1].lower() != "file":
            return ()
        (text,) = _of_url(text)
    return tuple(map(_folded, PureWindowsPath(text).parts))  # takes both slashes


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _same_file(entry: Entry, rows: Sequence[int], snapshot: Snapshot) -> int | None:
    """The row that is this very file under another path."""
    assert entry.path is not None, "an entry without a problem has a path"
    row = snapshot.row_of_path.get(path_to_text(entry.path.resolve()))
    if row is not None:
        return row
    for other in rows:
        try:
            if entry.path.samefile(text_to_path(snapshot.paths[other])):
                return other
        except OSError:
            continue
    return None


def _moved(
    entry: Entry, tail: tuple[str, ...], rows: Sequence[int], snapshot: Snapshot
) -> int | None:
    """The row that ends like an entry whose file is not there; None if none or several do."""
    common: dict[int, int] = {}
    for row in rows:
        duration = snapshot.facts["duration"][row].as_py()
        fits = entry.duration is not None and abs(entry.duration - duration) <= SAME_DURATION
        own = tuple(map(_folded, text_to_path(snapshot.paths[row]).parts))
        shared = next(
            (
                i
                for i, (a, b) in enumerate(zip(reversed(tail), reversed(own), strict=False))
                if a != b
            ),
            min(len(tail), len(own)),
        )
        if shared > 1 or fits:
            common[row] = 2 * shared + fits
    best = [row for row, count in common.items() if count == max(common.values())]
    return best[0] if len(best) == 1 else None
