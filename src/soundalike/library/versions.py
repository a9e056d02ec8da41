"""Which tracks are one recording, and which are other versions of one piece.

Three kinds, from certain to likely:

copy        the same file under another name: equal content hash
recording   the same recording in another file (a best-of, another format or master): vectors all but
            equal AND the same duration or title. Never by vectors alone: pieces for one piano can
            sound so much alike that other programs took thousands of them for one.
version     the same piece played again (live, a remix, a cover): the same title without what stands
            in brackets and similar vectors, or the same composition to a model with a sense of it

The limits stand where bench/copies.py puts them: cosines of copies of a recording, beside those of
different ones. Nothing is ever deleted or merged; `selection` uses the second kind to show one
answer where there would be three.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.library.aggregation import COMPOSITION, Vectors, recognised, unit
from soundalike.library.folding import folded
from soundalike.library.ranking import BOTH
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, text_to_path, title_of

RECORDED = 0.85
"""Cosine of two recordings that may be one, if duration or title agree."""
TITLED = 0.35
"""Cosine of two tracks of one title that may be versions of one piece."""
ARRANGED = 0.55
"""Cosine, by the sense of composition, of two tracks that may be one piece."""
# Other rips begin and end elsewhere: by so many seconds, in a long track by that share, and in one of
# a few seconds by less.
SECONDS, SHARE, SHARE_OF_SHORT = 2.0, 0.01, 0.05
KINDS = ("copy", "recording", "version")

# "(Live at ...)", "[2011 Remaster]", " - Remastered 2009", " feat. X" at the end of a title.
_BRACKETS = re.compile(r"\s*(\([^()]*\)|\[[^\[\]]*\])\s*$")
_SUFFIX = re.compile(
    r"\s+[-–—:]\s+[^-–—]*\b(remaster(ed)?|live|mono|stereo|remix|mix|version|edit|demo|take|acoustic|"
    r"instrumental|session|bonus|single|radio|unplugged)\b.*$"
)
_GUEST = re.compile(r"\s+(feat\.?|ft\.?|featuring)\s.*$")
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Version:
    """A track that is another one again.

    Attributes:
        track: the other file.
        kind: one of `KINDS`.
        why: in words.
        similarity: of the two tracks, 0..1, as in `search.Neighbor`.
    """

    track: Track
    kind: str
    why: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Tracks that are one recording, by path.

    Attributes:
        kind: "copy" if all are the same file, else "recording".
        tracks: two or more.
        why: in words.
        copies: those of them that are the same file as one before them.
    """

    kind: str
    tracks: tuple[Track, ...]
    why: str
    copies: tuple[Track, ...] = ()


class Recordings:
    """What tells recordings apart, of every row of a library."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.means = snapshot.means
        self.durations: npt.NDArray[np.float64] = snapshot.facts["duration"].to_numpy()
        self.title = functools.cache(self._title)

    def same(self, row: int, mean: Vectors, duration: float, title: str) -> bool:
        """Say whether a row and a track of these properties are one recording."""
        if float(self.means[row] @ mean) < RECORDED:
            return False
        if same_duration(float(self.durations[row]), duration):
            return True
        return bool(title) and self.title(row) == title

    def _title(self, row: int) -> str:
        title = self._snapshot.facts["title"][row].as_py()
        return plain_title(
            title or title_of(text_to_path(self._snapshot.facts["path"][row].as_py()))
        )


def same_duration(one: float, other: float) -> bool:
    """Say whether two durations, in seconds, may be those of two files of one recording."""
    longest = max(one, other)
    return abs(one - other) <= max(SHARE * longest, min(SECONDS, SHARE_OF_SHORT * longest))


def plain_title(title: str) -> str:
    """A title without case, accents, and what tells versions apart; "" if nothing is left.

    "So What (Live) [2009 Remaster]", "SO WHAT - Remastered" and "So What feat. X" are "so what".
    """
    plain = folded(title)
    before = None
    while plain != before:
        before = plain
        shorter = _GUEST.sub("", _SUFFIX.sub("", _BRACKETS.sub("", plain))).strip()
        plain = shorter or plain
    return plain


def versions_of(row: int, snapshot: Snapshot) -> list[Version]:
    """Find the other files of a track's recording and other versions of its piece.

    Returns:
        By kind, then by descending similarity, equal ones by path.
    """
    known, found = Recordings(snapshot), []
    scores = snapshot.means @ snapshot.means[row]
    composed = _composition(row, snapshot)
    likeness = scores if composed is None else recognised(scores, composed, len(snapshot))
    mine = (snapshot.means[row], float(known.durations[row]), known.title(row))
    for other in np.flatnonzero(_candidates(row, snapshot, scores, composed)).tolist():
        score = snapshot.scale.similarity(float(likeness[other]), BOTH, "mean")
        verdict = _verdict(row, other, known, composed)
        if snapshot.contents[other] == snapshot.contents[row]:
            verdict = ("copy", "the same file under another name")
        elif known.same(other, *mine):
            verdict = ("recording", _why((row, other), known))
        if verdict is not None:
            found.append(Version(snapshot.track(other), *verdict, score))
    found.sort(key=lambda v: (KINDS.index(v.kind), -round(v.similarity, 6), v.track.path))
    return found


def duplicates(snapshot: Snapshot) -> list[Duplicates]:
    """Find all groups of tracks that are one recording, largest first, equal ones by path.

    A group is what is connected: of three files the first and the last need not be compared.
    """
    known = Recordings(snapshot)
    parent = list(range(len(snapshot)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for one, other in _pairs(snapshot, known):
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    groups: dict[int, list[int]] = {}
    for row in range(len(snapshot)):
        groups.setdefault(root(row), []).append(row)
    found = []
    for rows in groups.values():
        if len(rows) > 1:
            contents = [snapshot.contents[row] for row in rows]
            tracks = tuple(snapshot.track(row) for row in rows)
            copies = tuple(track for i, track in enumerate(tracks) if contents[i] in contents[:i])
            if len(copies) == len(tracks) - 1:
                found.append(Duplicates("copy", tracks, "the same file", copies))
            else:
                found.append(Duplicates("recording", tracks, _why(rows, known), copies))
    return sorted(found, key=lambda group: (-len(group.tracks), group.tracks[0].path))


def _pairs(snapshot: Snapshot, known: Recordings) -> Iterator[tuple[int, int]]:
    """Pairs of rows that are one recording; enough to connect every group."""
    seen: dict[str, int] = {}
    for row, content in enumerate(snapshot.contents):
        if content in seen:
            yield seen[content], row
        seen[content] = row
    # By duration: in that order, whatever lasts as long lies in a window.
    order = np.argsort(known.durations, kind="stable")
    lengths = known.durations[order]
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        longest = float(lengths[min(start + _BLOCK, len(order)) - 1])
        past = np.searchsorted(lengths, longest + max(SECONDS, SHARE * longest * 1.02), "right")
        others = order[start:past]
        table = snapshot.means[rows] @ snapshot.means[others].T
        for i, j in np.argwhere(table >= RECORDED).tolist():
            if i < j and same_duration(known.durations[rows[i]], known.durations[others[j]]):
                yield int(rows[i]), int(others[j])
    titled: dict[str, list[int]] = {}
    for row in range(len(snapshot)):
        titled.setdefault(known.title(row), []).append(row)
    for title, some in titled.items():
        if title and len(some) > 1:
            for i, j in _alike(snapshot.means, some):
                yield some[i], some[j]


def _alike(means: Vectors, rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs among rows whose vectors are close."""
    own = means[list(rows)]
    for start in range(0, len(own), _BLOCK):
        table = own[start : start + _BLOCK] @ own.T
        for i, j in np.argwhere(table >= RECORDED).tolist():
            if start + i < j:
                yield start + i, j


def _candidates(
    row: int,
    snapshot: Snapshot,
    scores: Vectors,
    composed: Vectors | None,
) -> npt.NDArray[np.bool_]:
    """Rows worth a closer look, bool [N]."""
    worth = np.asarray(scores >= TITLED)
    if composed is not None:
        worth |= composed >= ARRANGED
    content = snapshot.contents[row]
    worth |= np.array([other == content for other in snapshot.contents])
    worth[row] = False
    return worth


def _composition(row: int, snapshot: Snapshot) -> Vectors | None:
    """Cosines of a row with all rows by the sense of composition, [N]; None without that sense."""
    own = snapshot.senses.get(COMPOSITION)
    if own is None:
        return None
    part = unit(snapshot.means[:, own])
    return np.asarray(part @ part[row])


def _verdict(
    row: int, other: int, known: Recordings, composed: Vectors | None
) -> tuple[str, str] | None:
    """Say why another row is a version of the same piece; None if it is not."""
    title = known.title(row)
    if title and title == known.title(other):
        return "version", f"the same title, {title!r}, and it sounds alike"
    if composed is not None and composed[other] >= ARRANGED:
        return "version", f"the same notes to the sense of composition ({composed[other]:.2f})"
    return None


def _why(rows: Sequence[int], known: Recordings) -> str:
    """Say why rows are one recording: two, or a group that is connected."""
    lasts = [float(known.durations[row]) for row in rows]
    if same_duration(min(lasts), max(lasts)):
        return f"vectors close, and {'both' if len(rows) == 2 else 'all'} {lasts[0]:.0f} s long"
    if len(rows) == 2:
        return f"vectors close, and the same title; {lasts[0]:.0f} and {lasts[1]:.0f} s long"
    titled = len({known.title(row) for row in rows}) == 1 and known.title(rows[0])
    shared = "the same title" if titled else "from one to the next the same duration or title"
    return f"vectors close, and {shared}; {min(lasts):.0f} to {max(lasts):.0f} s long"
