"""TOML -> the settings of the rooms below.

A recipe names everything that decides what comes out of a training run: data, model, views,
objectives, optimiser. Each table of the file is one frozen dataclass here or in the file it sets; an
unknown key, a value of the wrong type or an impossible value stops with the line it stands on.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from soundalike.errors import RecipeError
from soundalike.model.waveform_encoder import ModelSettings


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What is listened to while training."""

    music: str = "../shared/music/tracks.csv"  # CSV with path and split columns, or a folder
    arrangements: str = ""  # index.json of rendered scores (training/scores.py); "" for none
    arrangement_share: float = 0.0  # of each batch
    cache: str = ".cache/waveforms"  # decoded once to 16-bit, read from there ever after
    clip: float = 0.0  # seconds drawn from a track before the chain crops; 0: the segment length
    same_clip: bool = False  # CLMR: both views of a track come from one clip
    views: int = 0  # kept per recording and drawn from again (view_bank.py); 0: fresh at every step
    arrangement_views: int = 8  # the same for every rendering, where `views` is above 0
    workers: int = 1  # processes that prepare views beside the loop


@dataclass(frozen=True, slots=True)
class ContrastSettings:
    """The contrastive objective (model/contrastive_loss.py, model/projection.py)."""

    weight: float = 1.0
    temperature: float = 0.1
    decoupled: bool = False
    hidden: int = 512
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
    relations: float = 1.0  # weight of the batch's similarity matrix beside each single target


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
    readout: float = 0.5  # strength of the read-out's whitening


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a run needs to know."""

    objective: Literal["contrastive", "artist"] = "contrastive"
    seed: int = 1
    initial: str = ""  # folder of a model to start from; "" to start from random weights
    model: ModelSettings = field(default_factory=ModelSettings)
    data: DataSettings = field(default_factory=DataSettings)
    augmentations: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    contrast: ContrastSettings = field(default_factory=ContrastSettings)
    teacher: TeacherSettings = field(default_factory=TeacherSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)

    def __post_init__(self) -> None:
        if self.objective not in ("contrastive", "artist"):
            raise ValueError(f'objective="{self.objective}" is neither "contrastive" nor "artist"')
        for name, value, low, high in (
            ("data.arrangement_share", self.data.arrangement_share, 0, 1),
            ("contrast.keep", self.contrast.keep, 0.01, 1),
            ("contrast.masks", self.contrast.masks, 1, 64),
            ("data.views", self.data.views, 0, 10_000),
            ("data.arrangement_views", self.data.arrangement_views, 1, 10_000),
            ("optimizer.batch", self.optimizer.batch, 2, 1 << 20),
            ("optimizer.steps", self.optimizer.steps, 1, 1 << 40),
            ("optimizer.ema", self.optimizer.ema, 0, 0.999999),
            ("validation.every", self.validation.every, 1, 1 << 40),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name}={value} must lie in {low}..{high}")

    @property
    def digest(self) -> str:
        """12 hex digits that tell two recipes apart; a run is only resumed with the recipe it began."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
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
    for override in overrides:
        _override(values, override)
    try:
        recipe = _build(Recipe, values, ())
    except _Misfit as misfit:
        raise RecipeError(
            str(misfit), path=path, line=_line_of(text, misfit.key)
        ) from misfit.__cause__
    assert isinstance(recipe, Recipe)
    return recipe


class _Misfit(Exception):
    """A value that does not fit, and the key it stands under."""

    def __init__(self, message: str, key: tuple[str, ...]) -> None:
        super().__init__(message)
        self.key = key


def _override(values: dict[str, Any], override: str) -> None:
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


def _merge(values: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = value


def _build(kind: type, values: Mapping[str, Any], at: tuple[str, ...]) -> object:
    hints = typing.get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind)]
    chosen = {}
    for key, value in values.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(names)}"
            raise _Misfit(f'unknown key "{".".join((*at, key))}"; {hint}', (*at, key))
        chosen[key] = _fit(hints[key], value, (*at, key))
    try:
        return kind(**chosen)
    except ValueError as error:
        raise _Misfit(str(error), at or tuple(chosen)[:1]) from error


def _fit(hint: Any, value: Any, at: tuple[str, ...]) -> Any:
    """`value` as the type `hint` asks for; an int may stand for a float, nothing else bends."""
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _build(typing.cast(type, hint), value, at)
    if origin in (Mapping, dict) or hint is Mapping:
        if isinstance(value, dict):
            inner = typing.get_args(hint)[1]
            return {key: _fit(inner, entry, (*at, key)) for key, entry in value.items()}
    elif origin in (types.UnionType, typing.Union):
        for option in typing.get_args(hint):
            if option is not type(None):
                return _fit(option, value, at)
    elif origin is Literal:
        if value in typing.get_args(hint):
            return value
        raise _Misfit(f"{'.'.join(at)}={value!r}; choose one of {typing.get_args(hint)}", at)
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", str(hint))
    given = type(value).__name__
    raise _Misfit(f"{'.'.join(at)}={value!r} is of type {given}, expected {wanted}", at)


def _line_of(text: str, key: tuple[str, ...]) -> int | None:
    """Line on which `key` is set; tomllib does not keep it, so headers are followed by eye."""
    table: tuple[str, ...] = ()
    header_line = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([\w.\-]+)\]", line):
            table = tuple(header[1].split("."))
            if table == key:
                header_line = number
        elif assignment := re.match(r"\s*([\w.\-]+)\s*=", line):
            full = (*table, *assignment[1].split("."))
            if full == key[: len(full)]:
                return number
    return header_line
