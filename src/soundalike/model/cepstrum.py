"""Cepstrum: log-mel [B, M, F] -> h [B, D], the colour of the sound and how it varies; nothing is learnt.

The cosine transform of the bands of a frame says how its energy is spread, the first coefficients coarsely,
the later ones finely; these are smaller, so each is multiplied by its number. h is the mean of each over
time, its standard deviation, and the deviation of its change over a few spans of time, from the attack of a
note to the alternation of parts. How loud it is, coefficient 0, is left out.

Davis & Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word Recognition in
Continuously Spoken Sentences", 1980, for the coefficients; Hanson & Wakita, "Spectral slope distance measures
with linear prediction analysis for word recognition in noise", 1987, for their weights; Aucouturier &
Pachet, "Music Similarity Measures: What's the Use?", ISMIR 2002, for timbre as their distribution. Networks
that learnt from few hours know the music of those hours best; this knows all music equally, and a small
share of it finds more of an album (docs/lab/16-a-tenth-that-is-not-learnt.md).

Letters: B batch, M mel bands, F frames, K coefficients, D width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class CepstrumSettings:
    """What is told of a spectrum."""

    n_mels: int = 96
    coefficients: int = 20  # K, from the first on
    lags: tuple[int, ...] = (1, 8, 50, 300)  # frames over which a change is taken: 20 ms to 6 s

    def __post_init__(self) -> None:
        if not 1 <= self.coefficients < self.n_mels:
            raise ValueError(
                f"coefficients={self.coefficients} must lie in 1..{self.n_mels - 1}, below n_mels"
            )
        if min(self.lags, default=1) < 1:
            raise ValueError(f"lags={self.lags} must be 1 or more")

    @property
    def dimension(self) -> int:
        """D, width of h."""
        return self.coefficients * (2 + len(self.lags))

    @property
    def shortest(self) -> int:
        """Least number of frames: a change wants two of them to vary, a deviation likewise."""
        return max(self.lags, default=0) + 2


class Cepstrum(nn.Module):
    """The statistics as a module, so that they export, join and are read out like any encoder.

    Args:
        settings: which of them.
    """

    basis: Tensor  # [K, M]

    def __init__(self, settings: CepstrumSettings) -> None:
        super().__init__()
        self.settings = settings
        # Fixed by the settings, so never stored among the weights.
        self.register_buffer("basis", cosines(settings.coefficients, settings.n_mels), False)

    @property
    def dimension(self) -> int:
        """D, the width of h."""
        return self.settings.dimension

    def forward(self, log_mel: Tensor, keep: float = 1.0) -> Tensor:
        """Statistics of a batch of spectrograms.

        Args:
            log_mel: float32 [B, M, F], F >= `settings.shortest`.
            keep: without effect, as in `PitchCNN`.

        Returns:
            h, float32 [B, D].

        Raises:
            ValueError: the spectrogram has another number of bands or too few frames.
        """
        del keep
        _, mels, frames = log_mel.shape
        if mels != self.settings.n_mels or frames < self.settings.shortest:
            raise ValueError(
                f"spectrogram of {mels} mel bands and {frames} frames; {self.settings.n_mels} bands "
                f"and {self.settings.shortest} frames or more are wanted"
            )
        x = torch.matmul(self.basis, log_mel)  # [B, K, F]
        changes = [x[:, :, lag:] - x[:, :, :-lag] for lag in self.settings.lags]
        return torch.cat([x.mean(dim=2), *map(_deviation, [x, *changes])], dim=1)


def cosines(count: int, bands: int) -> Tensor:
    """Rows 1..count of the orthonormal DCT-II, times their numbers: float32 [count, bands]."""
    row = torch.arange(1, count + 1, dtype=torch.float64)[:, None]
    angles = math.pi / bands * row * (torch.arange(bands, dtype=torch.float64) + 0.5)
    return (row * angles.cos() * math.sqrt(2 / bands)).float()


def _deviation(x: Tensor) -> Tensor:
    """Standard deviation over time, [B, K, F] -> [B, K]."""
    apart = x - x.mean(dim=2, keepdim=True)
    return apart.square().mean(dim=2).sqrt()
