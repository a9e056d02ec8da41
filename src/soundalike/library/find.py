"""Words -> tracks that have them in title, artist, album or path.

Case, accents and order do not count; every word must occur, be it within another one ("train" finds
"Blue Trains"). Where no track has all of them, the ones that come nearest are offered: words the
library does not know are replaced by those spelled like them, and tracks with most of the words
come first.

Texts are laid side by side once per snapshot and scanned whole by pyarrow: some 25 ms for 100,000
tracks, less for what else is asked of those that are left, without an index that would have to be
kept (docs/decisions.md).
"""

from __future__ import annotations

import difflib
import re
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundalike.errors import QueryError
from soundalike.library.folding import NEAR, folded, meant
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import text_to_path, title_of

# Who asks for a single letter gets so many of its tracks.
RANKED = 5000
# difflib's ratio from which a word counts as spelled like another: "coltrain", "coltrane".
ALIKE = 0.7
_SEPARATOR = "\n"  # in no tag, and in no word that is looked for
_TEXTS: weakref.WeakKeyDictionary[Snapshot, Any] = weakref.WeakKeyDictionary()


def find(text: str, snapshot: Snapshot) -> list[int]:
    """Find the rows that have all words of a text, best first.

    First come tracks of exactly that title, then those whose artist and title are the words, titles
    that begin so, titles with all words, and the rest; shorter titles before longer ones.

    Raises:
        QueryError: no words.
    """
    words = _words(text)
    texts = _texts(snapshot)
    rows = np.arange(len(snapshot))
    for word in sorted(words, key=len, reverse=True):  # the rarest first, most likely
        found = _having(word, texts)
        rows, texts = rows[found], texts.filter(pa.array(found))
    return _ordered(rows.tolist(), " ".join(words), words, snapshot)


def near(text: str, snapshot: Snapshot, n: int) -> list[int]:
    """Find up to n rows that come nearest to a text which none has whole, best first.

    Raises:
        QueryError: no words.
    """
    words = _words(text)
    hits = np.zeros(len(snapshot), np.int64)
    spelled = []
    for word in words:
        found = _having(word, _texts(snapshot))
        forms = [word] if found.any() else _spelled_like(word, snapshot)
        for form in forms:
            found |= _having(form, _texts(snapshot))
        spelled += forms
        hits += found
    most = int(hits.max(initial=0))
    # One word of many says little: "the long and winding road" is not every track with an "and".
    if most < max(1, len(words) // 2):
        return []
    rows = np.flatnonzero(hits == most).tolist()
    return _ordered(rows, " ".join(spelled), spelled, snapshot)[:n]


def fitting(name: str, snapshot: Snapshot) -> list[int]:
    """Find the rows that have all words of a name, which may have none; best first."""
    words = _words_of_name(name)
    return find(words, snapshot) if words else []


def near_names(name: str, snapshot: Snapshot) -> list[str]:
    """Names of files whose tracks have the words of a name, or words spelled like them."""
    words = _words_of_name(name)
    if not words:
        return []
    rows = find(words, snapshot)[:NEAR] or near(words, snapshot, NEAR)
    return [repr(text_to_path(snapshot.paths[row]).name) for row in rows]


def named(what: str, name: str, snapshot: Snapshot) -> list[int]:
    """Find the rows of an artist (also an album artist) or an album, by path.

    Args:
        what: "artist" or "album".
        name: whole; case and accents do not count.
        snapshot: the library.

    Raises:
        QueryError: there is none, with the names that come near.
    """
    wanted = folded(name)
    found = np.zeros(len(snapshot), bool)
    names: dict[str, str] = {}
    for column in ("artist", "album_artist") if what == "artist" else ("album",):
        encoded = snapshot.facts[column].combine_chunks().dictionary_encode()
        spellings = encoded.dictionary.to_pylist()
        keys = [folded(spelling) for spelling in spellings]
        names.update((key, spelling) for key, spelling in zip(keys, spellings, strict=True) if key)
        same = [number for number, key in enumerate(keys) if key and key == wanted]
        found |= np.isin(encoded.indices.to_numpy(zero_copy_only=False), same)
    if not found.any():
        hint = meant(wanted, names)
        raise QueryError(f"no track of the library has the {what} {name!r}{hint}")
    return np.flatnonzero(found).tolist()


def _words_of_name(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip()


def _words(text: str) -> list[str]:
    """The words to look for. Raises QueryError."""
    words = _split(text)
    if not words:
        raise QueryError("there are no words to look for; name a title, an artist or an album")
    return words


def _split(text: str) -> list[str]:
    """The words of a text, folded; signs between words are none, unless there is nothing else."""
    parts = folded(text).split()
    return [part for part in parts if any(map(str.isalnum, part))] or parts


def _having(word: str, texts: Any) -> npt.NDArray[np.bool_]:
    # Characters that UTF-8 does not have are in no text either.
    if word.encode(errors="replace").decode() != word:
        return np.zeros(len(texts), bool)
    found = pc.match_substring(texts, word)
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _texts(snapshot: Snapshot) -> Any:
    """Title, artist, album and path of every row as one folded text, [N]."""
    if snapshot not in _TEXTS:
        names = ("title", "artist", "album", "path")
        columns = [snapshot.facts[name].combine_chunks() for name in names]
        texts = pc.utf8_lower(pc.binary_join_element_wise(*columns, _SEPARATOR))
        other = pc.invert(pc.string_is_ascii(texts))
        if pc.any(other).as_py():
            lines = [text.split(_SEPARATOR) for text in texts.filter(other).to_pylist()]
            apart = [_SEPARATOR.join(map(folded, line)) for line in lines]
            texts = pc.replace_with_mask(texts, other, pa.array(apart, pa.string()))
        _TEXTS[snapshot] = texts
    return _TEXTS[snapshot]


def _ordered(
    rows: Sequence[int], whole: str, words: Sequence[str], snapshot: Snapshot
) -> list[int]:
    """Rows by how well title, artist and album fit, equal ones by path."""
    some = _few(rows, whole, snapshot)
    columns = snapshot.facts.select(["title", "artist", "album", "path"])
    facts = columns.take(pa.array(some, pa.int64()))
    ranks = []
    for row, fact in zip(some, facts.to_pylist(), strict=True):
        title = folded(fact["title"] or title_of(text_to_path(fact["path"])))
        artist, album = folded(fact["artist"]), folded(fact["album"])
        ranks.append((_rank(whole, words, title, artist, album), len(title), row))
    return [row for *_, row in sorted(ranks)]


def _few(rows: Sequence[int], whole: str, snapshot: Snapshot) -> Sequence[int]:
    """Those of too many rows to look at one by one whose titles begin so, then the first others."""
    if len(rows) <= RANKED:
        return rows
    titles = pc.utf8_lower(snapshot.facts["title"].combine_chunks().take(pa.array(rows)))
    begins = pc.starts_with(titles, whole).to_numpy(zero_copy_only=False)
    exact = pc.equal(titles, whole).to_numpy(zero_copy_only=False)
    order = np.argsort(~begins * 1 - exact, kind="stable")
    return [rows[place] for place in order[:RANKED].tolist()]


def _rank(whole: str, words: Sequence[str], title: str, artist: str, album: str) -> int:
    if title == whole:
        return 0
    if sorted(words) == sorted(_split(f"{artist} {title}")):
        return 1
    if title.startswith(whole):
        return 2
    for rank, text in enumerate((title, f"{artist} {title}", f"{artist} {title} {album}"), start=3):
        if all(word in text for word in words):
            return rank
    return 6


def _spelled_like(word: str, snapshot: Snapshot) -> list[str]:
    """Words of the library spelled like one it does not have."""
    pairs = [word[i : i + 2] for i in range(len(word) - 1)] or [word]
    known = [
        other
        for other in _vocabulary(snapshot)
        # difflib is slow; what shares hardly any pair of letters it would not find alike.
        if abs(len(other) - len(word)) <= 2
        and 3 * sum(pair in other for pair in pairs) >= len(pairs)
    ]
    return difflib.get_close_matches(word, sorted(known), n=NEAR, cutoff=ALIKE)


def _vocabulary(snapshot: Snapshot) -> set[str]:
    """All words of titles, artists, albums and file names."""
    texts: Iterable[str] = _texts(snapshot).to_pylist()
    fields = (text.split(_SEPARATOR, 3) for text in texts)
    lines = (f"{t} {artist} {album} {path.rpartition('/')[2]}" for t, artist, album, path in fields)
    return set(re.findall(r"[^\W_]+", " ".join(lines)))
