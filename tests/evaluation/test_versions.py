"""Each kind of version changes what its name says, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

mido = pytest.importorskip("mido", reason="scores need mido")

from small_pieces import bass, melody, write_midi  # noqa: E402
from soundalike.errors import AudioError  # noqa: E402
from soundalike.evaluation.pieces import Piece  # noqa: E402
from soundalike.evaluation.versions import (  # noqa: E402
    KINDS,
    ORIGINAL,
    Version,
    read,
    versions_of,
    write,
)
from soundalike.scores.orchestration import DRUMS, FAMILIES, Plan  # noqa: E402
from soundalike.scores.rendering import Score  # noqa: E402

SEEDS = range(60)


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Piece:
    folder = tmp_path_factory.mktemp("piece")
    hands = melody(0, 32), bass(0, 16)
    whole = sorted([*hands[0], *hands[1]])
    slowly = [(2 * onset, length, key) for onset, length, key in whole]
    return Piece(
        "set:one",
        "Abel",
        write_midi(folder / "score.mid", *hands),
        (write_midi(folder / "ann.mid", slowly), write_midi(folder / "bob.mid", whole)),
    )


@pytest.fixture(scope="module")
def score(piece: Piece) -> Score:
    return read(piece)


@pytest.fixture(scope="module")
def original(piece: Piece, score: Score) -> Score:
    return write(Version(piece, ORIGINAL), score)[0]


def written(piece: Piece, kind: str, score: Score) -> list[tuple[Score, Plan]]:
    return [write(Version(piece, kind, seed), score) for seed in SEEDS]


def keys(score: Score) -> list[int]:
    return [note.key for note in score.notes]


def moved_by(before: Score, after: Score) -> int:
    """Semitones, the same for every note."""
    (moved,) = {new - old for old, new in zip(keys(before), keys(after), strict=True)}
    return moved


def programs(score: Score) -> set[int]:
    return {note.voice.program for note in score.notes}


def test_the_original_is_the_score_on_a_piano(original: Score, score: Score) -> None:
    assert original.notes == score.notes
    assert programs(original) == {0}
    assert original.end == score.end


def test_instruments_change_and_no_note_does(piece: Piece, score: Score, original: Score) -> None:
    drawn = set()
    for version, plan in written(piece, "other instruments", score):
        assert keys(version) == keys(original)
        assert [note.onset for note in version.notes] == [note.onset for note in original.notes]
        assert not programs(version) & set(FAMILIES["piano"])
        assert plan.soundfont == 1
        drawn |= programs(version)
    assert len(drawn) > 10


def test_key_moves_every_note_by_up_to_5_semitones(
    piece: Piece, score: Score, original: Score
) -> None:
    drawn = set()
    for version, plan in written(piece, "key", score):
        moved = moved_by(original, version)
        drawn.add(moved)
        assert plan.soundfont == 0
        assert programs(version) == {0}
        assert version.end == original.end
    assert drawn == {-5, -4, -3, -2, -1, 1, 2, 3, 4, 5}


def test_tempo_changes_by_10_to_20_percent(piece: Piece, score: Score, original: Score) -> None:
    speeds = []
    for version, _ in written(piece, "tempo", score):
        assert keys(version) == keys(original)
        (speed,) = {
            round(before.onset / after.onset, 6)
            for before, after in zip(original.notes, version.notes, strict=True)
            if before.onset
        }
        assert version.end == pytest.approx(original.end / speed, rel=1e-5)
        speeds.append(abs(speed - 1))
    assert 0.1 <= min(speeds) < 0.12
    assert 0.18 < max(speeds) <= 0.2


def test_a_hand_is_left_out_and_the_other_stays(
    piece: Piece, score: Score, original: Score
) -> None:
    hands = {tuple(key for *_, key in melody(0, 32)), tuple(key for *_, key in bass(0, 16))}
    versions = [version for version, _ in written(piece, "dropped parts", score)]
    assert {tuple(keys(version)) for version in versions} == hands
    for version in versions:
        assert set(version.notes) < set(original.notes)
        assert version.end == original.end


def test_of_one_hand_the_notes_above_or_below_the_median_are_left_out(tmp_path: Path) -> None:
    notes = melody(1, 20)
    piece = Piece("one-hand", "", write_midi(tmp_path / "a.mid", notes, channel=5))
    score = read(piece)
    middle = np.median([key for *_, key in notes])
    for version, _ in written(piece, "dropped parts", score):
        above = [key >= middle for key in keys(version)]
        assert all(above) or not any(above)
        assert 0.25 <= len(version.notes) / len(notes) <= 0.75


def test_a_hand_with_hardly_a_note_is_not_the_one_left_out(tmp_path: Path) -> None:
    """Nothing would be missing; the other hand is cut instead."""
    right = melody(2, 40)
    piece = Piece("lame", "", write_midi(tmp_path / "a.mid", right, bass(2, 2)))
    for version, _ in written(piece, "dropped parts", read(piece)):
        assert 0.25 <= len(version.notes) / 42 <= 0.75


def test_a_performance_is_played_as_it_was(piece: Piece, score: Score, original: Score) -> None:
    ends = set()
    for version, plan in written(piece, "performer", score):
        assert sorted(keys(version)) == sorted(keys(original))
        assert programs(version) == {0}
        assert plan.soundfont == 0
        ends.add(round(version.end / original.end, 1))
    assert ends == {1.0, 2.0}  # each of both performers is drawn


def test_score_and_performance_end_with_the_same_music(tmp_path: Path) -> None:
    hands = melody(3, 200, step=1.0), bass(3, 200, step=1.0)
    slowly = sorted((1.7 * onset, 1.0, key) for hand in hands for onset, _, key in hand)
    piece = Piece(
        "long",
        "",
        write_midi(tmp_path / "score.mid", *hands),
        (write_midi(tmp_path / "played.mid", slowly),),
    )
    score = read(piece)
    original, _ = write(Version(piece, ORIGINAL), score)
    played, _ = write(Version(piece, "performer"), score)
    assert original.end == 120
    assert Counter(keys(played)) == Counter(keys(original))
    assert played.end == pytest.approx(1.7 * 120)


def test_all_at_once_is_instruments_key_and_tempo(
    piece: Piece, score: Score, original: Score
) -> None:
    drawn, speeds = set(), []
    for version, plan in written(piece, "all at once", score):
        moved = moved_by(original, version)
        drawn.add(moved)
        speeds.append(original.end / version.end)
        assert not programs(version) & set(FAMILIES["piano"])
        assert plan.soundfont == 1
    assert drawn == {-5, -4, -3, -2, 2, 3, 4, 5}
    assert 0.8 <= min(speeds) < 0.85
    assert 1.15 < max(speeds) <= 1.2


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_version_is_written_alike(piece: Piece, score: Score, kind: str) -> None:
    def plain(seed: int) -> tuple[object, ...]:
        return write(Version(piece, kind, seed), score)[0].notes

    assert plain(0) == plain(0)
    assert any(plain(seed) != plain(0) for seed in SEEDS)


def test_nobody_performed_it_so_there_is_no_such_version(piece: Piece) -> None:
    unheard = Piece(piece.name, "", piece.score)
    assert [version.kind for version in versions_of(piece)] == list(KINDS)
    assert {version.kind for version in versions_of(unheard)} == set(KINDS) - {"performer"}


def test_percussion_is_heard_in_no_version(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "drums.mid", melody(4, 8), channel=DRUMS)
    with pytest.raises(AudioError, match="nothing but percussion"):
        read(Piece("drums", "", path))


def test_one_pitch_cannot_be_cut_in_two(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "a.mid", [(0.5 * i, 0.5, 60) for i in range(8)])
    piece = Piece("monotone", "", path)
    with pytest.raises(AudioError, match="one pitch only"):
        write(Version(piece, "dropped parts"), read(piece))
    assert len(write(Version(piece, "key"), read(piece))[0].notes) == 8
