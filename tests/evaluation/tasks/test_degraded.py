"""Who is asked among whom, and which half minute of a track it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fake_model import write_sound
from soundalike.errors import AudioError, LibraryError
from soundalike.evaluation.degradations import COSTLY, DEGRADATIONS
from soundalike.evaluation.retrieval import judge
from soundalike.evaluation.sounds import samples
from soundalike.evaluation.tasks import degraded as task
from soundalike.evaluation.tasks.degraded import EXCERPT, degraded, degraded_sound, excerpt_start
from soundalike.evaluation.tasks.recordings import Recording

RATE = 8_000
KINDS = list(DEGRADATIONS)


def recording(path: Path, seconds: float, seed: int = 0) -> Recording:
    noise = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    write_sound(path, noise.astype(np.float32)[None], sample_rate=RATE)
    return Recording(path, "album", "artist")


@pytest.fixture
def recordings(tmp_path: Path) -> list[Recording]:
    return [recording(tmp_path / f"{number}.flac", 50.0, number) for number in range(3)]


def test_every_track_is_asked_about_in_every_kind(recordings: list[Recording]) -> None:
    asked = degraded(recordings)
    assert asked.task == "degraded"
    assert asked.metrics == ("top-1", "MRR")
    assert len(asked.queries) == 3 * len(KINDS)
    assert list(dict.fromkeys(asked.kinds)) == KINDS
    assert [asked.kinds.count(kind) for kind in KINDS] == [3] * len(KINDS)
    assert [sound.key.endswith("#whole") for sound in asked.tracks] == [True] * 3
    assert len({sound.key for sound in asked.queries}) == len(asked.queries)
    # Of file 1 is right what begins with the name of file 1.
    for row, sound in enumerate(asked.queries):
        files = [each.key.partition("#")[0] for each in asked.tracks]
        expected = [sound.key.startswith(f"{file}#") for file in files]
        assert asked.relevant[row].tolist() == expected
    assert not asked.barred.any()


def test_perfect_answers_score_1_in_every_kind(recordings: list[Recording]) -> None:
    asked = degraded(recordings)
    scores = judge(asked, asked.relevant.astype(np.float32))
    assert [score.kind for score in scores] == [*KINDS, "all"]
    assert {score.intervals["MRR"].mean for score in scores} == {1.0}
    assert {score.queries for score in scores[:-1]} == {3}


def test_any_copy_of_the_recording_is_right(recordings: list[Recording]) -> None:
    asked = degraded(recordings, duplicates=[{0, 2}])
    for start in range(0, len(asked.queries), 3):
        rows = asked.relevant[start : start + 3].tolist()
        assert rows == [[True, False, True], [False, True, False], [True, False, True]]


def test_nothing_is_decoded_to_ask(tmp_path: Path) -> None:
    missing = Recording(tmp_path / "nowhere.flac", "", "")
    sound = degraded([missing]).queries[0]
    with pytest.raises(AudioError, match="no such file"):
        sound.make(RATE)


def test_the_excerpt_is_half_a_minute_of_the_track(recordings: list[Recording]) -> None:
    excerpt = degraded_sound(recordings[0], "clean").make(RATE)
    name = f"{recordings[0].path.parent.name}/{recordings[0].path.name}"
    first = round(excerpt_start(50.0, name) * RATE)
    whole = samples(recordings[0].path, RATE)[first : first + 30 * RATE]
    np.testing.assert_allclose(excerpt * 32767, whole, atol=1e-2)


def test_excerpts_keep_away_from_the_edges() -> None:
    names = [f"track {number}" for number in range(300)]
    starts = np.array([excerpt_start(100.0, name) for name in names])
    assert (starts.min(), starts.max()) == (pytest.approx(5, abs=1), pytest.approx(65, abs=1))
    assert 5 <= starts.min() < starts.max() <= 65
    np.testing.assert_allclose(np.histogram(starts, 4, (5, 65))[0], 75, atol=30)
    assert [excerpt_start(36.0, name) for name in names] == [3.0] * 300  # in the middle
    assert {excerpt_start(seconds, "a") for seconds in (4, 20, 30)} == {0.0}
    moved = np.array([excerpt_start(100.0, name, seed=1) for name in names])
    assert not np.isclose(starts, moved).any()


def test_short_tracks_are_asked_about_as_a_whole(tmp_path: Path) -> None:
    short = recording(tmp_path / "short.flac", 8.0)
    assert len(degraded_sound(short, "clean").make(RATE)) == 8 * RATE
    assert len(degraded_sound(short, "trim 15 s").make(RATE)) == 5 * RATE
    with pytest.raises(AudioError, match=r"too short to be found again: 4\.5 s"):
        degraded_sound(recording(tmp_path / "jingle.flac", 4.5), "clean").make(RATE)


def test_trims_are_of_the_whole_track(recordings: list[Recording]) -> None:
    for seconds in (5, 15):
        heard = degraded_sound(recordings[1], f"trim {seconds} s").make(RATE)
        expected = samples(recordings[1].path, RATE)[seconds * RATE :]
        np.testing.assert_allclose(heard * 32767, expected, atol=1e-2)


def test_the_key_says_all_the_sound_depends_on(
    recordings: list[Recording], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = recordings[0]
    key = degraded_sound(one, "noise 0 dB").key
    assert key == degraded_sound(one, "noise 0 dB", cache=tmp_path).key
    others = {
        degraded_sound(recordings[1], "noise 0 dB").key,
        degraded_sound(one, "noise 10 dB").key,
        degraded_sound(one, "noise 0 dB", seed=1).key,
    }
    for name, value in (("EXCERPT", 20.0), ("PROTOCOL", task.PROTOCOL + 1)):
        with monkeypatch.context() as changed:
            changed.setattr(task, name, value)
            others.add(degraded_sound(one, "noise 0 dB").key)
    recording(one.path, 51.0)
    others.add(degraded_sound(one, "noise 0 dB").key)
    assert len(others | {key}) == 7


def test_equal_keys_are_equal_sounds(recordings: list[Recording]) -> None:
    for kind in ("noise 10 dB", "reverb"):
        first, again = (degraded_sound(recordings[0], kind, 3).make(RATE) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        other = degraded_sound(recordings[0], kind, 4).make(RATE)
        assert not np.array_equal(first[: 20 * RATE], other[: 20 * RATE])


def test_tracks_are_not_drowned_in_the_same_noise(recordings: list[Recording]) -> None:
    noises = []
    for each in recordings[:2]:
        clean = degraded_sound(each, "clean").make(RATE)
        noisy = degraded_sound(each, "noise 0 dB").make(RATE)
        noises.append(noisy - (noisy @ clean / (clean @ clean)) * clean)
    assert abs(np.corrcoef(noises)[0, 1]) < 0.05


def test_what_is_costly_is_made_once(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, kind = tmp_path / "cache", "Opus 24 kbit/s"
    assert kind in COSTLY
    made = degraded_sound(recordings[0], kind, cache=cache).make(RATE)
    np.testing.assert_array_equal(made, degraded_sound(recordings[0], kind).make(RATE))
    degraded_sound(recordings[0], kind, cache=cache).make(2 * RATE)
    degraded_sound(recordings[0], "clean", cache=cache).make(RATE)
    assert len(list(cache.iterdir())) == 2  # one for each sample rate, and no waste
    again = degraded_sound(recordings[0], kind, cache=cache)
    with monkeypatch.context() as changed:
        changed.setattr(task, "DEGRADATIONS", {})  # nothing can be made now
        np.testing.assert_array_equal(again.make(RATE), made)
    for length, torn in enumerate(cache.iterdir()):
        torn.write_bytes(torn.read_bytes()[: 1_000 * length])
    np.testing.assert_array_equal(again.make(RATE), made)
    assert len(made) == EXCERPT * RATE


def test_a_cache_that_cannot_be_is_named(recordings: list[Recording], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    sound = degraded_sound(recordings[0], "MP3 32 kbit/s", cache=tmp_path / "file")
    with pytest.raises(LibraryError, match="degraded sounds cannot be kept"):
        sound.make(RATE)
