"""SampleCNN, the encoder of CLMR: waveform [B, L] -> h [B, D].

Source: Lee, Park, Kim & Nam, "Sample-level Deep Convolutional Neural Networks for Music
Auto-tagging Using Raw Waveforms", SMC 2017, table 1 (the 3^9 model); used without its classifier in
CLMR (Spijkervet & Burgoyne, "Contrastive Learning of Musical Representations", ISMIR 2021). Here as
the baseline the transformer is compared with, at CLMR's sample rate, widths and segment length.

Every stage divides time by 3: a first convolution with stride 3, then nine pools of 3, so that
59,049 = 3^10 samples (2.68 s at 22,050 Hz) become one step. A longer waveform leaves several steps,
of which h is the mean. All features are read from samples; there is no spectrogram.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class SampleCNNSettings:
    """Shape of the network; the defaults are CLMR's, 2.4 M weights."""

    sample_rate: int = 22_050
    first_width: int = 128  # channels of the strided convolution
    widths: tuple[int, ...] = (128, 128, 256, 256, 256, 256, 256, 256, 512)  # the last one is D

    def __post_init__(self) -> None:
        if not self.widths or min(self.first_width, *self.widths) < 1:
            raise ValueError(
                f"first_width={self.first_width} and widths={self.widths} must name at least one "
                "stage, each with 1 channel or more"
            )

    @property
    def shortest(self) -> int:
        """Samples that become exactly one step: 3^10 for nine stages."""
        return int(3 ** (len(self.widths) + 1))


class ConvolutionBlock(nn.Module):
    """relu(normalise(convolve(x))), kernel 3: [B, C, T] -> [B, width, T / stride]."""

    def __init__(self, channels: int, width: int, *, stride: int = 1) -> None:
        super().__init__()
        # With stride 3 the kernels tile the waveform; with stride 1 a margin keeps its length.
        self.convolution = nn.Conv1d(channels, width, 3, stride=stride, padding=int(stride == 1))
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map features [B, C, T] to features [B, width, T / stride]."""
        y: Tensor = self.norm(self.convolution(x)).relu()
        return y


class SampleCNN(nn.Module):
    """The 3^9 network.

    Args:
        settings: the shape.
    """

    def __init__(self, settings: SampleCNNSettings) -> None:
        super().__init__()
        self.settings = settings
        channels = (settings.first_width, *settings.widths)
        self.first = ConvolutionBlock(1, settings.first_width, stride=3)
        self.stages = nn.ModuleList(map(ConvolutionBlock, channels[:-1], channels[1:]))
        self.last = ConvolutionBlock(self.dimension, self.dimension)

    @property
    def dimension(self) -> int:
        """D, the width of h."""
        return self.settings.widths[-1]

    def forward(self, waveforms: Tensor, keep: float = 1.0) -> Tensor:
        """Representation of a batch of waveforms.

        Args:
            waveforms: float32 [B, L], mono, at `settings.sample_rate`, L >= `settings.shortest`.
            keep: without effect, there are no patches to drop; taken so that one training step
                serves both encoders.

        Returns:
            h, float32 [B, D].

        Raises:
            ValueError: the waveforms are too short.
        """
        del keep
        samples, shortest = waveforms.shape[1], self.settings.shortest
        if samples < shortest:
            raise ValueError(f"waveform has {samples} samples, SampleCNN takes {shortest} or more")
        x = self.first(waveforms.unsqueeze(1))
        for stage in self.stages:
            x = F.max_pool1d(stage(x), 3)
        h: Tensor = self.last(x).mean(dim=2)
        return h
