"""What musicnn hears in a collection: features per 3 s window, to distil into our own encoder.

musicnn_weights.py, which runs once in an environment of musicnn's own, says what musicnn is and
writes its weights. The network itself is done here again, and nine filters in ten are left out of it, because
they say the same of all music: that takes a core a tenth of the time that TensorFlow takes, or less.

    python recipes/teachers/musicnn_features.py WEIGHTS.npz --check
    python recipes/teachers/musicnn_features.py WEIGHTS.npz tracks.csv .cache/teachers/musicnn --split train

musicnn hears how loud music is, our encoders do not: with `--level -20` every 30 s are brought to that level
before, and it says nothing that a student could not know. The collection is a `tracks.csv` (columns `path`,
relative to its folder, and `split`) or a folder of music. Out come, resumably:

    features/<track's path>.npy   float16 [windows, 1706]; window i hears 3 i to 3 i + 3 seconds
    features/layout.json          window, hop, and each feature's columns as [first, past the end]
    features/failures.tsv         what could not be read: path, reason (rewritten by every run)

The features are musicnn's `mean_pool` and `max_pool` (753 each, over the window) and its `penultimate`
(200, after its batch normalisation).
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from soundalike.audio.endings import AUDIO_EXTENSIONS
from soundalike.audio.melspectrogram import QUIETEST
from soundalike.audio.waveform import load_audio

SAMPLE_RATE = 16_000
FFT_SIZE, FFT_HOP = 512, 256
WINDOW_FRAMES = 187  # 3 s, as its extractor counts them
HOP_SECONDS = 3.0
FEATURES = {"mean_pool": 753, "max_pool": 753, "penultimate": 200}
TIMBRAL = (0, 1)  # numbers of its convolutions: tall filters, 7 frames long
TEMPORAL = (2, 3, 4)  # filters of one band, 128, 64 and 32 frames long
IN_TIME = (5, 6, 7)  # over all channels, 7 frames long
NOTHING = 1e-3  # sum of a kernel's absolute weights below which its answer is its bias, to 0.005
TOGETHER = 8  # windows at a time: what the filters answer to them is 70 MB
EPSILON = 1e-3  # of its batch normalisations
LEVEL_SECONDS = 30  # that are brought to one level: a segment of our encoders, and ten hops


class Teacher:
    """musicnn's network on windows of 3 s; weights under the names of its checkpoint.

    Of its 561 filters 63 are left: the kernels of the others have been driven to nothing, and whatever is
    played, they say the same. Those are not asked.
    """

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = {name: torch.from_numpy(value) for name, value in weights.items()}

    @torch.no_grad()
    def features(self, windows: np.ndarray) -> np.ndarray:
        """Features of windows [n, 187, 96], float32 [n, 1706]."""
        parts = [windows[i : i + TOGETHER] for i in range(0, len(windows), TOGETHER)]
        return np.concatenate([self._windows(torch.from_numpy(part)).numpy() for part in parts])

    def _windows(self, log_mel: Tensor) -> Tensor:
        scale, shift = self.normalisation(0)
        x = log_mel * scale + shift
        layers = [torch.cat([self._tallest(x, i) for i in (*TIMBRAL, *TEMPORAL)], dim=1)]
        for i in IN_TIME:  # [n, 561, 187], then 64 channels each
            layer = self._middle(layers[-1], i)
            layers.append(layer if i == IN_TIME[0] else layer + layers[-1])
        everything = torch.cat(layers, dim=1)  # [n, 753, 187]
        most, mean = everything.amax(dim=2), everything.mean(dim=2)
        scale, shift = self.normalisation(9)
        both = torch.stack([most, mean], dim=2).flatten(1) * scale + shift
        dense = F.relu(both @ self.weights["dense/kernel"] + self.weights["dense/bias"])
        scale, shift = self.normalisation(10)
        return torch.cat([mean, most, dense * scale + shift], dim=1)

    def _tallest(self, x: Tensor, i: int) -> Tensor:
        """Convolution i of [n, frames, bands], rectified, normalised, its maximum over the bands.

        Rectifying and normalising are monotonous, so the maximum is taken first, or the minimum where
        the normalisation turns a channel round.
        """
        bias = self.weights[convolution(i, "bias")]
        live = self.weights[convolution(i, "kernel")].abs().sum(dim=(0, 1, 2)) > NOTHING
        answers = self.answers(x, i, live)
        scale, shift = self.normalisation(i + 1)
        turned = (scale[live] < 0)[:, None]
        outermost = torch.zeros(len(x), len(bias), x.shape[1])
        outermost[:, live] = torch.where(turned, answers.amin(dim=3), answers.amax(dim=3))
        return F.relu(outermost + bias[:, None]) * scale[:, None] + shift[:, None]

    def answers(self, x: Tensor, i: int, channels: Tensor) -> Tensor:
        """Some of convolution i of [n, frames, bands], bias left out: [n, channels, frames, places]."""
        kernel = self.weights[convolution(i, "kernel")]
        wide = F.pad(x, (0, 0, (len(kernel) - 1) // 2, len(kernel) // 2))
        return F.conv2d(wide[:, None], kernel[..., channels].permute(3, 2, 0, 1))

    def in_time(self, x: Tensor, i: int) -> Tensor:
        """Convolution i over time, of all channels [..., C, frames], as it answers."""
        kernel = self.weights[convolution(i, "kernel")].squeeze(2).permute(2, 1, 0)
        return F.conv1d(x, kernel, self.weights[convolution(i, "bias")], padding=3)

    def _middle(self, x: Tensor, i: int) -> Tensor:
        """The same rectified and normalised."""
        scale, shift = self.normalisation(i + 1)
        return F.relu(self.in_time(x, i)) * scale[:, None] + shift[:, None]

    def normalisation(self, i: int) -> tuple[Tensor, Tensor]:
        """Batch normalisation i as a factor and a summand."""
        name = "batch_normalization" + (f"_{i}" if i else "")
        gamma, beta, mean, variance = (
            self.weights[f"{name}/{part}"]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        scale = gamma / (variance + EPSILON).sqrt()
        return scale, beta - mean * scale


def convolution(i: int, part: str) -> str:
    """The name of the kernel or the bias of convolution i."""
    return f"conv2d_{i}/{part}" if i else f"conv2d/{part}"


def log_mel(waveform: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """musicnn's spectrogram, float32 [F, 96], of a waveform [T]; `filters` are [96, 257]."""
    spectrum = torch.stft(
        torch.from_numpy(waveform),
        FFT_SIZE,
        FFT_HOP,
        window=torch.hann_window(FFT_SIZE),
        pad_mode="constant",
        return_complex=True,
    )
    power = (torch.from_numpy(filters) @ spectrum.abs().square()).T
    # It rounds the power to half precision, and scales it in single precision.
    frames: np.ndarray = torch.log10(10_000 * power.half().float() + 1).numpy()
    return frames


def levelled(waveform: np.ndarray, level: float | None) -> np.ndarray:
    """A waveform [T] whose every 30 s have a level, dBFS of their root mean square; None: as it is."""
    if level is None:
        return waveform
    parts = []
    for first in range(0, len(waveform), LEVEL_SECONDS * SAMPLE_RATE):
        part = waveform[first : first + LEVEL_SECONDS * SAMPLE_RATE]
        rms = max(float(np.sqrt(np.mean(np.square(part)))), QUIETEST)
        parts.append(part * np.float32(10 ** (level / 20) / rms))
    return np.concatenate(parts)


def cut_windows(frames: np.ndarray) -> np.ndarray:
    """Windows [n, 187, 96], one every 3 s; a track too short for one is repeated."""
    if len(frames) < WINDOW_FRAMES:
        frames = np.tile(frames, (-(-WINDOW_FRAMES // len(frames)), 1))
    per_hop = HOP_SECONDS * SAMPLE_RATE / FFT_HOP
    count = int((len(frames) - WINDOW_FRAMES) / per_hop) + 1
    starts = np.round(np.arange(count) * per_hop).astype(int)
    return np.stack([frames[start : start + WINDOW_FRAMES] for start in starts])


@dataclass(frozen=True)
class Job:
    """One track."""

    weights: Path
    track: Path
    out: Path
    level: float | None


def extract(job: Job) -> str | None:
    """Write a track's features in one step; what went wrong with it, if anything did."""
    torch.set_num_threads(1)
    weights = dict(np.load(job.weights))
    try:
        waveform = levelled(load_audio(job.track, sample_rate=SAMPLE_RATE), job.level)
        windows = cut_windows(log_mel(waveform, weights["mel_filters"]))
        write(job.out, halved(Teacher(weights).features(windows)))
    except Exception as error:  # one bad file must not end the run
        return f"{type(error).__name__}: {error}"
    return None


def halved(features: np.ndarray) -> np.ndarray:
    """Features as they are kept, float16; raises ValueError where that holds no number for one."""
    kept: np.ndarray = features.astype(np.float16)
    if not np.isfinite(kept).all():
        raise ValueError("features are not finite in half precision")
    return kept


def write(path: Path, array: np.ndarray) -> None:
    """Write an array whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npy")
    np.save(partial, array)
    partial.replace(path)


def find_tracks(source: Path, splits: list[str]) -> tuple[Path, list[str]]:
    """The root folder and the tracks' paths below it, in the order of the splits asked."""
    if source.is_dir():
        names = (path.relative_to(source) for path in source.rglob("*"))
        return source, sorted(n.as_posix() for n in names if n.suffix.lower() in AUDIO_EXTENSIONS)
    with source.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    chosen = splits or sorted({row["split"] for row in rows})
    return source.parent, [row["path"] for split in chosen for row in rows if row["split"] == split]


def describe(out: Path, level: float | None) -> str:
    """Write layout.json, what the rows and columns of the arrays mean; why that cannot be, or ""."""
    edges = np.cumsum([0, *FEATURES.values()]).tolist()
    columns = {name: [edges[i], edges[i + 1]] for i, name in enumerate(FEATURES)}
    layout = {"model": "MSD_musicnn", "licence": "ISC", "window_s": 3.0, "hop_s": HOP_SECONDS}
    layout |= {"level": level, "dtype": "float16", "columns": columns}
    note = out / "layout.json"
    if note.exists():
        heard = json.loads(note.read_text(encoding="utf-8")).get("level")
        if heard != level:
            return f"{out} holds features of level {heard}, not of {level}; name another folder"
    out.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(layout, indent=2) + "\n", encoding="utf-8")
    return ""


def run(
    weights: Path,
    source: Path,
    out: Path,
    *,
    splits: list[str],
    level: float | None,
    jobs: int,
) -> int:
    """Write the features of every track not yet done; return how many tracks failed."""
    root, names = find_tracks(source, splits)
    todo = [name for name in names if not (out / f"{name}.npy").exists()]
    print(f"{len(names)} tracks, {len(names) - len(todo)} of them done already", flush=True)
    work = [Job(weights, root / name, out / f"{name}.npy", level) for name in todo]
    failures, begun = [], time.monotonic()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for done, (name, wrong) in enumerate(zip(todo, pool.map(extract, work), strict=True), 1):
            if wrong:
                failures.append(f"{name}\t{wrong}")
                print(f"failed: {failures[-1]}", file=sys.stderr, flush=True)
            if done % 20 == 0 or done == len(todo):
                spent = time.monotonic() - begun
                left = spent / done * (len(todo) - done)
                print(f"{done}/{len(todo)} in {spent:.0f} s, {left:.0f} s left", flush=True)
    (out / "failures.tsv").write_text("".join(f"{line}\n" for line in failures), encoding="utf-8")
    return len(failures)


def check(weights: Path) -> None:
    """Print how far the network done here is from musicnn's own, on the windows it was asked."""
    known = dict(np.load(weights))
    begun = time.process_time()
    mine, theirs = Teacher(known).features(known["asked"]), known["answered"]
    spent = (time.process_time() - begun) / len(mine)
    first = 0
    for name, width in FEATURES.items():
        a, b = mine[:, first : first + width], theirs[:, first : first + width]
        first += width
        print(
            f"{name}: at most {np.abs(a - b).max():.2g} apart, values up to {np.abs(b).max():.3g}, "
            f"correlation {np.corrcoef(a.ravel(), b.ravel())[0, 1]:.6f}"
        )
    print(f"{1000 * spent:.0f} ms of processor time a window")


def main() -> int:
    """Read the command line; exit 0 when every track has its features, 1 when some failed."""
    parser = argparse.ArgumentParser(description="musicnn features of a collection")
    parser.add_argument("weights", type=Path, help="written by musicnn_weights.py")
    parser.add_argument("source", type=Path, nargs="?", help="a tracks.csv or a folder")
    parser.add_argument("out", type=Path, nargs="?", help="the folder to write to")
    parser.add_argument("--split", action="append", default=[], help="of tracks.csv; repeatable")
    parser.add_argument(
        "--level", type=float, help="dBFS to bring every 30 s to; without it they are as they are"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--check", action="store_true", help="compare with musicnn itself, and stop"
    )
    given = parser.parse_args()
    if given.check:
        check(given.weights)
        return 0
    if given.out is None:
        parser.error("SOURCE and OUT are missing: the music, and the folder to write to")
    if reason := describe(given.out, given.level):
        parser.error(reason)
    failed = run(
        given.weights,
        given.source,
        given.out,
        splits=given.split,
        level=given.level,
        jobs=given.jobs,
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
