"""Groups of tracks -> names, from what their tags say more often than those of the rest.

Every track says a few words: its genres, artist, album, decade, and the folders it lies in. A word
speaks for a group by the log-likelihood ratio (Dunning 1993) of how often tracks in the group say it
and how often all others do: it grows with the difference and with the number of tracks, so neither a
word that everybody says nor one that a single track says becomes a name. A group takes its best word,
and a second one where that covers tracks the first does not. One that has none is named after the
track in its midst.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from soundalike.library.tracks import Track, clean, text_to_path

KINDS = ("genre", "artist", "album", "decade", "folder")
"""What a word can be; of two that say the same of the same tracks the earlier kind is taken."""

# Chi-squared with one degree of freedom passes this by chance in one case of a thousand.
LEAST_RATIO = 10.8
LEAST_TRACKS = 2
LEAST_SHARE = 0.15
WORDS = 2
# Two words said by much the same tracks are one, said twice: shared tracks / tracks of either.
SAME = 0.5
_SEPARATOR = re.compile(r"\s*[;/,\0]\s*|\s+/\s+")


@dataclass(frozen=True, slots=True)
class Word:
    """Something the tags of a group say more often than those of the others.

    Attributes:
        kind: one of `KINDS`.
        text: as it is written in most tracks.
        share: of the tracks of the group that say it, 0..1.
        elsewhere: of all other tracks, 0..1.
    """

    kind: str
    text: str
    share: float
    elsewhere: float


Said = list[frozenset[tuple[str, str]]]


def said_by(facts: pa.Table, roots: Sequence[str]) -> tuple[Said, dict[tuple[str, str], str]]:
    """List what each track says.

    Args:
        facts: of a snapshot, N rows.
        roots: texts of the folders that were indexed, which say nothing.

    Returns:
        The words of every row, each (kind, text in lower case), and how each is mostly written.
    """
    spellings: dict[tuple[str, str], Counter[str]] = {}
    rows: Said = []
    above = {part for root in roots for part in _folders(root)}
    columns = ("genre", "artist", "album_artist", "album", "year", "path")
    for row in facts.select(columns).to_pylist():
        words = [("genre", text) for text in _SEPARATOR.split(row["genre"])]
        words += [("artist", row["artist"] or row["album_artist"]), ("album", row["album"])]
        words += [("decade", f"{row['year'] // 10 * 10}s" if row["year"] else "")]
        folder = str(PurePath(text_to_path(row["path"])).parent)
        words += [("folder", clean(PurePath(part).name)) for part in _folders(folder) - above]
        own = {(kind, text.casefold()): text for kind, text in words if text}
        for word, text in own.items():
            spellings.setdefault(word, Counter())[text] += 1
        rows.append(frozenset(own))
    written = {word: found.most_common(1)[0][0] for word, found in spellings.items()}
    return rows, written


def words_of(
    labels: npt.NDArray[np.int64], said: Said, written: dict[tuple[str, str], str]
) -> list[list[Word]]:
    """Find the words of every group, best first, without those that repeat one before them.

    Args:
        labels: the group of each track, [N], all of 0..k-1.
        said, written: as `said_by` gives them.

    Returns:
        For each group up to `WORDS` + 2 words; none where no word passes the limits.
    """
    total: Counter[tuple[str, str]] = Counter(word for words in said for word in words)
    members = [np.flatnonzero(labels == group).tolist() for group in range(int(labels.max()) + 1)]
    return [_best(rows, said, total, written) for rows in members]


def names_of(words: Sequence[Sequence[Word]], centres: Sequence[Track]) -> list[str]:
    """Name groups, no two alike.

    Args:
        words: of each group, best first.
        centres: a track in the midst of each.

    Returns:
        Such as "Jazz, 1960s"; "like Artist - Title" for a group without words; "Jazz, like Title"
        where another group has the name already.
    """
    names: list[str] = []
    for own, centre in zip(words, centres, strict=True):
        texts = [word.text for word in own]
        tried = [", ".join(texts[:count]) for count in range(_enough(own), len(texts) + 1)]
        called = f"{centre.artist} - {centre.title}" if centre.artist else centre.title
        tried += [f"{tried[0]}, like {centre.title}" if texts else f"like {called}"]
        # Two groups may even lie around copies of one track.
        tried += [f"{tried[-1]} ({number})" for number in range(2, len(words) + 2)]
        names.append(next(name for name in tried if name and name not in names))
    return names


def log_likelihood(inside: int, size: int, outside: int, others: int) -> float:
    """Dunning's G2 of a word: `inside` of `size` tracks say it, `outside` of `others`.

    0 where the group says it no more often than the others do.
    """
    if not size or (others and inside / size <= outside / others) or not inside:
        return 0.0
    share = (inside + outside) / (size + others)
    parts = [(inside, share * size), (outside, share * others)]
    parts += [(size - inside, (1 - share) * size), (others - outside, (1 - share) * others)]
    return float(2 * sum(seen * np.log(seen / due) for seen, due in parts if seen))


def _best(
    rows: list[int],
    said: Said,
    total: Counter[tuple[str, str]],
    written: dict[tuple[str, str], str],
) -> list[Word]:
    speakers: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        for word in said[row]:
            speakers.setdefault(word, set()).add(row)
    size, others = len(rows), len(said) - len(rows)
    ranked = []
    for word, own in speakers.items():
        outside = total[word] - len(own)
        ratio = log_likelihood(len(own), size, outside, others)
        if len(own) >= LEAST_TRACKS and len(own) >= LEAST_SHARE * size and ratio >= LEAST_RATIO:
            ranked.append((-round(ratio, 6), KINDS.index(word[0]), word, outside))
    taken: list[tuple[str, str]] = []
    found = []
    for _, _, word, outside in sorted(ranked):
        own = speakers[word]
        if not any(_alike(own, speakers[other]) or word[1] == other[1] for other in taken):
            taken.append(word)
            share, elsewhere = len(own) / size, outside / others if others else 0.0
            found.append(Word(word[0], written[word], share, elsewhere))
    return found[: WORDS + 2]


def _enough(words: Sequence[Word]) -> int:
    """How many words make a name: a second one where the first is not said by most."""
    return min(len(words), 1 if words and words[0].share >= 0.8 else WORDS)


def _alike(one: set[int], other: set[int]) -> bool:
    return len(one & other) > SAME * len(one | other)


def _folders(path: str) -> set[str]:
    """A folder and all above it."""
    folder = PurePath(path)
    return {str(part) for part in (folder, *folder.parents)}
