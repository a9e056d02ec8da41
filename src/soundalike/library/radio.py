"""Some seeds -> music without end: what sounds like them, wandering off or staying, and never twice.

Each track is chosen around a direction. With drift 0 that is one of the seeds, drawn anew each time,
so that several seeds are not averaged into one that sounds like none of them. With drift 1 it is the
last few tracks played, which leads anywhere in time. Between, both are mixed. Tracks one liked are
seeds from then on; likeness to a track one disliked counts against, as in a question.

Of the tracks nearest to the direction that may still be played, one is drawn, the nearer the likelier.
Everything random comes from (seed, number of the track): the same seed in the same library makes the
same radio, whether it was stopped in between or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from soundalike.errors import QueryError
from soundalike.library.aggregation import Vectors, unit
from soundalike.library.ground import Ground, Points, Step
from soundalike.library.material import LeftOut
from soundalike.library.ranking import DISLIKE
from soundalike.library.tracks import Track

FORMAT = 1
# One of so many is drawn, each half as likely as the one HALF places before.
POOL, HALF = 16, 4.0
# Tracks that say where a drifting radio is, each counting RECENT times the one after it.
TRAIL, RECENT = 4, 0.6


@dataclass(slots=True)
class RadioState:
    """All there is to a radio, as plain values: `asdict` makes JSON of it.

    Attributes:
        seeds: ids of tracks and paths of files outside the library, as text.
        drift: 0..1.
        seed: of what is random.
        artist_spacing: tracks before an artist comes again.
        repeat: begin anew when everything was played.
        sense, filter, exclude, keep_versions: which tracks may be played, see `Library.radio`.
        played: ids in order, since the library was used up the last time.
        liked, disliked: ids.
        count: tracks played in all.
        format: of this.
    """

    seeds: list[str]
    drift: float = 0.0
    seed: int = 0
    artist_spacing: int = 0
    repeat: bool = False
    sense: str = "both"
    filter: str = ""
    exclude: list[str] = field(default_factory=list)
    keep_versions: bool = False
    played: list[str] = field(default_factory=list)
    liked: list[str] = field(default_factory=list)
    disliked: list[str] = field(default_factory=list)
    count: int = 0
    format: int = FORMAT


class Radio(Iterator[Step]):
    """Plays on until the library is used up, or for good with `repeat`.

    Attributes:
        state: where it stands; `Library.resume` goes on from it.
        left_out: what was named as a seed and could not be used.
    """

    def __init__(
        self,
        state: RadioState,
        ground: Ground,
        seeds: Points,
        *,
        left_out: Sequence[LeftOut] = (),
    ) -> None:
        """Tune in.

        Args:
            state: new, or of a radio that was stopped.
            ground: what may be played.
            seeds: points of the seeds in the state.
            left_out: what was named as a seed and could not be used.
        """
        self.state, self._ground, self.left_out = state, ground, tuple(left_out)
        self._seeds, self._seed_vectors = seeds, ground.vectors(seeds)
        known = ground.snapshot.row_of_id
        # What has left the library since is not heard any more; its number in the count stays.
        self._played = [known[name] for name in state.played if name in known]

    def __next__(self) -> Step:
        """Play a track. Raises StopIteration when there is none left."""
        row = self._choice()
        if row is None and self.state.repeat and self._played:
            self._played, self.state.played = [], []
            row = self._choice()
        if row is None:
            raise StopIteration
        track, (vector,) = self._ground.track(row), self._ground.vectors([row])
        before = self._ground.vectors(self._played[-1:] or self._seeds[:1])
        ground = self._ground
        step = Step(
            track,
            ground.similarity(float((before @ vector).max())),
            ground.similarity(float((self._seed_vectors @ vector).max())),
        )
        self._played.append(row)
        self.state.played.append(track.id)
        self.state.count += 1
        return step

    def like(self, track: Track | str) -> None:
        """More like this. Raises QueryError for a track that is not in the library."""
        self._judge(track, self.state.liked, self.state.disliked)

    def dislike(self, track: Track | str) -> None:
        """Less like this, and never this one. Raises QueryError as `like`."""
        self._judge(track, self.state.disliked, self.state.liked)

    def _judge(self, track: Track | str, to: list[str], other: list[str]) -> None:
        name = track.id if isinstance(track, Track) else track
        if name not in self._ground.snapshot.row_of_id:
            raise QueryError(f"{name!r} is no id of a track of the library")
        if name in other:
            other.remove(name)
        if name not in to:
            to.append(name)

    def _rows(self, names: list[str]) -> list[int]:
        known = self._ground.snapshot.row_of_id
        return [known[name] for name in names if name in known]

    def _choice(self) -> int | None:
        state, ground = self.state, self._ground
        rng = np.random.default_rng([state.seed, state.count])
        scores = ground.likeness(self._direction(rng))[0].astype(np.float64)
        disliked = self._rows(state.disliked)
        if disliked:
            worst = ground.likeness(ground.vectors(disliked)).max(axis=0)
            scores -= DISLIKE * np.maximum(worst, 0)
        open_rows = ground.open()
        open_rows[[*self._played, *disliked]] = False
        open_rows[self._seeds[self._seeds < len(open_rows)]] = False
        scores[~open_rows] = -np.inf
        order = np.lexsort((np.arange(len(scores)), -scores))[: int(open_rows.sum())]
        # An artist may come again sooner rather than the music stop.
        for spacing in self._spacings():
            pool = self._pool(order, spacing)
            if pool:
                weights = 0.5 ** (np.arange(len(pool)) / HALF)
                return int(rng.choice(pool, p=weights / weights.sum()))
        return None

    def _direction(self, rng: np.random.Generator) -> Vectors:
        state, ground = self.state, self._ground
        liked = self._rows(state.liked)
        homes = np.concatenate([self._seed_vectors, ground.vectors(liked)])
        home = homes[int(rng.integers(len(homes)))]
        trail = ground.vectors(self._played[-TRAIL:])
        if not len(trail) or not state.drift:
            return np.asarray(home)
        weights = RECENT ** np.arange(len(trail))[::-1]
        here = unit(weights @ trail)
        return np.asarray(unit((1 - state.drift) * home + state.drift * here))

    def _spacings(self) -> list[int]:
        """The spacings to try, widest first: that of the state, then those that let one more artist in."""
        last = {self._ground.artist(row): at for at, row in enumerate(self._played)}
        since = {len(self._played) - at - 1 for at in last.values()}
        most = min(self.state.artist_spacing, len(self._played))
        return sorted({most, 0, *(gap for gap in since if gap < most)}, reverse=True)

    def _pool(self, order: npt.NDArray[np.int64], spacing: int) -> list[int]:
        """The first rows in an order that may be played now."""
        ground = self._ground
        recent = {ground.artist(row) for row in self._played[-spacing:]} if spacing else set()
        heard = np.array([*self._seeds, *self._played], np.int64)
        pool: list[int] = []
        for row in order.tolist():
            artist = ground.artist(row)
            if artist and artist in recent:
                continue
            if not ground.selection.keep_versions and ground.same(row, heard).any():
                continue
            pool.append(row)
            if len(pool) == POOL:
                break
        return pool


def state_from(values: dict[str, Any]) -> RadioState:
    """Take up a state that was written down as JSON.

    Raises:
        QueryError: it is none, or of a newer format.
    """
    names = {each.name for each in fields(RadioState)}
    if values.get("format") != FORMAT or not set(values) <= names or not values.get("seeds"):
        raise QueryError(
            f"this is no state of a radio, or one of another version (format {values.get('format')}, "
            f"this version reads {FORMAT})"
        )
    blank = asdict(RadioState([]))
    for name, value in values.items():
        kinds = (int, float) if name == "drift" else type(blank[name])
        texts = value if isinstance(value, list) else []
        if not isinstance(value, kinds) or not all(isinstance(text, str) for text in texts):
            raise QueryError(f"this is no state of a radio: {name} is {value!r}")
    own: dict[str, Any] = {
        name: list(v) if isinstance(v, list) else v for name, v in values.items()
    }
    return check_state(RadioState(**own))


def check_state(state: RadioState) -> RadioState:
    """Return a state, or raise a QueryError for a drift, a seed or a spacing that cannot be."""
    if not isinstance(state.drift, Real) or not 0 <= state.drift <= 1:
        raise QueryError(f"drift is {state.drift!r}; it goes from 0, stay, to 1, wander")
    if not isinstance(state.seed, Integral) or state.seed < 0:
        raise QueryError(f"seed is {state.seed!r}; take a whole number from 0 on")
    if state.count < 0:
        raise QueryError(f"this is no state of a radio: count is {state.count}")
    if not isinstance(state.artist_spacing, Integral) or state.artist_spacing < 0:
        raise QueryError(
            f"the artist spacing is {state.artist_spacing!r}; take a whole number from 0 on"
        )
    # JSON knows no numbers of numpy.
    state.drift, state.seed = float(state.drift), int(state.seed)
    state.artist_spacing = int(state.artist_spacing)
    return state
