"""What the server is there for: songs that sound like a song, an album or an artist, and the way between two.

`getSonicSimilarTracks` and `findSonicPath` are the extension sonicSimilarity: a list `sonicMatch` at the
top of the response. A similarity is the library's, 0..1, to the song asked about, on a path to its start.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from soundalike.library.path import MOST_TRACKS
from soundalike.library.tracks import Track
from soundalike.server.subsonic import items
from soundalike.server.subsonic.call import Call, Content, Endpoint
from soundalike.server.subsonic.failures import GENERIC, FailureError

MOST = 500


def similar_songs(call: Call) -> Content:
    """Songs that sound like a song, an album or an artist on the whole; none of these themselves."""
    return {"similarSongs": {"song": _similar(call)}}


def similar_songs2(call: Call) -> Content:
    """The same under another name."""
    return {"similarSongs2": {"song": _similar(call)}}


def sonic_similar_tracks(call: Call) -> Content:
    """Songs that sound like a song, most similar first, with their similarities."""
    row, count = call.row(), call.parameters.number("count", 10, most=MOST)
    if not count:
        return {"sonicMatch": []}
    found = call.here.library.similar(_ids(call, [row])[0], n=count)
    return _matches(call, ((neighbor.track, neighbor.similarity) for neighbor in found))


def sonic_path(call: Call) -> Content:
    """The way from one song to another, both included, with similarities to the first."""
    start, end = call.row("startSongId"), call.row("endSongId")
    count = call.parameters.number("count", 25, most=MOST_TRACKS)
    if start == end:
        (song,) = items.songs([start], call.catalog)
        return {"sonicMatch": [{"entry": song, "similarity": 1.0}]}
    if count < 2:
        raise FailureError(GENERIC, f"count is {count}; a path has its two ends at least")
    first, last = _ids(call, [start, end])
    found = call.here.library.path_between(first, last, count)
    return _matches(call, ((step.track, step.from_start) for step in found))


def _similar(call: Call) -> list[items.Item]:
    rows, count = call.rows_of_item(), call.parameters.number("count", 50, most=MOST)
    if not count:
        return []
    found = call.here.library.similar(_ids(call, rows), n=count)
    return items.songs(_rows(call, (neighbor.track for neighbor in found)), call.catalog)


def _matches(call: Call, found: Iterable[tuple[Track, float]]) -> Content:
    pairs = [(track, value) for track, value in found if call.catalog.row(track.id) is not None]
    songs = items.songs(_rows(call, (track for track, _ in pairs)), call.catalog)
    matches: list[dict[str, Any]] = [
        {"entry": song, "similarity": round(min(1.0, value), 6)}
        for song, (_, value) in zip(songs, pairs, strict=True)
    ]
    return {"sonicMatch": matches}


def _ids(call: Call, rows: Iterable[int]) -> list[str]:
    snapshot = call.catalog.snapshot
    return [] if snapshot is None else [snapshot.ids[row] for row in rows]


def _rows(call: Call, tracks: Iterable[Track]) -> list[int]:
    """Rows of tracks; an indexing that has just finished may have brought others."""
    found = (call.catalog.row(track.id) for track in tracks)
    return [row for row in found if row is not None]


ENDPOINTS: dict[str, Endpoint] = {
    "getSimilarSongs": similar_songs,
    "getSimilarSongs2": similar_songs2,
    "getSonicSimilarTracks": sonic_similar_tracks,
    "findSonicPath": sonic_path,
}
