"""Playlists of players: listed, made, changed, deleted."""

from __future__ import annotations

from soundalike.server.subsonic import items
from soundalike.server.subsonic.call import Call, Content, Endpoint
from soundalike.server.subsonic.failures import (
    GENERIC,
    MISSING_PARAMETER,
    NOT_FOUND,
    FailureError,
    not_found,
)
from soundalike.server.subsonic.playlist_files import Playlist


def playlists(call: Call) -> Content:
    """All playlists, without their songs."""
    return {"playlists": {"playlist": [_about(call, each) for each in call.playlists.listed()]}}


def playlist(call: Call) -> Content:
    """A playlist and its songs."""
    return {"playlist": _whole(call, _named(call, "id"))}


def create(call: Call) -> Content:
    """Make a playlist of some songs; or, with the id of one, put these songs in place of its own."""
    name, tracks = call.parameters.text("name"), _known(call, "songId")
    replaced = call.parameters.text("playlistId")
    if not (name or replaced):
        raise FailureError(MISSING_PARAMETER, "the parameter name is missing, or playlistId")
    if call.catalog.snapshot is None:
        raise FailureError(GENERIC, "there is no library yet to keep a playlist with")
    with call.playlists.changing():
        made = _named(call, "playlistId") if replaced else call.playlists.new(name, call.user)
        made.name, made.tracks = name or made.name, tracks
        call.playlists.write(made)
    return {"playlist": _whole(call, made)}


def update(call: Call) -> Content:
    """Rename a playlist, comment on it, take songs away by their places and add others at the end."""
    parameters, added = call.parameters, _known(call, "songIdToAdd")
    public, gone = parameters.flag("public"), set(parameters.numbers("songIndexToRemove"))
    _named(call, "playlistId")  # or else a failure, before a folder is made
    with call.playlists.changing():
        found = _named(call, "playlistId")
        seen = [place for place, track in enumerate(found.tracks) if _is_there(call, track)]
        if gone and max(gone) >= len(seen):
            raise FailureError(
                NOT_FOUND, f"the playlist has {len(seen)} songs, none at {max(gone)} (from 0)"
            )
        places = {seen[place] for place in gone}
        found.tracks = [t for place, t in enumerate(found.tracks) if place not in places] + added
        found.name = parameters.text("name") or found.name
        if parameters.given("comment"):
            found.comment = parameters.text("comment")
        found.public = found.public if public is None else public
        call.playlists.write(found)
    return {}


def delete(call: Call) -> Content:
    """Delete a playlist."""
    _named(call, "id")  # or else a failure
    with call.playlists.changing():
        call.playlists.delete(_named(call, "id").id)
    return {}


def _named(call: Call, parameter: str) -> Playlist:
    name = call.parameters.required(parameter)
    found = call.playlists.find(name)
    if found is None:
        raise not_found("playlist", name)
    return found


def _known(call: Call, parameter: str) -> list[str]:
    """Ids of songs that are all there. Raises FailureError 70."""
    tracks = call.parameters.all(parameter)
    for track in tracks:
        call.row_of(track)
    return tracks


def _is_there(call: Call, track: str) -> bool:
    return call.catalog.row(track) is not None


def _about(call: Call, found: Playlist) -> items.Item:
    rows = [row for row in map(call.catalog.row, found.tracks) if row is not None]
    durations = [facts["duration"] for facts in call.catalog.facts(rows, ["duration"])]
    about = {
        "id": found.id,
        "name": found.name,
        "comment": found.comment,
        "owner": found.owner,
        "public": found.public,
        "songCount": len(rows),
        "duration": round(sum(durations)),
        "created": found.created,
        "changed": found.changed,
    }
    return about | ({"coverArt": found.id} if rows else {})


def _whole(call: Call, found: Playlist) -> items.Item:
    rows = [row for row in map(call.catalog.row, found.tracks) if row is not None]
    return _about(call, found) | {"entry": items.songs(rows, call.catalog)}


ENDPOINTS: dict[str, Endpoint] = {
    "getPlaylists": playlists,
    "getPlaylist": playlist,
    "createPlaylist": create,
    "updatePlaylist": update,
    "deletePlaylist": delete,
}
