"""What a freely licensed network heard, as a second target for our own.

    teacher's features per track, windows [W, K0]  ->  target of a clip [K]       <-  linear map of h [D]
                                                   ->  of its stretches [T, K]   <-  the same of tokens

The teacher hears each recording clean; the student hears an augmented view and must say what the
teacher heard. A script of recipes/teachers writes the features once; training reads them, and the
teacher is needed neither for training nor for listening afterwards.

Source of the idea: Hinton et al., "Distilling the Knowledge in a Neural Network", 2015; matching the
relations within a batch instead of each vector: Tung & Mori, "Similarity-Preserving Knowledge
Distillation", ICCV 2019 (there on unnormalised products, here on cosines).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundalike.errors import RecipeError
from soundalike.model.contrastive_loss import gather
from soundalike.training.pairs import Batch, Clip
from soundalike.training.recipe import TeacherSettings
from soundalike.training.sources import Source

SHRINKAGE = 0.05
"""Share of the mean variance within tracks that every direction is given."""


class TeacherTargets:
    """Looks up what the teacher heard in a clip.

    The features are standardised and turned onto their first `directions` principal components, both
    fitted on the sources given, so that cosines of targets are the cosines a user of the teacher sees.
    With `steady` what the teacher hears change within a recording counts less: directions are divided by
    that power of their deviation there (docs/lab/13-clean-music-and-more-of-it.md). `mixtures` can be asked
    about, too.
    """

    def __init__(
        self,
        settings: TeacherSettings,
        sources: Sequence[Source],
        sample_rate: int,
        mixtures: Sequence[Source] = (),
    ) -> None:
        self.sample_rate, self.spans = sample_rate, settings.spans
        folder = Path(settings.features)
        try:
            layout = json.loads((folder / "layout.json").read_text(encoding="utf-8"))
            self.window, self.hop = float(layout["window_s"]), float(layout["hop_s"])
            spans = [layout["columns"][name] for name in settings.columns.split("+")]
            columns = np.concatenate([np.arange(first, past) for first, past in spans])
            heard, heard_mixed = (_read(folder, pool, columns) for pool in (sources, mixtures))
        except (OSError, ValueError, KeyError) as error:
            raise RecipeError(
                f'teacher.features="{settings.features}" cannot be used: {error!r}'
            ) from None
        if not heard:
            raise RecipeError(f'teacher.features="{settings.features}" knows none of the sources')
        if len(heard_mixed) < len(mixtures):
            raise RecipeError(
                f'teacher.features="{settings.features}" knows {len(heard_mixed)} of the '
                f"{len(mixtures)} mixtures; let recipes/teachers/musicnn_mixtures.py end"
            )
        everything = np.concatenate(list(heard.values()))
        self.directions = min(settings.directions, everything.shape[1])
        mean, std = everything.mean(axis=0), everything.std(axis=0) + 1e-6
        standard = (everything - mean) / std
        _, vectors = np.linalg.eigh(standard.T @ standard)
        turn = vectors[:, ::-1][:, : self.directions] / std[:, None]
        if settings.steady:
            turn = turn @ _steadied([w @ turn for w in heard.values()], settings.steady)
        heard |= heard_mixed
        self.heard = {key: ((w - mean) @ turn).astype(np.float32) for key, w in heard.items()}

    def __call__(self, clip: Clip) -> np.ndarray:
        """What was heard in a clip; NaN for unknown tracks.

        Returns:
            float32 [K], the mean over the windows that lie within the clip; with `spans` float32
            [T, K], what was heard around the middle of each of T equal stretches.
        """
        windows = self.heard.get(clip.source.key)
        if windows is None:
            shape = (self.spans, self.directions) if self.spans else (self.directions,)
            return np.full(shape, np.nan, np.float32)
        start, end = clip.start / self.sample_rate, clip.end / self.sample_rate
        if self.spans:
            return self._in_time(windows, start, end)
        first = int(np.ceil(start / self.hop))
        last = int((end - self.window) / self.hop)
        first = min(first, len(windows) - 1)
        mean: np.ndarray = windows[first : max(last, first) + 1].mean(axis=0)
        return mean

    def _in_time(self, windows: np.ndarray, start: float, end: float) -> np.ndarray:
        middles = start + (np.arange(self.spans) + 0.5) / self.spans * (end - start)
        places = np.clip((middles - self.window / 2) / self.hop, 0, len(windows) - 1)
        lower = places.astype(int)
        upper = np.minimum(lower + 1, len(windows) - 1)
        share = (places - lower)[:, None].astype(np.float32)
        between: np.ndarray = windows[lower] * (1 - share) + windows[upper] * share
        return between


def _steadied(tracks: Sequence[np.ndarray], strength: float) -> np.ndarray:
    """A matrix [K, K] that divides by the deviation within tracks, windows [W, K], to a power.

    Within-class covariance normalisation, the class being the track: Hatch, Kajarekar and Stolcke,
    Interspeech 2006 (there to the full power).
    """
    apart = np.concatenate([windows - windows.mean(axis=0) for windows in tracks])
    if np.allclose(apart, 0, atol=1e-4):  # directions of standardised features vary by about 1
        raise RecipeError(f"teacher.steady={strength}: within no track the teacher hears a change")
    covariance = apart.T @ apart / (len(apart) - len(tracks))
    K = len(covariance)
    # A little of the mean variance is added to all, for there are not many more windows than directions.
    covariance += SHRINKAGE * np.trace(covariance) / K * np.eye(K)
    variances, directions = np.linalg.eigh(covariance)
    matrix: np.ndarray = (directions * variances ** (-strength / 2)) @ directions.T
    return matrix


def _read(folder: Path, sources: Sequence[Source], columns: np.ndarray) -> dict[str, np.ndarray]:
    """Features of the sources that are known there, float32 [W, K0] each."""
    files = {source.key: folder / f"{source.key}.npy" for source in sources}
    return {
        key: np.load(file)[:, columns].astype(np.float32)
        for key, file in files.items()
        if file.exists()
    }


class Student(nn.Module):
    """Loss between what h says and what the teacher heard.

    1 - cos(A h, target), plus `relations` times the mean squared difference between the batch's
    matrices of cosines, of A h and of h itself on the one side and of the targets on the other: the
    second makes h, which is what is kept, arrange music as the teacher does. With `spans` each stretch
    of the view has to answer as well: many more things to learn from the same view, and h is their mean.
    """

    def __init__(self, dimension: int, directions: int, settings: TeacherSettings) -> None:
        super().__init__()
        self.relations, self.spans = settings.relations, settings.spans
        self.answer = nn.Linear(dimension, directions)
        if dimension == directions:  # an h that was fitted to the targets is the answer
            nn.init.eye_(self.answer.weight)
            nn.init.zeros_(self.answer.bias)

    def forward(self, h: Tensor, batch: Batch, in_time: Tensor | None = None) -> Tensor:
        """Loss [] of rows h [masks * 2B, D] of every process; rows whose target is NaN are left out.

        in_time: tokens of each stretch, float32 [masks * 2B, T, D], NaN where there are none; targets
            are [2B, T, K] then.
        """
        target = batch.target.repeat(len(h) // len(batch.target), *[1] * (batch.target.ndim - 1))
        loss = self._whole(gather(h), gather(target.mean(dim=1) if target.ndim == 3 else target))
        return loss if in_time is None else loss + self._each(in_time, target)

    def _whole(self, h: Tensor, target: Tensor) -> Tensor:
        known = ~target[:, 0].isnan()
        if not known.any():
            nothing: Tensor = self.answer(h).sum() * 0
            return nothing
        h, target = h[known].float(), F.normalize(target[known], dim=1)
        answer = F.normalize(self.answer(h), dim=1)
        alone = (1 - (answer * target).sum(dim=1)).mean()
        wanted = target @ target.T
        centred = F.normalize(h - h.mean(dim=0), dim=1)
        together = _off_diagonal(answer @ answer.T - wanted) + _off_diagonal(
            centred @ centred.T - wanted
        )
        loss: Tensor = alone + self.relations * together
        return loss

    def _each(self, in_time: Tensor, target: Tensor) -> Tensor:
        known = ~(target[..., 0].isnan() | in_time[..., 0].isnan())
        if not known.any():
            return in_time.nansum() * 0
        answer = self.answer(in_time[known].float())
        return (1 - F.cosine_similarity(answer, target[known], dim=1)).mean()


def _off_diagonal(difference: Tensor) -> Tensor:
    n = len(difference)
    off = ~torch.eye(n, dtype=torch.bool, device=difference.device)
    return difference[off].square().mean() if n > 1 else difference.sum() * 0
