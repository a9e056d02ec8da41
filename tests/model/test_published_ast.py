from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import ASTConfig, ASTForAudioClassification, ASTModel

from soundalike.audio.melspectrogram import LogMelSettings
from soundalike.errors import ModelError
from soundalike.model.checkpoint import from_pretrained, save_pretrained
from soundalike.model.published_ast import load_published_ast, stretch_positions

SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "num_mel_bins": 32,
    "max_length": 64,
}


def _publish(folder: Path, cls: type = ASTModel, **config: Any) -> Any:
    """A model of the transformers library with random weights, and its folder."""
    torch.manual_seed(0)
    model = cls(ASTConfig(**config)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(folder)
    return model


def _seconds(frames: int) -> float:
    return ((frames - 1) * 160 + 400) / 16_000


@pytest.mark.parametrize(
    ("config", "frames"),
    [
        (SMALL, 64),
        (SMALL | {"patch_size": 8, "frequency_stride": 5, "time_stride": 7}, 64),
        # The published input and patches; only narrower and less deep.
        ({"hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3,
          "intermediate_size": 192}, 1_024),
    ],
    ids=["small", "other strides", "published size"],
)  # fmt: skip
def test_equals_the_transformers_library(
    tmp_path: Path, config: dict[str, Any], frames: int
) -> None:
    theirs = _publish(tmp_path, **config)
    ours = load_published_ast(tmp_path, length=_seconds(frames))
    log_mel = torch.randn(2, config.get("num_mel_bins", 128), frames)
    with torch.inference_mode():
        expected = theirs(log_mel.transpose(1, 2)).pooler_output
        assert torch.allclose(ours.encoder(log_mel), expected, atol=1e-5)


def test_a_classifier_is_left_behind(tmp_path: Path) -> None:
    theirs = _publish(tmp_path, ASTForAudioClassification, **SMALL)
    ours = load_published_ast(tmp_path, length=_seconds(64))
    log_mel = torch.randn(2, 32, 64)
    with torch.inference_mode():
        body = theirs.audio_spectrogram_transformer
        expected = body(log_mel.transpose(1, 2)).pooler_output
        assert torch.allclose(ours.encoder(log_mel), expected, atol=1e-5)


def test_thirty_seconds_by_default(tmp_path: Path) -> None:
    _publish(tmp_path / "AST_audio 0.4", **SMALL)
    model = load_published_ast(tmp_path / "AST_audio 0.4")
    assert model.settings.name == "ast-audio-0-4"
    assert model.settings.ast.max_frames == 2_998
    assert model.settings.front_end.mean == LogMelSettings.published_ast().mean
    with torch.inference_mode():
        embedding = model(torch.randn(1, 480_000) / 10)
    assert embedding.shape == (1, 24)
    identity = save_pretrained(model, tmp_path / "ours")
    assert identity.startswith("ast-audio-0-4@")
    assert torch.equal(
        from_pretrained(tmp_path / "ours").encoder.patch_positions, model.encoder.patch_positions
    )


def test_statistics_of_the_feature_extractor_are_used(tmp_path: Path) -> None:
    _publish(tmp_path, **SMALL)
    file = tmp_path / "preprocessor_config.json"
    file.write_text('{"mean": -6.6, "std": 5.4, "sampling_rate": 8000}')
    front_end = load_published_ast(tmp_path, length=1.0).settings.front_end
    assert (front_end.mean, front_end.std) == (-6.6, 5.4)
    assert (front_end.sample_rate, front_end.window, front_end.hop) == (8_000, 200, 80)
    file.write_text('{"mean": -6.6, "std": 5.4, "do_normalize": false}')
    front_end = load_published_ast(tmp_path, length=1.0).settings.front_end
    assert (front_end.mean, front_end.std) == (0.0, 0.5)


def test_positions_are_stretched_along_time_only() -> None:
    # A ramp along time stays a ramp, half as steep; rows do not mix.
    ramp = torch.arange(10.0).view(1, 1, 10, 1) + torch.tensor([0.0, 100.0]).view(1, 2, 1, 1)
    stretched = stretch_positions(ramp, 20)
    expected = (torch.arange(20) + 0.5) / 2 - 0.5
    assert torch.allclose(stretched[0, 0, 1:-1, 0], expected[1:-1])
    assert torch.allclose(stretched[0, 1], stretched[0, 0] + 100)
    assert stretched[0, 0, 0, 0] == 0
    assert stretched[0, 0, -1, 0] == 9


def test_positions_are_cut_for_shorter_segments() -> None:
    table = torch.randn(1, 2, 10, 3)
    assert torch.equal(stretch_positions(table, 10), table)
    assert torch.equal(stretch_positions(table, 4), table[:, :, :4])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "vit"}, "config.json: model_type='vit'"),
        ({"hidden_act": "relu"}, "config.json: hidden_act='relu'"),
        ({"num_hidden_layers": 3}, "model.safetensors: tensor missing or misshapen"),
        ({"max_length": 99}, "model.safetensors: tensor missing or misshapen"),
        ({"intermediate_size": 41}, "model.safetensors: .* has shape"),
        ({"num_attention_heads": 5}, "config.json: width=24 is not a multiple of heads=5"),
        ({"hidden_size": None}, "config.json: missing key 'hidden_size'"),
    ],
)
def test_other_models_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    _publish(tmp_path, **SMALL)
    config = json.loads((tmp_path / "config.json").read_text()) | change
    config = {key: value for key, value in config.items() if value is not None}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=message):
        load_published_ast(tmp_path, length=_seconds(64))
