from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from soundalike.model.pitch_cnn import CircularBlock, PitchCNN, PitchCNNSettings

SMALL = PitchCNNSettings(octaves=3, widths=(6, 5, 4, 8), dimension=10)


@pytest.fixture
def small() -> PitchCNN:
    """A network whose norms have seen data."""
    torch.manual_seed(0)
    model = PitchCNN(SMALL).train()
    for _ in range(3):
        model(torch.rand(8, 36, 40) * 2)
    return model.eval()


def _melody(frames: int = 48, *, pitches: int = 36, batch: int = 2) -> Tensor:
    """Features with few strong notes in a middle octave, none of them B."""
    generator = torch.Generator().manual_seed(1)
    features = torch.zeros(batch, pitches, frames)
    notes = torch.randint(12, 20, (batch, frames // 4), generator=generator)
    for row, line in enumerate(notes):
        for i, note in enumerate(line):
            features[row, note, 4 * i : 4 * i + 4] = torch.tensor([3.0, 2.0, 1.5, 1.0])
    return features


# What stays when a piece is transposed ------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, 5, 11])
def test_turning_the_circle_of_pitch_classes_changes_nothing(small: PitchCNN, turn: int) -> None:
    features = torch.rand(2, 36, 30) * 3
    turned = features.view(2, 3, 12, 30).roll(turn, dims=2).view(2, 36, 30)
    assert not torch.allclose(turned, features, atol=0.1)
    assert torch.allclose(small(turned), small(features), atol=1e-5)


@pytest.mark.parametrize("semitones", [1, 2, 4])
def test_transposing_within_the_octave_changes_nothing(small: PitchCNN, semitones: int) -> None:
    features = _melody()
    assert torch.allclose(small(features.roll(semitones, dims=1)), small(features), atol=1e-5)


def test_what_is_played_matters(small: PitchCNN) -> None:
    features = _melody()
    first, second = small(features)
    other_octave = small(features.roll(12, dims=1))[0]
    backwards = small(features.flip(2))[0]
    upside_down = small(features.flip(1))[0]
    for other in (second, other_octave, backwards, upside_down):
        assert (other - first).norm() > 1e-3 * first.norm()


def test_volume_does_not_matter(small: PitchCNN) -> None:
    features = torch.rand(2, 36, 30) * 3
    assert torch.allclose(small(2 * features + 1), small(features), atol=1e-3)


# Against a slow twin ------------------------------------------------------------------------------


@pytest.mark.parametrize("height", [12, 7, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_convolves_on_a_circle(height: int, stride: int) -> None:
    torch.manual_seed(0)
    block = CircularBlock(2, 3, (height, 3), stride=stride).train()
    block(torch.randn(4, 2, 12, 9) * 2 + 1)
    block.eval()
    x = torch.randn(1, 2, 12, 9)
    weight, norm = block.convolution.weight.detach(), block.norm
    y = block(x).detach()
    assert y.shape == (1, 3, 12, 9 if stride == 1 else 5)
    for channel, c, f in [(0, 0, 0), (1, 11, 2), (2, 5, 4), (0, 1, 3)]:
        total = 0.0
        for i in range(height):
            for j in range(3):
                frame = stride * f + j - 1
                if 0 <= frame < 9:
                    row = (c + i - (height - 1) // 2) % 12
                    total += float((weight[channel, :, i, j] * x[0, :, row, frame]).sum())
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scaled = (total - norm.running_mean[channel]) / (norm.running_var[channel] + 1e-5).sqrt()
        assert float(y[0, channel, c, f]) == pytest.approx(max(0.0, float(scaled)), abs=1e-5)


def test_h_is_the_maximum_over_keys_of_mean_and_maximum_over_time(small: PitchCNN) -> None:
    features = torch.rand(2, 36, 30)
    rows = []
    for example in features:  # each one standardised alone, and folded by hand
        x = (example - example.mean()) / (example.std() + 1e-4)
        y = torch.stack([x[12 * octave : 12 * octave + 12] for octave in range(3)]).unsqueeze(0)
        for i, block in enumerate(small.blocks):
            y = block(y)
            y = F.max_pool2d(y, (1, 2)) if i in (1, 3) else y
        lasting = y[0].mean(dim=2).max(dim=1).values
        passing = y[0].flatten(1).max(dim=1).values
        rows.append(small.out(torch.cat([lasting, passing])))
    assert torch.allclose(small(features), torch.stack(rows), atol=1e-5)


# Shapes -------------------------------------------------------------------------------------------


def test_default_hears_thirty_seconds_of_seven_octaves() -> None:
    settings = PitchCNNSettings()
    model = PitchCNN(settings).eval()
    assert settings.pitches == 84
    assert sum(p.numel() for p in model.parameters()) == 767_136
    with torch.inference_mode():
        assert model(torch.rand(1, 84, 150)).shape == (1, 256) == (1, model.dimension)


@pytest.mark.parametrize("frames", [7, 8, 9, 75, 150, 151])
def test_any_number_of_frames_gives_one_h(small: PitchCNN, frames: int) -> None:
    h = small(torch.rand(3, 36, frames))
    assert h.shape == (3, 10)
    assert h.isfinite().all()


def test_too_few_frames_or_pitches_are_refused(small: PitchCNN) -> None:
    with pytest.raises(ValueError, match="have 6 frames, this encoder takes 7 or more"):
        small(torch.rand(2, 36, 6))
    with pytest.raises(ValueError, match="have 84 pitches, this encoder takes 36"):
        small(torch.rand(2, 84, 30))


def test_answers_do_not_depend_on_the_batch(small: PitchCNN) -> None:
    features = torch.rand(3, 36, 20)
    alone = torch.cat([small(one.unsqueeze(0)) for one in features])
    assert torch.allclose(small(features), alone, atol=1e-5)
    assert torch.equal(small(features), small(features))


def test_silence_is_answered(small: PitchCNN) -> None:
    assert small(torch.zeros(1, 36, 20)).isfinite().all()


def test_keep_has_no_effect(small: PitchCNN) -> None:
    features = torch.rand(2, 36, 20)
    assert torch.equal(small(features, keep=0.1), small(features))


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    model = PitchCNN(SMALL).train()
    model(torch.rand(4, 36, 40)).square().sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widths": (4, 4, 4)}, "must be four numbers"),
        ({"widths": (4, 4, 0, 4)}, "1 or more"),
        ({"dimension": 0}, "dimension=0"),
        ({"octaves": 0}, "octaves=0"),
        ({"bins_per_octave": 6}, "bins_per_octave=6 is less than the 7"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PitchCNNSettings(**change)
