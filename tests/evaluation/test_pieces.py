"""Lists of pieces, and who of them is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mido", reason="scores need mido")

from small_pieces import write_pieces, write_rows
from soundalike.errors import QueryError
from soundalike.evaluation.pieces import Piece, choose, read_pieces, split_of

MANY = [Piece(f"{i}", "ABC"[i % 7 % 3], Path(f"{i}.mid")) for i in range(60)]


def test_scores_come_with_their_performances(tmp_path: Path) -> None:
    pieces = read_pieces(write_pieces(tmp_path, 3))
    assert [piece.name for piece in pieces] == ["set:0", "set:1", "set:2"]
    assert pieces[1].score == tmp_path / "1/score.mid"
    assert pieces[1].performances == (tmp_path / "1/played.mid",)
    assert pieces[1].composer == "Bohm"


def test_rows_for_training_are_never_read(tmp_path: Path) -> None:
    rows = [
        ("a.mid", "evaluation only", "a", "score", "A"),
        ("seen.mid", "training", "a", "performance:Ann", "A"),
        ("b.mid", "training", "b", "score", "A"),
    ]
    (piece,) = read_pieces(write_rows(tmp_path / "pieces.csv", rows))
    assert piece == Piece("a", "A", tmp_path / "a.mid")


def test_a_score_with_other_repeats_is_the_same_piece(tmp_path: Path) -> None:
    names = ["24-1", "24-1_no_2_repeat", "6_Variations", "6_Variations_repeat", "18_no_repeat"]
    rows = [(f"{name}.mid", "evaluation only", name, "score", "A") for name in names]
    rows.append(("x.mid", "evaluation only", "24-1_no_2_repeat", "performance:Ann", "A"))
    found = [piece.name for piece in read_pieces(write_rows(tmp_path / "pieces.csv", rows))]
    assert found == ["24-1_no_2_repeat", "6_Variations", "18_no_repeat"]  # the performed one


def test_twins_are_of_one_half() -> None:
    for name in map(str, range(50)):
        twins = [Piece(f"{name}{mark}", "", Path()) for mark in ("", "_no_repeat", "_repeat")]
        assert len({split_of(twin) for twin in twins}) == 1


def test_the_halves_have_nothing_in_common() -> None:
    halves = [set().union(*choose(MANY, split, limit=5)) for split in ("validation", "test")]
    assert not halves[0] & halves[1]
    assert halves[0] | halves[1] == set(MANY)
    assert min(map(len, halves)) >= 20


def test_composers_take_turns() -> None:
    asked, others = choose(MANY, "validation", limit=6)
    assert sorted(piece.composer for piece in asked) == [*"AABBCC"]
    assert len({piece.composer for piece in asked[:3]}) == 3
    assert not set(asked) & set(others)


def test_the_seed_chooses_and_nothing_else() -> None:
    first, again = (choose(MANY, "test", seed=3, limit=9) for _ in range(2))
    assert first == again
    assert choose(list(reversed(MANY)), "test", seed=3, limit=9) == first
    assert choose(MANY, "test", seed=4, limit=9) != first


@pytest.mark.parametrize(
    ("split", "limit", "message"),
    [("train", 1, 'no split "train"'), ("test", 0, "limit=0")],
)
def test_impossible_choices_are_named(split: str, limit: int, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        choose(MANY, split, limit=limit)


def test_an_empty_half_is_named() -> None:
    piece = next(piece for piece in MANY if split_of(piece) == "test")
    with pytest.raises(QueryError, match='of 1 pieces none is in the split "validation"'):
        choose([piece], "validation")


def test_lists_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("path,split\na.ogg,train\n")
    seen = write_rows(tmp_path / "seen.csv", [("a.mid", "training", "a", "score", "A")])
    with pytest.raises(QueryError, match="no column 'piece'"):
        read_pieces(tmp_path / "other.csv")
    with pytest.raises(QueryError, match="no such file"):
        read_pieces(tmp_path / "none.csv")
    with pytest.raises(QueryError, match='no score whose use is "evaluation only"'):
        read_pieces(seen)
