"""A list of little pieces: two hands on one channel each, and people who play them in their own time."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import mido
import numpy as np

TICKS = 480
"""To a beat; a beat lasts half a second."""

Notes = Iterable[tuple[float, float, int]]
"""Onset and duration in seconds, key."""


def melody(seed: int, notes: int, *, step: float = 0.25) -> list[tuple[float, float, int]]:
    """A right hand above middle C, a note every `step` seconds."""
    keys = np.random.default_rng(seed).integers(62, 84, notes)
    return [(i * step, step, int(key)) for i, key in enumerate(keys)]


def bass(seed: int, notes: int, *, step: float = 0.5) -> list[tuple[float, float, int]]:
    """A left hand below C3, a note every `step` seconds."""
    keys = np.random.default_rng(1_000 + seed).integers(33, 46, notes)
    return [(i * step, step, int(key)) for i, key in enumerate(keys)]


def write_midi(path: Path, *hands: Notes, channel: int = 0) -> Path:
    """A track for each hand, all on one channel; the first one sets the program."""
    midi = mido.MidiFile(ticks_per_beat=TICKS)
    for hand in hands:
        events = sorted(
            event
            for onset, duration, key in hand
            for event in ((onset + duration, 0, key), (onset, 1, key))
        )
        track, now = mido.MidiTrack(), 0
        if not midi.tracks:
            track.append(mido.Message("program_change", channel=channel, program=0))
        for seconds, starts, key in events:
            tick = round(seconds * 2 * TICKS)
            kind = "note_on" if starts else "note_off"
            track.append(mido.Message(kind, channel=channel, note=key, time=tick - now))
            now = tick
        midi.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    midi.save(path)
    return path


def write_pieces(folder: Path, count: int = 4, *, notes: int = 16) -> Path:
    """`count` pieces by two composers for evaluation, one performance each, and one for training."""
    rows = []
    for i in range(count):
        composer, name = ("Abel", "Bohm")[i % 2], f"set:{i}"
        hands = melody(i, notes), bass(i, notes // 2)
        write_midi(folder / f"{i}/score.mid", *hands)
        slowly = [[(1.5 * on, 1.5 * length, key) for on, length, key in hand] for hand in hands]
        write_midi(folder / f"{i}/played.mid", sorted(slowly[0] + slowly[1]))
        rows.append((f"{i}/score.mid", "evaluation only", name, "score", composer))
        rows.append((f"{i}/played.mid", "evaluation only", name, "performance:Ann", composer))
    write_midi(folder / "seen.mid", melody(99, notes))
    rows.append(("seen.mid", "training", "set:seen", "score", "Abel"))
    return write_rows(folder / "pieces.csv", rows)


def write_rows(path: Path, rows: Iterable[tuple[str, ...]]) -> Path:
    """A list of pieces: rows of path, use, piece, role, composer."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "use", "piece", "role", "composer"])
        writer.writerows(rows)
    return path
