"""Both tasks, on pieces that are never rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mido", reason="scores need mido")

from small_pieces import write_pieces
from soundalike.evaluation.pieces import read_pieces, split_of
from soundalike.evaluation.retrieval import Retrieval, judge
from soundalike.evaluation.tasks.arrangement import (
    arrangement,
    gather,
    prepare,
    tasks_of,
)
from soundalike.evaluation.versions import KINDS, ORIGINAL
from soundalike.scores import rendering

PIECES, ASKED = 12, 2


@pytest.fixture
def pieces(tmp_path: Path) -> Path:
    return write_pieces(tmp_path, PIECES)


@pytest.fixture
def fonts(tmp_path: Path) -> tuple[Path, Path]:
    fonts = tmp_path / "one.sf2", tmp_path / "two.sf2"
    for font in fonts:
        font.write_bytes(b"soundfont")
    return fonts


def both(pieces: Path, fonts: tuple[Path, Path], **choice: object) -> list[Retrieval]:
    cache = pieces.parent / "cache"
    return arrangement(pieces, cache, soundfonts=fonts, limit=ASKED, **choice)  # type: ignore[arg-type]


def piece_of(key: str) -> str:
    return key.partition("#")[0]


def test_each_version_has_its_piece_to_find_among_the_half(
    pieces: Path, fonts: tuple[Path, Path]
) -> None:
    task, _ = both(pieces, fonts)
    half = {each.name for each in read_pieces(pieces) if split_of(each) == "validation"}
    assert {piece_of(track.key) for track in task.tracks} == half
    assert len(task.tracks) == len(half) > ASKED
    assert list(task.kinds) == [kind for kind in KINDS for _ in range(ASKED)]
    assert task.relevant.shape == (ASKED * len(KINDS), len(half))
    for query, row in zip(task.queries, task.relevant, strict=True):
        (found,) = np.flatnonzero(row)
        assert piece_of(task.tracks[found].key) == piece_of(query.key)
        assert f"#{ORIGINAL}@" in task.tracks[found].key
    assert not task.barred.any()


def test_among_versions_all_of_the_piece_but_itself_are_right(
    pieces: Path, fonts: tuple[Path, Path]
) -> None:
    task, versions = both(pieces, fonts)
    assert versions.queries == task.queries
    for i, query in enumerate(versions.queries):
        (itself,) = np.flatnonzero(versions.barred[i])
        assert versions.tracks[itself].key == query.key
        right = {j for j, track in enumerate(versions.tracks) if _same(track.key, query.key)}
        assert set(np.flatnonzero(versions.relevant[i])) == right - {itself}
        assert len(right) == 1 + len(KINDS)


def _same(one: str, other: str) -> bool:
    return piece_of(one) == piece_of(other)


def test_who_knows_the_pieces_scores_1(pieces: Path, fonts: tuple[Path, Path]) -> None:
    for task in both(pieces, fonts):
        scores = judge(task, task.relevant.astype(float))
        assert [score.kind for score in scores] == [*KINDS, "all"]
        for score in scores:
            assert {interval.mean for interval in score.intervals.values()} == {1.0}
            assert set(score.intervals) == {"top-1", "MRR", "mAP", "MR1"}


def test_the_halves_share_no_sound(pieces: Path, fonts: tuple[Path, Path]) -> None:
    keys = [
        {sound.key for task in both(pieces, fonts, split=split) for sound in task.tracks}
        for split in ("validation", "test")
    ]
    assert not keys[0] & keys[1]


def test_training_pieces_are_neither_asked_nor_listed(
    pieces: Path, fonts: tuple[Path, Path]
) -> None:
    for split in ("validation", "test"):
        for task in both(pieces, fonts, split=split):
            assert not any("seen" in sound.key for sound in (*task.queries, *task.tracks))


def test_the_same_seed_gives_the_same_sounds(pieces: Path, fonts: tuple[Path, Path]) -> None:
    def keys(seed: int) -> list[str]:
        return [sound.key for sound in both(pieces, fonts, seed=seed)[1].tracks]

    assert keys(1) == keys(1)
    assert keys(1) != keys(2)
    originals = {key for key in keys(1) if f"#{ORIGINAL}@" in key}
    assert originals == {key for key in keys(2) if f"#{ORIGINAL}@" in key}  # nothing is drawn


def test_all_that_is_asked_for_is_rendered_before(
    pieces: Path, fonts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[float] = []

    def stand_in(score: rendering.Score, *_: object, **__: object) -> np.ndarray:
        played.append(score.end)
        return np.full(round(score.end * 16_000), 1_000, np.int16)

    monkeypatch.setattr(rendering, "play", stand_in)
    material = gather(pieces, pieces.parent / "cache", limit=ASKED, soundfonts=fonts)
    assert prepare(material) == []
    rendered = len(played)
    assert rendered == len(material.queries) + len(material.tracks)
    for sound in tasks_of(material)[1].tracks:
        sound.make(16_000)
    assert len(played) == rendered
