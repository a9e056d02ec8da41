"""docs/examples.md is what its record says, and the record is of the encoder that ships."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soundalike.embedder import Embedder

ROOT = Path(__file__).parents[1]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    yield importlib.import_module("examples")
    for name in ("examples", "map_picture", "record"):
        sys.modules.pop(name, None)


def test_the_page_is_what_its_record_says(script: Any) -> None:
    page = (ROOT / "docs/examples.md").read_text("utf-8")
    assert page == script.page(), "run python bench/examples.py --page"


def test_the_encoder_that_ships_was_asked(script: Any) -> None:
    figures = json.loads(script.RECORD.read_text("utf-8"))["figures"]
    assert figures["model"] == Embedder().identity
    assert script.PICTURE.exists()


def test_questions_run_from_the_best_answered_to_the_worst(script: Any) -> None:
    questions = json.loads(script.RECORD.read_text("utf-8"))["figures"]["questions"]
    precision = [question["precision"] for question in questions]
    assert len(questions) == script.SHOWN
    assert precision == sorted(precision, reverse=True)
    assert precision[0] > precision[-1]
    assert all(len(question["answers"]) == script.ANSWERS for question in questions)
