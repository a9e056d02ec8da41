"""soundalike finds music that sounds like the music you are listening to, from the audio alone.

    from soundalike import Library

    library = Library("my-library")
    library.index(["~/Music"])
    for neighbor in library.similar("song.mp3", n=5):
        print(f"{neighbor.similarity:.2f}  {neighbor.track.artist} - {neighbor.track.title}")

Public names are resolved when first used, so importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundalike.audio.waveform import load_audio as load_audio
    from soundalike.embedder import Embedder as Embedder
    from soundalike.embedder import TrackVectors as TrackVectors
    from soundalike.errors import AudioError as AudioError
    from soundalike.errors import LibraryError as LibraryError
    from soundalike.errors import ModelError as ModelError
    from soundalike.errors import QueryError as QueryError
    from soundalike.errors import RecipeError as RecipeError
    from soundalike.errors import SoundalikeError as SoundalikeError
    from soundalike.library.ground import Route as Route
    from soundalike.library.ground import Step as Step
    from soundalike.library.library import Library as Library
    from soundalike.library.radio import Radio as Radio
    from soundalike.library.relating import GroupNeighbor as GroupNeighbor
    from soundalike.library.relating import TrackPair as TrackPair
    from soundalike.library.search import Match as Match
    from soundalike.library.search import Neighbor as Neighbor
    from soundalike.library.seeing import Cluster as Cluster
    from soundalike.library.seeing import Map as Map
    from soundalike.library.selection import Selection as Selection
    from soundalike.library.tracks import Track as Track

__version__ = "0.1.0"

_HOMES = {
    "AudioError": "errors",
    "Cluster": "library.seeing",
    "Embedder": "embedder",
    "GroupNeighbor": "library.relating",
    "Library": "library.library",
    "LibraryError": "errors",
    "Map": "library.seeing",
    "Match": "library.search",
    "ModelError": "errors",
    "Neighbor": "library.search",
    "QueryError": "errors",
    "Radio": "library.radio",
    "RecipeError": "errors",
    "Route": "library.ground",
    "Selection": "library.selection",
    "SoundalikeError": "errors",
    "Step": "library.ground",
    "Track": "library.tracks",
    "TrackPair": "library.relating",
    "TrackVectors": "embedder",
    "load_audio": "audio.waveform",
}

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'soundalike' has no attribute {name!r}")
    return getattr(importlib.import_module(f"soundalike.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
