"""Radio: repeatable, resumable, never twice, and it goes where it is told to."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from small_snapshot import snapshot_of

from soundalike.errors import QueryError
from soundalike.library.ground import Ground
from soundalike.library.radio import Radio, RadioState, check_state, state_from
from soundalike.library.selection import Selection

WIDTH = 6


def ground_of(count: int, *, copies: int = 1, artists: str = "", **selection: Any) -> Ground:
    vectors = np.repeat(np.random.default_rng(0).standard_normal((count, WIDTH)), copies, axis=0)
    rows = [
        {
            "vector": vector,
            "duration": 100.0 + 20 * (i // copies),
            "artist": artists[i % len(artists)] if artists else "",
        }
        for i, vector in enumerate(vectors)
    ]
    return Ground(snapshot_of(rows), Selection(**selection))


def radio(ground: Ground, seeds: list[int], **options: Any) -> Radio:
    state = RadioState([ground.snapshot.ids[row] for row in seeds], **options)
    return Radio(state, ground, np.array(seeds))


def rows(ground: Ground, steps: Any) -> list[int]:
    return [ground.snapshot.row_of_id[step.track.id] for step in steps]


@pytest.mark.parametrize("drift", [0.0, 0.4, 1.0])
def test_everything_is_played_once_and_the_seeds_are_not(drift: float) -> None:
    ground = ground_of(40)
    tuned = radio(ground, [3, 7], drift=drift)
    assert sorted(rows(ground, tuned)) == sorted(set(range(40)) - {3, 7})
    assert list(tuned) == []


def test_the_same_seed_is_the_same_radio_and_another_another() -> None:
    ground = ground_of(60)
    first, again, other = (
        rows(ground, islice(radio(ground, [0], seed=seed, drift=0.5), 30)) for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("stop", [0, 1, 13, 29])
def test_a_radio_that_was_stopped_goes_on_as_if_it_had_not_been(stop: int) -> None:
    ground = ground_of(60)
    options = {"seed": 5, "drift": 0.7, "artist_spacing": 2}
    whole = rows(ground, islice(radio(ground, [0, 1], **options), 30))
    tuned = radio(ground, [0, 1], **options)
    begun = rows(ground, islice(tuned, stop))
    state = state_from(json.loads(json.dumps(asdict(tuned.state))))
    rest = rows(ground, islice(Radio(state, ground, np.array([0, 1])), 30 - stop))
    assert begun + rest == whole


def test_without_drift_it_stays_and_with_it_wanders() -> None:
    """How far the first tracks are from the seed, on the mean over some radios."""
    ground = ground_of(1000)

    def nearness(drift: float) -> float:
        steps = [
            s for seed in range(5) for s in islice(radio(ground, [0], seed=seed, drift=drift), 20)
        ]
        return float(np.mean([step.from_start for step in steps]))

    near, middle, far = map(nearness, (0.0, 0.5, 1.0))
    assert near > middle > far
    assert near > 0.7


def test_each_of_several_seeds_is_gone_back_to() -> None:
    """Not to what lies between them: of three opposed clusters that is nothing."""
    axes = np.repeat(np.eye(4), 25, axis=0)
    noise = 0.1 * np.random.default_rng(0).standard_normal(axes.shape)
    facts = [{"vector": v, "duration": 100.0 + 20 * i} for i, v in enumerate(axes + noise)]
    ground = Ground(snapshot_of(facts))
    played = rows(ground, islice(radio(ground, [0, 25, 50]), 30))
    counts = np.bincount(np.array(played) // 25, minlength=4)
    assert counts[:3].min() >= 5
    assert counts[3] == 0


@pytest.mark.parametrize("spacing", [1, 2, 3])
def test_an_artist_has_to_wait(spacing: int) -> None:
    ground = ground_of(60, artists="ABCDE")
    played = rows(ground, islice(radio(ground, [0], artist_spacing=spacing, drift=1.0), 30))
    names = [ground.artist(row) for row in played]
    for gap in range(1, spacing + 1):
        assert all(one != other for one, other in zip(names, names[gap:], strict=False))


def test_where_there_are_no_other_artists_the_music_goes_on() -> None:
    ground = ground_of(20, artists="A")
    assert len(list(radio(ground, [0], artist_spacing=5))) == 19
    ground = ground_of(20, artists="AB")  # every other one, as far as it goes
    names = [ground.artist(row) for row in rows(ground, radio(ground, [0], artist_spacing=5))]
    assert sum(one == other for one, other in pairwise(names)) <= 1


def test_no_recording_twice_unless_told() -> None:
    ground = ground_of(12, copies=2)
    played = rows(ground, radio(ground, [0]))
    assert sorted(row // 2 for row in played) == list(range(1, 12))
    ground = ground_of(12, copies=2, keep_versions=True)
    assert len(list(radio(ground, [0]))) == 23


def test_repeat_begins_anew() -> None:
    ground = ground_of(6)
    played = rows(ground, islice(radio(ground, [0], repeat=True), 15))
    for start in (0, 5, 10):
        assert sorted(played[start : start + 5]) == [1, 2, 3, 4, 5]
    assert len({tuple(played[i : i + 5]) for i in (0, 5, 10)}) > 1
    assert list(radio(ground_of(1), [0], repeat=True)) == []


def test_likes_and_dislikes_turn_it() -> None:
    ground = ground_of(400)
    vectors = ground.snapshot.means
    target = int((vectors @ vectors[0]).argmin())

    def nearness(how: str) -> float:
        tuned = radio(ground, [0], drift=0.0)
        next(tuned)
        if how:
            getattr(tuned, how)(ground.track(target))
        return float((vectors[rows(ground, islice(tuned, 20))] @ vectors[target]).mean())

    assert nearness("like") > nearness("") + 0.3
    close = int(np.argsort(-(vectors @ vectors[0]))[5])
    tuned = radio(ground, [0])
    tuned.dislike(ground.track(close).id)
    played = rows(ground, islice(tuned, 399))
    assert close not in played
    tuned.like(ground.track(close))
    assert (tuned.state.liked, tuned.state.disliked) == ([ground.snapshot.ids[close]], [])
    with pytest.raises(QueryError, match="no id of a track"):
        tuned.like("nothing")


def test_what_has_left_the_library_does_not_stop_it() -> None:
    ground = ground_of(10)
    state = RadioState([ground.snapshot.ids[0]], played=["gone"], liked=["gone"], count=1)
    assert len(list(Radio(state, ground, np.array([0])))) == 9


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"drift": 1.5}, "drift is 1.5"),
        ({"drift": -0.1}, "drift"),
        ({"drift": float("nan")}, "drift"),
        ({"seed": -1}, "seed is -1"),
        ({"artist_spacing": -1}, "artist spacing"),
        ({"format": 2}, "format 2"),
        ({"seeds": []}, "no state"),
        ({"unknown": 1}, "no state"),
        ({"played": "x"}, "played is 'x'"),
        ({"liked": [1]}, "liked"),
        ({"drift": "much"}, "drift is 'much'"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_states_that_cannot_be(changes: dict[str, Any], why: str) -> None:
    values = asdict(RadioState(["x"]))
    assert state_from(values) == check_state(RadioState(["x"]))
    with pytest.raises(QueryError, match=why):
        state_from(values | changes)


def test_no_spacing_is_too_wide() -> None:
    ground = ground_of(12, artists="ab")
    wide = rows(ground, radio(ground, [0], artist_spacing=10**12))
    assert wide == rows(ground, radio(ground, [0], artist_spacing=11))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"drift": "x"}, "drift is 'x'"),
        ({"seed": 1.5}, r"seed is 1\.5; take a whole number"),
        ({"artist_spacing": 1.5}, r"spacing is 1\.5; take a whole number"),
    ],
)
def test_settings_of_another_kind_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(QueryError, match=why):
        check_state(RadioState(["x"], **changes))


def test_numbers_of_numpy_become_plain_ones() -> None:
    state = check_state(RadioState(["x"], drift=np.float32(0.5), seed=np.int64(3)))  # type: ignore[arg-type]
    assert state_from(json.loads(json.dumps(asdict(state)))) == state


def test_a_state_with_a_count_below_none_is_no_state() -> None:
    with pytest.raises(QueryError, match="count is -1"):
        state_from(asdict(RadioState(["x"], count=-1)))


def test_a_radio_leaves_the_state_it_was_taken_from_alone() -> None:
    ground = ground_of(8)
    written = asdict(radio(ground, [0]).state)
    list(Radio(state_from(written), ground, np.array([0])))
    assert written["played"] == []
