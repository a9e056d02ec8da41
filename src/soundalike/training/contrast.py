"""The contrastive objective: h [K * 2B, D] -> z -> NT-Xent over the views of every process."""

from __future__ import annotations

from torch import Tensor, nn

from soundalike.model.contrastive_loss import gather, nt_xent
from soundalike.model.projection import Projection
from soundalike.training.pairs import NOT_CONTRASTED, Batch
from soundalike.training.recipe import ContrastSettings


class Contrast(nn.Module):
    """Views of one source attract, views of different sources repel.

    Each row of the batch is there once per mask (patchout draws another one each time), so a source
    has 2K views and each pair of them is a positive. With `hidden = 0` there is no projection, and h
    itself is compared: for an encoder whose answer should forget what views differ in, as that of
    compositions should forget instruments and key.
    """

    def __init__(self, dimension: int, settings: ContrastSettings) -> None:
        super().__init__()
        self.settings = settings
        self.projection: nn.Module = (
            Projection(dimension, hidden=settings.hidden, out=settings.out)
            if settings.hidden
            else nn.Identity()
        )

    def forward(self, h: Tensor, batch: Batch) -> Tensor:
        """Loss of the joint batch, []; rows that are not contrasted are left out."""
        z = gather(self.projection(h))
        source = gather(batch.source.repeat(len(h) // len(batch.source)))
        contrasted = source != NOT_CONTRASTED
        return nt_xent(
            z[contrasted],
            source[contrasted],
            temperature=self.settings.temperature,
            decoupled=self.settings.decoupled,
        )
