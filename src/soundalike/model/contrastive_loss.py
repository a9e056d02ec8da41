"""Projections z [N, P] and what each is a view of -> loss [].

NT-Xent, "normalized temperature-scaled cross entropy": Chen et al., "A Simple Framework for
Contrastive Learning of Visual Representations" (SimCLR), ICML 2020, equation 1 and algorithm 1:

    l(i, j) = -log( exp(s_ij / t) / sum_{k != i} exp(s_ik / t) ),   s = cosine of z

averaged over all ordered pairs of views of one recording. With two views per recording ours is
that, to the letter. We go beyond it in two ways. A recording may have more than two views: each
pair of them is a positive, and the other views of the same recording are left out of the sum below
the line, because no view of a track may count against another. And the decoupled variant (Yeh et
al., "Decoupled Contrastive Learning", ECCV 2022, equation 6) leaves the positive itself out of that
sum.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def nt_xent(
    z: Tensor, track: Tensor, *, temperature: float = 0.5, decoupled: bool = False
) -> Tensor:
    """Contrastive loss of a batch.

    Args:
        z: float [N, P], any length; compared by cosine.
        track: int64 [N], equal for views of the same track (or of versions of one piece).
        temperature: t above.
        decoupled: leave the positive out of the denominator.

    Returns:
        Mean over all ordered pairs of views with equal `track`, [].

    Raises:
        ValueError: temperature not positive, shapes that do not fit, or no pair to learn from.
    """
    if temperature <= 0:
        raise ValueError(f"temperature={temperature} must be above 0")
    if z.ndim != 2 or track.shape != z.shape[:1]:
        raise ValueError(f"z {list(z.shape)} and track {list(track.shape)} must be [N, P] and [N]")
    # Half precision is too coarse for a sum over the batch; float64 stays what it is.
    unit = F.normalize(z.to(torch.promote_types(z.dtype, torch.float32)), dim=1)
    similarity = unit @ unit.T / temperature  # [N, N]
    same = track[:, None] == track[None, :]
    positive = same & ~torch.eye(len(track), dtype=torch.bool, device=z.device)
    if not positive.any():
        raise ValueError("no two views in the batch share a track: nothing is a positive pair")
    anchor, partner = positive.nonzero(as_tuple=True)  # one entry per ordered positive pair
    others = similarity.masked_fill(same, float("-inf")).logsumexp(dim=1)  # log-sum over negatives
    attraction = similarity[anchor, partner]
    below = others[anchor] if decoupled else torch.logaddexp(attraction, others[anchor])
    return (below - attraction).mean()


def gather(local: Tensor) -> Tensor:
    """The rows of every process, [N, ...] -> [W * N, ...]; itself when there is only one process.

    Gradients flow back to the process a row came from. Every process then computes the same joint
    loss, so a row's gradient arrives W times and the mean that DistributedDataParallel takes over W
    processes makes it exactly that of one process with the joint batch.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return local
    from torch.distributed.nn.functional import all_gather

    return torch.cat(all_gather(local), dim=0)  # type: ignore[no-untyped-call]
