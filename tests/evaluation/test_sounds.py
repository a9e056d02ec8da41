"""Keys that say all a sound depends on, and files that are decoded once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from fake_model import tone, write_tone
from soundalike.errors import AudioError
from soundalike.evaluation import sounds
from soundalike.evaluation.sounds import as_waveform, digest, file_key, samples

RATE = 8_000


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that is decoded, as often as it is."""
    monkeypatch.setattr(sounds, "_shelf", type(sounds._shelf)())
    seen: list[Path] = []
    load_audio = sounds.load_audio

    def counted(path: Path, *, sample_rate: int) -> np.ndarray:
        seen.append(path)
        return load_audio(path, sample_rate=sample_rate)

    monkeypatch.setattr(sounds, "load_audio", counted)
    return seen


def test_the_key_of_a_file_changes_with_the_file_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tone(tmp_path / "album/a.wav", 200, 2.0)
    key = file_key(path)
    assert key.startswith("album/a.wav@")
    assert file_key(path) == key
    monkeypatch.chdir(tmp_path)
    assert file_key(Path("album/a.wav")) == key  # however it is spelled
    os.utime(path, ns=(0, 0))
    changed = file_key(path)
    write_tone(path, 200, 3.0)
    os.utime(path, ns=(0, 0))
    other = write_tone(tmp_path / "other/album/a.wav", 200, 3.0)
    os.utime(other, ns=(0, 0))
    path_again = file_key(path)
    assert len({key, changed, path_again, file_key(other), file_key(tmp_path / "no.wav")}) == 5


def test_a_digest_tells_where_one_part_ends() -> None:
    assert len(digest("a", "b")) == 12
    assert digest("ab", "c") != digest("a", "bc")


def test_samples_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.wav", 200, 2.0, sample_rate=RATE, level=0.3)
    found = samples(path, RATE)
    assert found.dtype == np.int16
    assert not found.flags.writeable
    waveform = as_waveform(found)
    assert waveform.dtype == np.float32
    np.testing.assert_allclose(
        waveform, tone(200, 2.0, sample_rate=RATE, level=0.3), atol=1 / 16_000
    )
    waveform[:] = 0  # is a copy: what a system does to it, the next one does not hear
    assert samples(path, RATE).any()


def test_a_file_is_decoded_once_also_for_two_threads(tmp_path: Path, decoded: list[Path]) -> None:
    path = write_tone(tmp_path / "a.wav", 200, 2.0, sample_rate=RATE)
    threads = [threading.Thread(target=samples, args=(path, RATE)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    samples(path, RATE)
    assert decoded == [path]
    samples(path, 4_000)  # at another rate it is another sound
    assert decoded == [path] * 2


def test_only_the_last_few_files_are_kept(tmp_path: Path, decoded: list[Path]) -> None:
    paths = [write_tone(tmp_path / f"{n}.wav", 200, 1.5, sample_rate=RATE) for n in range(5)]
    for path in paths:
        samples(path, RATE)
    samples(paths[4], RATE)
    assert len(decoded) == 5
    samples(paths[0], RATE)
    assert len(decoded) == 6
    assert len(sounds._shelf) <= 4


def test_a_file_that_changed_is_decoded_again(tmp_path: Path, decoded: list[Path]) -> None:
    path = write_tone(tmp_path / "a.wav", 200, 1.5, sample_rate=RATE)
    before = samples(path, RATE)
    write_tone(path, 200, 2.5, sample_rate=RATE)
    assert len(samples(path, RATE)) == len(before) + RATE


def test_what_is_no_music_says_so_every_time(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("words")
    for _ in range(2):
        with pytest.raises(AudioError, match=r"a\.wav"):
            samples(tmp_path / "a.wav", RATE)
