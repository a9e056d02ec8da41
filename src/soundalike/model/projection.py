"""h [B, D] -> z [B, P]: the MLP on which the contrastive loss acts, thrown away after training.

Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML
2020, section 2.1 and 4.2: the representation before the projection is the better one. Sizes and the
missing biases follow CLMR (Spijkervet & Burgoyne, ISMIR 2021): D -> D -> 64.
"""

from __future__ import annotations

from torch import Tensor, nn


class Projection(nn.Module):
    """z = W2 · relu(W1 · h).

    Args:
        dimension: D, width of h.
        hidden: width between the two layers.
        out: P, width of z.
    """

    def __init__(self, dimension: int, *, hidden: int, out: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(dimension, hidden, bias=False)
        self.out = nn.Linear(hidden, out, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Map h [B, D] to z [B, P]; the loss normalises z."""
        z: Tensor = self.out(self.hidden(h).relu())
        return z
