"""The simulator does what its text says, by statistics of what it makes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from soundalike.evaluation.colistening.listeners import Listening, World, simulate
from soundalike.evaluation.colistening.sessions import cut_sessions, split_at

N = 120
ALBUMS = [f"album {i // 10}" for i in range(N)]
SOUND = np.random.default_rng(5).normal(size=(N, 3))
WORLD = World(ALBUMS, [""] * N, SOUND)
FEW = Listening(listeners=30, evenings=20)


def same_album_pairs(listening: Listening, seed: int = 0) -> float:
    """Share of pairs of one session that are of one album."""
    plays = simulate(WORLD, listening, seed=seed).plays
    found = []
    for session in cut_sessions(plays):
        albums = session // 10
        same = albums[:, None] == albums[None, :]
        found.append((same.sum() - len(session)) / (len(session) * (len(session) - 1)))
    return float(np.mean(found))


def test_the_same_seed_gives_the_same_plays() -> None:
    first, again, other = (simulate(WORLD, FEW, seed=seed).plays for seed in (0, 0, 1))
    for name in ("listeners", "tracks", "times", "sessions"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.tracks.tolist() != other.tracks.tolist()


def test_popularity_falls_with_its_rank_by_a_power_law() -> None:
    """Where there is no taste and all tracks are there from the beginning."""
    listening = Listening(
        listeners=100, evenings=100, length=2, exponent=0.8, focus=0, noise=1, new=0, young=0
    )
    counts = np.bincount(simulate(WORLD, listening, seed=0).plays.tracks, minlength=N)
    ranked = np.sort(counts)[::-1][:80]
    slope = np.polyfit(np.log(np.arange(1, 81)), np.log(ranked), 1)[0]
    # A little flatter than -0.8, as no track is played twice in a session.
    assert slope == pytest.approx(-0.8, abs=0.08)


def test_sessions_keep_to_a_taste() -> None:
    labels = replace(FEW, sound=0.0)
    chance = same_album_pairs(replace(labels, focus=0.0))
    assert chance < 0.12
    assert same_album_pairs(labels) > 3 * chance
    assert same_album_pairs(replace(labels, noise=1.0)) == pytest.approx(chance, abs=0.05)
    assert same_album_pairs(replace(labels, drift=1.0)) > 2 * chance


def test_taste_that_is_sound_alone_knows_no_labels() -> None:
    alone = replace(FEW, sound=1.0)
    relabelled = World([f"other {i % 12}" for i in range(N)], [""] * N, SOUND)
    first, second = (simulate(world, alone, seed=3).plays for world in (WORLD, relabelled))
    np.testing.assert_array_equal(first.tracks, second.tracks)


def test_what_is_played_together_sounds_alike_where_taste_is_sound() -> None:
    def distance(listening: Listening) -> float:
        plays = simulate(WORLD, listening, seed=0).plays
        found = [
            np.linalg.norm(SOUND[s][:, None] - SOUND[s][None, :], axis=2).mean()
            for s in cut_sessions(plays)
        ]
        return float(np.mean(found))

    assert distance(replace(FEW, sound=1.0)) < 0.85 * distance(replace(FEW, sound=0.0))


def test_nearness_is_the_formula() -> None:
    world = World(["a", "a", ""], ["x", "y", ""], np.array([[1.0], [1.0], [-2.0]]))
    labels = [[1, 2 / 3, 0], [2 / 3, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(world.nearness(0), labels)
    # z is (1, 1, -2) / sqrt(2): the third is 3 / sqrt(2) away from the others.
    far = np.exp(-9 / 2 / 2)
    np.testing.assert_allclose(world.nearness(1), [[1, 1, far], [1, 1, far], [far, far, 1]])
    np.testing.assert_allclose(world.nearness(0.5), (world.nearness(0) + world.nearness(1)) / 2)


def test_no_track_is_played_before_it_exists() -> None:
    made = simulate(WORLD, FEW, seed=0)
    sessions = cut_sessions(made.plays)
    begun = sessions.times[sessions.numbers()]
    assert (made.added[sessions.tracks] <= begun).all()
    new = made.added == FEW.moments()[0]
    assert new.mean() == pytest.approx(FEW.new)
    parts = split_at(sessions, *FEW.moments())
    assert not parts.training.plays(N)[new].any()
    assert parts.test.plays(N)[new].any()


def test_plays_fall_in_all_bins() -> None:
    made = simulate(WORLD, FEW, seed=0)
    plays = split_at(cut_sessions(made.plays), *FEW.moments()).training.plays(N)
    for least, most in ((0, 0), (1, 5), (6, 20), (21, 10**9)):
        assert ((plays >= least) & (plays <= most)).sum() >= 5


def test_a_pause_tells_sessions_apart_as_they_were_made() -> None:
    plays = simulate(WORLD, FEW, seed=0).plays
    by_pause = cut_sessions(replace(plays, sessions=np.full(len(plays), -1)))
    truly = cut_sessions(plays)
    assert len(truly) == FEW.listeners * FEW.evenings
    np.testing.assert_array_equal(by_pause.bounds, truly.bounds)
    np.testing.assert_array_equal(by_pause.tracks, truly.tracks)


def test_sessions_are_as_long_as_told_and_repeat_nothing() -> None:
    sessions = list(cut_sessions(simulate(WORLD, replace(FEW, evenings=60), seed=0).plays))
    lengths = [len(session) for session in sessions]
    assert all(len(set(session.tolist())) == len(session) for session in sessions)
    assert 2 <= min(lengths) <= max(lengths) <= 40
    assert np.mean(lengths) == pytest.approx(FEW.length, rel=0.05)


@pytest.mark.parametrize(
    "wrong",
    [{"sound": 1.5}, {"new": 0.6, "young": 0.5}, {"training": 240}, {"length": 1.0}, {"noise": -1}],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}|at least"):
        Listening(**wrong)
