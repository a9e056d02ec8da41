from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from soundalike.model.sample_cnn import SampleCNN, SampleCNNSettings


def _twin(model: SampleCNN, channels: list[int]) -> nn.Sequential:
    """The network as the paper's table lists it, layer under layer, with the weights of `model`."""
    layers: list[nn.Module] = [nn.Conv1d(1, channels[0], 3, stride=3), nn.BatchNorm1d(channels[0])]
    layers.append(nn.ReLU())
    for before, after in pairwise(channels):
        layers += [nn.Conv1d(before, after, 3, padding=1), nn.BatchNorm1d(after)]
        layers += [nn.ReLU(), nn.MaxPool1d(3)]
    layers += [nn.Conv1d(channels[-1], channels[-1], 3, padding=1), nn.BatchNorm1d(channels[-1])]
    twin = nn.Sequential(*layers, nn.ReLU())
    weights = model.state_dict().values()
    twin.load_state_dict(dict(zip(twin.state_dict(), weights, strict=True)))
    return twin.train(model.training)


@pytest.fixture
def small() -> SampleCNN:
    torch.manual_seed(0)
    model = SampleCNN(SampleCNNSettings(first_width=3, widths=(3, 4, 5))).train()
    for _ in range(3):  # so that the running statistics of the norms are not at their start
        model(torch.randn(8, 81) * 2 + 1)
    return model.eval()


def test_default_is_the_network_of_clmr() -> None:
    settings = SampleCNNSettings()
    assert settings.sample_rate == 22_050
    assert settings.shortest == 59_049
    assert settings.first_width == 128
    assert settings.widths == (128, 128, *[256] * 6, 512)
    model = SampleCNN(settings).eval()
    twin = _twin(model, [128, *settings.widths])
    x = torch.randn(1, 59_049)
    with torch.inference_mode():
        steps = twin(x.unsqueeze(1))
        assert steps.shape == (1, 512, 1)  # 3^10 samples are one step
        assert torch.allclose(model(x), steps[:, :, 0], atol=1e-6)


@pytest.mark.parametrize("samples", [81, 82, 161, 162, 400])
def test_h_is_the_mean_of_the_steps_that_are_left(small: SampleCNN, samples: int) -> None:
    x = torch.randn(2, samples)
    steps = _twin(small, [3, 3, 4, 5])(x.unsqueeze(1))
    assert steps.shape == (2, 5, samples // 81)
    assert torch.allclose(small(x), steps.mean(dim=2), atol=1e-6)


def test_keep_has_no_effect(small: SampleCNN) -> None:
    x = torch.randn(2, 100)
    assert torch.equal(small(x, keep=0.1), small(x))


def test_too_short_a_waveform_is_refused(small: SampleCNN) -> None:
    with pytest.raises(ValueError, match="has 80 samples, SampleCNN takes 81 or more"):
        small(torch.randn(2, 80))


@pytest.mark.parametrize("settings", [{"widths": ()}, {"widths": (4, 0)}, {"first_width": 0}])
def test_impossible_settings_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 channel or more"):
        SampleCNNSettings(**settings)
