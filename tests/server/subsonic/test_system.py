from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from server.subsonic.conftest import Caller
from soundalike.library.library import Library


def test_ping_and_license(call: Caller) -> None:
    assert call("ping")["status"] == "ok"
    assert call("getLicense")["license"] == {"valid": True}


def test_extensions_are_for_everybody(serve: Callable[..., TestClient], kept: Library) -> None:
    guarded = Caller(serve(kept, token="secret"))
    listed = guarded("getOpenSubsonicExtensions")["openSubsonicExtensions"]
    assert {each["name"]: each["versions"] for each in listed} == {
        **{"apiKeyAuthentication": [1], "formPost": [1], "sonicSimilarity": [1]}
    }
    assert guarded.failure("ping") == 10


def test_a_user_may_listen_and_not_rule(call: Caller) -> None:
    user = call("getUser", username="ann")["user"]
    assert user["username"] == "ann"
    assert user["streamRole"]
    assert not user["adminRole"]
    assert user["folder"] == [1]


def test_a_key_belongs_to_somebody(call: Caller) -> None:
    assert call("tokenInfo", apiKey="x")["tokenInfo"]["username"] == "soundalike"


def test_tracks_are_counted(call: Caller) -> None:
    assert call("getScanStatus")["scanStatus"] == {"scanning": False, "count": 8}
