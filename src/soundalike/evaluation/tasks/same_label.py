"""Music of the same album, artist or genre: second halves among the first halves of all other tracks.

A track's own first half is barred, so only other music answers; so is any other copy of the same
recording. What an encoder finds by an album's mastering or an artist's instruments alone is no style,
hence the filters: under the artist filter every track of the query's artist is barred (Pampalk, Flexer
& Widmer, "Improvements of audio-based music similarity and genre classification", ISMIR 2005, section
4.1), under the album filter every track of its album. A label that is not known ("") is nobody's
mate, and a query without mates, or without the label its filter needs, is not asked.

Queries of one label seek each other, so they succeed or fail together: seven albums are seven
observations, whatever they hold. Intervals are over labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from soundalike.evaluation.retrieval import Retrieval
from soundalike.evaluation.tasks.recordings import Recording, halves
from soundalike.evaluation.tasks.same_track import same_recording

METRICS = ("mAP", "P@5", "P@10", "nDCG@10")


def same_album(
    recordings: Sequence[Recording],
    *,
    artist_filter: bool = False,
    duplicates: Sequence[set[int]] = (),
) -> Retrieval:
    """Are the other tracks of the album found? With the filter: those of it that are by others."""
    albums = [recording.album for recording in recordings]
    artists = [recording.artist for recording in recordings] if artist_filter else None
    task = "same_album_other_artists" if artist_filter else "same_album"
    return same_label(task, recordings, albums, without=artists, duplicates=duplicates)


def same_artist(
    recordings: Sequence[Recording],
    *,
    album_filter: bool = False,
    duplicates: Sequence[set[int]] = (),
) -> Retrieval:
    """Are the other tracks of the artist found? With the filter: those on other albums."""
    artists = [recording.artist for recording in recordings]
    albums = [recording.album for recording in recordings] if album_filter else None
    task = "same_artist_other_albums" if album_filter else "same_artist"
    return same_label(task, recordings, artists, without=albums, duplicates=duplicates)


def same_genre(
    recordings: Sequence[Recording],
    *,
    artist_filter: bool = False,
    duplicates: Sequence[set[int]] = (),
) -> Retrieval:
    """Are the other tracks of the genre found? With the filter: those by other artists."""
    genres = [recording.genre for recording in recordings]
    artists = [recording.artist for recording in recordings] if artist_filter else None
    task = "same_genre_other_artists" if artist_filter else "same_genre"
    return same_label(task, recordings, genres, without=artists, duplicates=duplicates)


def same_label(
    task: str,
    recordings: Sequence[Recording],
    labels: Sequence[str],
    *,
    without: Sequence[str] | None = None,
    duplicates: Sequence[set[int]] = (),
) -> Retrieval:
    """Second halves against first halves, those of the same label relevant.

    Args:
        task: its name.
        recordings: N tracks.
        labels: N, "" where unknown.
        without: N second labels; tracks that share the query's are barred, and so are, for they might,
            those whose second label is unknown. A query whose own is unknown is not asked.
        duplicates: places of tracks that hold the same recording; the query's are barred.
    """
    parts = [halves(recording) for recording in recordings]
    N = len(parts)
    barred = same_recording(N, duplicates)
    relevant = _shared(labels)
    if without is not None:
        known = np.array([label != "" for label in without])
        barred = barred | _shared(without) | ~known[None, :]
        relevant = relevant & known[:, None]
    return Retrieval(
        task=task,
        queries=[second for _, second in parts],
        tracks=[first for first, _ in parts],
        relevant=relevant & ~barred,
        barred=barred,
        kinds=[""] * N,
        metrics=METRICS,
        together=labels,
    )


def _shared(labels: Sequence[str]) -> np.ndarray:
    """Which tracks have the same known label: bool [N, N]."""
    row = np.asarray(labels, dtype=object)
    shared: np.ndarray = (row[:, None] == row[None, :]) & (row != "")
    return shared.astype(bool)
