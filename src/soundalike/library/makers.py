"""Which artist and which album each track of a library is of.

Case and outer space do not count. An album is its title and who made it; without a name for that, the
folder it lies in. Whom a file does not name is nobody. Imported when all rows are wanted: pyarrow.compute
takes a tenth of a cold start. `selection` makes the same
distinctions row by row.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundalike.library.queries import Seed
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import path_to_text


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Artists or albums of a library.

    Attributes:
        keys: what artist or album each row is of, [N]; null where the file does not say.
        members: the same by number, int64 [N]; -1 for null.
        what: "artist" or "album".
    """

    keys: Any
    members: npt.NDArray[np.int64]
    what: str

    def of(self, seed: Seed) -> int:
        """The group of a seed; -1 if it has none here."""
        if seed.row is not None:
            return int(self.members[seed.row])
        if seed.track is None:
            return -1
        columns = {
            name: [getattr(seed.track, name)] for name in ("artist", "album", "album_artist")
        }
        own = _keys(pa.table({**columns, "path": [path_to_text(seed.track.path)]}), self.what)[0]
        row = pc.index(self.keys, own).as_py() if own.is_valid else -1
        return -1 if row < 0 else int(self.members[row])


_KNOWN: weakref.WeakKeyDictionary[Snapshot, dict[str, Groups]] = weakref.WeakKeyDictionary()


def groups(snapshot: Snapshot, what: str) -> Groups:
    """The artists or albums of all rows, made once per snapshot."""
    known = _KNOWN.setdefault(snapshot, {})
    if what not in known:
        keys = _keys(snapshot.facts, what)
        numbers = pc.fill_null(keys.dictionary_encode().indices, -1)
        members = numbers.to_numpy(zero_copy_only=False).astype(np.int64)
        known[what] = Groups(keys, members, what)
    return known[what]


def _keys(facts: pa.Table, what: str) -> Any:
    """What artist or album a track is of, as text [N]; null where the file does not say.

    An album is its title and who made it; without a name for that, the folder it lies in.
    """
    artist = _name(facts, "artist")
    if what == "artist":
        return artist
    maker = pc.coalesce(_name(facts, "album_artist"), artist)
    nobody = pc.is_null(maker)
    if pc.any(nobody).as_py():
        paths = facts["path"].combine_chunks().filter(nobody)
        folders = pc.list_element(pc.split_pattern(paths, "/", max_splits=1, reverse=True), 0)
        maker = pc.replace_with_mask(maker, nobody, folders)
    return pc.binary_join_element_wise(_name(facts, "album"), maker, "\n")


def _name(facts: pa.Table, column: str) -> Any:
    """A column in lower case, null for ""; each name is worked on once."""
    encoded = facts[column].combine_chunks().dictionary_encode()
    names = pc.utf8_lower(pc.utf8_trim_whitespace(encoded.dictionary))
    return pc.if_else(pc.equal(names, ""), pa.scalar(None, pa.string()), names).take(
        encoded.indices
    )


def possible(members: npt.NDArray[np.int64], most: int) -> int:
    """How many of rows, by their groups, there are at most when each group has at most `most`."""
    counts = np.bincount(members[members >= 0])
    return int(np.minimum(counts, most).sum() + (members < 0).sum())
