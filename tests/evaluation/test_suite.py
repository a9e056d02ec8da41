"""Systems through all tasks: a model folder and baselines on tones whose likeness is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fake_model import tone, write_fake_model, write_sound
from soundalike.errors import AudioError, ModelError, QueryError
from soundalike.evaluation.suite import BASELINES, Evaluation, evaluate_system

SECONDS, RATE = 12.0, 16_000


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two albums of three chords; those of an album share their lower tone."""
    folder = tmp_path_factory.mktemp("chords")
    rows = ["path,split,soundtrack,artist"]
    for album, lower in (("low", 150.0), ("high", 1_300.0)):
        for number, upper in enumerate((300.0, 600.0, 3_000.0)):
            chord = tone(lower, SECONDS, level=0.3) + tone(upper, SECONDS, level=0.2)
            write_sound(folder / f"{album}-{number}.wav", chord[None], sample_rate=RATE)
            rows.append(f"{album}-{number}.wav,test,{album},")
    (folder / "broken.wav").write_text("no sound")
    rows.append("broken.wav,test,low,")
    (folder / "tracks.csv").write_text("\n".join(rows))
    return folder / "tracks.csv"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("fake"), count=3)


def scores(evaluation: Evaluation) -> dict[str, float]:
    return {name: s.mean for result in evaluation.results for name, s in result.scores.items()}


def test_a_model_is_measured_by_its_own_identity(model: Path, tracks: Path) -> None:
    told: list[AudioError] = []
    seen: list[tuple[int, int]] = []
    evaluation = evaluate_system(
        str(model), tracks, "test", warn=told.append, progress=lambda *done: seen.append(done)
    )
    assert evaluation.system == str(model)
    assert evaluation.identity == "fake@000008003e80"
    assert (evaluation.tracks, evaluation.numbers) == (6, 8)
    assert evaluation.seconds > 0
    assert [error.path.name for error in told] == ["broken.wav"]
    assert seen == [(done, 12) for done in range(1, 13)]
    assert [result.task for result in evaluation.results] == ["same_track", "same_album"]
    assert scores(evaluation)["top-1"] == 1  # steady chords: both halves are the same


@pytest.mark.parametrize(("aggregation", "numbers"), [("mean", 8), ("concat", 24), ("maxsim", 24)])
def test_what_a_track_costs_to_keep_depends_on_the_aggregation(
    model: Path, tracks: Path, aggregation: str, numbers: int
) -> None:
    evaluation = evaluate_system(str(model), tracks, "test", aggregation=aggregation)
    assert (evaluation.aggregation, evaluation.numbers) == (aggregation, numbers)
    assert scores(evaluation)["top-1"] == 1


@pytest.mark.parametrize("name", ["mean-log-mel", "mfcc"])
def test_a_baseline_is_measured_like_a_model(name: str, tracks: Path) -> None:
    evaluation = evaluate_system(name, tracks, "test")
    assert (evaluation.system, evaluation.identity) == (name, name)
    assert evaluation.numbers == 40
    assert scores(evaluation)["top-1"] == 1
    assert scores(evaluation)["mAP"] > 0.6  # chance is about a half


def test_bliss_is_among_the_baselines() -> None:
    assert set(BASELINES) == {"mean-log-mel", "mfcc", "bliss"}


def test_what_is_not_there_is_said(model: Path, tracks: Path) -> None:
    with pytest.raises(ModelError, match="nobody"):
        evaluate_system("nobody", tracks, "test")
    with pytest.raises(QueryError, match='no track in the split "train"'):
        evaluate_system(str(model), tracks, "train")


def test_halves_are_compared_second_against_first(model: Path, tmp_path: Path) -> None:
    """Each first half sounds like the next track's second half: every query is answered wrongly."""
    frequencies = np.geomspace(150, 4_000, 4)
    rows = ["path,split,soundtrack"]
    for number in range(4):
        halves = [tone(frequencies[i % 4], 6.0) for i in (number, number + 1)]
        write_sound(tmp_path / f"{number}.wav", np.concatenate(halves)[None], sample_rate=RATE)
        rows.append(f"{number}.wav,test,album {number % 2}")
    (tmp_path / "tracks.csv").write_text("\n".join(rows))
    found = scores(evaluate_system(str(model), tmp_path / "tracks.csv", "test"))
    assert found["top-1"] == 0
    assert found["MRR"] <= 1 / 2
