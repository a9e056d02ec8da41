from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from soundalike.model.timbre_cnn import TimbreCNN, TimbreCNNSettings

SMALL = TimbreCNNSettings(
    n_mels=16,
    heights=(10, 4),
    steps=(2, 3),
    tall=5,
    lengths=(5, 3),
    long=3,
    width=6,
    depth=2,
    stretch=8,
    dimension=7,
)


@pytest.fixture
def small() -> TimbreCNN:
    """A network whose norms have seen data, of which some filters answer where their shape is not."""
    torch.manual_seed(0)
    model = TimbreCNN(SMALL).train()
    with torch.no_grad():
        model.mixing += torch.randn(16, 16) / 10
        model.knee.normal_()
        model.gain.normal_()
        model.threshold.normal_()
    for _ in range(3):
        model(torch.randn(8, 16, 40) * 2 + 1)
    return model.eval()


def _spectrograms(frames: int = 40, batch: int = 3) -> Tensor:
    return torch.randn(batch, 16, frames, generator=torch.Generator().manual_seed(1))


# Against a slow twin ------------------------------------------------------------------------------


def _normalised(norm: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """A batch norm in evaluation on [channels, n], by hand."""
    state = {name: value.double().numpy() for name, value in norm.state_dict().items()}
    scaled = (x - state["running_mean"][:, None]) / np.sqrt(state["running_var"][:, None] + 1e-5)
    if "weight" in state:
        scaled = scaled * state["weight"][:, None] + state["bias"][:, None]
    answer: np.ndarray = scaled
    return answer


def _twin(model: TimbreCNN, log_mel: np.ndarray) -> np.ndarray:
    """h of one spectrogram [M, F], one number after the other."""
    settings = model.settings
    mixing, knee, gain, threshold = (
        p.detach().double().numpy() for p in (model.mixing, model.knee, model.gain, model.threshold)
    )
    x = np.log1p(np.exp(mixing @ log_mel + knee[:, None]))
    M, n = x.shape
    rows = []
    padded = np.pad(x, ((0, 0), (2, 2)))
    for filters, height, step in zip(model.tall, settings.heights, settings.steps, strict=True):
        places = range(0, M - height + 1, step)
        for kernel in filters.weight.detach().double().numpy()[:, 0]:
            rows.append(
                [
                    max((padded[b : b + height, t : t + 5] * kernel).sum() for b in places)
                    for t in range(n)
                ]
            )
    coarse = np.array([x[b : b + 2].mean(axis=0) for b in range(0, M, 2)])
    for filters, length in zip(model.long, settings.lengths, strict=True):
        wide = np.pad(coarse, ((0, 0), (length // 2, length // 2)))
        for kernel in filters.weight.detach().double().numpy()[:, 0, 0]:
            answers = [[(band[t : t + length] * kernel).sum() for t in range(n)] for band in wide]
            rows.append(list(np.max(answers, axis=0)))
    rows = np.array(rows) * gain[:, None] + threshold[:, None]
    current = _normalised(model.filter_norm, np.maximum(0, rows))
    layers = [current]
    for i, (convolution, norm) in enumerate(zip(model.in_time, model.in_time_norms, strict=True)):
        weight, bias = (p.detach().double().numpy() for p in (convolution.weight, convolution.bias))
        wide = np.pad(current, ((0, 0), (2, 2)))
        y = [
            [(wide[:, t : t + 5] * kernel).sum() + shift for t in range(n)]
            for kernel, shift in zip(weight, bias, strict=True)
        ]
        y = _normalised(norm, np.maximum(0, y))
        current = y + current if i else y
        layers.append(current)
    everything, length = np.concatenate(layers), settings.stretch
    heard = []
    for first in range(0, n - length + 1, length):
        part = everything[:, first : first + length]
        heard.append(np.concatenate([part.mean(axis=1), part.max(axis=1)]))
    of_stretches = _normalised(model.heard_norm, np.array(heard).T).T
    out = model.out.weight.detach().double().numpy(), model.out.bias.detach().double().numpy()
    h: np.ndarray = (of_stretches @ out[0].T + out[1]).mean(axis=0)
    return h


@pytest.mark.parametrize("frames", [40, 37, 8])
def test_h_is_what_a_slow_twin_makes_of_it(small: TimbreCNN, frames: int) -> None:
    x = _spectrograms(frames, batch=2)
    expected = np.stack([_twin(small, example.double().numpy()) for example in x])
    np.testing.assert_allclose(small(x).detach().numpy(), expected, atol=1e-4)
    assert np.abs(expected[0] - expected[1]).max() > 0.01


# What it hears ------------------------------------------------------------------------------------


def test_a_shape_is_found_wherever_it_lies_along_the_bands() -> None:
    torch.manual_seed(0)
    settings = TimbreCNNSettings(
        n_mels=16,
        heights=(6,),
        steps=(1,),
        tall=8,
        lengths=(3,),
        long=1,
        width=4,
        stretch=8,
        dimension=5,
    )
    model = TimbreCNN(settings).eval()
    torch.nn.init.zeros_(model.long[0].weight)  # these follow bands two by two, not one by one
    x = torch.zeros(2, 16, 24)
    chord = torch.randn(4, 24, generator=torch.Generator().manual_seed(2)).abs()
    x[0, 6:10], x[1, 7:11] = chord, chord
    h = model(x)
    assert torch.allclose(h[0], h[1], atol=1e-5)
    assert not torch.allclose(model(x.flip(1)), h, atol=1e-3)


def test_the_order_of_stretches_does_not_matter_but_what_is_in_them_does(small: TimbreCNN) -> None:
    torch.nn.init.zeros_(small.in_time[0].weight)  # with them, ends of neighbours are heard
    torch.nn.init.zeros_(small.in_time[1].weight)
    for filters in (*small.tall, *small.long):
        with torch.no_grad():  # a filter of one frame
            middle = filters.weight.shape[3] // 2
            alone = filters.weight[..., middle].clone()
            filters.weight.zero_()
            filters.weight[..., middle] = alone
    x = _spectrograms(32)
    stretches = x.unflatten(2, (4, 8))
    swapped = stretches[:, :, [2, 0, 3, 1]].flatten(2)
    assert torch.allclose(small(swapped), small(x), atol=1e-5)
    mixed = stretches.transpose(2, 3).flatten(2)
    assert not torch.allclose(small(mixed), small(x), atol=1e-3)


def test_a_filter_may_answer_where_its_shape_is_not(small: TimbreCNN) -> None:
    x = _spectrograms()
    answers, heard = small.answers(x), small.layers(x)[0]
    state = small.filter_norm.state_dict()
    rectified = (
        heard * (state["running_var"] + 1e-5).sqrt()[:, None] + state["running_mean"][:, None]
    )
    turned = small.gain < 0
    assert turned.any()
    assert not turned.all()
    for sign, before, after in zip(
        small.gain.sign().tolist(), answers[0], rectified[0], strict=True
    ):
        heard_there = after > 1e-4
        if heard_there.sum() > 2:
            slope = torch.corrcoef(torch.stack([before[heard_there], after[heard_there]]))[0, 1]
            assert slope.item() == pytest.approx(sign, abs=1e-3)


def test_what_is_faint_is_not_heard() -> None:
    model = TimbreCNN(SMALL).eval()
    torch.nn.init.constant_(model.knee, -20.0)  # as much as all of it lies below
    x = _spectrograms()
    assert torch.allclose(model(x), model(x * 2), atol=1e-5)
    assert not torch.allclose(model(x + 25), model(x * 2 + 25), atol=1e-4)


# Stretches of time --------------------------------------------------------------------------------


def test_h_is_the_mean_of_its_stretches(small: TimbreCNN) -> None:
    x = _spectrograms(40)  # 5 stretches
    h, in_time = small.hear(x, 0.25, 5)
    assert in_time.shape == (3, 5, 7)
    assert torch.allclose(in_time.mean(dim=1), h, atol=1e-6)
    assert torch.allclose(small(x), h, atol=1e-6)
    wider, halves = small.hear(x, 1.0, 2)
    assert halves.shape == (3, 2, 7)
    assert not torch.allclose(wider, h, atol=1e-4)  # another stretch has another maximum


def test_what_does_not_divide_is_left_out(small: TimbreCNN) -> None:
    h, in_time = small.hear(_spectrograms(39), 1.0, 3)
    assert in_time.shape == (3, 3, 7)
    assert h.isfinite().all()
    with pytest.raises(ValueError, match="41 stretches of 40 frames"):
        small.hear(_spectrograms(40), 1.0, 41)


# Shapes -------------------------------------------------------------------------------------------


def test_default_hears_thirty_seconds_in_ten_stretches() -> None:
    settings = TimbreCNNSettings()
    model = TimbreCNN(settings).eval()
    assert settings.filters == 96
    assert sum(p.numel() for p in model.parameters()) == 235_840
    with torch.inference_mode():
        h, in_time = model.hear(torch.rand(1, 96, 1499), 1.0, 10)
    assert h.shape == (1, 256) == (1, model.dimension)
    assert in_time.shape == (1, 10, 256)


def test_too_few_frames_or_other_bands_are_refused(small: TimbreCNN) -> None:
    with pytest.raises(ValueError, match="has 7 frames, this encoder takes 8 or more"):
        small(_spectrograms(7))
    with pytest.raises(ValueError, match="has 96 mel bands, this encoder takes 16"):
        small(torch.rand(2, 96, 40))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tall": 0}, "holds a number below 1"),
        ({"lengths": (5, 0)}, "holds a number below 1"),
        ({"heights": (97, 38, 67)}, r"heights=\(97, 38, 67\) want one of steps"),
        ({"steps": (4,)}, r"heights=\(38, 38, 67\) want one of steps=\(4,\) each"),
        ({"lengths": ()}, "must not be empty"),
        ({"heights": (), "steps": ()}, "must not be empty"),
        ({"n_mels": 91}, "n_mels=91 must be a multiple of 2"),
        ({"lengths": (50, 25)}, r"lengths=\(50, 25\) must be odd"),
    ],
)
def test_shapes_that_cannot_be(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TimbreCNNSettings(**settings)  # type: ignore[arg-type]


def test_answers_do_not_depend_on_the_batch(small: TimbreCNN) -> None:
    x = _spectrograms(20)
    alone = torch.cat([small(one.unsqueeze(0)) for one in x])
    assert torch.allclose(small(x), alone, atol=1e-5)
    assert torch.equal(small(x), small(x))
