from __future__ import annotations

import pytest

from small_model import small_ast, small_timbre
from soundalike.audio.constant_q import ConstantQSettings
from soundalike.model.pitch_cnn import PitchCNNSettings
from soundalike.model.sample_cnn import SampleCNNSettings
from soundalike.model.waveform_encoder import ModelSettings, SegmentSettings


@pytest.fixture(scope="session")
def tiny_ast() -> ModelSettings:
    """A transformer small enough for a test, of one second."""
    return small_ast("tiny-ast")


@pytest.fixture(scope="session")
def tiny_sample_cnn() -> ModelSettings:
    """SampleCNN with three stages instead of nine, of 0.2 s."""
    return ModelSettings(
        name="tiny-cnn",
        kind="sample_cnn",
        segments=SegmentSettings(length=0.2, count=2),
        sample_cnn=SampleCNNSettings(sample_rate=2_000, first_width=8, widths=(8, 12, 16)),
    )


@pytest.fixture(scope="session")
def tiny_pitch_cnn() -> ModelSettings:
    """A pitch network over three octaves, of one second as the transformer's."""
    return ModelSettings(
        name="tiny-pitch",
        kind="pitch_cnn",
        segments=SegmentSettings(length=1.0, count=2),
        constant_q=ConstantQSettings(
            sample_rate=8_000, lowest=110.0, octaves=3, hop=0.04, shortest=128, longest=512
        ),
        pitch_cnn=PitchCNNSettings(octaves=3, widths=(6, 8, 8, 12), dimension=16),
    )


@pytest.fixture(scope="session")
def tiny_timbre_cnn() -> ModelSettings:
    """A timbre network that hears what the transformer hears."""
    return small_timbre("tiny-timbre")
