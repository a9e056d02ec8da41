"""docs/similarity.md is what its records say, and the records are of the curves that ship."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soundalike.embedder import WEIGHTS, shipped_models
from soundalike.library.similarity import KINDS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    yield importlib.import_module("similarity")
    for name in ("similarity", "groups", "record"):
        sys.modules.pop(name, None)


def test_the_page_is_what_its_records_say(script: Any) -> None:
    page = (ROOT / "docs/similarity.md").read_text("utf-8")
    assert page == script.page(), "run python bench/similarity.py --page"


def test_what_was_measured_are_the_curves_that_ship() -> None:
    record = json.loads((ROOT / "docs/similarity/calibration.json").read_text("utf-8"))
    encoders = record["figures"]["encoders"]
    shipped = [
        json.loads((WEIGHTS / name / "calibration.json").read_text("utf-8"))
        for name in shipped_models()
    ]
    assert {made["model"] for made in shipped} == set(encoders)
    for made in shipped:
        assert encoders[made["model"]]["calibration"]["curves"] == made["curves"]


def test_on_music_not_fitted_on_a_similarity_means_what_it_says() -> None:
    """Nearly: the encoders know the music the curves were fitted on."""
    record = json.loads((ROOT / "docs/similarity/calibration.json").read_text("utf-8"))
    for encoder in record["figures"]["encoders"].values():
        for row in [*encoder["within"], *encoder["across"]]:
            assert row["kind"] in KINDS
            half, tenth, hundredth, thousandth = (share for share, _, _ in row["shares"])
            assert pytest.approx(half, abs=0.13) == 0.5  # by the sense of sound; both together 0.09
            assert 0.1 <= tenth <= 0.2
            assert 0.009 <= hundredth <= 0.03  # 0.01 is meant
            assert thousandth <= 0.005  # of some 1,400 pairs of validation: seven
