from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from soundalike.audio.constant_q import SLOWER, ConstantQ, ConstantQSettings, Decimation

OURS = ConstantQSettings()
LEVEL = 0.1 * math.sqrt(2)  # of a sine at -20 dBFS


@pytest.fixture(scope="module")
def constant_q() -> ConstantQ:
    return ConstantQ(OURS)


def _tone(frequency: float, seconds: float = 4.0) -> torch.Tensor:
    time = torch.arange(round(seconds * OURS.sample_rate), dtype=torch.float64) / OURS.sample_rate
    return (0.3 * torch.sin(2 * math.pi * frequency * time)).float().unsqueeze(0)


def _music(seconds: float = 3.0, batch: int = 1) -> torch.Tensor:
    """Decaying notes over noise, and sound in every octave."""
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * OURS.sample_rate)) / OURS.sample_rate
    rows = []
    for _ in range(batch):
        x = rng.normal(0, 0.003, len(time))
        for frequency in OURS.frequencies[rng.choice(80, 12, replace=False)]:
            since = time - rng.uniform(0, seconds * 0.8)
            decay = np.exp(-np.maximum(since, 0)) * (since > 0)
            x += rng.uniform(0.02, 0.2) * decay * np.sin(2 * np.pi * frequency * since)
        rows.append(x)
    return torch.from_numpy(np.stack(rows)).float()


def _magnitudes(constant_q: ConstantQ, waveforms: torch.Tensor) -> np.ndarray:
    """What stands before the logarithm, in the middle of the sound: [P]."""
    features = constant_q(waveforms)[0]
    return (torch.expm1(features[:, features.shape[1] // 2]) * OURS.floor).double().numpy()


def _hann_response(periods: np.ndarray | float) -> np.ndarray:
    """|W| of a Hann window of sum 1, `periods` of the window away from its centre frequency."""
    x = np.asarray(periods, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        response = np.abs(np.sinc(x) / (1 - x**2))
    return np.where(np.isclose(x, 1), 0.5, response)


# Against the definition ---------------------------------------------------------------------------


def _one_value(x: np.ndarray, row: int, frame: int, settings: ConstantQSettings) -> float:
    """Slow twin: log(1 + |sum w x exp(-i 2 pi f t)| / floor) of one row, sample by sample at 8 kHz.

    `x` [N] has the right loudness already and lies at half the sample rate.
    """
    b, rate = settings.bins_per_octave, settings.sample_rate / 2
    frequency = settings.lowest * 2 ** (row / b)
    window = int(rate * 1 / (2 ** (1 / b) - 1) / frequency)
    window = min(max(window, settings.shortest), settings.longest)
    centre, total, weights = round(frame * settings.hop * rate), 0j, 0.0
    for i in range(window):
        weight = 0.5 - 0.5 * math.cos(2 * math.pi * i / (window - 1))
        weights += weight
        n = i - window // 2
        if 0 <= centre + n < len(x):
            total += weight * x[centre + n] * np.exp(-2j * math.pi * frequency * n / rate)
    return math.log1p(abs(total / weights) / settings.floor)


@pytest.mark.parametrize("row", [0, 3, 11, 12, 30, 47, 48, 60, 83])
@pytest.mark.parametrize("frame", [0, 7, 14, 28])
def test_each_value_is_the_definition(constant_q: ConstantQ, row: int, frame: int) -> None:
    waveforms = _music()
    x = waveforms[0].double().numpy()
    x = x - x.mean()
    x = x * 0.1 / np.sqrt((x**2).mean())
    taps = np.sinc(0.47 * (np.arange(33) - 16)) * np.hamming(33)
    half = np.convolve(x, taps / taps.sum(), mode="same")[::2]
    spectrogram = constant_q.spectrogram(waveforms)
    assert spectrogram.shape == (1, 84, 30)
    expected = _one_value(half, row, frame, OURS)
    # Low octaves are heard at 2 kHz, through windows that are cut to whole samples of that.
    tolerance = 0.03 if row < 48 else 0.002
    assert float(spectrogram[0, row, frame]) == pytest.approx(expected, abs=tolerance)


def test_the_slow_octaves_hear_what_the_fast_ones_would(monkeypatch: pytest.MonkeyPatch) -> None:
    waveforms = _music(batch=2)
    assert OURS.slow_octaves == 4
    found = ConstantQ(OURS)(waveforms).flatten(1)
    monkeypatch.setattr(ConstantQSettings, "slow_octaves", property(lambda _: 0))
    expected = ConstantQ(OURS)(waveforms).flatten(1)
    assert torch.cosine_similarity(found, expected).min() > 0.9999
    assert not torch.equal(found, expected)


def test_all_octaves_are_fast_where_frames_would_lie_between_samples() -> None:
    assert dataclasses.replace(OURS, hop=0.1 * 799 / 800).slow_octaves == 0


# What it hears ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [1, 12, 26, 34, 47, 48, 55, 70, 78])
def test_a_sine_peaks_in_its_row_and_falls_off_as_its_windows_do(
    constant_q: ConstantQ, row: int
) -> None:
    frequency = OURS.frequencies[row]
    found = _magnitudes(constant_q, _tone(frequency))
    # The low-pass filter of the first step takes something from the highest rows.
    heard = found[row]
    assert heard == pytest.approx(LEVEL / 2, rel=0.01 if row < 72 else 0.2)
    assert found.argmax() == row
    near = np.arange(max(0, row - 2), min(OURS.pitches, row + 3))
    periods = (OURS.frequencies[near] - frequency) * OURS.windows[near] / (OURS.sample_rate / 2)
    expected = heard * _hann_response(periods)
    np.testing.assert_allclose(found[near], expected, atol=0.02 * heard)
    if 2 <= row < 35:  # windows of Q periods: neighbours are an equal share whatever the note
        np.testing.assert_allclose(found[[row - 1, row + 1]] / heard, [0.5, 0.544], atol=0.02)


@pytest.mark.parametrize("row", [14, 20, 27])
def test_a_semitone_up_is_one_row_up(constant_q: ConstantQ, row: int) -> None:
    """Between C#1 and B3, where windows are of Q periods."""
    low, high = (_magnitudes(constant_q, _tone(OURS.frequencies[r])) for r in (row, row + 1))
    np.testing.assert_allclose(high[row - 3 : row + 6], low[row - 4 : row + 5], atol=5e-4)
    assert np.abs(high - low)[row - 3 : row + 6].max() > 0.4 * LEVEL / 2


def test_frames_are_centred_on_their_time(constant_q: ConstantQ) -> None:
    click = torch.zeros(1, 48_000)
    click[0, 24_000] = 1.0  # 1.5 s: frame 15
    spectrogram = constant_q.spectrogram(click)[0]
    assert (spectrogram.argmax(dim=1) == 15).all()
    assert torch.allclose(spectrogram[:, 14], spectrogram[:, 16], atol=0.1)


def test_silence_is_zero_and_stays_finite(constant_q: ConstantQ) -> None:
    assert torch.equal(constant_q(torch.zeros(1, 16_000)), torch.zeros(1, 84, 5))


def test_volume_and_offset_do_not_matter(constant_q: ConstantQ) -> None:
    waveforms = _music(batch=2)
    expected = constant_q(waveforms)
    assert torch.allclose(constant_q(waveforms * 0.05 + 0.2), expected, atol=1e-3)
    assert torch.allclose(constant_q(waveforms * -3), expected, atol=1e-4)


def test_each_waveform_has_its_own_loudness(constant_q: ConstantQ) -> None:
    waveforms = _music(batch=2) * torch.tensor([[1.0], [0.1]])
    together = constant_q(waveforms)
    alone = torch.cat([constant_q(one.unsqueeze(0)) for one in waveforms])
    assert torch.allclose(together, alone, atol=1e-4)


def test_features_are_means_of_neighbouring_frames(constant_q: ConstantQ) -> None:
    waveforms = _music(seconds=2.3)
    spectrogram = constant_q.spectrogram(waveforms)
    assert spectrogram.shape[2] == 23
    features = constant_q(waveforms)
    assert features.shape[2] == 11
    for i in (0, 4, 10):
        pair = spectrogram[:, :, 2 * i : 2 * i + 2].mean(dim=2)
        assert torch.allclose(features[:, :, i], pair, atol=1e-6)


# Shapes and settings ------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [3_200, 3_201, 4_799, 16_001, 52_799, 480_000])
def test_frame_count_is_as_promised(constant_q: ConstantQ, samples: int) -> None:
    assert constant_q(torch.ones(2, samples)).shape == (2, 84, OURS.frames(samples))


def test_thirty_seconds_are_150_frames() -> None:
    assert OURS.frames(480_000) == 150
    assert OURS.frames(3_200) == 1
    assert OURS.frames(3_198) == 0
    assert OURS.pitches == 84


def test_rows_are_the_keys_of_a_piano() -> None:
    names = {0: 32.703, 9: 55.0, 33: 220.0, 45: 440.0, 83: 3951.07}
    for row, frequency in names.items():
        assert OURS.frequencies[row] == pytest.approx(frequency, abs=0.01)
    assert OURS.windows[[0, 12, 24, 45, 83]].tolist() == [4_096, 2_056, 1_028, 512, 512]


def test_nothing_of_it_is_stored_among_the_weights_and_half_precision_holds_it(
    constant_q: ConstantQ,
) -> None:
    assert constant_q.state_dict() == {}
    for octave in range(OURS.octaves):
        kernels = getattr(constant_q, f"octave_{octave}")
        assert torch.equal(kernels.half().float(), kernels)


@pytest.mark.parametrize("factor", [2, SLOWER])
@pytest.mark.parametrize("samples", [1, 31, 32, 33, 500, 1_000])
def test_decimation_is_a_filter_and_a_choice(factor: int, samples: int) -> None:
    x = np.random.default_rng(1).normal(size=(2, samples)).astype(np.float32)
    found = Decimation(factor, 0.4)(torch.from_numpy(x)).numpy()
    taps = np.sinc(0.4 * np.arange(-16, 17)) * np.hamming(33)
    expected = [np.convolve(row, taps / taps.sum())[16 : 16 + samples][::factor] for row in x]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_would_come_back_as_another_note_is_kept_out() -> None:
    """Half the rate carries up to 4 kHz; 5.5 kHz would come back as 2.5 kHz."""
    alias = ConstantQ(dataclasses.replace(OURS, octaves=6))(_tone(5_500.0))
    assert torch.expm1(alias[:, :, 5:-5]).max() * OURS.floor < 0.01 * LEVEL / 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"octaves": 8}, "reach 7902 Hz; the limit is a quarter of sample_rate=16000"),
        ({"sample_rate": 8_000}, "a quarter of sample_rate=8000"),
        ({"lowest": 0.0}, r"lowest=0\.0"),
        ({"octaves": 0}, "octaves=0"),
        ({"bins_per_octave": 0}, "bins_per_octave=0"),
        ({"pool": 0}, "pool=0"),
        ({"hop": 0.0}, r"hop=0\.0"),
        ({"floor": 0.0}, r"floor=0\.0"),
        ({"shortest": 5_000}, "shortest=5000 must lie between 2 and longest=4096"),
        ({"shortest": 1}, "shortest=1 must lie"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(OURS, **change)
