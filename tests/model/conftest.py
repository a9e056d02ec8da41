from __future__ import annotations

import pytest

from soundalike.audio.melspectrogram import LogMelSettings
from soundalike.model.encoder import ASTSettings
from soundalike.model.sample_cnn import SampleCNNSettings
from soundalike.model.waveform_encoder import ModelSettings, SegmentSettings


@pytest.fixture(scope="session")
def tiny_ast() -> ModelSettings:
    """A transformer small enough for a test, of one second; every value is spelled out, so that
    other defaults do not change what is tested."""
    return ModelSettings(
        name="tiny-ast",
        kind="ast",
        segments=SegmentSettings(length=1.0, count=2),
        front_end=LogMelSettings(
            sample_rate=8_000,
            window=256,
            hop=160,
            n_fft=256,
            n_mels=32,
            f_min=20.0,
            f_max=4_000.0,
            preemphasis=0.0,
            remove_offset=False,
            loudness=-20.0,
            mean=-4.0,
            std=3.0,
        ),
        ast=ASTSettings(
            n_mels=32,
            max_frames=49,
            patch_mels=16,
            patch_frames=8,
            stride_mels=16,
            stride_frames=8,
            width=24,
            depth=2,
            heads=3,
            hidden=48,
            pooling="mean",
        ),
    )


@pytest.fixture(scope="session")
def tiny_sample_cnn() -> ModelSettings:
    """SampleCNN with three stages instead of nine, of 0.2 s."""
    return ModelSettings(
        name="tiny-cnn",
        kind="sample_cnn",
        segments=SegmentSettings(length=0.2, count=2),
        sample_cnn=SampleCNNSettings(sample_rate=2_000, first_width=8, widths=(8, 12, 16)),
    )
