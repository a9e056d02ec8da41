"""Published AST checkpoints -> WaveformEncoder.

In: a folder of the transformers library, or its name on the Hugging Face hub: config.json,
model.safetensors, and preprocessor_config.json where there is one. Out: our network with the same
weights, which gives the same numbers, for segments of any length.

A published model looks at 10.24 s. Its position table is stretched along time for longer segments,
bilinearly as the authors of AST did when they adapted it from images (Gong et al. 2021, section
2.2), and cut for shorter ones, which they found better than shrinking it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from soundalike.audio.melspectrogram import LogMelSettings
from soundalike.errors import ModelError
from soundalike.model.checkpoint import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    load_tensors,
    local_folder,
    read_json,
    read_tensors,
)
from soundalike.model.encoder import ASTSettings
from soundalike.model.waveform_encoder import ModelSettings, SegmentSettings, WaveformEncoder

PREPROCESSOR_FILE = "preprocessor_config.json"
PREFIX = "audio_spectrogram_transformer."
"""Before each name when the file holds a classifier; the classifier itself is left behind."""

LAYER_NAMES = {
    "attention_norm": "layernorm_before",
    "attention_out": "attention.output.dense",
    "mlp_norm": "layernorm_after",
    "mlp_in": "intermediate.dense",
    "mlp_out": "output.dense",
}
"""Module of our Block -> module of theirs."""


def load_published_ast(source: str | Path, *, length: float = 30.0) -> WaveformEncoder:
    """Read a published AST checkpoint.

    Args:
        source: a folder, or "organisation/name" on the hub.
        length: seconds per segment.

    Returns:
        The encoder in evaluation mode, its read-out not fitted, pooling over the class tokens.

    Raises:
        ModelError: naming the file and the reason: missing, corrupt, or not such a model.
    """
    files = (CONFIG_FILE, WEIGHTS_FILE, PREPROCESSOR_FILE)
    folder = local_folder(source, files, revision=None)
    config = _read_published_config(folder / CONFIG_FILE)
    name = re.sub(r"[^a-z0-9]+", "-", Path(source).name.lower()).strip("-") or "published-ast"
    try:
        published = _encoder(config, config["max_length"])
        model = WaveformEncoder(_settings(folder, config, name=name, length=length))
    except KeyError as error:
        raise ModelError(f"{folder / CONFIG_FILE}: missing key {error}") from error
    except (TypeError, ValueError) as error:
        raise ModelError(f"{folder / CONFIG_FILE}: {error}") from error
    theirs = read_tensors(folder / WEIGHTS_FILE)
    theirs = {name.removeprefix(PREFIX): tensor.float() for name, tensor in theirs.items()}
    try:
        ours = _rename(theirs, model.settings.ast, published=published)
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"{folder / WEIGHTS_FILE}: tensor missing or misshapen: {error}"
        ) from error
    # The read-out is ours alone and starts as the identity.
    ours |= {f"readout.{name}": tensor for name, tensor in model.readout.state_dict().items()}
    load_tensors(model, ours, folder / WEIGHTS_FILE)
    return model.eval()


def _read_published_config(path: Path) -> dict[str, Any]:
    """config.json of a model that our AST can compute; their library knows variants it cannot."""
    config = read_json(path)
    expected = {
        "model_type": "audio-spectrogram-transformer",
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "qkv_bias": True,
    }
    for key, value in expected.items():
        if config.get(key, value if key != "model_type" else None) != value:
            raise ModelError(f"{path}: {key}={config.get(key)!r}, this reads {value!r} only")
    return config


def _settings(
    folder: Path, config: Mapping[str, Any], *, name: str, length: float
) -> ModelSettings:
    """All settings of our network, for segments of `length` seconds."""
    has_statistics = (folder / PREPROCESSOR_FILE).exists()
    statistics = read_json(folder / PREPROCESSOR_FILE) if has_statistics else {}
    front_end = _front_end(config, statistics)
    return ModelSettings(
        name=name,
        segments=SegmentSettings(length=length),
        front_end=front_end,
        ast=_encoder(config, front_end.frames(round(length * front_end.sample_rate))),
    )


def _front_end(config: Mapping[str, Any], statistics: Mapping[str, Any]) -> LogMelSettings:
    """Their feature extractor's settings; without `do_normalize` the log-mel stays as it is."""
    settings = LogMelSettings.published_ast()
    rate = statistics.get("sampling_rate", settings.sample_rate)
    normalise = statistics.get("do_normalize", True)
    return dataclasses.replace(
        settings,
        sample_rate=rate,
        window=rate * 25 // 1_000,
        hop=rate * 10 // 1_000,
        n_mels=config["num_mel_bins"],
        f_max=rate / 2,
        mean=statistics.get("mean", settings.mean) if normalise else 0.0,
        std=statistics.get("std", settings.std) if normalise else 0.5,
    )


def _encoder(config: Mapping[str, Any], max_frames: int) -> ASTSettings:
    return ASTSettings(
        n_mels=config["num_mel_bins"],
        max_frames=max_frames,
        patch_mels=config["patch_size"],
        patch_frames=config["patch_size"],
        stride_mels=config["frequency_stride"],
        stride_frames=config["time_stride"],
        width=config["hidden_size"],
        depth=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        hidden=config["intermediate_size"],
        pooling="class",
    )


def _rename(
    theirs: Mapping[str, Tensor], settings: ASTSettings, *, published: ASTSettings
) -> dict[str, Tensor]:
    """Their tensors under our names, the positions fitted to `settings`."""
    embeddings, projection = "embeddings.", "embeddings.patch_embeddings.projection."
    positions = theirs[embeddings + "position_embeddings"]  # [1, 2 + rows * columns, D]
    table = positions[:, 2:].reshape(1, *published.grid, published.width)
    ours = {
        "patches.weight": theirs[projection + "weight"],
        "patches.bias": theirs[projection + "bias"],
        "class_tokens": torch.cat(
            [theirs[embeddings + "cls_token"], theirs[embeddings + "distillation_token"]], dim=1
        ),
        "class_positions": positions[:, :2].contiguous(),
        "patch_positions": stretch_positions(table, settings.grid[1]),
        "norm.weight": theirs["layernorm.weight"],
        "norm.bias": theirs["layernorm.bias"],
    }
    for i in range(settings.depth):
        layer = f"encoder.layer.{i}."
        for part in ("weight", "bias"):
            for name, their_name in LAYER_NAMES.items():
                ours[f"blocks.{i}.{name}.{part}"] = theirs[f"{layer}{their_name}.{part}"]
            ours[f"blocks.{i}.query_key_value.{part}"] = torch.cat(
                [
                    theirs[f"{layer}attention.attention.{n}.{part}"]
                    for n in ("query", "key", "value")
                ]
            )
    return {f"encoder.{name}": tensor for name, tensor in ours.items()}


def stretch_positions(table: Tensor, columns: int) -> Tensor:
    """Fit positions [1, rows, c, D] to [1, rows, columns, D] along time: stretch, or cut."""
    if columns <= table.shape[2]:
        return table[:, :, :columns].contiguous()
    size = (table.shape[1], columns)
    stretched = F.interpolate(table.permute(0, 3, 1, 2), size, mode="bilinear", align_corners=False)
    return stretched.permute(0, 2, 3, 1).contiguous()
