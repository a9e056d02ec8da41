"""Who plays what: plans for arrangements of one score.

    keys of each voice [n]  ->  `count` plans: instruments, key, tempo, balance, human error, room

Two plans of one piece are to sound as unlike as two ensembles may while a listener still knows the
tune: each draws another style, a set of General MIDI families that do sound together, and gives low
voices to instruments that can carry a bass. Percussion keeps its kit and is never transposed.

Program numbers are General MIDI's, counted from 0 (MIDI Manufacturers Association, General MIDI
System Level 1, 1991).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

DRUMS = 9
"""The channel of percussion, counted from 0."""

UNPITCHED = range(115, 128)
"""Wood blocks, taiko, gunshots: what they play is no melody, and stays as written."""

LOW = 48
"""A voice whose median pitch lies below this key (C3) is a bass."""

FAMILIES: dict[str, tuple[int, ...]] = {
    "piano": (0, 1, 2, 3),
    "electric piano": (2, 4, 5, 7),
    "harpsichord": (6, 15),
    "mallets": (8, 9, 10, 11, 12, 13),
    "organ": (16, 17, 18, 19, 20, 21),
    "acoustic guitar": (24, 25),
    "electric guitar": (26, 27, 28),
    "distorted guitar": (29, 30),
    "solo strings": (40, 41, 42),
    "string section": (44, 48, 49),
    "harp and pizzicato": (45, 46),
    "voices": (52, 53, 54),
    "brass": (56, 57, 59, 60, 61),
    "saxophones": (64, 65, 66),
    "reeds": (68, 69, 71),
    "flutes": (72, 73, 74, 75, 79),
    "lead": (80, 81, 82, 83, 85, 86),
    "pad": (50, 51, 88, 89, 90, 91, 94),
    "synthetic brass": (62, 63),
    "sitar and koto": (104, 105, 106, 107),
}


class Style(NamedTuple):
    """Families that sound together, and the programs that carry the bass below them."""

    families: tuple[str, ...]
    basses: tuple[int, ...]


STYLES: dict[str, Style] = {
    "as written": Style((), ()),
    "orchestra": Style(
        ("string section", "solo strings", "brass", "reeds", "flutes", "harp and pizzicato"),
        (42, 43, 58, 70),
    ),
    "chamber": Style(("piano", "solo strings", "reeds", "flutes"), (42, 43, 70)),
    "keyboards": Style(("piano", "electric piano", "harpsichord", "organ"), (0, 4, 16, 19)),
    "band": Style(
        ("electric guitar", "distorted guitar", "organ", "piano", "saxophones"), (33, 34, 36)
    ),
    "jazz": Style(("piano", "saxophones", "brass", "electric guitar", "mallets"), (32, 33, 35)),
    "electronic": Style(("lead", "pad", "synthetic brass", "electric piano"), (38, 39, 87)),
    "plucked": Style(
        ("acoustic guitar", "harp and pizzicato", "sitar and koto", "mallets", "harpsichord"),
        (24, 32, 46),
    ),
    "choir": Style(("voices", "string section", "organ", "harp and pizzicato"), (19, 43, 52)),
}


class Voice(NamedTuple):
    """What one instrument of a score plays: a MIDI channel (0..15) and the program it plays on."""

    channel: int
    program: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is decided about one arrangement before a note of it is written.

    Attributes:
        style: key of `STYLES`.
        programs: program each voice is played on.
        silent: voices left out.
        balance: how much louder each voice is played, in MIDI velocity.
        transposition: semitones; percussion is not transposed.
        speed: 2.0 plays in half the time.
        jitter: standard deviations of human error: onset (seconds) and velocity.
        soundfont: which of the soundfonts offered, counted from 0.
        sends: MIDI reverb and chorus send of every channel, 0..127.
        room: size of the reverb's room, 0..1.
        seed: of the human error.
    """

    style: str
    programs: Mapping[Voice, int]
    silent: frozenset[Voice]
    balance: Mapping[Voice, float]
    transposition: int
    speed: float
    jitter: tuple[float, float]
    soundfont: int
    sends: tuple[int, int]
    room: float
    seed: int


def draw_plans(
    voices: Mapping[Voice, Sequence[int]],
    rng: np.random.Generator,
    *,
    count: int,
    soundfonts: int,
) -> list[Plan]:
    """Draw plans for `count` arrangements of a score.

    Args:
        voices: the keys (0..127) each voice plays, in any order, at least one.
        rng: decides everything; the same state gives the same plans.
        count: arrangements, at most `len(STYLES)`; no two share a style.
        soundfonts: how many there are to choose from.
    """
    return [
        Plan(
            style=str(style),
            programs=draw_programs(voices, rng, STYLES[style]),
            silent=_draw_silent(voices, rng),
            balance={voice: float(rng.normal(0, 8)) for voice in voices},
            transposition=int(rng.integers(-5, 6)),
            speed=float(np.exp(rng.uniform(np.log(0.8), np.log(1.25)))),
            jitter=(float(rng.uniform(0, 0.012)), float(rng.uniform(0, 10))),
            soundfont=int(rng.integers(soundfonts)),
            sends=(int(rng.integers(0, 110)), int(rng.integers(0, 60))),
            room=float(rng.uniform(0.1, 0.9)),
            seed=int(rng.integers(2**32)),
        )
        for style in rng.choice(list(STYLES), size=count, replace=False)
    ]


def is_fixed(voice: Voice) -> bool:
    """Tell whether a voice is percussion or noise: no new instrument, no other key."""
    return voice.channel == DRUMS or voice.program in UNPITCHED


def draw_programs(
    voices: Mapping[Voice, Sequence[int]], rng: np.random.Generator, style: Style
) -> dict[Voice, int]:
    """Give each voice an instrument of a style: a bass to low voices; fixed ones keep their own.

    Args:
        voices: the keys (0..127) each voice plays.
        rng: decides everything; the same state gives the same instruments.
        style: of `STYLES`; the one without families leaves all as written.
    """
    if not style.families:
        return {voice: voice.program for voice in voices}
    families = [str(family) for family in rng.permutation(style.families)]
    # Sometimes what shared an instrument goes on sharing one: a pianist's hands, two violins.
    together = rng.random() < 0.5
    programs: dict[Voice, int] = {}
    shared: dict[tuple[int, bool], int] = {}
    for voice, keys in voices.items():
        if is_fixed(voice):
            programs[voice] = voice.program
            continue
        low = bool(np.median(keys) < LOW)
        choices = style.basses if low else FAMILIES[families[len(programs) % len(families)]]
        program = int(rng.choice(choices))
        programs[voice] = shared.setdefault((voice.program, low), program) if together else program
    return programs


def _draw_silent(
    voices: Mapping[Voice, Sequence[int]], rng: np.random.Generator
) -> frozenset[Voice]:
    """Leave out voices in one arrangement of three, but never more than half of the notes."""
    candidates = [voice for voice in voices if rng.random() < 0.3]
    if rng.random() > 1 / 3:
        return frozenset()
    notes = sum(len(keys) for keys in voices.values())
    silent: set[Voice] = set()
    for voice in candidates:
        if sum(len(voices[other]) for other in (*silent, voice)) <= notes / 2:
            silent.add(voice)
    return frozenset(silent)
