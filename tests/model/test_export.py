from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from soundalike.audio.melspectrogram import LogMelSettings, fourier_waves
from soundalike.errors import ModelError
from soundalike.model import export
from soundalike.model.cepstrum import CepstrumSettings
from soundalike.model.checkpoint import from_pretrained, save_pretrained
from soundalike.model.export import export_folder, export_onnx
from soundalike.model.senses import join
from soundalike.model.waveform_encoder import (
    ModelSettings,
    ReadoutSettings,
    SegmentEncoder,
    WaveformEncoder,
)


def _trained(settings: ModelSettings) -> WaveformEncoder:
    """Random weights, with a fitted read-out and norms that have seen data."""
    torch.manual_seed(0)
    model = WaveformEncoder(settings).train()
    with torch.no_grad():
        model.encoder(model.front_end(torch.randn(8, settings.samples) / 10))
    model.readout.fit(torch.randn(100, model.dimension) + 1)
    return model


@pytest.fixture(scope="module")
def ast_folder(tiny_ast: ModelSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ast")
    export_folder(_trained(tiny_ast), folder)
    return folder


@pytest.fixture(scope="module")
def cnn_folder(tiny_sample_cnn: ModelSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cnn")
    export_folder(_trained(tiny_sample_cnn), folder)
    return folder


@pytest.fixture(scope="module")
def pitch_folder(tiny_pitch_cnn: ModelSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pitch")
    export_folder(_trained(tiny_pitch_cnn), folder)
    return folder


@pytest.fixture(scope="module")
def senses_folder(
    tiny_ast: ModelSettings, tiny_pitch_cnn: ModelSettings, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("senses")
    two_layers = replace(tiny_ast, readout=ReadoutSettings((1, 2), (1,)))
    parts = {"sound": _trained(two_layers), "composition": _trained(tiny_pitch_cnn)}
    export_folder(join(parts, {"sound": 2.0, "composition": 1.0}, "tiny-senses"), folder)
    return folder


@pytest.fixture(scope="module")
def nested_folder(
    tiny_ast: ModelSettings,
    tiny_timbre_cnn: ModelSettings,
    tiny_pitch_cnn: ModelSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """As what ships: sound is two networks, one that looks at every other patch, and statistics."""
    folder = tmp_path_factory.mktemp("nested")
    thinned = replace(tiny_ast, readout=ReadoutSettings((1, 2), (1,), thinning=2))
    cepstrum = replace(
        tiny_ast,
        name="tiny-cepstrum",
        kind="cepstrum",
        cepstrum=CepstrumSettings(n_mels=32, coefficients=5, lags=(1, 7)),
    )
    three = {
        "transformer": _trained(thinned),
        "timbre": _trained(tiny_timbre_cnn),
        "cepstrum": _trained(cepstrum),
    }
    sound = join(three, {"transformer": 4.0, "timbre": 4.0, "cepstrum": 1.0}, "tiny-sound")
    parts = {"sound": sound, "composition": _trained(tiny_pitch_cnn)}
    export_folder(join(parts, {"sound": 2.0, "composition": 1.0}, "tiny-nested"), folder)
    return folder


@pytest.fixture(
    params=["ast_folder", "cnn_folder", "pitch_folder", "senses_folder", "nested_folder"]
)
def folder(request: pytest.FixtureRequest) -> Path:
    """A complete model folder, of each kind of encoder."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_no_pool_rounds_up(nested_folder: Path) -> None:
    # What is left over is divided by the whole window before ONNX Runtime 1.21.
    graph = onnx.load(nested_folder / "model.onnx").graph
    pools = [node for node in graph.node if node.op_type == "AveragePool"]
    assert pools
    assert not any(a.i for node in pools for a in node.attribute if a.name == "ceil_mode")


def test_weights_of_convolutions_are_constants(nested_folder: Path) -> None:
    # Else ONNX Runtime does not lay out channels as the processor wants them.
    graph = onnx.load(nested_folder / "model.onnx").graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    kinds = {made_by.get(i, "") for n in graph.node if n.op_type == "Conv" for i in n.input[1:]}
    assert kinds <= {"", "Cast", "Concat", "Identity"}


def _session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def _sounds(model: SegmentEncoder, segments: int) -> torch.Tensor:
    """Noise, tones and near silence."""
    time = torch.arange(model.settings.samples) / model.settings.sample_rate
    tones = torch.sin(2 * torch.pi * time * torch.linspace(50, 900, segments)[:, None])
    noise = torch.randn(tones.shape, generator=torch.Generator().manual_seed(1))
    return torch.cat([noise / 10, tones / 2, noise * 1e-5])[:: 3 if segments > 1 else 1][:segments]


@pytest.mark.parametrize("segments", [1, 2, 7])
def test_any_number_of_segments_gives_the_vectors_of_pytorch(folder: Path, segments: int) -> None:
    model = from_pretrained(folder)
    audio = _sounds(model, segments)
    (found,) = _session(folder / "model.onnx").run(["embedding"], {"audio": audio.numpy()})
    assert found.shape == (segments, model.dimension)
    assert found.dtype == np.float32
    with torch.inference_mode():
        expected = model(audio).numpy()
    assert (found * expected).sum(axis=1).min() > 1 - 1e-5
    assert np.abs(found - expected).max() < 1e-4


def test_answers_are_repeatable_to_the_bit(folder: Path) -> None:
    audio = _sounds(from_pretrained(folder), 3).numpy()
    first, second = (_session(folder / "model.onnx") for _ in range(2))
    answers = [s.run(None, {"audio": audio})[0] for s in (first, first, second)]
    assert all(np.array_equal(answers[0], answer) for answer in answers[1:])


def test_graph_says_what_it_takes_and_whose_it_is(folder: Path) -> None:
    session = _session(folder / "model.onnx")
    settings = from_pretrained(folder).settings
    (audio,), (embedding,) = session.get_inputs(), session.get_outputs()
    assert (audio.name, audio.type) == ("audio", "tensor(float)")
    assert audio.shape == ["segments", settings.samples]
    assert (embedding.name, embedding.type) == ("embedding", "tensor(float)")
    config = json.loads((folder / "config.json").read_text())
    assert embedding.shape == ["segments", config["dimension"]]
    assert session.get_modelmeta().custom_metadata_map == {
        "name": config["name"],
        "identity": config["identity"],
        "sample_rate": str(settings.sample_rate),
    }


def test_both_files_hold_the_same_rounded_weights(folder: Path) -> None:
    tensors = from_pretrained(folder).state_dict()
    graph = onnx.load(folder / "model.onnx").graph
    stored = [numpy_helper.to_array(tensor) for tensor in graph.initializer]
    half = {np.sort(array.ravel()).tobytes() for array in stored if array.dtype == np.float16}
    large = [t for name, t in tensors.items() if t.numel() >= 256 and t.is_floating_point()]
    assert len(large) > 3
    for tensor in large:  # sorted, since the exporter may transpose a matrix
        assert np.sort(tensor.numpy().ravel()).astype(np.float16).tobytes() in half
    whole = sum(array.size for array in stored if array.dtype == np.float32 and array.ndim > 1)
    assert whole < 0.2 * sum(t.numel() for t in large) + 32 * 129  # the mel filters


def test_nothing_of_the_exporting_machine_is_written(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    for trace in (b"site-packages", b"File ", b".py", str(Path(__file__).parents[2]).encode()):
        assert trace not in content


def test_the_same_model_gives_the_same_files(
    tiny_ast: ModelSettings, ast_folder: Path, tmp_path: Path
) -> None:
    model = _trained(tiny_ast)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    identity = export_folder(model, tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"config.json", "model.safetensors", "model.onnx"}
    for name in names:
        assert (tmp_path / name).read_bytes() == (ast_folder / name).read_bytes()
    assert save_pretrained(model, tmp_path, dtype=torch.float16) == identity
    # The model itself is left as it was, neither rounded nor in another mode.
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_single_precision_is_kept_when_asked_for(tiny_ast: ModelSettings, tmp_path: Path) -> None:
    model = _trained(tiny_ast).eval()
    export_onnx(model, tmp_path / "deep" / "single.onnx", dtype=torch.float32)
    audio = _sounds(model, 3)
    (found,) = _session(tmp_path / "deep" / "single.onnx").run(None, {"audio": audio.numpy()})
    with torch.inference_mode():
        assert np.abs(found - model(audio).numpy()).max() < 1e-5
    types = {
        tensor.data_type for tensor in onnx.load(tmp_path / "deep/single.onnx").graph.initializer
    }
    assert onnx.TensorProto.FLOAT16 not in types


def test_a_graph_that_answers_differently_is_not_written(
    ast_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = onnx.load(ast_folder / "model.onnx")
    largest = max(damaged.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    array = numpy_helper.to_array(largest)
    largest.CopyFrom(numpy_helper.from_array(-array, largest.name))
    monkeypatch.setattr(export, "_traced", lambda model: damaged)
    with pytest.raises(ModelError, match=r"tiny-ast: exported graph and PyTorch agree only to"):
        export_folder(from_pretrained(ast_folder), tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("window", [256, 400, 512])
def test_computed_waves_equal_the_stored_ones(window: int) -> None:
    settings = LogMelSettings(window=window)
    expected = fourier_waves(settings)
    stored = numpy_helper.from_array(expected, "front_end.waves")
    output = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, expected.shape)
    last = onnx.helper.make_node("Identity", ["front_end.waves"], ["out"])
    model = onnx.helper.make_model(onnx.helper.make_graph([last], "g", [], [output], [stored]))
    export._compute_waves(model, "front_end.waves", settings)
    assert all(tensor.name != "front_end.waves" for tensor in model.graph.initializer)
    (computed,) = ReferenceEvaluator(model).run(None, {})
    assert computed.dtype == np.float32
    assert np.abs(computed - expected).max() < 1e-7
