"""Scores with their performances -> the pieces asked about, and those among which they hide.

    read_pieces(pieces.csv)       Piece: a score and its performances
    choose(pieces, "validation")  of one half of the pieces: those asked about, and the others

A list of pieces has a row per file: `path` (relative to the list), `use`, `piece` (the same for all
versions of one piece), `role` ("score", or "performance" and whose) and, if known, `composer`.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soundalike.errors import QueryError
from soundalike.library.disk import reason

USE = "evaluation only"
"""Rows that nothing here was trained on."""

SPLITS = ("validation", "test")

_REPEATS = re.compile(r"_(no_)?(\d+_)?repeats?$")
"""ASAP's mark of a score with other repeats than its twin; both begin with the same music."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of music.

    Attributes:
        name: unique; movements of a sonata are pieces of their own.
        composer: "" where unknown.
        score: MIDI or MusicXML.
        performances: MIDI of people playing it, in the order of the list.
    """

    name: str
    composer: str
    score: Path
    performances: tuple[Path, ...] = ()


def read_pieces(pieces: Path, *, use: str = USE) -> list[Piece]:
    """Read the pieces of a CSV that may be used for `use`, in its order; each has a score.

    Twins, one score with and one without repeats, are one piece: the one that more people play.

    Raises:
        QueryError: missing file or columns, or no score for that use.
    """
    scores: dict[str, tuple[str, Path]] = {}
    performances: dict[str, list[Path]] = {}
    try:
        with pieces.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                name, role, path = row["piece"], row["role"], pieces.parent / row["path"]
                if row["use"] != use:
                    continue
                if role == "score":
                    scores.setdefault(name, (row.get("composer") or "", path))
                elif role.startswith("performance"):
                    performances.setdefault(name, []).append(path)
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        why = f"it has no column {error}" if isinstance(error, KeyError) else reason(error)
        raise QueryError(f"{pieces} is not a list of pieces: {why}") from None
    if not scores:
        raise QueryError(f'{pieces} has no score whose use is "{use}"')
    found: dict[str, Piece] = {}
    for name, (composer, path) in scores.items():
        piece = Piece(name, composer, path, tuple(performances.get(name, ())))
        twin = found.get(_work(name))
        if twin is None or len(piece.performances) > len(twin.performances):
            found[_work(name)] = piece
    return list(found.values())


def choose(
    pieces: Sequence[Piece], split: str, *, seed: int = 0, limit: int = 60
) -> tuple[list[Piece], list[Piece]]:
    """Choose up to `limit` pieces of a split, composers in turn; returns them and the split's others.

    A piece is of the validation or the test half by a hash of its name, whatever else is in the
    list. Nothing of the other half is in either answer, so what is chosen by validation has not
    met the test half, not even as a distractor.

    Raises:
        QueryError: no such split, nothing in it, or a limit below 1.
    """
    if split not in SPLITS:
        raise QueryError(f'there is no split "{split}" of pieces; it is {" or ".join(SPLITS)}')
    if limit < 1:
        raise QueryError(f"limit={limit} pieces are nothing to ask about; it is at least 1")
    half = [piece for piece in pieces if split_of(piece) == split]
    if not half:
        raise QueryError(f'of {len(pieces)} pieces none is in the split "{split}"')
    # A hash, not a generator: one more piece in the list moves no other one's place.
    half.sort(key=lambda piece: _hash(f"{seed}|{piece.name}"))
    by_composer: dict[str, deque[Piece]] = {}
    for piece in half:
        by_composer.setdefault(piece.composer, deque()).append(piece)
    ordered: list[Piece] = []
    while len(ordered) < len(half):
        ordered += [queue.popleft() for queue in by_composer.values() if queue]
    return ordered[:limit], ordered[limit:]


def split_of(piece: Piece) -> str:
    """Tell whether a piece is of the "validation" or of the "test" half; twins are of the same."""
    return SPLITS[_hash(_work(piece.name)) % 2]


def _work(name: str) -> str:
    return _REPEATS.sub("", name)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
