"""A tracks.csv -> who listened to what: simulated worlds, or a log of real plays.

Several worlds are simulated, for how much taste follows sound, and how strictly listeners keep to it,
are assumptions, and the answer depends on them. The last one is a control: where listeners have no
taste, nothing can be learnt from sound, and a measurement that finds something there is wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.errors import QueryError
from soundalike.evaluation.colistening.known_tracks import KnownTrack, KnownTracks
from soundalike.evaluation.colistening.listeners import Listening, World, simulate
from soundalike.evaluation.colistening.plays import read_plays
from soundalike.evaluation.colistening.sessions import (
    Listened,
    cut_sessions,
    split_at,
    split_by_share,
)
from soundalike.evaluation.tasks.recordings import Recording, read_recordings

WORLDS = {
    "labels and sound": Listening(sound=0.5),
    "labels alone": Listening(sound=0.0),
    "sound alone": Listening(sound=1.0),
    "weak taste": Listening(focus=6.0),
    "no taste": Listening(focus=0.0),
}

FEWEST_SESSIONS = 30
"""Of a log; fewer cannot be split in three and say anything."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The tracks that listening is about, N of them, and which of them encoders may have trained on."""

    recordings: list[Recording]
    titles: list[str]
    splits: list[str]

    def known(self, folder: Path) -> KnownTracks:
        """The tracks as a log may call them: path relative to the listing's folder, artist, title."""
        return KnownTracks(
            [
                KnownTrack(each.path.relative_to(folder).as_posix(), each.artist, title)
                for each, title in zip(self.recordings, self.titles, strict=True)
            ]
        )

    def take(self, wanted: Sequence[bool]) -> Listing:
        """Those tracks where `wanted` is true."""
        each = zip(self.recordings, self.titles, self.splits, wanted, strict=True)
        kept = [row for row in each if row[3]]
        return Listing([r for r, *_ in kept], [t for _, t, *_ in kept], [s for *_, s, _ in kept])


def read_listing(tracks: Path) -> Listing:
    """The training and the validation split of a tracks.csv; the test split is never looked at here.

    Raises:
        QueryError: the file or one of the splits cannot be read.
    """
    parts = {split: read_recordings(tracks, split) for split in ("train", "validation")}
    with tracks.open(newline="", encoding="utf-8-sig") as file:
        titles = {row["path"]: row.get("title") or "" for row in csv.DictReader(file)}
    recordings = [each for part in parts.values() for each in part]
    return Listing(
        recordings,
        [titles[each.path.relative_to(tracks.parent).as_posix()] for each in recordings],
        [split for split, part in parts.items() for _ in part],
    )


def simulated_worlds(
    recordings: Sequence[Recording], descriptors: np.ndarray, seeds: int
) -> dict[str, list[Listened]]:
    """Let listeners of all `WORLDS` listen, with seeds 0, 1, ...: name -> one `Listened` per seed.

    Args:
        recordings: N tracks with their labels.
        descriptors: [N, K], what their sound is like.
        seeds: how often each world is simulated.
    """
    world = World([r.album for r in recordings], [r.artist for r in recordings], descriptors)
    return {
        name: [
            split_at(
                cut_sessions(simulate(world, listening, seed=seed).plays), *listening.moments()
            )
            for seed in range(seeds)
        ]
        for name, listening in WORLDS.items()
    }


def logged_world(log: Path, known: KnownTracks) -> tuple[dict[str, list[Listened]], str]:
    """Read a log and split its sessions by time (0.7, 0.15, 0.15), or at random without times.

    Returns:
        The one world, under the name of the log, and what was used of the log, in words.

    Raises:
        QueryError: the log cannot be read, or has too few sessions.
    """
    reading = read_plays(log, known)
    sessions = cut_sessions(reading.plays)
    if len(sessions) < FEWEST_SESSIONS:
        raise QueryError(
            f"{log} has {len(sessions)} sessions with known tracks; at least {FEWEST_SESSIONS} are "
            f"needed to learn from some and judge by others. {reading.told()}"
        )
    how = "at random, as plays have no time" if np.isnan(sessions.times).any() else "by time"
    told = f"{reading.told()}\n{len(sessions)} sessions, split {how}"
    return {f"plays of {log.name}": [split_by_share(sessions)]}, told
