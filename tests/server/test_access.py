"""Who may ask, and from where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from server.conftest import TOKEN
from soundalike.server import access

Serve = Callable[..., TestClient]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
# Every kind of room; the pictures of the library are tried by their own tests.
ROOMS = (
    "/api/tracks",
    "/api/failures",
    "/api/index",
    "/api/map",
    "/metrics",
    "/api/nothing",
    "/no",
)
WRONG = (
    {},
    {"Authorization": "Bearer "},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN},
    {"Authorization": "Bearer \xff\xfe"},
    {"Cookie": f"{access.COOKIE}={TOKEN}"},
    {"Cookie": f"{access.COOKIE}="},
)


@pytest.mark.parametrize("headers", WRONG)
@pytest.mark.parametrize("room", ROOMS)
def test_without_the_token_nothing_is_told(
    serve: Serve, room: str, headers: dict[str, str]
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = serve(token=TOKEN).get(room, headers=raw)
    assert answer.status_code == 401
    assert answer.json()["error"]["kind"] == "unauthorized"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("room", ROOMS[:-2])
def test_with_the_token_all_is(serve: Serve, room: str) -> None:
    assert serve(token=TOKEN).get(room, headers=BEARER).status_code == 200


@pytest.mark.parametrize("room", ["/health", "/api/openapi.json", "/api/status"])
def test_some_rooms_are_open(serve: Serve, room: str) -> None:
    assert serve(token=TOKEN).get(room).status_code == 200


def test_a_stranger_is_told_nothing_about_the_music(serve: Serve) -> None:
    told = serve(token=TOKEN).get("/api/status").json()
    assert (told["needs_token"], told["authenticated"], told["tracks"]) == (True, False, 0)
    assert told["roots"] == []
    assert told["model"] is None
    assert serve(token=TOKEN).get("/api/status", headers=BEARER).json()["tracks"] == 5


def test_the_page_exchanges_the_token_for_a_cookie(serve: Serve) -> None:
    client = serve(token=TOKEN)
    assert client.post("/api/session", json={"token": "wrong-token"}).status_code == 401
    answer = client.post("/api/session", json={"token": TOKEN})
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 204
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert TOKEN not in cookie
    assert client.get("/api/tracks").status_code == 200
    client.delete("/api/session")
    assert client.get("/api/tracks").status_code == 401


def test_a_cookie_of_another_token_is_none(serve: Serve) -> None:
    client = serve(token=TOKEN)
    client.cookies.set(access.COOKIE, access.session_of("another-token"))
    assert client.get("/api/tracks").status_code == 401
    client.cookies.set(access.COOKIE, access.session_of(TOKEN))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", ""],
)
def test_another_name_for_this_machine_is_refused(serve: Serve, host: str) -> None:
    answer = serve().get("/api/status", headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (421, "wrong_host")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:99", "[::1]:80", "LOCALHOST:1", "a.localhost", "127.9.9.9"]
)
def test_names_of_this_machine_are_not(serve: Serve, host: str) -> None:
    assert serve().get("/api/status", headers={"Host": host}).status_code == 200


def test_addresses_of_others_are_none_of_this_machine(serve: Serve) -> None:
    assert serve().get("/api/status", headers={"Host": "10.0.0.1"}).status_code == 421
    # Whoever lets everybody in from everywhere is called by any address, but not by any name.
    client = serve(host="0.0.0.0")
    assert client.get("/api/status", headers={"Host": "10.0.0.1"}).status_code == 200
    assert client.get("/api/status", headers={"Host": "evil.example"}).status_code == 421
    named = serve(host="0.0.0.0", allowed_hosts=("music.example",))
    assert named.get("/api/status", headers={"Host": "Music.example:80"}).status_code == 200


FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "127.0.0.1:8080"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    ("method", "room"), [("POST", "/api/index"), ("DELETE", "/api/index"), ("GET", "/api/tracks")]
)
def test_pages_of_others_cannot_ask(
    serve: Serve, method: str, room: str, headers: dict[str, str]
) -> None:
    for client in (serve(), _with_cookie(serve)):
        answer = client.request(method, room, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["error"]["kind"] == "foreign_origin"


def test_the_own_page_can(serve: Serve) -> None:
    own = {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}
    assert serve().get("/api/tracks", headers=own).status_code == 200
    assert _with_cookie(serve).get("/api/tracks", headers=own).status_code == 200


def test_who_brings_the_token_may_come_from_anywhere(serve: Serve) -> None:
    assert serve(token=TOKEN).get("/api/tracks", headers=BEARER | FOREIGN[0]).status_code == 200


def test_an_allowed_origin_may_ask_and_no_other(serve: Serve) -> None:
    client = serve(cors=("https://player.example",))
    answer = client.get("/api/tracks", headers={"Origin": "https://player.example"})
    assert answer.headers["access-control-allow-origin"] == "https://player.example"
    assert client.get("/api/tracks", headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_player_of_an_allowed_origin_may_play_and_show(serve: Serve) -> None:
    """An audio element names its page by the Referer alone."""
    client = serve(cors=("https://player.example",))
    asked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    for referer, status in (
        ("https://player.example/", 200),
        ("https://player.example.evil.example/", 403),
        ("http://[", 403),
        ("", 403),
    ):
        answer = client.get("/api/tracks", headers={**asked, "Referer": referer})
        assert answer.status_code == status, referer
        assert serve().get("/api/tracks", headers={**asked, "Referer": referer}).status_code == 403


def test_nobody_may_read_from_elsewhere_unless_told_so(serve: Serve) -> None:
    answer = serve().options(
        "/api/tracks",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
    )
    assert "access-control-allow-origin" not in answer.headers


def test_comparing_takes_all_kinds_of_text() -> None:
    assert access.same("a", "a")
    for given in ("", "A", "a ", "ä", "\udcff", "a" * 10_000):
        assert not access.same(given, "a")


@pytest.mark.parametrize(
    ("path", "root", "below"),
    [
        ("/music/api/x", "/music", "/api/x"),
        ("/api/x", "/music", "/api/x"),
        ("/musical/api", "/music", "/musical/api"),
        ("/music", "/music", "/music"),
    ],
)
def test_the_path_below_the_root(path: str, root: str, below: str) -> None:
    assert access.path_of({"path": path, "root_path": root}) == below


@pytest.mark.parametrize("path", ["/music/api/tracks", "/api/tracks"])
def test_behind_a_proxy_the_rules_are_the_same(serve: Serve, path: str) -> None:
    client = serve(token=TOKEN, root_path="/music")
    assert client.get(path).status_code == 401
    assert client.get(path, headers=BEARER).status_code == 200
    cookie = client.post("/music/api/session", json={"token": TOKEN}).headers["set-cookie"]
    assert "Path=/music" in cookie


def _with_cookie(serve: Serve) -> TestClient:
    client = serve(token=TOKEN)
    client.cookies.set(access.COOKIE, access.session_of(TOKEN))
    return client
