"""A small library with awkward names, and callers of OpenSubsonic over it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_model import write_tone
from soundalike.library.library import Library

PICTURE = b"\x89PNG\r\n\x1a\n" + b"not much of a picture"
# file -> pitch, tags
SONGS: dict[str, tuple[float, dict[str, str]]] = {
    "Beyoncé/One/1.flac": (
        220.0,
        {"title": "First", "artist": "Beyoncé", "track": "1", "disc": "2/2"},
    ),
    "Beyoncé/One/2.flac": (
        233.0,
        {"title": "Second", "artist": "BEYONCE", "track": "2", "disc": "1"},
    ),
    "Beyoncé/One/3.flac": (
        247.0,
        {"title": "Third", "artist": "Beyoncé", "track": "3", "disc": "1"},
    ),
    "Various/A.flac": (440.0, {"title": "A & <B>", "artist": "The Ones", "track": "1"}),
    "Various/B.mp3": (466.0, {"title": "Guest", "artist": "Beyoncé", "track": "2"}),
    "none.flac": (880.0, {}),
    "odd \x07 \n name.flac": (932.0, {"title": "Odd name", "artist": "The Ones"}),
}
ALBUMS = {
    "Beyoncé/One": {"album": "One", "date": "2001", "genre": "Pop"},
    "Various": {"album": "Many", "album_artist": "Various Artists", "date": "1999", "genre": "pop"},
}


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    for number, (name, (pitch, tags)) in enumerate(SONGS.items()):
        more = ALBUMS.get(os.path.dirname(name), {})  # noqa: PTH120 - not of this system
        write_tone(folder / name, pitch, 4.0 + number, tags=tags | more)
    write_tone(folder / os.fsdecode(b"latin \xe9.flac"), 700.0, 12.0, tags={"title": "Latin"})
    (folder / "Beyoncé/One/cover.png").write_bytes(PICTURE)
    return folder


@pytest.fixture
def kept(tmp_path: Path, model: Path, indexed: Path) -> Library:
    """A library of its own, which a test may write playlists to."""
    target = tmp_path / "library"
    target.mkdir()
    for path in indexed.iterdir():
        (target / path.name).symlink_to(path)
    return Library(target, model=model)


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, model: Path, songs: Path) -> Path:
    folder = tmp_path_factory.mktemp("indexed") / "library"
    Library(folder, model=model).index([songs])
    return folder


class Caller:
    """Calls endpoints and takes the answers apart."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def __call__(self, name: str, /, **parameters: Any) -> dict[str, Any]:
        """The content of a response in JSON, failed or not."""
        answer = self.client.get(f"/rest/{name}", params={"f": "json", **parameters})
        assert answer.status_code == 200, answer.text
        response: dict[str, Any] = json.loads(answer.text)["subsonic-response"]
        return response

    def failure(self, name: str, /, **parameters: Any) -> int:
        """The number a call fails by."""
        response = self(name, **parameters)
        assert response["status"] == "failed", response
        code: int = response["error"]["code"]
        return code


@pytest.fixture
def call(serve: Callable[..., TestClient], kept: Library) -> Caller:
    return Caller(serve(kept))


@pytest.fixture
def song_ids(kept: Library) -> dict[str, str]:
    return {track.title: track.id for track in kept.tracks()}
