"""From a tune as written down to its chords and its melody, by rule.

In: a `Tune` (score.py). Out: `bars`, the form laid out in time, and `melody`, the notes.

How a melody is made, bar by bar:
- the bar's motif is set on a chord tone, the one nearest to the phrase's arch and to the last
  note sung, so that a motif that returns over the same chord is repeated and over another chord
  is sequenced; a capital turns it upside down;
- whatever falls on a strong beat moves to a chord tone; the notes between keep their steps;
- the cadences are made, not written: a pause leans on the step above a chord tone and resolves,
  an end holds the tonic;
- a section that comes again is varied: its skips of a third are filled in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from soundalike.demo.score import METRES, MODES, Bar, Chord, Note, Tune

_NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii")
_TRIADS = {"o": (0, 3, 6), "5": (0, 7), "sus": (0, 5, 7)}
_COLOURS: dict[str, tuple[int, ...]] = {
    "": (), "6": (9,), "7": (10,), "M7": (11,), "9": (10, 14), "M9": (11, 14), "11": (10, 17),
    "o": (), "5": (), "sus": (),
}  # fmt: skip
# The scale step an interval is written on, counted from the root's: both thirds are two up.
_SPELLING = {0: 0, 3: 2, 4: 2, 5: 3, 6: 4, 7: 4, 9: 5, 10: 6, 11: 6, 14: 1, 17: 3}
_ROMAN = re.compile(r"([b#]?)([ivIV]+)(.*)")


Sung = tuple[float, float, int]  # onset within the bar and length in beats, step


def read_chord(symbol: str, mode: str, *, start: float = 0.0, duration: float = 0.0) -> Chord:
    """The chord of a Roman numeral: a capital is major, b and # move the root off its degree."""
    parsed = _ROMAN.fullmatch(symbol)
    if parsed is None or parsed[2].lower() not in _NUMERALS or parsed[3] not in _COLOURS:
        raise ValueError(f"{symbol!r} is no chord; write one such as I, vi, V7, bVIIM7 or iio")
    accidental, numeral, colour = parsed.groups()
    degree = _NUMERALS.index(numeral.lower())
    root = MODES[mode].harmony[degree] + {"": 0, "b": -1, "#": 1}[accidental]
    triad = _TRIADS.get(colour, (0, 4, 7) if numeral.isupper() else (0, 3, 7))
    intervals = (*triad, *_COLOURS[colour])
    return Chord(
        start=start,
        duration=duration,
        tones=tuple(root + interval for interval in intervals),
        degrees=tuple((degree + _SPELLING[interval]) % 7 for interval in intervals),
    )


def bars(tune: Tune, *, intro: int = 0) -> tuple[Bar, ...]:
    """The form laid out from beat 0: `intro` bars (section -1), the sections, one bar to end on."""
    laid_out: list[Bar] = []
    length = METRES[tune.metre].beats

    def add(section: int, letter: str, index: int, sign: str, symbols: str) -> None:
        start, names = len(laid_out) * length, symbols.split()
        share = length / len(names)
        chords = tuple(
            read_chord(name, tune.mode, start=start + i * share, duration=share)
            for i, name in enumerate(names)
        )
        laid_out.append(Bar(start, letter, section, index, sign, chords))

    opening = tune.sections[tune.form[0]].chords.split("|")
    closing = tune.sections[tune.form[-1]].chords.split()[-1]
    for index in range(intro):
        add(-1, tune.form[0], index, "", opening[index % len(opening)])
    for number, letter in enumerate(tune.form):
        harmony = tune.sections[letter].chords.split("|")
        plan = tune.sections[letter].plan.replace(" ", "") or "-" * len(harmony)
        if len(plan) != len(harmony):
            raise ValueError(f"{tune.name}, {letter}: {len(harmony)} bars, {len(plan)} signs")
        for index, (sign, symbols) in enumerate(zip(plan, harmony, strict=True)):
            add(number, letter, index, sign, symbols)
    add(len(tune.form), tune.form[-1], 0, ".", closing)
    return tuple(laid_out)


def chord_at(bar: Bar, beat: float) -> Chord:
    """The chord that sounds at `beat`, which lies in `bar`."""
    return next(c for c in reversed(bar.chords) if c.start <= beat + 1e-9 or c is bar.chords[0])


def melody(tune: Tune) -> tuple[tuple[Bar, tuple[Note, ...]], ...]:
    """The notes of every bar, in the tune's own key and register, from beat 0."""
    return tuple(_Singer(tune).sing())


class _Singer:
    """Walks through the bars, remembering the last step sung."""

    def __init__(self, tune: Tune) -> None:
        self.tune = tune
        self.metre = METRES[tune.metre]
        self.octave = len(MODES[tune.mode].melody)
        self.last = 0

    def sing(self) -> Iterator[tuple[Bar, tuple[Note, ...]]]:
        heard: set[str] = set()
        layout = bars(self.tune)
        for bar, following in zip(layout, (*layout[1:], layout[-1]), strict=True):
            if bar.index == 0 and bar.section < len(self.tune.form):
                self.last = self.tune.sections[bar.letter].base
            line = self._line(bar, before_end=following.sign == ".")
            if bar.letter in heard:
                line = self._fill_thirds(line)
            yield bar, tuple(self._note(bar, *sung) for sung in line)
            if following.section != bar.section:
                heard.add(bar.letter)

    def _line(self, bar: Bar, *, before_end: bool) -> list[Sung]:
        if bar.sign == "-":
            return []
        line = self._cadence(bar) if bar.sign in ",." else self._motif(bar)
        if line and before_end and bar.sign not in ",.":
            line[-1] = self._lead_in(bar, *line[-1])
        if line:
            self.last = line[-1][2]
        return line

    def _motif(self, bar: Bar) -> list[Sung]:
        direction = -1 if bar.sign.isupper() else 1
        written = read_motif(self.tune.motifs[bar.sign.lower()])
        anchor = self._anchor(bar, [direction * s for _, _, s in written if s is not None])
        line: list[Sung] = []
        previous = self.last
        for onset, beats, step in written:
            if step is None:
                continue
            step = anchor + direction * step
            if onset in self.metre.strong:
                step = self._to_chord(step, bar, onset, upward=step >= previous)
            line.append((onset, beats, step))
            previous = step
        return line

    def _anchor(self, bar: Bar, steps: list[int]) -> int:
        """Where step 0 of a motif goes: on a chord tone, near the arch and near the last note."""
        section = self.tune.sections[bar.letter]
        if section.rise == 0:
            return section.base
        position = (bar.index + 0.5) / len(section.chords.split("|"))
        height = section.base + section.rise * math.sin(math.pi * position)
        height -= sum(steps) / max(1, len(steps))
        start = self.last - (steps[0] if steps else 0)
        around = range(round(height) - 5, round(height) + 6)
        chord = [s for s in around if self._fits(s, bar, bar.start)] or list(around)
        return min(chord, key=lambda s: abs(s - height) + 0.6 * abs(s - start))

    def _lead_in(self, bar: Bar, onset: float, beats: float, step: int) -> Sung:
        """The last note before an end: the step above or below the tonic, if the chord has it."""
        tonic = self._nearest_tonic(step)
        neighbors = sorted((tonic + 1, tonic - 1), key=lambda s: abs(s - step))
        fitting = [s for s in neighbors if self._fits(s, bar, bar.start + onset)]
        return onset, beats, (fitting or [step])[0]

    def _nearest_tonic(self, step: int) -> int:
        return self.octave * round((step - 0.5) / self.octave)

    def _cadence(self, bar: Bar) -> list[Sung]:
        held, pulse = self.metre.beats, self.metre.pulse
        if bar.sign == ".":
            return [(0.0, held - pulse if held > 3 else held, self._nearest_tonic(self.last))]
        goal = self._to_chord(self.last, bar, pulse, upward=False)
        rest = pulse if held > 3 else 0.0
        return [(0.0, pulse, goal + 1), (pulse, held - pulse - rest, goal)]

    def _fill_thirds(self, line: list[Sung]) -> list[Sung]:
        """Long notes that skip a third step through it, unless on a strong beat."""
        varied: list[Sung] = []
        for i, (onset, beats, step) in enumerate(line):
            skip = line[i + 1][2] - step if i + 1 < len(line) else 0
            passing = onset + beats - 0.5
            if beats >= 1 and abs(skip) == 2 and passing not in self.metre.strong:
                varied += [(onset, beats - 0.5, step), (passing, 0.5, step + skip // 2)]
            else:
                varied.append((onset, beats, step))
        return varied

    def _to_chord(self, step: int, bar: Bar, onset: float, *, upward: bool) -> int:
        """The nearest step that belongs to the chord; of two, the one the line was heading for."""
        way = 1 if upward else -1
        for distance in (0, way, -way, 2 * way, -2 * way):
            if self._fits(step + distance, bar, bar.start + onset):
                return step + distance
        return step

    def _fits(self, step: int, bar: Bar, beat: float) -> bool:
        tones = {tone % 12 for tone in chord_at(bar, beat).tones}
        return self._semitones(step, bar, beat) % 12 in tones

    def _semitones(self, step: int, bar: Bar, beat: float) -> int:
        """A step as semitones above the tonic."""
        scale = MODES[self.tune.mode].melody
        octave, degree = divmod(step, len(scale))
        chord = chord_at(bar, beat)
        if len(scale) == 7 and degree in chord.degrees:
            # A chord from outside the mode (V in minor) bends the scale to its own spelling.
            return 12 * octave + chord.tones[chord.degrees.index(degree)] % 12
        return 12 * octave + scale[degree]

    def _note(self, bar: Bar, onset: float, beats: float, step: int) -> Note:
        accent = 0.78 if onset in self.metre.strong else 0.66
        swell = 0.1 * math.sin(math.pi * ((bar.index % 4) + onset / self.metre.beats) / 4)
        pitch = self.tune.tonic + self._semitones(step, bar, bar.start + onset)
        return Note(bar.start + onset, beats, pitch, round(accent + swell, 4))


def read_motif(text: str) -> list[tuple[float, float, int | None]]:
    """A motif as (onset, beats, step); step is None for a rest."""
    notes: list[tuple[float, float, int | None]] = []
    onset = 0.0
    for token in text.split():
        step, _, beats = token.partition(":")
        length = float(beats or 1)
        notes.append((onset, length, None if step == "r" else int(step)))
        onset += length
    return notes
