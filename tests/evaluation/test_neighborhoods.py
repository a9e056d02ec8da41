"""Stored vectors against slow twins: ranks, lists, pairs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from library.stand_in import new_library, write_sounds
from soundalike.errors import QueryError
from soundalike.evaluation import metrics, neighborhoods
from soundalike.evaluation.neighborhoods import UNKNOWN, Question, Stored, ask, hubness, pairs
from soundalike.library.aggregation import AGGREGATIONS, similarities, track_vector, unit

N, S, D = 150, 3, 6


def stored(
    segments: np.ndarray, aggregation: str = "mean", copies: np.ndarray | None = None
) -> Stored:
    folded = None if aggregation == "maxsim" else track_vector(segments, aggregation)
    numbers = np.arange(len(segments)) if copies is None else copies
    tracks = [None] * len(segments)
    return Stored(tracks, numbers, segments, aggregation, folded, 0)  # type: ignore[arg-type]


@pytest.fixture
def segments() -> np.ndarray:
    drawn = np.random.default_rng(1).standard_normal((N, S, D)).astype(np.float32)
    return np.asarray(unit(drawn))


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_a_piece_is_recognised_as_when_people_ask(segments: np.ndarray, aggregation: str) -> None:
    senses = {"sound": slice(0, 3), "composition": slice(3, 6)}
    segments[1::7, :, 3:] = segments[0, :, 3:]  # one piece in many sounds
    for own in senses.values():
        segments[..., own] = unit(segments[..., own]) * np.sqrt(0.5)
    folds = aggregation != "maxsim"
    both = Stored(
        [None] * N,  # type: ignore[list-item]
        np.arange(N),
        segments,
        aggregation,
        track_vector(segments, aggregation, senses) if folds else None,  # type: ignore[arg-type]
        0,
        track_vector(unit(segments[..., 3:]), aggregation) if folds else None,  # type: ignore[arg-type]
        senses,
    )
    rows = np.arange(0, N, 10)
    asked = [similarities(segments[row], segments, aggregation, senses) for row in rows]
    np.testing.assert_allclose(both.against_all(rows), asked, atol=1e-5)
    assert both.against_all(rows)[0, 1] == pytest.approx(1, abs=1e-5)
    pairs_of = both.of_pairs(rows[:-1], rows[1:])
    np.testing.assert_allclose(pairs_of, [asked[i][rows[i + 1]] for i in range(14)], atol=1e-5)
    fewer = both.only(np.arange(40))
    np.testing.assert_allclose(
        fewer.against_all(rows[:4]), [row[:40] for row in asked[:4]], atol=1e-5
    )


@pytest.fixture
def labels() -> np.ndarray:
    """Twenty labels, a fifth of the tracks without one."""
    rng = np.random.default_rng(2)
    return np.where(rng.random(N) < 0.2, UNKNOWN, rng.integers(0, 20, N))


def matrix(of: Stored) -> np.ndarray:
    return of.against_all(np.arange(len(of)))


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_tracks_are_compared_as_the_search_does(segments: np.ndarray, aggregation: str) -> None:
    own = stored(segments, aggregation)
    expected = np.stack([similarities(track, segments, aggregation) for track in segments])
    np.testing.assert_allclose(matrix(own), expected, atol=1e-5)
    left, right = np.array([0, 5, 5]), np.array([3, 5, 9])
    np.testing.assert_allclose(own.of_pairs(left, right), expected[left, right], atol=1e-5)


@pytest.mark.parametrize("filtered", [False, True])
def test_scores_are_those_of_metrics(
    segments: np.ndarray, labels: np.ndarray, filtered: bool
) -> None:
    bars = np.where(np.arange(N) % 11 == 0, UNKNOWN, np.arange(N) % 7) if filtered else None
    copies = np.arange(N)
    copies[:4] = 0  # four files of the same content
    own = stored(segments, copies=copies)
    allowed = (labels != UNKNOWN) & (copies[:, None] != copies)
    if bars is not None:
        allowed = allowed & (bars[:, None] != bars) & (bars != UNKNOWN)
    relevant = (labels[:, None] == labels) & allowed
    relevant &= (labels != UNKNOWN)[:, None]
    if bars is not None:
        relevant &= (bars != UNKNOWN)[:, None]
    similarity = np.where(allowed, matrix(own), -np.inf)
    rows = relevant.any(axis=1)
    told: list[tuple[str, int, int]] = []
    found = ask(
        own,
        Question("same_label", labels, bars),
        queries=N,
        progress=lambda *done: told.append(done),
    )
    for name, twin in (
        ("top-1", metrics.top_1(similarity, relevant)),
        ("P@10", metrics.precision_at(10, similarity, relevant)),
        ("mAP", metrics.average_precision(similarity, relevant)),
        ("chance", relevant.sum(axis=1) / np.maximum(1, allowed.sum(axis=1))),
    ):
        np.testing.assert_allclose(found[name], twin[rows], atol=1e-12, err_msg=name)
    assert told[-1][0] == "same label"
    assert told[-1][1] == told[-1][2] >= rows.sum()


def test_ties_count_against_us() -> None:
    same = np.ones((6, S, D), np.float32) / math.sqrt(D)
    found = ask(stored(same), Question("t", np.array([0, 0, 1, 1, 2, 2])), queries=6)
    assert found["top-1"].tolist() == [0] * 6
    assert found["mAP"].tolist() == [1 / 5] * 6  # the mate is last of five
    assert found["chance"].tolist() == [1 / 5] * 6


def test_few_queries_are_drawn_by_seed(segments: np.ndarray, labels: np.ndarray) -> None:
    own, question = stored(segments), Question("t", labels)
    values = {seed: ask(own, question, queries=20, seed=seed)["mAP"].tolist() for seed in (0, 0, 1)}
    assert len(values[0]) == 20
    assert values[0] == ask(own, question, queries=20)["mAP"].tolist()
    assert values[0] != values[1]
    everything = ask(own, question, queries=N)["mAP"].tolist()
    assert set(values[0]) <= set(everything)


def test_a_question_without_mates_asks_nobody(segments: np.ndarray) -> None:
    lonely = Question("t", np.arange(N))
    assert not len(lonely.asked())
    assert all(not len(each) for each in ask(stored(segments), lonely, queries=5).values())
    # All mates of an artist on one album: none is left on another one.
    artists, albums = np.arange(N) // 3, np.arange(N) // 3
    assert not len(Question("t", artists, albums).asked())
    assert len(Question("t", artists, np.arange(N)).asked()) == N


def test_hubs_are_counted_as_by_sorting(segments: np.ndarray) -> None:
    own = stored(segments)
    rows, counts = hubness(own, k=10)
    similarity = matrix(own)
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1)[:, :10]
    assert rows.tolist() == list(range(N))
    assert counts.tolist() == np.bincount(nearest.ravel(), minlength=N).tolist()


def test_a_track_in_the_middle_is_a_hub() -> None:
    """On a circle plus its centre, all but the two beside a point are further off than the centre."""
    angle = 2 * np.pi * np.arange(8) / 8
    around = np.stack([np.cos(angle), np.sin(angle), np.full(8, 0.6)], axis=1)
    points = unit(np.concatenate([around, [[0.0, 0.0, 1.0]]]).astype(np.float32))
    _, counts = hubness(stored(np.repeat(points[:, None], S, axis=1)), k=3)
    assert counts[-1] == 8
    assert counts[:-1].max() <= 3


def test_hubness_of_a_large_library_is_that_of_a_sample(segments: np.ndarray) -> None:
    rows, counts = hubness(stored(segments), k=10, most=40)
    assert len(set(rows.tolist())) == 40
    assert counts.sum() == 400
    part = stored(segments[rows])
    assert counts.tolist() == hubness(part, k=10)[1].tolist()


def test_copies_are_in_no_list_of_each_other() -> None:
    one, other = np.eye(2, D, dtype=np.float32)
    three = np.repeat(np.stack([one, one, other])[:, None], S, axis=1)
    _, counts = hubness(stored(three, copies=np.array([0, 0, 1])), k=1)
    assert counts.tolist() in ([1, 0, 2], [0, 1, 2])


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_tracks_have_no_lists(count: int) -> None:
    _, counts = hubness(stored(np.zeros((count, S, D), np.float32)))
    assert counts.tolist() == [0] * count


def test_pairs_are_of_one_label_and_never_of_one_track(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.array([3, UNKNOWN, 3, 7, 5, 3, 5])
    seen: list[tuple[int, int]] = []

    def remember(self: Stored, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        seen.extend(zip(left.tolist(), right.tolist(), strict=True))
        return np.zeros(len(left), np.float32)

    monkeypatch.setattr(Stored, "of_pairs", remember)
    pairs(stored(np.zeros((7, S, D), np.float32)), labels, count=2_000)
    wanted = {(i, j) for i in range(7) for j in range(7) if i != j and labels[i] == labels[j] >= 0}
    assert set(seen) == wanted
    asked = np.bincount([left for left, _ in seen], minlength=7) / 2_000
    np.testing.assert_allclose(asked[[0, 2, 4, 5, 6]], 1 / 5, atol=0.05)  # every track as often
    seen.clear()
    pairs(stored(np.zeros((7, S, D), np.float32)), None, count=2_000)
    assert set(seen) == {(i, j) for i in range(7) for j in range(7) if i != j}


def test_there_are_no_pairs_without_mates(segments: np.ndarray) -> None:
    assert not len(pairs(stored(segments), np.arange(N)))
    assert not len(pairs(stored(segments), np.full(N, UNKNOWN)))
    assert not len(pairs(stored(segments[:1]), None))


def test_how_often_one_is_more_alike_is_the_area_under_the_curve() -> None:
    rng = np.random.default_rng(0)
    these, those = rng.integers(0, 9, 80) / 8, rng.integers(-3, 6, 50) / 8
    truth = np.repeat([1, 0], [80, 50])
    area = roc_auc_score(truth, np.concatenate([these, those]))
    assert neighborhoods.more_alike(these, those) == pytest.approx(area)


def test_a_histogram_has_every_pair() -> None:
    edges, shares = neighborhoods.histogram(np.array([-1.0, -0.999, 0.5, 1.0000001], np.float32))
    assert (edges[0], edges[-1], len(edges)) == (-1, 1, len(shares) + 1)
    assert sum(shares) == 1
    assert shares[0] == 0.5
    assert shares[-1] == 0.25


def test_the_vectors_are_those_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        write_sounds(tmp_path / f"music/{number}.wav", f"a{number}", f"b{number}", f"c{number}")
    (tmp_path / "music/9.wav").write_text((tmp_path / "music/0.wav").read_text())
    library, encoder = new_library(tmp_path / "library")
    with pytest.raises(QueryError, match="is empty"):
        neighborhoods.read_stored(library)
    library.index(tmp_path / "music")
    own = neighborhoods.read_stored(library)
    assert [track.path.stem for track in own.tracks] == ["0", "1", "2", "3", "4", "9"]
    for row, track in enumerate(own.tracks):
        np.testing.assert_array_equal(own.segments[row], encoder.embed_file(track.path).vectors)
    assert own.copies[0] == own.copies[5]
    assert len(set(own.copies.tolist())) == 5
    # The same without a snapshot, from the table, as in a library too large for one.
    monkeypatch.setattr(neighborhoods.Opened, "load", lambda *_: None)
    slow = neighborhoods.read_stored(library)
    np.testing.assert_array_equal(slow.segments, own.segments)
    assert slow.copies.tolist() == own.copies.tolist()
    monkeypatch.setattr(neighborhoods, "MOST_TRACKS", 3)
    few = neighborhoods.read_stored(library)
    assert (len(few), few.left_out) == (3, 3)
    np.testing.assert_array_equal(few.segments[2], encoder.embed_file(few.tracks[2].path).vectors)


def test_an_aggregation_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no aggregation 'sum'"):
        neighborhoods.read_stored(new_library(tmp_path)[0], aggregation="sum")
