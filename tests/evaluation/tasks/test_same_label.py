"""Albums, artists and filters, against rules written out one pair at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.evaluation.retrieval import Retrieval, judge
from soundalike.evaluation.tasks.recordings import Recording
from soundalike.evaluation.tasks.same_label import same_album, same_artist, same_genre

# Queries are rows.
SIMILARITY = np.array(
    [
        [0.9, 0.1, 0.2, 0.0],
        [0.8, 0.5, 0.1, 0.2],
        [0.7, 0.6, 0.3, 0.1],
        [0.1, 0.2, 0.3, 0.4],
    ]
)


def recordings(albums: str, artists: str = "", genres: str = "") -> list[Recording]:
    """A track per letter; "-" is a label that is not known."""
    rows = zip(
        *(labels.ljust(len(albums), "-") for labels in (albums, artists, genres)), strict=True
    )
    return [
        Recording(Path(f"{n}.wav"), *("" if label == "-" else label for label in row))
        for n, row in enumerate(rows)
    ]


def values(retrieval: Retrieval, metric: str = "mAP") -> list[float]:
    (score,) = judge(retrieval, SIMILARITY)
    return score.values[metric]


def test_the_mates_are_asked_for_and_the_track_itself_is_barred() -> None:
    retrieval = same_album(recordings("aaab"))
    found = values(retrieval)
    # Without itself, track 0 ranks 2, 1, 3: both mates first.
    assert found[0] == pytest.approx(1)
    # Track 1 ranks 0, 3, 2: its mates stand at 1 and 3.
    assert found[1] == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found[2] == pytest.approx(1)
    assert np.isnan(found[3])  # alone on its album
    assert values(retrieval, "P@5")[:3] == pytest.approx([2 / 5] * 3)
    (score,) = judge(retrieval, SIMILARITY)
    assert (score.task, score.queries) == ("same_album", 3)
    assert score.intervals["mAP"].mean == pytest.approx((1 + 5 / 6 + 1) / 3)


def test_tracks_without_an_album_are_nobodys_mates() -> None:
    found = np.array(values(same_album(recordings("--aa"))))
    assert np.isnan(found[:2]).all()
    assert not np.isnan(found[2:]).any()


def test_the_artist_filter_leaves_mates_by_others() -> None:
    """An album of three, two of them by x: x is asked for y's track, y for both of x's."""
    retrieval = same_album(recordings("aaab", "xxyz"), artist_filter=True)
    assert retrieval.task == "same_album_other_artists"
    np.testing.assert_array_equal(
        retrieval.relevant.astype(int), [[0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    )
    assert retrieval.barred[0].tolist() == [True, True, False, False]


def test_an_unknown_artist_is_not_asked_and_cannot_be_told_from_the_querys() -> None:
    retrieval = same_album(recordings("aaaa", "xy--"), artist_filter=True)
    assert retrieval.relevant.any(axis=1).tolist() == [True, True, False, False]
    assert retrieval.barred[0].tolist() == [True, False, True, True]


def test_the_album_filter_leaves_other_albums_of_the_artist() -> None:
    plain = same_artist(recordings("aabb", "xxxy"))
    assert plain.task == "same_artist"
    assert plain.relevant[0].tolist() == [False, True, True, False]
    filtered = same_artist(recordings("aabb", "xxxy"), album_filter=True)
    assert filtered.task == "same_artist_other_albums"
    assert filtered.relevant[0].tolist() == [False, False, True, False]


def test_genres_are_labels_like_others() -> None:
    tracks = recordings("abcd", "xxyz", "gggh")
    assert same_genre(tracks).relevant[0].tolist() == [False, True, True, False]
    filtered = same_genre(tracks, artist_filter=True)
    assert filtered.relevant[0].tolist() == [False, False, True, False]


def test_another_copy_of_the_query_is_barred_like_itself() -> None:
    retrieval = same_album(recordings("aaab"), duplicates=[{0, 1}])
    assert retrieval.barred[0].tolist() == [True, True, False, False]
    assert retrieval.relevant[0].tolist() == [False, False, True, False]


def test_a_system_that_hears_perfectly_scores_one() -> None:
    albums = "abaabb"
    perfect = np.array([[float(one == other) for other in albums] for one in albums])
    (score,) = judge(same_album(recordings(albums)), perfect)
    assert score.intervals["mAP"].mean == 1
    assert score.intervals["nDCG@10"].mean == 1


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_who_counts_for_whom_is_what_the_rules_say(data: st.DataObject) -> None:
    N = data.draw(st.integers(1, 7))
    albums = data.draw(st.text("ab-", min_size=N, max_size=N))
    artists = data.draw(st.text("xyz-", min_size=N, max_size=N))
    group = data.draw(st.sets(st.integers(0, N - 1)))
    retrieval = same_album(recordings(albums, artists), artist_filter=True, duplicates=[group])
    for i in range(N):
        for j in range(N):
            same_sound = i == j or {i, j} <= group
            unlike = artists[i] != artists[j] or "-" in (artists[i], artists[j])
            assert retrieval.barred[i, j] == (same_sound or artists[j] == "-" or not unlike)
            mates = albums[i] == albums[j] != "-" and artists[i] != "-"
            assert retrieval.relevant[i, j] == (mates and not retrieval.barred[i, j])
