from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as tried
from hypothesis import strategies as st
from starlette.testclient import TestClient

from server.subsonic import shapes
from server.subsonic.conftest import Caller
from soundalike.library.library import Library
from soundalike.server.subsonic.absent import EMPTY
from soundalike.server.subsonic.routing import ENDPOINTS, PUBLIC

Serve = Callable[..., TestClient]
HEAD = ("status", "version", "type", "serverVersion", "openSubsonic")
BINARY = ("stream", "download", "getCoverArt")


@pytest.fixture
def every_call(call: Caller, song_ids: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Calls that succeed, of every endpoint that answers by a response with shapes."""
    song = call("getSong", id=song_ids["First"])["song"]
    album, artist = {"id": song["albumId"]}, {"id": song["artistId"]}
    made = call("createPlaylist", name="a & <b>", songId=[song["id"]], comment="\u2028")
    one = {"id": song["id"]}
    ends = {"startSongId": song["id"], "endSongId": song_ids["Odd name"]}
    return [
        *(
            (name, {})
            for name in (PUBLIC, "ping", "getLicense", "getMusicFolders", "getScanStatus")
        ),
        *((name, {}) for name in ("getIndexes", "getArtists", "getGenres", "search2", "search3")),
        *((name, artist) for name in ("getArtist", "getArtistInfo", "getArtistInfo2")),
        *((name, {"type": "alphabeticalByName"}) for name in ("getAlbumList", "getAlbumList2")),
        *(("getMusicDirectory", each) for each in (album, artist, {"id": "1"})),
        *((name, one) for name in ("getSong", "getSimilarSongs", "getSimilarSongs2")),
        ("getAlbum", album),
        ("getSongsByGenre", {"genre": "pop"}),
        ("getTopSongs", {"artist": "x"}),
        ("getSonicSimilarTracks", one),
        ("findSonicPath", ends),
        ("getPlaylists", {}),
        ("getPlaylist", {"id": made["playlist"]["id"]}),
        ("updatePlaylist", {"playlistId": made["playlist"]["id"], "name": "y"}),
        ("scrobble", one),
    ]


def test_every_answer_has_the_shapes_of_opensubsonic_in_xml_and_json(
    call: Caller, every_call: list[tuple[str, dict[str, Any]]]
) -> None:
    for name, given in every_call:
        in_xml = call.client.get(f"/rest/{name}.view", params=given)
        assert in_xml.headers["content-type"] == "text/xml; charset=utf-8"
        in_json = call.client.get(f"/rest/{name}", params={**given, "f": "json"})
        assert in_json.headers["content-type"] == "application/json"
        found = shapes.from_json(in_json.json()["subsonic-response"])
        assert found.status == "ok", (name, found)
        assert _printed(shapes.from_xml(in_xml.content)) == _printed(found)
        content = found.model_fields_set - {*HEAD}
        assert len(content) == (0 if name in ("ping", "scrobble", "updatePlaylist") else 1)


def test_nothing_is_left_out_of_that(every_call: list[tuple[str, dict[str, Any]]]) -> None:
    called = {name for name, _ in every_call} - {PUBLIC}
    others = {"getUser", "tokenInfo", "createPlaylist", "deletePlaylist", "getRandomSongs"}
    others |= {"startScan"}
    assert called | others | set(BINARY) | set(EMPTY) == set(ENDPOINTS)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("suffix", ["", ".view"])
def test_names_with_and_without_view_by_both_methods(
    call: Caller, method: str, suffix: str
) -> None:
    answer = call.client.request(method, f"/rest/ping{suffix}?f=json")
    assert answer.json()["subsonic-response"]["status"] == "ok"


@pytest.mark.parametrize(
    "name", ["nothing", "Ping", "ping.view.view", ".view", "star", "%00", "ping%20", "<b>", "%ff"]
)
def test_what_is_no_endpoint_is_told(call: Caller, name: str) -> None:
    answer = call.client.get(f"/rest/{name}?f=json")
    assert answer.json()["subsonic-response"]["error"]["code"] == 0
    assert call.client.get(f"/rest/{name}/more").status_code == 404


def test_a_login_is_asked_for_everywhere_but_for_the_extensions(
    serve: Serve, kept: Library
) -> None:
    guarded = Caller(serve(kept, token="secret"))
    for name in ENDPOINTS:
        assert guarded.failure(name, id="x") == 10
        assert guarded.failure(name, u="ann", p="wrong", id="x") == 40
        assert guarded.failure(name, apiKey="wrong", id="x") == 44
        assert guarded.failure(name, u="ann", apiKey="secret", id="x") == 43
    assert guarded(PUBLIC)["status"] == "ok"
    assert guarded.failure("nothing") == 10


def test_three_ways_to_log_in(serve: Serve, kept: Library) -> None:
    guarded = Caller(serve(kept, token="secret"))
    hashed = hashlib.md5(b"secretsalt").hexdigest()
    for login in (
        {"u": "ann", "p": "secret"},
        {"u": "ann", "p": "enc:736563726574"},
        {"u": "ann", "t": hashed, "s": "salt"},
        {"apiKey": "secret"},
    ):
        assert guarded("ping", **login)["status"] == "ok"
        form = guarded.client.post("/rest/ping", data={**login, "f": "json"})
        assert form.json()["subsonic-response"]["status"] == "ok"


def test_protocols_that_do_not_fit(call: Caller) -> None:
    assert call("ping", v="1.16.1")["status"] == call("ping", v="1.8")["status"] == "ok"
    assert call.failure("ping", v="0.9.0") == 20
    assert call.failure("ping", v="2.0.0") == 30
    assert call.failure("ping", v="new") == 0


def test_jsonp_is_a_script(call: Caller) -> None:
    answer = call.client.get("/rest/ping?f=jsonp&callback=player.take")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.text.startswith("/**/player.take({")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_of_others_may_not_ask_where_there_is_no_token(
    call: Caller, song_ids: dict[str, str]
) -> None:
    """Or any page could read the library through JSONP, and delete playlists by pictures."""
    made = call("createPlaylist", name="x")["playlist"]["id"]
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Origin": "https://elsewhere.example"},
        {"Host": "rebound.example"},
    ):
        for path in (f"deletePlaylist?id={made}", "search3?query=&f=jsonp&callback=x"):
            answer = call.client.get(f"/rest/{path}", headers=headers)
            assert answer.status_code in (403, 421)
    assert call("getPlaylist", id=made)["status"] == "ok"


def test_an_empty_library_answers_too(serve: Serve, model: Any, tmp_path: Any) -> None:
    call = Caller(serve(Library(tmp_path / "none", model=model)))
    for name in sorted(ENDPOINTS):
        response = call(name, id="x", type="newest", genre="x", name="", startSongId="x")
        assert response["status"] == "ok" or response["error"]["code"] in (0, 10, 70)
    assert call("search3", query="words")["searchResult3"]["song"] == []
    assert call("getIndexes")["indexes"]["index"] == []


# Numbers, ids, and what has broken parsers.
ODD = [
    "",
    "0",
    "-1",
    "1",
    "2",
    "9" * 30,
    "1e3",
    "NaN",
    "true",
    "'",
    '"',
    "\0",
    "\ud800",
    "%",
    "../x",
]
NAMES = [
    *("id", "songId", "playlistId", "name", "query", "type", "size", "count", "offset", "genre"),
    *("fromYear", "toYear", "musicFolderId", "artistCount", "albumOffset", "songCount", "comment"),
    *("songOffset", "startSongId", "endSongId", "songIdToAdd", "songIndexToRemove", "public"),
    *("f", "callback", "u", "p", "t", "s", "apiKey", "v", "c", "username", "ifModifiedSince"),
]
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


@st.composite
def parameters(draw: st.DrawFn, known: list[str]) -> list[tuple[str, str]]:
    value = st.one_of(st.sampled_from(known), st.sampled_from(ODD), ANY_TEXT)
    likely = st.tuples(st.sampled_from(NAMES), value)
    chosen = draw(st.lists(likely, max_size=8))
    form = draw(st.sampled_from(["xml", "json", "json", "jsonp"]))
    kind = draw(st.sampled_from(["byYear", "byGenre", "random", "newest", "alphabeticalByArtist"]))
    # Of several values the first counts; what an endpoint cannot do without is nearly always there.
    ids = ("id", "startSongId", "endSongId", "playlistId", "songIdToAdd", "songId")
    usual = [(name, draw(st.sampled_from(known))) for name in ids if draw(st.integers(0, 9))]
    years = [("fromYear", "1990"), ("toYear", "2010"), ("genre", "pop"), ("type", kind)]
    return [*chosen, *usual, *years, ("f", form), ("callback", "f"), ("name", "n")]


def test_whatever_is_asked_is_answered(
    serve: Serve, kept: Library, song_ids: dict[str, str]
) -> None:
    """Any endpoint, any parameters: a response that is well formed, or a file of the library."""
    call = Caller(serve(kept))
    song = call("getSong", id=song_ids["First"])["song"]
    made = call("createPlaylist", name="x", songId=song["id"])["playlist"]["id"]
    names = [*sorted(set(ENDPOINTS) - {"startScan"}), PUBLIC, "nothing"]
    known = [*song_ids.values(), song["albumId"], song["artistId"], made, "pop", "beyonce"]

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @tried(st.sampled_from(names), parameters(known), st.booleans())
    def ask(name: str, pairs: list[tuple[str, str]], as_form: bool) -> None:
        encoded = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)
        if as_form:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = call.client.post(f"/rest/{name}", content=encoded, headers=headers)
        else:
            answer = call.client.get(f"/rest/{name}?{encoded}")
        assert answer.status_code == 200, (answer.status_code, answer.text)
        kind = answer.headers["content-type"]
        if kind.startswith(("audio/", "image/")):
            assert name in BINARY
        elif kind.startswith("text/xml"):
            root = shapes.ElementTree.fromstring(answer.content)
            assert root.get("status") in ("ok", "failed")
        else:
            text = answer.text
            if kind.startswith("text/javascript"):
                text = text[text.index("(") + 1 : text.rindex(")")]
            response = json.loads(text)["subsonic-response"]
            if response["status"] == "failed":
                shapes.from_json(response)

    ask()
    assert all((kept.path / name).exists() for name in ("library.json", "playlists"))


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def _printed(found: shapes.Response) -> str:
    """What a response says, without what XML cannot."""
    text = found.model_dump_json(exclude_none=True)
    return text.replace("\\u0007", "\ufffd").replace("\ufffd", "?")
