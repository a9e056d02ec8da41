"""The whole app: attacked from its own description, and what holds of every answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.generation import GenerationMode
from starlette.testclient import TestClient

from soundalike.library.library import Library
from soundalike.server.app import create_app
from soundalike.server.headers import HEADERS
from soundalike.server.settings import Settings

Serve = Callable[..., TestClient]

# What test_jobs tries for real, and the stream of events, which has no end.
LEFT_OUT = "/api/index"
# Where nothing made up fits: a name of an artist, the bytes of a song, a picture of a tone.
SELDOM = {
    *("/api/artists/similar", "/api/albums/similar", "/api/similar/upload"),
    "/api/tracks/{track}/artwork",
}
# What a body may lack by its description, but not without something else in its place.
NEEDED = {("post", "/api/radio"): "seeds", ("post", "/api/similar"): "like"}
EXAMPLES = 20
CHECKS = [
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_schema_conformance", "response_headers_conformance"),
]


def operations() -> list[tuple[str, str]]:
    """Every method of every room; the description is the same for any library."""
    paths = create_app(Library("nowhere")).openapi()["paths"]
    return [
        (path, method)
        for path, methods in paths.items()
        for method in methods
        if not path.startswith(LEFT_OUT)
    ]


@pytest.fixture(scope="module")
def described(library: Library, settings: Settings) -> Any:
    changes = {"allowed_hosts": ("testserver",), "uploads_per_minute": 10_000}
    app = create_app(library, dataclasses.replace(settings, **changes))  # type: ignore[arg-type]
    return schemathesis.openapi.from_asgi("/api/openapi.json", app)


@pytest.mark.parametrize(("path", "method"), operations())
def test_whatever_is_asked_is_answered_as_described(
    described: Any, ids: dict[str, str], path: str, method: str
) -> None:
    known = list(ids.values())
    codes, room = set(), described[path][method]
    # That what fits the description is accepted cannot be asked: an id may fit and be unknown.
    checks = schemathesis.checks.CHECKS.get_by_names(CHECKS)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=hypothesis.strategies.one_of(*map(room.as_strategy, GenerationMode)))
    def ask(case: schemathesis.Case) -> None:
        for part in (case.path_parameters, case.query, case.body):
            if isinstance(part, dict):
                _with_tracks(part, known, NEEDED.get((method, path)))
        answer = case.call()
        codes.add(answer.status_code)
        case.validate_response(answer, checks=checks)
        assert {name: answer.headers[name] for name in HEADERS} == {
            name: [value] for name, value in HEADERS.items()
        }
        if answer.status_code >= 400:
            assert set(answer.json()["error"]) == {"kind", "message"}

    ask()
    assert codes & {200, 204} or path in SELDOM, codes


def _with_tracks(part: dict[str, Any], known: list[str], needed: str | None) -> None:
    """Make every other question a plain one about tracks that are there."""
    if len(str(part)) % 2:
        return
    for number, name in enumerate(("track", "id", "from", "to", "ids", "seeds", "like")):
        given = part.get(name)
        if isinstance(given, str):
            part[name] = known[number % len(known)]
        elif isinstance(given, list) or name == needed:
            part[name] = known[number % len(known) :]
    for name in ("filter", "dislike", "vectors", "state", "start", "end", "sense", "aggregation"):
        part.pop(name, None)


ROOMS = ("/api/status", "/api/tracks/none", "/none", "/metrics", "/api/openapi.json", "/health")


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("changes", [{}, {"token": "a-token-for-tests"}])
def test_every_answer_carries_the_policy(serve: Serve, room: str, changes: dict[str, str]) -> None:
    for headers in ({}, {"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        answer = serve(**changes).get(room, headers=headers)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    policy = HEADERS["content-security-policy"]
    parts = dict(part.split(" ", 1) for part in policy.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy


def test_there_are_no_pages_with_foreign_scripts(client: TestClient) -> None:
    for room in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(room).status_code == 404


def test_the_description_names_every_room_of_the_contract(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    contract = {
        *("/api/status", "/api/session", "/api/tracks", "/api/tracks/{track}", "/api/search"),
        *("/api/tracks/{track}/audio", "/api/tracks/{track}/artwork", "/api/similar"),
        *("/api/tracks/{track}/versions", "/api/duplicates", "/api/similar/upload", "/api/path"),
        *("/api/radio", "/api/mix", "/api/sort", "/api/map", "/api/artists", "/api/albums"),
        *("/api/artists/similar", "/api/albums/similar", "/api/playlist", "/api/playlist.m3u8"),
        *("/api/failures", "/api/index", "/api/index/events", "/health", "/metrics"),
    }
    assert contract <= set(paths)
    for operations in paths.values():
        for operation in operations.values():
            assert operation["responses"]["4XX"]["content"]["application/json"]


def test_many_at_once_are_all_answered(client: TestClient, ids: dict[str, str]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> int:
        asked = {"id": list(ids.values())[number % 5], "n": 3}
        return client.get("/api/similar", params=asked).status_code

    with ThreadPoolExecutor(50) as threads:
        assert set(threads.map(ask, range(300))) == {200}
