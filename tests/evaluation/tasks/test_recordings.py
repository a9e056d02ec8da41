"""What is played of a recording, and which recordings can be played at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fake_model import tone, write_sound, write_tone
from soundalike.errors import AudioError, QueryError
from soundalike.evaluation.tasks import recordings as module
from soundalike.evaluation.tasks.recordings import (
    Halves,
    Recording,
    digest_of,
    excerpt,
    halves,
    read_recordings,
    usable,
    whole,
)

RATE = 8_000


def test_recordings_of_a_split_are_read(tmp_path: Path) -> None:
    listing = tmp_path / "tracks.csv"
    listing.write_text(
        "path,split,soundtrack,artist\na/1.opus,test,A,Ann\nb/2.opus,train,B,\n", "utf-8-sig"
    )
    assert read_recordings(listing, "test") == [Recording(tmp_path / "a/1.opus", "A", "Ann")]
    with pytest.raises(
        QueryError, match='no track in the split "validation"; its splits are: test, train'
    ):
        read_recordings(listing, "validation")


def test_labels_that_are_not_there_are_not_known(tmp_path: Path) -> None:
    listing = tmp_path / "tracks.csv"
    listing.write_text("path,split,soundtrack,genre\n1.mp3,test,A,polka\n2.mp3,test,A\n")
    first, second = read_recordings(listing, "test")
    assert (first.album, first.artist, first.genre) == ("A", "", "polka")
    assert (second.album, second.artist, second.genre) == ("A", "", "")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"path,split\n1.mp3,test\n", "it has no column 'soundtrack'"),
        (b"path\n1.mp3\n", "it has no column 'split'"),
        (b"\xff\xfe\x00", "it is not text"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    listing = tmp_path / "tracks.csv"
    listing.write_bytes(content)
    with pytest.raises(QueryError, match=f"is not a list of tracks: {why}"):
        read_recordings(listing, "test")
    with pytest.raises(QueryError, match="is not a list of tracks"):
        read_recordings(tmp_path / "none.csv", "test")


# Parts


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """A rising sweep of 12 s and one sample: every part of it sounds unlike every other."""
    t = np.arange(12 * RATE + 1) / RATE
    sweep = 0.5 * np.sin(2 * np.pi * (100 * t + 40 * t**2))
    path = write_sound(tmp_path / "sweep.wav", sweep.astype(np.float32)[None], sample_rate=RATE)
    return Recording(path, "", "")


def test_two_halves_are_the_whole(recording: Recording) -> None:
    first, second = (half.make(RATE) for half in halves(recording))
    assert (len(first), len(second)) == (6 * RATE, 6 * RATE + 1)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole(recording).make(RATE))
    assert first.dtype == second.dtype == np.float32


def test_an_excerpt_is_where_it_says(recording: Recording) -> None:
    everything = whole(recording).make(RATE)
    part = excerpt(recording, 2.5, 3.0).make(RATE)
    np.testing.assert_array_equal(part, everything[20_000:44_000])
    assert len(excerpt(recording, 10.0, 30.0).make(RATE)) == 2 * RATE + 1  # its end comes before
    with pytest.raises(AudioError, match="ends before 13 s"):
        excerpt(recording, 13.0, 1.0).make(RATE)


def test_keys_name_file_and_part(recording: Recording) -> None:
    parts = [whole(recording), *halves(recording), excerpt(recording, 2.5, 3.0)]
    keys = [part.key for part in parts]
    assert len({key.partition("#")[0] for key in keys}) == 1
    assert [key.partition("#")[2] for key in keys] == [
        "whole",
        "first-half",
        "second-half",
        "excerpt@2.5+3",
    ]
    write_tone(recording.path, 200, 12.0)
    assert whole(recording).key not in keys


def test_naming_a_sound_decodes_nothing(tmp_path: Path) -> None:
    missing = Recording(tmp_path / "none.wav", "", "")
    first, second = halves(missing)
    assert first.key != second.key
    with pytest.raises(AudioError, match="no such file"):
        first.make(RATE)


# Which can be used


def unlike(folder: Path) -> dict[str, Recording]:
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


REASONS = {
    "half silent": "one half is silent",
    "no sound": "not audio, or damaged at its head",
    "silent": "silent",
    "too short": "halves shorter than 5 s",
}


def test_what_has_no_two_halves_is_told_of(tmp_path: Path) -> None:
    all_of_them = unlike(tmp_path)
    told: list[AudioError] = []
    kept = usable(list(all_of_them.values()), warn=told.append)
    assert kept == [all_of_them["two halves"]]
    assert {error.path.stem: error.reason for error in told} == REASONS


def test_what_is_known_to_be_usable_is_not_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music, cache = tmp_path / "music", tmp_path / "cache"
    music.mkdir()
    all_of_them = unlike(music)
    kept = usable(list(all_of_them.values()), cache=cache)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("was decoded again")

    with monkeypatch.context() as patch:
        patch.setattr(module, "load_audio", never)
        told: list[AudioError] = []
        assert usable(list(all_of_them.values()), cache=cache, warn=told.append) == kept
        assert {error.path.stem: error.reason for error in told} == REASONS
    write_tone(all_of_them["silent"].path, 300, 12.0)  # changed: looked at again
    assert usable(list(all_of_them.values()), cache=cache) == [all_of_them["silent"], *kept]
    (cache / "usable.json").write_text("torn {")
    assert len(usable(list(all_of_them.values()), cache=cache)) == 2
    assert len(json.loads((cache / "usable.json").read_text())) == 5


def test_a_set_of_which_nothing_can_be_used_is_refused(tmp_path: Path) -> None:
    unusable = [each for name, each in unlike(tmp_path).items() if name != "two halves"]
    with pytest.raises(QueryError, match="none of the 4 tracks to compare can be used"):
        usable(unusable)
    with pytest.raises(QueryError, match="none of the 4 tracks to compare can be used"):
        Halves.load(unusable, warn=lambda _: None)


# Halves in memory


def test_halves_in_memory_are_the_halves_of_the_tasks(tmp_path: Path, recording: Recording) -> None:
    told: list[AudioError] = []
    others = [each for name, each in unlike(tmp_path / "..").items() if name in REASONS]
    loaded = Halves.load([*others, recording], sample_rate=RATE, warn=told.append)
    assert loaded.recordings == [recording]
    assert {error.path.stem: error.reason for error in told} == REASONS
    assert loaded.first[0].dtype == np.int16
    described = loaded.describe(lambda waveform: waveform)
    for (found,), half in zip(described, halves(recording), strict=True):
        np.testing.assert_array_equal(found, half.make(RATE))


def test_sets_of_recordings_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    one, two, copy = (tmp_path / name for name in ("1.wav", "2.wav", "elsewhere/1.wav"))
    copy.parent.mkdir()
    for path, content in ((one, b"a" * 9_000), (two, b"a" * 8_999 + b"b"), (copy, b"a" * 9_000)):
        path.write_bytes(content)
    first, second, moved = (Recording(path, "album", "") for path in (one, two, copy))
    assert digest_of([first]) == digest_of([moved])
    others = [[second], [first, second], [], [Recording(one, "another", "")]]
    assert len({digest_of(each) for each in ([first], *others)}) == 5
    assert digest_of([Recording(tmp_path / "none.wav", "album", "")]) != digest_of([first])
