from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from soundalike.audio.constant_q import ConstantQ
from soundalike.model.encoder import ASTSettings
from soundalike.model.pitch_cnn import PitchCNNSettings
from soundalike.model.waveform_encoder import (
    ModelSettings,
    Readout,
    ReadoutSettings,
    SegmentSettings,
    WaveformEncoder,
)


def _music(rows: int, dimension: int = 6) -> torch.Tensor:
    """Representations as encoders give them: far from the origin, of very unequal spread."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.logspace(0, -1.5, dimension)
    return torch.randn(rows, dimension, generator=generator) * spread + 5


def test_embedding_is_the_readout_of_the_encoder_of_the_front_end(tiny_ast: ModelSettings) -> None:
    model = WaveformEncoder(tiny_ast).eval()
    waveforms = torch.randn(3, tiny_ast.samples) / 10
    h = model.encoder(model.front_end(waveforms))
    embedding = model(waveforms)
    assert embedding.shape == (3, 24) == (3, model.dimension)
    assert torch.allclose(embedding, h / h.norm(dim=1, keepdim=True), atol=1e-6)


def test_a_readout_of_two_blocks_reads_both(tiny_ast: ModelSettings) -> None:
    settings = dataclasses.replace(tiny_ast, readout=ReadoutSettings((1, 2), (1,)))
    model = WaveformEncoder(settings).eval()
    waveforms = torch.randn(3, settings.samples) / 10
    layers = model.encoder.layers(model.front_end(waveforms), (1, 2), (1,))
    assert layers.shape == (3, 72) == (3, model.dimension)
    assert torch.equal(model.represent(waveforms), layers)
    assert torch.allclose(model(waveforms), layers / layers.norm(dim=1, keepdim=True), atol=1e-6)


def test_a_thinned_readout_looks_at_fewer_patches(tiny_ast: ModelSettings) -> None:
    settings = dataclasses.replace(tiny_ast, readout=ReadoutSettings((1, 2), (1,), thinning=2))
    model = WaveformEncoder(settings).eval()
    waveforms = torch.randn(3, settings.samples) / 10
    layers = model.encoder.layers(model.front_end(waveforms), (1, 2), (1,), 2)
    assert torch.equal(model.represent(waveforms), layers)
    assert not torch.allclose(
        model.encoder.layers(model.front_end(waveforms), (1, 2), (1,)), layers, atol=1e-4
    )


@pytest.mark.parametrize(
    ("readout", "words"),
    [
        (ReadoutSettings((1, 2), thinning=0), r"readout.thinning=0 must lie in 1\.\."),
        (ReadoutSettings((1, 2), thinning=999), r"readout.thinning=999 must lie in 1\.\."),
        (ReadoutSettings(thinning=2), "readout.thinning=2 wants blocks that are read"),
    ],
)
def test_thinning_that_cannot_be(
    tiny_ast: ModelSettings, readout: ReadoutSettings, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(tiny_ast, readout=readout)


def test_a_timbre_network_wants_its_bands_and_a_stretch(tiny_timbre_cnn: ModelSettings) -> None:
    fewer = dataclasses.replace(tiny_timbre_cnn.timbre_cnn, n_mels=28)
    with pytest.raises(ValueError, match=r"front_end.n_mels=32 and timbre_cnn.n_mels=28 differ"):
        dataclasses.replace(tiny_timbre_cnn, timbre_cnn=fewer)
    longer = dataclasses.replace(tiny_timbre_cnn.timbre_cnn, stretch=50)
    with pytest.raises(
        ValueError, match=r"segments.length=1.0 s are 49 frames, .* takes 50 or more"
    ):
        dataclasses.replace(tiny_timbre_cnn, timbre_cnn=longer)


def test_only_a_transformer_has_patches_to_thin(tiny_pitch_cnn: ModelSettings) -> None:
    with pytest.raises(ValueError, match=r"readout.thinning=2.* only an .ast. has patches"):
        dataclasses.replace(tiny_pitch_cnn, readout=ReadoutSettings(thinning=2))


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ((0, 1), r"readout.means=\[0, 1\] must lie in 1..ast.depth=2"),
        ((1, 3), r"readout.means=\[1, 3\] must lie in 1..ast.depth=2"),
        ((2, 1), r"readout.means=\[2, 1\] must"),
        ((1, 1), r"readout.means=\[1, 1\] must rise, each block once"),
    ],
)
def test_blocks_that_cannot_be_read(
    tiny_ast: ModelSettings, blocks: tuple[int, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(tiny_ast, readout=ReadoutSettings(blocks))


def test_only_a_transformer_has_blocks_to_read(tiny_pitch_cnn: ModelSettings) -> None:
    with pytest.raises(ValueError, match=r'readout.means=\[1\]: only an "ast" has blocks'):
        dataclasses.replace(tiny_pitch_cnn, readout=ReadoutSettings((1,)))


def test_sample_cnn_hears_the_waveform_itself(tiny_sample_cnn: ModelSettings) -> None:
    model = WaveformEncoder(tiny_sample_cnn).eval()
    waveforms = torch.randn(3, tiny_sample_cnn.samples)
    h = model.encoder(waveforms)
    assert torch.allclose(model(waveforms), h / h.norm(dim=1, keepdim=True), atol=1e-6)


def test_the_pitch_network_hears_the_constant_q_spectrogram(tiny_pitch_cnn: ModelSettings) -> None:
    model = WaveformEncoder(tiny_pitch_cnn).eval()
    waveforms = torch.randn(3, tiny_pitch_cnn.samples) / 10
    features = ConstantQ(tiny_pitch_cnn.constant_q)(waveforms)
    assert features.shape == (3, 36, 12)
    h = model.encoder(features)
    embedding = model(waveforms)
    assert embedding.shape == (3, 16) == (3, model.dimension)
    assert torch.allclose(embedding, h / h.norm(dim=1, keepdim=True), atol=1e-6)


@pytest.mark.parametrize("kind", ["tiny_ast", "tiny_pitch_cnn"])
def test_volume_does_not_change_the_embedding(kind: str, request: pytest.FixtureRequest) -> None:
    settings: ModelSettings = request.getfixturevalue(kind)
    model = WaveformEncoder(settings).eval()
    waveforms = torch.randn(2, settings.samples) / 10
    assert torch.allclose(model(waveforms / 8), model(waveforms), atol=1e-5)


def test_samples_follow_from_seconds_and_rate(
    tiny_ast: ModelSettings, tiny_sample_cnn: ModelSettings, tiny_pitch_cnn: ModelSettings
) -> None:
    assert (tiny_pitch_cnn.sample_rate, tiny_pitch_cnn.samples) == (8_000, 8_000)
    assert (tiny_ast.sample_rate, tiny_ast.samples) == (8_000, 8_000)
    assert (tiny_sample_cnn.sample_rate, tiny_sample_cnn.samples) == (2_000, 400)
    assert ModelSettings().samples == 480_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "lstm"}, 'kind="lstm" is none of ast, sample_cnn, pitch_cnn'),
        ({"name": "My Model"}, "lower-case letters, digits and dashes"),
        ({"name": ""}, "lower-case letters, digits and dashes"),
        ({"segments": SegmentSettings(length=2.0)}, "99 frames, the encoder takes 8 to"),
        ({"segments": SegmentSettings(length=0.05)}, "1 frames, the encoder takes 8 to"),
        ({"ast": ASTSettings(n_mels=64, max_frames=49)}, "n_mels=32 and ast.n_mels=64 differ"),
        ({"kind": "sample_cnn"}, "SampleCNN takes 59049 or more"),
        ({"kind": "pitch_cnn"}, "1.0 s are 5 frames, the encoder takes 7 or more"),
        (
            {"kind": "pitch_cnn", "pitch_cnn": PitchCNNSettings(octaves=6)},
            r"constant_q has octaves x bins_per_octave=\(7, 12\), pitch_cnn takes \(6, 12\)",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    tiny_ast: ModelSettings, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(tiny_ast, **change)


def test_readout_starts_as_bare_cosine() -> None:
    h = _music(4)
    assert torch.allclose(Readout(6)(h), h / h.norm(dim=1, keepdim=True), atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_readout_centres_and_shrinks_each_direction_by_its_deviation(strength: float) -> None:
    h = _music(500)
    readout = Readout(6)
    readout.fit(h, strength=strength)
    before, after = h - h.mean(dim=0), (h - readout.mean) @ readout.weight.T
    assert torch.allclose(after.mean(dim=0), torch.zeros(6), atol=1e-5)
    variance, directions = torch.linalg.eigh(before.T @ before)
    spread = ((after @ directions).square().sum(dim=0)).sqrt()
    expected = variance.sqrt() ** (1 - strength)
    # Up to one factor for all, which the unit length takes out again.
    assert torch.allclose(spread / spread[0], expected / expected[0], rtol=1e-3)


def test_readout_of_a_dead_direction_stays_finite() -> None:
    h = _music(50)
    h[:, 3] = 0
    readout = Readout(6)
    readout.fit(h, strength=1.0)
    assert readout(h).isfinite().all()
    assert readout.weight.abs().max() < 100


@pytest.mark.parametrize(
    ("rows", "strength", "message"), [(5, 0.5, "5 rows are too few"), (9, 1.5, "strength=1.5")]
)
def test_readout_refuses(rows: int, strength: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Readout(6).fit(_music(rows), strength=strength)


def test_a_steady_readout_heeds_less_what_changes_move() -> None:
    h = _music(500)
    rng = torch.Generator().manual_seed(3)
    readout = Readout(6)
    readout.fit(h, strength=0.75)
    shaky = torch.linalg.qr(torch.randn(6, 6, generator=rng))[0][0]  # one direction of embeddings
    inverse = torch.linalg.inv(readout.weight)

    def changed(rows: torch.Tensor) -> torch.Tensor:
        noise = 3 * torch.randn(len(rows), 1, generator=rng) * shaky
        return rows + (noise + 0.05 * torch.randn(len(rows), 6, generator=rng)) @ inverse.T

    before = float((readout(h) * readout(changed(h))).sum(dim=1).mean())
    readout.steady(h, changed(h), strength=1.0)
    after = float((readout(h) * readout(changed(h))).sum(dim=1).mean())
    assert before < 0.8
    assert after > before + 0.15
    assert torch.allclose(readout(h).norm(dim=1), torch.ones(500), atol=1e-5)


def test_a_steady_readout_by_its_definition() -> None:
    h, other = (
        _music(400),
        _music(400) + 0.3 * torch.randn(400, 6, generator=torch.Generator().manual_seed(1)),
    )
    readout = Readout(6)
    readout.fit(h, strength=0.5)
    before, moved = readout.weight.clone(), readout(other) - readout(h)
    readout.steady(h, other, strength=0.5)
    N = (moved.T @ moved / 400).double()
    N += torch.eye(6) * N.trace() / 6 * 1e-4
    variance, directions = torch.linalg.eigh(N)
    expected = (directions * variance**-0.25) @ directions.T @ before.double()
    ratio = readout.weight.double() / expected
    assert torch.allclose(ratio, ratio[0, 0].expand(6, 6), rtol=1e-3)


def test_strength_0_leaves_the_readout_as_it_is() -> None:
    h = _music(400)
    readout = Readout(6)
    readout.fit(h, strength=0.5)
    before = readout(h)
    readout.steady(h, h.flip(0), strength=0.0)
    assert torch.allclose(readout(h), before, atol=1e-6)


def test_a_steady_readout_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="M >= D"):
        Readout(6).steady(_music(5), _music(5), strength=1.0)
    with pytest.raises(ValueError, match="M >= D"):
        Readout(6).steady(_music(9), _music(8), strength=1.0)
