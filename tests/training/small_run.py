"""A small training run for tests: generated music on disk, and a recipe that learns from it in seconds."""

from __future__ import annotations

import csv
import dataclasses
import wave
from pathlib import Path
from typing import Any

import numpy as np

from small_model import RATE, small_ast
from soundalike.model.waveform_encoder import ModelSettings
from soundalike.training.recipe import Recipe


def small_model() -> ModelSettings:
    """The model of these runs."""
    return small_ast("small")


def small_recipe(music: Path, cache: Path, **changes: Any) -> Recipe:
    """A recipe over `music`; changes of a table are given as a dict of its keys."""
    tables: dict[str, dict[str, Any]] = {
        "data": {"music": str(music), "cache": str(cache), "workers": 0},
        "contrast": {"hidden": 16, "out": 8, "masks": 2, "keep": 0.5},
        "teacher": {},
        "optimizer": {"batch": 4, "steps": 12, "learning_rate": 3e-3, "warmup": 2, "ema": 0.9},
        "validation": {"every": 4},
    }
    for name, table in tables.items():
        table.update(changes.pop(name, {}))
    parts = Recipe(model=small_model())
    built = {
        name: dataclasses.replace(getattr(parts, name), **table) for name, table in tables.items()
    }
    return dataclasses.replace(parts, **built, **changes)


def write_tunes(folder: Path, *, train: int = 6, validation: int = 3, seconds: float = 4.0) -> Path:
    """Tunes as 16-bit WAV files, two to an album, and the tracks.csv that lists them; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / "tracks.csv"
    with listing.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "split", "soundtrack", "artist"])
        for number in range(train + validation):
            album = f"album-{number // 2}"
            path = folder / album / f"tune-{number:02}.wav"
            write_wav(path, tune(number, seconds))
            split = "train" if number < train else "validation"
            rows.writerow([f"{album}/{path.name}", split, album, ""])
    return listing


def tune(seed: int, seconds: float) -> np.ndarray:
    """A melody, float32 [T]: notes of one pentatonic scale in one timbre and tempo, all by `seed`.

    The notes never repeat; what two places of a tune share is how it sounds.
    """
    rng = np.random.default_rng(seed)
    root = 110 * 2 ** rng.uniform(0, 2)
    overtones = rng.uniform(0, 1, size=6) ** 2 * rng.uniform(0.4, 1.0) ** np.arange(6)
    decay, length = rng.uniform(2, 12), int(rng.uniform(0.08, 0.3) * RATE)
    t = np.arange(length) / RATE
    notes = []
    for degree in rng.choice([0, 2, 4, 7, 9, 12], size=int(seconds * RATE / length) + 1):
        phases = 2 * np.pi * root * 2 ** (degree / 12) * np.outer(np.arange(1, 7), t)
        notes.append(np.exp(-decay * t) * (overtones @ np.sin(phases)))
    melody = np.concatenate(notes)[: int(seconds * RATE)]
    return (0.5 * melody / np.abs(melody).max()).astype(np.float32)


def write_wav(path: Path, waveform: np.ndarray) -> None:
    """A mono 16-bit file at `RATE`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(waveform * 32767).astype("<i2").tobytes())
