"""Notation -> MIDI: a score in MusicXML, with each voice of each part on a channel of its own.

The conversion is partitura's (Cancino-Chacon et al., "Partitura: a Python package for symbolic
music processing", MEC 2022; Apache-2.0): tempo marks, dynamics as velocities, repeats not taken. It
is imported when it is needed: who trains on no scores need not have it.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import mido

from soundalike.errors import RecipeError
from soundalike.scores.orchestration import DRUMS

SUFFIXES = frozenset({".mxl", ".musicxml", ".xml"})

CHANNELS = [channel for channel in range(16) if channel != DRUMS]

PIANO, SINGER = 0, 53
"""Notation names instruments in many languages; here a part with chords is taken for a piano."""


def read_notation(path: Path) -> mido.MidiFile:
    """Convert a score in MusicXML, compressed or not; parts play `PIANO` or `SINGER`.

    Raises:
        RecipeError: partitura is not installed.
    """
    try:
        import partitura
    except ImportError:
        raise RecipeError(f"{path} is notation, and partitura is not installed") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on every tie and slur it finds odd
        midi = partitura.save_score_midi(partitura.load_musicxml(path), None)
    taken: dict[tuple[int, int], int] = {}
    for part, track in enumerate(midi.tracks):
        program = PIANO if _has_chords(track) else SINGER
        for i, message in enumerate(track):
            if not message.is_meta:
                # partitura counts each part's channels from 0. Past the 15th, voices share one.
                free = CHANNELS[min(len(taken), len(CHANNELS) - 1)]
                track[i] = message.copy(channel=taken.setdefault((part, message.channel), free))
        for (owner, _), channel in taken.items():
            if owner == part:
                track.insert(0, mido.Message("program_change", channel=channel, program=program))
    return midi


def _has_chords(track: mido.MidiTrack) -> bool:
    """Tell whether one onset in five starts several notes."""
    tick = 0
    started: Counter[int] = Counter()
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            started[tick] += 1
    return 5 * sum(notes > 1 for notes in started.values()) > len(started)
