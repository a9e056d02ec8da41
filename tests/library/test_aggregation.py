from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from soundalike.errors import QueryError
from soundalike.library.aggregation import (
    AGGREGATIONS,
    matches,
    recognised,
    similarities,
    similarity_matrix,
    track_vector,
    unit,
    unrelated,
)


def unit_rows(seed: int, *shape: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def slow_similarity(query: np.ndarray, track: np.ndarray, aggregation: str) -> float:
    """One pair of tracks, by the formulas of the module docstring, in loops."""
    S = len(query)
    if aggregation == "mean":
        v, w = sum(query.astype(float)), sum(track.astype(float))
        return float(v @ w / np.sqrt(v @ v) / np.sqrt(w @ w))
    table = [[float(v.astype(float) @ w.astype(float)) for w in track] for v in query]
    if aggregation == "concat":
        return sum(table[i][i] for i in range(S)) / S
    forth = sum(max(row) for row in table) / S
    back = sum(max(table[i][j] for i in range(S)) for j in range(len(track))) / len(track)
    return (forth + back) / 2


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_similarities_equal_the_formulas(aggregation: str) -> None:
    query, tracks = unit_rows(1, 3, 7), unit_rows(2, 20, 3, 7)
    fast = similarities(query, tracks, aggregation)
    slow = [slow_similarity(query, track, aggregation) for track in tracks]
    assert fast.dtype == np.float32
    assert_allclose(fast, slow, atol=1e-6)


@pytest.mark.parametrize("aggregation", ["mean", "maxsim"])
def test_tracks_of_another_number_of_segments(aggregation: str) -> None:
    query, tracks = unit_rows(1, 2, 5), unit_rows(2, 6, 4, 5)
    if aggregation == "mean":
        slow = [slow_similarity(query, track, "mean") for track in tracks]
    else:
        tables = [query @ track.T for track in tracks]
        slow = [(t.max(1).mean() + t.max(0).mean()) / 2 for t in tables]
    assert_allclose(similarities(query, tracks, aggregation), slow, atol=1e-6)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_symmetric_and_one_for_the_same(aggregation: str) -> None:
    a, b = unit_rows(3, 4, 9), unit_rows(4, 4, 9)
    assert_allclose(similarities(a, a[None], aggregation), [1], atol=1e-6)
    forth, back = (similarities(x, y[None], aggregation) for x, y in ((a, b), (b, a)))
    assert_allclose(forth, back, atol=1e-6)


SENSES = {"sound": slice(0, 4), "melody": slice(4, 9)}
SHARES = {"sound": 0.25, "melody": 0.75}


def joined(seed: int, *shape: int) -> np.ndarray:
    """Segments of two senses, as a joined model gives them."""
    parts = [
        np.sqrt(SHARES[name]) * unit_rows(seed + i, *shape, own.stop - own.start)
        for i, (name, own) in enumerate(SENSES.items())
    ]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def test_the_senses_keep_their_weights_in_the_mean_however_much_segments_agree() -> None:
    query, tracks = joined(1, 3), joined(11, 20, 3)
    tracks[:, :, :4] = tracks[:, :1, :4]  # every segment sounds like the first
    found = similarities(query, tracks, "mean", SENSES)
    by_sense = {
        name: [slow_similarity(query[:, own], track[:, own], "mean") for track in tracks]
        for name, own in SENSES.items()
    }
    assert_allclose(
        found, sum(SHARES[name] * np.array(by_sense[name]) for name in SENSES), atol=1e-6
    )
    assert np.abs(found - similarities(query, tracks, "mean")).max() > 0.02
    lengths = np.linalg.norm(track_vector(tracks, "mean", SENSES)[:, :4], axis=1)
    assert_allclose(lengths, np.sqrt(SHARES["sound"]), atol=1e-6)


@pytest.mark.parametrize("aggregation", ["concat", "maxsim"])
def test_other_ways_compare_segments_where_weights_are_what_they_are(aggregation: str) -> None:
    query, tracks = joined(1, 3), joined(11, 20, 3)
    found = similarities(query, tracks, aggregation, SENSES)
    assert_allclose(found, similarities(query, tracks, aggregation), atol=1e-6)


def lifted(together: float, piece: float) -> float:
    """What `recognised` says in words, among up to a thousand tracks."""
    if piece <= 0.4:
        return together
    return 1 - (1 - together) * ((1 - piece) / 0.6) ** 2


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_the_sense_of_composition_lifts_what_it_recognises(aggregation: str) -> None:
    named = {"sound": slice(0, 4), "composition": slice(4, 9)}
    query, tracks = joined(1, 3), joined(11, 40, 3)
    tracks[:20, :, 4:] += 2 * query[:, 4:]  # one piece, more or less, in other sounds
    tracks[..., 4:] = unit(tracks[..., 4:]) * np.sqrt(0.75)
    found = similarities(query, tracks, aggregation, named)
    plain = similarities(query, tracks, aggregation, SENSES)
    own = unit(query[:, 4:]), unit(tracks[..., 4:])
    piece = [slow_similarity(own[0], track, aggregation) for track in own[1]]
    assert_allclose(found, [lifted(*each) for each in zip(plain, piece, strict=True)], atol=1e-5)
    assert (found[:20] > plain[:20] + 0.01).any()
    below = np.array(piece) < 0.399
    assert below[20:].sum() > 5
    assert (found[below] == plain[below]).all()
    assert_allclose(similarity_matrix([query], tracks, aggregation, named), [found], atol=1e-6)
    assert_allclose(similarities(query, query[None], aggregation, named), [1], atol=1e-6)


@pytest.mark.parametrize(("among", "least"), [(3, 0.4), (1000, 0.4), (10_000, 0.55), (10**9, 0.95)])
def test_a_lift_begins_where_as_many_unrelated_tracks_seldom_come(among: int, least: float) -> None:
    assert unrelated(among) == pytest.approx(least)
    piece = np.linspace(-1, 1, 401)
    above = piece > least + 1e-9
    drawn = np.random.default_rng(0).uniform(-1, 1, 401).astype(np.float32)
    likeness = recognised(drawn, piece.astype(np.float32), among)
    assert likeness.dtype == np.float32
    assert (likeness[~above] == drawn[~above]).all()
    assert (likeness[above] >= drawn[above]).all()
    for together in (-0.5, 0.0, 0.7):
        likeness = recognised(np.full(401, together), piece, among)
        assert (np.diff(likeness[above]) > 0).all()
        assert likeness[-1] == 1


def test_a_cosine_of_composition_of_two_thirds_takes_most_of_what_is_missing() -> None:
    assert recognised(np.array([0.2]), np.array([0.7]), 50)[0] == pytest.approx(1 - 0.8 / 4)
    assert recognised(np.array([0.2]), np.array([0.7]), 10**5)[0] == pytest.approx(0.2)


def test_a_sense_that_cancels_out_says_nothing_and_the_other_all() -> None:
    track = joined(1, 2)
    track[1, :4] = -track[0, :4]
    vector = track_vector(track, "mean", SENSES)
    assert not vector[:4].any()
    assert_allclose(np.linalg.norm(vector[4:]), 1, atol=1e-6)
    assert not track_vector(np.zeros((2, 9), np.float32), "mean", SENSES).any()


def test_order_matters_to_concat_alone() -> None:
    track = unit_rows(5, 3, 9)
    turned = track[::-1].copy()[None]
    assert_allclose(similarities(track, turned, "mean"), [1], atol=1e-6)
    assert_allclose(similarities(track, turned, "maxsim"), [1], atol=1e-6)
    assert similarities(track, turned, "concat")[0] < 0.9


def test_mean_washes_out_contrast_and_maxsim_does_not() -> None:
    quiet, loud = np.eye(2, dtype=np.float32)
    contrast = np.stack([quiet, loud])
    middling = unit(np.stack([quiet + loud, quiet + loud]))
    assert_allclose(similarities(contrast, middling[None], "mean"), [1], atol=1e-6)
    assert_allclose(similarities(contrast, middling[None], "maxsim"), [np.sqrt(0.5)], atol=1e-6)


@pytest.mark.parametrize("aggregation", ["mean", "concat"])
def test_track_vectors_have_the_similarity_as_dot_product(aggregation: str) -> None:
    query, tracks = unit_rows(6, 3, 8), unit_rows(7, 5, 3, 8)
    many = track_vector(tracks, aggregation)
    assert_allclose(many[2], track_vector(tracks[2], aggregation), atol=1e-6)
    assert_allclose(np.linalg.norm(many, axis=1), 1, atol=1e-6)
    dots = many @ track_vector(query, aggregation)
    assert_allclose(dots, similarities(query, tracks, aggregation), atol=1e-6)


def test_segments_that_cancel_out_are_similar_to_nothing() -> None:
    v = unit_rows(8, 1, 4)
    opposed = np.concatenate([v, -v])
    assert_allclose(track_vector(opposed, "mean"), 0)
    assert_allclose(similarities(v, opposed[None], "mean"), [0])


def test_matches_are_one_to_one_and_best_first() -> None:
    query = np.eye(3, dtype=np.float32)
    # Answer segment 0 suits every query segment; it must explain only the best of them.
    answer = unit(np.array([[1.0, 0.9, 0.8], [0.0, 0.1, 1.0], [0.1, 1.0, 0.0]], np.float32))
    found = matches(query, answer)
    assert [(i, j) for i, j, _ in found] == [(1, 2), (2, 1), (0, 0)]
    assert_allclose([s for *_, s in found], [query[i] @ answer[j] for i, j, _ in found], atol=1e-6)
    assert matches(query, answer, 1) == found[:1]
    assert len(matches(query, answer[:2], 5)) == 2


def test_equal_matches_come_in_the_order_of_time() -> None:
    same = np.ones((3, 1), np.float32)
    assert [(i, j) for i, j, _ in matches(same, same)] == [(0, 0), (1, 1), (2, 2)]


def test_names_and_shapes_are_checked() -> None:
    rows = unit_rows(9, 3, 4)
    with pytest.raises(QueryError, match=r"'median'.*mean, concat, maxsim"):
        similarities(rows, rows[None], "median")
    with pytest.raises(QueryError, match="maxsim"):
        track_vector(rows, "maxsim")
    with pytest.raises(ValueError, match=r"\(3, 4\)"):
        similarities(rows, rows, "mean")
    with pytest.raises(ValueError, match="2 against 3"):
        similarities(rows[:2], rows[None], "concat")
