"""Waveform -> vector: front end, encoder and read-out as one module, with all its settings.

    waveform [B, L] -> front end -> features -> encoder -> h [B, D] -> read-out -> embedding [B, D]

For the transformer the front end is the log-mel spectrogram; for CLMR's SampleCNN there is none,
the features are the waveform. The read-out is fitted once after training (`Readout.fit`) and
belongs to the weights: an encoder compared by bare cosine of h is dominated by the few directions
along which all music is alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundalike.audio.melspectrogram import LogMel, LogMelSettings
from soundalike.audio.segments import cut, grid, sample_range
from soundalike.model.encoder import AST, ASTSettings
from soundalike.model.sample_cnn import SampleCNN, SampleCNNSettings


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """How a track is cut for this encoder."""

    length: float = 30.0  # seconds
    count: int = 3  # S, segments of a track


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """All that decides what a vector means, apart from the weights."""

    name: str = "ast-30s"
    kind: Literal["ast", "sample_cnn"] = "ast"
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    front_end: LogMelSettings = field(default_factory=LogMelSettings)
    ast: ASTSettings = field(default_factory=ASTSettings)
    sample_cnn: SampleCNNSettings = field(default_factory=SampleCNNSettings)

    def __post_init__(self) -> None:
        if self.kind not in ("ast", "sample_cnn"):
            raise ValueError(f'kind="{self.kind}" is neither "ast" nor "sample_cnn"')
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise ValueError(
                f'name="{self.name}" may hold lower-case letters, digits and dashes only'
            )
        self._check_segment_fits()

    def _check_segment_fits(self) -> None:
        """Front end, encoder and segment must agree now, not at the first batch."""
        if self.kind == "sample_cnn":
            if self.samples < self.sample_cnn.shortest:
                raise ValueError(
                    f"segments.length={self.segments.length} s are {self.samples} samples, "
                    f"SampleCNN takes {self.sample_cnn.shortest} or more"
                )
            return
        if self.front_end.n_mels != self.ast.n_mels:
            raise ValueError(
                f"front_end.n_mels={self.front_end.n_mels} and ast.n_mels={self.ast.n_mels} differ"
            )
        frames = self.front_end.frames(self.samples)
        if not self.ast.patch_frames <= frames <= self.ast.max_frames:
            raise ValueError(
                f"segments.length={self.segments.length} s are {frames} frames, the encoder takes "
                f"{self.ast.patch_frames} to ast.max_frames={self.ast.max_frames}"
            )

    @property
    def sample_rate(self) -> int:
        """Samples per second of the waveforms this model takes."""
        return self.front_end.sample_rate if self.kind == "ast" else self.sample_cnn.sample_rate

    @property
    def samples(self) -> int:
        """L, samples per segment."""
        return round(self.segments.length * self.sample_rate)


class WaveformEncoder(nn.Module):
    """The network people use: audio in, vector out."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.front_end: nn.Module
        self.encoder: AST | SampleCNN
        if settings.kind == "ast":
            self.front_end, self.encoder = LogMel(settings.front_end), AST(settings.ast)
        else:
            self.front_end, self.encoder = nn.Identity(), SampleCNN(settings.sample_cnn)
        self.readout = Readout(self.encoder.dimension)

    @property
    def dimension(self) -> int:
        """D, width of the embedding."""
        return self.encoder.dimension

    def forward(self, waveforms: Tensor) -> Tensor:
        """Embedding of each segment: float32 [B, L] -> float32 [B, D], rows of unit length."""
        embedding: Tensor = self.readout(self.encoder(self.front_end(waveforms)))
        return embedding

    @torch.inference_mode()
    def describe(self, waveform: np.ndarray) -> np.ndarray:
        """Segment vectors of a whole waveform, float32 [T] -> float32 [S, D]; for evaluation."""
        rate, L = self.settings.sample_rate, self.settings.samples
        places = grid(
            len(waveform) / rate,
            count=self.settings.segments.count,
            length=self.settings.segments.length,
        )
        ranges = (sample_range(place, rate, L) for place in places)
        segments = np.stack([cut(waveform[first:past], 0, L) for first, past in ranges])
        device = self.readout.mean.device
        vectors: np.ndarray = self(torch.from_numpy(segments).to(device)).cpu().numpy()
        return vectors


class Readout(nn.Module):
    """embedding = unit length of W (h - mean); until fitted, W = 1 and mean = 0.

    Centring and partial whitening: directions of large variance are shrunk by the power `strength`
    of their standard deviation (0 leaves them, 1 whitens wholly).
    """

    mean: Tensor  # [D]
    weight: Tensor  # [D, D]

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("weight", torch.eye(dimension))

    def forward(self, h: Tensor) -> Tensor:
        """Map h [B, D] to unit vectors [B, D]."""
        return F.normalize((h - self.mean) @ self.weight.T, dim=1)

    @torch.no_grad()
    def fit(self, h: Tensor, *, strength: float = 0.5) -> None:
        """Fit mean and W to representations h [N, D] of training music (never of music to test on).

        Raises:
            ValueError: fewer rows than dimensions, or `strength` outside 0..1.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength={strength} must lie in 0..1")
        if len(h) < h.shape[1]:
            raise ValueError(f"{len(h)} rows are too few to fit {h.shape[1]} directions")
        h = h.double()
        mean = h.mean(dim=0)
        variance, directions = torch.linalg.eigh((h - mean).T @ (h - mean) / len(h))
        # A direction without variance carries no information; dividing by it would be all noise.
        variance = variance.clamp(min=float(variance.max()) * 1e-4)
        weight = (directions * variance ** (-strength / 2)) @ directions.T
        self.mean.copy_(mean)
        self.weight.copy_(weight / weight.norm() * weight.shape[0] ** 0.5)
