"""Tests of soundalike.embedder with a stand-in model that hears pitch (fake_model.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_model import band_frequencies, tone, write_fake_model, write_sound, write_tone
from soundalike import embedder as module
from soundalike.audio.segments import Segment
from soundalike.audio.waveform import load_audio
from soundalike.embedder import Embedder, TrackVectors, sense_of, shipped_models
from soundalike.errors import AudioError, ModelError, QueryError

RATE = 16_000
SAMPLES = 2 * RATE
BANDS = band_frequencies(8, RATE)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("models") / "fake")


@pytest.fixture(scope="module")
def embedder(model) -> Embedder:
    return Embedder(model)


@pytest.fixture(scope="module")
def music(tmp_path_factory) -> list[Path]:
    """Eight files, one for each frequency the model hears, of different lengths and formats."""
    folder = tmp_path_factory.mktemp("music")
    endings = [".wav", ".flac", ".mp3", ".m4a"] * 2
    return [
        write_tone(folder / f"{i}{ending}", BANDS[i], 3.0 + 2 * i, tags={"title": f"No. {i}"})
        for i, ending in enumerate(endings)
    ]


@pytest.fixture
def counted(embedder, monkeypatch) -> list[int]:
    """The sizes of the batches that reach the encoder."""
    sizes: list[int] = []
    run = module._run
    monkeypatch.setattr(
        module,
        "_run",
        lambda session, batch, senses: sizes.append(len(batch)) or run(session, batch, senses),
    )
    return sizes


# --- from sound to vectors ----------------------------------------------------------------------


def test_an_embedder_says_what_it_is(embedder):
    assert (embedder.name, embedder.identity) == ("fake", "fake@000008003e80")
    assert (embedder.dimension, embedder.sample_rate) == (8, RATE)
    assert (embedder.segment_length, embedder.segment_count) == (2.0, 3)
    assert repr(embedder) == "Embedder(fake@000008003e80)"


def test_segments_become_unit_vectors_that_tell_what_was_heard(embedder):
    vectors = embedder.embed_segments(np.stack([tone(f, 2.0) for f in BANDS]))
    assert vectors.dtype == np.float32
    assert vectors.shape == (8, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(vectors, np.eye(8), atol=0.05)


def test_vectors_are_scaled_to_unit_length_when_the_model_does_not(tmp_path, embedder):
    folder = write_fake_model(tmp_path / "long")
    graph = onnx.load(folder / "model.onnx")
    last = graph.graph.node[-1]
    last.op_type = "Identity"
    del last.attribute[:]
    onnx.save(graph, folder / "model.onnx")
    segments = np.stack([tone(f, 2.0, level=0.1) for f in (300.0, 500.0)])
    vectors = Embedder(folder).embed_segments(segments)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(vectors, embedder.embed_segments(segments), atol=1e-5)


@pytest.mark.parametrize("shape", [(SAMPLES,), (2, SAMPLES - 1), (0, SAMPLES), (1, 1, SAMPLES)])
def test_segments_of_another_shape_are_refused(embedder, shape):
    with pytest.raises(ValueError, match=r"fake takes \[S, 32000\], 2 s at 16000 Hz"):
        embedder.embed_segments(np.ones(shape, np.float32))


def test_a_waveform_is_heard_at_its_grid(embedder):
    waveform = np.concatenate([tone(f, 4.0) for f in BANDS[[1, 4, 6]]])
    np.testing.assert_allclose(embedder.embed_waveform(waveform), np.eye(8)[[1, 4, 6]], atol=0.05)


def test_a_waveform_and_its_file_give_the_same_vectors(embedder, tmp_path):
    rng = np.random.default_rng(0)
    for duration in (1.2, 2.0, 7.7777):
        sound = rng.uniform(-0.5, 0.5, (1, round(duration * RATE))).astype(np.float32)
        path = write_sound(tmp_path / "a.wav", sound, sample_rate=RATE)
        of_file = embedder.embed_file(path).vectors
        np.testing.assert_array_equal(of_file, embedder.embed_waveform(load_audio(path)))


@pytest.mark.parametrize(
    ("waveform", "words"),
    [
        (np.ones(RATE - 1, np.float32), "at least 1 s"),
        (np.ones((2, SAMPLES), np.float32), "mono"),
        (np.zeros(SAMPLES, np.float32), "silent"),
        (np.full(SAMPLES, np.nan, np.float32), "not finite"),
    ],
)
def test_a_waveform_that_is_no_music_is_refused(embedder, waveform, words):
    with pytest.raises(ValueError, match=words):
        embedder.embed_waveform(waveform)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=3, max_size=3).filter(any))
def test_a_silent_segment_takes_the_vector_of_the_nearest_sounding_one(embedder, sounding):
    waveform = np.concatenate(
        [tone(f, 4.0) * on for f, on in zip(BANDS[[1, 4, 6]], sounding, strict=True)]
    )
    vectors = embedder.embed_waveform(waveform)
    for i, row in enumerate(vectors):
        nearest = min((j for j in range(3) if sounding[j]), key=lambda j: abs(j - i))
        np.testing.assert_array_equal(row, vectors[nearest])
        assert np.argmax(row) == (1, 4, 6)[nearest]


def test_only_distinct_sounding_segments_reach_the_encoder(embedder, tmp_path, counted):
    sound = np.concatenate([tone(440.0, 4.0), np.zeros(4 * RATE, np.float32), tone(880.0, 4.0)])
    embedder.embed_file(write_sound(tmp_path / "a.wav", sound[None], sample_rate=RATE))
    assert counted == [2]
    vectors = embedder.embed_file(write_tone(tmp_path / "b.wav", 440.0, 1.5)).vectors
    assert counted == [2, 1]
    assert vectors.shape == (3, 8)


# --- one file -----------------------------------------------------------------------------------


def test_a_file_gives_its_vectors_length_and_tags(embedder, music):
    track = embedder.embed_file(music[5])
    assert track.path == music[5]
    assert track.duration == pytest.approx(13.0)
    assert track.tags["title"] == "No. 5"
    assert len(track.segments) == 3
    np.testing.assert_allclose(track.vectors, np.eye(8)[[5, 5, 5]], atol=0.05)


def test_an_excerpt_is_heard_alone(embedder, tmp_path):
    waveform = np.concatenate([tone(f, 10.0) for f in BANDS[:3]])
    path = write_sound(tmp_path / "a.flac", waveform[None], sample_rate=RATE)
    track = embedder.embed_file(path, start=10.0, end=20.0)
    assert track.duration == 30.0
    assert track.segments[0].start > 10.0
    assert track.segments[2].end < 20.0
    assert np.argmax(track.vectors, axis=1).tolist() == [1, 1, 1]
    assert np.argmax(embedder.embed_file(path, start=20).vectors, axis=1).tolist() == [2, 2, 2]
    assert np.argmax(embedder.embed_file(path, end=10).vectors, axis=1).tolist() == [0, 0, 0]
    last = embedder.embed_file(path, start=28.5, end=99.0).segments
    assert last == (Segment(28.5, 30.0),) * 3


@pytest.mark.parametrize(("start", "end"), [(5.0, 5.5), (4.0, 2.0), (-1.0, 3.0), (8.0, None)])
def test_an_excerpt_that_is_not_there_is_a_query_error(embedder, music, start, end):
    with pytest.raises(QueryError, match=r"2\.flac|2\.mp3.*the track has 7\.\d s"):
        embedder.embed_file(music[2], start=start, end=end)


def test_a_file_that_is_no_music_is_an_audio_error(embedder, tmp_path):
    with pytest.raises(AudioError, match="no such file"):
        embedder.embed_file(tmp_path / "none.mp3")
    with pytest.raises(AudioError, match="silent"):
        embedder.embed_file(write_tone(tmp_path / "a.wav", 440.0, 5.0, level=0.0))
    with pytest.raises(AudioError, match=r"too short: 0\.4 s"):
        embedder.embed_file(write_tone(tmp_path / "b.wav", 440.0, 0.4))


@pytest.mark.parametrize("factor", [0.0, np.nan, np.inf])
def test_a_vector_without_direction_is_an_audio_error(tmp_path, music, factor):
    folder = write_fake_model(tmp_path / "broken")
    graph = onnx.load(folder / "model.onnx")
    last = graph.graph.node[-1]
    last.op_type, last.input[:] = "Mul", ["amplitude", "factor"]
    del last.attribute[:]
    graph.graph.initializer.append(
        onnx.numpy_helper.from_array(np.array([factor], np.float32), "factor")
    )
    onnx.save(graph, folder / "model.onnx")
    broken = Embedder(folder)
    with pytest.raises(AudioError, match=r"0\.wav: cannot be encoded: .* zero or not finite"):
        broken.embed_file(music[0])
    assert [type(track) for track in broken.embed(music[:2])] == [AudioError, AudioError]
    with pytest.raises(ModelError, match="zero or not finite"):
        broken.embed_waveform(tone(440.0, 3.0))


# --- several senses -----------------------------------------------------------------------------


@pytest.fixture
def low_and_high(model, tmp_path) -> Path:
    """The fake model as one of two senses: what it hears below and above its middle band."""
    folder = Path(shutil.copytree(model, tmp_path / "two"))
    config = json.loads((folder / "config.json").read_text())
    config |= {"format": 2, "kind": "senses", "senses": {"high": [4, 8], "low": [0, 4]}}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_senses_are_known_by_their_columns(low_and_high, embedder):
    two = Embedder(low_and_high)
    assert list(two.senses.items()) == [("low", slice(0, 4)), ("high", slice(4, 8))]
    assert embedder.senses == {}
    chord = tone(BANDS[1], 3.0) + tone(BANDS[6], 3.0) / 4
    vectors = two.embed_waveform(chord)
    np.testing.assert_array_equal(vectors, embedder.embed_waveform(chord))
    low, high = (sense_of(vectors, sense, two.senses) for sense in ("low", "high"))
    np.testing.assert_allclose(low, np.eye(4)[[1, 1, 1]], atol=0.05)
    np.testing.assert_allclose(high, np.eye(4)[[2, 2, 2]], atol=0.05)


@pytest.mark.parametrize("shape", [(5,), (3, 5), (4, 3, 5)])
def test_a_sense_is_its_columns_at_unit_length(shape):
    vectors = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    own = sense_of(vectors, "b", {"a": slice(0, 2), "b": slice(2, 5)})
    assert own.dtype == np.float32
    assert own.shape == (*shape[:-1], 3)
    for found, row in zip(own.reshape(-1, 3), vectors.reshape(-1, 5), strict=True):
        np.testing.assert_allclose(found, row[2:] / np.linalg.norm(row[2:]), atol=1e-6)


def test_a_sense_that_says_nothing_stays_zero():
    own = sense_of(np.zeros((2, 4), np.float32), "a", {"a": slice(0, 2)})
    np.testing.assert_array_equal(own, np.zeros((2, 2)))


def test_an_unknown_sense_is_named_with_those_there_are():
    vectors = np.ones((1, 4), np.float32)
    with pytest.raises(QueryError, match=r"no sense 'smell'; the model has: sound, composition"):
        sense_of(vectors, "smell", {"sound": slice(0, 2), "composition": slice(2, 4)})
    with pytest.raises(QueryError, match=r"no sense 'sound'; the model has: none, for it is"):
        sense_of(vectors, "sound", {})


@pytest.mark.parametrize("factor", [0.0, np.nan])
def test_a_sense_without_direction_is_an_audio_error(low_and_high, music, factor):
    graph = onnx.load(low_and_high / "model.onnx")
    graph.graph.node[-1].output[:] = ["both"]
    last = onnx.helper.make_node("Mul", ["both", "factors"], ["embedding"])
    graph.graph.node.append(last)
    factors = np.repeat([1, factor], 4).astype(np.float32)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(factors, "factors"))
    onnx.save(graph, low_and_high / "model.onnx")
    with pytest.raises(AudioError, match=r"zero or not finite in the columns of high"):
        Embedder(low_and_high).embed_file(music[0])


# --- many files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 3, None])
def test_many_files_give_the_same_bits_as_one_by_one_in_the_same_order(embedder, music, jobs):
    tracks = list(embedder.embed(music, jobs=jobs))
    for path, track in zip(music, tracks, strict=True):
        assert isinstance(track, TrackVectors)
        alone = embedder.embed_file(path)
        assert (track.path, track.duration, track.segments) == (
            path,
            alone.duration,
            alone.segments,
        )
        np.testing.assert_array_equal(track.vectors, alone.vectors)


def test_a_bad_file_comes_back_as_its_error_in_its_place(embedder, music, tmp_path):
    text = tmp_path / "text.mp3"
    text.write_text("no music")
    tracks = list(embedder.embed([music[0], text, str(music[1]), tmp_path], jobs=2))
    assert [type(t) for t in tracks] == [TrackVectors, AudioError, TrackVectors, AudioError]
    assert [t.path for t in tracks] == [music[0], text, music[1], tmp_path]


def test_paths_are_taken_only_as_jobs_become_free(embedder, music):
    taken = []

    def endless():
        while True:
            taken.append(music[0])
            yield music[0]

    tracks = embedder.embed(endless(), jobs=2)
    assert taken == []
    for _ in range(5):
        next(tracks)
    assert len(taken) < 5 + 2 * module.WAITING_PER_JOB
    tracks.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("embed")]


def test_a_fault_of_the_program_is_not_taken_for_a_bad_file(embedder, music, monkeypatch):
    def fault(*_, **__):
        raise RuntimeError("a fault")

    monkeypatch.setattr(module, "listen", fault)
    with pytest.raises(RuntimeError, match="a fault"):
        list(embedder.embed(music, jobs=2))


def test_no_paths_give_no_tracks(embedder):
    assert list(embedder.embed([])) == []


@pytest.mark.parametrize("wrong", [0, -2])
def test_jobs_and_threads_below_one_are_refused(embedder, model, wrong):
    with pytest.raises(ValueError, match=f"jobs is {wrong}"):
        embedder.embed([], jobs=wrong)
    with pytest.raises(ValueError, match=f"threads is {wrong}"):
        Embedder(model, threads=wrong)


def test_more_threads_hear_the_same(model, embedder, music):
    threaded = Embedder(model, threads=2)
    alone = threaded.embed_file(music[3]).vectors
    np.testing.assert_allclose(alone, embedder.embed_file(music[3]).vectors, atol=1e-6)
    (track,) = threaded.embed([music[3]])
    np.testing.assert_array_equal(track.vectors, embedder.embed_file(music[3]).vectors)


# --- finding and reading models -----------------------------------------------------------------


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "weights"
    write_fake_model(folder / "small", name="small")
    write_fake_model(folder / "large", name="large", dimension=12)
    (folder / "default").write_text("small\n")
    monkeypatch.setattr(module, "WEIGHTS", folder)
    return folder


def test_shipped_models_are_found_by_name_and_one_is_the_default(weights):
    assert shipped_models() == ("large", "small")
    assert Embedder().name == "small"
    assert Embedder("large").dimension == 12
    assert Embedder(str(weights / "large")).name == "large"


def test_an_unknown_model_is_named_with_those_there_are(weights, tmp_path):
    with pytest.raises(ModelError, match=r"no model 'smal'.*shipped models are: large, small"):
        Embedder("smal")
    with pytest.raises(ModelError, match="elsewhere"):
        Embedder(tmp_path / "elsewhere")


def test_a_missing_default_is_named(weights):
    (weights / "default").unlink()
    with pytest.raises(ModelError, match="no default model"):
        Embedder()


@pytest.mark.parametrize("name", ["config.json", "model.onnx"])
def test_a_folder_without_its_files_is_no_model(model, tmp_path, name):
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"holds no {name}"):
        Embedder(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 6}, "format 6; this version reads formats 1 to 5"),
        ({"dimension": None}, "config.json: missing or unusable setting"),
        ({"front_end": {}}, "sample_rate"),
        ({"segments": 30}, "config.json: missing or unusable setting"),
        ({"senses": {"a": [0, 3], "b": [4, 8]}}, "do not share out the columns 0 to 8"),
        ({"senses": {"a": [0, 3], "b": [3, 7]}}, "do not share out the columns 0 to 8"),
        ({"senses": {"a": [1, 3], "b": [3, 8]}}, "do not share out the columns 0 to 8"),
        ({"senses": {"a": [0, 3, 8]}}, "config.json: missing or unusable setting"),
        ({"senses": {"a": 8}}, "config.json: missing or unusable setting"),
        ({"senses": ["a"]}, "config.json: missing or unusable setting"),
        ({"dimension": 9}, r"expected audio \[S, L\] -> embedding \[S, 9\]"),
    ],
)
def test_a_config_that_does_not_fit_is_a_model_error(model, tmp_path, change, words):
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ModelError, match=words):
        Embedder(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '"ast"'])
def test_a_config_that_is_no_config_is_a_model_error(model, tmp_path, content):
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    (folder / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"config\.json"):
        Embedder(folder)


def test_corrupt_weights_are_a_model_error(model, tmp_path):
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    content = (folder / "model.onnx").read_bytes()
    for damaged in (b"", b"version https://git-lfs...", content[: len(content) // 2]):
        (folder / "model.onnx").write_bytes(damaged)
        with pytest.raises(ModelError, match=r"model\.onnx"):
            Embedder(folder)


def test_a_graph_of_other_weights_is_refused(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "mixed")
    graph = onnx.load(folder / "model.onnx")
    entry = graph.metadata_props.add()
    entry.key, entry.value = "identity", "fake@000000000000"
    onnx.save(graph, folder / "model.onnx")
    with pytest.raises(ModelError, match="exported from fake@000000000000"):
        Embedder(folder)


def test_importing_waits_for_neither_torch_nor_onnxruntime():
    script = (
        "import sys, soundalike.embedder\n"
        "print([name for name in ('torch', 'onnxruntime', 'lancedb') if name in sys.modules])"
    )
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(source)},
        check=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"
