"""Going somewhere: paths, radios, mixes, and playlists in an order one can listen to.

`path_between` bears its longer name because `Library.path` is the folder. What a verb needs is imported
within it: most people who start the program only ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike.errors import QueryError
from soundalike.library import ranking, search
from soundalike.library.held import Held
from soundalike.library.selection import Selection, excluded_rows
from soundalike.library.tracks import Track, path_to_text

if TYPE_CHECKING:
    from soundalike.library.ground import Ground, Route
    from soundalike.library.material import LeftOut, Piece
    from soundalike.library.radio import Radio, RadioState


class Going(Held):
    """The verbs that go on from one track to another."""

    def path_between(
        self,
        start: Track | Path | str,
        end: Track | Path | str,
        n: int = 10,
        *,
        sense: str = ranking.BOTH,
        selection: Selection | None = None,
    ) -> Route:
        """Find a way from one track to another, in steps as even as may be.

        Args:
            start, end: tracks of the library, their ids or paths, or any other audio files. They
                come first and last, whatever the selection says.
            n: tracks in all, start and end included, from 2 to `path.MOST_TRACKS`.
            sense: what to hear by, see `similar`.
            selection: what may lie between; no limits on artists and albums unless set.

        Returns:
            n steps, or fewer when there are not as many tracks to choose from; no track and no
            recording twice.

        Raises:
            QueryError: an empty library, an unknown track, the same one twice, n out of range, or a
                selection that lets nothing through.
            ModelError: the encoder of the library is not at hand.
            AudioError: a file that cannot be used.
        """
        from soundalike.library import material
        from soundalike.library.path import find_path

        snapshot = self._filled()
        ranking.columns_of(sense, snapshot.senses)  # or else an error, before a file is listened to
        pieces = [material.single(name, snapshot, self._opened) for name in (start, end)]
        if len(_once(pieces)) == 1:
            pieces[1] = pieces[0]
        ground = self._ground(pieces, sense, selection)
        first, last = ground.place(pieces).tolist()
        return ground.route(find_path(ground, first, last, n))

    def radio(
        self,
        seeds: Track | Path | str | Iterable[Track | Path | str],
        *,
        drift: float = 0.0,
        seed: int = 0,
        artist_spacing: int = 0,
        repeat: bool = False,
        sense: str = ranking.BOTH,
        selection: Selection | None = None,
    ) -> Radio:
        """Play on from some tracks, for as long as the library lasts.

        The seeds themselves are not played. Of several files of one recording one is.

        Args:
            seeds: tracks, ids, files, folders or playlists.
            drift: 0 stays around the seeds, 1 goes on from whatever it played last.
            seed: of the random numbers; the same one in the same library gives the same radio.
            artist_spacing: tracks before the same artist comes again, where others are left.
            repeat: begin anew when everything was played, instead of ending.
            sense: what to hear by, see `similar`.
            selection: what may be played; limits on artists and albums do not apply.

        Returns:
            An iterator of steps with `like`, `dislike` and `state`, which `resume` goes on from.

        Raises:
            QueryError: an empty library, an unknown seed, a drift outside 0..1, a seed or spacing
                that is no whole number from 0 on, or a selection that lets nothing through.
            ModelError, AudioError: see `path_between`.
        """
        from soundalike.library import material
        from soundalike.library.radio import RadioState, check_state

        snapshot, selection = self._filled(), selection or Selection()
        ranking.columns_of(sense, snapshot.senses)
        if selection.max_per_artist or selection.max_per_album:
            raise QueryError("a radio has no end, so no limit per artist; set the artist spacing")
        rows = [row for each in selection.exclude for row in excluded_rows(each, snapshot)]
        state = RadioState(
            [],
            drift=drift,
            seed=seed,
            artist_spacing=artist_spacing,
            repeat=repeat,
            sense=sense,
            filter=selection.filter,
            exclude=[snapshot.ids[row] for row in rows],
            keep_versions=selection.keep_versions,
        )
        check_state(state)
        pieces, left_out = material.gather(_several(seeds), snapshot, self._opened)
        state.seeds = [
            piece.track.id if piece.row is not None else path_to_text(piece.track.path)
            for piece in _once(pieces)
        ]
        return self._tuned(state, _once(pieces), left_out)

    def resume(self, state: RadioState | Mapping[str, Any]) -> Radio:
        """Go on with a radio from the state it was in.

        Args:
            state: `radio.state`, or what JSON made of its `asdict`.

        Raises:
            QueryError: no such state, or a seed that is gone.
        """
        from soundalike.library import material
        from soundalike.library.radio import RadioState, state_from

        if not isinstance(state, RadioState | Mapping):
            raise QueryError(f"{state!r} is no state of a radio; give radio.state or its asdict")
        values = asdict(state) if isinstance(state, RadioState) else dict(state)
        taken, snapshot = state_from(values), self._filled()
        names = [material.name_of(text, snapshot) for text in taken.seeds]
        pieces, left_out = material.gather(names, snapshot, self._opened)
        return self._tuned(taken, pieces, left_out)

    def mix(
        self,
        music: Track | Path | str | Iterable[Track | Path | str],
        n: int = 30,
        *,
        only_new: bool = False,
        sense: str = ranking.BOTH,
        selection: Selection | None = None,
    ) -> Route:
        """Make a playlist that covers the breadth of some music, ordered so that neighbors sound alike.

        Args:
            music: folders, playlists, tracks, ids or files.
            n: tracks wanted, at least 1.
            only_new: take none of that music. Else tracks that stand for it are a third of the mix,
                where there are so many, and others of it may be among the rest, up to all.
            sense: what to hear by, see `similar`.
            selection: what may be taken; no limits on artists and albums unless set.

        Returns:
            n steps, or fewer where the library has no more; and what could not be used.

        Raises:
            QueryError: an empty library, something unknown, n below 1, or a selection that lets
                nothing through.
            ModelError, AudioError: see `path_between`.
        """
        from soundalike.library import material, order

        search.check_count(n)
        snapshot = self._filled()
        ranking.columns_of(sense, snapshot.senses)
        pieces, left_out = material.gather(_several(music), snapshot, self._opened)
        pieces = _once(pieces)
        ground = self._ground(pieces, sense, selection)
        points = order.spread(ground, ground.place(pieces), int(n), only_new=only_new)
        return ground.route(points, left_out=left_out)

    def sort(
        self,
        music: Track | Path | str | Iterable[Track | Path | str],
        *,
        start: Track | Path | str | None = None,
        end: Track | Path | str | None = None,
        sense: str = ranking.BOTH,
    ) -> Route:
        """Bring a playlist into an order in which neighbors sound alike.

        Every entry is kept, also one that comes twice, and files outside the library.

        Args:
            music: a playlist, or folders, tracks, ids, files.
            start, end: one of them that must come first, and last.
            sense: what to hear by, see `similar`.

        Returns:
            The order; `left_out` has the entries that cannot be heard, in theirs.

        Raises:
            QueryError: an empty library, something unknown, too many entries, or a start or end that
                is not among them.
            ModelError, AudioError: see `path_between`.
        """
        from soundalike.library import material, order

        snapshot = self._filled()
        ranking.columns_of(sense, snapshot.senses)
        pieces, left_out = material.gather(_several(music), snapshot, self._opened)
        ground = self._ground(pieces, sense, None)
        points = ground.place(pieces)
        fixed = [None if name is None else self._among(name, pieces) for name in (start, end)]
        ordered = order.shortest_order(
            ground.vectors(points), start=fixed[0], end=fixed[1], copies=points.tolist()
        )
        return ground.route(points[ordered].tolist(), left_out=left_out)

    def _ground(self, pieces: Sequence[Piece], sense: str, selection: Selection | None) -> Ground:
        from soundalike.library.ground import Ground

        outside = dict.fromkeys(piece for piece in pieces if piece.row is None)
        return Ground(self._filled(), selection or Selection(), sense, tuple(outside))

    def _tuned(
        self, state: RadioState, pieces: Sequence[Piece], left_out: Sequence[LeftOut]
    ) -> Radio:
        from soundalike.library.radio import Radio

        selection = Selection(
            filter=state.filter, exclude=state.exclude, keep_versions=state.keep_versions
        )
        ground = self._ground(pieces, state.sense, selection)
        return Radio(state, ground, ground.place(pieces), left_out=left_out)

    def _among(self, name: Track | Path | str, pieces: Sequence[Piece]) -> int:
        """The number of a piece by its name. Raises QueryError."""
        from soundalike.library import material

        wanted = material.single(name, self._filled(), self._opened)
        for number, piece in enumerate(pieces):
            if (piece.row, piece.track.path) == (wanted.row, wanted.track.path):
                return number
        raise QueryError(f"{wanted.track.title!r} is not among the tracks to sort")


def _several(
    names: Track | Path | str | Iterable[Track | Path | str],
) -> list[Track | Path | str]:
    if isinstance(names, Track | Path | str) or not isinstance(names, Iterable):
        return [names]
    return list(names)


def _once(pieces: Sequence[Piece]) -> list[Piece]:
    """Each piece once."""
    return list(
        {
            piece.row if piece.row is not None else piece.track.path: piece for piece in pieces
        }.values()
    )
