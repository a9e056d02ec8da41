"""The loop: its learning rate, its average, what it keeps, and that stopping changes nothing."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_run import small_recipe
from torch import Tensor, nn
from torch.utils.data import Dataset

from soundalike.errors import ModelError, RecipeError
from soundalike.model.encoder import AST
from soundalike.model.waveform_encoder import WaveformEncoder
from soundalike.training.contrast import Contrast
from soundalike.training.pairs import Batch
from soundalike.training.recipe import Recipe, TeacherSettings
from soundalike.training.state import read_history
from soundalike.training.teacher import Student
from soundalike.training.trainer import Progress, Scores, Trainer, TrainingNetwork, learning_rate

RECIPE = small_recipe(Path("unused"), Path("unused"))  # 12 steps of 4 sources, a look at every 4th


class Spectrograms(Dataset[Batch]):
    """Batches by step: a spectrogram of noise per source, and for each view some noise on top."""

    def __init__(self, *, poisoned: int | None = None) -> None:
        self.poisoned = poisoned

    def __getitem__(self, step: int) -> Batch:
        rng = torch.Generator().manual_seed(step)
        sources = torch.randn(4, 32, 49, generator=rng).repeat(2, 1, 1)
        features = sources + 0.5 * torch.randn(8, 32, 49, generator=rng)
        if step == self.poisoned:
            features[3, 5, 7] = torch.inf
        source = torch.arange(4).repeat(2)
        return Batch(features, source, torch.full((8,), -1), torch.empty(8, 0))


def trainer(folder: Path, recipe: Recipe = RECIPE, **changes: Any) -> Trainer:
    torch.manual_seed(recipe.seed)
    model = WaveformEncoder(recipe.model)
    settings: dict[str, Any] = {
        "objectives": {"contrast": (Contrast(model.dimension, recipe.contrast), 1.0)},
        "pairs": Spectrograms(),
        "folder": folder,
        "validate": lambda _: {"MRR": 0.5},
    }
    return Trainer(recipe, model, **{**settings, **changes})


def saved(folder: Path, name: str = "state") -> dict[str, Tensor]:
    return load_file(folder / f"{name}.safetensors")


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


# Learning rate


def test_the_learning_rate_climbs_to_its_height_and_falls_along_a_cosine_to_zero() -> None:
    recipe = small_recipe(
        Path(), Path(), optimizer={"steps": 110, "warmup": 10, "learning_rate": 0.5}
    )
    rates = [learning_rate(step, recipe) for step in range(111)]
    assert rates[:10] == pytest.approx([0.05 * (step + 1) for step in range(10)])
    assert rates[10] == 0.5
    assert rates[35] == pytest.approx(0.25 * (1 + math.cos(math.pi / 4)))
    assert rates[60] == pytest.approx(0.25)
    assert rates[110] == pytest.approx(0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[109] > 0  # the last step still learns


def test_without_warm_up_the_first_step_is_the_largest() -> None:
    recipe = small_recipe(Path(), Path(), optimizer={"warmup": 0, "learning_rate": 0.5})
    assert learning_rate(0, recipe) == 0.5
    everything = small_recipe(Path(), Path(), optimizer={"warmup": 12, "learning_rate": 0.5})
    assert learning_rate(11, everything) == 0.5  # a run that is all warm-up


def test_the_optimiser_steps_at_that_rate(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    rates: list[float] = []
    run.report = lambda _: rates.append(run.optimizer.param_groups[0]["lr"])
    run.run()
    assert rates == [learning_rate(step, RECIPE) for step in range(12)]
    assert [entry["rate"] for entry in run.history] == rates


def test_norms_biases_and_positions_do_not_decay(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    names = {id(p): name for name, p in run.network.named_parameters()}
    decayed, free = (
        {names[id(p)] for p in group["params"]} for group in run.optimizer.param_groups
    )
    assert [group["weight_decay"] for group in run.optimizer.param_groups] == [0.05, 0.0]
    assert decayed | free == set(names.values())
    assert "encoder.blocks.0.mlp_in.weight" in decayed
    assert "objectives.contrast.projection.out.weight" in decayed
    for name in decayed:
        assert name.endswith(".weight")
        assert "norm" not in name
    for name in ("encoder.patch_positions", "encoder.class_tokens", "encoder.norm.weight"):
        assert name in free


# One step


class Parts(nn.Module):
    """A loss of a known value that remembers what it was shown."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value, self.shown = value, torch.empty(0)

    def forward(self, h: Tensor, _batch: Batch) -> Tensor:
        self.shown = h.detach()
        return h.sum() * 0 + self.value


def test_the_loss_is_the_weighted_sum_of_the_objectives() -> None:
    encoder = WaveformEncoder(RECIPE.model).encoder
    parts = {"one": Parts(2.0), "two": Parts(5.0)}
    network = TrainingNetwork(encoder, dict(parts), {"one": 1.0, "two": 0.1})
    total, losses = network(Spectrograms()[0], 1, 1.0)
    assert total.item() == pytest.approx(2.5)
    assert {name: loss.item() for name, loss in losses.items()} == {"one": 2.0, "two": 5.0}


def test_each_mask_looks_at_every_row_with_other_patches_left() -> None:
    encoder = WaveformEncoder(RECIPE.model).encoder
    loss = Parts(0.0)
    network = TrainingNetwork(encoder, {"loss": loss}, {"loss": 1.0})
    network(Spectrograms()[0], 3, 0.5)
    assert loss.shown.shape == (24, 24)
    first, second, third = loss.shown.split(8)
    assert not torch.isclose(first, second).all(dim=1).any()
    assert not torch.isclose(second, third).all(dim=1).any()
    network(Spectrograms()[0], 2, 1.0)
    torch.testing.assert_close(loss.shown[:8], loss.shown[8:])


def test_a_student_with_spans_is_shown_each_stretch_and_others_the_whole() -> None:
    torch.manual_seed(1)
    encoder = WaveformEncoder(RECIPE.model).encoder
    assert isinstance(encoder, AST)
    batch = Spectrograms()[0]
    batch = dataclasses.replace(batch, target=torch.randn(8, 3, 5))
    student, other = Student(encoder.dimension, 5, TeacherSettings(spans=3)), Parts(2.0)
    parts = {"teacher": student, "other": other}
    network = TrainingNetwork(encoder, dict(parts), {"teacher": 1.0, "other": 0.0})
    _, losses = network(batch, 1, 1.0)
    h, in_time = encoder.hear(batch.features, 1.0, 3)
    torch.testing.assert_close(losses["teacher"], student(h, batch, in_time).detach())
    torch.testing.assert_close(other.shown, h)
    assert losses["teacher"] > student(h, batch)


def test_the_gradient_is_clipped_by_its_norm(tmp_path: Path) -> None:
    def norm(clip: float) -> float:
        recipe = small_recipe(Path(), Path(), optimizer={"clip": clip})
        run = trainer(tmp_path / str(clip), recipe)
        run.run(until=1)
        squares = [p.grad.square().sum() for p in run.network.parameters() if p.grad is not None]
        return float(torch.stack(squares).sum().sqrt())

    whole = norm(1e6)
    assert norm(whole / 2) == pytest.approx(whole / 2, rel=1e-4)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("auto", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_half_precision_is_used_where_it_is_asked_for(
    tmp_path: Path, precision: str, dtype: torch.dtype
) -> None:
    if torch.cuda.is_available():
        pytest.skip("what auto means on a CPU")
    run = trainer(tmp_path, small_recipe(Path(), Path(), optimizer={"precision": precision}))
    seen: list[torch.dtype] = []
    run.network.encoder.blocks[0].mlp_in.register_forward_hook(  # type: ignore[index, union-attr]
        lambda _module, _input, output: seen.append(output.dtype)
    )
    run.run(until=1)
    assert seen == [dtype]
    assert {p.dtype for p in run.network.parameters()} == {torch.float32}


# The average


def test_the_average_forgets_by_the_recipes_decay_and_faster_at_first(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    name = "blocks.1.mlp_out.weight"
    live = [run.model.encoder.state_dict()[name].clone()]
    means: list[Tensor] = []

    def remember(_: Progress) -> None:
        live.append(run.model.encoder.state_dict()[name].clone())
        means.append(run.average.encoder.state_dict()[name].clone())

    run.report = remember
    run.run()
    expected = live[0]
    for step, (weights, mean) in enumerate(zip(live[1:], means, strict=True), start=1):
        decay = min(RECIPE.optimizer.ema, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weights
        torch.testing.assert_close(mean, expected)
    assert not torch.allclose(means[-1], live[-1], atol=1e-4)


def test_the_average_follows_the_statistics_of_batch_norm(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.model.encoder.add_module("norm_of_batch", nn.BatchNorm1d(2))
    run.average = copy.deepcopy(run.model).requires_grad_(False)
    statistics = run.model.encoder.norm_of_batch
    assert isinstance(statistics, nn.BatchNorm1d)
    assert statistics.running_mean is not None
    assert statistics.num_batches_tracked is not None
    statistics.running_mean.fill_(1.0)
    statistics.num_batches_tracked.fill_(7)
    run.step = 1
    run._update_average()
    averaged = run.average.encoder.state_dict()
    torch.testing.assert_close(averaged["norm_of_batch.running_mean"], torch.full((2,), 1 - 2 / 11))
    assert averaged["norm_of_batch.num_batches_tracked"] == 7


# Looking


def scores_of(values: list[float], looked: list[dict[str, Tensor]]) -> Callable[..., Scores]:
    """A validation that gives these values in turn, and keeps the weights it was shown."""
    remaining = iter(values)

    def validate(model: WaveformEncoder) -> Scores:
        looked.append({name: t.clone() for name, t in model.state_dict().items()})
        return {"MRR": next(remaining), "other": 1.0}

    return validate


def test_the_weights_that_scored_best_are_returned(tmp_path: Path) -> None:
    looked: list[dict[str, Tensor]] = []
    run = trainer(tmp_path, validate=scores_of([0.1, 0.9, 0.9], looked))
    returned = run.run()
    assert len(looked) == 3
    assert_same(dict(returned.state_dict()), looked[1])
    assert run.best == 0.9
    assert not returned.training
    assert not any(parameter.requires_grad for parameter in returned.parameters())


def test_looks_come_at_the_recipes_steps_and_at_the_end(tmp_path: Path) -> None:
    recipe = small_recipe(Path(), Path(), optimizer={"steps": 10})
    told: list[Progress] = []
    trainer(tmp_path, recipe, report=told.append).run()
    assert [progress.step for progress in told] == list(range(1, 11))
    assert [progress.step for progress in told if progress.scores] == [4, 8, 10]
    assert {progress.steps for progress in told} == {10}
    assert all(set(progress.losses) == {"contrast"} for progress in told)
    assert all(progress.seconds_left > 0 for progress in told[:-1])
    assert told[-1].seconds_left == 0
    history = read_history(tmp_path / "history.jsonl")
    assert [entry["step"] for entry in history] == list(range(1, 11))
    assert [entry["step"] for entry in history if "MRR" in entry] == [4, 8, 10]


def test_a_stop_in_between_is_looked_at_but_chooses_nothing(tmp_path: Path) -> None:
    looked: list[dict[str, Tensor]] = []
    run = trainer(tmp_path, validate=scores_of([0.1, 0.9, 0.2, 0.3], looked))
    stopped = run.run(until=6)  # looks at 4 and 6
    assert len(looked) == 2
    assert_same(dict(stopped.state_dict()), looked[0])
    again = trainer(tmp_path, validate=run.validate)
    assert_same(dict(again.run().state_dict()), looked[3])
    assert again.best == 0.3


def test_before_the_first_look_the_average_is_returned(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    untrained = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    assert_same(dict(run.run(until=0).state_dict()), untrained)
    assert not (tmp_path / "state.safetensors").exists()
    returned = trainer(tmp_path).run(until=2)
    average = {n.removeprefix("average/"): t for n, t in saved(tmp_path).items() if "average/" in n}
    assert_same(dict(returned.state_dict()), average)


# Stopping and going on


@pytest.mark.parametrize("stops", [[4], [5], [1, 6, 11], [12], [0, 99]])
def test_a_run_that_stops_and_goes_on_is_the_run_that_never_stopped(
    tmp_path: Path, stops: list[int]
) -> None:
    whole = trainer(tmp_path / "whole")
    returned = whole.run()
    for stop in stops:
        trainer(tmp_path / "parts").run(until=stop)
    last = trainer(tmp_path / "parts")
    assert_same(dict(last.run().state_dict()), dict(returned.state_dict()))
    assert_same(saved(tmp_path / "parts"), saved(tmp_path / "whole"))
    assert_same(saved(tmp_path / "parts", "best"), saved(tmp_path / "whole", "best"))
    losses = [[entry["contrast"] for entry in run.history] for run in (last, whole)]
    assert losses[0] == losses[1]


def test_a_crash_between_two_saves_costs_only_the_steps_since(tmp_path: Path) -> None:
    class Crash(Exception):
        pass

    def crash(progress: Progress) -> None:
        if progress.step == 7:
            raise Crash

    whole = trainer(tmp_path / "whole")
    whole.run()
    with pytest.raises(Crash):
        trainer(tmp_path / "parts", report=crash).run()
    told: list[Progress] = []
    trainer(tmp_path / "parts", report=told.append).run()
    assert told[0].step == 5
    assert_same(saved(tmp_path / "parts"), saved(tmp_path / "whole"))
    gone_on = read_history(tmp_path / "parts/history.jsonl")
    spent = [entry.pop("cpu_s") for entry in gone_on]  # the one figure that no two runs share
    assert spent == sorted(spent)
    assert spent[0] > 0
    assert gone_on == [
        {key: value for key, value in entry.items() if key != "cpu_s"} for entry in whole.history
    ]


def test_a_history_that_is_ahead_of_the_state_is_cut_back(tmp_path: Path) -> None:
    trainer(tmp_path).run(until=4)
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 5, "contrast": 1.0}\n{"step": 8, "contrast": 1.0}\n')
    run = trainer(tmp_path)
    run.run()
    assert [entry["step"] for entry in run.history] == list(range(1, 13))


def test_a_run_of_another_recipe_is_not_continued(tmp_path: Path) -> None:
    trainer(tmp_path).run(until=4)
    other = dataclasses.replace(RECIPE, seed=2)
    with pytest.raises(ModelError, match="holds a run of another recipe"):
        trainer(tmp_path, other).run()


@pytest.mark.parametrize("name", ["state.safetensors", "history.jsonl"])
def test_a_run_with_a_broken_file_is_not_continued(tmp_path: Path, name: str) -> None:
    trainer(tmp_path).run(until=4)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ModelError, match=name):
        trainer(tmp_path).run()


def test_what_was_best_in_a_run_without_a_state_is_forgotten(tmp_path: Path) -> None:
    trainer(tmp_path).run(until=4)
    (tmp_path / "state.safetensors").unlink()
    run = trainer(tmp_path, dataclasses.replace(RECIPE, seed=2))
    untrained = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    assert_same(dict(run.run(until=0).state_dict()), untrained)


def test_a_gradient_that_is_not_finite_stops_the_run_and_spares_the_state(tmp_path: Path) -> None:
    run = trainer(tmp_path, pairs=Spectrograms(poisoned=6))
    with pytest.raises(RecipeError, match=r"gradient is nan at step 6; try a smaller"):
        run.run()
    kept = saved(tmp_path)
    assert all(bool(tensor.isfinite().all()) for tensor in kept.values())
    trainer(tmp_path / "clean").run(until=4)
    assert_same(kept, saved(tmp_path / "clean"))
    assert len(read_history(tmp_path / "history.jsonl")) == 4
