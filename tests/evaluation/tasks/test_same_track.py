"""Second halves against first halves, on matrices made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.evaluation.retrieval import judge
from soundalike.evaluation.tasks.recordings import Recording, halves
from soundalike.evaluation.tasks.same_track import same_recording, same_track

RECORDINGS = [Recording(Path(f"{name}.wav"), "", "") for name in "abcd"]

# Queries are rows. Track 0 finds its other half first, track 1 second, track 2 third.
SIMILARITY = np.array(
    [
        [0.9, 0.1, 0.2, 0.0],
        [0.8, 0.5, 0.1, 0.2],
        [0.7, 0.6, 0.3, 0.1],
        [0.1, 0.2, 0.3, 0.4],
    ]
)


def test_the_other_half_is_asked_for() -> None:
    (score,) = judge(same_track(RECORDINGS), SIMILARITY)
    assert (score.task, score.queries) == ("same_track", 4)
    assert score.values == {
        "top-1": [1, 0, 0, 1],
        "MRR": pytest.approx([1, 1 / 2, 1 / 3, 1]),
    }
    interval = score.intervals["MRR"]
    assert interval.mean == pytest.approx((1 + 1 / 2 + 1 / 3 + 1) / 4)
    assert interval.low <= interval.mean <= interval.high


def test_seconds_are_queries_and_firsts_are_tracks() -> None:
    retrieval = same_track(RECORDINGS)
    for recording, query, track in zip(
        RECORDINGS, retrieval.queries, retrieval.tracks, strict=True
    ):
        assert (track.key, query.key) == tuple(half.key for half in halves(recording))
    assert not retrieval.barred.any()


def test_another_copy_of_the_recording_is_no_wrong_answer() -> None:
    (score,) = judge(same_track(RECORDINGS, duplicates=[{0, 1}]), SIMILARITY)
    assert score.values["top-1"] == [1, 1, 0, 1]  # track 1 found its copy, track 0


def test_copies_stand_in_groups() -> None:
    same = same_recording(5, [{0, 3}, {1, 2, 4}])
    expected = np.array([[(i in (0, 3)) == (j in (0, 3)) for j in range(5)] for i in range(5)])
    np.testing.assert_array_equal(same, expected)
    np.testing.assert_array_equal(same_recording(3, []), np.eye(3, dtype=bool))


def test_hearing_perfectly_scores_one() -> None:
    (score,) = judge(same_track(RECORDINGS), np.eye(4))
    assert {interval.mean for interval in score.intervals.values()} == {1}
