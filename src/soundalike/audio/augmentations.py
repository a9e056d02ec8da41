"""Random changes of a waveform that leave the music recognizable: the views a model learns from.

In: float32 [B, T], mono, on the CPU or a GPU; out: float32 [B, L]. The chain, its order, its
probabilities and its ranges are those of CLMR (Spijkervet and Burgoyne, "Contrastive learning of
musical representations", ISMIR 2021) and of the torchaudio-augmentations it uses; four stages
beyond it follow at the end. Works on whole batches; no example sees another.

Every stage is an immutable description: `draw(rng, rows)` draws parameters, one of each for every
example, `apply(waveforms, *parameters)` applies them, and calling the stage does both. The
generator lies on the CPU, so every device sees the same parameters.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import torch
from torch import Tensor

from soundalike.audio.filters import Bandwidth, Equalizer, HighLowPass, NarrowBand
from soundalike.audio.pitch_shift import PitchShift, TimeStretch
from soundalike.audio.reverb import Reverb


class Stage(Protocol):
    """One step of a chain: changes every row it is given, each with parameters of its own."""

    @property
    def probability(self) -> float:
        """The share of examples a chain lets this stage change."""

    def __call__(self, waveforms: Tensor, rng: torch.Generator, /) -> Tensor:
        """float32 [B, T] -> float32 [B, T], a new tensor; only a crop changes T."""


@dataclass(frozen=True)
class RandomResizedCrop:
    """y(t) = x(t + s), s uniform: a plain random window of `length` samples.

    A waveform shorter than the window is repeated to fill it. CLMR: p = 1, 2.678 s.
    """

    length: int
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.probability != 1:
            raise ValueError(
                f"random_resized_crop: probability {self.probability} given, but a batch needs one "
                "length: every example is cropped (1.0) or the stage is left out"
            )

    def draw(self, rng: torch.Generator, rows: int, total: int) -> Tensor:
        """Starts in samples, int64 [B], for waveforms of `total` samples."""
        return torch.randint(0, max(total - self.length, 0) + 1, (rows,), generator=rng)

    def apply(self, waveforms: Tensor, starts: Tensor) -> Tensor:
        """Cut float32 [B, length] out of float32 [B, T]."""
        T = waveforms.shape[-1]
        if self.length > T:
            waveforms = waveforms.repeat(1, math.ceil(self.length / T))
        windows = zip(waveforms, starts.tolist(), strict=True)
        return torch.stack([row[start : start + self.length] for row, start in windows])

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Cut a window out of every row of float32 [B, T]."""
        return self.apply(waveforms, self.draw(rng, *waveforms.shape))


@dataclass(frozen=True)
class PolarityInversion:
    """y = -x. CLMR: p = 0.8. A power spectrogram does not see it."""

    probability: float = 0.8

    def __call__(self, waveforms: Tensor, _rng: torch.Generator) -> Tensor:
        """Negate float32 [B, T]; draws nothing."""
        return -waveforms


@dataclass(frozen=True)
class Noise:
    """y = x + r std(x) n, n white Gaussian noise, r = U(1e-4, 1e-2).

    That is a signal-to-noise ratio of 80 to 40 dB. CLMR: p = 0.01.
    """

    min_ratio: float = 1e-4
    max_ratio: float = 1e-2
    probability: float = 0.01

    def draw(self, rng: torch.Generator, rows: int) -> tuple[Tensor, Tensor]:
        """Ratios of the noise to the waveform, float32 [B], and seeds of the noise, int64 [B]."""
        ratios = torch.empty(rows).uniform_(self.min_ratio, self.max_ratio, generator=rng)
        return ratios, torch.randint(1 << 62, (rows,), generator=rng)

    def apply(self, waveforms: Tensor, ratios: Tensor, seeds: Tensor) -> Tensor:
        """Add noise of the ratios and seeds given, each [B], to float32 [B, T]."""
        # The noise is drawn where the waveforms lie: moving it would take longer.
        local = torch.Generator(waveforms.device)
        noise = torch.empty_like(waveforms)
        for row, seed in zip(noise, seeds.tolist(), strict=True):
            row.normal_(generator=local.manual_seed(seed))
        deviations = waveforms.std(-1, correction=0, keepdim=True)
        return waveforms + noise.mul_(ratios.to(waveforms.device)[:, None] * deviations)

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Add noise of its own to every row of float32 [B, T]."""
        return self.apply(waveforms, *self.draw(rng, len(waveforms)))


@dataclass(frozen=True)
class Gain:
    """y = 10^(g / 20) x, g = U(-20, -1) dB. CLMR: p = 0.3."""

    min_db: float = -20.0
    max_db: float = -1.0
    probability: float = 0.3

    def draw(self, rng: torch.Generator, rows: int) -> Tensor:
        """Gains in dB, float32 [B]."""
        return torch.empty(rows).uniform_(self.min_db, self.max_db, generator=rng)

    def apply(self, waveforms: Tensor, gains: Tensor) -> Tensor:
        """Scale the rows of float32 [B, T] by the gains given, float32 [B], in dB."""
        return waveforms * (10 ** (gains / 20)).to(waveforms.device)[:, None]

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Scale every row of float32 [B, T] by a gain of its own."""
        return self.apply(waveforms, self.draw(rng, len(waveforms)))


@dataclass(frozen=True)
class Delay:
    """y(t) = (x(t) + v x(t - d)) / 2, one echo without feedback, v = 0.5.

    d is one of 200, 250, ... 450 ms. CLMR: p = 0.3.
    """

    sample_rate: int
    min_ms: float = 200.0
    max_ms: float = 450.0
    step_ms: float = 50.0
    volume: float = 0.5
    probability: float = 0.3

    def draw(self, rng: torch.Generator, rows: int) -> Tensor:
        """Delays in ms, float32 [B]."""
        choices = int((self.max_ms - self.min_ms) / self.step_ms) + 1
        return self.min_ms + self.step_ms * torch.randint(choices, (rows,), generator=rng)

    def apply(self, waveforms: Tensor, delays: Tensor) -> Tensor:
        """Add the echo of float32 [B, T] after the delays given, float32 [B], in ms."""
        out = waveforms / 2
        for mixed, row, delay in zip(out, waveforms, delays.tolist(), strict=True):
            samples = int(delay * self.sample_rate / 1000)
            mixed[samples:].add_(row[: max(0, len(row) - samples)], alpha=self.volume / 2)
        return out

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """Add an echo to every row of float32 [B, T] after a delay of its own."""
        return self.apply(waveforms, self.draw(rng, len(waveforms)))


# In chain order: CLMR's eight, then ours.
STAGES: Mapping[str, type[Any]] = {
    "random_resized_crop": RandomResizedCrop,
    "polarity_inversion": PolarityInversion,
    "noise": Noise,
    "gain": Gain,
    "high_low_pass": HighLowPass,
    "delay": Delay,
    "pitch_shift": PitchShift,
    "reverb": Reverb,
    "equalizer": Equalizer,
    "bandwidth": Bandwidth,
    "narrow_band": NarrowBand,
    "time_stretch": TimeStretch,
}
CLMR_STAGES = tuple(STAGES)[:8]


class Chain:
    """Stages in a row; each changes the examples that its own coin picks, the rest pass untouched.

    `intact` is the share of examples that are cropped and not changed by any stage.

    chain = Chain.clmr(sample_rate=16_000, length=480_000)
    views = chain(waveforms, torch.Generator().manual_seed(0))
    """

    def __init__(self, stages: Sequence[Stage], *, intact: float = 0.0) -> None:
        self.stages, self.intact = tuple(stages), intact
        for stage in self.stages:
            if not 0 <= stage.probability <= 1:
                raise ValueError(f"{stage}: a probability lies between 0 and 1")

    @classmethod
    def clmr(cls, sample_rate: int = 16_000, *, length: int = 480_000) -> Chain:
        """CLMR's chain with its own probabilities and ranges; `length` in samples."""
        settings: Mapping[str, Mapping[str, float]] = {name: {} for name in CLMR_STAGES}
        return cls.from_settings(settings, sample_rate=sample_rate, length=length)

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Mapping[str, float]], *, sample_rate: int, length: int
    ) -> Chain:
        """The stages named, in chain order, with the fields given in place of the defaults.

        settings: {"gain": {"probability": 0.5, "min_db": -12.0}, "reverb": {}}; a stage not named
        is left out. Raises ValueError for a stage or a field that does not exist, a range that is
        upside down, and a probability outside 0..1.
        """
        for name in settings:
            _require("augmentation", name, STAGES)
        shared = {"sample_rate": sample_rate, "length": length}
        return cls(
            [
                _stage(name, kind, settings[name], shared)
                for name, kind in STAGES.items()
                if name in settings
            ]
        )

    def __call__(self, waveforms: Tensor, rng: torch.Generator) -> Tensor:
        """float32 [B, T] -> float32 [B, L]; `rng` is a CPU generator. The input is not changed."""
        views = waveforms
        # Without the setting nothing is drawn for it: views that are kept stay those of their recipe.
        spared = torch.rand(len(views), generator=rng) < self.intact if self.intact else None
        for stage in self.stages:
            chosen = torch.rand(len(views), generator=rng) < stage.probability
            if spared is not None and not isinstance(stage, RandomResizedCrop):
                chosen &= ~spared
            if chosen.all():
                views = stage(views, rng)
            elif chosen.any():
                rows = chosen.nonzero()[:, 0].to(views.device)
                changed = stage(views[rows], rng)
                views = views.clone() if views is waveforms else views
                views[rows] = changed
        return views.clone() if views is waveforms else views


def _stage(
    name: str, kind: type[Any], values: Mapping[str, float], shared: Mapping[str, int]
) -> Stage:
    """A stage with the values given and those of the shared ones that it has a field for."""
    known = [field.name for field in fields(kind)]
    for field in values:
        _require(f"field of {name}", field, [field for field in known if field not in shared])
    stage: Stage = kind(**{key: shared[key] for key in shared if key in known}, **values)
    for low in (field for field in known if "min" in field.split("_")):
        high = low.replace("min", "max")
        if getattr(stage, low) > getattr(stage, high):
            raise ValueError(
                f"{name}: {low} = {getattr(stage, low)} is above {high} = {getattr(stage, high)}"
            )
    return stage


def _require(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise ValueError(f"unknown {what}: {name!r}; {hint}")
