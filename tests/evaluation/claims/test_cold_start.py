"""The claim in worlds where the answer is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_model import write_fake_model, write_tone
from soundalike.evaluation.claims import cold_start
from soundalike.evaluation.claims.by_plays import CO, PLUS, POPULARITY, coverage, recall
from soundalike.evaluation.colistening import worlds
from soundalike.evaluation.colistening.listeners import Listening
from soundalike.evaluation.colistening.sessions import Listened, Sessions

N, GROUPS = 120, 5
GROUP = np.arange(N) % GROUPS
COLD = np.arange(N) >= 90  # nobody plays them in training
RARE = (np.arange(N) >= 60) & ~COLD  # 1 to 5 plays
ALL = list(range(N))
SAME = (GROUP[:, None] == GROUP[None, :]).astype(np.float32)


def sessions_of(tracks: list[list[int]]) -> Sessions:
    bounds = np.cumsum([0, *map(len, tracks)])
    flat = np.array([t for each in tracks for t in each], np.int64)
    return Sessions(flat, bounds, np.zeros(len(tracks)))


def listened(seed: int) -> Listened:
    """Every session keeps to one group of tracks."""
    rng = np.random.default_rng(seed)

    def some(chance: np.ndarray, count: int) -> Sessions:
        made = []
        for i in range(count):
            weights = chance * (i % GROUPS == GROUP)
            made.append(rng.choice(N, size=6, replace=False, p=weights / weights.sum()).tolist())
        return sessions_of(made)

    training = np.where(COLD, 0, np.where(RARE, 0.03, 1.0))
    return Listened(some(training, 300), some(np.ones(N), 200), some(np.ones(N), 200))


def measure(content: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    seeds = {"all tracks": np.ones(N, bool), "few": np.arange(N) < 12}
    figures = cold_start.measure({"ours": content}, {"made": [listened(0), listened(1)]}, seeds)
    return figures, figures["worlds"]["made"]


@pytest.fixture(scope="module")
def good() -> tuple[dict[str, Any], dict[str, Any]]:
    """Content that hears the groups, not without mistakes."""
    noise = np.random.default_rng(0).normal(scale=0.7, size=(N, N))
    return measure(SAME + noise)


def test_cold_tracks_are_answered_by_content_and_the_blend_alone(
    good: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, world = good
    assert recall(world, CO, "0", ALL).high == 0
    assert recall(world, "ours", "0", ALL).low > 2 * 20 / (N - 1)
    assert (
        recall(world, "ours" + PLUS, "0", ALL).mean >= recall(world, "ours", "0", ALL).mean - 0.05
    )
    assert coverage(world, CO, "0", ALL).high == 0
    assert coverage(world, "ours", "0", ALL).low > 0.9


def test_a_blend_is_as_good_as_the_better_one_in_every_bin(
    good: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, world = good
    for plays in ("0", "1-5", "more", "all"):
        parts = [recall(world, ranking, plays, ALL).mean for ranking in ("ours", CO)]
        assert recall(world, "ours" + PLUS, plays, ALL).mean >= max(parts) - 0.03
    everywhere = recall(world, "ours" + PLUS, "all", ALL)
    assert everywhere.low > max(recall(world, r, "all", ALL).high for r in ("ours", CO))


def test_perfect_listeners_find_all_that_anybody_played() -> None:
    """Where nothing is new, and all tracks of a group are met, co-listening is perfect."""
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.flatnonzero(i % GROUPS == GROUP))[:12].tolist() for i in range(400)]
    # 21 tracks of a group: the other 20 are what can be found.
    kept = [[t for t in row if t < 105] for row in rows]
    parts = Listened(sessions_of(kept[:300]), sessions_of(kept[300:350]), sessions_of(kept[350:]))
    figures = cold_start.measure({"ours": SAME}, {"made": [parts]}, {"all": np.ones(N, bool)})
    world = figures["worlds"]["made"]
    assert recall(world, CO, "more", ALL).mean == pytest.approx(1, abs=0.002)
    assert recall(world, "ours" + PLUS, "more", ALL).mean == pytest.approx(1, abs=0.02)


def verdict_on(figures: dict[str, Any], seeds: str = "all tracks") -> str:
    """The line of the verdict on some seeds."""
    said = cold_start.verdict(figures).splitlines()
    (line,) = [line for line in said if f"made, {seeds}, ours" in line]
    return line


def test_the_verdict_says_that_the_claim_holds(
    good: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    figures, _ = good
    assert verdict_on(figures) == (
        "- the claim holds: for new tracks content finds more than popularity; the blend loses to "
        "neither part in any bin: made, all tracks, ours."
    )
    assert "no track without plays was asked about" in verdict_on(figures, "few")
    page = cold_start.as_markdown(figures)
    assert "Simulated listeners, no people" in page
    assert f"{20 / (N - 1):.3f}" in page
    assert "| ours + plays | 0." in page
    assert "1 plays (1 to 1)" in page  # the crossover


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (
            lambda: np.random.default_rng(1).normal(size=(N, N)),
            "is not shown: for new tracks content is not told from chance",
        ),
        (lambda: 1 - SAME, "does not hold: for new tracks content finds less than chance"),
    ],
    ids=["deaf", "contrary"],
)
def test_the_verdict_can_go_against_content(content: Callable[[], np.ndarray], answer: str) -> None:
    figures, _ = measure(content())
    assert f"the claim {answer}" in verdict_on(figures)


@pytest.mark.parametrize(
    ("popularity", "answer"), [(0.9, "less than popularity"), (None, "not told from popularity")]
)
def test_the_verdict_can_go_against_content_where_hits_are_played(
    good: tuple[dict[str, Any], dict[str, Any]], popularity: float | None, answer: str
) -> None:
    spoilt = json.loads(json.dumps(good[0]))
    rankings = spoilt["worlds"]["made"]["rankings"]
    ours = np.array(rankings["ours"]["recall"], dtype=float)
    noise = np.random.default_rng(0).normal(scale=0.2, size=ours.shape)
    played = ours + noise - noise[:, COLD].mean() if popularity is None else 0 * ours + popularity
    rankings[POPULARITY]["recall"] = played.tolist()
    assert "the claim holds in part" in verdict_on(spoilt)
    assert answer in verdict_on(spoilt)


def test_the_verdict_names_where_a_blend_loses(
    good: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    figures, world = good
    spoilt = json.loads(json.dumps(figures))
    rankings = spoilt["worlds"]["made"]["rankings"]
    plays = np.array(world["plays"])
    values = np.array(rankings["ours" + PLUS]["recall"], dtype=float)
    values[plays > 20] *= 0.7
    rankings["ours" + PLUS]["recall"] = values.tolist()
    assert "the blend loses to co-listening at over 20 plays" in verdict_on(spoilt)
    values[plays > 20] *= 0.5
    rankings["ours" + PLUS]["recall"] = values.tolist()
    assert "loses to content at over 20 plays and co-listening at over 20" in verdict_on(spoilt)


def test_figures_are_json_and_the_same_every_time(
    good: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    figures, world = good
    noise = np.random.default_rng(0).normal(scale=0.7, size=(N, N))
    again, _ = measure(SAME + noise)
    assert json.dumps(figures, allow_nan=False) == json.dumps(again)
    assert world["sessions"] == [[300, 200, 200]] * 2
    assert all(world["rankings"][CO]["chosen"])
    assert all(world["rankings"]["ours" + PLUS]["chosen"])


def test_what_is_chosen_does_not_depend_on_what_is_judged_by() -> None:
    one, other = listened(0), listened(7)
    mixed = Listened(one.training, one.validation, other.test)
    content = {"ours": SAME + np.random.default_rng(2).normal(size=(N, N))}
    chosen = [
        cold_start.measure(content, {"made": [each]}, {"all": np.ones(N, bool)})["worlds"]["made"]
        for each in (one, mixed)
    ]
    for ranking in (CO, "ours" + PLUS):
        first, second = (each["rankings"][ranking] for each in chosen)
        assert first["chosen"] == second["chosen"]
        assert first["answered"] == second["answered"]
        assert first["recall"] != second["recall"]


def test_the_picture_is_drawn(tmp_path: Path, good: tuple[dict[str, Any], dict[str, Any]]) -> None:
    pytest.importorskip("matplotlib")
    cold_start.draw(good[0], tmp_path / "cold.png")
    assert (tmp_path / "cold.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    rows = ["path,split,soundtrack,artist,title"]
    for number in range(24):
        write_tone(folder / f"{number}.wav", 200 * 2 ** (number % 4), 3.0, level=0.2 + number / 50)
        split = "train" if number < 14 else "validation"
        rows.append(f"{number}.wav,{split},album {number % 4},,Tone {number}")
    rows.append("none.wav,train,album 0,,")
    (folder / "tracks.csv").write_text("\n".join(rows))
    write_fake_model(folder / "model")
    return folder / "tracks.csv"


def test_from_files_to_figures_by_the_simulator(
    tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "WORLDS", {"small": Listening(listeners=8, evenings=10)})
    model = str(tracks.parent / "model")
    figures = cold_start.run(tracks, [model, "mfcc"], seeds=2, cache=tmp_path)
    assert figures["tracks"] == 24
    assert figures["left_out"] == 1
    assert figures["asked"]["validation tracks"] == list(range(14, 24))
    assert len(figures["worlds"]["small"]["plays"]) == 2
    rankings = {model, model + PLUS, "mfcc", "mfcc" + PLUS, CO, POPULARITY}
    assert set(figures["worlds"]["small"]["rankings"]) == rankings
    page = cold_start.as_markdown(figures)
    assert "24 tracks (1 could not be used)" in page
    assert "2 simulations of each world" in page


def test_from_files_to_figures_by_a_log(tracks: Path, tmp_path: Path) -> None:
    log = tmp_path / "plays.csv"
    rng = np.random.default_rng(0)
    rows = ["session,track"]
    for number in range(60):
        rows += [f"{number},{4 * t + number % 4}.wav" for t in rng.permutation(6)[:4]]
    log.write_text("\n".join([*rows, "1,stranger.wav"]))
    figures = cold_start.run(
        tracks, [str(tracks.parent / "model")], plays=log, cache=tmp_path / "cache"
    )
    page = cold_start.as_markdown(figures)
    assert list(figures["worlds"]) == ["plays of plays.csv"]
    assert "Listeners of plays.csv. 240 of 241 plays are of known tracks" in page
    assert "split at random" in page
    assert "Simulated" not in page
    assert "no track without plays was asked about" in page
