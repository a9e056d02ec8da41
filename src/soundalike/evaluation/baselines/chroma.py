"""Which of the twelve notes sound, and which follows which, whatever the instruments and the key.

In: a waveform, float32 [T] at 16 kHz. Out: float32 [1, 12] or [1, 144].

    spectrum, 0.4 s a frame ──► 12 pitch classes a frame ──► time mean                      chroma
                                                        └──► pairs half a second apart      chroma-bigrams

Chroma after Fujishima, "Realtime chord recognition of musical sound", ICMC 1999: every bin of the
spectrum counts for the pitch class it lies at, here softly and with its magnitude compressed, so
that a loud bass is not all that is heard. Notes of equal temperament at A = 440 Hz are assumed. Bigrams add
order: entry (i, j) says how much of pitch class i is followed by j; a melody differs there from its
notes in another order.

Transposing by one semitone rolls the pitch classes by one, so two tracks are compared at all twelve
rotations and the best one counts (Serra, Gomez & Herrera 2008, the optimal transposition index).
"""

from __future__ import annotations

import numpy as np

from soundalike.evaluation.baselines.spectral import SAMPLE_RATE, power_spectra

NOTES = 12
WINDOW, TRANSFORM, HOP = 6_400, 8_192, 2_048  # 0.4 s of sound every 0.128 s
LOWEST, HIGHEST = 55.0, 2_000.0  # Hz; above it lie overtones rather than notes
WIDTH = 0.25  # semitones from a note at which a bin counts exp(-1/2)
COMPRESSION = 100.0  # log(1 + 100 m), m a magnitude over the loudest of the track
SILENCE = 1e-3  # of the loudest frame; what is weaker has no notes
STEP = 4  # frames from a note to the one that follows: 0.5 s


def chroma(waveform: np.ndarray) -> np.ndarray:
    """How much each pitch class sounds, C first: float32 [1, 12]; zeros for silence."""
    profile: np.ndarray = pitch_classes(waveform).mean(axis=0, keepdims=True)
    return profile.astype(np.float32)


def chroma_bigrams(waveform: np.ndarray) -> np.ndarray:
    """How much each pitch class is followed by each other half a second later: float32 [1, 144].

    Row by row, from C to C first, from C to C sharp second; they sum to 1, or to 0 for silence.
    """
    notes = pitch_classes(waveform)
    pairs = notes[:-STEP].T @ notes[STEP:]
    shares: np.ndarray = pairs / max(pairs.sum(), 1e-9)
    return shares.reshape(1, -1).astype(np.float32)


def best_rotation(queries: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """Cosine of every query with every track at the best transposition of the twelve: [Q, N], -1..1.

    What a description has on average says nothing about its notes and is taken off first.

    Args:
        queries, tracks: descriptions [Q, 12] and [N, 12], or [Q, 144] and [N, 144].
    """
    rows, columns = _centred(queries), _centred(tracks)
    cube = rows.reshape(len(rows), *[NOTES] * (2 if rows.shape[1] > NOTES else 1))
    axes = tuple(range(1, cube.ndim))
    rotated = (np.roll(cube, (up,) * len(axes), axes).reshape(rows.shape) for up in range(NOTES))
    best: np.ndarray = np.max([each @ columns.T for each in rotated], axis=0)
    return best


def pitch_classes(waveform: np.ndarray) -> np.ndarray:
    """What stands out among the pitch classes of every frame: float64 [F, 12], rows of length 1 or 0."""
    frequency = np.fft.rfftfreq(TRANSFORM, 1 / SAMPLE_RATE)
    heard = (frequency >= LOWEST) & (frequency <= HIGHEST)
    blocks = power_spectra(waveform, WINDOW, HOP, transform=TRANSFORM)
    magnitude = np.concatenate([np.sqrt(power[:, heard], dtype=np.float32) for power in blocks])
    compressed = np.log1p(magnitude * (COMPRESSION / max(float(magnitude.max()), 1e-9)))
    classes = compressed @ _classes_of(frequency[heard])
    loudness = classes.max(axis=1, keepdims=True)
    outstanding = np.maximum(classes - classes.mean(axis=1, keepdims=True), 0)
    outstanding[loudness[:, 0] <= SILENCE * max(float(loudness.max()), 1e-9)] = 0
    length = np.linalg.norm(outstanding, axis=1, keepdims=True)
    return np.asarray(outstanding / np.maximum(length, 1e-9))


def _classes_of(frequency: np.ndarray) -> np.ndarray:
    """How much a bin of a frequency [K] counts for each pitch class: float64 [K, 12]."""
    pitch = 69 + NOTES * np.log2(frequency / 440)  # as in MIDI: 60 is middle C
    apart = (pitch[:, None] - np.arange(NOTES) + NOTES / 2) % NOTES - NOTES / 2
    # A semitone has the more bins the higher it lies; each octave shall count alike.
    weights: np.ndarray = np.exp(-((apart / WIDTH) ** 2) / 2) / frequency[:, None]
    return weights


def _centred(descriptions: np.ndarray) -> np.ndarray:
    """Mean 0 and length 1 each; what is the same everywhere becomes 0."""
    rows = descriptions.astype(np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))
