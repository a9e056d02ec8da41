"""Whether the server is there, what it can do, and who calls."""

from __future__ import annotations

from soundalike.server.errors import RefusedError
from soundalike.server.subsonic.call import Call, Content, Endpoint

EXTENSIONS = {"apiKeyAuthentication": [1], "formPost": [1], "sonicSimilarity": [1]}
"""Of OpenSubsonic, with their versions."""


def ping(call: Call) -> Content:
    """Be there."""
    del call
    return {}


def extensions() -> Content:
    """What of OpenSubsonic there is; for everybody, also without a login."""
    listed = [{"name": name, "versions": versions} for name, versions in EXTENSIONS.items()]
    return {"openSubsonicExtensions": listed}


def license_(call: Call) -> Content:
    """Say that nothing has to be bought."""
    del call
    return {"license": {"valid": True}}


def user(call: Call) -> Content:
    """Say what who calls may do; there is one kind of user."""
    may = ("downloadRole", "playlistRole", "streamRole", "scrobblingEnabled")
    may_not = (
        *("adminRole", "settingsRole", "uploadRole", "coverArtRole", "commentRole"),
        *("podcastRole", "jukeboxRole", "shareRole", "videoConversionRole"),
    )
    name = call.parameters.text("username", call.user)
    folders = list(range(1, len(call.catalog.folders) + 1))
    roles = dict.fromkeys(may, True) | dict.fromkeys(may_not, False)
    return {"user": {"username": name, **roles, "folder": folders}}


def token_info(call: Call) -> Content:
    """Name the user an API key belongs to."""
    return {"tokenInfo": {"username": call.user}}


def scan_status(call: Call) -> Content:
    """Whether the library is being indexed, and how many tracks there are."""
    job = call.here.jobs.current()
    scanning = job is not None and job["state"] == "running"
    return {"scanStatus": {"scanning": scanning, "count": len(call.catalog)}}


def start_scan(call: Call) -> Content:
    """Index the folders of the library once more, unless that is being done already."""
    try:
        call.here.jobs.start([])
    except RefusedError as error:
        if error.kind != "indexing":
            raise
    return scan_status(call)


ENDPOINTS: dict[str, Endpoint] = {
    "ping": ping,
    "getLicense": license_,
    "getUser": user,
    "tokenInfo": token_info,
    "getScanStatus": scan_status,
    "startScan": start_scan,
}
