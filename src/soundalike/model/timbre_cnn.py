"""Timbre network: log-mel [B, M, F] -> h [B, D], what the sound of a moment is made of.

Bands are mixed a little, and what is faint is cut off, as log(1 + power) does. Tall filters look at half or
most of the spectrum for a tenth of a second; they are slid along the bands, and the best place counts: an
instrument, a chord or a drum leaves the same shape a little higher or lower. Long filters follow one band for
up to two seconds: rhythm, and how sound swells and dies. Convolutions over time look at all of them together.
Of everything the mean and the maximum over three seconds are kept; h is a linear map of those, its mean over
all stretches of three seconds.

After Pons & Serra, "musicnn: Pre-trained convolutional neural networks for music audio tagging", ISMIR
2019 late-breaking, and Pons, Nieto, Prockup, Schmidt, Ehmann & Serra, "End-to-end learning for music
audio tagging at scale", ISMIR 2018, section 3.2, whose front end has filters of these two kinds. A
student of the same build learns from few hours of music what that teacher says, where a transformer,
which knows nothing of spectra, learns its answers by heart (docs/lab/11-a-student-of-the-same-build.md).
Of the teacher's 561 filters 63 ever answer, so as many do here (docs/lab/15-filter-by-filter.md).

Letters: B batch, M mel bands, F frames, C filters, T stretches, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TALL_FRAMES = 5
"""Frames of a tall filter."""

LONG_BANDS = 2
"""Bands that are averaged before long filters follow them."""

TIME_KERNEL = 5
"""Of the convolutions over time, in frames."""


@dataclass(frozen=True, slots=True)
class TimbreCNNSettings:
    """Shape of the network; by default 0.2 M weights.

    Processors multiply sixteen channels at a time, so filters come in sixteens.
    """

    n_mels: int = 96
    heights: tuple[int, ...] = (38, 38, 67)  # bands of the tall filters
    steps: tuple[int, ...] = (2, 2, 2)  # bands from one place of them to the next
    tall: int = 16  # filters of each of `heights`
    lengths: tuple[int, ...] = (103, 51, 27)  # of the long filters, in frames; odd
    long: int = 16  # filters of each of `lengths`
    width: int = 64  # channels of each convolution over time
    depth: int = 3  # convolutions over time
    stretch: int = 149  # frames of which mean and maximum are taken: 3 s
    dimension: int = 256  # D

    def __post_init__(self) -> None:
        counts = (self.tall, self.long, self.width, self.depth, self.stretch, self.dimension)
        if min(*counts, *self.heights, *self.steps, *self.lengths) < 1:
            raise ValueError(f"{self} holds a number below 1")
        if not self.heights or not self.lengths or self.n_mels % LONG_BANDS:
            raise ValueError(
                f"heights={self.heights} and lengths={self.lengths} must not be empty, and "
                f"n_mels={self.n_mels} must be a multiple of {LONG_BANDS}"
            )
        if len(self.heights) != len(self.steps) or max(self.heights) > self.n_mels:
            raise ValueError(
                f"heights={self.heights} want one of steps={self.steps} each, and at most "
                f"n_mels={self.n_mels}"
            )
        if not all(length % 2 for length in self.lengths):
            raise ValueError(f"lengths={self.lengths} must be odd")

    @property
    def filters(self) -> int:
        """C, of all heights and lengths."""
        return self.tall * len(self.heights) + self.long * len(self.lengths)


class TimbreCNN(nn.Module):
    """The network.

    `mixing` and `knee` are set before training and stay: a gradient that has to go back to the input
    triples the time of a step. As they are made, bands are not mixed.

    Args:
        settings: the shape.
    """

    mixing: Tensor  # [M, M]: of the bands
    knee: Tensor  # [M]: added to them; what is far below 0 then is not heard

    def __init__(self, settings: TimbreCNNSettings) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("mixing", torch.eye(settings.n_mels))
        self.register_buffer("knee", torch.zeros(settings.n_mels))
        self.tall = nn.ModuleList(
            nn.Conv2d(
                1,
                settings.tall,
                (height, TALL_FRAMES),
                stride=(step, 1),
                padding=(0, TALL_FRAMES // 2),
                bias=False,
            )
            for height, step in zip(settings.heights, settings.steps, strict=True)
        )
        self.long = nn.ModuleList(
            nn.Conv2d(1, settings.long, (1, length), padding=(0, length // 2), bias=False)
            for length in settings.lengths
        )
        # A filter may answer where its shape is, or, with a gain below 0, where it is not.
        self.gain = nn.Parameter(torch.ones(settings.filters))
        self.threshold = nn.Parameter(torch.zeros(settings.filters))
        self.filter_norm = nn.BatchNorm1d(settings.filters)
        before = [settings.filters, *[settings.width] * (settings.depth - 1)]
        self.in_time = nn.ModuleList(
            nn.Conv1d(channels, settings.width, TIME_KERNEL, padding=TIME_KERNEL // 2)
            for channels in before
        )
        self.in_time_norms = nn.ModuleList(nn.BatchNorm1d(settings.width) for _ in before)
        heard = 2 * (settings.filters + settings.width * settings.depth)
        self.heard_norm = nn.BatchNorm1d(heard)
        self.out = nn.Linear(heard, settings.dimension)

    @property
    def dimension(self) -> int:
        """D, the width of h."""
        return self.settings.dimension

    def forward(self, log_mel: Tensor, keep: float = 1.0) -> Tensor:
        """Representation of a batch of spectrograms.

        Args:
            log_mel: float32 [B, M, F], F >= `settings.stretch`; what is left after the last whole
                stretch is not heard.
            keep: without effect, as in `PitchCNN`.

        Returns:
            h, float32 [B, D].

        Raises:
            ValueError: the spectrogram has another number of bands or too few frames.
        """
        del keep
        return self._stretches(log_mel, self.settings.stretch).mean(dim=1)

    def hear(self, log_mel: Tensor, keep: float, spans: int) -> tuple[Tensor, Tensor]:
        """Representation of the whole and of each of `spans` equal stretches of time, in training.

        What `forward` gives where they are as long as `settings.stretch`; recipes see to that.

        Returns:
            h, float32 [B, D], and its parts, float32 [B, T, D], whose mean it is.

        Raises:
            ValueError: as `forward`, or more stretches than frames.
        """
        del keep
        frames = log_mel.shape[2]
        if spans > frames:
            raise ValueError(f"{spans} stretches of {frames} frames")
        in_time = self._stretches(log_mel, frames // spans)[:, :spans]
        return in_time.mean(dim=1), in_time

    def pools(self, layers: list[Tensor], length: int) -> Tensor:
        """Mean and maximum of every channel over stretches of `length` frames, [B, 2 x channels, T]."""
        everything = torch.cat(layers, dim=1)
        pools = F.avg_pool1d(everything, length), F.max_pool1d(everything, length)
        return torch.cat(pools, dim=1)

    def layers(self, log_mel: Tensor) -> list[Tensor]:
        """What is heard in every frame: by the filters, [B, C, F], then by each convolution over time."""
        layers = [self._filtered(log_mel)]
        for i, (convolution, norm) in enumerate(zip(self.in_time, self.in_time_norms, strict=True)):
            y = norm(convolution(layers[-1]).relu())
            layers.append(layers[-1] + y if i else y)
        return layers

    def bend(self, log_mel: Tensor) -> Tensor:
        """Bands mixed, and what is faint cut off, [..., M, F]."""
        return F.softplus(torch.matmul(self.mixing, log_mel) + self.knee[:, None])

    def answers(self, log_mel: Tensor) -> Tensor:
        """The best answer of every filter, [B, C, F]."""
        self._check(log_mel)
        x = self.bend(log_mel).unsqueeze(1)  # [B, 1, M, F]
        coarse = F.avg_pool2d(x, (LONG_BANDS, 1))
        tall = [_best_place(_together(x, alike)) for alike in self._of_one_height()]
        long = [_best_place(filters(coarse)) for filters in self.long]
        return torch.cat([*tall, *long], dim=1)

    def _of_one_height(self) -> list[list[nn.Conv2d]]:
        """Neighbouring groups of tall filters that have one height and one step."""
        shapes = zip(self.settings.heights, self.settings.steps, self.tall, strict=True)
        groups = groupby(shapes, key=lambda shape: shape[:2])
        return [[cast(nn.Conv2d, module) for *_, module in group] for _, group in groups]

    def _stretches(self, log_mel: Tensor, length: int) -> Tensor:
        """h of each stretch of `length` frames, [B, T, D]."""
        heard = self.heard_norm(self.pools(self.layers(log_mel), length))
        h: Tensor = self.out(heard.transpose(1, 2))
        return h

    def _filtered(self, log_mel: Tensor) -> Tensor:
        answers = self.answers(log_mel) * self.gain[:, None] + self.threshold[:, None]
        filtered: Tensor = self.filter_norm(answers.relu())
        return filtered

    def _check(self, log_mel: Tensor) -> None:
        _, mels, frames = log_mel.shape
        if mels != self.settings.n_mels:
            raise ValueError(
                f"spectrogram has {mels} mel bands, this encoder takes {self.settings.n_mels}"
            )
        if frames < self.settings.stretch:
            raise ValueError(
                f"spectrogram has {frames} frames, this encoder takes {self.settings.stretch} or more"
            )


def _together(x: Tensor, alike: list[nn.Conv2d]) -> Tensor:
    """What filters of one shape answer, as one convolution: two at once take three fifths of the time."""
    weight, first = torch.cat([filters.weight for filters in alike]), alike[0]
    return F.conv2d(x, weight, stride=first.stride, padding=first.padding)


def _best_place(answers: Tensor) -> Tensor:
    """The maximum over places, [B, C, places, F] -> [B, C, F]; a pool's gradient is quicker than amax's."""
    return F.max_pool2d(answers, (answers.shape[2], 1)).squeeze(2)
