"""A simulator of listeners, for where there is no log. No person was asked.

A world is made of tracks with labels (soundtrack, artist) and a few plain descriptors of their sound.
How near two tracks are in it is

    nearness = (1 - s) * (2/3 same soundtrack + 1/3 same artist) + s * exp(-distance^2 / 2),   0..1

where s, `sound`, is how much of taste is sound, and the distance is between z-scored descriptors,
divided by the root of their number. Listeners have a few tastes, each around one track. In a session
one of them is followed: the next track is drawn by its popularity and exp(`focus` * nearness) to the
taste; now and then the taste moves on to what has just been played (`drift`), and now and then a track
comes from anywhere (`noise`). Popularity falls with its rank by a power law, and tracks have a day from
which they exist: some are new when what can be learnt from ends.

What this simulation cannot tell: whether people's tastes follow sound at all. That is `sound` and
`focus`, chosen by us, and the recall of content is bought with them: measured under several values it
shows how the answer depends on that choice, not which one is true. Nor how many plays are enough in
life: the crossover moves with `focus`, `noise` and how many tracks there are. It knows no skips, radio,
recommenders that feed on their own answers, fashions, moods or friends, and its labels are those of
soundtracks. What it can tell: whether the code works, what co-listening answers for tracks with no or
few plays under an assumption that is stated, and whether a blend loses anything there. For what holds
in life, read a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.evaluation.colistening.plays import Plays

DAY = 86_400.0
BEGIN = 1_704_067_200.0
"""1 January 2024, seconds since 1970: the first day of every simulation."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How listeners are made up. Values without a source are ours.

    `focus` was 6 at first. Then the most played tracks foretell a session better than co-listening
    does, while in logs of sessions item-to-item similarity finds many times what popularity finds
    (Hidasi et al. 2016, table 1, of shops and videos). At 15 it finds twice as much for tracks with
    over 20 plays; that was set by co-listening and popularity alone, without looking at content. The
    first value is kept as a world of its own (`worlds.py`).

    Attributes:
        listeners: how many; `evenings`: sessions of each, on different days.
        days: that are simulated; those before `training` are learnt from, those from `judged` on are
            judged by, those between are to choose by.
        length: tracks in a session, the mean of a geometric distribution from 2 to 40. About eleven
            plays are in a session of the 30Music logs (Turrin et al. 2015).
        tastes: of a listener, the mean; at least 1.
        exponent: of popularity, rank ** -exponent. Plays have a long tail in all logs (Celma 2010,
            chapter 4); near 1 is Zipf's law.
        sound: 0..1, how much of taste is sound, the rest being labels.
        focus: how strictly a session keeps to its taste: exp(focus) is the preference for the nearest
            track over one that has nothing in common.
        drift: chance that a taste moves on to what has just been played.
        noise: chance that a play comes from anywhere, by popularity alone.
        new: share of tracks that appear only when training ends.
        young: share that appears on some day before, most of them shortly before.
    """

    listeners: int = 100
    evenings: int = 40
    days: int = 300
    training: int = 180
    judged: int = 240
    length: float = 10.0
    tastes: float = 3.0
    exponent: float = 0.8
    sound: float = 0.5
    focus: float = 15.0
    drift: float = 0.1
    noise: float = 0.1
    new: float = 0.15
    young: float = 0.35

    def __post_init__(self) -> None:
        for name in ("sound", "drift", "noise", "new", "young"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} is a share, 0..1")
        if self.new + self.young > 0.9:
            raise ValueError(f"new={self.new} and young={self.young} leave too few to begin with")
        if not 0 < self.training < self.judged < self.days or self.evenings > self.days:
            raise ValueError("0 < training < judged < days and evenings <= days are needed")
        if self.listeners < 1 or self.evenings < 1 or self.length < 2 or self.tastes < 1:
            raise ValueError("at least one listener, evening and taste, and two tracks a session")

    def moments(self) -> tuple[float, float]:
        """When training and when validation ends, seconds since 1970."""
        return BEGIN + self.training * DAY, BEGIN + self.judged * DAY


@dataclass(frozen=True, slots=True)
class World:
    """N tracks as listeners know them: soundtrack and artist, "" where unknown, and descriptors [N, K]."""

    soundtracks: Sequence[str]
    artists: Sequence[str]
    descriptors: np.ndarray

    def nearness(self, sound: float) -> np.ndarray:
        """How near every two tracks are, 0..1: float64 [N, N], the formula of this file."""

        def same(labels: Sequence[str]) -> np.ndarray:
            each = np.asarray(labels)
            return np.asarray((each[:, None] == each[None, :]) & (each != ""))

        d = self.descriptors.astype(np.float64)
        z = (d - d.mean(axis=0)) / np.maximum(d.std(axis=0), 1e-9)
        squares = (z**2).sum(axis=1)
        distance = np.maximum(squares[:, None] + squares[None, :] - 2 * z @ z.T, 0) / z.shape[1]
        labels = (2 * same(self.soundtracks) + same(self.artists)) / 3
        return np.asarray((1 - sound) * labels + sound * np.exp(-distance / 2))


@dataclass(frozen=True, slots=True)
class Simulated:
    """Plays with true sessions, and what they were made of.

    Attributes:
        plays: with times; their sessions are the true ones.
        popularity: float64 [N], sums to 1.
        added: float64 [N], seconds since 1970 from which a track exists.
    """

    plays: Plays
    popularity: np.ndarray
    added: np.ndarray


def simulate(world: World, listening: Listening, *, seed: int) -> Simulated:
    """Let listeners listen. The same seed gives the same plays; memory goes with N * N."""
    rng = np.random.default_rng(seed)
    N = len(world.soundtracks)
    popularity = _popularity(N, listening.exponent, rng)
    added = BEGIN + DAY * _days_added(N, listening, rng)
    # How likely each track is next for a taste around each other track.
    pull = popularity * np.exp(listening.focus * world.nearness(listening.sound))
    sessions: list[tuple[int, np.ndarray, np.ndarray]] = []
    for listener in range(listening.listeners):
        tastes = rng.choice(N, size=1 + rng.poisson(listening.tastes - 1), p=popularity)
        for day in np.sort(rng.choice(listening.days, size=listening.evenings, replace=False)):
            begin = BEGIN + DAY * (day + rng.uniform(8, 20) / 24)
            there = added <= begin
            tracks = _session(pull, popularity * there, int(rng.choice(tastes)), listening, rng)
            steps = rng.uniform(150, 300, size=len(tracks))
            sessions.append((listener, tracks, begin + np.cumsum(steps) - steps[0]))
    lengths = [len(tracks) for _, tracks, _ in sessions]
    plays = Plays(
        np.repeat([listener for listener, _, _ in sessions], lengths).astype(np.int64),
        np.concatenate([tracks for _, tracks, _ in sessions]),
        np.concatenate([times for _, _, times in sessions]),
        np.repeat(np.arange(len(sessions)), lengths).astype(np.int64),
    )
    return Simulated(plays, popularity, added)


def _popularity(N: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    weights = np.arange(1, N + 1) ** -exponent
    return np.asarray(rng.permutation(weights / weights.sum()))


def _days_added(N: int, listening: Listening, rng: np.random.Generator) -> np.ndarray:
    """Days from the beginning: new ones when training ends, young ones by log of their age before."""
    kind = rng.permutation(N)
    new = kind < round(listening.new * N)
    young = ~new & (kind < round((listening.new + listening.young) * N))
    age = np.exp(rng.uniform(np.log(1), np.log(max(2, listening.training)), size=N))
    days = np.where(young, listening.training - age, 0.0)
    return np.where(new, float(listening.training), days)


def _session(
    pull: np.ndarray,
    there: np.ndarray,
    taste: int,
    listening: Listening,
    rng: np.random.Generator,
) -> np.ndarray:
    """Numbers of the tracks of one session, none twice: int64.

    Args:
        pull: [N, N], how likely each track is for a taste around each other.
        there: [N], popularity of the tracks that exist by now, 0 for the others.
        taste: the track that the session is around.
    """
    longest = min(40, int((there > 0).sum()))
    left = there.copy()
    played: list[int] = []
    for _ in range(int(np.clip(1 + rng.geometric(1 / (listening.length - 1)), 2, longest))):
        anywhere = rng.random() < listening.noise
        weights = left if anywhere else np.where(left > 0, pull[taste], 0)
        # The inverse of the running sum: numpy's choice checks its weights anew every time.
        running = np.cumsum(weights)
        track = int(np.searchsorted(running, rng.random() * running[-1], side="right"))
        played.append(track)
        left[track] = 0
        if not anywhere and rng.random() < listening.drift:
            taste = track
    return np.array(played, dtype=np.int64)
