"""Stand-ins for tests: a model folder that ONNX Runtime runs, and tones written as audio files.

The fake model hears pitch: element d of its vector is the strength of the sound around frequency d
of a fixed row, so two sounds are similar as far as they share frequencies; nothing is learned or
random. With senses it is a joined model: the first of them hears the lowest frequencies alone, and so on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

FRAME = 512  # samples the model looks at together


def band_frequencies(dimension: int, sample_rate: int) -> npt.NDArray[np.float64]:
    """The frequencies the fake model hears, Hz [dimension]: 110 Hz to a third of the rate."""
    return np.geomspace(110.0, sample_rate / 3, dimension)


def write_fake_model(
    folder: Path,
    *,
    name: str = "fake",
    dimension: int = 8,
    sample_rate: int = 16_000,
    length: float = 2.0,
    count: int = 3,
    senses: Mapping[str, float] | None = None,
) -> Path:
    """Write config.json and model.onnx into `folder` (made if missing) and return it.

    `senses` are weights by name, from low frequencies to high; they share the columns evenly.
    """
    folder.mkdir(parents=True, exist_ok=True)
    samples = round(length * sample_rate)
    frames = samples // FRAME
    phase = 2 * np.pi * np.outer(np.arange(FRAME), band_frequencies(dimension, sample_rate))
    window = np.hanning(FRAME)[:, None]
    constants: dict[str, npt.NDArray[Any]] = {
        "kept": np.array([frames * FRAME], np.int64),
        "zero": np.array([0], np.int64),
        "axis": np.array([1], np.int64),
        "shape": np.array([-1, frames, FRAME], np.int64),
        "cosines": (window * np.cos(phase / sample_rate)).astype(np.float32),
        "sines": (window * np.sin(phase / sample_rate)).astype(np.float32),
        "tiny": np.array([1e-12], np.float32),
    }
    columns = _columns(senses or {}, dimension)
    nodes = [
        *_amplitude(),
        *(_joined(senses, columns, constants) if senses else [_unit("amplitude", "embedding")]),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["segments", samples])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["segments", dimension])],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), folder / "model.onnx")
    config = {
        "name": name,
        "identity": f"{name}@{dimension:06x}{sample_rate:06x}",
        "format": 1,
        "kind": "ast",
        "front_end": {"sample_rate": sample_rate},
        "encoder": {},
        "readout": {},
        "segments": {"length": length, "count": count},
        "dimension": dimension,
    }
    if senses:
        config |= {"format": 2, "kind": "senses", "senses": columns}
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return folder


def _amplitude() -> list[onnx.NodeProto]:
    """The strength of the sound around each frequency: audio [S, L] -> amplitude [S, D]."""
    return [
        helper.make_node("Slice", ["audio", "zero", "kept", "axis"], ["whole"]),
        helper.make_node("Reshape", ["whole", "shape"], ["framed"]),
        helper.make_node("MatMul", ["framed", "cosines"], ["real"]),
        helper.make_node("MatMul", ["framed", "sines"], ["imaginary"]),
        helper.make_node("Mul", ["real", "real"], ["real2"]),
        helper.make_node("Mul", ["imaginary", "imaginary"], ["imaginary2"]),
        helper.make_node("Add", ["real2", "imaginary2"], ["power"]),
        helper.make_node("ReduceMean", ["power", "axis"], ["energy"], keepdims=0),
        helper.make_node("Add", ["energy", "tiny"], ["positive"]),
        helper.make_node("Sqrt", ["positive"], ["amplitude"]),
    ]


def _columns(senses: Mapping[str, float], dimension: int) -> dict[str, list[int]]:
    width = dimension // max(len(senses), 1)
    return {sense: [i * width, (i + 1) * width] for i, sense in enumerate(senses)}


def _joined(
    weights: Mapping[str, float],
    columns: dict[str, list[int]],
    constants: dict[str, npt.NDArray[Any]],
) -> list[onnx.NodeProto]:
    """Each sense at unit length, times the square root of its share, side by side."""
    nodes = []
    for sense, (first, past) in columns.items():
        constants[f"first_{sense}"] = np.array([first], np.int64)
        constants[f"past_{sense}"] = np.array([past], np.int64)
        share = weights[sense] / sum(weights.values())
        constants[f"root_{sense}"] = np.array([np.sqrt(share)], np.float32)
        nodes += [
            helper.make_node(
                "Slice",
                ["amplitude", f"first_{sense}", f"past_{sense}", "axis"],
                [f"own_{sense}"],
            ),
            _unit(f"own_{sense}", f"unit_{sense}"),
            helper.make_node("Mul", [f"unit_{sense}", f"root_{sense}"], [f"part_{sense}"]),
        ]
    parts = [f"part_{sense}" for sense in columns]
    return [*nodes, helper.make_node("Concat", parts, ["embedding"], axis=1)]


def _unit(source: str, target: str) -> onnx.NodeProto:
    return helper.make_node("LpNormalization", [source], [target], axis=1, p=2)


def tone(
    frequency: float, duration: float, *, sample_rate: int = 16_000, level: float = 0.5
) -> npt.NDArray[np.float32]:
    """A sine, float32 [T]."""
    t = np.arange(round(duration * sample_rate)) / sample_rate
    return (level * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def write_tone(
    path: Path,
    frequency: float,
    duration: float,
    *,
    sample_rate: int = 16_000,
    level: float = 0.5,
    tags: dict[str, str] | None = None,
) -> Path:
    """Write a mono sine; the ending picks the format: .wav, .flac (16 bit), .mp3, .m4a, .opus."""
    waveform = tone(frequency, duration, sample_rate=sample_rate, level=level)
    return write_sound(path, waveform[None], sample_rate=sample_rate, tags=tags)


CODECS = {
    ".wav": "pcm_s16le",
    ".flac": "flac",
    ".mp3": "libmp3lame",
    ".m4a": "aac",
    ".opus": "libopus",
}


def write_sound(
    path: Path,
    channels: npt.NDArray[np.float32],
    *,
    sample_rate: int,
    codec: str | None = None,
    layout: str | None = None,
    tags: dict[str, str] | None = None,
    container: str | None = None,
    sample_format: str | None = None,
    bit_rate: int | None = None,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
) -> Path:
    """Encode float32 [C, T] with any FFmpeg codec; opus wants 48 kHz (or 8, 12, 16, 24)."""
    layout = layout or {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[len(channels)]
    sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), "fltp", layout)
    sound.sample_rate = sample_rate
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container, options=muxer or {}) as file:
        file.metadata.update(tags or {})
        stream = file.add_stream(
            codec or CODECS[path.suffix], rate=sample_rate, layout=layout, options=options or {}
        )
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        form = sample_format or stream.codec_context.codec.audio_formats[0].name
        stream.codec_context.format = form
        converter = av.AudioResampler(form, layout, sample_rate)
        at = 0
        for frame in [*converter.resample(sound), *converter.resample(None)]:
            frame.pts, at = at, at + frame.samples
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path
