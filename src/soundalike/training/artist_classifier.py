"""The supervised baseline: h [B, D] -> logits over artists -> cross entropy.

What the contrastive encoder replaced. Same data, same views, same encoder; only the question differs:
"who made this?" instead of "are these two the same recording?". Where a track names no artist, its
soundtrack stands for one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundalike.model.contrastive_loss import gather
from soundalike.training.pairs import Batch


class ArtistClassifier(nn.Module):
    """One linear layer over h, thrown away after training like the contrastive projection."""

    def __init__(self, dimension: int, artists: int) -> None:
        super().__init__()
        self.logits = nn.Linear(dimension, artists)

    def forward(self, h: Tensor, batch: Batch) -> Tensor:
        """Mean cross entropy over the rows, of every process, that have a label.

        Args:
            h: [masks * 2B, D], the batch's rows once per mask.
            batch: with label int64 [2B]; rows of -1 are left out.
        """
        h, label = gather(h), gather(batch.label.repeat(len(h) // len(batch.label)))
        known = label >= 0
        if not known.any():
            nothing: Tensor = self.logits(h).sum() * 0
            return nothing
        return F.cross_entropy(self.logits(h[known]).float(), label[known])

    @torch.no_grad()
    def accuracy(self, h: Tensor, label: Tensor) -> float:
        """Share of rows whose artist is named rightly."""
        return float((self.logits(h).argmax(dim=1) == label).float().mean())
