"""The supervised baseline: who made this?"""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from soundalike.training.artist_classifier import ArtistClassifier
from soundalike.training.pairs import Batch

D, ARTISTS = 4, 3
LABEL = torch.tensor([0, 2, 1, 0, 2, 1])


def batch(label: torch.Tensor = LABEL) -> Batch:
    rows = len(label)
    return Batch(torch.empty(rows, 1), torch.arange(rows), label, torch.empty(rows, 0))


@pytest.fixture
def classifier() -> ArtistClassifier:
    torch.manual_seed(0)
    return ArtistClassifier(D, ARTISTS)


def test_the_loss_is_the_cross_entropy_over_artists(classifier: ArtistClassifier) -> None:
    h = torch.randn(6, D)
    logits = classifier.logits(h)
    expected = -torch.stack(
        [(logits[i].exp() / logits[i].exp().sum())[LABEL[i]].log() for i in range(6)]
    ).mean()
    torch.testing.assert_close(classifier(h, batch()), expected)


def test_every_mask_of_a_row_has_the_rows_artist(classifier: ArtistClassifier) -> None:
    h = torch.randn(18, D)
    expected = F.cross_entropy(classifier.logits(h), torch.cat([LABEL] * 3))
    torch.testing.assert_close(classifier(h, batch()), expected)


def test_rows_without_an_artist_are_left_out(classifier: ArtistClassifier) -> None:
    h = torch.randn(6, D, requires_grad=True)
    some = torch.tensor([0, -1, 1, -1, -1, 1])
    loss = classifier(h, batch(some))
    torch.testing.assert_close(loss, classifier(h[[0, 2, 5]], batch(some[[0, 2, 5]])))
    loss.backward()
    assert h.grad is not None
    assert h.grad.abs().sum(dim=1).gt(0).tolist() == [True, False, True, False, False, True]


def test_a_batch_of_nobody_teaches_nothing_but_reaches_every_weight(
    classifier: ArtistClassifier,
) -> None:
    loss = classifier(torch.randn(6, D, requires_grad=True), batch(torch.full((6,), -1)))
    loss.backward()
    assert loss.item() == 0
    assert all(bool((p.grad == 0).all()) for p in classifier.parameters() if p.grad is not None)
    assert all(p.grad is not None for p in classifier.parameters())  # several processes wait for it


def test_accuracy_counts_artists_named_rightly(classifier: ArtistClassifier) -> None:
    with torch.no_grad():
        classifier.logits.weight.copy_(torch.eye(ARTISTS, D))
        classifier.logits.bias.zero_()
    h = F.one_hot(torch.tensor([0, 2, 1, 0, 2, 2]), D).float()
    assert classifier.accuracy(h, LABEL) == pytest.approx(5 / 6)


def test_artists_that_can_be_told_apart_are_learnt(classifier: ArtistClassifier) -> None:
    h = 3 * F.one_hot(LABEL, D) + 0.1 * torch.randn(6, D)
    optimizer = torch.optim.SGD(classifier.parameters(), lr=0.5)
    for _ in range(50):
        optimizer.zero_grad()
        classifier(h, batch()).backward()
        optimizer.step()
    assert classifier.accuracy(h, LABEL) == 1
