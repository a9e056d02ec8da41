from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from transformers import ASTFeatureExtractor

from soundalike.audio.melspectrogram import LOG_FLOOR, LogMel, LogMelSettings, mel_filters

OURS = LogMelSettings()
PUBLISHED = LogMelSettings.published_ast()
SETTINGS = pytest.mark.parametrize("settings", [OURS, PUBLISHED], ids=["ours", "published"])


def _noise(samples: int, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(0)) / 10


def _tone(frequency: float, samples: int = 16_000) -> torch.Tensor:
    time = torch.arange(samples, dtype=torch.float64) / 16_000
    return (0.3 * torch.sin(2 * math.pi * frequency * time)).float().unsqueeze(0)


def _log_mel(waveforms: torch.Tensor, settings: LogMelSettings) -> torch.Tensor:
    """The log-mel before normalisation."""
    return LogMel(settings)(waveforms) * 2 * settings.std + settings.mean


@pytest.mark.filterwarnings("ignore:At least one mel filter has all zero values")
@pytest.mark.parametrize(
    "waveform",
    [_noise(163_840), _tone(440, 163_840), _tone(100, 163_840) + _noise(163_840) / 100],
    ids=["noise", "tone", "tone in noise"],
)
def test_published_settings_equal_the_transformers_library(waveform: torch.Tensor) -> None:
    # It does not centre the waveform, as AST's authors do; so that ours has nothing left to remove:
    waveform = waveform - waveform.mean()
    theirs = ASTFeatureExtractor()(waveform[0].numpy(), sampling_rate=16_000, return_tensors="pt")
    expected = theirs["input_values"][0].T[:, :1_022]  # the last two of 1,024 frames are padding
    found = LogMel(PUBLISHED)(waveform)[0]
    assert found.shape == (128, 1_022)
    audible = expected * 2 * PUBLISHED.std + PUBLISHED.mean > -12
    difference = (found - expected).abs() * 2 * PUBLISHED.std
    assert difference[audible].max() < 1e-3


@pytest.mark.parametrize(
    "settings",
    [OURS, PUBLISHED, dataclasses.replace(OURS, n_fft=1_024, window=400, n_mels=64, f_max=7_000)],
    ids=["ours", "published", "padded"],
)
def test_each_step_done_one_by_one(settings: LogMelSettings) -> None:
    waveform = _noise(4_000)
    expected = _one_frame(waveform[0].double().numpy(), settings, frame=3)
    found = LogMel(settings)(waveform)[0, :, 3]
    assert np.allclose(found.numpy(), expected, atol=1e-4)


def _one_frame(waveform: np.ndarray, settings: LogMelSettings, *, frame: int) -> np.ndarray:
    """Slow twin of LogMel for one frame: the steps of Kaldi's fbank in order."""
    x = waveform - waveform.mean()
    if settings.loudness is not None:
        x = x * 10 ** (settings.loudness / 20) / np.sqrt((x**2).mean())
    x = x[frame * settings.hop :][: settings.window]
    if settings.remove_offset:
        x = x - x.mean()
    x = np.array([x[i] - settings.preemphasis * x[max(0, i - 1)] for i in range(len(x))])
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)), settings.n_fft)) ** 2

    def mel(frequency: float) -> float:
        return 1127 * math.log(1 + frequency / 700)

    low, high = mel(settings.f_min), mel(settings.f_max)
    width = (high - low) / (settings.n_mels + 1)
    bands = []
    for band in range(settings.n_mels):
        total = 0.0
        for k in range(settings.n_fft // 2):
            distance = abs(
                mel(k * settings.sample_rate / settings.n_fft) - low - (band + 1) * width
            )
            total += power[k] * max(0.0, 1 - distance / width)
        bands.append((math.log(max(total, LOG_FLOOR)) - settings.mean) / (2 * settings.std))
    return np.array(bands)


@SETTINGS
@pytest.mark.parametrize("band", [12, 40, 80])
def test_a_tone_peaks_in_its_band(settings: LogMelSettings, band: int) -> None:
    low, high = (1127 * math.log(1 + f / 700) for f in (settings.f_min, settings.f_max))
    centre = low + (band + 1) * (high - low) / (settings.n_mels + 1)
    tone = _tone(700 * (math.exp(centre / 1127) - 1))
    assert (LogMel(settings)(tone)[0].argmax(dim=0) == band).all()


def test_no_filter_of_ours_is_empty() -> None:
    assert (mel_filters(OURS).sum(axis=1) > 0).all()
    assert mel_filters(OURS).shape == (96, 257)


def test_volume_and_offset_do_not_matter_when_loudness_is_set() -> None:
    waveforms = _noise(8_000, batch=2)
    reference = LogMel(OURS)(waveforms)
    assert torch.allclose(LogMel(OURS)(waveforms * 0.05 + 0.2), reference, atol=1e-3)


def test_volume_shifts_the_log_mel_when_loudness_is_not_set() -> None:
    waveforms = _noise(8_000)
    shift = _log_mel(waveforms * 3, PUBLISHED) - _log_mel(waveforms, PUBLISHED)
    audible = torch.from_numpy(mel_filters(PUBLISHED).sum(axis=1) > 0)  # one of the 128 is empty
    assert torch.allclose(shift[:, audible], torch.tensor(math.log(9)), atol=1e-3)
    assert torch.allclose(shift[:, ~audible], torch.zeros(1), atol=1e-3)


def test_each_waveform_has_its_own_loudness() -> None:
    waveforms = _noise(8_000, batch=2) * torch.tensor([[1.0], [0.1]])
    together = LogMel(OURS)(waveforms)
    alone = torch.cat([LogMel(OURS)(one.unsqueeze(0)) for one in waveforms])
    assert torch.allclose(together, alone, atol=1e-5)


def test_silence_is_the_floor_and_whispering_stays_quiet() -> None:
    silence = _log_mel(torch.zeros(1, 8_000), OURS)
    assert torch.allclose(silence, torch.tensor(math.log(LOG_FLOOR)), atol=1e-4)
    # 30 dB below the quietest that is still brought to full loudness: 30 dB too quiet.
    faint = _noise(8_000) * 10 ** (-80 / 20)
    difference = _log_mel(_noise(8_000), OURS) - _log_mel(faint, OURS)
    assert torch.allclose(difference, torch.tensor(math.log(10 ** (30 / 10))), atol=0.1)


@SETTINGS
@pytest.mark.parametrize("extra", [0, 1, 319, 320, 1_600])
def test_frames_are_those_that_fit_wholly(settings: LogMelSettings, extra: int) -> None:
    samples = settings.window + extra
    log_mel = LogMel(settings)(_noise(samples))
    assert log_mel.shape == (1, settings.n_mels, settings.frames(samples))
    assert settings.frames(samples) == 1 + extra // settings.hop


def test_frames_of_nothing() -> None:
    assert OURS.frames(511) == 0
    assert OURS.frames(0) == 0
    assert OURS.frames(480_000) == 1_499
    assert PUBLISHED.frames(480_000) == 2_998


def test_nothing_of_it_is_stored_among_the_weights() -> None:
    assert LogMel(OURS).state_dict() == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 513}, "window=513 must not exceed n_fft=512"),
        ({"f_max": 8_001.0}, "f_max=8001.0 must lie"),
        ({"f_min": 9_000.0}, "f_min=9000.0"),
        ({"f_min": -1.0}, "f_min=-1.0"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(OURS, **change)
