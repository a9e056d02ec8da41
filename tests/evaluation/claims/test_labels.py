"""Probes on vectors of which it is known how much of the label they hold."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.errors import QueryError
from soundalike.evaluation.claims import labels
from soundalike.evaluation.claims.labels import Describe
from soundalike.evaluation.sounds import Sound

CLASSES, EACH, D, SEGMENTS = 4, 25, 12, 3
N = CLASSES * EACH
LABELS = [f"class {i % CLASSES}" for i in range(N)]


def _never(_: int) -> np.ndarray:
    raise AssertionError("nothing is played here")


SOUNDS = [Sound(str(i), _never) for i in range(N)]


def system(signal: float, seed: int = 0) -> Describe:
    """Vectors with the class in them at a strength; 0 is noise alone."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((CLASSES, D))
    rows = {
        str(i): signal * centres[i % CLASSES] + rng.standard_normal((SEGMENTS, D)) for i in range(N)
    }

    def describe(sounds: Sequence[Sound]) -> list[np.ndarray]:
        return [rows[sound.key] for sound in sounds]

    return describe


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    systems = {"frozen": system(30, 1), "faint": system(0.4, 2), "noise": system(0, 3)}
    return labels.measure(systems, SOUNDS, LABELS, scratch={1.0: system(0.2, 4)}, seeds=3)


def mean(figures: dict[str, Any], name: str, fraction: str) -> float:
    return float(np.nanmean(labels.accuracy(figures, name, fraction)))


def test_separable_classes_are_named_with_one_label_each(figures: dict[str, Any]) -> None:
    for fraction in ("0.01", "0.1", "1"):
        assert mean(figures, "frozen", fraction) == 1
        assert labels.macro_f1(figures, "frozen", fraction).mean == pytest.approx(1)
    assert figures["labels_given"]["0.01"] == CLASSES


def test_noise_is_named_by_chance(figures: dict[str, Any]) -> None:
    for fraction in ("0.01", "0.1", "1"):
        assert mean(figures, "noise", fraction) == pytest.approx(1 / CLASSES, abs=0.13)


def test_more_labels_help_where_the_class_is_faint(figures: dict[str, Any]) -> None:
    gap = labels.difference(figures, ("faint", "1"), ("faint", "0.01"))
    assert gap.low > 0


def test_the_verdict_says_what_is_saved(figures: dict[str, Any]) -> None:
    words = labels.verdict(figures)
    given = ", ".join(str(n) for n in figures["labels_given"].values())
    assert f"frozen against noise, as many labels each: better with {given}." in words
    assert f"With {CLASSES} labels it is better than noise with 60 (" in words
    assert "frozen against from scratch, as many labels each: better with 60" in words


def test_as_good_as_is_told_from_better() -> None:
    systems = {"ours": system(30, 3), "theirs": system(30, 1)}
    words = labels.verdict(labels.measure(systems, SOUNDS, LABELS, seeds=2))
    assert "nowhere decided" in words
    assert f"With {CLASSES} labels it is as good, as far as is shown, as theirs with 60 (" in words


def test_the_verdict_goes_against_us_too() -> None:
    systems = {"ours": system(0, 3), "theirs": system(30, 1)}
    words = labels.verdict(labels.measure(systems, SOUNDS, LABELS, seeds=2))
    assert f"ours against theirs, as many labels each: worse with {CLASSES}, " in words
    assert "With no fewer labels that were tried it reaches theirs with 60." in words


def test_a_split_is_by_track_and_stratified() -> None:
    _, _, truth = labels.usable_classes(LABELS)
    learn, ask = labels.split(truth, 0)
    assert sorted([*learn, *ask]) == list(range(N))
    assert np.bincount(truth[ask]).tolist() == [round(0.4 * EACH)] * CLASSES
    other, _ = labels.split(truth, 1)
    assert learn.tolist() != other.tolist()
    assert learn.tolist() == labels.split(truth, 0)[0].tolist()


def test_labels_given_grow_and_hold_every_class() -> None:
    _, _, truth = labels.usable_classes(LABELS)
    learn, _ = labels.split(truth, 0)
    few, some, every = (set(labels.labelled(truth, learn, f, 0)) for f in (0.01, 0.5, 1.0))
    assert few < some < every == set(learn)
    assert set(truth[list(few)]) == set(range(CLASSES))
    assert len(some) == pytest.approx(len(learn) / 2, abs=CLASSES)
    with pytest.raises(ValueError, match="above 0"):
        labels.labelled(truth, learn, 0.0, 0)


def test_what_was_learnt_from_is_not_asked_about(figures: dict[str, Any]) -> None:
    truth = np.array(figures["truth"])
    for seed, named in enumerate(figures["predictions"]["frozen"]["1"]):
        learn, ask = labels.split(truth, seed)
        assert (np.array(named)[learn] == -1).all()
        assert (np.array(named)[ask] >= 0).all()


def test_small_and_unknown_classes_are_left_out() -> None:
    kept, classes, truth = labels.usable_classes(["a"] * 5 + [""] * 9 + ["b"] * 6 + ["c"] * 4)
    assert classes == ["a", "b"]
    assert kept == [*range(5), *range(14, 20)]
    assert truth.tolist() == [0] * 5 + [1] * 6
    with pytest.raises(QueryError, match="1 of 2 labels have 5 tracks"):
        labels.usable_classes(["a"] * 5 + ["b"] * 4)


def test_macro_f1_is_that_of_the_referee() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    found = labels.measure({"faint": system(0.4, 2)}, SOUNDS, LABELS, seeds=1)
    named, truth = np.array(found["predictions"]["faint"]["1"][0]), np.array(found["truth"])
    asked = named >= 0
    expected = metrics.f1_score(truth[asked], named[asked], average="macro")
    interval = labels.macro_f1(found, "faint", "1")
    assert interval.mean == pytest.approx(expected)
    assert interval.low < expected < interval.high


def test_a_network_from_scratch_is_told_which_labels_it_may_see(tmp_path: Path) -> None:
    # A class too small to count comes first, so that places in the two lists differ.
    tracks = [(Path("odd.ogg"), "odd")] + [(Path(f"{i}.ogg"), LABELS[i]) for i in range(N)]
    written = labels.lists_to_train_on(tracks, tmp_path, (0.1, 1.0))
    assert [path.name for path in written] == ["labels-0.1.csv", "labels-1.csv"]
    _, _, truth = labels.usable_classes(LABELS)
    learn, ask = labels.split(truth, 0)
    for path, fraction in zip(written, (0.1, 1.0), strict=True):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        numbers = [int(Path(row["path"]).stem) for row in rows]
        assert numbers == labels.labelled(truth, learn, fraction, 0).tolist()
        assert not set(numbers) & set(ask)
        assert all(row["artist"] == LABELS[i] for row, i in zip(rows, numbers, strict=True))
        assert {row["split"] for row in rows} == {"train"}


def test_from_scratch_is_compared_on_the_first_split_only(figures: dict[str, Any]) -> None:
    assert len(figures["predictions"]["from scratch"]["1"]) == 1
    same = labels.difference(figures, ("from scratch", "1"), ("from scratch", "1"))
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    asked = ~np.isnan(labels.accuracy(figures, "from scratch", "1"))
    assert asked.sum() == round(0.4 * EACH) * CLASSES


def test_the_record_says_as_much_as_the_figures(figures: dict[str, Any], tmp_path: Path) -> None:
    read = json.loads(json.dumps(figures, allow_nan=False))
    text = labels.as_markdown(read)
    assert text == labels.as_markdown(figures)
    assert "| 4 of 60 labels | 8 of 60 labels | 16 of 60 labels |" in text
    pytest.importorskip("matplotlib")
    labels.draw(read, tmp_path / "labels.png")
    assert (tmp_path / "labels.png").read_bytes().startswith(b"\x89PNG")
