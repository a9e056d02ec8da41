"""What musicnn hears in music that nobody made: recordings played together, faster or slower.

A few hundred recordings do not show a student all that its teacher knows. Asked about sums of two of
them, and about single ones at another speed, the teacher answers for music that no one recorded, as
much of it as there is time for. With `--renderings` a part of a mixture may be a rendered score, too.

    python recipes/teachers/musicnn_mixtures.py WEIGHTS.npz tracks.csv .cache/mixtures .cache/teachers/musicnn

musicnn_weights.py says where the weights come from. Of the collection, a `tracks.csv` or a folder as
recipes name it, only the split "train" is touched. Out come, resumably:

    mixtures/<number>.npy             int16 [T], 16 kHz mono
    mixtures/made.json                seed, length, sources: other mixtures want another folder
    features/mixtures/<number>.npy    as musicnn_features.py writes them, under the name of the folder

Source of the idea: Beyer et al., "Knowledge distillation: A good teacher is patient and consistent",
CVPR 2022 (section 3: teacher and student see the same mixed images, for long).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from musicnn_features import (
    SAMPLE_RATE,
    Teacher,
    cut_windows,
    describe,
    halved,
    levelled,
    log_mel,
    write,
)

from soundalike.audio.pitch_shift import resample
from soundalike.audio.segments import cut
from soundalike.training.sources import (
    Source,
    WaveformCache,
    as_float,
    mixtures_name,
    read_arrangements,
    read_sources,
)

TOGETHER = 2 / 3  # share of mixtures that hold two recordings; the others hold one
SEMITONES = 4.0  # the most a recording is sped up or slowed down, and its pitch with it
RENDERED = 1 / 2  # share of a mixture's parts that are renderings, where there are any
LEVEL_DB = 9.0  # the most by which the second recording is softer than the first
SILENCE = 1e-4  # RMS below which a recording has no level to be mixed by


def choose(rng: np.random.Generator, sources: list[Source], renderings: list[Source]) -> list[Path]:
    """The one or two recordings of a mixture, of a source each."""
    count = 2 if rng.random() < TOGETHER else 1
    chosen = [sources[i].recordings[0] for i in rng.choice(len(sources), count, replace=False)]
    if renderings:
        for i, piece in enumerate(rng.choice(len(renderings), count, replace=False)):
            versions = renderings[piece].recordings
            if rng.random() < RENDERED:
                chosen[i] = versions[rng.integers(len(versions))]
    return chosen


@dataclass(frozen=True)
class Job:
    """One mixture to make and to ask about."""

    number: int
    seed: int
    seconds: float
    level: float | None
    cache: Path
    waveform: Path
    features: Path


def mix(waveforms: list[np.ndarray], rng: np.random.Generator, length: int) -> np.ndarray:
    """One or two recordings, float32 [T] each, from anywhere in them -> one of float32 [length]."""
    whole = np.zeros(length, np.float32)
    loudness = 0.0
    for waveform in waveforms:
        speed = 2 ** (rng.uniform(-SEMITONES, SEMITONES) / 12)
        needed = int(length * speed) + 2 * SAMPLE_RATE // 100
        start = int(rng.random() * max(0, len(waveform) - needed))
        clip = torch.from_numpy(cut(waveform[start : start + needed], 0, needed))
        part = resample(clip, speed)[0].numpy()[:length]
        rms = float(np.sqrt(np.mean(np.square(part))))
        level = 10 ** (-rng.uniform(0, LEVEL_DB) / 20)
        if loudness and rms > SILENCE:
            part = part * (level * loudness / rms)
        whole[: len(part)] += part
        loudness = loudness or (rms if rms > SILENCE else 0.0)
    return whole / max(1.0, float(np.abs(whole).max()))


def make(job: Job) -> str | None:
    """Write a mixture and its features, each in one step; what went wrong, if anything did."""
    torch.set_num_threads(1)
    try:
        rng = np.random.default_rng([job.seed, job.number])
        cache = WaveformCache(job.cache, SAMPLE_RATE)
        parts = choose(rng, _sources, _renderings)
        waveforms = [as_float(cache.waveform(part)) for part in parts]
        mixture = mix(waveforms, rng, round(job.seconds * SAMPLE_RATE))
        samples = np.round(mixture * 32767).astype(np.int16)
        heard = levelled(as_float(samples), job.level)
        windows = cut_windows(log_mel(heard, _teacher.weights["mel_filters"].numpy()))
        write(job.features, halved(_teacher.features(windows)))
        write(job.waveform, samples)
    except Exception as error:  # one bad recording must not end the run
        return f"mixture {job.number}: {type(error).__name__}: {error}"
    return None


def _made_otherwise(given: argparse.Namespace, sources: list[str]) -> str:
    """Why the mixtures in a folder are not those asked for; "" if they are, or there are none yet."""
    keys = hashlib.sha256("\n".join(sources).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    wanted = {"seed": given.seed, "seconds": given.seconds, "sources": keys}
    note = given.mixtures / "made.json"
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(wanted) + "\n", encoding="utf-8")
    made = json.loads(note.read_text(encoding="utf-8"))
    if made == wanted:
        return ""
    return (
        f"{given.mixtures} holds mixtures made with {made}, not with {wanted}; name another folder"
    )


def _begin(weights: Path, sources: list[Source], renderings: list[Source]) -> None:
    """What a process reads once for all of its mixtures."""
    global _teacher, _sources, _renderings
    _teacher, _sources, _renderings = Teacher(dict(np.load(weights))), sources, renderings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Mixtures of a collection, and what musicnn hears")
    parser.add_argument("weights", type=Path, help="written by musicnn_weights.py")
    parser.add_argument("source", type=Path, help="a tracks.csv or a folder")
    parser.add_argument("mixtures", type=Path, help="folder to write the mixtures to")
    parser.add_argument("features", type=Path, help="folder of the features of musicnn_features.py")
    parser.add_argument(
        "--renderings", type=Path, help="index.json of render_scores.py, to mix with the recordings"
    )
    parser.add_argument("--level", type=float, help="as musicnn_features.py was told")
    parser.add_argument("--count", type=int, default=1400, help="how many mixtures")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/waveforms"), help="decoded music"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    return parser


def main() -> int:
    """Read the command line; exit 0 when every mixture is there, 1 when some could not be made."""
    parser = _parser()
    given = parser.parse_args()
    sources, failed = WaveformCache(given.cache, SAMPLE_RATE).fill(
        read_sources(given.source, "train")
    )
    for error in failed:
        print(f"left out: {error}", file=sys.stderr, flush=True)
    if len(sources) < 2:
        parser.error(f"{given.source} has {len(sources)} usable recordings; a mixture takes two")
    renderings = read_arrangements(given.renderings) if given.renderings else []
    if reason := describe(given.features, given.level):
        parser.error(reason)
    if reason := _made_otherwise(given, [source.key for source in (*sources, *renderings)]):
        parser.error(reason)
    jobs = [
        Job(
            number=number,
            seed=given.seed,
            seconds=given.seconds,
            level=given.level,
            cache=given.cache,
            waveform=given.mixtures / f"{number:04d}.npy",
            features=given.features / mixtures_name(given.mixtures) / f"{number:04d}.npy",
        )
        for number in range(given.count)
    ]
    todo = [job for job in jobs if not (job.waveform.exists() and job.features.exists())]
    print(f"{len(jobs)} mixtures, {len(jobs) - len(todo)} of them made already", flush=True)
    wrong, begun = 0, time.monotonic()
    with ProcessPoolExecutor(
        given.jobs,
        get_context("spawn"),
        initializer=_begin,
        initargs=(given.weights, sources, renderings),
    ) as pool:
        for done, reason in enumerate(pool.map(make, todo), 1):
            if reason:
                wrong += 1
                print(reason, file=sys.stderr, flush=True)
            if done % 50 == 0 or done == len(todo):
                spent = time.monotonic() - begun
                left = spent / done * (len(todo) - done)
                print(f"{done}/{len(todo)} in {spent:.0f} s, {left:.0f} s left", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
