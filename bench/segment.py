"""What a segment costs: an encoder's answer to 30 s of sound, spectrograms included, decoding not.

python bench/segment.py [MODEL ...] [--rounds 9] [--json PATH]

MODEL is a shipped encoder's name or a model folder; all that ship if none is named. Of real music, each
in three ways: one segment at a time on one thread, the same on two threads, and as `soundalike index`
does it, two at a time on a thread each. One round asks every model in every way, one after the other, so
that they share what the machine is busy with; what is given is the median over the rounds.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from record import finish, music, parser
from soundalike.audio.segments import cut
from soundalike.audio.waveform import load_audio
from soundalike.embedder import Embedder, shipped_models

SEGMENTS = 6  # asked in each round, of as many recordings
WAYS = {
    "alone": "one thread",
    "two_threads": "two threads",
    "two_jobs": "two at a time, a thread each",
}


class Asked:
    """An encoder with sessions for every way, and the milliseconds of a segment in each round."""

    def __init__(self, model: str, folder: Path | None) -> None:
        self.embedders = {"alone": Embedder(model), "two_threads": Embedder(model, threads=2)}
        self.took: dict[str, list[float]] = {way: [] for way in WAYS}
        self.segments = heard(self.embedders["alone"], folder)
        self.size = (self.embedders["alone"].folder / "model.onnx").stat().st_size

    @property
    def name(self) -> str:
        """Its identity."""
        return self.embedders["alone"].identity

    def round(self) -> None:
        """Ask it in every way."""
        segments = self.segments
        for way in ("alone", "two_threads"):
            began = time.perf_counter()
            for segment in segments:
                self.embedders[way].embed_segments(segment[None])
            self._took(way, began, len(segments))
        one = self.embedders["alone"]
        with ThreadPoolExecutor(2) as jobs:
            began = time.perf_counter()
            list(jobs.map(lambda segment: one.embed_segments(segment[None]), segments))
            self._took("two_jobs", began, len(segments))

    def _took(self, way: str, began: float, segments: int) -> None:
        self.took[way].append((time.perf_counter() - began) * 1000 / segments)


def heard(embedder: Embedder, folder: Path | None) -> np.ndarray:
    """The first segment of some recordings, float32 [S, L]."""
    rate, seconds = embedder.sample_rate, embedder.segment_length
    waveforms = (load_audio(path, sample_rate=rate) for path in music(folder, SEGMENTS))
    return np.stack([cut(waveform, 0, round(seconds * rate)) for waveform in waveforms])


def as_markdown(figures: dict[str, Any]) -> str:
    head = "| encoder | " + " | ".join(WAYS.values()) + " | numbers | model.onnx |"
    lines = [
        f"| {one['model']} | "
        + " | ".join(f"{median(one['ms'][way]):.0f} ms" for way in WAYS)
        + f" | {one['numbers']} | {one['bytes'] / 1e6:.1f} MB |"
        for one in figures["models"]
    ]
    return "\n".join(
        [
            f"Milliseconds of the clock for a segment, spectrograms included; medians of "
            f"{figures['rounds']} rounds of {figures['segments']} segments.\n",
            head,
            "|---" + "|---:" * (head.count("|") - 2) + "|",
            *lines,
        ]
    )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("model", nargs="*", help="default: all that ship")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--music", type=Path, help="a folder; default: the validation split")
    chosen = options.parse_args()
    asked = [Asked(name, chosen.music) for name in chosen.model or shipped_models()]
    for one in asked:  # a first answer prepares memory that the next ones find there
        one.round()
        one.took = {way: [] for way in WAYS}
    for _ in range(chosen.rounds):
        for one in asked:
            one.round()
    figures = {
        "rounds": chosen.rounds,
        "segments": SEGMENTS,
        "models": [
            {
                "model": one.name,
                "ms": one.took,
                "numbers": one.embedders["alone"].dimension,
                "bytes": one.size,
            }
            for one in asked
        ],
    }
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
