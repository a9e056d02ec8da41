"""Encoders, statistics and peers answer to the same questions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler, normalize

from fake_model import tone, write_fake_model
from soundalike.embedder import Embedder
from soundalike.errors import AudioError, ModelError, QueryError
from soundalike.evaluation import baselines, systems
from soundalike.evaluation.sounds import SAMPLE_RATE, Sound
from soundalike.evaluation.systems import (
    Encoder,
    Peer,
    Statistic,
    System,
    find_system,
    require_system,
    source_digest,
    system_names,
)
from soundalike.library.aggregation import AGGREGATIONS, similarities, similarity_matrix

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("fake"), count=3)


@pytest.fixture(scope="module")
def waveforms() -> list[np.ndarray]:
    return [tone(frequency, 7.0) for frequency in np.geomspace(120, 5_000, 9)]


def unit_rows(*shape: int) -> np.ndarray:
    rows = RNG.normal(size=shape)
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


# Encoders


def test_an_encoder_says_what_the_embedder_says(model: Path, waveforms: list[np.ndarray]) -> None:
    encoder = Encoder(str(model))
    embedder = Embedder(model)
    assert (encoder.name, encoder.identity) == (str(model), embedder.identity)
    assert encoder.sample_rate == embedder.sample_rate
    for found, waveform in zip(encoder.describe(iter(waveforms)), waveforms, strict=True):
        np.testing.assert_array_equal(found, embedder.embed_waveform(waveform))
    opened = Encoder(embedder)
    assert (opened.name, opened.identity) == ("fake", embedder.identity)


def test_an_encoder_takes_the_next_sound_while_it_is_at_work(
    model: Path, waveforms: list[np.ndarray]
) -> None:
    encoder, threads = Encoder(str(model)), set()
    embed = encoder.embedder.embed_waveform

    def noted(waveform: np.ndarray) -> np.ndarray:
        threads.add(threading.get_ident())
        return embed(waveform)

    encoder.embedder.embed_waveform = noted  # type: ignore[method-assign]
    list(encoder.describe(waveforms))
    assert threading.get_ident() not in threads


@pytest.mark.parametrize(("aggregation", "numbers"), [("mean", 8), ("concat", 24), ("maxsim", 24)])
def test_what_a_track_costs_to_keep_depends_on_the_aggregation(
    model: Path, waveforms: list[np.ndarray], aggregation: str, numbers: int
) -> None:
    encoder = Encoder(str(model), aggregation)
    described = list(encoder.describe(waveforms))
    assert encoder.numbers(described[0]) == numbers
    similarity = encoder.similarity(described, described)
    assert similarity.shape == (9, 9)
    np.testing.assert_allclose(similarity.diagonal(), 1, atol=1e-5)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_a_similarity_matrix_is_what_the_search_computes(aggregation: str) -> None:
    queries, tracks = unit_rows(5, 3, 8), unit_rows(7, 3, 8)
    matrix = similarity_matrix(list(queries), list(tracks), aggregation)
    assert matrix.dtype == np.float32
    for row, query in zip(matrix, queries, strict=True):
        np.testing.assert_allclose(row, similarities(query, tracks, aggregation), atol=1e-6)


def test_a_sound_that_is_silent_where_it_listens_is_like_nothing(
    model: Path, waveforms: list[np.ndarray]
) -> None:
    encoder = Encoder(str(model))
    nothing, something = encoder.describe([np.zeros(7 * SAMPLE_RATE, np.float32), waveforms[0]])
    assert nothing.shape == something.shape
    assert encoder.similarity([nothing], [something]) == 0
    with pytest.raises(ValueError, match="not finite"):
        list(encoder.describe([np.full(7 * SAMPLE_RATE, np.nan, np.float32)]))


def test_an_unknown_aggregation_is_refused(model: Path) -> None:
    with pytest.raises(QueryError, match="no aggregation 'sum'"):
        Encoder(str(model), "sum")


# Statistics


def spread(waveform: np.ndarray) -> np.ndarray:
    """Numbers of three sizes."""
    return np.array([[waveform.mean() * 1e4, waveform.std(), waveform.max() / 1e3]], np.float32)


def noises(count: int) -> list[Sound]:
    rng = np.random.default_rng(1)
    levels = rng.uniform(0.01, 0.3, count)
    return [
        Sound(f"noise {n}", lambda rate, level=level, n=n: noise(n, level))  # type: ignore[misc]
        for n, level in enumerate(levels)
    ]


def noise(seed: int, level: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (level * rng.normal(size=2_000)).astype(np.float32)


def test_numbers_are_standardised_by_the_training_sounds_alone() -> None:
    statistic = Statistic("spread", spread).fit(noises(20))
    training = np.concatenate([spread(sound.make(SAMPLE_RATE)) for sound in noises(20)])
    scaler = StandardScaler().fit(training.astype(np.float64))
    np.testing.assert_allclose(statistic.mean, scaler.mean_)
    np.testing.assert_allclose(statistic.deviation, scaler.scale_)
    described = list(statistic.describe(noise(seed, 0.1 * seed) for seed in range(1, 5)))
    rows = normalize(scaler.transform(np.concatenate(described)))
    np.testing.assert_allclose(
        statistic.similarity(described[:2], described), rows[:2] @ rows.T, atol=1e-6
    )
    # One more track in the set changes nothing for the others.
    fewer = statistic.similarity(described[:2], described[:3])
    np.testing.assert_allclose(
        fewer, statistic.similarity(described[:2], described)[:, :3], atol=1e-6
    )


def test_a_number_that_never_changed_says_nothing() -> None:
    def constant(waveform: np.ndarray) -> np.ndarray:
        return np.array([[waveform.std(), 7.0 if len(waveform) == 2_000 else 8.0]], np.float32)

    statistic = Statistic("constant", constant).fit(noises(5))
    similarity = statistic.similarity([np.array([[9.0, 7.0]])], [np.array([[9.0, 8.0]])])
    assert similarity[0, 0] == pytest.approx(1)


def test_several_rows_count_as_their_mean() -> None:
    statistic = Statistic("spread", spread).fit(noises(5))
    rows = RNG.normal(size=(2, 4, 3)).astype(np.float32)
    folded = [each.mean(axis=0, keepdims=True) for each in rows]
    np.testing.assert_allclose(
        statistic.similarity(rows, rows), statistic.similarity(folded, folded), atol=1e-5
    )
    assert statistic.numbers(rows[0]) == 3


def test_the_identity_says_what_it_was_fitted_on_and_descriptions_do_not_depend_on_it() -> None:
    one = Statistic("spread", spread).fit(noises(5))
    more = Statistic("spread", spread).fit(noises(6))
    itself = Statistic("spread", spread).fit(noises(5), "the set itself")
    assert one.identity.startswith("spread@")
    assert one.identity.endswith(" fitted on train")
    assert itself.identity.endswith(" fitted on the set itself")
    assert len({one.identity, more.identity, itself.identity}) == 3
    assert one.description_identity == more.description_identity
    assert one.description_identity == f"spread@{source_digest(spread)}"


def test_what_was_described_for_the_fit_is_kept(tmp_path: Path) -> None:
    calls: list[int] = []

    def counted(waveform: np.ndarray) -> np.ndarray:
        calls.append(1)
        return spread(waveform)

    first = Statistic("counted", counted).fit(noises(5), cache=tmp_path)
    again = Statistic("counted", counted).fit(noises(5), cache=tmp_path)
    assert len(calls) == 5
    assert first.identity == again.identity
    np.testing.assert_array_equal(first.mean, again.mean)


def test_training_sounds_that_cannot_be_made_are_left_out() -> None:
    def broken(rate: int) -> np.ndarray:
        raise AudioError("broken.wav", "no music")

    statistic = Statistic("spread", spread).fit([Sound("broken", broken), *noises(5)])
    np.testing.assert_array_equal(statistic.mean, Statistic("spread", spread).fit(noises(5)).mean)
    with pytest.raises(ModelError, match="spread has no scale: none of the 1 sounds"):
        Statistic("spread", spread).fit([Sound("broken", broken)])
    with pytest.raises(ValueError, match="has not been fitted"):
        Statistic("spread", spread).similarity([np.zeros((1, 3))], [np.zeros((1, 3))])


# Peers

SCRIPT = '''"""Length and peak of a sound.

Install: pip install lengths
"""
import sys, wave
from pathlib import Path

import numpy as np

SAMPLE_RATE = 8_000
ENVIRONMENT = "shared"

answers = {}
for path in Path(sys.argv[1]).glob("*.wav"):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples = np.frombuffer(file.readframes(-1), "<i2")
        answers[path.stem] = np.array([file.getframerate(), len(samples), np.abs(samples).max()])
np.savez(sys.argv[2], **answers)
'''


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "length_of.py"
    path.write_text(SCRIPT)
    return path


def test_a_peer_is_run_on_files_and_answers_in_order(script: Path) -> None:
    peer = Peer("length-of", script)
    assert peer.sample_rate == 8_000
    sounds = [np.full(800 * (n + 1), 0.05 * n, np.float32) for n in range(12)]
    found = list(peer.describe(sounds))
    for n, description in enumerate(found):
        assert description.dtype == np.float32
        np.testing.assert_allclose(
            description, [[8_000, 800 * (n + 1), 0.05 * n * 32767]], atol=0.5
        )


def test_a_peer_is_fitted_like_a_statistic(script: Path) -> None:
    peer = Peer("length-of", script).fit(noises(4))
    assert peer.identity.endswith("fitted on train")
    assert len(peer.mean) == 3
    before = peer.description_identity
    script.write_text(SCRIPT + "# changed\n")
    assert Peer("length-of", script).description_identity != before


def test_a_peer_that_is_not_installed_says_how_to_get_it(
    script: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script.write_text(SCRIPT.replace("import numpy", "import lengths, numpy"))
    with pytest.raises(
        ModelError,
        match=r"length-of: length_of\.py failed under .*No module named 'lengths'.*Install: pip",
    ):
        list(Peer("length-of", script).describe([tone(200, 0.1)]))
    monkeypatch.setenv("SOUNDALIKE_PEER_LENGTH_OF", str(tmp_path / "no-python"))
    with pytest.raises(ModelError, match="cannot be run: no such file"):
        list(Peer("length-of", script).describe([tone(200, 0.1)]))


def test_a_peer_runs_under_the_python_that_has_it(
    script: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    peer = Peer("length-of", script)
    assert peer.python == sys.executable
    own = tmp_path / ".cache/peers/shared/bin/python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert Path(peer.python).resolve() == own
    monkeypatch.setenv("SOUNDALIKE_PEER_LENGTH_OF", "/usr/bin/other")
    assert peer.python == "/usr/bin/other"


def test_a_peer_that_writes_nothing_has_failed(script: Path) -> None:
    script.write_text("'''Nothing.'''")
    with pytest.raises(ModelError, match="it wrote nothing"):
        list(Peer("nothing", script).describe([tone(200, 0.1)]))


def test_a_peer_says_which_release_answered(tmp_path: Path) -> None:
    import importlib.metadata

    script = tmp_path / "peer.py"
    script.write_text('"""A peer."""\nPACKAGE = "numpy"\n')
    named = f"peer {importlib.metadata.version('numpy')}@"
    assert Peer("peer", script).identity.startswith(named)
    script.write_text('"""A peer."""\nPACKAGE = "no-such-package"\n')
    assert Peer("peer", script).identity.startswith("peer@")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "this processor lacks"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import sys; open(sys.argv[2], 'w').write('vectors')", "cannot be read"),
    ],
)
def test_a_peer_that_dies_or_writes_nonsense_is_explained(
    tmp_path: Path, body: str, words: str
) -> None:
    script = tmp_path / "dying.py"
    script.write_text(f'"""A peer."""\n{body}\n')
    with pytest.raises(ModelError, match=words):
        list(Peer("dying", script).describe([tone(200, 0.1)]))


# Names


class Chance:
    """A system of its own, as a colleague would enter it."""

    name, identity, sample_rate = "luck", "luck@1", SAMPLE_RATE

    def __init__(self, training: Sequence[Sound], fitted_on: str, **_: object) -> None:
        self.training, self.fitted_on = training, fitted_on


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, script: Path) -> None:
    monkeypatch.setattr(baselines, "BASELINES", {"spread": spread})
    monkeypatch.setattr(baselines, "SYSTEMS", {"luck": Chance})
    monkeypatch.setattr(systems, "peers", lambda: {"length-of": script})


@pytest.mark.usefixtures("names")
def test_every_name_becomes_its_system(model: Path, tmp_path: Path) -> None:
    assert {"default", "spread", "luck", "length-of"} <= set(system_names())
    found: System = find_system(str(model), aggregation="concat")
    assert isinstance(found, Encoder)
    assert found.aggregation == "concat"
    statistic = find_system("spread", training=noises(3), cache=tmp_path / "cache")
    assert isinstance(statistic, Statistic)
    assert len(statistic.mean) == 3
    assert (tmp_path / "cache").is_dir()
    peer = find_system("length-of", training=noises(3), fitted_on="the set itself")
    assert isinstance(peer, Peer)
    assert peer.identity.endswith("the set itself")
    luck = find_system("luck", training=noises(3))
    assert isinstance(luck, Chance)
    assert len(luck.training) == 3


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("name", "meant"), [("sprat", "spread"), ("lenght-of", "length-of"), ("defualt", "default")]
)
def test_a_name_that_is_none_gets_its_neighbors(name: str, meant: str) -> None:
    with pytest.raises(ModelError, match=f"no model '{name}'; did you mean {meant}"):
        require_system(name)
    with pytest.raises(ModelError, match="no model 'zzzzzzzz': no such folder, and the names are"):
        find_system("zzzzzzzz")
