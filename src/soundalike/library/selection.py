"""What may answer, and which of the answers are shown.

    selection, seeds, snapshot  ->  Chooser: `allowed` for the question, itself the choice of the search

Left to themselves, the nearest tracks of a song are often the song again (on the best-of, as a
remaster) and then the rest of its album. So, unless told otherwise,

- of several files of one recording the best answers, and says which it stands for. Files are one
  recording by `versions`, never by vectors alone;
- an artist answers with at most `PER_ARTIST` tracks, an album with at most `PER_ALBUM`. Where that
  would make too few answers, in the library of a single artist, say, the limits rise until it does
  not. A limit that somebody set is kept to.

`RAW` is the selection without all that. Whom a file does not name is nobody: tracks without artist
never count as of the same one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.aggregation import Vectors, track_vector
from soundalike.library.queries import Seed, is_playlist, row_of
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track
from soundalike.library.versions import RECORDED, Recordings, plain_title

PER_ARTIST = 3
PER_ALBUM = 2
NO_LIMIT = 0
# Above the rounding of a float32 product.
_MARGIN = 1e-4

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Selection:
    """What may answer.

    Attributes:
        filter: an expression of `filters`, such as "genre = 'Jazz' AND year < 1970"; "" for none.
        exclude: tracks that must not answer: `Track`s, ids, paths, or playlists (.m3u8, .m3u) of
            them. Other files of the same recording are left out with them. What the library lacks
            could not answer anyway.
        exclude_same_artist, exclude_same_album: leave out those of the liked seeds.
        max_per_artist, max_per_album: at most so many answers; 0 for no limit. None for the usual
            one, `PER_ARTIST` and `PER_ALBUM`, which rises where it would make too few answers.
        keep_versions: show every file of a recording instead of the best one.
        max_duration_ratio: answers last at most so many times as long as the seed, and at least one
            so manieth; of several seeds, as one of them.
        include_self: keep the seeds among the answers. Else those tracks and exact copies of them
            are left out and, without `keep_versions`, other files of the same recording.
    """

    filter: str = ""
    exclude: Sequence[Track | Path | str] = ()
    exclude_same_artist: bool = False
    exclude_same_album: bool = False
    max_per_artist: int | None = None
    max_per_album: int | None = None
    keep_versions: bool = False
    max_duration_ratio: float | None = None
    include_self: bool = False

    def __post_init__(self) -> None:
        """Raise a QueryError for what cannot be meant."""
        for name in ("max_per_artist", "max_per_album"):
            limit = getattr(self, name)
            if limit is not None and (isinstance(limit, bool) or int(limit) != limit or limit < 0):
                raise QueryError(f"{name} is {limit!r}; it is a whole number, and 0 is no limit")
        ratio = self.max_duration_ratio
        if ratio is not None and not 1 <= ratio < math.inf:
            raise QueryError(f"max_duration_ratio is {ratio!r}; it is at least 1, such as 1.5")
        for what in ("artist", "album"):
            if self.include_self and getattr(self, f"exclude_same_{what}"):
                raise QueryError(
                    f"include_self and exclude_same_{what} contradict each other: the query is of "
                    f"the same {what} as itself"
                )


RAW = Selection(max_per_artist=NO_LIMIT, max_per_album=NO_LIMIT, keep_versions=True)
"""Every track by its similarity alone; only the query itself is left out."""


@dataclass(slots=True)
class _Limit:
    """At most `most` answers of an artist or album; `usual` if nobody set it."""

    what: str
    most: int
    usual: bool
    taken: dict[str, int] = field(default_factory=dict)


class Chooser:
    """A selection put to a library: the choice of `search.neighbors`.

    Attributes:
        allowed: rows that may answer, bool [N]; None for all.
        most: answers there can be under the limits, at most.
        passed: better answers that the limits kept out, after a choice.
        again: other files of the seeds' recordings that were left out, after a choice.
    """

    def __init__(
        self, selection: Selection, seeds: Sequence[Seed], snapshot: Snapshot, *, n: int
    ) -> None:
        """Find out what may answer.

        Args:
            selection: what is wanted.
            seeds: the liked ones.
            snapshot: the library.
            n: answers wanted; the usual limits rise until there can be so many.

        Raises:
            QueryError: a filter that is none, or nothing may answer; says why.
        """
        self._selection, self._snapshot, self._n = selection, snapshot, n
        self._recordings = Recordings(snapshot)
        excluded = [row for each in selection.exclude for row in excluded_rows(each, snapshot)]
        self.allowed = self._allowed(seeds, excluded)
        self._blocked = self._known(seeds, excluded)
        D = snapshot.means.shape[1]
        self._blocked_means = np.array([mean for mean, *_ in self._blocked]).reshape(-1, D)
        self._limits = self._made_limits()
        self.most = min(
            [len(snapshot), *(self._possible(each) for each in self._limits if not each.usual)]
        )
        self._raised = False
        self.passed = self.again = 0

    def __call__(self, rows: Sequence[int], n: int, complete: bool) -> dict[int, list[int]]:
        """Choose among rows, best first: the rows kept, in order, each with those it stands for.

        With `complete` there are no others, so the usual limits rise as far as it takes.
        """
        kept = self._choose(rows, n)
        if len(kept) < n and self.passed and not self._raised:
            # Only now, for it takes a look at all rows.
            self._raised = True
            for limit in self._limits:
                self._raise(limit)
            kept = self._choose(rows, n)
        # Versions, the query itself and the other limit may leave fewer than can be told beforehand.
        usual = [limit for limit in self._limits if limit.usual]
        while complete and usual and len(kept) < n and self.passed:
            if min(limit.most for limit in usual) >= len(self._snapshot):
                break
            for limit in usual:
                limit.most += 1 + limit.most // 4
            kept = self._choose(rows, n)
        return kept

    def _choose(self, rows: Sequence[int], n: int) -> dict[int, list[int]]:
        kept: dict[int, list[int]] = {}
        means = np.empty((n, self._snapshot.means.shape[1]), np.float32)
        self.passed = self.again = 0
        for limit in self._limits:
            limit.taken.clear()
        for row in rows:
            if not self._selection.keep_versions:
                if self._is_blocked(row):
                    self.again += 1
                    continue
                known = self._version_among(row, list(kept), means)
                if known is not None:
                    kept[known].append(row)
                    continue
            if len(kept) == n:
                continue  # it may still be a version of what is kept
            keys = [self._key(limit.what, row) for limit in self._limits]
            limits = list(zip(self._limits, keys, strict=True))
            if any(key and limit.taken.get(key, 0) >= limit.most for limit, key in limits):
                self.passed += 1
                continue
            for limit, key in limits:
                limit.taken[key] = limit.taken.get(key, 0) + 1
            means[len(kept)] = self._snapshot.means[row]
            kept[row] = []
        return kept

    def scarcity(self) -> str:
        """What the selection has to do with there being too few answers; "" if nothing."""
        N = len(self._snapshot)
        count = N if self.allowed is None else int(self.allowed.sum())
        reasons = []
        if count < N:
            reasons.append(f"{count} of {N} tracks may answer")
        if self.most < min(count, self._n):
            reasons.append(f"the limits per artist and album leave {self.most}")
        return ", ".join(reasons)

    def _version_among(self, row: int, kept: Sequence[int], means: Vectors) -> int | None:
        """The row among those kept that is the same recording, the best one of several."""
        cosines = means[: len(kept)] @ self._snapshot.means[row]
        known = self._recordings
        for place in np.flatnonzero(cosines >= RECORDED).tolist():
            other = kept[place]
            duration = float(known.durations[other])
            if known.same(row, means[place], duration, known.title(other)):
                return other
        return None

    def _is_blocked(self, row: int) -> bool:
        # A playlist of thousands may be excluded: one product finds the few that may be meant.
        cosines = self._blocked_means @ self._recordings.means[row]
        near = np.flatnonzero(cosines >= RECORDED - _MARGIN).tolist()
        return any(self._recordings.same(row, *self._blocked[i]) for i in near)

    def _known(
        self, seeds: Sequence[Seed], excluded: Sequence[int]
    ) -> list[tuple[Vectors, float, str]]:
        """Mean, duration and title of what must not come back in another file."""
        known = self._recordings
        found = [(known.means[i], float(known.durations[i]), known.title(i)) for i in excluded]
        for seed in seeds if not self._selection.include_self else ():
            if seed.track is not None:
                mean = track_vector(seed.query.vectors, "mean", self._snapshot.senses)
                found.append((mean, seed.track.duration, plain_title(seed.track.title)))
        return found

    def _allowed(self, seeds: Sequence[Seed], excluded: Sequence[int]) -> Mask | None:
        chosen, N = self._selection, len(self._snapshot)
        steps: list[tuple[str, Mask]] = []
        if chosen.filter:
            steps.append((f"the filter {chosen.filter!r}", self._filtered()))
        if excluded:
            steps.append(("the excluded tracks", _all_but(excluded, N)))
        if chosen.exclude_same_artist:
            steps.append(("leaving out the same artist", self._others("artist", seeds)))
        if chosen.exclude_same_album:
            steps.append(("leaving out the same album", self._others("album", seeds)))
        if chosen.max_duration_ratio is not None:
            steps.append(
                ("the ratio of durations", self._lasting(seeds, chosen.max_duration_ratio))
            )
        if not steps:
            return None
        allowed, before = np.ones(N, bool), N
        for what, mask in steps:
            allowed &= mask
            if not allowed.any():
                rest = f"of {before} tracks left by the rest" if before < N else f"of {N} tracks"
                raise QueryError(f"no track may answer: {what} lets none {rest} through")
            before = int(allowed.sum())
        return allowed

    def _filtered(self) -> Mask:
        from soundalike.library.filters import matching

        return matching(self._selection.filter, self._snapshot.facts)

    def _others(self, what: str, seeds: Sequence[Seed]) -> Mask:
        """Rows of another artist, or album, than the seeds."""
        from soundalike.library import makers

        groups = makers.groups(self._snapshot, what)
        own = {groups.of(seed) for seed in seeds} - {-1}
        if not any(seed.track is not None for seed in seeds):
            raise QueryError(f"exclude_same_{what} needs a query with tags; vectors have none")
        return ~np.isin(groups.members, list(own))

    def _lasting(self, seeds: Sequence[Seed], ratio: float) -> Mask:
        known = [seed.track.duration for seed in seeds if seed.track is not None]
        if not known:
            raise QueryError("max_duration_ratio needs a query with a duration; vectors have none")
        lasts, some = self._recordings.durations, np.zeros(len(self._snapshot), bool)
        for duration in known:
            some |= (lasts <= duration * ratio) & (lasts * ratio >= duration)
        return some

    def _made_limits(self) -> list[_Limit]:
        limits = []
        for what, given, usual in (
            ("artist", self._selection.max_per_artist, PER_ARTIST),
            ("album", self._selection.max_per_album, PER_ALBUM),
        ):
            if given != NO_LIMIT:
                limits.append(_Limit(what, usual if given is None else given, given is None))
        return limits

    def _raise(self, limit: _Limit) -> None:
        """Raise a usual limit until there can be enough answers."""
        while limit.usual and self._possible(limit) < self._n and limit.most < len(self._snapshot):
            limit.most += 1 + limit.most // 4

    def _possible(self, limit: _Limit) -> int:
        """How many answers a limit leaves, at most."""
        from soundalike.library import makers

        members = makers.groups(self._snapshot, limit.what).members
        return makers.possible(
            members if self.allowed is None else members[self.allowed], limit.most
        )

    def _key(self, what: str, row: int) -> str:
        """What artist or album a row is of, as in `makers`; "" if the file does not say."""
        artist = self._fact("artist", row)
        if what == "artist":
            return artist
        album = self._fact("album", row)
        maker = self._fact("album_artist", row) or artist
        folder = "" if maker else self._snapshot.facts["path"][row].as_py().rpartition("/")[0]
        return album and f"{album}\n{maker or folder}"

    def _fact(self, name: str, row: int) -> str:
        return str(self._snapshot.facts[name][row].as_py() or "").strip().lower()


def excluded_rows(excluded: Track | Path | str, snapshot: Snapshot) -> list[int]:
    """The rows that an excluded track or playlist names."""
    row = row_of(excluded, snapshot)
    if row is None and not isinstance(excluded, Track) and is_playlist(excluded):
        from soundalike.library import playlists

        return playlists.rows_listed(excluded, snapshot)[0]
    return [] if row is None else [row]


def _all_but(rows: Iterable[int], N: int) -> Mask:
    mask = np.ones(N, bool)
    mask[list(rows)] = False
    return mask
