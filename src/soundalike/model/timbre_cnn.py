"""Timbre network: log-mel [B, M, F] -> h [B, D], what the sound of a moment is made of.

Tall filters look at most of the spectrum for a tenth of a second; they are slid along the bands, and the
best place counts: an instrument, a chord or a drum leaves the same shape a little higher or lower. Long
filters follow one band for up to two seconds: rhythm, and how sound swells and dies. Convolutions over time
look at all of them together. Of everything the mean and the maximum over three seconds are kept; h is a
linear map of those, its mean over all stretches of three seconds.

After Pons & Serra, "musicnn: Pre-trained convolutional neural networks for music audio tagging", ISMIR
2019 late-breaking, and Pons, Nieto, Prockup, Schmidt, Ehmann & Serra, "End-to-end learning for music
audio tagging at scale", ISMIR 2018, section 3.2, whose front end has filters of these two kinds. A
student of the same build learns from few hours of music what that teacher says, where a transformer,
which knows nothing of spectra, learns its answers by heart (docs/lab/11-a-student-of-the-same-build.md).
Fewer filters at fewer places, and every other frame, make it cheap.

Letters: B batch, M mel bands, F frames, C filters, n frames that are left, T stretches, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TALL_FRAMES = 5
"""Frames of a tall filter."""

FRAME_STRIDE = 2
"""Of the frames, every other one is looked at."""

LONG_BANDS = 4
"""Bands that are averaged before long filters follow them."""

TIME_KERNEL = 7
"""Of the convolutions over time, in frames that are left."""


@dataclass(frozen=True, slots=True)
class TimbreCNNSettings:
    """Shape of the network; by default 0.9 M weights."""

    n_mels: int = 96
    heights: tuple[int, ...] = (80, 40)  # bands of the tall filters
    steps: tuple[int, ...] = (4, 6)  # bands from one place of them to the next
    tall: int = 96  # filters of each height
    lengths: tuple[int, ...] = (51, 25, 13)  # of the long filters, in frames that are left; odd
    long: int = 24  # filters of each length
    width: int = 128  # channels of each convolution over time
    depth: int = 3  # convolutions over time
    stretch: int = 75  # frames that are left of which mean and maximum are taken: 3 s
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
    def shortest(self) -> int:
        """Least number of frames: one stretch."""
        return FRAME_STRIDE * self.stretch

    @staticmethod
    def left(frames: int) -> int:
        """n, frames that are left of as many."""
        return -(-frames // FRAME_STRIDE)

    @property
    def filters(self) -> int:
        """C, of all heights and lengths."""
        return self.tall * len(self.heights) + self.long * len(self.lengths)


class TimbreCNN(nn.Module):
    """The network.

    Args:
        settings: the shape.
    """

    def __init__(self, settings: TimbreCNNSettings) -> None:
        super().__init__()
        self.settings = settings
        # Nothing to learn: a gradient that has to go back to the input triples the time of a step.
        self.input_norm = nn.BatchNorm2d(1, affine=False)
        self.tall = nn.ModuleList(
            nn.Conv2d(
                1,
                settings.tall,
                (height, TALL_FRAMES),
                stride=(step, FRAME_STRIDE),
                padding=(0, TALL_FRAMES // 2),
            )
            for height, step in zip(settings.heights, settings.steps, strict=True)
        )
        self.long = nn.ModuleList(
            nn.Conv2d(1, settings.long, (1, length), padding=(0, length // 2))
            for length in settings.lengths
        )
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
            log_mel: float32 [B, M, F], F >= `settings.shortest`; what is left after the last whole
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
        frames = self.settings.left(log_mel.shape[2])
        if spans > frames:
            raise ValueError(f"{spans} stretches of {frames} frames that are looked at")
        in_time = self._stretches(log_mel, frames // spans)[:, :spans]
        return in_time.mean(dim=1), in_time

    def _stretches(self, log_mel: Tensor, length: int) -> Tensor:
        """h of each stretch of `length` frames that are left, [B, T, D]."""
        self._check(log_mel)
        x = self._filtered(log_mel)  # [B, C, n]
        layers = [x]
        for i, (convolution, norm) in enumerate(zip(self.in_time, self.in_time_norms, strict=True)):
            y = norm(convolution(x).relu())
            x = x + y if i else y
            layers.append(x)
        everything = torch.cat(layers, dim=1)
        pools = F.avg_pool1d(everything, length), F.max_pool1d(everything, length)
        heard = torch.cat(pools, dim=1)  # [B, 2 x channels, T]
        h: Tensor = self.out(self.heard_norm(heard).transpose(1, 2))
        return h

    def _filtered(self, log_mel: Tensor) -> Tensor:
        """What the filters answer at their best place, [B, C, n]."""
        x = self.input_norm(log_mel.unsqueeze(1))  # [B, 1, M, F]
        tall = [_best_place(filters(x)) for filters in self.tall]
        # The last of an odd number of frames stands for itself. A pool that rounds up would do the same, but
        # ONNX Runtime before 1.21 divides what is left over by the whole window.
        even = F.pad(x, (0, x.shape[3] % FRAME_STRIDE, 0, 0), mode="replicate")
        coarse = F.avg_pool2d(even, (LONG_BANDS, FRAME_STRIDE))
        long = [_best_place(filters(coarse)) for filters in self.long]
        filtered: Tensor = self.filter_norm(torch.cat([*tall, *long], dim=1).relu())
        return filtered

    def _check(self, log_mel: Tensor) -> None:
        _, mels, frames = log_mel.shape
        if mels != self.settings.n_mels:
            raise ValueError(
                f"spectrogram has {mels} mel bands, this encoder takes {self.settings.n_mels}"
            )
        if frames < self.settings.shortest:
            raise ValueError(
                f"spectrogram has {frames} frames, this encoder takes {self.settings.shortest} or more"
            )


def _best_place(answers: Tensor) -> Tensor:
    """The maximum over places, [B, C, places, n] -> [B, C, n]; a pool's gradient is quicker than amax's."""
    return F.max_pool2d(answers, (answers.shape[2], 1)).squeeze(2)
