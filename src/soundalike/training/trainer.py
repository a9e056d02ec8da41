"""Recipe -> trained encoder: the loop.

    learning rate -> batch -> h -> losses -> clip -> step -> average -> now and then look and save

Validation is the caller's: a function that takes the averaged encoder and answers with named numbers,
the first of which chooses the weights that are kept. The optimiser follows SimCLR and ViT practice:
AdamW (Loshchilov & Hutter 2019), linear warm-up, a cosine to zero.
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

from soundalike.errors import RecipeError
from soundalike.model.waveform_encoder import WaveformEncoder
from soundalike.training.pairs import Batch
from soundalike.training.recipe import Recipe
from soundalike.training.state import read_history, read_state, write_history, write_state
from soundalike.training.teacher import Student

Scores = dict[str, float]


class TrainingNetwork(nn.Module):
    """Encoder and objectives as one module, so that DistributedDataParallel sees all weights.

    Args:
        encoder: features -> h.
        objectives: name -> module(h, batch) -> loss [].
        weights: name -> weight of that loss.
    """

    def __init__(
        self, encoder: nn.Module, objectives: dict[str, nn.Module], weights: dict[str, float]
    ) -> None:
        super().__init__()
        self.encoder, self.objectives = encoder, nn.ModuleDict(objectives)
        self.weights = weights
        # Stretches of each view that the encoder has to answer for one by one; 0 for none.
        students = (loss for loss in objectives.values() if isinstance(loss, Student))
        self.spans = max((student.spans for student in students), default=0)

    def forward(self, batch: Batch, masks: int, keep: float) -> tuple[Tensor, dict[str, Tensor]]:
        """Total loss [] and its parts, of `masks` looks at each row through a mask of its own."""
        features = batch.features.repeat(masks, *([1] * (batch.features.ndim - 1)))
        if self.spans:
            h, in_time = self.encoder.hear(features, keep, self.spans)  # type: ignore[operator]
        else:
            h, in_time = self.encoder(features, keep), None  # h [masks * 2B, D]
        # Half the bits serve the encoder; similarities that are divided by a temperature want them all.
        with torch.autocast(h.device.type, enabled=False):
            parts = {
                name: loss(h.float(), batch, in_time.float())
                if in_time is not None and isinstance(loss, Student)
                else loss(h.float(), batch)
                for name, loss in self.objectives.items()
            }
        total = torch.stack([self.weights[name] * part for name, part in parts.items()]).sum()
        return total, {name: part.detach() for name, part in parts.items()}


@dataclass(slots=True)
class Progress:
    """What the caller may show after a step."""

    step: int
    steps: int
    losses: Scores
    seconds_left: float
    scores: Scores | None = None


@dataclass
class Trainer:
    """One run of a recipe.

    Args:
        recipe: the settings.
        model: the encoder that is trained, in place.
        objectives: name -> module(h, batch) -> loss, with their weights.
        pairs: batches by step.
        folder: where state and history lie; a run found there is continued.
        validate: averaged model -> scores; the first decides which weights are kept.
        report: called after every step of the first process.
    """

    recipe: Recipe
    model: WaveformEncoder
    objectives: dict[str, tuple[nn.Module, float]]
    pairs: Dataset[Batch]
    folder: Path
    validate: Callable[[WaveformEncoder], Scores]
    report: Callable[[Progress], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        self.device = _device()
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        self.first = int(os.environ.get("RANK", "0")) == 0
        modules = {name: module for name, (module, _) in self.objectives.items()}
        weights = {name: weight for name, (_, weight) in self.objectives.items()}
        self.model.to(self.device)
        self.network = TrainingNetwork(self.model.encoder, modules, weights).to(self.device)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = _optimizer(self.network, self.recipe)
        self.step, self.best = 0, -math.inf
        self.history: list[dict[str, Any]] = []
        self._learning_s = 0.0

    def run(self, until: int | None = None) -> WaveformEncoder:
        """Train to the last step of the recipe, or to step `until`, and return the averaged model.

        The returned model holds the weights that scored best on validation.

        Raises:
            ModelError: the folder holds a run of another recipe, or a broken one.
            RecipeError: the gradient is no longer finite.
        """
        self._resume()
        wrapped: nn.Module = (
            DistributedDataParallel(self.network) if self.world > 1 else self.network
        )
        steps = self.recipe.optimizer.steps
        stop = steps if until is None else min(until, steps)
        began, began_at = time.monotonic(), self.step
        self._learning_s = float(self.history[-1]["cpu_s"]) if self.history else 0.0
        for batch in self._batches(stop):
            rate = learning_rate(self.step, self.recipe)
            clock = time.process_time()
            losses = self._learn(wrapped, batch.to(self.device), rate)
            self.step += 1
            self._update_average()
            self._learning_s += time.process_time() - clock
            scores = self._look(stop)
            pace = (time.monotonic() - began) / (self.step - began_at)
            self._record(losses, scores, rate, pace * (stop - self.step))
        if self.first and not self.history:  # says that nothing was learnt, not that nobody knows
            write_history(self.folder / "history.jsonl", [])
        if self._best.exists():
            read_state(self._best, {"average": self.average})
        return self.average

    def _learn(self, wrapped: nn.Module, batch: Batch, rate: float) -> Scores:
        """One step of the optimiser; returns the losses."""
        settings, contrast = self.recipe.optimizer, self.recipe.contrast
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # Patchout draws from the global generator; seeded by the step, a resumed run draws alike.
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)
        with self._autocast():
            loss, parts = wrapped(batch, contrast.masks, contrast.keep)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip)
        if not norm.isfinite():
            raise RecipeError(
                f"the gradient is {float(norm)} at step {self.step}; try a smaller "
                "optimizer.learning_rate or a longer optimizer.warmup"
            )
        self.optimizer.step()
        return {name: float(part) for name, part in parts.items()}

    def _batches(self, stop: int) -> DataLoader[Batch]:
        workers = self.recipe.data.workers
        loader: DataLoader[Batch] = DataLoader(
            self.pairs,
            sampler=range(self.step, stop),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=2 if workers else None,
            worker_init_fn=_one_thread,
        )
        return loader

    def _autocast(self) -> torch.autocast:
        """bf16 on GPUs that have it. A CPU with AVX-512 bf16 halves its time, too; others lose."""
        wanted = self.recipe.optimizer.precision
        able = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        on = wanted == "bfloat16" or (wanted == "auto" and able)
        return torch.autocast(self.device.type, torch.bfloat16, enabled=on)

    @torch.no_grad()
    def _update_average(self) -> None:
        # A short memory at first, or the average would hold the random start for long.
        decay = min(self.recipe.optimizer.ema, (1 + self.step) / (10 + self.step))
        live = self.model.encoder.state_dict()
        for name, value in self.average.encoder.state_dict().items():
            if value.is_floating_point():
                value.lerp_(live[name], 1 - decay)
            else:
                value.copy_(live[name])

    def _look(self, stop: int) -> Scores | None:
        every, steps = self.recipe.validation.every, self.recipe.optimizer.steps
        due = self.step % every == 0 or self.step == steps
        if not self.first or not (due or self.step == stop):
            return None
        scores = self.validate(self.average)
        value = next(iter(scores.values()))
        # A stop in between chooses nothing: a run that never stopped would not look there.
        if due and value > self.best:
            self.best = value
            write_state(self._best, {"average": self.average}, {})
        return scores

    def _record(
        self, losses: Scores, scores: Scores | None, rate: float, seconds_left: float
    ) -> None:
        if not self.first:
            return
        # What two objectives or encoders cost to train; making views and validating is not in it.
        made = {"step": self.step, "rate": rate, "cpu_s": round(self._learning_s, 2)}
        self.history.append({**made, **losses, **(scores or {})})
        if scores is not None:
            self._save()
        self.report(Progress(self.step, self.recipe.optimizer.steps, losses, seconds_left, scores))

    def _save(self) -> None:
        notes = {"step": self.step, "best": self.best, "recipe": self.recipe.digest}
        write_history(self.folder / "history.jsonl", self.history)
        write_state(self.folder / "state.safetensors", self._parts(), notes)

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self.folder / "state.safetensors"
        if not state.exists():
            if self.first:  # what was best in a run that never came to its first save
                self._best.unlink(missing_ok=True)
            return
        notes = read_state(state, self._parts(), recipe=self.recipe.digest)
        self.step, self.best = int(notes["step"]), float(notes["best"])
        # The history may be a save ahead of the state when the run was killed between the two.
        entries = read_history(self.folder / "history.jsonl")
        self.history = [entry for entry in entries if entry["step"] <= self.step]

    @property
    def _best(self) -> Path:
        return self.folder / "best.safetensors"

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {"network": self.network, "average": self.average, "optimizer": self.optimizer}


def learning_rate(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then half a cosine to zero at the last step."""
    settings = recipe.optimizer
    if step < settings.warmup:
        return settings.learning_rate * (step + 1) / settings.warmup
    done = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; norms, biases and positions are not decayed, as in ViT."""
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        exempt = parameter.ndim < 2 or "positions" in name or "class_tokens" in name
        (free if exempt else decayed).append(parameter)
    settings = recipe.optimizer
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))


def _device() -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def _one_thread(_: int) -> None:
    # Workers share the machine with the loop: a pool of threads in each would only get in its way.
    torch.set_num_threads(1)
