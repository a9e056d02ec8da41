"""Pitch network: constant-Q features [B, P, F] -> h [B, D], much the same in every key.

The P rows are folded into octaves x pitch classes. Octaves become channels; convolutions run over
pitch classes, where C follows B as on a circle, and over time. Transposing a piece turns that circle
(up to the notes that change octave), the features turn with it, and their maximum over the circle
stays: so h hears what is played rather than in which key.

After Yu et al., "Learning a Representation for Cover Song Identification Using Convolutional Neural
Network" (CQTNet), ICASSP 2020: small kernels on a constant-Q spectrogram, the first one an octave
high, and pooling over all of pitch and time. The circle of pitch classes is that of chroma features
and of the optimal transposition index of Serra, Gomez & Herrera, "Transposing Chroma Representations
to a Common Key", 2008; here the network looks at all keys at once.

Letters: B batch, O octaves, C pitch classes, P = O x C pitches, F frames, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERNELS = ((7, 3), (5, 3), (5, 3), (3, 3), (3, 3))
"""Pitch classes x frames of the convolutions after the first, which is an octave high."""

FIRST_FRAMES = 5
"""Frames of the first convolution."""


@dataclass(frozen=True, slots=True)
class PitchCNNSettings:
    """Shape of the network; by default 0.8 M weights."""

    octaves: int = 7
    bins_per_octave: int = 12
    widths: tuple[int, ...] = (48, 64, 96, 160)  # channels of the first, the second, then two each
    dimension: int = 256  # D

    def __post_init__(self) -> None:
        if len(self.widths) != 4 or min(*self.widths, self.dimension, self.octaves) < 1:
            raise ValueError(
                f"widths={self.widths} must be four numbers; they, dimension={self.dimension} and "
                f"octaves={self.octaves} must be 1 or more"
            )
        if self.bins_per_octave < KERNELS[0][0]:
            raise ValueError(
                f"bins_per_octave={self.bins_per_octave} is less than the "
                f"{KERNELS[0][0]} that a kernel spans"
            )

    @property
    def pitches(self) -> int:
        """P, rows of the features."""
        return self.octaves * self.bins_per_octave

    @property
    def shortest(self) -> int:
        """Least number of frames: they are halved three times, and one must be left."""
        return 7


class CircularBlock(nn.Module):
    """relu(normalise(convolve(x))) on [B, channels, C, F]: a circle of C, margins of 0 along F."""

    def __init__(self, channels: int, width: int, kernel: tuple[int, int], *, stride: int = 1):
        super().__init__()
        self.before, self.after = (kernel[0] - 1) // 2, kernel[0] // 2
        self.convolution = nn.Conv2d(
            channels,
            width,
            kernel,
            stride=(1, stride),
            padding=(0, kernel[1] // 2),
            bias=False,
        )
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map features [B, channels, C, F] to features [B, width, C, F / stride]."""
        C = x.shape[2]
        turned = torch.cat([x[:, :, C - self.before :], x, x[:, :, : self.after]], dim=2)
        y: Tensor = self.norm(self.convolution(turned)).relu()
        return y


class PitchCNN(nn.Module):
    """The network.

    Args:
        settings: the shape.
    """

    def __init__(self, settings: PitchCNNSettings) -> None:
        super().__init__()
        self.settings = settings
        a, b, c, d = settings.widths
        first = (settings.bins_per_octave, FIRST_FRAMES)
        channels = ((a, b), (b, c), (c, c), (c, d), (d, d))
        self.blocks = nn.ModuleList([CircularBlock(settings.octaves, a, first, stride=2)])
        for (before, after), kernel in zip(channels, KERNELS, strict=True):
            self.blocks.append(CircularBlock(before, after, kernel))
        self.out = nn.Linear(2 * d, settings.dimension)

    @property
    def dimension(self) -> int:
        """D, the width of h."""
        return self.settings.dimension

    def forward(self, features: Tensor, keep: float = 1.0) -> Tensor:
        """Representation of a batch of constant-Q features.

        Args:
            features: float32 [B, P, F], F >= `settings.shortest`.
            keep: without effect, there are no patches to drop; taken so that one training step
                serves all encoders.

        Returns:
            h, float32 [B, D].

        Raises:
            ValueError: the features have another number of pitches or too few frames.
        """
        del keep
        self._check(features)
        B, _, frames = features.shape
        shape = (B, self.settings.octaves, self.settings.bins_per_octave, frames)
        x = _standardised(features).view(shape)  # [B, O, C, F]
        for i, block in enumerate(self.blocks):
            x = block(x)  # [B, width, C, F / 2], then half the frames after each second block
            if i in (1, 3):
                x = F.max_pool2d(x, (1, 2))
        lasting = x.mean(dim=3).amax(dim=2)  # [B, width]: over time, then the best key
        passing = x.amax(dim=(2, 3))  # [B, width]: the one moment and key
        h: Tensor = self.out(torch.cat([lasting, passing], dim=1))
        return h

    def _check(self, features: Tensor) -> None:
        _, pitches, frames = features.shape
        if pitches != self.settings.pitches:
            raise ValueError(
                f"features have {pitches} pitches, this encoder takes {self.settings.pitches}"
            )
        if frames < self.settings.shortest:
            raise ValueError(
                f"features have {frames} frames, this encoder takes {self.settings.shortest} or more"
            )


def _standardised(features: Tensor) -> Tensor:
    """Each example of [B, P, F] with mean 0 and deviation 1; what has none stays 0."""
    x = features - features.mean(dim=(1, 2), keepdim=True)
    return x / (x.std(dim=(1, 2), keepdim=True) + 1e-4)
