"""What we must beat: systems without any learning, by the names people type.

    chance            similarities drawn by lot
    mean-log-mel      time mean of 40 log-mel bands
    mfcc              mean and deviation of 20 cepstral coefficients
    mandel-ellis      a Gaussian of 20 cepstral coefficients, symmetric Kullback-Leibler divergence
    mandel-ellis-mp   the same, rescaled by mutual proximity
    chroma            how much each of the twelve notes sounds, in any key
    chroma-bigrams    which note follows which, in any key

spectral.py · gaussian.py · mutual_proximity.py · chroma.py · chance.py say how; measure.py makes systems
of those that bring a measure of their own. An encoder that was never trained, one that learnt
artists and CLMR's own are model folders like any other and need nothing here.

A baseline is a pure function, waveform float32 [T] at 16 kHz -> float32 [1, D]. Plain numbers are entered
in `BASELINES`; they are standardised on the training split and compared by cosine. A measure of its
own is entered in `SYSTEMS`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from soundalike.evaluation.baselines.chance import draw, fingerprint
from soundalike.evaluation.baselines.chroma import best_rotation, chroma, chroma_bigrams
from soundalike.evaluation.baselines.gaussian import (
    gaussian,
    negative_divergence,
    symmetric_divergence,
)
from soundalike.evaluation.baselines.measure import Maker, Reference
from soundalike.evaluation.baselines.spectral import mean_log_mel, mfcc

__all__ = ["BASELINES", "SYSTEMS"]


BASELINES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean-log-mel": mean_log_mel,
    "mfcc": mfcc,
}

SYSTEMS: dict[str, Maker] = {
    each.name: each
    for each in (
        Maker("chance", fingerprint, draw),
        Maker("mandel-ellis", gaussian, negative_divergence),
        Maker("mandel-ellis-mp", gaussian, symmetric_divergence, kind=Reference),
        Maker("chroma", chroma, best_rotation),
        Maker("chroma-bigrams", chroma_bigrams, best_rotation),
    )
}
