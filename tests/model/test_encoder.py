from __future__ import annotations

import dataclasses

import pytest
import torch

from soundalike.model.encoder import AST, ASTSettings, evenly, patchout, sine_positions

SMALL = ASTSettings(
    n_mels=16,
    max_frames=40,
    patch_mels=8,
    patch_frames=4,
    stride_mels=8,
    stride_frames=4,
    width=12,
    depth=2,
    heads=3,
    hidden=20,
)


def _encoder(settings: ASTSettings = SMALL) -> AST:
    """Weights large enough for every part to show in the result."""
    torch.manual_seed(0)
    encoder = AST(settings).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return encoder


def _spectrograms(frames: int = 40, batch: int = 3) -> torch.Tensor:
    return torch.randn(batch, 16, frames, generator=torch.Generator().manual_seed(1))


def test_default_shape_of_30_seconds() -> None:
    assert ASTSettings().grid == (6, 93)
    assert sum(p.numel() for p in AST(ASTSettings()).parameters()) == 2_826_816
    assert ASTSettings.published_ast().grid == (12, 101)


@pytest.mark.parametrize("pooling", ["mean", "class"])
def test_one_vector_per_spectrogram_and_every_weight_is_used(pooling: str) -> None:
    encoder = _encoder(dataclasses.replace(SMALL, pooling=pooling))
    h = encoder(_spectrograms())
    assert h.shape == (3, 12) == (3, encoder.dimension)
    h.square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_patches_are_rectangles_that_do_not_overlap() -> None:
    # Without positions a transformer sees a set of patches: exchanging two leaves the mean as it is.
    encoder = _encoder()
    torch.nn.init.zeros_(encoder.patch_positions)
    x = _spectrograms()
    exchanged = x.clone()
    exchanged[:, :8, 0:4], exchanged[:, 8:, 12:16] = x[:, 8:, 12:16], x[:, :8, 0:4]
    assert torch.allclose(encoder(exchanged), encoder(x), atol=1e-5)
    shifted = x.clone()
    shifted[:, :, 1:41] = x[:, :, :39]  # cuts through the patches
    assert not torch.allclose(encoder(shifted), encoder(x), atol=1e-2)


def test_overlapping_patches_are_counted_with_their_stride() -> None:
    settings = dataclasses.replace(SMALL, stride_mels=4, stride_frames=3)
    assert settings.grid == (3, 13)
    assert _encoder(settings)(_spectrograms()).shape == (3, 12)


def test_a_shorter_input_uses_the_first_columns_of_positions() -> None:
    encoder = _encoder()
    short = AST(dataclasses.replace(SMALL, max_frames=20)).eval()
    weights = encoder.state_dict()
    weights["patch_positions"] = weights["patch_positions"][:, :, :5]
    short.load_state_dict(weights)
    x = _spectrograms(frames=20)
    assert torch.allclose(encoder(x), short(x), atol=1e-6)


def test_frames_after_the_last_whole_patch_are_not_heard() -> None:
    encoder = _encoder()
    x = _spectrograms(frames=23)
    assert torch.equal(encoder(x), encoder(x[:, :, :20]))


def test_order_of_the_batch_does_not_matter() -> None:
    encoder, x = _encoder(), _spectrograms(batch=5)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(encoder(x[order]), encoder(x)[order], atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 15, 40), "15 mel bands, this encoder takes 16"),
        ((1, 16, 41), "41 frames, this encoder takes 4 to 40"),
        ((1, 16, 3), "3 frames, this encoder takes 4 to 40"),
    ],
)
def test_other_spectrograms_are_refused(shape: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _encoder()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": 5}, "width=12 is not a multiple of heads=5"),
        ({"pooling": "max"}, 'pooling="max"'),
        ({"max_frames": 3}, "does not fit into"),
        ({"n_mels": 7}, "does not fit into"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **change)


# Patchout -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keep", "kept"), [(0.5, 10), (0.26, 5), (0.001, 1), (1.0, 20)])
def test_patchout_keeps_the_share_and_only_what_was_there(keep: float, kept: int) -> None:
    tokens = torch.arange(2 * 20.0).view(2, 20, 1).expand(-1, -1, 3)
    chosen, places = patchout(tokens, keep)
    assert chosen.shape == (2, kept, 3)
    assert torch.equal(chosen, torch.stack([t[p] for t, p in zip(tokens, places, strict=True)]))
    for example, whole in zip(chosen, tokens, strict=True):
        values = set(example[:, 0].tolist())
        assert len(values) == kept
        assert values <= set(whole[:, 0].tolist())
        assert torch.equal(example, example[:, :1].expand(-1, 3))  # whole tokens, not entries


def test_patchout_draws_anew_for_each_example() -> None:
    torch.manual_seed(0)
    tokens = torch.arange(50.0).view(1, 50, 1).expand(8, -1, -1)
    draws = {tuple(sorted(example[:, 0].tolist())) for example in patchout(tokens, 0.5)[0]}
    assert len(draws) == 8


def test_keeping_all_patches_changes_nothing_and_draws_nothing() -> None:
    encoder, x = _encoder(), _spectrograms()
    state = torch.random.get_rng_state()
    assert torch.equal(encoder(x, keep=1.0), encoder(x))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_dropped_patches_keep_the_position_of_those_that_stay() -> None:
    # All patches hold the same sound, so what is left differs by position alone.
    encoder = _encoder()
    x = torch.ones(1, 16, 40)
    torch.manual_seed(0)
    draws = torch.cat([encoder(x, keep=0.05) for _ in range(8)])
    assert draws.std(dim=0).min() > 1e-3
    torch.nn.init.zeros_(encoder.patch_positions)
    draws = torch.cat([encoder(x, keep=0.05) for _ in range(8)])
    assert draws.std(dim=0).max() < 1e-5


# Layers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["mean", "class"])
def test_the_layer_of_the_last_block_is_h(pooling: str) -> None:
    encoder, x = _encoder(dataclasses.replace(SMALL, pooling=pooling)), _spectrograms()
    assert torch.equal(encoder.layers(x, [2]), encoder(x))


def test_deviations_are_those_of_the_patches_after_the_mean_of_their_block() -> None:
    encoder, x = _encoder(), _spectrograms()
    layers = encoder.layers(x, [1, 2], [2])
    patches = encoder._look(x, 1.0)[0][:, 2:]
    assert layers.shape == (3, 3 * SMALL.width)
    torch.testing.assert_close(layers[:, : 2 * SMALL.width], encoder.layers(x, [1, 2]))
    expected = torch.from_numpy(patches.detach().numpy().std(axis=1))
    torch.testing.assert_close(layers[:, 2 * SMALL.width :].detach(), expected)
    torch.testing.assert_close(encoder.layers(x, [], [2]), layers[:, 2 * SMALL.width :])


def test_an_earlier_layer_knows_nothing_of_the_blocks_behind_it() -> None:
    encoder, x = _encoder(), _spectrograms()
    first, both = encoder.layers(x, [1]), encoder.layers(x, [1, 2])
    assert both.shape == (3, 2 * SMALL.width)
    assert torch.equal(both[:, : SMALL.width], first)
    before = encoder.blocks[1]
    torch.nn.init.zeros_(before.mlp_out.weight)
    assert torch.equal(encoder.layers(x, [1]), first)
    assert not torch.allclose(encoder.layers(x, [2]), both[:, SMALL.width :])


# Thinning -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("one_in", [2, 3])
def test_thinning_leaves_patches_of_every_row_and_column(one_in: int) -> None:
    kept = evenly(6, 93, one_in)
    assert len(kept) == pytest.approx(6 * 93 / one_in, abs=1)
    grid = torch.zeros(6 * 93)
    grid[kept] = 1
    grid = grid.view(6, 93)
    rows, columns = grid.sum(dim=1), grid.sum(dim=0)
    assert rows.max() - rows.min() <= 1
    assert columns.max() - columns.min() <= 1
    assert not (grid[:, 1:] * grid[:, :-1]).any()  # no two neighbours in time
    assert torch.equal(evenly(6, 93, 1), torch.arange(6 * 93))


def test_a_thinned_look_is_at_the_kept_patches_alone() -> None:
    encoder, x = _encoder(), _spectrograms()
    rows, columns = SMALL.grid
    kept = set(evenly(rows, columns, 2).tolist())
    thinned = encoder.layers(x, [1, 2], [2], thinning=2)
    assert not torch.allclose(thinned, encoder.layers(x, [1, 2], [2]), atol=1e-4)
    changed = x.clone()
    for place in set(range(rows * columns)) - kept:
        top, left = place // columns * SMALL.stride_mels, place % columns * SMALL.stride_frames
        changed[:, top : top + SMALL.patch_mels, left : left + SMALL.patch_frames] = 7.0
    assert torch.equal(encoder.layers(changed, [1, 2], [2], thinning=2), thinned)
    place = min(kept)
    changed[:, place // columns * SMALL.stride_mels, place % columns * SMALL.stride_frames] += 1
    assert not torch.equal(encoder.layers(changed, [1, 2], [2], thinning=2), thinned)


# Stretches of time --------------------------------------------------------------------------------


def test_h_is_the_mean_of_its_stretches() -> None:
    encoder, x = _encoder(), _spectrograms()
    columns = SMALL.grid[1]
    h, spans = encoder.hear(x, 1.0, columns)  # one for each column of patches
    assert spans.shape == (len(x), columns, SMALL.width)
    torch.testing.assert_close(h, encoder(x))
    torch.testing.assert_close(spans.mean(dim=1), h)


def test_a_stretch_is_the_mean_of_the_patches_that_patchout_left_in_it() -> None:
    encoder, x = _encoder(), _spectrograms()
    rows, columns = SMALL.grid
    torch.manual_seed(3)
    _, spans = encoder.hear(x, 0.5, 2)
    torch.manual_seed(3)
    tokens, places = encoder._look(x, 0.5)
    assert places.shape == (len(x), round(0.5 * rows * columns))
    for row in range(len(x)):
        late = places[row] >= -(-columns // 2)
        for span, chosen in enumerate((~late, late)):
            expected = tokens[row, 2:][chosen].mean(dim=0)
            torch.testing.assert_close(spans[row, span], expected)


def test_a_stretch_without_patches_is_not_a_number_and_harms_no_gradient() -> None:
    encoder, x = _encoder(), _spectrograms()
    _, spans = encoder.hear(x, 0.05, SMALL.grid[1])  # one patch is left
    known = ~spans[..., 0].isnan()
    assert known.sum(dim=1).tolist() == [1] * len(x)
    spans[known].square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in encoder.parameters())


# Positions ----------------------------------------------------------------------------------------


def test_starting_positions_tell_near_from_far_along_both_axes() -> None:
    table = sine_positions(6, 93, 192)
    assert table.shape == (1, 6, 93, 192)
    flat = torch.nn.functional.normalize(table[0], dim=-1)
    along_time = flat[0] @ flat[0, 0]
    along_mel = flat[:, 0] @ flat[0, 0]
    assert (along_time[:5].diff() < 0).all()
    assert (along_mel[:3].diff() < 0).all()
    everywhere = flat.flatten(0, 1)
    assert (everywhere @ everywhere.T).fill_diagonal_(0).max() < 0.9999
