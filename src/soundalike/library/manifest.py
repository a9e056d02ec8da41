"""`library.json`: what a library consists of. Read without Lance, replaced atomically, small.

    {"format": 4,
     "roots": ["/home/ann/Music"],                          folders that were indexed
     "filters": {"/home/ann/Music": {"exclude": ["*.wma"]}}, what each gives; see `choice.py`
     "removed": ["/home/ann/Music/jingle.mp3"],             tracks and folders to leave out
     "model": "ast-30s@3f2a91c04b7d",                       identity of the encoder that answers
     "tables": {"ast-30s@3f2a91c04b7d": {                   one table per encoder, never mixed
         "name": "tracks-ast-30s-3f2a91c04b7d", "source": "ast-30s",
         "segments": 3, "dimension": 832, "snapshot": "snapshot-5e1f0c22", "behind": false,
         "senses": {"sound": [0, 576], "composition": [576, 832]},
         "curves": {"both": {"mean": [0.01, 0.15, 0.34, 0.52], ...}, ...},
         "balanced": true,
         "indexed": "2026-11-25T13:00:00+00:00"}}}          end of the last indexing

`source` is what the encoder was asked for by: a shipped name or a folder. `snapshot` names the
folder with the table laid out for reading, `behind` says that the table has gone on since: an indexing
runs, or was cut short. `senses` are the columns of each sense of a joined model, first and past the
last; a single encoder has none. `balanced` says that the senses keep their weights in the mean of a
track's segments (see `aggregation`). `curves` are the encoder's calibration (see `similarity`). Paths
are texts of `path_to_text`.

Formats 1 (no senses), 2 (no curves, no filters, nothing removed, and not whether a snapshot is behind)
and 3 (means that are not balanced) are read all the same, and written anew as format 4; the next
indexing takes the means anew.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from soundalike.errors import LibraryError
from soundalike.library.choice import Choice, Filters
from soundalike.library.disk import explained, reason, write_atomically
from soundalike.library.similarity import Curves, checked_curves
from soundalike.library.tracks import text_to_path

FORMAT = 4
FILE_NAME = "library.json"


@dataclass(slots=True)
class TableEntry:
    """One table of tracks: its Lance name, where its encoder came from, its shape, its snapshot.

    `senses` are columns: name -> (first, past the last). `curves` are empty without a calibration.
    `indexed` is a time in ISO 8601, UTC.
    """

    name: str
    source: str
    segments: int
    dimension: int
    snapshot: str | None = None
    senses: dict[str, tuple[int, int]] = field(default_factory=dict)
    curves: Curves = field(default_factory=dict)
    behind: bool = False
    balanced: bool = True
    indexed: str | None = None

    @property
    def columns(self) -> dict[str, slice]:
        """The columns of each sense, in their order."""
        return {sense: slice(*ends) for sense, ends in self.senses.items()}


@dataclass(slots=True)
class Manifest:
    """The contents of `library.json`."""

    roots: list[str] = field(default_factory=list)
    model: str | None = None
    tables: dict[str, TableEntry] = field(default_factory=dict)
    filters: dict[str, Filters] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def choice(self) -> Choice:
        """Which files belong to the library."""
        filters = {_native(root): self.filters.get(root, Filters()) for root in self.roots}
        return Choice(filters, map(_native, self.removed))

    def write(self, folder: Path) -> None:
        """Replace `library.json` in the folder. Raises LibraryError; the old file then stays."""
        filters = {
            root: _told(own)
            for root, own in self.filters.items()
            if _told(own) and root in self.roots
        }
        document = {"format": FORMAT, **asdict(self), "filters": filters}
        text = json.dumps(document, indent=1)
        with explained(f"cannot write the library {folder}"):
            write_atomically(folder / FILE_NAME, text.encode())


def read_manifest(folder: Path) -> Manifest:
    """Read `library.json`; a folder that is empty or not there yet gives an empty manifest.

    Raises:
        LibraryError: a damaged file, one of a newer format, or a folder that holds other things.
    """
    try:
        text = (folder / FILE_NAME).read_bytes()
    except FileNotFoundError:
        _require_unused(folder)
        return Manifest()
    except OSError as error:
        raise LibraryError(f"cannot read the library {folder}: {reason(error)}") from error
    try:
        document = json.loads(text)
        version = document["format"]
        if not isinstance(version, int):
            raise TypeError("format is not a number")
        if version > FORMAT:
            raise LibraryError(
                f"the library {folder} has format {version}; this version of soundalike reads up "
                f"to {FORMAT}: upgrade soundalike, or index into another folder"
            )
        tables = {
            name: _entry({"balanced": version > 3, **fields})
            for name, fields in document["tables"].items()
        }
        manifest = Manifest(
            _texts(document["roots"]),
            document["model"],
            tables,
            {str(root): _filters(own) for root, own in document.get("filters", {}).items()},
            _texts(document.get("removed", [])),
        )
        if manifest.model is not None and manifest.model not in tables:
            raise KeyError(manifest.model)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LibraryError(
            f"{folder / FILE_NAME} is damaged ({error}); restore it from a copy, "
            "or move the folder away and index again"
        ) from error
    return manifest


def table_name(identity: str) -> str:
    """Name the table of an encoder: "ast-30s@3f2a91c04b7d" -> "tracks-ast-30s-3f2a91c04b7d"."""
    return "tracks-" + re.sub(r"[^A-Za-z0-9._-]", "-", identity)


def _entry(fields: dict[str, Any]) -> TableEntry:
    entry = TableEntry(**fields)
    for key in ("name", "source", "snapshot"):
        value = getattr(entry, key)
        if not isinstance(value, str) and (key, value) != ("snapshot", None):
            raise TypeError(f"{key} is {value!r}, not a text")
    for key in ("segments", "dimension"):
        value = getattr(entry, key)
        if type(value) is not int or value < 1:
            raise TypeError(f"{key} is {value!r}, not a whole number above 0")
    if type(entry.behind) is not bool or not isinstance(entry.indexed, str | None):
        raise TypeError(f"behind is {entry.behind!r}, indexed is {entry.indexed!r}")
    entry.curves = checked_curves(entry.curves)
    entry.senses = {sense: _ends(ends, entry.dimension) for sense, ends in entry.senses.items()}
    return entry


def _filters(fields: dict[str, Any]) -> Filters:
    patterns = {key: tuple(_texts(fields[key])) for key in ("include", "exclude") if key in fields}
    limits = {key: float(fields[key]) for key in fields if key not in patterns}
    return Filters(**patterns, **limits)  # type: ignore[arg-type]


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError(f"{value!r} is no list of texts")
    return value


def _told(filters: Filters) -> dict[str, Any]:
    """What filters say; what leaves nothing out is not worth a word, nor can JSON say infinity."""
    told = {"include": filters.include, "exclude": filters.exclude}
    limits = {"min_duration": filters.min_duration, "max_duration": filters.max_duration}
    return {key: value for key, value in (told | limits).items() if value and value != math.inf}


def _native(text: str) -> str:
    return str(text_to_path(text))


def _ends(ends: Sequence[int], dimension: int) -> tuple[int, int]:
    first, past = ends
    if not (type(first) is type(past) is int and 0 <= first < past <= dimension):
        raise ValueError(f"{ends} are no columns of {dimension}")
    return first, past


def _require_unused(folder: Path) -> None:
    # A music folder given in place of the library's would fill up with tables.
    with explained(f"cannot read the library {folder}"):
        if not folder.exists():
            return
        others = sorted(p.name for p in folder.iterdir() if not _ours(p.name))
    if others:
        raise LibraryError(
            f"{folder} is no library: it holds {others[0]!r} but no {FILE_NAME}; "
            "give a new or empty folder for the library"
        )


def _ours(name: str) -> bool:
    return name == "write.lock" or name.startswith((FILE_NAME, "."))
