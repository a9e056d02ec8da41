"""musicnn's weights out of its package, for musicnn_features.py: the part that needs its old TensorFlow.

musicnn (Jordi Pons and Xavier Serra, "musicnn: pre-trained convolutional neural networks for music
audio tagging", ISMIR 2019 late-breaking) tags 3 s of music with 50 words. Its code and its weights
are ISC-licensed and lie together in its PyPI package. It wants an old TensorFlow, so it lives in
an environment of its own, never in soundalike's (Python 3.9 to 3.11; `make peers` makes it, too):

    python3 -m venv musicnn-env
    musicnn-env/bin/pip install "tensorflow-cpu==2.15.1" "numpy<2" "librosa<0.11"
    musicnn-env/bin/pip install --no-deps musicnn
    musicnn-env/bin/python recipes/teachers/musicnn_weights.py .cache/teachers/musicnn-weights.npz

Out comes one file: every variable of the network under its own name, the mel filters that librosa
makes for it (`mel_filters`), and what the network itself answers to a few windows (`asked`, `answered`),
so that musicnn_features.py can say how far it is from it.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import librosa
import numpy as np
import tensorflow as tf
from musicnn import configuration, models

MODEL = "MSD_musicnn"  # trained on the Million Song Dataset, the larger of its two
WINDOW_FRAMES = 187  # 3 s of 256-sample hops, as its extractor counts them
ASKED = 16


def answers(windows: np.ndarray, checkpoint: str) -> np.ndarray:
    """What the network makes of windows [n, 187, 96]: mean_pool, max_pool, penultimate, [n, 1706]."""
    tf.compat.v1.disable_eager_execution()
    warnings.filterwarnings("ignore", message="`tf.layers", category=UserWarning)
    with tf.name_scope("model"):  # the names in its checkpoint begin so
        heard = tf.compat.v1.placeholder(tf.float32, [None, *windows.shape[1:]])
        training = tf.compat.v1.placeholder(tf.bool)
        *_, mean_pool, max_pool, penultimate = models.define_model(
            heard, training, MODEL, len(configuration.MSD_LABELS)
        )
    with tf.compat.v1.Session() as session:
        tf.compat.v1.train.Saver().restore(session, checkpoint)
        layers = session.run([mean_pool, max_pool, penultimate], {heard: windows, training: False})
    return np.concatenate(layers, axis=1)


def main(out: str) -> None:
    """Write the weights, the mel filters and the answers to a few windows of noise of all levels."""
    checkpoint = f"{Path(models.__file__).parent / MODEL}/"
    reader = tf.compat.v1.train.NewCheckpointReader(checkpoint)
    names = [name for name in reader.get_variable_to_shape_map() if "Adam" not in name]
    rng = np.random.default_rng(0)
    windows = rng.random((ASKED, WINDOW_FRAMES, configuration.N_MELS)) * rng.uniform(
        0, 4, (ASKED, 1, 1)
    )
    windows = windows.astype(np.float32)
    filters = librosa.filters.mel(
        sr=configuration.SR, n_fft=configuration.FFT_SIZE, n_mels=configuration.N_MELS
    )
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        out,
        mel_filters=filters,
        asked=windows,
        answered=answers(windows, checkpoint),
        **{name: reader.get_tensor(name) for name in names},
    )
    print(f"{len(names)} variables of {MODEL} in {out}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: musicnn_weights.py OUT.npz")
    main(sys.argv[1])
