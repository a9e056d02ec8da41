"""The sound of a song, and pictures."""

from __future__ import annotations

from starlette.responses import Response

from soundalike.library.tracks import Track, clean
from soundalike.server.media import TYPES, Sound, opened, picture_of
from soundalike.server.subsonic.call import Call, Endpoint
from soundalike.server.subsonic.failures import NOT_FOUND, FailureError


def stream(call: Call) -> Response:
    """The file of a song as it is, in ranges. Nothing is transcoded, whatever format is asked for."""
    return _sound(call, attached=False)


def download(call: Call) -> Response:
    """The same, to be saved under its name."""
    return _sound(call, attached=True)


def cover_art(call: Call) -> Response:
    """The picture of a song, or of the first song of an album, artist or playlist; in its own size."""
    track = _track(call, _pictured(call))
    picture = picture_of(call.here, track)
    if picture is None:
        raise FailureError(NOT_FOUND, f"there is no picture of {track.title!r}")
    data, kind = picture
    return Response(data, media_type=kind, headers={"cache-control": "private, max-age=3600"})


def _sound(call: Call, *, attached: bool) -> Response:
    track = _track(call, call.row())
    path, status = opened(call.here, track)
    return Sound(
        path,
        media_type=TYPES.get(path.suffix.lower(), "application/octet-stream"),
        stat_result=status,
        filename=clean(track.path.name) if attached else None,
        headers={"cache-control": "private, max-age=0, must-revalidate"},
    )


def _pictured(call: Call) -> int:
    """The row whose picture stands for what the id names. Raises FailureError 10 or 70."""
    playlist = call.playlists.find(call.parameters.required("id"))
    if playlist is None:
        return call.rows_of_item()[0]
    rows = [row for row in map(call.catalog.row, playlist.tracks) if row is not None]
    if not rows:
        raise FailureError(NOT_FOUND, f"the playlist {playlist.name!r} is empty")
    return rows[0]


def _track(call: Call, row: int) -> Track:
    assert call.catalog.snapshot is not None, "a row is one of a snapshot"
    return call.catalog.snapshot.track(row)


ENDPOINTS: dict[str, Endpoint] = {
    "stream": stream,
    "download": download,
    "getCoverArt": cover_art,
}
