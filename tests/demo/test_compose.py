"""Tests of soundalike.demo.compose: chords from numerals, and what every melody has to keep."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest

from soundalike.demo.compose import bars, chord_at, melody, read_chord, read_motif
from soundalike.demo.pieces import PIECES, plain_hunt
from soundalike.demo.score import METRES, MODES, Note, Section, Tune
from soundalike.demo.tunes import TUNES

EVERY_TUNE = [tune for tune, _ in (*TUNES, *PIECES)]
SUNG = [tune for tune in EVERY_TUNE if tune.motifs]
THE_NINE = [tune for tune, _ in TUNES]


def line(tune: Tune) -> list[Note]:
    return [note for _, notes in melody(tune) for note in notes]


def simple(**changes: Any) -> Tune:
    sections = {"A": Section("I | IV | V | I", "aab.", base=0, rise=2)}
    tune = Tune("Test", tonic=60, mode="major", metre="4/4", tempo=100, form="A",
                sections=sections, motifs={"a": "0 1 2 1", "b": "2:2 1:2"})  # fmt: skip
    return replace(tune, **changes)


@pytest.mark.parametrize(
    ("symbol", "mode", "tones"),
    [
        ("I", "major", (0, 4, 7)),
        ("vi", "major", (9, 12, 16)),
        ("V7", "major", (7, 11, 14, 17)),
        ("V", "minor", (7, 11, 14)),  # a major chord the mode does not have
        ("VI", "minor", (8, 12, 15)),
        ("bVII", "major", (10, 14, 17)),
        ("iio", "minor", (2, 5, 8)),
        ("isus", "dorian", (0, 5, 7)),
        ("II", "phrygian", (1, 5, 8)),
    ],
)
def test_numerals_name_the_chords_of_the_textbook(
    symbol: str, mode: str, tones: tuple[int, ...]
) -> None:
    assert read_chord(symbol, mode).tones == tones


@pytest.mark.parametrize("symbol", ["H", "", "viii", "I11b", "V 7"])
def test_what_is_no_chord_is_named(symbol: str) -> None:
    with pytest.raises(ValueError, match="is no chord"):
        read_chord(symbol, "major")


def test_a_motif_reads_as_onsets_lengths_and_steps() -> None:
    assert read_motif("0:1.5 r:.5 -2") == [(0.0, 1.5, 0), (1.5, 0.5, None), (2.0, 1.0, -2)]


@pytest.mark.parametrize("tune", EVERY_TUNE, ids=lambda tune: tune.name)
def test_the_form_fills_time_without_gaps(tune: Tune) -> None:
    layout = bars(tune, intro=2)
    length = METRES[tune.metre].beats
    assert [bar.start for bar in layout] == [i * length for i in range(len(layout))]
    for bar in layout:
        assert sum(chord.duration for chord in bar.chords) == pytest.approx(length)
        assert chord_at(bar, bar.start + length - 0.01) is bar.chords[-1]
    assert {bar.section for bar in layout[:2]} == {-1}


@pytest.mark.parametrize("tune", EVERY_TUNE, ids=lambda tune: tune.name)
def test_every_tune_comes_home(tune: Tune) -> None:
    ending = bars(tune)[-1].chords[0]
    assert ending.tones[0] == 0
    if tune.motifs:
        assert line(tune)[-1].pitch % 12 == tune.tonic % 12


@pytest.mark.parametrize("tune", SUNG, ids=lambda tune: tune.name)
def test_strong_beats_carry_chord_tones_and_motifs_fit_their_bars(tune: Tune) -> None:
    metre = METRES[tune.metre]
    for bar, notes in melody(tune):
        for note in notes:
            onset = note.start - bar.start
            assert onset + note.duration <= metre.beats + 1e-9
            if onset in metre.strong and bar.sign not in ",.":
                tones = {(tune.tonic + tone) % 12 for tone in chord_at(bar, note.start).tones}
                assert note.pitch % 12 in tones, (tune.name, bar.index)


@pytest.mark.parametrize("tune", THE_NINE, ids=lambda tune: tune.name)
def test_a_tune_can_be_sung(tune: Tune) -> None:
    pitches = [note.pitch for note in line(tune)]
    leaps = [abs(b - a) for a, b in pairwise(pitches)]
    assert max(pitches) - min(pitches) <= 24
    assert max(leaps) <= 12
    # A scale of five notes has hardly any steps of a tone; elsewhere they prevail.
    share = sum(leap <= (4 if len(MODES[tune.mode].melody) == 5 else 2) for leap in leaps)
    assert share / len(leaps) > 0.55


def test_the_same_motif_over_the_same_chord_is_the_same() -> None:
    tune = simple(sections={"A": Section("I | I | V | I", "aab.", base=3, rise=1)})
    bars_of_notes = [notes for _, notes in melody(tune)]
    first, second = ([note.pitch for note in notes] for notes in bars_of_notes[:2])
    assert first == second


def test_a_capital_turns_the_motif_upside_down() -> None:
    # Over one chord without strong beats nothing is moved to a chord tone.
    flat = {"A": Section("I | I", "a.", base=0, rise=0)}
    turned = {"A": Section("I | I", "A.", base=0, rise=0)}
    motifs = {"a": "0 1 2 4"}
    up, down = (
        [n.pitch for n in line(simple(metre="free", sections=s, motifs=motifs))][:3]
        for s in (flat, turned)
    )
    assert up == [60, 62, 64]
    assert down == [60, 59, 57]


def test_a_chord_from_outside_bends_the_scale() -> None:
    sections = {"A": Section("V | i", "a.", base=4, rise=0)}
    tune = simple(mode="minor", sections=sections, motifs={"a": "0 1 2 2"})
    pitches = [note.pitch for note in line(tune)]
    assert pitches[:3] == [67, 68, 71]  # G, A flat, B natural: not the B flat of C minor


def test_a_section_that_returns_begins_alike_and_is_varied() -> None:
    tune = simple(form="AA", motifs={"a": "0:2 2:2", "b": "2:2 1:2"})
    notes = [bar_notes for _, bar_notes in melody(tune)]
    assert notes[0][0].pitch == notes[4][0].pitch
    assert len(notes[4]) > len(notes[0])


def test_a_plan_must_have_a_sign_for_every_bar() -> None:
    with pytest.raises(ValueError, match="Test, A: 4 bars, 3 signs"):
        bars(simple(sections={"A": Section("I | I | I | I", "aa.")}))


def test_the_nine_tunes_differ() -> None:
    def turns(tune: Tune) -> set[tuple[tuple[int, float], ...]]:
        """Five notes in a row, as intervals and lengths."""
        notes = line(tune)
        steps = [(b.pitch - a.pitch, a.duration) for a, b in pairwise(notes)]
        return {tuple(steps[i : i + 4]) for i in range(len(steps) - 3)}

    for one, other in combinations(THE_NINE, 2):
        ours, theirs = turns(one), turns(other)
        assert len(ours & theirs) <= 0.08 * min(len(ours), len(theirs)), (one.name, other.name)
    assert len({(tune.mode, tune.metre) for tune in THE_NINE}) >= 8
    assert {tune.metre for tune in THE_NINE} == {"4/4", "3/4", "6/8", "5/4"}


def test_a_plain_hunt_is_a_plain_hunt() -> None:
    rows = plain_hunt(8)
    assert len(rows) == len(set(rows)) == 16
    for row, following in zip(rows, (*rows[1:], rows[0]), strict=True):
        assert sorted(row) == list(range(1, 9))
        assert all(abs(row.index(bell) - following.index(bell)) <= 1 for bell in row)
