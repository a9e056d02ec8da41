"""What the baselines hear, and what they are deaf to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dct

from fake_model import tone
from soundalike.evaluation import baselines
from soundalike.evaluation.baselines import bliss, mean_log_mel, mfcc, standardise
from soundalike.evaluation.tasks import SAMPLE_RATE


@pytest.fixture
def music() -> np.ndarray:
    """Noise that swells, and a tone that comes in half way: float32, 6 s."""
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.05, size=6 * SAMPLE_RATE) * np.linspace(0.5, 1, 6 * SAMPLE_RATE)
    noise[3 * SAMPLE_RATE :] += tone(1_000, 3.0, level=0.2)
    return noise.astype(np.float32)


@pytest.mark.parametrize("describe", [mean_log_mel, mfcc])
def test_a_track_is_one_row_of_forty_numbers(describe: object, music: np.ndarray) -> None:
    vectors = describe(music)  # type: ignore[operator]
    assert vectors.shape == (1, 40)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.isfinite(describe(np.zeros_like(music))).all()  # type: ignore[operator]


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
    cepstra = dct(baselines._log_mel(music), type=2, norm="ortho", axis=1)[:, :20]
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
    expected = np.log(whole @ baselines._mel_filters() + 1e-8)
    assert len(expected) > 2_048
    np.testing.assert_allclose(baselines._log_mel(long), expected, atol=1e-2)


def test_standardised_numbers_have_no_scale_left() -> None:
    rng = np.random.default_rng(1)
    scales = np.array([1.0, 1_000.0, 1e-3])
    first = [rng.normal(size=(1, 3)) * scales + 5 for _ in range(50)]
    second = [rng.normal(size=(1, 3)) * scales + 5 for _ in range(50)]
    done = standardise([first, second])
    assert [len(each) for each in done] == [50, 50]
    rows = np.concatenate([*done[0], *done[1]])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    rescaled = standardise([[9 * row - 2 for row in each] for each in (first, second)])
    np.testing.assert_allclose(np.concatenate(rescaled[0]), np.concatenate(done[0]), atol=1e-5)
    # Each dimension counts alike, whatever it is measured in.
    spread = np.abs(rows).mean(axis=0)
    assert spread.max() / spread.min() < 1.3


def test_a_dimension_that_never_changes_says_nothing() -> None:
    done = standardise([[np.array([[1.0, 7.0]]), np.array([[2.0, 7.0]])]])
    np.testing.assert_allclose(np.concatenate(done[0]), [[-1, 0], [1, 0]], atol=1e-6)


def test_bliss_describes_a_waveform_and_leaves_nothing_behind(
    music: np.ndarray, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bliss_audio", reason="bliss-audio is not installed")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    vectors = bliss(music)
    assert vectors.shape == (1, 23)
    assert vectors.dtype == np.float32
    assert not np.allclose(vectors, bliss(tone(200, 6.0)))
    np.testing.assert_allclose(bliss(music), vectors)
    assert list(tmp_path.iterdir()) == []  # type: ignore[attr-defined]


def test_bliss_hears_what_the_others_hear(tmp_path: object) -> None:
    path = tmp_path / "sound.wav"  # type: ignore[operator]
    from soundalike.audio.waveform import load_audio

    baselines._write_wav(path, tone(300, 1.0))
    np.testing.assert_allclose(load_audio(path), tone(300, 1.0), atol=1 / 32767)
