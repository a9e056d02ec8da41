"""A teacher's features as a target: which windows lie in a clip, and when h agrees with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from soundalike.errors import RecipeError
from soundalike.training.pairs import Batch, Clip
from soundalike.training.recipe import TeacherSettings
from soundalike.training.sources import Source
from soundalike.training.teacher import Student, TeacherTargets

RATE = 100
WINDOW, HOP = 3.0, 1.5  # seconds
COLUMNS = {"first": [0, 2], "second": [2, 5], "third": [5, 6]}
SOURCES = [Source("a/one.opus", ()), Source("two.opus", ()), Source("unheard.opus", ())]
WINDOWS = 12  # window i hears 1.5 i to 1.5 i + 3 seconds


@pytest.fixture
def heard() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    scales = np.array([1, 5, 0.1, 2, 3, 1000])
    return {
        key: (rng.normal(size=(WINDOWS, 6)) * scales + 7).astype(np.float16)
        for key in ("a/one.opus", "two.opus")
    }


@pytest.fixture
def features(tmp_path: Path, heard: dict[str, np.ndarray]) -> Path:
    """A folder as a script of recipes/teachers writes it."""
    for key, windows in heard.items():
        file = tmp_path / f"{key}.npy"
        file.parent.mkdir(exist_ok=True)
        np.save(file, windows)
    layout = {"window_s": WINDOW, "hop_s": HOP, "columns": COLUMNS}
    (tmp_path / "layout.json").write_text(json.dumps(layout))
    return tmp_path


@pytest.fixture
def targets_of(features: Path) -> Callable[..., TeacherTargets]:
    def make(**changes: Any) -> TeacherTargets:
        settings = {"features": str(features), "columns": "first+second", "directions": 5}
        return TeacherTargets(TeacherSettings(**{**settings, **changes}), SOURCES, RATE)

    return make


def clip(start: float, end: float, source: Source = SOURCES[0]) -> Clip:
    return Clip(source, 0, round(start * RATE), round(end * RATE))


@pytest.mark.parametrize(
    ("start", "end", "windows"),
    [
        (0.0, 3.0, [0]),
        (0.0, 4.4, [0]),
        (0.0, 4.5, [0, 1]),
        (1.5, 6.0, [1, 2]),
        (1.6, 7.4, [2]),  # window 1 begins too early, window 3 ends too late
        (0.1, 10.6, [1, 2, 3, 4, 5]),
        (1.0, 3.5, [1]),  # none lies within: the next one has to do
        (15.0, 30.0, [10, 11]),
        (28.0, 31.0, [11]),  # past what the teacher heard: its last
    ],
)
def test_the_target_is_the_mean_of_the_windows_within_the_clip(
    targets_of: Callable[..., TeacherTargets], start: float, end: float, windows: list[int]
) -> None:
    targets = targets_of()
    expected = targets.heard["a/one.opus"][windows].mean(axis=0)
    np.testing.assert_allclose(targets(clip(start, end)), expected, rtol=1e-6)


def test_with_spans_each_stretch_has_the_target_of_its_middle(
    targets_of: Callable[..., TeacherTargets],
) -> None:
    targets = targets_of(spans=4)
    heard = targets.heard["a/one.opus"]
    # Middles at 1.5, 3, 4.5 and 6 s: those of windows 0 to 3. Half a hop later, between two of them.
    np.testing.assert_allclose(targets(clip(0.75, 6.75)), heard[:4], rtol=1e-5)
    between = (heard[:4] + heard[1:5]) / 2
    np.testing.assert_allclose(targets(clip(1.5, 7.5)), between, rtol=1e-4, atol=1e-4)
    # Before the first middle and past the last one the nearest has to do.
    np.testing.assert_allclose(targets(clip(0, 1))[0], heard[0])
    np.testing.assert_allclose(targets(clip(28, 31)), heard[[-1] * 4])
    assert np.isnan(targets(clip(0, 5, SOURCES[2]))).all()
    assert targets(clip(0, 5, SOURCES[2])).shape == (4, 5)


def test_a_track_the_teacher_does_not_know_has_no_target(
    targets_of: Callable[..., TeacherTargets],
) -> None:
    target = targets_of()(clip(0, 5, SOURCES[2]))
    assert target.shape == (5,)
    assert np.isnan(target).all()


def test_with_all_directions_cosines_are_those_of_the_standardised_features(
    targets_of: Callable[..., TeacherTargets], heard: dict[str, np.ndarray]
) -> None:
    everything = np.concatenate(list(heard.values())).astype(np.float64)[:, :5]
    standard = (everything - everything.mean(axis=0)) / everything.std(axis=0)
    mine = np.concatenate(list(targets_of().heard.values()))
    np.testing.assert_allclose(mine @ mine.T, standard @ standard.T, atol=1e-3)


def test_fewer_directions_keep_what_varies_most(
    targets_of: Callable[..., TeacherTargets], heard: dict[str, np.ndarray]
) -> None:
    everything = np.concatenate(list(heard.values())).astype(np.float64)[:, :5]
    standard = (everything - everything.mean(axis=0)) / everything.std(axis=0)
    strongest = np.linalg.svd(standard)[1][:2]
    targets = targets_of(directions=2)
    assert targets.directions == 2
    mine = np.concatenate(list(targets.heard.values()))
    np.testing.assert_allclose(np.linalg.norm(mine, axis=0), strongest, rtol=1e-3)


def test_columns_are_chosen_by_name(targets_of: Callable[..., TeacherTargets]) -> None:
    assert targets_of(columns="third", directions=9).directions == 1
    assert targets_of(columns="third+first", directions=9).directions == 3
    with pytest.raises(RecipeError, match="cannot be used: KeyError"):
        targets_of(columns="fourth")


def test_steady_targets_differ_alike_within_tracks_in_every_direction(
    targets_of: Callable[..., TeacherTargets],
) -> None:
    def within(targets: TeacherTargets) -> np.ndarray:
        apart = np.concatenate([w - w.mean(axis=0) for w in targets.heard.values()])
        return np.linalg.svd(apart)[1]

    def spread(**changes: float) -> float:
        deviations = within(targets_of(**changes))
        return float(deviations[0] / deviations[-1])

    plain, half, full = spread(), spread(steady=0.5), spread(steady=1.0)
    assert plain > half > full
    # All but what every direction is given beforehand.
    assert full == pytest.approx(1.0, abs=0.25)
    np.testing.assert_array_equal(targets_of(steady=0.0)(clip(0, 5)), targets_of()(clip(0, 5)))


def test_targets_cannot_be_steady_where_nothing_changes_within_a_track(
    targets_of: Callable[..., TeacherTargets], features: Path
) -> None:
    for name in ("a/one", "two"):
        windows = np.load(features / f"{name}.opus.npy")
        np.save(features / f"{name}.opus.npy", windows[:1].repeat(len(windows), axis=0))
    with pytest.raises(RecipeError, match=r"teacher\.steady=0\.5: within no track"):
        targets_of(steady=0.5)


def test_mixtures_can_be_asked_about_and_change_no_other_target(
    targets_of: Callable[..., TeacherTargets], features: Path
) -> None:
    mixture = Source("mixtures/0000", (), mixed=True)
    settings = TeacherSettings(features=str(features), columns="first+second", directions=5)
    with pytest.raises(RecipeError, match="knows 0 of the 1 mixtures"):
        TeacherTargets(settings, SOURCES, RATE, [mixture])
    (features / "mixtures").mkdir()
    windows = np.load(features / "two.opus.npy")
    np.save(features / "mixtures" / "0000.npy", windows[::-1] * 2)
    targets, before = TeacherTargets(settings, SOURCES, RATE, [mixture]), targets_of()
    np.testing.assert_array_equal(targets(clip(0, 5)), before(clip(0, 5)))
    assert np.isfinite(targets(clip(0, 5, mixture))).all()
    assert not np.allclose(targets(clip(0, 5, mixture)), before(clip(0, 5, SOURCES[1])))


def test_a_folder_that_cannot_serve_is_named(
    targets_of: Callable[..., TeacherTargets], features: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r'teacher\.features=".*nowhere" cannot be used'):
        targets_of(features=str(tmp_path / "nowhere"))
    settings = TeacherSettings(features=str(features), columns="first")
    with pytest.raises(RecipeError, match="knows none of the sources"):
        TeacherTargets(settings, SOURCES[2:], RATE)
    (features / "layout.json").write_text('{"window_s": 3}')
    with pytest.raises(RecipeError, match="cannot be used"):
        targets_of()


# The student


def batch(target: torch.Tensor) -> Batch:
    rows = len(target)
    label = torch.full((rows,), -1)
    return Batch(torch.empty(rows, 1), torch.arange(rows), label, target)


def perfect(dimension: int, *, relations: float = 1.0) -> Student:
    """A student whose answer is h itself."""
    student = Student(dimension, dimension, TeacherSettings(relations=relations))
    with torch.no_grad():
        student.answer.weight.copy_(torch.eye(dimension))
        student.answer.bias.zero_()
    return student


def centred(rows: int, dimension: int) -> torch.Tensor:
    h = torch.randn(rows, dimension, generator=torch.Generator().manual_seed(0))
    return h - h.mean(dim=0)


def test_nothing_is_lost_where_h_says_what_the_teacher_heard() -> None:
    h = centred(6, 4)
    assert perfect(4)(h, batch(h)).item() == pytest.approx(0, abs=1e-6)
    assert perfect(4)(h, batch(3 * h)).item() == pytest.approx(0, abs=1e-6)  # by direction alone
    assert perfect(4)(h.repeat(2, 1), batch(h)).item() == pytest.approx(0, abs=1e-6)  # two masks


def test_the_loss_is_the_sum_its_docstring_gives() -> None:
    rng = torch.Generator().manual_seed(1)
    h, target = torch.randn(5, 3, generator=rng), torch.randn(5, 4, generator=rng)
    torch.manual_seed(2)
    student = Student(3, 4, TeacherSettings(relations=0.3))
    answer = student.answer(h)
    alone = (1 - F.cosine_similarity(answer, target)).mean()
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]

    def cosine(x: torch.Tensor, i: int, j: int) -> torch.Tensor:
        return F.cosine_similarity(x[i], x[j], dim=0)

    together = sum(
        (cosine(x, i, j) - cosine(target, i, j)) ** 2 / len(pairs)
        for x in (answer, h - h.mean(dim=0))
        for i, j in pairs
    )
    torch.testing.assert_close(student(h, batch(target)), alone + 0.3 * together)


def test_the_opposite_of_what_the_teacher_heard_costs_the_most() -> None:
    h = centred(6, 4)
    assert perfect(4, relations=0)(h, batch(-h)).item() == pytest.approx(2)
    # Turned round as a whole, h is arranged as before: relations do not see it.
    assert perfect(4)(h, batch(-h)).item() == pytest.approx(2)


def test_stretches_answer_beside_the_whole() -> None:
    rng = torch.Generator().manual_seed(4)
    h, in_time = torch.randn(5, 3, generator=rng), torch.randn(5, 2, 3, generator=rng)
    target = torch.randn(5, 2, 4, generator=rng)
    student = Student(3, 4, TeacherSettings(spans=2))
    whole = student(h, batch(target.mean(dim=1)))
    answers = student.answer(in_time)
    each = (1 - F.cosine_similarity(answers, target, dim=2)).mean()
    torch.testing.assert_close(student(h, batch(target), in_time), whole + each)
    # A stretch of which patchout left nothing, and a track that the teacher does not know, are left out.
    in_time[1, 0], target[3] = torch.nan, torch.nan
    known = torch.tensor([[True, True], [False, True], [True, True], [False, False], [True, True]])
    each = (1 - F.cosine_similarity(answers[known], target[known], dim=1)).mean()
    whole = student(h, batch(target.mean(dim=1)))
    torch.testing.assert_close(student(h, batch(target), in_time), whole + each)


def test_rows_without_a_target_are_left_out() -> None:
    h, target = centred(6, 4), centred(6, 4).roll(1, dims=0)
    missing = target.clone()
    missing[[1, 4]] = torch.nan
    known = [0, 2, 3, 5]
    student = perfect(4)
    torch.testing.assert_close(student(h, batch(missing)), student(h[known], batch(target[known])))


def test_a_batch_of_unknown_music_teaches_nothing_but_reaches_every_weight() -> None:
    student = perfect(4)
    loss = student(centred(6, 4).requires_grad_(), batch(torch.full((6, 4), torch.nan)))
    loss.backward()
    assert loss.item() == 0
    for parameter in student.parameters():
        assert parameter.grad is not None  # several processes wait for it
        assert bool((parameter.grad == 0).all())


def test_a_single_row_has_no_relations() -> None:
    h = torch.tensor([[1.0, 0.0]])
    loss = perfect(2)(h, batch(torch.tensor([[0.0, 1.0]])))
    assert loss.item() == pytest.approx(1)
