"""Descriptions are made once, in order, and survive whatever stops a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import AudioError, LibraryError, ModelError
from soundalike.evaluation import descriptions
from soundalike.evaluation.descriptions import PACK, Descriptions
from soundalike.evaluation.sounds import Sound

RATE = 100


class Means:
    """Describes a sound by its mean and its length, and remembers what it was given."""

    name, sample_rate = "means", RATE

    def __init__(self, identity: str = "means@1") -> None:
        self.identity = identity
        self.heard: list[float] = []

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for waveform in waveforms:
            self.heard.append(float(waveform.mean()))
            yield np.array([[waveform.mean(), len(waveform)]])

    def similarity(self, queries: Sequence[np.ndarray], tracks: Sequence[np.ndarray]) -> np.ndarray:
        raise NotImplementedError

    def numbers(self, description: np.ndarray) -> int:
        return description.size


def sound(value: float, key: str | None = None) -> Sound:
    return Sound(key or f"file{value:g}#whole", lambda rate: np.full(rate, value, np.float32))


def broken(key: str) -> Sound:
    def make(rate: int) -> np.ndarray:
        raise AudioError(key, "no music")

    return Sound(key, make)


SOUNDS = [sound(value) for value in (3, 1, 2)]


def test_answers_come_in_the_order_asked_and_equal_keys_once(tmp_path: Path) -> None:
    system = Means()
    found = Descriptions(system, tmp_path).of([*SOUNDS, SOUNDS[0]])
    assert [each[0, 0] for each in found] == [3, 1, 2, 3]
    assert {each.dtype for each in found} == {np.dtype(np.float32)}
    assert sorted(system.heard) == [1, 2, 3]


def test_what_was_described_is_not_described_again(tmp_path: Path) -> None:
    first = Descriptions(Means(), tmp_path).of(SOUNDS)
    again = Means()
    kept = Descriptions(again, tmp_path)
    assert kept.missing(SOUNDS) == 0
    for one, other in zip(first, kept.of(SOUNDS), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert again.heard == []
    kept.of([*SOUNDS, sound(4)])
    assert again.heard == [4]


def test_systems_do_not_see_each_others_descriptions(tmp_path: Path) -> None:
    Descriptions(Means(), tmp_path).of(SOUNDS)
    other = Means("means@2")
    Descriptions(other, tmp_path).of(SOUNDS)
    assert len(other.heard) == 3


def test_a_system_that_was_fitted_anew_keeps_what_it_heard(tmp_path: Path) -> None:
    fitted = Means("fitted on a")
    fitted.description_identity = "raw"  # type: ignore[attr-defined]
    Descriptions(fitted, tmp_path).of(SOUNDS)
    anew = Means("fitted on b")
    anew.description_identity = "raw"  # type: ignore[attr-defined]
    Descriptions(anew, tmp_path).of(SOUNDS)
    assert anew.heard == []


def test_without_a_folder_they_are_kept_in_memory(tmp_path: Path) -> None:
    system = Means()
    kept = Descriptions(system)
    kept.of(SOUNDS)
    kept.of(SOUNDS)
    assert len(system.heard) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    many = [sound(value) for value in range(1, 2 * PACK + 10)]

    class Stopped(Means):
        def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
            for answer in super().describe(waveforms):
                if len(self.heard) > PACK + 20:
                    raise KeyboardInterrupt
                yield answer

    with pytest.raises(KeyboardInterrupt):
        Descriptions(Stopped(), tmp_path).of(many)
    system = Means()
    found = Descriptions(system, tmp_path).of(many)
    assert [each[0, 0] for each in found] == list(range(1, 2 * PACK + 10))
    assert len(many) - PACK - 2 <= len(system.heard) <= len(many) - PACK


@pytest.mark.parametrize(
    "tear",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-200] + bytes(200),
        lambda data: data[:100] + bytes(200) + data[300:],
        lambda data: b"no pack at all",
    ],
)
def test_a_torn_pack_is_made_again(tmp_path: Path, tear: Callable[[bytes], bytes]) -> None:
    whole = Descriptions(Means(), tmp_path).of(SOUNDS)
    (pack,) = tmp_path.rglob("*.npz")
    pack.write_bytes(tear(pack.read_bytes()))
    system = Means()
    again = Descriptions(system, tmp_path).of(SOUNDS)
    assert len(system.heard) == 3
    np.testing.assert_array_equal(whole, again)
    fresh = Means()
    Descriptions(fresh, tmp_path).of(SOUNDS)
    assert fresh.heard == []


def test_what_cannot_be_made_stops_nothing_else(tmp_path: Path) -> None:
    system = Means()
    kept = Descriptions(system, tmp_path)
    asked = [SOUNDS[0], broken("x#1"), *SOUNDS[1:], broken("y#1")]
    heard = kept.heard(asked)
    assert list(heard) == [each.key for each in SOUNDS]
    assert {key: error.reason for key, error in kept.failed.items()} == {
        "x#1": "no music",
        "y#1": "no music",
    }
    with pytest.raises(AudioError, match="x#1: no music"):
        kept.of(asked)
    assert len(system.heard) == 3
    assert kept.missing(asked) == 0  # what failed is not tried again


def test_parts_of_a_file_are_made_one_after_another_whatever_the_order() -> None:
    made: list[str] = []

    def part(key: str) -> Sound:
        def make(rate: int) -> np.ndarray:
            made.append(key)
            return np.ones(rate, np.float32)

        return Sound(key, make)

    keys = [f"{file}#{half}" for half in (1, 2) for file in "abcdef"]
    Descriptions(Means()).of([part(key) for key in keys])
    for file in "abcdef":  # two files at a time may be interleaved, more may not
        first, second = made.index(f"{file}#1"), made.index(f"{file}#2")
        assert 0 < second - first <= 3


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    Descriptions(Means(), None, lambda *step: seen.append(step)).heard([*SOUNDS, broken("x#1")])
    assert seen[-1] == (8, 8)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_a_pack_is_written_before_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptions, "PACK_SAMPLES", 3 * RATE)
    Descriptions(Means(), tmp_path).of([sound(value) for value in range(1, 9)])
    assert len(list(tmp_path.rglob("*.npz"))) == 2  # of four each: two are made at a time


def test_the_cost_is_that_of_describing_alone(tmp_path: Path) -> None:
    class Slow(Means):
        def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
            for answer in super().describe(waveforms):
                until = time.process_time() + 0.05
                while time.process_time() < until:
                    pass
                yield answer

    def slowly(rate: int) -> np.ndarray:
        until = time.thread_time() + 0.3
        while time.thread_time() < until:
            pass
        return np.ones(2 * rate, np.float32)

    sounds = [Sound(f"{n}#", slowly) for n in range(3)]
    cost = Descriptions(Slow(), tmp_path).cost(sounds)
    assert cost.sounds == 0
    kept = Descriptions(Slow(), tmp_path)
    kept.of(sounds)
    cost = kept.cost(sounds)
    assert (cost.sounds, cost.audio) == (3, 2.0)
    assert 0.05 <= cost.processor < 0.2
    assert cost.wall >= cost.processor * 0.9
    assert Descriptions(Slow(), tmp_path).cost(sounds) == cost  # of the run that described them


def test_a_system_that_answers_nonsense_is_told_so() -> None:
    class Nonsense(Means):
        def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
            return iter([np.array([[np.nan]]) for _ in waveforms])

    class Short(Means):
        def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
            return iter([np.zeros((1, 1)) for _ in waveforms][1:])

    with pytest.raises(ModelError, match="means describes file1#whole by numbers not finite"):
        Descriptions(Nonsense()).of([sound(1)])
    with pytest.raises(ModelError, match="means gave 2 answers to 3 sounds"):
        Descriptions(Short()).of(SOUNDS)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="descriptions cannot be kept"):
        Descriptions(Means(), tmp_path / "file").of(SOUNDS)
