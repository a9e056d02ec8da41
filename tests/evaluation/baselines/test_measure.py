"""Baselines as systems: through the same door as all others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.audio.waveform import load_audio
from soundalike.errors import AudioError, ModelError
from soundalike.evaluation.baselines import BASELINES, SYSTEMS
from soundalike.evaluation.baselines.measure import Maker, Measure, Reference
from soundalike.evaluation.descriptions import Descriptions
from soundalike.evaluation.sounds import SAMPLE_RATE, Sound
from soundalike.evaluation.systems import find_system


def noise(seed: int, seconds: float = 1.0) -> np.ndarray:
    """Filtered noise, darker with every seed."""
    rng = np.random.default_rng(seed)
    white = rng.normal(scale=0.1, size=round(seconds * SAMPLE_RATE))
    kernel = np.ones(1 + 2 * seed) / (1 + 2 * seed)
    return np.convolve(white, kernel, mode="same").astype(np.float32)


def sound(seed: int) -> Sound:
    return Sound(f"noise {seed}", lambda _: noise(seed))


TRAINING = [sound(seed) for seed in range(8)]


@pytest.mark.parametrize("name", [*BASELINES, *SYSTEMS])
def test_every_baseline_comes_through_the_same_door(name: str) -> None:
    system = find_system(name, training=TRAINING)
    assert system.name == name
    assert system.identity.startswith(f"{name}@")
    described = list(system.describe(noise(seed, 2.0) for seed in range(5)))
    assert {(each.dtype, each.ndim, len(each)) for each in described} == {(np.dtype("f4"), 2, 1)}
    similarity = system.similarity(described[:3], described)
    assert similarity.shape == (3, 5)
    assert similarity.dtype == np.float32
    assert np.isfinite(similarity).all()
    assert system.numbers(described[0]) == described[0].size
    again = find_system(name, training=TRAINING)
    assert again.identity == system.identity
    np.testing.assert_array_equal(again.similarity(described[:3], described), similarity)


@pytest.mark.parametrize("name", sorted({*SYSTEMS} - {"chance"}))
def test_a_sound_is_nearest_to_itself(name: str) -> None:
    system = find_system(name, training=TRAINING)
    described = list(system.describe(noise(seed, 2.0) for seed in range(5)))
    similarity = system.similarity(described, described)
    assert similarity.argmax(axis=1).tolist() == list(range(5))


def test_numbers_kept_of_a_track() -> None:
    kept = {}
    for name in SYSTEMS:
        system = SYSTEMS[name](TRAINING)
        kept[name] = system.numbers(next(system.describe([noise(1)])))
    assert kept == {
        "chance": 4,
        "mandel-ellis": 230,
        "mandel-ellis-mp": 230,
        "chroma": 12,
        "chroma-bigrams": 144,
    }


def test_describing_goes_one_by_one() -> None:
    asked = []

    def source() -> object:
        for seed in range(3):
            asked.append(seed)
            yield noise(seed)

    described = SYSTEMS["mandel-ellis"]([]).describe(source())  # type: ignore[arg-type]
    next(described)
    assert asked == [0]


def test_most_measures_need_no_training() -> None:
    for name in {*SYSTEMS} - {"mandel-ellis-mp"}:
        assert SYSTEMS[name]([]).identity == SYSTEMS[name](TRAINING).identity
    with pytest.raises(ModelError, match="mandel-ellis-mp has nothing to measure against"):
        SYSTEMS["mandel-ellis-mp"]([])


def test_what_it_was_fitted_on_is_in_its_name_but_not_in_that_of_its_descriptions() -> None:
    make = SYSTEMS["mandel-ellis-mp"]
    one, other = make(TRAINING), make(TRAINING[:5], "the set itself")
    assert one.identity.endswith("fitted on train")
    assert other.identity.endswith("fitted on the set itself")
    assert one.identity.split()[0] != other.identity.split()[0]
    assert one.description_identity == other.description_identity


def test_references_that_cannot_be_decoded_are_left_out(tmp_path: Path) -> None:
    missing = Sound("missing", lambda _: load_audio(tmp_path / "missing.ogg"))
    make = SYSTEMS["mandel-ellis-mp"]
    assert make([missing, *TRAINING]).identity == make(TRAINING).identity
    with pytest.raises(ModelError, match="none of the 1 sounds"):
        make([missing])
    with pytest.raises(AudioError):
        missing.make(SAMPLE_RATE)


def test_references_are_described_once(tmp_path: Path) -> None:
    made = []

    def counted(seed: int) -> Sound:
        return Sound(f"counted {seed}", lambda _: (made.append(seed), noise(seed))[1])

    for _ in range(2):
        SYSTEMS["mandel-ellis-mp"]([counted(seed) for seed in range(4)], cache=tmp_path)
    assert sorted(made) == [0, 1, 2, 3]
    system = SYSTEMS["mandel-ellis-mp"](TRAINING)
    Descriptions(system, tmp_path).of([counted(2)])
    assert sorted(made) == [0, 1, 2, 3]


def test_a_hub_is_no_longer_everybodys_answer() -> None:
    """The hub is 1.25 from all; the others come in pairs, whose two are 1.5 apart."""
    rows = np.array([[0.0, 0.0], [1, 0.75], [1, -0.75], [-1, 0.75], [-1, -0.75]])

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(a[:, None] - b[None], axis=2))

    def place(waveform: np.ndarray) -> np.ndarray:
        return waveform[None].astype(np.float32)

    def answers(system: Measure) -> list[int]:
        described = list(system.describe(rows))
        similarity = system.similarity(described, described) - 9 * np.eye(5)
        return [int(i) for i in similarity[1:].argmax(axis=1)]

    references = [Sound(str(row), lambda _, row=row: row) for row in 0.95 * rows[1:]]
    plain = Maker("plain", place, lambda a, b: -distance(a, b))(references)
    assert answers(plain) == [0, 0, 0, 0]
    rescaled = Maker("rescaled", place, distance, kind=Reference)(references)
    assert answers(rescaled) == [2, 1, 4, 3]


def test_unfitted_is_unusable() -> None:
    with pytest.raises(ValueError, match="not been fitted"):
        Reference("mp", noise, lambda a, b: a @ b.T).similarity(  # type: ignore[arg-type]
            [np.ones((1, 2))], [np.ones((1, 2))]
        )
