"""Which recordings of a set are the same one: copied, encoded again, trimmed, louder or quieter.

    waveform -> fingerprint: 32 bits every 12 ms -> equal values vote for an alignment of two tracks
             -> share of the shorter track where the bits agree -> groups

An evaluation that holds a recording twice marks the right answer wrong, and one that holds a training
recording measures memory. Names and bytes do not tell; what is heard does. The fingerprint is that of
Haitsma & Kalker, "A highly robust audio fingerprinting system", ISMIR 2002, section 4: a bit says
whether the difference in energy between two neighboring bands grows. Loudness cancels out, coding
flips some bits. Another tempo, pitch or performance is another recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from soundalike.audio.waveform import load_audio
from soundalike.evaluation.tasks.recordings import Recording

SAMPLE_RATE = 5_512
"""Hz; the fingerprint hears nothing above 2 kHz."""

FRAME = 2048  # samples at that rate: 0.37 s
HOP = 64  # samples at that rate: 12 ms. Frames overlap so far that two grids never disagree by much
BANDS = 33  # one more than bits
LOWEST, HIGHEST = 300.0, 2000.0  # Hz
PAUSE = 1e-6  # of the energy of the loudest frame: 60 dB below it nothing is compared

SILENT = 0
"""The sub-fingerprint of a pause; it agrees with nothing."""

BLOCK = 256  # sub-fingerprints compared together: 3 s
THRESHOLD = 0.35
"""Share of different bits below which two blocks are of the same sound (section 4)."""

SHARE = 0.5  # of the shorter track's blocks that must agree under one alignment
SHORTEST = 3  # blocks: under 9 s of sound it cannot be told from a shared passage
FAMILIAR = 32  # a value that this many tracks share is a held tone and says nothing
VOTES = 2  # equal values that an alignment needs to be looked at: one happens by chance
ALIGNMENTS = 8  # that are looked at of two tracks: music that repeats has several good ones

_ONES = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


def same_recording(
    recordings: Sequence[Recording],
    *,
    sample_rate: int = SAMPLE_RATE,
    threshold: float = THRESHOLD,
) -> list[set[int]]:
    """Find the recordings that are the same one.

    Args:
        recordings: N tracks.
        sample_rate: Hz, at which they are listened to; at least 4000.
        threshold: share of different bits, 0 to 0.5, below which blocks of two tracks agree.

    Returns:
        Groups of two or more places in `recordings`, by their first place.

    Raises:
        AudioError: a file cannot be used as music.
        ValueError: a sample rate or a threshold out of range.
    """
    if sample_rate < 2 * HIGHEST:
        raise ValueError(f"{sample_rate} Hz: at least {2 * HIGHEST:.0f} Hz, bands end at half that")
    if not 0 < threshold < 0.5:
        raise ValueError(f"threshold {threshold}: above 0, below 0.5, where bits agree by chance")

    def listen(recording: Recording) -> np.ndarray:
        waveform = load_audio(recording.path, sample_rate=sample_rate)
        return fingerprint(waveform, sample_rate)

    with ThreadPoolExecutor(2) as pool:
        fingerprints = list(pool.map(listen, recordings))
    return _groups(alike(fingerprints, threshold))


def fingerprint(waveform: np.ndarray, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Sub-fingerprints of a waveform float32 [T]: uint32 [F - 1], F frames; none if it is too short.

    Bit m of frame n is 1 where E(n, m) - E(n, m+1) - (E(n-1, m) - E(n-1, m+1)) > 0, with E the energy
    in band m; `SILENT` in a pause.
    """
    energy = _energies(waveform, sample_rate)
    if len(energy) < 2:
        return np.zeros(0, np.uint32)
    bits = np.diff(energy[:, :-1] - energy[:, 1:], axis=0) > 0
    values = np.packbits(bits, axis=1).view(np.uint32).ravel()
    loudness = energy.sum(axis=1)
    values[loudness[1:] <= PAUSE * loudness.max()] = SILENT
    return values


def alike(
    fingerprints: Sequence[np.ndarray], threshold: float = THRESHOLD
) -> dict[tuple[int, int], float]:
    """Pairs of fingerprints that belong to the same recording, lower place first.

    Returns:
        pair -> share of the shorter one's blocks that agree, `SHARE` to 1.
    """
    found: dict[tuple[int, int], float] = {}
    for one, other, offset in _alignments(fingerprints):
        share = agreement(fingerprints[one], fingerprints[other], offset, threshold)
        if share >= max(SHARE, found.get((one, other), 0)):
            found[one, other] = share
    return found


def agreement(one: np.ndarray, other: np.ndarray, offset: int, threshold: float) -> float:
    """Share of the shorter fingerprint's blocks that agree where other[n] meets one[n + offset].

    Args:
        one, other: uint32 [F].
        offset: frames, of either sign.
        threshold: share of different bits below which a block agrees.
    """
    blocks = min(np.count_nonzero(one != SILENT), np.count_nonzero(other != SILENT)) // BLOCK
    if blocks < SHORTEST:
        return 0.0
    one, other = one[max(offset, 0) :], other[max(-offset, 0) :]
    length = min(len(one), len(other))
    one, other = one[:length], other[:length]
    sounding = (one != SILENT) & (other != SILENT)
    different = _ONES[(one ^ other)[sounding].view(np.uint8)].reshape(-1, 4).sum(axis=1)
    different = different[: len(different) // BLOCK * BLOCK].reshape(-1, BLOCK)
    agreeing = np.count_nonzero(different.sum(axis=1) < threshold * 32 * BLOCK)
    return min(float(agreeing) / float(blocks), 1.0)


def _energies(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Of logarithmically spaced bands, float64 [F, BANDS]."""
    frame, hop = (round(each * sample_rate / SAMPLE_RATE) for each in (FRAME, HOP))
    if len(waveform) < frame:
        return np.zeros((0, BANDS))
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1) * frame / sample_rate
    bins = np.round(edges).astype(int)
    window = np.hanning(frame).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, frame)[::hop]
    energies = []
    for first in range(0, len(frames), 512):  # as many spectra as stay in the processor's cache
        spectra = np.fft.rfft(frames[first : first + 512] * window)[:, bins[0] : bins[-1]]
        power = spectra.real**2 + spectra.imag**2
        energies.append(np.add.reduceat(power, bins[:-1] - bins[0], axis=1))
    return np.concatenate(energies).astype(np.float64)


def _alignments(fingerprints: Sequence[np.ndarray]) -> Iterator[tuple[int, int, int]]:
    """Two tracks and an offset for which enough sub-fingerprints are equal."""
    votes = _votes(fingerprints)
    if not len(votes):
        return
    votes, counts = np.unique(votes, axis=0, return_counts=True)
    votes, counts = votes[counts >= VOTES], counts[counts >= VOTES]
    seen: dict[tuple[int, int], int] = {}
    for place in np.argsort(-counts, kind="stable"):
        one, other, offset = map(int, votes[place])
        seen[one, other] = seen.get((one, other), 0) + 1
        if seen[one, other] <= ALIGNMENTS:
            yield one, other, offset


def _votes(fingerprints: Sequence[np.ndarray]) -> np.ndarray:
    """Every equal value of two tracks votes for an offset: int64 [votes, (one, other, offset)].

    Of a track that repeats itself only the first place of a value votes.
    """
    tracks = np.repeat(np.arange(len(fingerprints)), [len(each) for each in fingerprints])
    places = np.concatenate([np.arange(len(each)) for each in fingerprints] or [tracks])
    values = np.concatenate([*fingerprints, np.zeros(0, np.uint32)]).astype(np.int64)
    order = np.lexsort((places, tracks, values))
    order = order[values[order] != SILENT]
    values, tracks, places = values[order], tracks[order], places[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = (values[1:] != values[:-1]) | (tracks[1:] != tracks[:-1])
    values, tracks, places = values[first], tracks[first], places[first]
    # Sorted by value, so whoever shares one stands next to each other.
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    known = (sizes > 1) & (sizes < FAMILIAR)
    kept = known[group]
    values, tracks, places = values[kept], tracks[kept], places[kept]
    votes = [np.zeros((0, 3), np.int64)]
    for apart in range(1, FAMILIAR):
        one = np.flatnonzero(values[:-apart] == values[apart:])
        if not len(one):
            break
        other = one + apart
        offsets = places[one] - places[other]
        votes.append(np.stack([tracks[one], tracks[other], offsets], axis=1))
    return np.concatenate(votes)


def _groups(pairs: dict[tuple[int, int], float]) -> list[set[int]]:
    """Join pairs that have a member in common."""
    groups: list[set[int]] = []
    for pair in pairs:
        joined = set(pair).union(*(group for group in groups if group & set(pair)))
        groups = [group for group in groups if not group & joined] + [joined]
    return sorted(groups, key=min)
