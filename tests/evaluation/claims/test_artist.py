"""An encoder that was built to over-recommend the artist must be caught, and no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.errors import QueryError
from soundalike.evaluation.claims import artist
from soundalike.evaluation.claims.artist import SELF, SUPERVISED, Group, Similarity
from soundalike.evaluation.sounds import Sound

ARTISTS, STYLES, EACH = 8, 5, 2
N = ARTISTS * STYLES * EACH
ARTIST = np.repeat(np.arange(ARTISTS), STYLES * EACH)
STYLE = np.tile(np.arange(STYLES), ARTISTS * EACH)


def encoder(*, by_artist: float, by_style: float, noise: float = 1.0, seed: int = 0) -> Similarity:
    """Tracks are alike as far as they share an artist and a style, each with a weight."""
    rows = np.random.default_rng(seed).standard_normal((N, N)) * noise
    same_artist, same_style = ARTIST[:, None] == ARTIST, STYLE[:, None] == STYLE
    similarity = by_artist * same_artist + by_style * same_style + (rows + rows.T) / 2

    def of(sounds: Sequence[Sound]) -> np.ndarray:
        assert len(sounds) == N
        return similarity

    return of


def _never(_: int) -> np.ndarray:
    raise AssertionError("nothing is played here")


GROUP = Group(
    "artists of the training",
    [Sound(str(i), _never) for i in range(N)],
    [f"artist {i}" for i in ARTIST],
    [f"soundtrack {i}" for i in STYLE],
)
STYLE_EAR = encoder(by_artist=0, by_style=5, seed=9)


def measured(supervised: Similarity, self_supervised: Similarity) -> dict[str, Any]:
    encoders = {SUPERVISED: supervised, SELF: self_supervised}
    return artist.measure(encoders, STYLE_EAR, [GROUP])


@pytest.fixture(scope="module")
def caught() -> dict[str, Any]:
    return measured(
        encoder(by_artist=4, by_style=2, seed=1), encoder(by_artist=0, by_style=2, seed=2)
    )


def test_an_encoder_of_artists_is_caught(caught: dict[str, Any]) -> None:
    [group] = caught["groups"]
    for name in ("same artist", "off style", "off label"):
        assert artist.difference(group, name).low > 0.1, name
    words = artist.verdict(caught)
    assert "supervision over-recommends the artist" in words
    assert "Self-supervision is not shown to be off style beyond chance" in words


def test_an_encoder_of_style_alone_answers_with_the_artist_as_often_as_chance(
    caught: dict[str, Any],
) -> None:
    [group] = caught["groups"]
    assert artist._far_lift(group, SELF).low <= 1 <= artist._far_lift(group, SELF).high
    assert artist._far_lift(group, SUPERVISED).low > 2


def test_who_never_answers_off_style_is_told_so() -> None:
    pure = encoder(by_artist=0, by_style=9, noise=0.1)
    words = artist.verdict(measured(pure, pure))
    assert "none of its answers is from the far half" in words


def test_of_two_alike_neither_is_caught() -> None:
    words = artist.verdict(
        measured(encoder(by_artist=0, by_style=4, seed=1), encoder(by_artist=0, by_style=4, seed=2))
    )
    assert "no over-recommendation by supervision is shown" in words
    assert "it answers with the artist neither more nor less often" in words


def test_self_supervision_is_told_of_too_when_it_does_so() -> None:
    both = encoder(by_artist=4, by_style=2, seed=1)
    words = artist.verdict(measured(both, both))
    assert "Self-supervision is off style beyond chance" in words
    assert "no over-recommendation by supervision is shown" in words


def test_who_answers_with_less_of_everything_is_told_so() -> None:
    words = artist.verdict(
        measured(encoder(by_artist=0, by_style=2, seed=1), encoder(by_artist=4, by_style=2, seed=2))
    )
    assert (
        "no over-recommendation by supervision is shown; it answers with the artist less" in words
    )


def test_a_worse_encoder_is_not_blamed_for_what_it_takes_from_afar() -> None:
    """It takes more of everybody from the far half, hence more of the artist."""
    figures = measured(
        encoder(by_artist=0, by_style=0, seed=1), encoder(by_artist=0, by_style=4, seed=2)
    )
    assert artist.difference(figures["groups"][0], "off style").low > 0
    assert "no over-recommendation by supervision is shown" in artist.verdict(figures)


def test_queries_of_one_artist_are_drawn_together(caught: dict[str, Any]) -> None:
    group = dict(caught["groups"][0])
    values = {"same artist": (np.arange(N) % 2).astype(float).tolist()}
    group["encoders"] = {SUPERVISED: values, SELF: {"same artist": [0.0] * N}}
    apart = artist.difference({**group, "by": list(range(N))}, "same artist")
    ten_alike = artist.difference({**group, "by": (np.arange(N) % 8).tolist()}, "same artist")
    assert ten_alike.high - ten_alike.low > 2 * (apart.high - apart.low)


def test_the_better_encoder_is_not_blamed() -> None:
    words = artist.verdict(
        measured(encoder(by_artist=4, by_style=4, seed=1), encoder(by_artist=0, by_style=0, seed=2))
    )
    assert "also the better encoder where the artist is left out: not decided" in words


def test_chance_is_the_share_of_the_others_by_the_artist(caught: dict[str, Any]) -> None:
    [group] = caught["groups"]
    assert group["chance"] == pytest.approx([(STYLES * EACH - 1) / (N - 1)] * N, abs=1e-6)
    assert (group["tracks"], group["artists"]) == (N, ARTISTS)


def test_shares_add_up_to_what_a_slow_twin_counts(caught: dict[str, Any]) -> None:
    alike = encoder(by_artist=4, by_style=2, seed=1)(GROUP.sounds)
    style = STYLE_EAR(GROUP.sounds)
    for query in range(0, N, 7):
        others = [i for i in range(N) if i != query]
        ten = sorted(others, key=lambda i: -alike[query, i])[:10]
        middle = np.median([style[query, i] for i in others])
        same = [i for i in ten if ARTIST[i] == ARTIST[query]]
        found = {k: v[query] for k, v in caught["groups"][0]["encoders"][SUPERVISED].items()}
        assert found["same artist"] == pytest.approx(len(same) / 10)
        off = [i for i in same if style[query, i] < middle]
        assert found["off style"] == pytest.approx(len(off) / 10)
        assert found["off label"] == pytest.approx(sum(STYLE[i] != STYLE[query] for i in same) / 10)


def test_quality_leaves_the_artist_out() -> None:
    # Whoever finds the artist alone finds nothing when the artist is left out.
    figures = measured(
        encoder(by_artist=4, by_style=0, noise=0.1), encoder(by_artist=0, by_style=4, noise=0.1)
    )
    found = figures["groups"][0]["encoders"]
    assert np.mean(found[SELF]["P@10"]) == 1
    assert np.mean(found[SUPERVISED]["P@10"]) < 0.4
    assert artist.difference(figures["groups"][0], "nDCG@10").high < 0


def test_tracks_of_nobody_known_are_not_asked_about() -> None:
    names = ["", ""] + [f"artist {i}" for i in ARTIST[2:]]
    group = Group("some", GROUP.sounds, names, GROUP.soundtracks)
    same = encoder(by_artist=0, by_style=1)
    figures = artist.measure({SUPERVISED: same, SELF: same}, STYLE_EAR, [group])
    assert len(figures["groups"][0]["chance"]) == N - 2


def test_answers_and_far_half_leave_the_query_out() -> None:
    similarity = np.array([[9.0, 3, 2, 1], [3, 9, 1, 2], [2, 1, 9, 3], [1, 2, 3, 9]])
    assert artist.answers(similarity, 1).nonzero()[1].tolist() == [1, 0, 3, 2]
    assert artist.answers(similarity, 10).sum(axis=1).tolist() == [3] * 4
    assert artist.far_half(similarity).nonzero()[1].tolist() == [3, 2, 1, 0]


def test_the_record_says_as_much_as_the_figures(caught: dict[str, Any], tmp_path: Path) -> None:
    read = json.loads(json.dumps(caught, allow_nan=False))
    text = artist.as_markdown(read)
    assert text == artist.as_markdown(caught)
    assert "artists of the training" in text
    pytest.importorskip("matplotlib")
    artist.draw(read, tmp_path / "artist.png")
    assert (tmp_path / "artist.png").read_bytes().startswith(b"\x89PNG")


def test_where_no_two_tracks_are_by_one_artist_nothing_can_be_asked() -> None:
    names = [f"artist {i}" for i in range(N)]
    same = encoder(by_artist=0, by_style=1)
    lonely = Group("some", GROUP.sounds, names, GROUP.soundtracks)
    with pytest.raises(QueryError, match="no two of the"):
        artist.measure({SUPERVISED: same, SELF: same}, STYLE_EAR, [lonely])


def test_the_page_names_the_encoders_where_the_record_does(caught: dict[str, Any]) -> None:
    text = artist.as_markdown({**caught, "identities": {SUPERVISED: "a@1", SELF: "b@2"}})
    assert text.startswith("supervised: `a@1`; self-supervised: `b@2`.")
