"""Sources -> batches of views.

    two clips per source [2B, C]  ->  chain [2B, L]  ->  front end [2B, M, F]

Everything random about step n is drawn from a generator seeded by (seed, n), so a run that stopped
at any step goes on as if it had not, and workers may prepare steps in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from soundalike.audio.augmentations import Chain
from soundalike.audio.segments import cut, draw
from soundalike.training.sources import Source, WaveformCache, as_float


@dataclass(frozen=True, slots=True)
class Plan:
    """How batches are drawn.

    Attributes:
        batch: B, sources per step over all processes.
        steps: steps of the whole run.
        seed: of everything random.
        clip: C, samples per clip.
        same_clip: both views of a recording from one clip.
        arrangement_share: share of a batch that comes from arrangements.
        mixture_share: share of a batch that comes from mixtures.
        rank: number of this process.
        world: number of processes.
    """

    batch: int
    steps: int
    seed: int
    clip: int
    same_clip: bool = False
    arrangement_share: float = 0.0
    mixture_share: float = 0.0
    rank: int = 0
    world: int = 1

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many sources of a batch come from each of `Pools`."""
        arrangements = round(self.arrangement_share * self.batch)
        mixtures = round(self.mixture_share * self.batch)
        return self.batch - arrangements - mixtures, arrangements, mixtures


class Pools(NamedTuple):
    """What batches are drawn from.

    Attributes:
        recordings: two clips from anywhere in one are positives.
        arrangements: groups of renderings; the same place in two of them is a positive pair.
        mixtures: sums of recordings, which only a teacher is asked about.
    """

    recordings: Sequence[Source]
    arrangements: Sequence[Source] = ()
    mixtures: Sequence[Source] = ()


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of one version of a source, in samples; what a view is made of."""

    source: Source
    version: int
    start: int
    end: int


NOT_CONTRASTED = -1
"""In place of the number of a source, which is never negative."""

TargetOf = Callable[[Clip], np.ndarray]
"""What a teacher heard in a clip, float32 [K]."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from; row i and row i + B are the two views of one source.

    Attributes:
        features: float32 [2B, M, F] spectrograms, or [2B, L] waveforms for a network without a front end.
        source: int64 [2B], equal for views of one source; -1 for mixtures, which are not contrasted.
        label: int64 [2B], the artist's class; -1 where there is none.
        target: float32 [2B, K], what the teacher heard there; NaN where it was not asked. K may be 0.
    """

    features: Tensor
    source: Tensor
    label: Tensor
    target: Tensor

    @classmethod
    def of(
        cls,
        features: Tensor | np.ndarray,
        clips: Sequence[Clip],
        *,
        labels: Mapping[str, int],
        target_of: TargetOf | None,
    ) -> Batch:
        """Put a batch together from the features of 2B clips."""
        targets = (
            np.stack([target_of(c) for c in clips]) if target_of else np.empty((len(clips), 0))
        )
        return cls(
            features=torch.as_tensor(features).float(),
            source=torch.tensor(
                [NOT_CONTRASTED if c.source.mixed else number_of(c.source) for c in clips]
            ),
            label=torch.tensor([labels.get(clip.source.artist, -1) for clip in clips]),
            target=torch.from_numpy(targets.astype(np.float32)),
        )

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return Batch(
            *(getattr(self, name).to(device, non_blocking=True) for name in self.__slots__)
        )


def number_of(source: Source) -> int:
    """A number that tells sources apart, the same in every process.

    Not the place in the batch: where one round through the music ends and the next begins, a batch
    may hold a source twice, and its views must not be negatives of each other even then.
    """
    name = source.key.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(name, digest_size=7).digest(), "big")


class ViewMaker:
    """Clips -> views -> features.

    Args:
        chain: augmentations; None leaves the clips as they are.
        front_end: waveforms [B, L] -> features [B, ...].
    """

    def __init__(self, chain: Chain | None, front_end: nn.Module) -> None:
        self.chain, self.front_end = chain, front_end

    @torch.no_grad()
    def __call__(self, clips: Tensor, generator: torch.Generator) -> Tensor:
        """Features of a view of each clip [B, C]."""
        views = self.chain(clips, generator) if self.chain else clips
        features: Tensor = self.front_end(views)
        return features


class Pairs(Dataset[Batch]):
    """Batches by step number, every view made afresh.

    Args:
        pools: the sources.
        labels: artist -> class.
        cache: where waveforms come from.
        prepare: clips float32 [2B, C] and a generator -> features.
        plan: batch size, seed and the like.
        target_of: the teacher, if there is one.
    """

    def __init__(
        self,
        pools: Pools,
        *,
        labels: Mapping[str, int],
        cache: WaveformCache,
        prepare: ViewMaker,
        plan: Plan,
        target_of: TargetOf | None = None,
    ) -> None:
        self.pools = pools
        self.labels, self.cache, self.prepare = labels, cache, prepare
        self.plan, self.target_of = plan, target_of

    def __len__(self) -> int:
        return self.plan.steps

    def __getitem__(self, step: int) -> Batch:
        plan = self.plan
        rng = np.random.default_rng([plan.seed, step])
        chosen = choose(step, self.pools, plan)
        # Clips of the joint batch are drawn alike in every process; each keeps its own rows.
        drawn = [self._draw(rng, source) for source in chosen]
        mine = range(plan.rank, len(chosen), plan.world)
        clips = [drawn[i][view] for view in (0, 1) for i in mine]
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)) + plan.rank)
        features = self.prepare(read_clips(self.cache, clips, plan), generator)
        return Batch.of(features, clips, labels=self.labels, target_of=self.target_of)

    def _draw(self, rng: np.random.Generator, source: Source) -> tuple[Clip, Clip]:
        """Two clips of a source: from anywhere in a recording, from one place in two renderings."""
        C = self.plan.clip
        if len(source.recordings) == 1:
            total = len(self.cache.waveform(source.recordings[0]))
            starts = draw(rng, total, C, count=2).tolist()
            if self.plan.same_clip:
                starts[1] = starts[0]
            first, second = (Clip(source, 0, s, min(s + C, total)) for s in starts)
            return first, second
        share = rng.random()  # the same share of each version is the same music
        clips = []
        for version in rng.choice(len(source.recordings), size=2, replace=False).tolist():
            total = len(self.cache.waveform(source.recordings[version]))
            start = int(share * max(0, total - C))
            clips.append(Clip(source, version, start, min(start + C, total)))
        return clips[0], clips[1]


def choose(step: int, pools: Pools, plan: Plan) -> list[Source]:
    """The sources of a step: each pool is gone through in an order shuffled anew every round."""
    chosen = []
    for salt, (pool, count) in enumerate(zip(pools, plan.counts, strict=True)):
        for i in range(step * count, (step + 1) * count):
            order = np.random.default_rng([plan.seed, salt, i // len(pool)]).permutation(len(pool))
            chosen.append(pool[order[i % len(pool)]])
    return chosen


def read_clips(cache: WaveformCache, clips: Sequence[Clip], plan: Plan) -> Tensor:
    """The sound of clips, float32 [len(clips), C]; shorter recordings are repeated to fill one."""
    rows = []
    for clip in clips:
        samples = cache.waveform(clip.source.recordings[clip.version])
        rows.append(as_float(cut(np.asarray(samples[clip.start : clip.end]), 0, plan.clip)))
    return torch.from_numpy(np.stack(rows))
