"""The tasks on matrices made by hand, and the recordings they are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fake_model import tone, write_sound, write_tone
from soundalike.errors import AudioError, QueryError
from soundalike.evaluation.tasks import (
    Halves,
    Recording,
    read_recordings,
    same_album,
    same_track,
    similarity_matrix,
)

RATE = 8_000

# Queries are rows. Track 0 finds its other half first, track 1 second, track 2 third.
SIMILARITY = np.array(
    [
        [0.9, 0.1, 0.2, 0.0],
        [0.8, 0.5, 0.1, 0.2],
        [0.7, 0.6, 0.3, 0.1],
        [0.1, 0.2, 0.3, 0.4],
    ]
)


def test_same_track_asks_for_the_other_half() -> None:
    result = same_track(SIMILARITY)
    assert (result.task, result.queries) == ("same_track", 4)
    assert result.values == {
        "top-1": [1, 0, 0, 1],
        "MRR": pytest.approx([1, 1 / 2, 1 / 3, 1]),
    }
    assert result.scores["top-1"].mean == 0.5
    assert result.scores["MRR"].mean == pytest.approx((1 + 1 / 2 + 1 / 3 + 1) / 4)
    assert result.scores["MRR"].low <= result.scores["MRR"].mean <= result.scores["MRR"].high


def test_same_album_asks_for_the_mates_and_bars_the_track_itself() -> None:
    result = same_album(SIMILARITY, ["a", "a", "a", "b"])
    precisions = result.values["mAP"]
    # Without itself, track 0 ranks 2, 1, 3: both mates first.
    assert precisions[0] == pytest.approx(1)
    # Track 1 ranks 0, 3, 2: its mates stand at 1 and 3.
    assert precisions[1] == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert precisions[2] == pytest.approx(1)
    assert np.isnan(precisions[3])  # alone on its album
    assert result.values["P@5"][:3] == pytest.approx([2 / 5] * 3)
    assert result.scores["mAP"].mean == pytest.approx((1 + 5 / 6 + 1) / 3)


def test_tracks_without_an_album_are_nobodys_mates() -> None:
    result = same_album(SIMILARITY, ["", "", "a", "a"])
    assert np.isnan(result.values["mAP"][:2]).all()
    assert not np.isnan(result.values["mAP"][2:]).any()


def test_a_system_that_hears_perfectly_scores_one() -> None:
    albums = ["a", "b", "a", "b", "b"]
    perfect = np.array([[1.0 if one == other else 0.0 for other in albums] for one in albums])
    assert same_album(perfect, albums).scores["mAP"].mean == 1
    assert same_track(np.eye(5)).scores["top-1"].mean == 1


def test_a_similarity_matrix_has_a_row_for_each_query() -> None:
    queries = [np.eye(3)[:2], np.eye(3)[1:]]
    tracks = [np.eye(3)[:2], np.eye(3)[[2, 2]], np.eye(3)[[1, 0]]]
    mean = similarity_matrix(queries, tracks, "mean")
    assert mean.shape == (2, 3)
    np.testing.assert_allclose(mean, [[1, 0, 1], [0.5, np.sqrt(0.5), 0.5]], atol=1e-6)
    concat = similarity_matrix(queries, tracks, "concat")
    np.testing.assert_allclose(concat[0], [1, 0, 0], atol=1e-6)
    maxsim = similarity_matrix(queries, tracks, "maxsim")
    np.testing.assert_allclose(maxsim[0], [1, 0, 1], atol=1e-6)


# Recordings


def test_recordings_of_a_split_are_read(tmp_path: Path) -> None:
    listing = tmp_path / "tracks.csv"
    listing.write_text(
        "path,split,soundtrack,artist\na/1.opus,test,A,Ann\nb/2.opus,train,B,\n", "utf-8-sig"
    )
    assert read_recordings(listing, "test") == [Recording(tmp_path / "a/1.opus", "A", "Ann")]
    with pytest.raises(QueryError, match='no track in the split "validation"'):
        read_recordings(listing, "validation")


@pytest.mark.parametrize(
    "content", [b"path,split\n1.mp3,test\n", b"path\n1.mp3\n", b"\xff\xfe\x00"]
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    listing = tmp_path / "tracks.csv"
    listing.write_bytes(content)
    with pytest.raises(QueryError, match="is not a list of tracks"):
        read_recordings(listing, "test")
    with pytest.raises(QueryError, match="is not a list of tracks"):
        read_recordings(tmp_path / "none.csv", "test")


def recordings(folder: Path) -> dict[str, Recording]:
    half = tone(200, 6.0, sample_rate=RATE)
    silence = np.zeros(6 * RATE, np.float32)
    sounds = {
        "two halves": np.concatenate([half, tone(900, 6.0, sample_rate=RATE)]),
        "too short": half,
        "half silent": np.concatenate([half, silence]),
        "silent": silence,
    }
    for name, sound in sounds.items():
        write_sound(folder / f"{name}.wav", sound[None], sample_rate=RATE)
    (folder / "no sound.wav").write_text("words")
    return {path.stem: Recording(path, "", "") for path in sorted(folder.glob("*.wav"))}


def test_tracks_are_halved_and_what_has_no_two_halves_is_told_of(tmp_path: Path) -> None:
    all_of_them = recordings(tmp_path)
    told: list[AudioError] = []
    halves = Halves.load(list(all_of_them.values()), sample_rate=RATE, warn=told.append)
    assert halves.recordings == [all_of_them["two halves"]]
    assert {error.path.stem: error.reason for error in told} == {
        "half silent": "one half is silent",
        "no sound": told[1].reason,
        "silent": "silent",
        "too short": "halves shorter than 5 s",
    }
    for half, frequency in ((halves.first[0], 200), (halves.second[0], 900)):
        assert half.dtype == np.int16
        assert len(half) == 6 * RATE
        spectrum = np.abs(np.fft.rfft(half.astype(float)))
        assert np.argmax(spectrum) / 6 == pytest.approx(frequency)


def test_a_set_of_which_nothing_can_be_used_is_refused(tmp_path: Path) -> None:
    unusable = [each for name, each in recordings(tmp_path).items() if name != "two halves"]
    with pytest.raises(QueryError, match="none of the 4 tracks to compare can be used"):
        Halves.load(unusable, warn=lambda _: None)


def test_every_half_is_described_as_float(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.wav", 200, 12.0, sample_rate=RATE, level=0.5)
    halves = Halves.load([Recording(path, "", "")], sample_rate=RATE, warn=lambda _: None)

    def describe(waveform: np.ndarray) -> np.ndarray:
        assert waveform.dtype == np.float32
        return np.array([[len(waveform), np.abs(waveform).max()]])

    first, second = halves.describe(describe)
    np.testing.assert_allclose(first[0], [[6 * RATE, 0.5]], rtol=1e-3)
    np.testing.assert_allclose(second[0], [[6 * RATE, 0.5]], rtol=1e-3)
