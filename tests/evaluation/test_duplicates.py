"""Copies of a recording are found whatever was done to the file; other music is not."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from fake_model import write_sound
from soundalike.errors import AudioError
from soundalike.evaluation.degradations import DEGRADATIONS, resampled
from soundalike.evaluation.duplicates import (
    BANDS,
    BLOCK,
    FRAME,
    HOP,
    SILENT,
    agreement,
    alike,
    fingerprint,
    same_recording,
)
from soundalike.evaluation.tasks.recordings import Recording

RATE = 16_000
OWN_RATE = 5_512
SCALE = (0, 2, 4, 7, 9)


def music(seed: int, seconds: float = 30.0, *, step: float = 0.25, rate: int = RATE) -> np.ndarray:
    """Tunes of one synthesizer over its drum: notes, not sounds, are drawn by the seed."""
    return _music(seed, seconds, step, rate).copy()


@lru_cache
def _music(seed: int, seconds: float, step: float, rate: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * rate))
    times = np.arange(rate) / rate
    drum = np.random.default_rng(99).standard_normal(rate) * np.exp(-30 * times)
    for beat in range(int((seconds - 1) / step)):
        first = round(beat * step * rate)
        pitch = 220 * 2 ** ((rng.choice(SCALE) + 12 * rng.integers(0, 3)) / 12)
        note = sum(np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 6))
        sound[first : first + rate] += note * np.exp(-4 * times)
        if beat % 2 == 0:
            sound[first : first + rate] += drum
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def written(path: Path, sound: np.ndarray) -> Recording:
    write_sound(path, sound[None], sample_rate=RATE)
    return Recording(path, "", "")


def heard(sound: np.ndarray) -> np.ndarray:
    return fingerprint(resampled(sound, RATE, OWN_RATE))


def changed(kind: str, sound: np.ndarray) -> np.ndarray:
    return DEGRADATIONS[kind](sound, RATE, np.random.default_rng(0))


@pytest.fixture(scope="module")
def set_of_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    folder = tmp_path_factory.mktemp("music")
    one, other, third = (music(seed) for seed in range(3))
    files = {
        "one": written(folder / "one.flac", one),
        "other": written(folder / "other.flac", other),
        "third": written(folder / "third.flac", third),
        "one as mp3": written(folder / "one-mp3.flac", changed("MP3 32 kbit/s", one)),
        "one trimmed": written(folder / "one-trimmed.flac", one[7 * RATE + 123 :]),
        "one quieter": written(folder / "one-quieter.flac", one / 4),
        "one through all": written(
            folder / "one-all.flac", changed("Opus 24 kbit/s", 0.3 * one[3 * RATE + 77 : -2 * RATE])
        ),
    }
    shutil.copy(files["other"].path, folder / "copy.flac")
    return files | {"other copied": Recording(folder / "copy.flac", "", "")}


def test_copies_are_found_and_other_music_is_not(set_of_files: dict[str, Recording]) -> None:
    names = list(set_of_files)
    groups = same_recording(list(set_of_files.values()))
    assert [{names[place] for place in group} for group in groups] == [
        {"one", "one as mp3", "one trimmed", "one quieter", "one through all"},
        {"other", "other copied"},
    ]


def test_the_order_of_files_does_not_matter(set_of_files: dict[str, Recording]) -> None:
    names = list(set_of_files)[::-1]
    groups = same_recording([set_of_files[name] for name in names])
    assert [len(group) for group in groups] == [2, 5]
    assert {names[place] for place in groups[0]} == {"other", "other copied"}


def test_without_copies_there_are_no_groups(set_of_files: dict[str, Recording]) -> None:
    assert same_recording([set_of_files[name] for name in ("one", "other", "third")]) == []
    assert same_recording([set_of_files["one"]]) == []
    assert same_recording([]) == []


def test_a_loop_is_a_copy_of_nothing_but_itself() -> None:
    loops = [np.tile(music(seed, 5.0)[: 4 * RATE], 10) for seed in (5, 6)]
    played = [*loops, music(7), loops[0][9 * RATE :]]
    assert set(alike([heard(sound) for sound in played])) == {(0, 3)}


def test_a_shared_passage_makes_no_copy() -> None:
    one, other = music(0), music(1, step=0.23)
    other[: 10 * RATE] = one[10 * RATE : 20 * RATE]  # a third of it
    assert alike([heard(sound) for sound in (one, other)]) == {}


def test_pauses_are_not_shared_music() -> None:
    one, other = music(0), music(1)
    for sound in (one, other):
        sound[8 * RATE : 25 * RATE] = 0
    fingerprints = [heard(sound) for sound in (one, other, 0.5 * one)]
    silent = fingerprints[0][10 * OWN_RATE // HOP : 22 * OWN_RATE // HOP]
    assert (silent == SILENT).all()
    assert set(alike(fingerprints)) == {(0, 2)}
    nothing = np.zeros(30 * RATE, np.float32)
    assert alike([heard(nothing)] * 2) == {}


def test_noise_is_like_no_other_noise() -> None:
    noises = np.random.default_rng(0).standard_normal((4, 30 * OWN_RATE)).astype(np.float32)
    fingerprints = [fingerprint(noise) for noise in noises]
    assert alike(fingerprints) == {}
    assert agreement(fingerprints[0], fingerprints[1], 0, 0.35) == 0
    assert agreement(fingerprints[0], fingerprints[0], 0, 0.35) == 1
    assert agreement(fingerprints[0], fingerprints[0], 400, 0.35) == 0


def test_half_the_bits_of_other_music_differ() -> None:
    fingerprints = [heard(music(0)), heard(music(1, step=0.23))]
    one, other = (np.unpackbits(values.view(np.uint8)) for values in fingerprints)
    assert np.mean(one != other) == pytest.approx(0.5, abs=0.05)


def test_an_offset_says_how_much_later_it_comes() -> None:
    whole = fingerprint(np.random.default_rng(0).standard_normal(40 * OWN_RATE))
    part = whole[1_000:]
    assert agreement(whole, part, 1_000, 0.35) == 1
    assert agreement(part, whole, -1_000, 0.35) == 1
    assert agreement(part, whole, 1_000, 0.35) == 0


def test_the_share_is_of_the_shorter_track() -> None:
    drawn = np.random.default_rng(0).integers(1, 2**32, 20 * BLOCK, dtype=np.uint32)
    short = drawn[4 * BLOCK : 12 * BLOCK].copy()
    assert agreement(drawn, short, 4 * BLOCK, 0.35) == 1
    short[: 2 * BLOCK] ^= 0xFFFFFFFF
    assert agreement(drawn, short, 4 * BLOCK, 0.35) == 6 / 8
    short[2 * BLOCK : 3 * BLOCK] ^= 0x3FF  # 10 bits of 32: 0.31
    assert agreement(drawn, short, 4 * BLOCK, 0.35) == 6 / 8
    assert agreement(drawn, short, 4 * BLOCK, 0.30) == 5 / 8


def test_bits_are_those_of_the_formula() -> None:
    waveform = np.random.default_rng(3).standard_normal(FRAME + 3 * HOP)
    edges = np.round(300 * (2000 / 300) ** (np.arange(BANDS + 1) / BANDS) * FRAME / OWN_RATE)
    window = np.hanning(FRAME)
    energies = []
    for n in range(4):
        power = np.abs(np.fft.fft(window * waveform[n * HOP : n * HOP + FRAME])) ** 2
        bands = zip(edges[:-1].astype(int), edges[1:].astype(int), strict=True)
        energies.append([power[low:high].sum() for low, high in bands])
    values = fingerprint(waveform, OWN_RATE)
    assert (values.dtype, values.shape) == (np.uint32, (3,))
    bits = np.unpackbits(values.view(np.uint8)).reshape(3, 32)
    for n in range(1, 4):
        for m in range(32):
            now, before = energies[n], energies[n - 1]
            grows = now[m] - now[m + 1] - (before[m] - before[m + 1]) > 0
            assert bits[n - 1, m] == grows


def test_loudness_leaves_no_trace() -> None:
    sound = music(0, 5.0)
    np.testing.assert_array_equal(heard(sound), heard(sound / 8))


def test_what_is_too_short_has_no_fingerprint() -> None:
    for length in (0, FRAME - 1, FRAME + HOP - 1):
        assert fingerprint(np.ones(length, np.float32)).shape == (0,)
    assert alike([heard(music(0, 12.0))] * 2) == {(0, 1): 1}
    assert alike([heard(music(0, 9.0))] * 2) == {}  # its last second is silent


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3000 Hz: at least 4000 Hz"):
        same_recording([], sample_rate=3_000)
    for threshold in (0.0, 0.5):
        with pytest.raises(ValueError, match="by chance"):
            same_recording([], threshold=threshold)
    with pytest.raises(AudioError, match="no such file"):
        same_recording([Recording(tmp_path / "missing.flac", "", "")])
