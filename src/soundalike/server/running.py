"""uvicorn: one worker or several, and an end in good order."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from soundalike.library.library import Library
from soundalike.server.app import create_app
from soundalike.server.settings import Settings


def run(library: Path, settings: Settings) -> None:
    """Serve a library until told to stop."""
    with tempfile.TemporaryDirectory(prefix="soundalike-") as state:
        settings = dataclasses.replace(settings, state=Path(state))
        uvicorn.run(
            make_app(library, settings),
            host=settings.host,
            port=settings.port,
            access_log=False,
            log_level="warning",
            server_header=False,
        )


def make_app(library: Path, settings: Settings) -> FastAPI:
    """The app of one worker."""
    return create_app(Library(library, model=settings.model), settings)
