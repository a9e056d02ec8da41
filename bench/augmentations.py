"""Speed of the augmentations: seconds of audio per second, stage by stage and for CLMR's chain.

python bench/augmentations.py [--rows 16] [--seconds 30] [--json PATH]

One thread, views of 30 s at 16 kHz. Each stage acts on every row; the chain tosses its coins. The
clock is the processor time of this process, so that other work on the machine counts for less; the
wall time of the chain is given beside it. When torchaudio-augmentations can be imported, its chain
is measured on the same sound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from record import finish, parser
from soundalike.audio.augmentations import STAGES, Chain

SAMPLE_RATE = 16_000
# CLMR's own chain at 30 s, torchaudio-augmentations 0.2.4, torch 2.1, two busy cores.
PEER_FIGURE = 82


def seconds(action: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Mean processor and wall seconds of one call, after a first that does not count."""
    action()
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        action()
    return (
        (time.process_time() - processor) / repeats,
        (time.perf_counter() - wall) / repeats,
    )


def peer_chain(length: int) -> Callable[[Tensor], Tensor] | None:
    """CLMR's chain as torchaudio-augmentations builds it, for one clip [1, T]; None if absent."""
    try:
        import torchaudio_augmentations as peer  # type: ignore[import-not-found]
    except ImportError:
        return None
    stages = [
        peer.RandomResizedCrop(n_samples=length),
        peer.RandomApply([peer.PolarityInversion()], p=0.8),
        peer.RandomApply([peer.Noise()], p=0.01),
        peer.RandomApply([peer.Gain()], p=0.3),
        peer.HighLowPass(sample_rate=SAMPLE_RATE),
        peer.RandomApply([peer.Delay(sample_rate=SAMPLE_RATE)], p=0.3),
        peer.RandomApply([peer.PitchShift(n_samples=length, sample_rate=SAMPLE_RATE)], p=0.6),
        peer.RandomApply([peer.Reverb(sample_rate=SAMPLE_RATE)], p=0.6),
    ]
    chain: Callable[[Tensor], Tensor] = peer.Compose(transforms=stages)
    return chain


def measure(rows: int, length: int, repeats: int) -> dict[str, dict[str, float]]:
    """Audio-seconds per second of processor and of wall time, for every stage and the chain."""
    rng = torch.Generator().manual_seed(0)
    waveforms = 0.1 * torch.randn(rows, length, generator=rng)
    audio = rows * length / SAMPLE_RATE
    every = Chain.from_settings(
        {name: {} for name in STAGES}, sample_rate=SAMPLE_RATE, length=length
    )
    actions: dict[str, Callable[[], object]] = {
        name: partial(stage, waveforms, rng)
        for name, stage in zip(STAGES, every.stages, strict=True)
    }
    chain = Chain.clmr(SAMPLE_RATE, length=length)
    actions["CLMR's chain"] = partial(chain, waveforms, rng)
    peer = peer_chain(length)
    if peer is not None:
        actions["torchaudio-augmentations"] = lambda: [peer(row[None]) for row in waveforms]
    speeds = {}
    for name, action in actions.items():
        processor, wall = seconds(action, repeats * 3 if name == "CLMR's chain" else repeats)
        speeds[name] = {"processor": audio / processor, "wall": audio / wall}
    return speeds


def as_markdown(figures: dict[str, Any]) -> str:
    """One row per stage, then the chains."""
    speeds = figures["audio_seconds_per_second"]
    lines = [
        f"{figures['rows']} views of {figures['seconds']:g} s at {SAMPLE_RATE} Hz, one thread, torch "
        f"{figures['torch']}.",
        "",
        "| stage | audio-s per processor-s | audio-s per wall-s |",
        "|---|---:|---:|",
        *(f"| {k} | {v['processor']:,.0f} | {v['wall']:,.0f} |" for k, v in speeds.items()),
    ]
    if "torchaudio-augmentations" not in speeds:
        lines += [
            "",
            f"**Not from this run:** torchaudio-augmentations could not be imported; {PEER_FIGURE} "
            "audio-s per wall-s is its chain on 30 s views, measured earlier on two busy cores.",
        ]
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--rows", type=int, default=16, help="examples in a batch")
    options.add_argument("--seconds", type=float, default=30.0, help="length of a view")
    options.add_argument("--repeats", type=int, default=3, help="calls per stage")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    figures = {
        "rows": chosen.rows,
        "seconds": chosen.seconds,
        "torch": torch.__version__,
        "audio_seconds_per_second": measure(
            chosen.rows, round(chosen.seconds * SAMPLE_RATE), chosen.repeats
        ),
    }
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
