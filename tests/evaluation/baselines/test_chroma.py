"""Chroma: notes are heard, instruments, volume and keys are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from soundalike.evaluation.baselines.chroma import (
    SAMPLE_RATE,
    best_rotation,
    chroma,
    chroma_bigrams,
    pitch_classes,
)

Describe = Callable[[np.ndarray], np.ndarray]

TUNE = (60, 62, 64, 65, 67, 67, 69, 64, 60, 67, 60, 64)
OTHER = (60, 63, 68, 61, 66, 70, 61, 63, 68, 70, 66, 61)
BACKWARDS = TUNE[::-1]


def play(
    pitches: tuple[int, ...], *, up: float = 0, overtones: tuple[float, ...] = (1.0,)
) -> np.ndarray:
    """Half a second of each pitch, twice through: float32."""
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    notes = []
    for pitch in (*pitches, *pitches):
        phase = 2 * np.pi * 440 * 2 ** ((pitch + up - 69) / 12) * time
        notes.append(sum(a * np.sin(k * phase) for k, a in enumerate(overtones, start=1)))
    return (0.2 * np.concatenate(notes)).astype(np.float32)


@pytest.mark.parametrize("pitch", [55, 57, 60, 69, 71, 83])
def test_a_note_is_heard_as_its_pitch_class(pitch: int) -> None:
    heard = chroma(play((pitch,) * 4))
    assert heard.shape == (1, 12)
    assert heard.dtype == np.float32
    assert int(heard.argmax()) == pitch % 12
    assert heard.max() > 0.95
    assert np.sort(heard[0])[-2] < 0.3


def test_a_deep_bass_is_heard_less_sharply_but_in_its_place() -> None:
    """At 65 Hz a semitone is 4 Hz wide, and 0.4 s tell apart what is 5 Hz apart."""
    heard = chroma(play((36,) * 4))[0]
    assert np.argsort(heard)[-3:].tolist() in ([1, 11, 0], [11, 1, 0])
    assert heard[0] > 1.5 * heard[1]


@pytest.mark.parametrize("describe", [chroma, chroma_bigrams])
@pytest.mark.parametrize("up", [-7, -1, 3, 6, 12])
def test_a_tune_is_the_same_in_another_key(describe: Describe, up: int) -> None:
    tune, moved = describe(play(TUNE)), describe(play(TUNE, up=up))
    assert best_rotation(tune, moved)[0, 0] > 0.99
    assert best_rotation(tune, describe(play(OTHER)))[0, 0] < 0.9


def test_bigrams_hear_the_order_of_notes_and_profiles_do_not() -> None:
    forwards, backwards = play(TUNE), play(BACKWARDS)
    assert best_rotation(chroma(forwards), chroma(backwards))[0, 0] > 0.99
    tune = chroma_bigrams(forwards)
    assert best_rotation(tune, chroma_bigrams(backwards))[0, 0] < 0.95
    assert best_rotation(tune, chroma_bigrams(play(TUNE, up=5)))[0, 0] > 0.99


def test_bigrams_say_what_follows_what() -> None:
    """Alternating C and E, half a second each: mostly C to E and E to C."""
    pairs = chroma_bigrams(play((60, 64) * 8)).reshape(12, 12)
    assert pairs.sum() == pytest.approx(1, abs=1e-5)
    assert {divmod(int(i), 12) for i in np.argsort(pairs.ravel())[-2:]} == {(0, 4), (4, 0)}
    assert pairs[0, 4] + pairs[4, 0] > 0.5


@pytest.mark.parametrize("describe", [chroma, chroma_bigrams])
def test_neither_volume_nor_instrument_makes_another_tune(describe: Describe) -> None:
    tune = describe(play(TUNE))
    np.testing.assert_allclose(describe(play(TUNE) / 50), tune, atol=1e-3)
    brighter = describe(play(TUNE, overtones=(1.0, 0.5, 0.25)))
    other = describe(play(OTHER, overtones=(1.0, 0.5, 0.25)))
    assert best_rotation(tune, brighter)[0, 0] > 0.8
    assert best_rotation(tune, brighter)[0, 0] > best_rotation(tune, other)[0, 0] + 0.1


@pytest.mark.parametrize("width", [12, 144])
def test_the_best_of_twelve_rotations_counts(width: int) -> None:
    rng = np.random.default_rng(0)
    queries, tracks = rng.random((3, width)), rng.random((4, width))
    shape = (12,) * (1 if width == 12 else 2)
    expected = np.full((3, 4), -2.0)
    for q, query in enumerate(queries):
        for n, track in enumerate(tracks):
            for up in range(12):
                moved = np.roll(query.reshape(shape), up, axis=tuple(range(len(shape)))).ravel()
                expected[q, n] = max(expected[q, n], np.corrcoef(moved, track)[0, 1])
    np.testing.assert_allclose(best_rotation(queries, tracks), expected, atol=1e-9)


@pytest.mark.parametrize("describe", [chroma, chroma_bigrams])
@pytest.mark.parametrize("samples", [0, 100, 5 * SAMPLE_RATE])
def test_silence_has_no_notes_and_is_like_nothing(describe: Describe, samples: int) -> None:
    silence = describe(np.zeros(samples, dtype=np.float32))
    assert not silence.any()
    assert not best_rotation(silence, describe(play(TUNE))).any()


def test_silent_moments_do_not_count() -> None:
    tune = play(TUNE)
    hiss = np.random.default_rng(1).normal(scale=1e-7, size=len(tune)).astype(np.float32)
    rows = pitch_classes(np.concatenate([tune, hiss]))
    lengths = np.linalg.norm(rows, axis=1)
    assert set(np.round(lengths, 6)) == {0.0, 1.0}
    assert 0.45 < lengths.mean() < 0.55
