"""Views of a composition: what changes when a tune is played by somebody else.

    recording -> constant-Q features, kept whole [P, n] -> two crops -> two views [2B, P, F]

The constant-Q encoder learns from the same pairs as the others: two places of a recording nearby, or
the same place of two renderings. Its features allow what a waveform makes costly: transposing is
moving rows, another tempo is reading columns faster, an equaliser is a gain per row. So a view takes
half a millisecond instead of thirty, and every step sees fresh ones.

The changes follow work on versions and covers: transposition and tempo as in CLEWS (Serra et al.,
ICML 2025, section 4.1) and CQTNet (Yu et al., ICASSP 2020), masks as in SpecAugment (Park et al.,
Interspeech 2019).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from soundalike.audio.constant_q import ConstantQ, ConstantQSettings
from soundalike.audio.filters import NarrowBand
from soundalike.training.pairs import Batch, Clip, Plan, Pools, choose
from soundalike.training.sources import WaveformCache, as_float, cached_name

CORNER = 15
"""Frames of a view between two corners of its tempo: 3 s, about a phrase."""

LOUDER = 1_000.0
"""What the level of a segment may be raised by after something was taken away: 30 dB of power."""

Analyse = Callable[[np.ndarray], np.ndarray]
"""Waveform float32 [T] -> features float32 [P, n], n frames at a fixed rate."""


@dataclass(frozen=True, slots=True)
class PitchViewSettings:
    """How far a view may be from what was played."""

    transpose: int = 5  # semitones, up or down
    stretch: float = 0.25  # of the tempo; 0.25: from 1/1.28 to 1.28 times as fast
    drift: float = 2.0  # seconds: standard deviation of a view's place around the pair's
    equaliser: float = 0.8  # probability of a smooth gain over pitch, some 5 dB either way
    noise: float = 0.4  # probability of a floor of noise
    band: float = 0.3  # probability of losing the lowest octave, and of losing the highest ones
    gap: float = 0.3  # probability of a gap in time, up to a seventh of the view
    rubato: float = 0.0  # standard deviation of the logarithm of the tempo within a view
    register: float = 0.0  # probability of hearing but a stretch of the rows, and that as loud
    narrow_band: float = 0.0  # probability of a telephone's rows alone, and those as loud


class FeatureCache:
    """Features of whole recordings, on disk as float16 [P, n] and mapped into memory.

    Args:
        cache: where waveforms come from.
        analyse: waveform -> features.
        folder: of the features; one folder per front end, for a file is found by its recording alone.
    """

    def __init__(self, cache: WaveformCache, analyse: Analyse, folder: Path) -> None:
        self.cache, self.analyse, self.folder = cache, analyse, folder
        self._open: dict[Path, np.ndarray] = {}

    def features(self, path: Path) -> np.ndarray:
        """Features of a recording, computed on first use."""
        if path not in self._open:
            place = self.folder / cached_name(path)
            if not place.exists():
                self.folder.mkdir(parents=True, exist_ok=True)
                partial = place.with_suffix(f".{os.getpid()}.npy")
                made = self.analyse(as_float(np.asarray(self.cache.waveform(path))))
                np.save(partial, made.astype(np.float16))
                partial.replace(place)
            self._open[path] = np.load(place, mmap_mode="r")
        return self._open[path]


class PitchPairs(Dataset[Batch]):
    """Batches by step number, each view made afresh from kept features.

    Args:
        pools: the sources; of a recording, two crops around one place are positives.
        labels: artist -> class.
        cache: where features come from.
        plan: batch size, seed and the like.
        settings: how far views may go.
        front_end: of the features: how many frames a segment has.
    """

    def __init__(
        self,
        pools: Pools,
        *,
        labels: Mapping[str, int],
        cache: FeatureCache,
        plan: Plan,
        settings: PitchViewSettings,
        front_end: ConstantQSettings,
    ) -> None:
        self.pools = pools
        self.labels, self.cache, self.plan = labels, cache, plan
        self.settings, self.front_end = settings, front_end

    def __len__(self) -> int:
        return self.plan.steps

    def __getitem__(self, step: int) -> Batch:
        plan = self.plan
        chosen = choose(step, self.pools, plan)
        rows, clips = [], []
        for view in (0, 1):
            for i in range(plan.rank, len(chosen), plan.world):
                # The pair draws its place and versions together, each view its changes alone.
                pair = np.random.default_rng([plan.seed, step, i])
                own = np.random.default_rng([plan.seed, step, i, view])
                count = len(chosen[i].recordings)
                version = int(pair.permutation(count)[view % count])
                whole = self.cache.features(chosen[i].recordings[version])
                rows.append(self._view(whole, pair.random(), own))
                clips.append(Clip(chosen[i], version, 0, whole.shape[1]))
        return Batch.of(np.stack(rows), clips, labels=self.labels, target_of=None)

    def _view(self, whole: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
        """A view [P, F] around the place `share` (0..1) of features [P, n]."""
        settings, front_end = self.settings, self.front_end
        F = front_end.frames(self.plan.clip)
        place = share * whole.shape[1] + rng.normal(0, settings.drift) / front_end.hop
        length = F * front_end.pool * float(np.exp(rng.uniform(-1, 1) * settings.stretch))
        crop = read_frames(whole, place - length / 2, length, breathing(F, settings.rubato, rng))
        semitones = int(rng.integers(-settings.transpose, settings.transpose + 1))
        return changed(transposed(crop, semitones), settings, front_end.frequencies, rng)


def breathing(frames: int, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """When each frame of a view is played, as shares of its length: float64 [frames], rising in 0..1.

    The tempo is a broken line with a corner every `CORNER` frames, whose logarithms have the standard
    deviation given: a player hurries and lingers within a phrase, and ends with the others. Without a
    deviation nothing is drawn.
    """
    even = (np.arange(frames) + 0.5) / frames
    if deviation == 0:
        return even
    corners = np.arange(0, frames + CORNER, CORNER)
    pace = np.exp(np.interp(np.arange(frames), corners, rng.normal(0, deviation, len(corners))))
    shares: np.ndarray = (np.cumsum(pace) - pace / 2) / pace.sum()
    return shares


def read_frames(whole: np.ndarray, start: float, length: float, shares: np.ndarray) -> np.ndarray:
    """Read `length` frames of [P, n] from `start` on, moved to lie inside, at `shares` of it.

    Each answer is the mean of two neighbouring frames around its place; reading more or fewer frames
    than are answered is another tempo. A recording that is shorter is read as a whole.

    Args:
        whole: features [P, n].
        start, length: in frames of it.
        shares: float [F], where each answer lies between the start (0) and the end (1).

    Returns:
        float32 [P, F].
    """
    n = whole.shape[1]
    length = min(length, n)
    start = min(max(start, 0.0), n - length)
    places = start + shares * length - 0.5
    lower = np.clip(np.floor(places).astype(int), 0, n - 1)
    upper = np.clip(lower + 1, 0, n - 1)
    first, last = int(lower[0]), int(upper[-1]) + 1
    part = np.asarray(whole[:, first:last], dtype=np.float32)  # one read of a mapped file
    mean: np.ndarray = 0.5 * (part[:, lower - first] + part[:, upper - first])
    return mean


def transposed(features: np.ndarray, semitones: int) -> np.ndarray:
    """Move rows up by `semitones`; rows that nothing moves into are silent."""
    moved = np.zeros_like(features)
    if semitones > 0:
        moved[semitones:] = features[:-semitones]
    elif semitones < 0:
        moved[:semitones] = features[-semitones:]
    else:
        moved[:] = features
    return moved


def changed(
    features: np.ndarray,
    settings: PitchViewSettings,
    frequencies: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Equaliser, noise, level, lost bands and gaps on log(1 + magnitude) features [P, F].

    Args:
        features: float32 [P, F].
        settings: how probable each change is.
        frequencies: centre of each row in Hz, [P].
        rng: what is drawn comes from here.
    """
    P, F = features.shape
    magnitude = np.expm1(features)
    if rng.random() < settings.equaliser:
        decibels = np.interp(np.linspace(0, 5, P), np.arange(6), rng.normal(0, 5, 6))
        magnitude = magnitude * (10 ** (decibels / 20))[:, None].astype(np.float32)
    if rng.random() < settings.noise:
        floor = np.float32(magnitude.max() * 10 ** rng.uniform(-4, -1.5))
        magnitude = magnitude + floor * rng.random((P, F), dtype=np.float32)
    if rng.random() < settings.register:
        magnitude = within_register(magnitude, *draw_register(P, rng))
    if settings.narrow_band and rng.random() < settings.narrow_band:
        magnitude = within_register(magnitude, *draw_narrow_band(frequencies, rng))
    view: np.ndarray = np.log1p(magnitude * np.float32(10 ** rng.uniform(-0.3, 0.3)))
    if rng.random() < settings.band:
        view[: int(rng.integers(0, 12))] = 0
    if rng.random() < settings.band:
        view[int(rng.integers(50, P)) :] = 0
    if rng.random() < settings.gap:
        start = int(rng.integers(0, F - F // 7))
        view[:, start : start + int(rng.integers(F // 30, F // 7))] = 0
    return view


def draw_register(rows: int, rng: np.random.Generator) -> tuple[int, int]:
    """The first row that is heard and the first above that is not, half of all rows apart or more.

    From the lowest to half the rows are lost, here or there: a hand that does not play, a singer by
    herself.
    """
    low, high = sorted(rng.integers(0, rows // 2 + 1, 2).tolist())
    return (low, rows - (high - low)) if rng.random() < 0.5 else (high - low, rows - low)


def draw_narrow_band(frequencies: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    """The first row that a telephone lets through and the first above that it does not.

    The cut-offs are log-uniform in the ranges that the stage of that name has for waveforms; a
    telephone passes 300 to 3,400 Hz (ITU-T G.712). A register seldom takes so much of the bass alone:
    at 300 Hz it is 39 of 84 rows.
    """
    stage = NarrowBand
    ranges = ((stage.low_min_hz, stage.low_max_hz), (stage.high_min_hz, stage.high_max_hz))
    cut_offs = [float(np.exp(rng.uniform(*np.log(limits)))) for limits in ranges]
    low, high = np.searchsorted(frequencies, cut_offs).tolist()
    return low, high


def within_register(magnitude: np.ndarray, low: int, high: int) -> np.ndarray:
    """Keep rows `low` to `high` of [P, F] and play them as loudly as all were, by 30 dB at most."""
    kept = np.zeros_like(magnitude)
    kept[low:high] = magnitude[low:high]
    whole, left = float(np.square(magnitude).sum()), float(np.square(kept).sum())
    louder: np.ndarray = kept * np.float32(np.sqrt(min(whole / max(left, 1e-12), LOUDER)))
    return louder


def analysis(front_end: ConstantQ) -> Analyse:
    """The front end of a model as a function on whole recordings."""

    @torch.no_grad()
    def analyse(waveform: np.ndarray) -> np.ndarray:
        features: np.ndarray = front_end.spectrogram(torch.from_numpy(waveform)[None])[0].numpy()
        return features

    return analyse
