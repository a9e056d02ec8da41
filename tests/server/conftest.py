"""A small library of tones, served; and clients of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_model import write_fake_model, write_tone
from soundalike.library.library import Library
from soundalike.server.app import create_app
from soundalike.server.settings import Settings

TOKEN = "a-token-for-tests"
LOCAL = "http://127.0.0.1:8080"
PITCHES = {"low": 220.0, "lower": 233.0, "middle": 440.0, "high": 880.0, "higher": 932.0}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("model") / "fake")


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for number, (name, pitch) in enumerate(PITCHES.items()):
        artist = "Low & <Slow>" if pitch < 300 else "Bright"
        tags = {"title": name, "artist": artist, "album": f"{artist} I", "genre": "Tones"}
        tags |= {"date": str(1990 + number), "track": str(number + 1)}
        write_tone(folder / artist.split()[0] / f"{name}.flac", pitch, 8.0 + number, tags=tags)
    return folder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, model: Path, music: Path) -> Library:
    library = Library(tmp_path_factory.mktemp("kept") / "library", model=model)
    library.index([music])
    return library


@pytest.fixture(scope="session")
def settings(model: Path) -> Settings:
    return Settings(model=str(model), access_log=False, index_nice=0)


@pytest.fixture
def serve(library: Library, settings: Settings) -> Iterator[Callable[..., TestClient]]:
    """Serve the library with other settings, given by name."""
    clients: list[TestClient] = []

    def client(served: Library = library, **changes: Any) -> TestClient:
        app = create_app(served, dataclasses.replace(settings, **changes))
        clients.append(TestClient(app, base_url=LOCAL, raise_server_exceptions=False))
        clients[-1].__enter__()
        return clients[-1]

    yield client
    for each in clients:
        each.__exit__(None, None, None)


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve()


@pytest.fixture
def ids(library: Library) -> dict[str, str]:
    return {track.title: track.id for track in library.tracks()}
