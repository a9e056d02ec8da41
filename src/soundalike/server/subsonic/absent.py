"""What players ask for when they start, and what there is nothing of here.

No plays are counted, nothing is starred or rated, there are no podcasts and no radio stations. An empty
list is the true answer, and keeps players from taking the server for a broken one.
"""

from __future__ import annotations

from soundalike.server.subsonic.call import Call, Content, Endpoint

EMPTY: dict[str, Content] = {
    "getStarred": {"starred": {"artist": [], "album": [], "song": []}},
    "getStarred2": {"starred2": {"artist": [], "album": [], "song": []}},
    "getNowPlaying": {"nowPlaying": {"entry": []}},
    "getTopSongs": {"topSongs": {"song": []}},
    "getBookmarks": {"bookmarks": {"bookmark": []}},
    "getInternetRadioStations": {"internetRadioStations": {"internetRadioStation": []}},
    "getPodcasts": {"podcasts": {"channel": []}},
    "getNewestPodcasts": {"newestPodcasts": {"episode": []}},
    "getShares": {"shares": {"share": []}},
    "getVideos": {"videos": {"video": []}},
    "getLyrics": {"lyrics": {"value": ""}},
    "getAlbumInfo": {"albumInfo": {}},
    "getAlbumInfo2": {"albumInfo": {}},
}


def scrobble(call: Call) -> Content:
    """Take note that songs were played, and forget it: nothing is learnt from plays."""
    call.parameters.required("id")
    for track in call.parameters.all("id"):
        call.row_of(track)
    return {}


def _always(content: Content) -> Endpoint:
    def endpoint(call: Call) -> Content:
        del call
        return content

    return endpoint


ENDPOINTS: dict[str, Endpoint] = {name: _always(content) for name, content in EMPTY.items()}
ENDPOINTS["scrobble"] = scrobble
