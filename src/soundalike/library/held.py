"""What every part of `Library` stands on: the folder it is in, what is open of it, its tracks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from soundalike.errors import LibraryError, QueryError
from soundalike.library import queries
from soundalike.library.manifest import FILE_NAME
from soundalike.library.opened import Opened
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, path_to_text, text_to_path

if TYPE_CHECKING:
    from soundalike.embedder import Embedder


class Held:
    """A library one holds: where it is, which encoders made it, which tracks it has.

    Attributes:
        path: the folder of the library, absolute.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        embedder: Embedder | None = None,
        model: str | Path | None = None,
    ) -> None:
        """Open a library; a new one appears on disk with the first `index`.

        Without `embedder` and `model` the library keeps to the encoder that made it, and a new one
        takes the shipped default. An encoder is loaded when it is first needed.

        Args:
            path: the folder of the library (not of the music).
            embedder: the encoder to use.
            model: or its name, or the folder it is in.

        Raises:
            LibraryError: damaged, of a newer format, or a folder with other things in it.
        """
        if embedder is not None and model is not None:
            raise ValueError("give an embedder or the name of a model, not both")
        self.path = queries.absolute(path)
        if path_to_text(self.path) != str(self.path):
            raise LibraryError(
                f"the path {str(self.path)!r} is not UTF-8; a library needs one that is"
            )
        self._opened = Opened(self.path, embedder=embedder, model=model)

    def __repr__(self) -> str:
        """Say where it is and, if it was asked before, how many tracks it has; opens nothing."""
        count = self._opened.loaded
        tracks = "" if count is None else f", {count} tracks"
        return f"<Library {str(self.path)!r}{tracks}>"

    def __len__(self) -> int:
        """Count the tracks."""
        snapshot = self._opened.snapshot()
        return 0 if snapshot is None else len(snapshot)

    @property
    def model(self) -> str | None:
        """Identity of the encoder that answers; None before the first `index`."""
        return self._opened.identity()

    @property
    def models(self) -> list[str]:
        """Identities of all encoders whose vectors the library holds."""
        self._opened.refresh()
        return sorted(self._opened.manifest.tables)

    @property
    def senses(self) -> list[str]:
        """Senses one can ask by, apart from "both"; none if the encoder that answers is a single one."""
        snapshot = self._opened.snapshot()
        return [] if snapshot is None else list(snapshot.senses)

    @property
    def calibrated(self) -> bool:
        """Whether similarities mean how rare they are (`similarity`), or are cosines cut at 0."""
        snapshot = self._opened.snapshot()
        return snapshot is not None and snapshot.scale.calibrated

    @property
    def roots(self) -> list[Path]:
        """Folders that were indexed."""
        self._opened.refresh()
        return [text_to_path(root) for root in self._opened.manifest.roots]

    def tracks(self) -> list[Track]:
        """List all tracks by path."""
        snapshot = self._opened.snapshot()
        return [] if snapshot is None else snapshot.tracks()

    @property
    def revision(self) -> str:
        """A text that changes whenever the library may answer otherwise; "" before the first `index`."""
        return self._opened.revision()

    def by_id(self, track: str) -> Track | None:
        """Find a track by its id alone, for who must not reach files by path; None if there is none."""
        snapshot = self._opened.snapshot()
        row = None if snapshot is None else snapshot.row_of_id.get(track)
        return None if snapshot is None or row is None else snapshot.track(row)

    def __contains__(self, query: Track | Path | str) -> bool:
        """Tell whether the library has a track of this id or path."""
        snapshot = self._opened.snapshot()
        return snapshot is not None and queries.row_of(query, snapshot) is not None

    def track(self, query: str | Path) -> Track:
        """Find a track by id or path. Raises QueryError, with similar names if there are any."""
        snapshot = self._filled()
        row = queries.row_of(query, snapshot)
        if row is None:
            raise queries.unknown(query, snapshot)
        return snapshot.track(row)

    def _filled(self) -> Snapshot:
        snapshot = self._opened.snapshot()
        if not snapshot:
            raise nothing_in(self.path, self.roots)
        return snapshot


def is_library(folder: Path) -> bool:
    """Tell whether there is a library in a folder; an empty one is one."""
    return (folder / FILE_NAME).exists()


def require_library(folder: Path) -> None:
    """Raise a QueryError if there is no library in a folder."""
    if not is_library(folder):
        raise QueryError(
            f"there is no library in {folder}; name another place with --library, or make one: "
            "soundalike index FOLDER"
        )


def nothing_in(folder: Path, roots: Sequence[Path]) -> QueryError:
    """The error for a library with no tracks, if there is one; `roots` are its folders of music.

    Raises:
        QueryError: there is none.
    """
    require_library(folder)
    advice = (
        "soundalike index says why nothing of its folders is in it"
        if roots
        else "index a folder of music first (soundalike index FOLDER)"
    )
    return QueryError(f"the library {folder} is empty; {advice}")
