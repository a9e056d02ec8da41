"""Statistics of the spectrum's shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.fft import dct

from soundalike.model.cepstrum import Cepstrum, CepstrumSettings, cosines
from soundalike.model.checkpoint import from_pretrained, save_pretrained
from soundalike.model.waveform_encoder import ModelSettings, WaveformEncoder

SMALL = CepstrumSettings(n_mels=32, coefficients=5, lags=(1, 7))


def test_it_is_the_cosine_transform_each_coefficient_times_its_number() -> None:
    log_mel = np.random.default_rng(0).normal(size=(96, 4))
    wanted = dct(log_mel, axis=0, norm="ortho")[1:21] * np.arange(1, 21)[:, None]
    found = cosines(20, 96) @ torch.from_numpy(log_mel).float()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_mean_deviation_and_deviation_of_changes_stand_side_by_side() -> None:
    log_mel = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 32, 60))).float()
    h = Cepstrum(SMALL)(log_mel)
    assert h.shape == (2, SMALL.dimension)
    assert SMALL.dimension == 20
    x = (cosines(5, 32) @ log_mel).numpy()
    wanted = [x.mean(axis=2), x.std(axis=2)]
    wanted += [(x[:, :, lag:] - x[:, :, :-lag]).std(axis=2) for lag in (1, 7)]
    np.testing.assert_allclose(h, np.concatenate(wanted, axis=1), rtol=1e-4, atol=1e-5)


def test_loudness_says_nothing_and_colour_does() -> None:
    log_mel = torch.from_numpy(np.random.default_rng(2).normal(size=(1, 32, 60))).float()
    network = Cepstrum(SMALL)
    torch.testing.assert_close(network(log_mel + 3), network(log_mel), atol=1e-4, rtol=1e-4)
    brighter = log_mel + torch.linspace(-1, 1, 32)[:, None]
    moved = (network(brighter) - network(log_mel))[0]
    assert moved[0] < -1  # the first coefficient falls where bands rise with their pitch
    torch.testing.assert_close(moved[5:], torch.zeros(15), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coefficients": 32}, r"coefficients=32 must lie in 1\.\.31"),
        ({"coefficients": 0}, r"coefficients=0 must lie in 1\.\.31"),
        ({"lags": (0, 3)}, r"lags=\(0, 3\) must be 1 or more"),
    ],
)
def test_impossible_settings_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 31, 60), (1, 32, SMALL.shortest - 1)])
def test_a_spectrogram_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"32 bands and 9 frames or more are wanted"):
        Cepstrum(SMALL)(torch.zeros(shape))
    assert Cepstrum(SMALL)(torch.zeros(1, 32, SMALL.shortest)).isfinite().all()


@pytest.fixture
def settings(tiny_ast: ModelSettings) -> ModelSettings:
    return replace(tiny_ast, name="tiny-cepstrum", kind="cepstrum", cepstrum=SMALL)


def test_bands_and_segment_must_fit(settings: ModelSettings) -> None:
    with pytest.raises(ValueError, match=r"front_end.n_mels=32 and cepstrum.n_mels=30 differ"):
        replace(settings, cepstrum=replace(SMALL, n_mels=30))
    with pytest.raises(ValueError, match=r"49 frames, the encoder takes 62 or more"):
        replace(settings, cepstrum=replace(SMALL, lags=(60,)))


def test_a_model_of_it_has_a_readout_and_no_other_weights(
    settings: ModelSettings, tmp_path: object
) -> None:
    model = WaveformEncoder(settings).eval()
    assert set(model.state_dict()) == {"readout.mean", "readout.weight"}
    model.readout.fit(torch.randn(50, 20))
    save_pretrained(model, str(tmp_path))
    again = from_pretrained(str(tmp_path))
    waveform = np.random.default_rng(3).normal(size=3 * settings.samples).astype(np.float32) / 10
    np.testing.assert_allclose(again.describe(waveform), model.describe(waveform), atol=1e-3)
