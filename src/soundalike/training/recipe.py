"""TOML -> the settings of the rooms below.

A recipe names everything that decides what comes out of a training run: data, model, views,
objectives, optimiser. Each table of the file is one frozen dataclass here or in the file it sets; an
unknown key, a value of the wrong type, an impossible value, or two that contradict each other stop
with the line they stand on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any, Literal

from soundalike.audio.augmentations import Chain
from soundalike.errors import RecipeError
from soundalike.model.waveform_encoder import ModelSettings
from soundalike.training.pitch_views import PitchViewSettings
from soundalike.training.sources import mixtures_name
from soundalike.training.typed_toml import Misfit, build, line_of, related


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What is listened to while training."""

    music: str = "../shared/music/tracks.csv"  # CSV with path and split columns, or a folder
    arrangements: str = ""  # index.json of rendered scores (scores/rendering.py); "" for none
    arrangement_share: float = 0.0  # of each batch
    mixtures: tuple[str, ...] = ()  # folders of recipes/teachers/musicnn_mixtures.py
    mixture_share: float = 0.0  # of each batch
    cache: str = ".cache/waveforms"  # decoded once to 16-bit, read from there ever after
    clip: float = 0.0  # seconds drawn from a track before the chain crops; 0: the segment length
    intact: float = 0.0  # share of the views that the chain crops and does not change
    same_clip: bool = False  # CLMR: both views of a track come from one clip
    views: int = 0  # kept per recording and drawn from again (view_bank.py); 0: fresh at every step
    arrangement_views: int = 8  # the same for every rendering, where `views` is above 0
    mixture_views: int = 4  # and for every mixture
    workers: int = 1  # processes that prepare views beside the loop


@dataclass(frozen=True, slots=True)
class ContrastSettings:
    """The contrastive objective (model/contrastive_loss.py, model/projection.py)."""

    weight: float = 1.0
    temperature: float = 0.1
    decoupled: bool = False
    hidden: int = 512  # width of the projection's middle; 0: no projection, h itself is compared
    out: int = 128  # P
    masks: int = 1  # times each view is looked at, each time through another mask
    keep: float = 1.0  # share of the patches a mask leaves


@dataclass(frozen=True, slots=True)
class TeacherSettings:
    """A second target: what a freely licensed network heard in the same music (training/teacher.py)."""

    features: str = ""  # folder written by a script of recipes/teachers; "" for no teacher
    columns: str = "mean_pool+max_pool"  # which of the teacher's features, joined by +
    weight: float = 1.0
    directions: int = 256  # principal components of the teacher's features that are learnt
    steady: float = 0.0  # power of the deviation within a track that every direction is divided by
    relations: float = 1.0  # weight of the batch's similarity matrix beside each single target
    spans: int = 0  # stretches of a view that are each compared with what the teacher heard there


@dataclass(frozen=True, slots=True)
class OptimizerSettings:
    """AdamW with warm-up, a cosine to zero, clipping, and an average of the weights (EMA)."""

    batch: int = 32  # B, tracks per step over all processes; each gives two views
    steps: int = 1_000
    learning_rate: float = 5e-4
    warmup: int = 50  # steps
    weight_decay: float = 0.05
    clip: float = 1.0  # largest gradient norm
    ema: float = 0.99  # decay per step
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """When to look: retrieval on held-out tracks decides, never the loss."""

    every: int = 100  # steps
    readout: float = 0.75  # strength of its whitening, chosen on validation (docs/results.md)


IN_TIME = ("ast", "timbre_cnn")
"""Kinds of encoders that can be asked about a stretch of a view."""

CHANGES: Mapping[str, Mapping[str, float]] = {
    "noise": {"probability": 0.5, "min_ratio": 0.02, "max_ratio": 1.0},
    "gain": {},
    "pitch_shift": {"probability": 0.25, "max_cents": 250.0},
    "reverb": {"probability": 0.3},
    "equalizer": {"probability": 0.3},
    "bandwidth": {"probability": 0.2},
    "narrow_band": {"probability": 0.35},
}
"""What music goes through and stays the same music: noise of 0 dB, a telephone, another room."""


@dataclass(frozen=True, slots=True)
class SteadinessSettings:
    """How little the read-out shall heed what a change of the sound moves (training/readout.py)."""

    strength: float = 0.0  # 0: all directions count alike; 1: each over the deviation changes cause
    views: int = 2  # changed ones of every segment it is fitted on
    changes: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: CHANGES)  # a chain


LIMITS = (
    ("seed", 0, 1 << 40),
    ("model.segments.count", 1, math.inf),
    ("data.arrangement_share", 0, 1),
    ("data.mixture_share", 0, 1),
    ("data.clip", 0, math.inf),
    ("data.intact", 0, 1),
    ("data.views", 0, 10_000),
    ("data.arrangement_views", 1, 10_000),
    ("data.mixture_views", 2, 10_000),
    ("data.workers", 0, 1_024),
    ("contrast.weight", 0, math.inf),
    ("contrast.temperature", 0.001, 100),
    ("contrast.hidden", 0, math.inf),
    ("contrast.out", 1, math.inf),
    ("contrast.masks", 1, 64),
    ("contrast.keep", 0.01, 1),
    ("pitch_views.transpose", 0, 24),
    ("pitch_views.stretch", 0, 1),
    ("pitch_views.drift", 0, 60),
    ("pitch_views.equaliser", 0, 1),
    ("pitch_views.noise", 0, 1),
    ("pitch_views.band", 0, 1),
    ("pitch_views.gap", 0, 1),
    ("pitch_views.rubato", 0, 1),
    ("pitch_views.register", 0, 1),
    ("pitch_views.narrow_band", 0, 1),
    ("teacher.weight", 0, math.inf),
    ("teacher.directions", 1, math.inf),
    ("teacher.steady", 0, 1),
    ("teacher.relations", 0, math.inf),
    ("teacher.spans", 0, 1_000),
    ("optimizer.batch", 2, math.inf),
    ("optimizer.steps", 1, math.inf),
    ("optimizer.learning_rate", 0, 1),
    ("optimizer.warmup", 0, math.inf),
    ("optimizer.weight_decay", 0, 1),
    ("optimizer.clip", 1e-6, math.inf),
    ("optimizer.ema", 0, 0.999999),
    ("validation.every", 1, math.inf),
    ("validation.readout", 0, 1),
    ("steadiness.strength", 0, 2),
    ("steadiness.views", 1, 1_000),
)
"""Smallest and largest value of a setting: what would only fail after hours, or never say why."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a run needs to know."""

    objective: Literal["contrastive", "artist"] = "contrastive"
    seed: int = 1
    initial: str = ""  # folder of a model to start from; "" to start from random weights
    model: ModelSettings = field(default_factory=ModelSettings)
    data: DataSettings = field(default_factory=DataSettings)
    augmentations: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pitch_views: PitchViewSettings = field(default_factory=PitchViewSettings)
    contrast: ContrastSettings = field(default_factory=ContrastSettings)
    teacher: TeacherSettings = field(default_factory=TeacherSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    steadiness: SteadinessSettings = field(default_factory=SteadinessSettings)

    def __post_init__(self) -> None:
        if self.objective not in ("contrastive", "artist"):
            raise Misfit(
                f'objective="{self.objective}" is neither "contrastive" nor "artist"', "objective"
            )
        for key, low, high in LIMITS:
            value = reduce(getattr, key.split("."), self)
            if not low <= value <= high:  # type: ignore[operator]
                limit = f"lie in {low}..{high}" if high < math.inf else f"be at least {low}"
                raise Misfit(f"{key}={value} must {limit}", key)
        for key, why in self._contradictions():
            raise Misfit(f"{key}={reduce(getattr, key.split('.'), self)}: {why}", key)
        for table, stages in (
            ("augmentations", self.augmentations),
            ("steadiness.changes", self.steadiness.changes),
        ):
            for name, values in stages.items():
                try:
                    self._chain({name: values})
                except ValueError as error:
                    raise Misfit(f"{table}: {error}", f"{table}.{name}") from error

    @property
    def clip(self) -> int:
        """C, samples drawn from a recording to make a view of."""
        return round(self.data.clip * self.model.sample_rate) or self.model.samples

    @property
    def chain(self) -> Chain | None:
        """The augmentations, clips [B, C] -> views [B, L]; None where a view is the bare clip."""
        chain = self._chain(self.augmentations) if self.augmentations else None
        return Chain(chain.stages, intact=self.data.intact) if chain else None

    @property
    def changes(self) -> Chain:
        """What the read-out is to be steady against, segments [B, L] -> segments [B, L]."""
        return self._chain(self.steadiness.changes)

    def _chain(self, stages: Mapping[str, Mapping[str, float]]) -> Chain:
        # Numbers of a recipe are floats; a stage that counts with one wants it whole.
        values = {
            name: {
                key: int(value) if value.is_integer() else value for key, value in settings.items()
            }
            for name, settings in stages.items()
        }
        model = self.model
        return Chain.from_settings(values, sample_rate=model.sample_rate, length=model.samples)

    def _contradictions(self) -> Iterator[tuple[str, str]]:
        """Settings that do not fit each other: the one to change, and why."""
        data, model = self.data, self.model
        if self.clip < model.samples:
            yield "data.clip", f"shorter than model.segments.length={model.segments.length}"
        if self.clip > model.samples and "random_resized_crop" not in self.augmentations:
            yield "data.clip", "longer than a segment, and no random_resized_crop cuts it to one"
        if data.intact and not self.augmentations:
            yield "data.intact", "there are no [augmentations] to spare a view"
        if self.teacher.spans and model.kind not in IN_TIME:
            kinds = " and ".join(f'"{kind}"' for kind in IN_TIME)
            yield "teacher.spans", f'{kinds} answer for a stretch of time, not a "{model.kind}"'
        if self.teacher.spans and model.kind == "timbre_cnn":
            frames = model.front_end.frames(model.samples)
            long, wanted = frames // self.teacher.spans, model.timbre_cnn.stretch
            if long != wanted:
                words = f"each lasts {long} frames, model.timbre_cnn.stretch={wanted} are heard"
                yield "teacher.spans", words
        if model.kind == "pitch_cnn":
            yield from self._pitch_contradictions()
        if data.views == 1:
            yield "data.views", "a pair is two views; keep more of them, or 0 for fresh ones"
        if data.views and data.same_clip:
            yield "data.same_clip", "views that are kept (data.views) each have a clip of their own"
        if data.arrangement_share and not data.arrangements:
            yield "data.arrangement_share", "data.arrangements names no index of renderings"
        if data.mixture_share and not data.mixtures:
            yield "data.mixture_share", "data.mixtures names no folder of mixtures"
        if len({mixtures_name(folder) for folder in data.mixtures}) < len(data.mixtures):
            yield (
                "data.mixtures",
                "two folders of one name; a mixture is known by its folder's name",
            )
        if data.mixture_share:
            yield from self._mixture_contradictions()
        if self.objective == "contrastive" and not (self.contrast.weight or self.teacher.features):
            yield "contrast.weight", "without a teacher there is nothing else to learn from"

    def _mixture_contradictions(self) -> Iterator[tuple[str, str]]:
        """Mixtures want a teacher, and what is left of a batch must do for the contrast."""
        mixed = round(self.data.mixture_share * self.optimizer.batch)
        others = self.optimizer.batch - mixed
        of_a_batch = f"of optimizer.batch={self.optimizer.batch}"
        if not self.teacher.features or not self.teacher.weight:
            yield (
                "data.mixture_share",
                "mixtures learn from a teacher, and there is none under [teacher]",
            )
        if not mixed:
            yield "data.mixture_share", f"{of_a_batch} that is not one mixture"
        if others < 2 and self.contrast.weight:
            yield (
                "data.mixture_share",
                f"{of_a_batch} it leaves {others} to contrast, of 2 at least",
            )
        if others < round(self.data.arrangement_share * self.optimizer.batch):
            yield (
                "data.mixture_share",
                f"data.arrangement_share wants more {of_a_batch} than it leaves",
            )

    def _pitch_contradictions(self) -> Iterator[tuple[str, str]]:
        """The pitch network's views are made of its features: what needs a waveform is not there."""
        if self.augmentations:
            yield (
                "augmentations",
                "they change waveforms; pitch_cnn's views are under [pitch_views]",
            )
        if self.data.views:
            yield "data.views", "pitch_cnn makes its views of kept features, there is none to keep"
        if self.teacher.features:
            yield (
                "teacher.features",
                "a teacher is asked about waveforms, not about pitch_cnn's views",
            )
        if self.clip != self.model.samples:
            yield "data.clip", "pitch_cnn's views are as long as a segment"

    @property
    def digest(self) -> str:
        """12 hex digits that tell two recipes apart; a run is only resumed with the recipe it began.

        Validation and steadiness are left out: how one looks at a run, and what is made of its end,
        does not change what it learns. Blocks that are read decide which weights are kept, and in what shape.
        """
        settings = dataclasses.asdict(self)
        del settings["validation"], settings["steadiness"]
        # Runs from before there was a choice go on.
        if not self.model.readout.layers:
            del settings["model"]["readout"]
        elif self.model.readout.thinning == 1:
            del settings["model"]["readout"]["thinning"]
        for kind in ("timbre_cnn", "cepstrum"):
            if self.model.kind != kind:
                del settings["model"][kind]
        if not self.data.mixture_share:
            for name in ("mixtures", "mixture_share", "mixture_views"):
                del settings["data"][name]
        else:
            settings["data"]["mixtures"] = ", ".join(self.data.mixtures)
        for table, name in (("data", "intact"), ("teacher", "steady")):
            if not settings[table][name]:
                del settings[table][name]
        text = json.dumps(settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file.

    Args:
        path: the TOML file.
        overrides: "table.key=value" in TOML syntax, applied on top of the file.

    Raises:
        RecipeError: unreadable file, broken TOML, unknown key, wrong type, impossible value.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise RecipeError(f"cannot be read: {error.strerror}", path=path) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"not a TOML file: {error}", path=path) from None
    patches = [_override(values, override) for override in overrides]
    try:
        recipe = build(Recipe, values)
    except Misfit as misfit:
        for override, patched in zip(overrides, patches, strict=True):
            if related(patched, misfit.key):
                message = f'{misfit} (given as "{override}")'
                raise RecipeError(message, path=path) from misfit.__cause__
        line = line_of(text, misfit.key)
        raise RecipeError(str(misfit), path=path, line=line) from misfit.__cause__
    assert isinstance(recipe, Recipe)
    return recipe


def _override(values: dict[str, Any], override: str) -> str:
    """Put an override into `values`; returns the key it sets."""
    key, equals, _ = override.partition("=")
    try:
        if not equals:
            raise ValueError
        patch = tomllib.loads(override)
    except ValueError:
        raise RecipeError(
            f'override "{override}" is not of the form table.key=value; text needs quotes, as in '
            f"{key.strip() or 'table.key'}='\"text\"'"
        ) from None
    _merge(values, patch)
    return key.strip()


def _merge(values: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = value
