"""Views made once and drawn from again: for machines where making a view costs more than learning from it.

    slot 0..V-1, rows = every recording   ->   features float16 [rows, M, F], one file per slot

On a CPU the chain and the spectrogram of a 30 s view cost more than the masked transformer spends on
it. A bank holds V views of every recording, each from a place of its own in the track; a step draws
two of them, V (V - 1) / 2 pairs per recording, and the masks differ every time. Slots are drawn from
(seed, slot) alone, so a bank that was cut short is completed, and two runs of one recipe agree.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from soundalike.errors import RecipeError
from soundalike.training.pairs import (
    Batch,
    Clip,
    Plan,
    Pools,
    TargetOf,
    ViewMaker,
    choose,
    read_clips,
)
from soundalike.training.sources import Source, WaveformCache

ROWS_AT_ONCE = 16


class ViewBank:
    """Views of all recordings of some sources.

    Args:
        sources: recordings and groups of renderings.
        cache: where waveforms come from.
        prepare: clips float32 [B, C] and a generator -> features [B, ...].
        plan: clip length and seed.
        views: V, slots.
        folder: where they lie.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        cache: WaveformCache,
        prepare: ViewMaker,
        plan: Plan,
        views: int,
        folder: Path,
    ) -> None:
        self.cache, self.prepare, self.plan = cache, prepare, plan
        self.views, self.folder = views, folder
        self.recordings = [(s, v) for s in sources for v in range(len(s.recordings))]
        self.row = {(s.key, v): row for row, (s, v) in enumerate(self.recordings)}
        self._open: dict[int, np.ndarray] = {}

    def fill(self, *, workers: int, report: Callable[[int, int], None] = lambda *_: None) -> None:
        """Make the slots that are missing; `report` hears how many of how many are there.

        Raises:
            RecipeError: the folder holds views of other recordings under the same names.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._check_contents()
        self._sweep()
        V = self.views
        missing = [slot for slot in range(V) if not self._file(slot).exists()]
        # Several processes of one run each begin with slots of their own, and find the rest made.
        missing.sort(key=lambda slot: slot % self.plan.world != self.plan.rank)
        report(V - len(missing), V)
        if workers < 2:
            for done, slot in enumerate(missing, start=V - len(missing) + 1):
                self._make(slot)
                report(done, V)
            return
        context = get_context("fork")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_alone) as pool:
            for done, _ in enumerate(pool.map(self._make, missing), start=V - len(missing) + 1):
                report(done, V)

    def view(self, source: Source, version: int, slot: int) -> np.ndarray:
        """Features of one view, float16."""
        if slot not in self._open:
            self._open[slot] = np.load(self._file(slot), mmap_mode="r")
        features: np.ndarray = self._open[slot][self.row[source.key, version]]
        return features

    def place(self, source: Source, version: int, slot: int) -> Clip:
        """Where in the recording a view was taken; the same share in all versions of a piece."""
        total = len(self.cache.waveform(source.recordings[version]))
        name = hashlib.blake2b(
            source.key.encode("utf-8", "surrogateescape"), digest_size=8
        ).digest()
        rng = np.random.default_rng([self.plan.seed, slot, int.from_bytes(name, "big")])
        start = int(rng.random() * max(0, total - self.plan.clip))
        return Clip(source, version, start, min(start + self.plan.clip, total))

    def _check_contents(self) -> None:
        digest = hashlib.blake2b(digest_size=16)
        for source, version in self.recordings:
            samples = self.cache.waveform(source.recordings[version])
            # Sixty-four samples and the length tell recordings apart without reading them all.
            digest.update(f"{len(samples)}".encode() + samples[:: len(samples) // 64 + 1].tobytes())
        note = self.folder / "recordings.txt"
        if note.exists() and note.read_text() != digest.hexdigest():
            raise RecipeError(
                f"{self.folder} holds views of other recordings of the same names; delete it"
            )
        partial = self.folder / f"recordings.{_mine(os.getpid())}.txt"
        partial.write_text(digest.hexdigest())
        partial.replace(note)

    def _sweep(self) -> None:
        """Delete what processes that are no more left half written; others may be at work here too."""
        for path in self.folder.glob(f"*.{_mine('*')}.*"):
            try:
                os.kill(int(path.stem.rpartition("-")[2]), 0)
            except ProcessLookupError:
                path.unlink(missing_ok=True)
            except PermissionError:  # it lives, and is another user's
                pass

    def _make(self, slot: int) -> None:
        if self._file(slot).exists():
            return
        # One generator per slot; rows are made in a fixed order and in groups of a fixed size.
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + slot)
        parts = []
        for first in range(0, len(self.recordings), ROWS_AT_ONCE):
            group = self.recordings[first : first + ROWS_AT_ONCE]
            clips = read_clips(self.cache, [self.place(s, v, slot) for s, v in group], self.plan)
            parts.append(self.prepare(clips, generator).half().numpy())
        partial = self.folder / f"{slot:04d}.{_mine(os.getpid())}.npy"
        np.save(partial, np.concatenate(parts))
        partial.replace(self._file(slot))

    def _file(self, slot: int) -> Path:
        return self.folder / f"{slot:04d}.npy"


def _mine(process: int | str) -> str:
    """What a process of this machine calls a file it has not finished; several share a bank."""
    return f"partial-{platform.node()}-{process}"


class BankedPairs(torch.utils.data.Dataset[Batch]):
    """Batches by step number, out of banks; otherwise as `pairs.Pairs`.

    Args:
        pools: the sources.
        banks: of each pool.
        labels: artist -> class.
        plan: batch size, seed and the like.
        target_of: the teacher, if there is one.
    """

    def __init__(
        self,
        pools: Pools,
        banks: tuple[ViewBank, ...],
        *,
        labels: Mapping[str, int],
        plan: Plan,
        target_of: TargetOf | None = None,
    ) -> None:
        self.pools, self.banks = pools, banks
        self.labels, self.plan, self.target_of = labels, plan, target_of

    def __len__(self) -> int:
        return self.plan.steps

    def __getitem__(self, step: int) -> Batch:
        plan = self.plan
        rng = np.random.default_rng([plan.seed, step])
        chosen = choose(step, self.pools, plan)
        pairs = [self._draw(rng, source) for source in chosen]
        mine = range(plan.rank, len(chosen), plan.world)
        rows = [(chosen[i], *pairs[i][view]) for view in (0, 1) for i in mine]
        features = np.stack([self._bank(row[0]).view(*row) for row in rows])
        clips = [self._bank(row[0]).place(*row) for row in rows]
        return Batch.of(features, clips, labels=self.labels, target_of=self.target_of)

    def _bank(self, source: Source) -> ViewBank:
        recordings, arrangements, mixtures = self.banks
        if source.mixed:
            return mixtures
        return arrangements if len(source.recordings) > 1 else recordings

    def _draw(self, rng: np.random.Generator, source: Source) -> list[tuple[int, int]]:
        """Two views of a source: (version, slot)."""
        views = self._bank(source).views
        if len(source.recordings) == 1:
            return [(0, int(slot)) for slot in rng.choice(views, size=2, replace=False)]
        slot = int(rng.integers(views))  # one slot, one place in the music
        versions = rng.choice(len(source.recordings), size=2, replace=False)
        return [(int(version), slot) for version in versions]


def bank_folder(cache: str | Path, parts: object) -> Path:
    """A folder for a bank, named after everything its views depend on (JSON-able `parts`)."""
    text = json.dumps(parts, sort_keys=True)
    return Path(cache) / f"views-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _alone() -> None:
    torch.set_num_threads(1)
