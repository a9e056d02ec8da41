"""The vocabulary of the demo's music: notes and parts, chords and metres, tunes and arrangements.

Time is counted in quarter notes from the start ("beats"), whatever the metre. Pitch is a MIDI
number (60 is middle C). Velocity, the force of a note, runs from 0 to 1. A "step" counts along a
scale from the tonic: in D major step 0 is D, 2 is F sharp, 7 the D above, -1 the C sharp below.

A tune is written down as short strings, one per motif and section, and everything else follows
by rule (compose.py, arrange.py):

    motif      "0:1.5 2:.5 r:1 4"     step:beats, beats 1 when left out, r a rest
    chords     "I | vi | IV V | I"    Roman numerals, bars split by |, chords of a bar share it
    plan       "abC, abc."            one sign a bar: a motif, the motif upside down (a capital),
                                      a pause on the way (,) or the phrase's end (.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """One sound: `start` and `duration` in beats, `pitch` in MIDI, `velocity` 0..1."""

    start: float
    duration: float
    pitch: int
    velocity: float

    @property
    def end(self) -> float:
        """Where the note stops, in beats."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Part:
    """What one player has in front of them. The notes of the part "drums" name drums by pitch."""

    role: str
    instrument: str
    notes: tuple[Note, ...]


# The pitches by which a drum part names its drums: General MIDI's, as far as the kits go.
DRUMS = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "hat": 42, "low tom": 43, "open hat": 46,
    "tom": 47, "crash": 49, "high tom": 50, "ride": 51, "tambourine": 54, "shaker": 70,
    "block": 76,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metre:
    """Bar length, the beat people tap, and the onsets a melody must put on chord tones: beats."""

    beats: float
    pulse: float
    strong: tuple[float, ...]


METRES = {
    "4/4": Metre(4.0, 1.0, (0.0, 2.0)),
    "3/4": Metre(3.0, 1.0, (0.0,)),
    "6/8": Metre(3.0, 1.5, (0.0, 1.5)),
    "5/4": Metre(5.0, 1.0, (0.0, 3.0)),
    "free": Metre(4.0, 1.0, ()),
}


@dataclass(frozen=True, slots=True)
class Mode:
    """Semitones above the tonic: seven for the chords, and those a melody may use."""

    harmony: tuple[int, ...]
    melody: tuple[int, ...]


def _church(*semitones: int) -> Mode:
    return Mode(semitones, semitones)


MODES = {
    "major": _church(0, 2, 4, 5, 7, 9, 11),
    "minor": _church(0, 2, 3, 5, 7, 8, 10),
    "dorian": _church(0, 2, 3, 5, 7, 9, 10),
    "phrygian": _church(0, 1, 3, 5, 7, 8, 10),
    "lydian": _church(0, 2, 4, 6, 7, 9, 11),
    "mixolydian": _church(0, 2, 4, 5, 7, 9, 10),
    "pentatonic": Mode((0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 7, 9)),
    "minor pentatonic": Mode((0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10)),
    "in": Mode((0, 1, 3, 5, 7, 8, 10), (0, 1, 5, 7, 8)),
    "blues": Mode((0, 2, 4, 5, 7, 9, 10), (0, 3, 5, 6, 7, 10)),
}


@dataclass(frozen=True, slots=True)
class Chord:
    """A harmony from `start`, `duration` beats long, root first.

    `tones` are semitones above the tonic, `degrees` (0..6) the steps of the seven-note scale
    they are spelled on: V in A minor is (7, 11, 14) on (4, 6, 1), its G sharp on the step of G.
    """

    start: float
    duration: float
    tones: tuple[int, ...]
    degrees: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a tune laid out in time: the letter of its section and its sign in the plan."""

    start: float
    letter: str
    section: int
    index: int
    sign: str
    chords: tuple[Chord, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One phrase or pair of phrases. Its melody arches from step `base` up by `rise` and back.

    With rise 0 a motif is played as written: its step 0 is `base`, whatever the chord.
    """

    chords: str
    plan: str = ""
    base: int = 2
    rise: int = 4


@dataclass(frozen=True, slots=True)
class Tune:
    """A composition, before anyone decides who plays it. `tempo` in quarter notes a minute."""

    name: str
    tonic: int
    mode: str
    metre: str
    tempo: float
    form: str
    sections: Mapping[str, Section]
    motifs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Who plays a tune, and how.

    `parts` maps a role (melody, answer, counter, chords, pad, bass, drums) to
    "instrument: style"; the styles are those of arrange.py, and "style/style" takes turns with
    the sections of the form. A role left out is not played. `answer` takes the melody over in
    every section but the first one's letter. `intro` counts bars of accompaniment beforehand;
    `transpose` semitones; `pace` multiplies the tempo; `swing` delays the second half of every
    beat, in beats; `room` is a reverberation of mix.py; `strict` players keep machine time.
    """

    scoring: str
    ensemble: str
    genre: str
    parts: Mapping[str, str]
    transpose: int = 0
    pace: float = 1.0
    intro: int = 0
    swing: float = 0.0
    room: str = "room"
    strict: bool = False
