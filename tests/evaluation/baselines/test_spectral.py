"""What the spectral baselines hear, and what they are deaf to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dct

from fake_model import tone
from soundalike.evaluation.baselines import BASELINES, spectral
from soundalike.evaluation.baselines.spectral import SAMPLE_RATE, mean_log_mel, mfcc


@pytest.fixture
def music() -> np.ndarray:
    """Noise that swells, and a tone that comes in half way: float32, 6 s."""
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.05, size=6 * SAMPLE_RATE) * np.linspace(0.5, 1, 6 * SAMPLE_RATE)
    noise[3 * SAMPLE_RATE :] += tone(1_000, 3.0, level=0.2)
    return noise.astype(np.float32)


@pytest.mark.parametrize("name", BASELINES)
def test_a_track_is_one_row_of_forty_numbers(name: str, music: np.ndarray) -> None:
    vectors = BASELINES[name](music)
    assert vectors.shape == (1, 40)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    for other in (np.zeros_like(music), music[:100]):  # silence, and less than a window
        assert BASELINES[name](other).shape == (1, 40)
        assert np.isfinite(BASELINES[name](other)).all()


def test_a_tone_is_loudest_in_its_own_band() -> None:
    mel = 2595 * np.log10(1 + np.array([20, 8_000]) / 700)
    centres = 700 * (10 ** (np.linspace(*mel, 42)[1:-1] / 2595) - 1)
    for band in (5, 20, 35):
        assert int(mean_log_mel(tone(centres[band], 2.0))[0].argmax()) == band


def test_gain_moves_every_band_alike_and_only_one_coefficient(music: np.ndarray) -> None:
    gain = np.log(0.25)  # of the power, at half the amplitude
    difference = mean_log_mel(music / 2) - mean_log_mel(music)
    np.testing.assert_allclose(difference, gain, atol=1e-2)
    moved = (mfcc(music / 2) - mfcc(music))[0]
    assert moved[0] == pytest.approx(gain * np.sqrt(40), abs=0.05)
    np.testing.assert_allclose(moved[1:], 0, atol=0.05)


def test_cepstra_are_the_cosine_transform_of_the_log_mel_spectrum(music: np.ndarray) -> None:
    all_forty = dct(spectral.log_mel(music), type=2, norm="ortho", axis=1)
    np.testing.assert_allclose(spectral.cepstra(music, 40), all_forty, rtol=1e-3, atol=1e-4)
    cepstra = all_forty[:, :20]
    expected = np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0)])
    np.testing.assert_allclose(mfcc(music)[0], expected, rtol=1e-3, atol=1e-4)


def test_order_in_time_is_not_heard(music: np.ndarray) -> None:
    turned = np.roll(music, 94 * 512)  # by whole frames: all are heard again but those at a seam
    np.testing.assert_allclose(mean_log_mel(turned), mean_log_mel(music), atol=0.05)
    np.testing.assert_allclose(mfcc(turned), mfcc(music), atol=0.1)


def test_long_music_is_taken_in_blocks_without_a_seam(music: np.ndarray) -> None:
    long = np.tile(music, 12)  # 72 s, more than a block
    frames = np.lib.stride_tricks.sliding_window_view(long, 1_024)[::512]
    whole = np.abs(np.fft.rfft(frames * np.hanning(1_024), axis=1)) ** 2
    expected = np.log(whole @ spectral.mel_filters() + 1e-8)
    assert len(expected) > 2_048
    np.testing.assert_allclose(spectral.log_mel(long), expected, atol=1e-2)


def test_padding_a_frame_adds_no_power() -> None:
    sound = tone(440, 0.5)
    (plain,) = spectral.power_spectra(sound, 1_000, 500)
    (padded,) = spectral.power_spectra(sound, 1_000, 500, transform=2_000)
    np.testing.assert_allclose(padded[:, ::2], plain, rtol=1e-4, atol=1e-6)
