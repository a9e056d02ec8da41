"""Tests of soundalike.demo.arrange: what arrangements of one tune share and where they differ."""

from __future__ import annotations

import pytest

from soundalike.demo import styles
from soundalike.demo.arrange import arrange, voicing
from soundalike.demo.band import BAND
from soundalike.demo.compose import bars, melody, read_chord
from soundalike.demo.drumkit import KITS
from soundalike.demo.pieces import PIECES
from soundalike.demo.score import DRUMS, METRES, Arrangement, Part, Section, Tune
from soundalike.demo.tunes import TUNES

EVERY = [(t, a) for t, three in TUNES for a in three] + list(PIECES)
NAMES = [f"{tune.name}, {arrangement.scoring}" for tune, arrangement in EVERY]

WALTZ = Tune(
    "Test", tonic=60, mode="major", metre="3/4", tempo=100, form="AB", motifs={"a": "0 1 2"},
    sections={"A": Section("I | IV | V | I", "aaa."), "B": Section("I | IV | V7 | I", "aaa.")},
)  # fmt: skip


def played(parts: tuple[Part, ...], role: str) -> Part:
    return next(part for part in parts if part.role == role)


def sung(tune: Tune, arrangement: Arrangement) -> list[tuple[float, int]]:
    """(onset without the intro, pitch class in the tune's own key) of the top line."""
    late = arrangement.intro * METRES[tune.metre].beats
    top: dict[float, int] = {}
    for part in arrange(tune, arrangement):
        if part.role in ("melody", "answer"):
            for note in part.notes:
                top[note.start - late] = max(note.pitch, top.get(note.start - late, 0))
    return [(start, (top[start] - arrangement.transpose) % 12) for start in sorted(top)]


@pytest.mark.parametrize(("tune", "three"), TUNES, ids=[tune.name for tune, _ in TUNES])
def test_arrangements_of_a_tune_share_its_melody(
    tune: Tune, three: tuple[Arrangement, ...]
) -> None:
    written = [(note.start, note.pitch % 12) for _, notes in melody(tune) for note in notes]
    assert len(three) == 3
    for arrangement in three:
        assert sung(tune, arrangement) == written


@pytest.mark.parametrize(("tune", "arrangement"), EVERY, ids=NAMES)
def test_within_a_part_the_melody_moves_as_a_whole(tune: Tune, arrangement: Arrangement) -> None:
    late = arrangement.intro * METRES[tune.metre].beats
    pitch = {note.start + late: note.pitch for _, notes in melody(tune) for note in notes}
    for part in arrange(tune, arrangement):
        if part.role in ("melody", "answer") and "octaves" not in arrangement.parts[part.role]:
            shifts = {note.pitch - pitch[note.start] for note in part.notes}
            assert len(shifts) == 1
            assert (shifts.pop() - arrangement.transpose) % 12 == 0


def test_arrangements_of_a_tune_differ_in_everything_else() -> None:
    for tune, three in TUNES:
        assert len({one.ensemble for one in three}) == 3, tune.name
        assert len({one.transpose for one in three}) == 3, tune.name
        assert len({one.pace for one in three}) == 3, tune.name
        assert all(-5 <= one.transpose <= 5 and 0.8 <= one.pace <= 1.2 for one in three)
        leads = [one.parts["melody"].partition(": ")[0] for one in three]
        assert len(set(leads)) == 3, tune.name
    ensembles = [arrangement.ensemble for _, arrangement in EVERY]
    assert len(set(ensembles)) == len(ensembles)


def instruments(arrangement: Arrangement) -> dict[str, str]:
    return {role: part.partition(": ")[0] for role, part in arrangement.parts.items()}


def manners(arrangement: Arrangement) -> dict[str, str]:
    """The styles of the accompaniment by role: what siblings share."""
    roles = ("chords", "pad", "bass", "drums")
    return {r: arrangement.parts[r].partition(": ")[2] for r in roles if r in arrangement.parts}


@pytest.mark.parametrize(("tune", "three"), TUNES, ids=[tune.name for tune, _ in TUNES])
def test_two_arrangements_are_siblings_and_one_is_distant(
    tune: Tune, three: tuple[Arrangement, ...]
) -> None:
    one, other, distant = three
    assert manners(one) == manners(other)
    for fact in ("genre", "intro", "swing", "room", "strict"):
        assert getattr(one, fact) == getattr(other, fact), fact
    assert instruments(one)["melody"] != instruments(other)["melody"]
    assert set(instruments(one).values()) != set(instruments(other).values())
    assert 2 <= abs(one.transpose - other.transpose) <= 5
    assert 1.03 <= max(one.pace, other.pace) / min(one.pace, other.pace) <= 1.1
    for sibling in (one, other):
        assert distant.genre != sibling.genre
        assert manners(distant) != manners(sibling)
        assert instruments(distant)["melody"] not in instruments(sibling).values()


def test_no_two_tunes_have_the_same_players_in_the_same_style() -> None:
    company = [
        (frozenset(instruments(arrangement).values()), tuple(manners(arrangement).items()))
        for _, arrangement in EVERY
    ]
    assert len(set(company)) == len(company)
    genres = [{arrangement.genre for arrangement in three[:2]} for _, three in TUNES]
    assert len(set.union(*genres)) == len(TUNES)


@pytest.mark.parametrize(("tune", "arrangement"), EVERY, ids=NAMES)
def test_every_part_can_be_played(tune: Tune, arrangement: Arrangement) -> None:
    end = METRES[tune.metre].beats * len(bars(tune, intro=arrangement.intro))
    parts = arrange(tune, arrangement)
    assert [part.role for part in parts] == list(arrangement.parts)
    for part in parts:
        assert part.instrument in (KITS if part.role == "drums" else BAND)
        assert part.notes, part.role
        for note in part.notes:
            assert 0 <= note.start < note.end <= end + 1e-9
            assert 0 < note.velocity <= 1
            assert 24 <= note.pitch <= 108
            assert part.role != "drums" or note.pitch in DRUMS.values()


def test_a_pattern_says_when_a_chord_sounds() -> None:
    parts = arrange(WALTZ, Arrangement("", "", "", {"chords": "piano: oompah"}))
    first_bar = [note for note in played(parts, "chords").notes if note.start < 3]
    assert sorted({note.start for note in first_bar}) == [1.0, 2.0]
    assert {note.pitch % 12 for note in first_bar} == {0, 4, 7}


def test_styles_take_turns_with_the_sections() -> None:
    parts = arrange(WALTZ, Arrangement("", "", "", {"chords": "piano: held/arpeggio"}))
    starts = {note.start for note in played(parts, "chords").notes}
    assert {start for start in starts if start < 12} == {0.0, 3.0, 6.0, 9.0}
    assert {0.5, 1.0, 1.5} <= {start - 12 for start in starts if start >= 12}


def test_the_bass_walks_where_the_chords_are() -> None:
    parts = arrange(WALTZ, Arrangement("", "", "", {"bass": "upright bass: halves"}))
    roots = [note.pitch % 12 for note in played(parts, "bass").notes[::2]]
    assert roots[:2] == [0, 7]  # I, then V: the bars between have the fifths
    bass = [note.pitch for note in played(parts, "bass").notes]
    assert max(bass) - min(bass) <= 14


def test_the_answer_takes_the_other_sections() -> None:
    parts = arrange(WALTZ, Arrangement("", "", "", {"melody": "flute", "answer": "oboe"}))
    assert max(note.start for note in played(parts, "melody").notes) < 12
    assert min(note.start for note in played(parts, "answer").notes) >= 12


def test_voices_go_the_shortest_way() -> None:
    tonic, five = read_chord("I", "major"), read_chord("V", "major")
    first = voicing(tonic, 60, 62)
    second = voicing(five, 60, 62, after=first)
    assert {pitch % 12 for pitch in second} == {7, 11, 2}
    assert all(min(abs(pitch - old) for old in first) <= 2 for pitch in second)
    for position in ((55, 59, 62), (59, 62, 67), (62, 67, 71)):
        assert voicing(five, 60, 62, after=position) == position  # nothing is nearer than to stay


def test_every_pattern_divides_its_bar() -> None:
    tables = [*styles.CHORDS.values(), *styles.BASSES.values()]
    tables += [grid for table in styles.DRUMS.values() for grid in table.values()]
    for table in tables:
        for lines in table.values():
            assert all(120 % len(line) == 0 or len(line) == 16 for line in lines.split("|"))
    assert set(styles.FILLED) <= set(styles.DRUMS)
    drums = {name for table in styles.DRUMS.values() for grid in table.values() for name in grid}
    assert drums | {n for grid in styles.FILLS.values() for n in grid} <= set(DRUMS)
