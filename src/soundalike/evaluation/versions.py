"""A piece -> another version of it: what is changed, and by how much.

    version of a piece  ->  passage of its score or performance  ->  Plan  ->  Score to be played

A piece is heard from its beginning, for at most 120 s of its score, as a piano plays it. A version
differs from that in what its kind says and in nothing else:

    other instruments  the same notes by an ensemble (styles of scores/orchestration.py) without a
                       piano, out of the other soundfont
    key                moved by 1 to 5 semitones, up or down
    tempo              10 to 20 % faster or slower
    dropped parts      a hand or voice left out; where there is but one, the notes below or above
                       the median pitch
    performer          a person playing it: another tempo at every note, touch, pedal, mistakes
    all at once        other instruments, moved by 2 to 5 semitones, up to 20 % faster or slower

A performance ends where about the same share of its notes is over as of the score's, because a
person may need twice the score's time: share of notes is share of the piece, repeats alike.

Percussion is left out everywhere: a piano has none, and it would give a piece away in any key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from soundalike.errors import AudioError, ModelError
from soundalike.evaluation.pieces import Piece
from soundalike.scores.orchestration import (
    FAMILIES,
    STYLES,
    Plan,
    Voice,
    draw_programs,
    is_fixed,
)

if TYPE_CHECKING:  # mido is not among the things a listener has
    from soundalike.scores.rendering import Score

ORIGINAL, PERFORMER = "original", "performer"
KINDS = ("other instruments", "key", "tempo", "dropped parts", PERFORMER, "all at once")

IN_PARTS = ("other instruments", "dropped parts", "all at once")
"""What needs two parts or more."""

LONGEST = 120.0
"""Seconds of the score that are heard."""

HEARD = (0.25, 0.9)
"""Share of the notes that stays when a part is left out: enough to know the tune, and not all."""

PIANO = 0


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a piece, before a note of it is read.

    Attributes:
        piece: the piece.
        kind: of `KINDS`, or `ORIGINAL`.
        seed: with the names of piece and kind it decides everything that is drawn.
    """

    piece: Piece
    kind: str
    seed: int = 0

    @property
    def source(self) -> Path:
        """The file whose notes are played."""
        if self.kind != PERFORMER:
            return self.piece.score
        return self.piece.performances[int(self.rng().integers(len(self.piece.performances)))]

    @property
    def soundfont(self) -> int:
        """Which soundfont it is played with: 0 the original's, 1 the other one."""
        return int(self.kind in ("other instruments", "all at once"))

    def rng(self) -> np.random.Generator:
        """A fresh generator for what is drawn."""
        text = f"{self.seed}|{self.piece.name}|{self.kind}"
        return np.random.default_rng(list(hashlib.blake2b(text.encode(), digest_size=16).digest()))


def versions_of(piece: Piece, *, seed: int = 0) -> list[Version]:
    """One version of every kind there is of a piece: nobody may have performed it."""
    return [Version(piece, kind, seed) for kind in KINDS if kind != PERFORMER or piece.performances]


def read(piece: Piece) -> Score:
    """Read a piece's score without its percussion, hands told apart.

    Raises:
        AudioError: the file cannot be read as a score, or holds nothing but percussion.
        ModelError: mido is not installed.
    """
    return _as_piano(piece.score, apart=True)


def write(version: Version, score: Score) -> tuple[Score, Plan]:
    """Write down what is to be played, and how it was planned; `score` is the piece's, as read.

    Raises:
        AudioError: a performance cannot be read, or the score is too little to be changed this way.
    """
    end = min(LONGEST, score.end)
    if version.kind == PERFORMER:
        share = float(np.mean([note.onset < end for note in score.notes]))
        score = _as_piano(version.source, apart=False)
        last = round(share * len(score.notes))
        end = score.notes[last].onset if last < len(score.notes) else score.end
    passage = _passage(score, end)
    if version.kind in IN_PARTS and not _spare(passage):
        passage = _cut_in_two(passage, version.source)
    plan = _plan(passage, version)
    return _rendering().arrange(passage, plan, end=end), plan


def _plan(passage: Score, version: Version) -> Plan:
    """As a piano plays it, but for what the kind of version changes."""
    rng, voices = version.rng(), passage.voices()
    plan = Plan(
        style="as written",
        programs=dict.fromkeys(voices, PIANO),
        silent=frozenset(),
        balance=dict.fromkeys(voices, 0.0),
        transposition=0,
        speed=1.0,
        jitter=(0.0, 0.0),
        soundfont=version.soundfont,
        sends=(40, 0),
        room=0.3,
        seed=0,
    )
    up = int(rng.choice([-1, 1]))
    match version.kind:
        case "other instruments":
            style, programs = _ensemble(voices, rng)
            return replace(plan, style=style, programs=programs)
        case "key":
            return replace(plan, transposition=up * int(rng.integers(1, 6)))
        case "tempo":
            return replace(plan, speed=1 + up * float(rng.uniform(0.1, 0.2)))
        case "dropped parts":
            return replace(plan, silent=_dropped(passage, rng))
        case "all at once":
            style, programs = _ensemble(voices, rng)
            moved, speed = up * int(rng.integers(2, 6)), float(rng.uniform(0.8, 1.2))
            return replace(plan, style=style, programs=programs, transposition=moved, speed=speed)
        case _:
            return plan


def _ensemble(
    voices: dict[Voice, list[int]], rng: np.random.Generator
) -> tuple[str, dict[Voice, int]]:
    """Draw instruments that sound together, again until no piano is among them."""
    styles = [name for name, style in STYLES.items() if style.families]
    while True:
        name = str(rng.choice(styles))
        programs = draw_programs(voices, rng, STYLES[name])
        if not set(programs.values()) & set(FAMILIES["piano"]):
            return name, programs


def _dropped(passage: Score, rng: np.random.Generator) -> frozenset[Voice]:
    """Draw the part to leave out; where none can be spared, that with the fewest notes."""
    voices = passage.voices()
    spare = _spare(passage) or [min(voices, key=lambda voice: len(voices[voice]))]
    return frozenset({spare[int(rng.integers(len(spare)))]})


def _spare(passage: Score) -> list[Voice]:
    """Voices whose absence is heard and can be borne."""
    notes = len(passage.notes)
    return [
        voice
        for voice, keys in passage.voices().items()
        if HEARD[0] <= 1 - len(keys) / notes <= HEARD[1]
    ]


def _cut_in_two(passage: Score, path: Path) -> Score:
    """Make two voices of the notes below and above the median pitch; pedals hold for both."""
    keys = [note.key for note in passage.notes]
    middle = max(float(np.median(keys)), min(keys) + 0.5)
    if middle > max(keys):
        raise AudioError(path, "holds one pitch only, which cannot be cut in two parts")
    high, low = Voice(0, PIANO), Voice(1, PIANO)
    notes = tuple(
        replace(note, voice=high if note.key >= middle else low) for note in passage.notes
    )
    controls = tuple(
        (time, message.copy(channel=voice.channel))
        for time, message in passage.controls
        for voice in (high, low)
    )
    return replace(passage, notes=notes, controls=controls)


def _passage(score: Score, end: float) -> Score:
    notes = tuple(note for note in score.notes if note.onset < end)
    controls = tuple((time, message) for time, message in score.controls if time < end)
    return replace(score, notes=notes, controls=controls, end=end)


def _as_piano(path: Path, *, apart: bool) -> Score:
    score: Score = _rendering().read_score(path, apart=apart)
    notes = tuple(note for note in score.notes if not is_fixed(note.voice))
    if not notes:
        raise AudioError(path, "holds nothing but percussion")
    return replace(score, notes=notes)


def _rendering() -> ModuleType:
    try:
        from soundalike.scores import rendering
    except ImportError:
        raise ModelError("versions of scores need mido: pip install 'soundalike[train]'") from None
    return rendering
