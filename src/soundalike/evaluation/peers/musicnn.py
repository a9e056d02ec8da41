"""musicnn (MSD_musicnn): what a tagger's convolutions hear, float32 [1, 1506]; 200 more for a peer beside it.

Jordi Pons and Xavier Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging",
ISMIR 2019 late-breaking demo. The network hears 3 s at a time, here side by side without overlap as by
its default; what is kept is the mean over time of `mean_pool` and of `max_pool`, 753 numbers each, and of
`penultimate`, which musicnn_penultimate.py compares: the network is asked once for both.
Code and weights are ISC-licensed and lie together in its package. Its own `extractor` builds the
network anew for every file, and 0.1.0 repeats the first window's penultimate layer for all windows;
here the network is built once. It runs under its own Python, 3.9 to 3.11, and
imports nothing of this package. `make peers` makes its environment; by hand:

Install: pip install tensorflow-cpu==2.15.1 "numpy<2" "librosa<0.11"; pip install --no-deps musicnn
"""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = "musicnn"
COLUMNS = "0:1506"
MODEL = "MSD_musicnn"
WINDOW = 187  # frames: 3 s, as its extractor counts them
BATCH = 64  # windows answered at once


def main(sounds: str, out: str) -> None:
    """Describe every .wav of a folder into an .npz, by the names of the files."""
    # Its package has the name of this file, whose folder Python looks into first.
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).parent)]
    import numpy as np

    network = load("mean_pool", "max_pool", "penultimate")
    paths = sorted(Path(sounds).glob("*.wav"))
    answers = {}
    for done, path in enumerate(paths, start=1):
        windows = cut(spectrogram(path))
        parts = [network(windows[i : i + BATCH]) for i in range(0, len(windows), BATCH)]
        answers[path.stem] = np.concatenate(parts).mean(axis=0, keepdims=True)
        print(f"done {done}/{len(paths)}", flush=True)
    np.savez(out, **answers)


def load(*layers: str) -> Callable[[Any], Any]:
    """The network with its weights: windows [n, 187, 96] -> the layers side by side [n, D]."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np
    import tensorflow as tf
    from musicnn import configuration, models

    warnings.filterwarnings("ignore", message="`tf.layers", category=UserWarning)
    v1 = tf.compat.v1
    v1.disable_eager_execution()
    with tf.name_scope("model"):  # the names in its checkpoint begin so
        heard = v1.placeholder(tf.float32, [None, WINDOW, configuration.N_MELS])
        training = v1.placeholder(tf.bool)
        *_, mean_pool, max_pool, penultimate = models.define_model(
            heard, training, MODEL, len(configuration.MSD_LABELS)
        )
    named = {"mean_pool": mean_pool, "max_pool": max_pool, "penultimate": penultimate}
    session = v1.Session(
        config=v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    )
    v1.train.Saver().restore(session, f"{Path(models.__file__).parent / MODEL}/")

    def network(windows: Any) -> Any:
        answers = session.run([named[layer] for layer in layers], {heard: windows, training: False})
        return np.concatenate(answers, axis=1)

    return network


def spectrogram(path: Path) -> Any:
    """Its log-mel spectrogram of a file, float32 [F, 96]."""
    import librosa
    import numpy as np
    from musicnn import configuration

    waveform, rate = librosa.load(path, sr=configuration.SR)
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=rate,
        hop_length=configuration.FFT_HOP,
        n_fft=configuration.FFT_SIZE,
        n_mels=configuration.N_MELS,
    ).T
    # It rounds the power to half precision, and scales it in single precision.
    return np.log10(10_000 * power.astype(np.float16).astype(np.float32) + 1)


def cut(frames: Any) -> Any:
    """Windows [n, 187, 96] side by side, the rest left out; a shorter sound is repeated to fill one."""
    import numpy as np

    repeated = np.tile(frames, (-(-WINDOW // len(frames)), 1))
    whole = frames if len(frames) >= WINDOW else repeated
    count = len(whole) // WINDOW
    return whole[: count * WINDOW].reshape(count, WINDOW, -1)


if __name__ == "__main__":
    main(*sys.argv[1:])
