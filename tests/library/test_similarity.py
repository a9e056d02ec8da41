from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_in import StandIn, write_sounds

from fake_model import write_fake_model, write_tone
from soundalike.embedder import WEIGHTS, Embedder, shipped_models
from soundalike.errors import ModelError
from soundalike.library import similarity
from soundalike.library.library import Library
from soundalike.library.ranking import BOTH
from soundalike.library.similarity import KINDS, Scale, read_curves

CURVE = (-0.02, 0.15, 0.3, 0.5)
COSINES = st.floats(-1, 1)


def slow_similarity(cosine: float, curve: tuple[float, ...]) -> float:
    """The map as its table says it, a line at a time."""
    for low, high, start in zip(curve, (*curve[1:], 1.0), (0, 0.25, 0.5, 0.75), strict=True):
        if low <= cosine <= high:
            return start + 0.25 * (cosine - low) / (high - low)
    return 0.0


@given(COSINES)
def test_similarity_is_the_line_between_the_points(cosine: float) -> None:
    found = Scale({BOTH: {"mean": CURVE}}).similarity(cosine, BOTH, "mean")
    assert found == pytest.approx(slow_similarity(cosine, CURVE), abs=1e-12)


@given(COSINES, COSINES)
def test_an_order_never_changes(one: float, other: float) -> None:
    scale = Scale({BOTH: {"mean": CURVE}})
    a, b = (scale.similarity(cosine, BOTH, "mean") for cosine in (one, other))
    if one - other > 1e-9:
        assert a > b or a == b == 0


def test_the_points_are_where_they_should_be() -> None:
    scale = Scale({BOTH: {"mean": CURVE}})
    found = [scale.similarity(cosine, BOTH, "mean") for cosine in (-1, *CURVE, 1, 1 + 1e-9, -1.5)]
    assert found == [0, 0, 0.25, 0.5, 0.75, 1, 1, 0]


def test_without_a_curve_cosines_are_cut() -> None:
    for scale in (Scale(), Scale({"sound": {"mean": CURVE}})):
        found = scale.similarities(np.array([-1, -0.1, 0, 0.3, 1, 1.0001]), BOTH, "mean")
        assert found.tolist() == [0, 0, 0, 0.3, 1, 1]
    assert not Scale().calibrated


@pytest.mark.parametrize("name", shipped_models())
def test_every_shipped_model_is_calibrated_in_all_it_can_be_asked_by(name: str) -> None:
    config = json.loads((WEIGHTS / name / "config.json").read_text("utf-8"))
    curves = read_curves(WEIGHTS / name, config["identity"])
    assert set(curves) == {BOTH, *config.get("senses", {})}
    assert all(set(kinds) == set(KINDS) for kinds in curves.values())
    assert similarity.shipped_curves(config["identity"]) == curves
    assert similarity.shipped_curves(f"{name}@000000000000") == {}


def test_a_calibration_is_no_part_of_the_identity(tmp_path: Path) -> None:
    folder = write_fake_model(tmp_path / "fake")
    before = Embedder(folder).identity
    calibrate(folder, before)
    assert Embedder(folder).identity == before


def calibrate(folder: Path, identity: str, **changes: object) -> None:
    document = {"format": 1, "model": identity, "curves": {BOTH: {"mean": CURVE}}}
    (folder / similarity.FILE_NAME).write_text(json.dumps(document | changes))


def test_a_calibration_of_other_weights_counts_for_nothing(tmp_path: Path) -> None:
    assert read_curves(tmp_path, "fake@1") == {}
    calibrate(tmp_path, "fake@1")
    assert read_curves(tmp_path, "fake@1") == {BOTH: {"mean": CURVE}}
    assert read_curves(tmp_path, "fake@2") == {}
    assert read_curves(tmp_path / similarity.FILE_NAME, "fake@1") == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"curves": 3},
        {"curves": {BOTH: {"mean": [0.1, 0.2, 0.3]}}},
        {"curves": {BOTH: {"mean": [0.1, 0.2, 0.2, 0.3]}}},
        {"curves": {BOTH: {"mean": [0.1, 0.2, 0.3, 1.0]}}},
        {"curves": {BOTH: {"mean": [0.1, 0.2, 0.3, math.nan]}}},
        {"curves": {BOTH: {"mean": ["low", 0.2, 0.3, 0.4]}}},
    ],
)
def test_a_damaged_calibration_is_named(tmp_path: Path, changes: dict[str, object]) -> None:
    calibrate(tmp_path, "fake@1", **changes)
    with pytest.raises(ModelError, match=r"calibration\.json cannot be read .*calibrate"):
        read_curves(tmp_path, "fake@1")


def test_answers_go_through_the_curve_and_keep_their_order(tmp_path: Path) -> None:
    model = write_fake_model(tmp_path / "model")
    for number, frequency in enumerate((220, 230, 400, 900, 3000)):
        write_tone(tmp_path / f"music/{number}.wav", frequency, 3.0)
    library = Library(tmp_path / "library", model=model)
    library.index([tmp_path / "music"], jobs=1)
    bare = library.similar(tmp_path / "music/0.wav")
    assert not library.calibrated

    curves = {BOTH: dict.fromkeys(KINDS, (0.5, 0.6, 0.9, 0.99))}
    calibrate(model, Embedder(model).identity, curves=curves)
    library = Library(tmp_path / "library", model=model)
    library.index(jobs=1)
    assert library.calibrated
    calibrated = library.similar(tmp_path / "music/0.wav")
    assert [a.track for a in calibrated] == [b.track for b in bare]
    for one, cut in zip(calibrated, bare, strict=True):
        expected = slow_similarity(cut.similarity, curves[BOTH]["mean"])
        assert one.similarity == pytest.approx(expected, abs=1e-9)
        for match, raw in zip(one.matches, cut.matches, strict=True):
            expected = slow_similarity(raw.similarity, curves[BOTH]["segment"])
            assert match.similarity == pytest.approx(expected, abs=1e-9)

    # The library keeps the curve, and answers alike when the model is gone.
    shutil.rmtree(model)
    assert Library(tmp_path / "library").similar(tmp_path / "music/0.wav") == calibrated


def test_a_library_of_before_takes_the_curve_of_the_shipped_model(tmp_path: Path) -> None:
    name = shipped_models()[0]
    identity = json.loads((WEIGHTS / name / "config.json").read_text("utf-8"))["identity"]
    embedder = StandIn(name=name)
    embedder.identity = identity
    write_sounds(tmp_path / "music/a.mp3", "one")
    library = Library(tmp_path / "library", embedder=embedder)  # type: ignore[arg-type]
    library.index([tmp_path / "music"])
    document = json.loads((library.path / "library.json").read_text())
    document["format"] = 2
    del document["tables"][identity]["curves"]
    (library.path / "library.json").write_text(json.dumps(document))
    opened = Library(library.path)
    snapshot = opened._opened.snapshot()
    assert snapshot is not None
    assert snapshot.scale.curves == read_curves(WEIGHTS / name, identity)
    assert replace(snapshot).scale.calibrated
