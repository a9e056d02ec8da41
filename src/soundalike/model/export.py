"""Model -> one ONNX graph, from samples to unit vectors.

    audio float32 [segments, samples]   ->   embedding float32 [segments, D]

`segments` may be any number from 1; `samples` is fixed, L of the model. ONNX Runtime computes this
graph where PyTorch is not installed, and because the spectrogram is part of it, no second
implementation of it exists. Nothing is written that differs from PyTorch's answer.

Numbers that need not be stored are not: weights that fit float16 are kept as that and cast back, as
are the kernels of the constant-Q spectrogram, and those of the log-mel spectrogram are computed. ONNX
Runtime does both once, when loading the file.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from soundalike.audio.melspectrogram import LogMel, LogMelSettings, hann
from soundalike.errors import ModelError
from soundalike.model.checkpoint import model_config, replacing, stored_tensors, write_model
from soundalike.model.waveform_encoder import SegmentEncoder

GRAPH_FILE = "model.onnx"
LARGEST_DEVIATION = 1e-4
"""Of the cosine between PyTorch's and ONNX Runtime's vector from 1; rounding alone makes 1e-7."""

OPSET = 20
"""Of ONNX operators; ONNX Runtime 1.20, the oldest this package runs with, reads up to 21."""

SMALL = 256
"""Initialisers of fewer numbers stay as they are: a cast would take as many bytes as it saves."""


def export_folder(model: SegmentEncoder, folder: str | Path) -> str:
    """Write the complete model folder: config.json, model.safetensors and model.onnx.

    Weights are rounded to float16 once, and both files hold the rounded ones.

    Returns:
        The identity.

    Raises:
        ModelError: a weight does not fit float16, or the graph does not give PyTorch's vectors.
    """
    tensors = stored_tensors(model, torch.float16)
    config = model_config(model, tensors)
    graph = checked_graph(model, tensors, config)
    with replacing(Path(folder)) as work:
        write_model(work, config, tensors)
        onnx.save(graph, work / GRAPH_FILE)
    return str(config["identity"])


def export_onnx(
    model: SegmentEncoder, path: str | Path, *, dtype: torch.dtype = torch.float32
) -> None:
    """Write `model` as one ONNX file, with its name, identity and sample rate as metadata.

    Args:
        dtype: to which the weights are rounded first, float16 or float32.

    Raises:
        ValueError: another dtype.
        ModelError: a weight does not fit it, or the graph does not give PyTorch's vectors.
    """
    tensors = stored_tensors(model, dtype)
    graph = checked_graph(model, tensors, model_config(model, tensors))
    with replacing(Path(path).parent) as work:
        onnx.save(graph, work / Path(path).name)


def checked_graph(
    model: SegmentEncoder, tensors: Mapping[str, Tensor], config: Mapping[str, Any]
) -> onnx.ModelProto:
    """The graph of `model` with the weights `tensors`, after it has proven right."""
    model = copy.deepcopy(model).cpu().eval()
    model.load_state_dict(tensors)
    graph = _traced(model)
    _strip(graph)
    _drop_zero_biases(graph)
    for name, part in model.named_modules():
        if isinstance(part, LogMel):
            _compute_waves(graph, f"{name}.waves", part.settings)
    _store_half(graph)
    properties = {
        "name": config["name"],
        "identity": config["identity"],
        "sample_rate": str(model.settings.sample_rate),
    }
    onnx.helper.set_model_props(graph, properties)
    onnx.checker.check_model(graph, full_check=True)
    _compare(graph, model)
    return graph


def _traced(model: SegmentEncoder) -> onnx.ModelProto:
    # Three segments: PyTorch takes a size of 1 in the example for a constant.
    example = torch.zeros(3, model.settings.samples)
    with _quiet_exporter():
        program = torch.onnx.export(
            model,
            (example,),
            input_names=["audio"],
            output_names=["embedding"],
            dynamic_shapes=({0: torch.export.Dim("segments")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            # The optimiser would fold batch norms into weights that no longer fit float16. ONNX
            # Runtime folds them too, but in memory.
            optimize=not any(isinstance(part, _BatchNorm) for part in model.modules()),
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep PyTorch's exporter from reporting on itself: it misses torchvision, which we do not use,
    and calls functions that PyTorch has deprecated.
    """
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def _strip(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: source lines, and paths of the machine it ran on."""
    graph = model.graph
    del graph.value_info[:]
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""


def _drop_zero_biases(model: onnx.ModelProto) -> None:
    """Let convolutions without a bias have none, where the exporter computes one of zeros for them.

    ONNX Runtime lays out channels as a processor wants them only where all of a convolution's weights are
    constants; then it takes half of the time. `_compare` would notice a bias that is not zero.
    """
    graph = model.graph
    made_by = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type != "Conv" or len(node.input) < 3:
            continue
        bias = made_by.get(node.input[2])
        if bias is not None and bias.op_type == "Expand":
            del node.input[2]
    wanted = {result.name for result in graph.output}
    for node in reversed(list(graph.node)):  # what nobody reads any more; nodes stand in order
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)


# Storing less -------------------------------------------------------------------------------------


def _compute_waves(model: onnx.ModelProto, name: str, settings: LogMelSettings) -> None:
    """Replace the stored waves `name` of a log-mel, half a megabyte, by their formula.

    That is audio/melspectrogram.fourier_waves, step by step.
    """
    graph = model.graph
    stored = [tensor for tensor in graph.initializer if tensor.name == name]
    if not stored:
        return
    constants = {
        "bin": np.arange(settings.n_fft // 2 + 1),
        "sample": (2 * np.arange(settings.window // 2) + 1 - settings.window)[:, None],
        "advance": np.array([settings.n_fft // 2, 0])[:, None, None],
        "turn": np.array(2 * settings.n_fft),
        "radians": np.array(np.pi / settings.n_fft),
        "hann": hann(settings)[:, None],
    }
    steps: list[tuple[str, str, dict[str, int]]] = [
        ("Mul", "sample", {}),
        ("Add", "advance", {}),
        ("Mod", "turn", {}),
        ("Cast", "", {"to": onnx.TensorProto.DOUBLE}),
        ("Mul", "radians", {}),
        ("Sin", "", {}),
        ("Mul", "hann", {}),
        ("Cast", "", {"to": onnx.TensorProto.FLOAT}),
    ]
    graph.initializer.remove(stored[0])
    for key, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(value, f"{name}.{key}"))
    current = f"{name}.bin"
    for i, (operator, other, attributes) in enumerate(steps):
        inputs = [current, f"{name}.{other}"] if other else [current]
        current = name if i == len(steps) - 1 else f"{name}.step_{i}"
        graph.node.insert(i, onnx.helper.make_node(operator, inputs, [current], **attributes))


def _store_half(model: onnx.ModelProto) -> None:
    """Store as float16 every large initialiser that loses nothing by it, and cast it back."""
    graph = model.graph
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = f"{tensor.name}_half"
        cast = onnx.helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(half, name))


# Proving ------------------------------------------------------------------------------------------


def _compare(graph: onnx.ModelProto, model: SegmentEncoder) -> None:
    """Raise if ONNX Runtime and PyTorch differ on noise; on two segments, having traced three."""
    noise = torch.randn(2, model.settings.samples, generator=torch.Generator().manual_seed(0)) / 10
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # of what it could not compute beforehand nobody need hear
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (answer,) = session.run(["embedding"], {"audio": noise.numpy()})
    with torch.inference_mode():
        expected = model(noise)
    cosine = float((torch.from_numpy(answer) * expected).sum(dim=1).min())
    # Written so that not-a-number fails too.
    if not cosine >= 1 - LARGEST_DEVIATION:
        raise ModelError(
            f"{model.settings.name}: exported graph and PyTorch agree only to cosine {cosine:.6f} "
            f"on noise, {1 - LARGEST_DEVIATION} is required; nothing was written"
        )
