from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from fake_model import write_tone
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


def test_a_scan_takes_up_new_files(
    serve: Callable[..., TestClient], model: Path, tmp_path: Path
) -> None:
    music = tmp_path / "music"
    write_tone(music / "a.flac", 440.0, 3.0)
    library = Library(tmp_path / "own", model=model)
    library.index([music])
    call = Caller(serve(library))
    write_tone(music / "b.flac", 550.0, 3.0, tags={"artist": "New"})
    assert call("startScan")["scanStatus"]["count"] == 1
    assert call("startScan")["status"] == "ok"
    end = time.monotonic() + 60
    while call("getScanStatus")["scanStatus"] != {"scanning": False, "count": 2}:
        assert time.monotonic() < end
        time.sleep(0.05)
    letters = call("getArtists")["artists"]["index"]
    assert [each["name"] for each in letters] == ["#", "N"]
