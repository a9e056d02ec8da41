"""Asking: what sounds like this?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from soundalike.errors import QueryError
from soundalike.library import queries, ranking, search, versions
from soundalike.library.aggregation import Vectors, check_aggregation
from soundalike.library.answers import Answers
from soundalike.library.held import Held
from soundalike.library.queries import Heard, Seed
from soundalike.library.ranking import Query, Question
from soundalike.library.search import Neighbor
from soundalike.library.selection import Chooser, Selection
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, text_to_path
from soundalike.library.versions import Duplicates, Version

if TYPE_CHECKING:
    from soundalike.audio.listening import Ear, Sound

Asked: TypeAlias = Track | Path | str | Vectors | Heard
"""A track, its id or path, any audio file, a playlist (.m3u8, .m3u), vectors [D] or [S, D], or a file that
was listened to."""

Excerpt: TypeAlias = tuple[float | None, float | None]
WHOLE: Excerpt = (None, None)
# Of an artist with more tracks, so many evenly spread ones are asked with; more say nothing new.
MOST_SEEDS = 100


class Asking(Held):
    """The verbs that ask."""

    def similar(
        self,
        query: Asked | Sequence[Asked],
        *,
        n: int = 10,
        dislike: Sequence[Asked] = (),
        selection: Selection | None = None,
        excerpt: Excerpt = WHOLE,
        aggregation: str = "mean",
        sense: str = ranking.BOTH,
    ) -> Answers[Neighbor]:
        """Find the tracks that sound most like a query.

        Args:
            query: a track of the library, its id or its path, whose stored vectors are taken; any
                other audio file, embedded now; the tracks of a playlist; vectors of the library's
                encoder, [D] or [S, D]; or a list of any of these, which answers are to be like on
                average.
            n: answers wanted, at least 1; there are fewer when fewer may answer.
            dislike: the same, of which answers are not to be like any.
            selection: what may answer; None for `Selection()`, which shows one file of a recording
                and few tracks of an artist or album. `selection.RAW` ranks by similarity alone.
            excerpt: compare this stretch of the query only: start and end in seconds, None for
                those of the file. It belongs to a single file.
            aggregation: how segments make a similarity, one of `aggregation.AGGREGATIONS`.
            sense: compare by one sense of a joined model alone, such as "composition" (`senses`
                lists them); "both" weighs all of them together, and lifts what the sense of composition
                recognises as the same piece.

        Returns:
            Neighbors by descending similarity, equal ones by path; `note` says what was left out.

        Raises:
            QueryError: an empty library, an unknown track, n below 1, no such aggregation or
                sense, or a selection that lets nothing answer.
            ModelError: the library holds no vectors of the encoder asked with.
            AudioError: the file cannot be used.
        """
        search.check_count(n)
        check_aggregation(aggregation)
        snapshot, selection = self._filled(), selection or Selection()
        ranking.columns_of(sense, snapshot.senses)  # or else an error, before a file is listened to
        liked, missing = self._seeds(query, snapshot, excerpt)
        none = isinstance(dislike, Sized) and not len(dislike)
        disliked, missing_too = ([], []) if none else self._seeds(dislike, snapshot, WHOLE)
        _require_two_sides(liked, disliked)
        chooser = Chooser(selection, liked, snapshot, n=n)
        question = Question(
            tuple(_asked(seed, selection) for seed in liked),
            disliked=tuple(seed.query for seed in disliked),
            aggregation=aggregation,
            sense=sense,
            allowed=chooser.allowed,
        )
        wanted = max(1, min(n, chooser.most))
        table = self._opened.table() if snapshot.segments is None else None
        found = search.neighbors(question, snapshot, n=wanted, table=table, choice=chooser)
        note = _note(found, n, chooser, [*missing, *missing_too])
        return Answers(found, note=note, seeds=[seed.track for seed in liked])

    def find(
        self, text: str = "", *, n: int = 20, artist: str = "", album: str = ""
    ) -> Answers[Track]:
        """Find tracks by words in their title, artist, album or path.

        Args:
            text: words, all of which must occur; case and accents do not count. When no track has
                them all, those that come nearest are returned, and `note` says so.
            n: tracks wanted, at least 1.
            artist, album: instead of a text, all tracks of exactly this artist or album, by path.

        Raises:
            QueryError: an empty library, no words, n below 1, or no such artist or album.
        """
        from soundalike.library import find

        search.check_count(n)
        snapshot = self._filled()
        if bool(text.strip()) + bool(artist) + bool(album) > 1:
            raise QueryError("look for a text, an artist or an album, one at a time")
        if artist or album:
            what = "artist" if artist else "album"
            rows, note = find.named(what, artist or album, snapshot), ""
            return Answers(map(snapshot.track, rows))
        rows, note = find.find(text, snapshot)[:n], ""
        if not rows:
            rows = find.near(text, snapshot, n)
            note = f"no track has all of {text!r}" + ("; these come nearest" if rows else "")
        return Answers(map(snapshot.track, rows), note=note)

    def browse(
        self,
        *,
        artist: str = "",
        album: str = "",
        filter: str = "",  # noqa: A002 - as in a Selection
        start: int = 0,
        count: int | None = None,
    ) -> tuple[list[Track], int]:
        """List tracks by path, a page at a time.

        Args:
            artist, album: only those of exactly this artist, this album; "" for all.
            filter: only those it lets through; "" for all.
            start: tracks to pass over, from 0.
            count: tracks wanted, at most; None for all the rest.

        Returns:
            The tracks of the page, and how many there are on all pages together.

        Raises:
            QueryError: no such artist or album, or a filter with a mistake.
        """
        from soundalike.library import find

        snapshot = self._opened.snapshot()
        if not snapshot:
            return [], 0
        mask = np.ones(len(snapshot), bool)
        for what, name in (("artist", artist), ("album", album)):
            if name:
                mask &= np.isin(np.arange(len(mask)), find.named(what, name, snapshot))
        if filter:
            from soundalike.library.filters import matching

            mask &= matching(filter, snapshot.facts)
        rows = np.flatnonzero(mask)
        stop = None if count is None else start + count
        if len(rows) == len(mask):
            return snapshot.tracks(start, count), len(rows)
        return [snapshot.track(row) for row in rows[start:stop].tolist()], len(rows)

    def heard(self, sound: Sound, content: str) -> Heard:
        """Encode what `audio.listening` heard of a file, to ask `similar` with it.

        Args:
            sound: heard with the `ear` of this library.
            content: hash of the file, by `scan.content_hash`.

        Raises:
            ModelError: the encoder of the library is not at hand.
            AudioError: it fails on this sound.
        """
        return Heard(self._opened.reading_embedder().embed_sound(sound), content)

    @property
    def ear(self) -> Ear:
        """How the encoder of the library listens. Raises ModelError if it is not at hand."""
        self._filled()
        return self._opened.reading_embedder().ear

    def versions(self, query: str | Path | Track) -> list[Version]:
        """Find other files of a track's recording, and other versions of its piece.

        Nothing is deleted: these are places to look at.

        Args:
            query: a track of the library, its id or its path.

        Returns:
            Exact copies, then the same recording, then other versions; each with the reason.

        Raises:
            QueryError: an empty library or an unknown track.
        """
        snapshot = self._filled()
        row = queries.row_of(query, snapshot)
        if row is None:
            raise queries.unknown(query, snapshot)
        return versions.versions_of(row, snapshot)

    def duplicates(self) -> list[Duplicates]:
        """Find all groups of tracks that are copies of a file, or one recording in several files.

        Raises:
            QueryError: an empty library.
        """
        return versions.duplicates(self._filled())

    def _seeds(
        self,
        query: Asked | Sequence[Asked],
        snapshot: Snapshot,
        excerpt: Excerpt,
    ) -> tuple[list[Seed], list[str]]:
        """Vectors and facts of everything asked with; and what a playlist names in vain."""
        single = isinstance(query, Track | Path | str | np.ndarray | Heard)
        several = isinstance(query, Iterable) and not single
        given: list[Asked] = list(query) if several else [query]  # type: ignore[list-item,arg-type]
        asked, missing = [], []
        for each in given:
            if isinstance(each, Path | str) and queries.is_playlist(each):
                found, lost = _listed(each, snapshot)
                asked += found
                missing += lost
            else:
                asked.append(each)
        if not asked:
            raise QueryError("there is nothing to ask with; give at least one track or file")
        if excerpt != WHOLE and (len(asked) > 1 or asked != given):
            raise QueryError("an excerpt belongs to one file; ask with that file alone")
        rows = [
            None if isinstance(e, np.ndarray | Heard) else queries.row_of(e, snapshot)
            for e in asked
        ]
        once = [i for i, row in enumerate(rows) if row is None or rows.index(row) == i]
        once = once[:: max(1, -(-len(once) // MOST_SEEDS))]
        seeds = [self._seed(asked[i], snapshot, excerpt) for i in once]
        # Also those that are not asked with, being too many, are part of the question.
        own = seeds[0].query.left_out | {row for row in rows if row is not None}
        seeds[0] = replace(seeds[0], query=replace(seeds[0].query, left_out=own))
        return seeds, missing

    def _seed(self, query: Asked, snapshot: Snapshot, excerpt: Excerpt) -> Seed:
        start, end = excerpt
        whole = excerpt == WHOLE
        if isinstance(query, np.ndarray):
            if not whole:
                raise QueryError("an excerpt belongs to a file; vectors have no times")
            return queries.of_vectors(query, self._opened.dimension())
        if isinstance(query, Heard):
            if not whole:
                raise QueryError("an excerpt is taken while a file is listened to")
            return queries.of_heard(query, snapshot)
        row = queries.row_of(query, snapshot)
        if row is not None and whole:
            return queries.of_row(row, snapshot, opened=self._opened)
        path = queries.absolute(query) if not isinstance(query, Track) else query.path
        if row is not None:
            path = text_to_path(snapshot.paths[row])
        elif isinstance(query, Track) or query == "" or not path.exists():
            raise queries.unknown(query, snapshot)
        return queries.of_file(path, snapshot, opened=self._opened, start=start, end=end)


def _listed(playlist: Path | str, snapshot: Snapshot) -> tuple[list[Asked], list[str]]:
    """What a playlist names: tracks, and files outside the library; and the entries that are lost."""
    from soundalike.library import playlists

    asked: list[Asked] = []
    missing = []
    for each in playlists.resolve(playlists.read_m3u8(playlist), snapshot):
        if each.row is not None:
            asked.append(snapshot.ids[each.row])
        elif each.entry.path is not None and not each.entry.problem:
            asked.append(each.entry.path)
        else:
            missing.append(f"{each.entry.text} ({each.entry.problem})")
    if not asked:
        first = f"; the first of {len(missing)} missing: {missing[0]}" if missing else ""
        raise QueryError(f"the playlist {str(playlist)!r} names nothing to ask with{first}")
    return asked, missing


def _asked(seed: Seed, selection: Selection) -> Query:
    if not selection.include_self:
        return seed.query
    return Query(seed.query.vectors, seed.query.segments)


def _require_two_sides(liked: Sequence[Seed], disliked: Sequence[Seed]) -> None:
    """Raise a QueryError for a track that is liked and disliked."""
    both = {seed.row for seed in liked} & {seed.row for seed in disliked} - {None}
    for seed in disliked:
        if seed.row in both and seed.track is not None:
            raise QueryError(f"{seed.track.title!r} is both liked and disliked")


def _note(found: Sequence[Neighbor], n: int, chooser: Chooser, missing: Sequence[str]) -> str:
    """What is not among the answers, in a sentence or two."""
    notes = []
    if missing:
        entries = "1 entry" if len(missing) == 1 else f"{len(missing)} entries"
        notes.append(f"{entries} of playlists could not be asked with, such as {missing[0]}")
    if chooser.again:
        files = "1 other file" if chooser.again == 1 else f"{chooser.again} other files"
        notes.append(f"{files} of the recordings asked about or excluded left out")
    if chooser.passed:
        better = "a better answer" if chooser.passed == 1 else f"{chooser.passed} better answers"
        notes.append(f"{better} beyond the limits for an artist and an album left out")
    if len(found) < n:
        why = chooser.scarcity()
        if not found:
            notes.append(f"nothing is found: {why or 'the library has no other track'}")
        elif why:
            answers = "1 answer" if len(found) == 1 else f"{len(found)} answers"
            notes.append(f"{answers} instead of {n}: {why}")
    return "; ".join(notes)
