from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.library import groups
from soundalike.library.aggregation import unit
from soundalike.library.groups import albums_of, artists_of, best_pairs, likeness

D = 8


def vectors(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, D)).astype(np.float32)
    return unit(rows)


def listed(found: groups.Groups) -> list[tuple[str, str, int]]:
    return [(group.name, group.artist, group.tracks) for group in found.listed]


def test_spellings_of_one_artist_are_one_and_the_commonest_stands() -> None:
    found = artists_of(["Beyonce", "Beyoncé", "", "BEYONCÉ", "Beyoncé", "Ø", "o", "  "])
    assert listed(found) == [("Beyoncé", "Beyoncé", 4), ("Ø", "Ø", 2)]
    assert found.members.tolist() == [0, 0, -1, 0, 0, 1, 1, -1]
    assert found.rows(1).tolist() == [5, 6]


def test_an_album_is_its_title_and_who_made_it() -> None:
    rows = [  # album, album artist, artist, path
        ("Greatest Hits", "", "Abba", "/a/1"),
        ("Greatest Hits", "", "Queen", "/q/1"),
        ("GREATEST HITS", "", "ABBA", "/elsewhere/2"),
        ("Now", "Various", "Abba", "/n/1"),
        ("Now", "Various", "Queen", "/n/2"),
        ("Demos", "", "", "/d/one/1"),
        ("Demos", "", "", "/d/two/1"),
        ("Demos", "", "", "/d/two/2"),
        ("", "", "Abba", "/a/9"),
    ]
    found = albums_of(*([row[i] for row in rows] for i in range(4)))
    assert listed(found) == [
        ("Demos", "", 1),
        ("Demos", "", 2),
        ("Greatest Hits", "Abba", 2),
        ("Greatest Hits", "Queen", 1),
        ("Now", "Various", 2),
    ]
    assert found.members.tolist() == [2, 3, 2, 4, 4, 0, 1, 1, -1]


def slow_likeness(means: np.ndarray, members: Sequence[int], asking: Sequence[int]) -> list[float]:
    """The cosine of two centroids, one group after the other."""
    scores = []
    for group in range(max(members) + 1):
        rows = [row for row, own in enumerate(members) if own == group]
        one, other = (
            np.mean([means[row].astype(float) for row in chosen], axis=0)
            for chosen in (asking, rows)
        )
        scores.append(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    return scores


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=40), st.integers(1, 8))
def test_likeness_is_the_cosine_of_centroids(names: list[str], block: int) -> None:
    found, means = artists_of(names), vectors(len(names))
    asking = found.rows(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "_BLOCK", block)
        scores = likeness(means, found, asking)
    slow = slow_likeness(means, found.members.tolist(), asking.tolist())
    np.testing.assert_allclose(scores, slow, atol=1e-7)
    assert scores[0] == pytest.approx(1)


def test_a_group_without_a_track_that_is_allowed_has_no_likeness() -> None:
    found = artists_of(["a", "b", "b", "c", ""])
    allowed = np.array([True, False, True, False, True])
    scores = likeness(vectors(5), found.among(allowed), found.rows(0))
    assert np.isneginf(scores).tolist() == [False, False, True]
    np.testing.assert_allclose(scores[1], vectors(5)[0] @ vectors(5)[2], atol=1e-7)
    nobody = likeness(vectors(5), found.among(np.zeros(5, bool)), found.rows(0))
    assert np.isneginf(nobody).all()


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9))
def test_best_pairs_take_every_track_once_and_the_best_first(m: int, n: int, count: int) -> None:
    ones, others = vectors(m, 1), vectors(n, 2)
    pairs = best_pairs(ones, others, count)
    assert len(pairs) == min(m, n, count)
    assert len({i for i, _, _ in pairs}) == len({j for _, j, _ in pairs}) == len(pairs)
    cosines = [cosine for _, _, cosine in pairs]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] == pytest.approx((ones @ others.T).max(), abs=1e-6)
