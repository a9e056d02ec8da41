"""The contrastive objective: which rows are views of one another, however often each is masked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from reference.nt_xent import nt_xent, simclr
from soundalike.training.contrast import Contrast
from soundalike.training.pairs import Batch, Clip
from soundalike.training.recipe import ContrastSettings
from soundalike.training.sources import Source

B, D = 5, 6
SETTINGS = ContrastSettings(temperature=0.5, hidden=7, out=4)


def batch() -> Batch:
    """Two views each of B sources; only what they are views of matters here."""
    clips = [Clip(Source(str(i), ()), 0, 0, 1) for i in range(B)] * 2
    return Batch.of(torch.empty(2 * B, 1), clips, labels={}, target_of=None)


@pytest.fixture
def objective() -> Contrast:
    torch.manual_seed(0)
    return Contrast(D, SETTINGS)


def test_two_views_give_the_loss_of_simclr(objective: Contrast) -> None:
    h = torch.randn(2 * B, D)
    z = objective.projection(h).detach().double().numpy()
    assert objective(h, batch()).item() == pytest.approx(simclr(z[:B], z[B:], 0.5), rel=1e-5)


def test_every_mask_of_a_view_is_one_more_view(objective: Contrast) -> None:
    h = torch.randn(3 * 2 * B, D)  # three masks of the whole batch, one after the other
    z = objective.projection(h).detach().double().numpy()
    source = np.tile(np.arange(B), 6)
    for decoupled in (False, True):
        objective.settings = replace(SETTINGS, decoupled=decoupled)
        expected = nt_xent(z, source, 0.5, decoupled=decoupled)
        assert objective(h, batch()).item() == pytest.approx(expected, rel=1e-5)


def test_views_that_agree_score_better_than_views_that_do_not(objective: Contrast) -> None:
    h = F.one_hot(torch.arange(B), D).float()
    together = objective(torch.cat([h, h]), batch())
    apart = objective(torch.cat([h, h.roll(1, dims=0)]), batch())
    assert together < apart


def test_mixtures_are_neither_positives_nor_negatives(objective: Contrast) -> None:
    mixture = Source("mixture", (), mixed=True)
    clips = [Clip(Source(str(i), ()), 0, 0, 1) for i in range(B)] + [Clip(mixture, 0, 0, 1)] * 2
    rows = [*range(B), B, *range(B), B + 1]
    with_mixtures = Batch.of(
        torch.empty(2 * B + 2, 1), [clips[row] for row in rows], labels={}, target_of=None
    )
    h = torch.randn(2 * B, D)
    more = torch.cat([h[:B], torch.randn(1, D), h[B:], torch.randn(1, D)])
    assert objective(more, with_mixtures) == objective(h, batch())


def test_the_projection_is_as_wide_as_the_recipe_says(objective: Contrast) -> None:
    shapes = [tuple(weight.shape) for weight in objective.parameters()]
    assert shapes == [(7, D), (4, 7)]
