"""From a tune and an arrangement to the parts on the players' stands.

The styles are patterns, one sign for each equal slot of a bar, bars split by "|" taking turns:

    chords   * all voices, ^ all but the lowest, 0 1 2 ... one voice (above the last: an octave up)
    bass     r root, 3 third, 5 fifth, 8 octave, t the key's tonic, a a step towards the next root
    drums    X loud, x plain, o soft
    all      - holds the note before it, . is silence

Chords move by the nearest voicing: of the close positions around the part's centre, the one whose
voices have the least way to go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from soundalike.demo import styles
from soundalike.demo.band import BAND
from soundalike.demo.compose import bars, chord_at, melody
from soundalike.demo.score import DRUMS, METRES, Arrangement, Bar, Chord, Note, Part, Tune

_VELOCITY = {"X": 0.95, "x": 0.75, "o": 0.45}


def arrange(tune: Tune, arrangement: Arrangement) -> tuple[Part, ...]:
    """All parts, in the arrangement's key, from beat 0; the order is the arrangement's own."""
    end = METRES[tune.metre].beats * len(bars(tune, intro=arrangement.intro))
    return tuple(_swelling(_part(tune, arrangement, role), end) for role in arrangement.parts)


def _part(tune: Tune, arrangement: Arrangement, role: str) -> Part:
    instrument, _, style = arrangement.parts[role].partition(": ")
    layout = bars(tune, intro=arrangement.intro)
    turns = style.split("/")
    letters = sorted(set(tune.form))
    manner = {letter: turns[i % len(turns)] for i, letter in enumerate(letters)}
    player = _Accompanist(tune, arrangement, manner)
    centre = 60 if role == "drums" else BAND[instrument].centre
    match role:
        case "melody" | "answer":
            notes = _settle(_tune_notes(tune, arrangement, role, manner), centre)
        case "counter":
            notes = _settle(player.counter(layout), centre - 5)
        case "chords" | "pad":
            # Accompaniment keeps out of the tune's way, whatever its instrument could reach.
            around = min(max(centre - 8, 54), 70)
            notes = player.chords(layout, around, entering=1 if role == "pad" else -1)
        case "bass":
            notes = player.bass(layout, min(centre, 45))
        case _:
            notes = player.drums(layout)
    return Part(role, instrument, tuple(notes))


def _tune_notes(
    tune: Tune, arrangement: Arrangement, role: str, manner: dict[str, str]
) -> Iterator[Note]:
    """The sections of the melody that `role` plays, after the intro, in the new key."""
    late = arrangement.intro * METRES[tune.metre].beats
    shared = "answer" in arrangement.parts
    for bar, notes in melody(tune):
        answering = shared and bar.letter != tune.form[0]
        if answering != (role == "answer"):
            continue
        for note in notes:
            moved = replace(note, start=note.start + late, pitch=note.pitch + arrangement.transpose)
            if manner[bar.letter] == "short":
                moved = replace(moved, duration=0.55 * moved.duration)
            yield moved
            if manner[bar.letter] == "octaves":
                yield replace(moved, pitch=moved.pitch - 12, velocity=0.8 * moved.velocity)


def _swelling(part: Part, end: float) -> Part:
    """The part beginning softly and reaching its full force two thirds of the way to `end`."""
    forces = (0.78 + 0.22 * math.sin(math.pi / 2 * min(1, 1.5 * n.start / end)) for n in part.notes)
    louder = (replace(n, velocity=n.velocity * f) for n, f in zip(part.notes, forces, strict=True))
    return replace(part, notes=tuple(louder))


def _settle(line: Iterable[Note], centre: int) -> Iterator[Note]:
    """The notes moved by whole octaves to lie around `centre`."""
    notes = tuple(line)
    mean = sum(note.pitch for note in notes) / max(1, len(notes))
    shift = 12 * round((centre - mean) / 12)
    return (replace(note, pitch=note.pitch + shift) for note in notes)


class _Accompanist:
    """Everything but the tune, from its chords and the style of each section's letter."""

    def __init__(self, tune: Tune, arrangement: Arrangement, manner: dict[str, str]) -> None:
        self.tune = tune
        self.beats = METRES[tune.metre].beats
        self.ending = len(tune.form)
        self.manner = manner
        self.tonic = tune.tonic % 12 + arrangement.transpose

    def chords(self, layout: tuple[Bar, ...], centre: int, *, entering: int) -> Iterator[Note]:
        """Chords in a pattern, from the section `entering` on."""
        voices: tuple[int, ...] = ()
        for bar in layout:
            style = self.manner[bar.letter]
            pattern = styles.pattern(styles.CHORDS, style, self.tune.metre, bar.index)
            for start, beats, sign in self._strokes("*" if self._ends(bar) else pattern, bar):
                voices = voicing(chord_at(bar, start), self.tonic, centre, after=voices)
                if bar.section < entering:
                    continue
                accent = 0.7 if start == bar.start else 0.58
                for number, pitch in enumerate(_sounding(sign, voices)):
                    spread = styles.SPREAD.get(style, 0.0) * number
                    yield Note(start + spread, beats - spread, pitch, accent)

    def bass(self, layout: tuple[Bar, ...], centre: int) -> Iterator[Note]:
        """The bass line in its pattern; the root lies within six semitones of `centre`."""
        for bar, following in zip(layout, (*layout[1:], layout[-1]), strict=True):
            style = self.manner[bar.letter]
            pattern = styles.pattern(styles.BASSES, style, self.tune.metre, bar.index)
            for start, beats, sign in self._strokes("r" if self._ends(bar) else pattern, bar):
                chord = chord_at(bar, start)
                third, fifth = chord.tones[1], chord.tones[min(2, len(chord.tones) - 1)]
                root = _near(self.tonic + chord.tones[0], centre)
                goal = _near(self.tonic + following.chords[0].tones[0], centre)
                pitch = {
                    "r": root,
                    "3": root + third - chord.tones[0],
                    "5": root + fifth - chord.tones[0] - (0 if root < centre else 12),
                    "8": root + 12,
                    "t": _near(self.tonic, centre),
                    "a": goal - 1 if root < goal else goal + 1,
                }[sign]
                yield Note(start, beats, pitch, 0.8 if start == bar.start else 0.68)

    def counter(self, layout: tuple[Bar, ...]) -> Iterator[Note]:
        """A second voice in long notes, from the second section on: thirds and sevenths first."""
        last = self.tonic + 64
        for bar in layout:
            for chord in bar.chords if bar.section >= 1 else ():
                guides = [self.tonic + tone for tone in chord.tones[1:]]
                pitches = [_near(guide, last) for guide in guides]
                leading = [abs(p - last) + (0 if i in (0, 2) else 2) for i, p in enumerate(pitches)]
                # Pulled back to the middle, or a line of nearest notes would drift away.
                pulls = [abs(p - self.tonic - 64) / 4 for p in pitches]
                costs = [a + b for a, b in zip(leading, pulls, strict=True)]
                last = pitches[costs.index(min(costs))]
                yield Note(chord.start, chord.duration, last, 0.55)

    def drums(self, layout: tuple[Bar, ...]) -> Iterator[Note]:
        """The beat; a fill leads out of every section and of the intro, a crash opens the next."""
        for bar, following in zip(layout, (*layout[1:], layout[-1]), strict=True):
            style = self.manner[bar.letter]
            grid = styles.DRUMS[style][self.tune.metre]
            turning = following.section != bar.section and style in styles.FILLED
            if self._ends(bar):
                grid = {"kick": "x"}
            elif turning:
                grid = styles.FILLS[self.tune.metre]
            elif bar.section < 0:
                continue
            for name, lines in grid.items():
                pattern = lines.split("|")[bar.index % len(lines.split("|"))]
                for start, beats, sign in self._strokes(pattern, bar):
                    yield Note(start, beats, DRUMS[name], _VELOCITY[sign])
            if bar.index == 0 and bar.section > 0 and style in styles.FILLED:
                yield Note(bar.start, 1.0, DRUMS["crash"], 0.6)

    def _ends(self, bar: Bar) -> bool:
        return bar.section == self.ending

    def _strokes(self, pattern: str, bar: Bar) -> Iterator[tuple[float, float, str]]:
        """(start, beats, sign) of a pattern; a held note is struck again when the chord changes."""
        slot = self.beats / len(pattern)
        changes = [chord.start for chord in bar.chords[1:]]
        for index, sign in enumerate(pattern):
            if sign in "-.":
                continue
            held = next((i for i, s in enumerate(pattern[index + 1 :]) if s != "-"), None)
            slots = len(pattern) - index if held is None else held + 1
            start, end = bar.start + index * slot, bar.start + (index + slots) * slot
            for cut in (*(c for c in changes if start < c < end), end):
                yield start, cut - start, sign
                start = cut


def voicing(
    chord: Chord, tonic: int, centre: int, *, after: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """The chord in close position near `centre`, the nearest to the voices of `after`."""
    classes = sorted({(tonic + tone) % 12 for tone in chord.tones})
    positions = []
    for lowest in range(centre - 9, centre + 4):
        if lowest % 12 in classes:
            positions.append(tuple(sorted(lowest + (c - lowest) % 12 for c in classes)))

    def cost(position: tuple[int, ...]) -> float:
        way = sum(min(abs(pitch - old) for old in after) for pitch in position) if after else 0
        return way + 0.6 * abs(sum(position) / len(position) - centre)

    return min(positions, key=cost)


def _sounding(sign: str, voices: tuple[int, ...]) -> Iterable[int]:
    if sign == "*":
        return voices
    if sign == "^":
        return voices[1:]
    octave, index = divmod(int(sign), len(voices))
    return (voices[index] + 12 * octave,)


def _near(pitch: int, centre: int) -> int:
    """The same pitch class within six semitones of `centre`."""
    return centre + (pitch - centre + 6) % 12 - 6
