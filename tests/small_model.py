"""The settings of a transformer and a timbre network for tests: few weights, and they hear one second.

Every value is spelled out, so that other defaults do not change what is tested.
"""

from __future__ import annotations

from dataclasses import replace

from soundalike.audio.melspectrogram import LogMelSettings
from soundalike.model.encoder import ASTSettings
from soundalike.model.timbre_cnn import TimbreCNNSettings
from soundalike.model.waveform_encoder import ModelSettings, SegmentSettings

RATE = 8_000


def small_ast(name: str) -> ModelSettings:
    """A model of that name."""
    return ModelSettings(
        name=name,
        kind="ast",
        segments=SegmentSettings(length=1.0, count=2),
        front_end=LogMelSettings(
            sample_rate=RATE,
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


def small_timbre(name: str) -> ModelSettings:
    """A timbre network of that name, which hears what the transformer hears, in two stretches."""
    shape = TimbreCNNSettings(
        n_mels=32,
        heights=(10, 5),
        steps=(2, 3),
        tall=6,
        lengths=(5, 3),
        long=4,
        width=8,
        depth=3,
        stretch=24,
        dimension=16,
    )
    return replace(small_ast(name), kind="timbre_cnn", timbre_cnn=shape)
