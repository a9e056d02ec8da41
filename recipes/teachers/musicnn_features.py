"""What musicnn hears in a collection: features per 3 s window, to distil into our own encoder.

musicnn (Jordi Pons and Xavier Serra, "musicnn: pre-trained convolutional neural networks for music
audio tagging", ISMIR 2019 late-breaking) tags 3 s of music with 50 words. Its code and its weights
are ISC-licensed and lie together in its PyPI package. It wants an old TensorFlow, so it lives in
an environment of its own, never in soundalike's (Python 3.9 to 3.11):

    python3 -m venv musicnn-env
    musicnn-env/bin/pip install "tensorflow-cpu==2.15.1" "numpy<2" "librosa<0.11" av soundfile
    musicnn-env/bin/pip install --no-deps musicnn
    musicnn-env/bin/python recipes/teachers/musicnn_features.py tracks.csv features --split train

SOURCE is a `tracks.csv` (columns `path`, relative to its folder, and `split`) or a folder of music.
Out come, resumably:

    features/<track's path>.npy   float16 [windows, 1706]; window i hears 1.5 i to 1.5 i + 3 seconds
    features/layout.json          window, hop, and each feature's columns as [first, past the end]
    features/failures.tsv         what could not be read: path, reason (rewritten by every run)

The features are musicnn's own `penultimate` (200, after its batch normalisation), `mean_pool` and
`max_pool` (753 each, over the window). Its stock `extractor` builds the network again for every
file and answers one window at a time; here one network answers 64. `FILE --check` prints how far
the two are apart on a file.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import av
import librosa
import numpy as np
import tensorflow as tf
from musicnn import configuration, models

MODEL = "MSD_musicnn"  # trained on the Million Song Dataset, the larger of its two
SAMPLE_RATE = configuration.SR  # 16 kHz
WINDOW_FRAMES = 187  # 3 s of 256-sample hops, as the stock extractor counts them
HOP_SECONDS = 1.5
BATCH = 64
FEATURES = {"penultimate": 200, "mean_pool": 753, "max_pool": 753}
SUFFIXES = {".opus", ".ogg", ".mp3", ".flac", ".wav", ".m4a", ".aac", ".wma", ".aiff"}


class Teacher:
    """musicnn with its graph built once: log-mel windows -> {name: [windows, 200 or 753]}."""

    def __init__(self, *, threads: int) -> None:
        tf.compat.v1.disable_eager_execution()
        warnings.filterwarnings("ignore", message="`tf.layers", category=UserWarning)
        with tf.name_scope("model"):
            self._windows = tf.compat.v1.placeholder(
                tf.float32, [None, WINDOW_FRAMES, configuration.N_MELS]
            )
            self._training = tf.compat.v1.placeholder(tf.bool)
            *_, mean_pool, max_pool, penultimate = models.define_model(
                self._windows, self._training, MODEL, len(configuration.MSD_LABELS)
            )
        self._outputs = {
            "penultimate": penultimate,
            "mean_pool": mean_pool,
            "max_pool": max_pool,
        }
        options = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1
        )
        self._session = tf.compat.v1.Session(config=options)
        weights = Path(models.__file__).parent / MODEL
        tf.compat.v1.train.Saver().restore(self._session, f"{weights}/")

    def features(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the features of windows [windows, 187, 96], float32 [windows, 200 or 753] each."""
        batches = [
            self._session.run(
                self._outputs,
                {self._windows: windows[first : first + BATCH], self._training: False},
            )
            for first in range(0, len(windows), BATCH)
        ]
        return {name: np.concatenate([batch[name] for batch in batches]) for name in FEATURES}


def decode(path: Path) -> np.ndarray:
    """Return a file as float32 [T], 16 kHz mono."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    chunks = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            chunks += [out.to_ndarray()[0] for out in resampler.resample(frame)]
    chunks += [out.to_ndarray()[0] for out in resampler.resample(None)]
    waveform = np.concatenate(chunks).astype(np.float32)
    if not waveform.size or not np.isfinite(waveform).all():
        raise ValueError("no finite samples")
    return waveform


def log_mel(waveform: np.ndarray) -> np.ndarray:
    """Return musicnn's spectrogram, float32 [F, 96], of a waveform [T]."""
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=SAMPLE_RATE,
        hop_length=configuration.FFT_HOP,
        n_fft=configuration.FFT_SIZE,
        n_mels=configuration.N_MELS,
    ).T
    # musicnn rounds the power to half precision. The scaling is back in single precision, as NumPy 1
    # promotes it there unasked; in half precision, where NumPy 2 stays, loud music overflows.
    return np.log10(10_000 * power.astype(np.float16).astype(np.float32) + 1)


def cut_windows(spectrogram: np.ndarray) -> np.ndarray:
    """Return windows [windows, 187, 96], one each 1.5 s; a track too short for one is repeated."""
    if len(spectrogram) < WINDOW_FRAMES:
        spectrogram = np.tile(spectrogram, (-(-WINDOW_FRAMES // len(spectrogram)), 1))
    frames_per_hop = HOP_SECONDS * SAMPLE_RATE / configuration.FFT_HOP
    count = int((len(spectrogram) - WINDOW_FRAMES) / frames_per_hop) + 1
    starts = np.round(np.arange(count) * frames_per_hop).astype(int)
    starts = starts[starts + WINDOW_FRAMES <= len(spectrogram)]
    return np.stack([spectrogram[start : start + WINDOW_FRAMES] for start in starts])


def read_windows(path: Path) -> np.ndarray | Exception:
    """Return a file's windows, or what went wrong with it: one bad file must not end the run."""
    try:
        return cut_windows(log_mel(decode(path)))
    except Exception as error:
        return error


def find_tracks(source: Path, splits: list[str]) -> tuple[Path, list[str]]:
    """Return the root folder and the tracks' paths below it, in the order of the splits asked."""
    if source.is_dir():
        names = (path.relative_to(source) for path in source.rglob("*"))
        return source, sorted(name.as_posix() for name in names if name.suffix.lower() in SUFFIXES)
    with source.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    chosen = splits or sorted({row["split"] for row in rows})
    return source.parent, [row["path"] for split in chosen for row in rows if row["split"] == split]


def read_ahead(root: Path, names: list[str]) -> Iterator[tuple[str, np.ndarray | Exception]]:
    """Yield each track's windows while the next track is already being decoded."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead = None
        for name in names:
            coming = reader.submit(read_windows, root / name)
            if ahead is not None:
                yield ahead[0], ahead[1].result()
            ahead = name, coming
        if ahead is not None:
            yield ahead[0], ahead[1].result()


def save(path: Path, features: dict[str, np.ndarray]) -> None:
    """Write one track's features in one step, so that an interrupted run leaves no half file."""
    columns = np.concatenate([features[name] for name in FEATURES], axis=1)
    if not np.isfinite(columns).all() or np.abs(columns).max() > np.finfo(np.float16).max:
        raise ValueError("features are not finite in half precision")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        np.save(file, columns.astype(np.float16))
    unfinished.replace(path)


def describe(out: Path) -> None:
    """Write layout.json: what the rows and columns of the arrays mean."""
    edges = np.cumsum([0, *FEATURES.values()]).tolist()
    columns = {name: [edges[i], edges[i + 1]] for i, name in enumerate(FEATURES)}
    layout = {"model": MODEL, "licence": "ISC", "window_s": 3.0, "hop_s": HOP_SECONDS}
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**layout, "dtype": "float16", "columns": columns}, indent=2)
    (out / "layout.json").write_text(text + "\n", encoding="utf-8")


def extract(source: Path, out: Path, *, splits: list[str], threads: int) -> int:
    """Write the features of every track not yet done; return how many tracks failed."""
    root, names = find_tracks(source, splits)
    todo = [name for name in names if not (out / f"{name}.npy").exists()]
    print(f"{len(names)} tracks, {len(names) - len(todo)} of them done already", flush=True)
    describe(out)
    teacher = Teacher(threads=threads)
    failures, begun = [], time.monotonic()
    for done, (name, windows) in enumerate(read_ahead(root, todo), start=1):
        try:
            if isinstance(windows, Exception):
                raise windows
            save(out / f"{name}.npy", teacher.features(windows))
        except Exception as error:
            failures.append(f"{name}\t{type(error).__name__}: {error}")
            print(f"failed: {failures[-1]}", file=sys.stderr, flush=True)
        if done % 20 == 0 or done == len(todo):
            print(f"{done}/{len(todo)} in {time.monotonic() - begun:.0f} s", flush=True)
    (out / "failures.tsv").write_text("".join(f"{line}\n" for line in failures), encoding="utf-8")
    return len(failures)


def check(path: Path, *, threads: int) -> None:
    """Print how far our features are from the stock extractor's, on the windows it chooses."""
    teacher = Teacher(threads=threads)
    ours = {}
    for decoder, waveform in (
        ("librosa", librosa.load(path, sr=SAMPLE_RATE)[0]),  # as the extractor decodes
        ("PyAV", decode(path)),
    ):
        spectrogram = log_mel(waveform)
        starts = range(0, len(spectrogram) - WINDOW_FRAMES + 1, WINDOW_FRAMES)
        windows = np.stack([spectrogram[start : start + WINDOW_FRAMES] for start in starts])
        ours[decoder] = teacher.features(windows)
    from musicnn.extractor import extractor  # resets the graph, so only after ours has answered

    _, _, theirs = extractor(str(path), model=MODEL, input_length=3, extract_features=True)
    for decoder, name in itertools.product(ours, FEATURES):
        # musicnn 0.1.0 repeats the first window's penultimate for every window: compare that one.
        count = 1 if name == "penultimate" else min(len(ours[decoder][name]), len(theirs[name]))
        apart = np.abs(ours[decoder][name][:count] - theirs[name][:count])
        print(
            f"decoded by {decoder}, {name}, {count} windows: at most {apart.max():.1e} apart, "
            f"on average {apart.mean():.1e} (values up to {np.abs(theirs[name]).max():.1f})"
        )


def main() -> int:
    """Read the command line; exit 0 when every track has its features, 1 when some failed."""
    parser = argparse.ArgumentParser(description="musicnn features of a collection")
    parser.add_argument("source", type=Path, help="a tracks.csv or a folder")
    parser.add_argument("out", type=Path, nargs="?", help="the folder to write to")
    parser.add_argument("--split", action="append", default=[], help="of tracks.csv; repeatable")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="compare SOURCE, one file, and stop")
    given = parser.parse_args()
    if given.check:
        check(given.source, threads=given.threads)
        return 0
    if given.out is None:
        parser.error("OUT is missing: the folder to write the features to")
    return int(extract(given.source, given.out, splits=given.split, threads=given.threads) > 0)


if __name__ == "__main__":
    sys.exit(main())
