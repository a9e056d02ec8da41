from __future__ import annotations

import numpy as np
import torch

from soundalike.model.projection import Projection


def test_two_layers_with_a_relu_between_and_no_bias() -> None:
    projection = Projection(5, hidden=7, out=3)
    first, second = (p.detach().numpy() for p in projection.parameters())
    assert first.shape == (7, 5)
    assert second.shape == (3, 7)
    h = torch.randn(4, 5)
    expected = np.maximum(h.numpy() @ first.T, 0) @ second.T
    assert np.allclose(projection(h).detach().numpy(), expected, atol=1e-6)


def test_direction_of_z_does_not_depend_on_the_length_of_h() -> None:
    projection = Projection(5, hidden=7, out=3)
    h = torch.randn(4, 5)
    assert torch.allclose(projection(4 * h), 4 * projection(h))
