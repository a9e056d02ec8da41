"""What is trained on: lists and folders of music, groups of renderings, and the decoded waveforms."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from small_run import RATE, tune, write_wav

from soundalike.audio.waveform import load_audio
from soundalike.errors import AudioError, RecipeError
from soundalike.training import sources
from soundalike.training.sources import (
    Source,
    WaveformCache,
    artists_of,
    as_float,
    read_arrangements,
    read_mixtures,
    read_sources,
)

# Lists


def write_list(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "tracks.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_a_list_gives_the_tracks_of_a_split(tmp_path: Path) -> None:
    listing = write_list(
        tmp_path,
        "path,split,soundtrack,artist\na/1.opus,train,A,Ann\nb/2.opus,test,B,\nb/3.opus,train,B,\n",
    )
    assert read_sources(listing, "train") == [
        Source("a/1.opus", (tmp_path / "a/1.opus",), artist="Ann", album="A"),
        Source("b/3.opus", (tmp_path / "b/3.opus",), artist="B", album="B"),
    ]
    assert [source.key for source in read_sources(listing, "test")] == ["b/2.opus"]


def test_a_list_needs_only_paths_and_splits_and_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    listing = write_list(tmp_path, "path,split\n1.mp3,train\n", encoding="utf-8-sig")
    assert read_sources(listing, "train") == [Source("1.mp3", (tmp_path / "1.mp3",))]


def test_a_list_that_cannot_serve_says_why(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="neither a CSV file nor a folder"):
        read_sources(tmp_path / "none.csv", "train")
    listing = write_list(tmp_path, "file,part\n1.mp3,train\n")
    with pytest.raises(RecipeError, match="no column path, split"):
        read_sources(listing, "train")
    listing = write_list(tmp_path, "path,split\n1.mp3,test\n")
    with pytest.raises(RecipeError, match=r'no music for the split "train"$'):
        read_sources(listing, "train")


# Folders


def make_albums(folder: Path, albums: int) -> None:
    for album in range(albums):
        for name in ("one.mp3", "two.FLAC", "cover.jpg"):
            path = folder / f"Artist {album % 7}" / f"Album {album}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def test_of_a_folder_whole_albums_are_held_out(tmp_path: Path) -> None:
    make_albums(tmp_path, 60)
    train, held_out = read_sources(tmp_path, "train"), read_sources(tmp_path, "validation")
    assert len(train) + len(held_out) == 120  # no covers
    assert {s.album for s in train}.isdisjoint({s.album for s in held_out})
    assert 1 <= len(held_out) / 2 <= 15  # about one album in ten
    assert train[0].artist == train[0].key.split("/")[0]


def test_new_albums_leave_the_old_ones_in_their_split(tmp_path: Path) -> None:
    make_albums(tmp_path, 40)
    before = {source.album for source in read_sources(tmp_path, "validation")}
    make_albums(tmp_path, 60)
    after = {source.album for source in read_sources(tmp_path, "validation")}
    assert before <= after
    assert {int(album.rpartition(" ")[2]) for album in after - before} <= set(range(40, 60))


def test_loose_files_are_held_out_one_by_one_and_have_neither_album_nor_artist(
    tmp_path: Path,
) -> None:
    for number in range(100):
        (tmp_path / f"{number}.ogg").touch()
    train, held_out = read_sources(tmp_path, "train"), read_sources(tmp_path, "validation")
    assert len(train) + len(held_out) == 100
    assert 2 <= len(held_out) <= 25
    assert {(source.album, source.artist) for source in train + held_out} == {("", "")}


def test_a_folder_too_small_to_hold_anything_out_says_so(tmp_path: Path) -> None:
    (tmp_path / "only.ogg").touch()
    splits = {"train": 0, "validation": 0}
    for split in splits:
        try:
            splits[split] = len(read_sources(tmp_path, split))
        except RecipeError as error:
            assert "one album in ten is held out" in str(error)  # noqa: PT017
    assert sum(splits.values()) == 1


def test_artists_are_numbered_and_no_name_is_no_artist() -> None:
    named = [Source("1", (), artist="b"), Source("2", (), artist="a"), Source("3", ())]
    assert artists_of(named) == {"a": 0, "b": 1}


# Arrangements


def test_mixtures_are_the_numbered_files_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rendered"
    with pytest.raises(RecipeError, match="is not a folder of mixtures"):
        read_mixtures(folder)
    folder.mkdir()
    for name in ("0001.npy", "0000.npy", "0002.partial.npy", "notes.npy"):
        np.save(folder / name, np.zeros(3, np.int16))
    mixtures = [
        Source(f"rendered/{n}", (folder / f"{n}.npy",), mixed=True) for n in ("0000", "0001")
    ]
    assert read_mixtures(folder) == mixtures
    monkeypatch.chdir(folder)
    assert [mixture.key for mixture in read_mixtures(".")] == [m.key for m in mixtures]


def test_groups_of_two_renderings_or_more_are_read(tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    groups = [{"piece": "p", "files": ["p/0.npy", "p/1.npy"]}, {"piece": "q", "files": ["q/0.npy"]}]
    index.write_text(json.dumps({"groups": groups}))
    assert read_arrangements(index) == [
        Source("p", (tmp_path / "p/0.npy", tmp_path / "p/1.npy")),
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"groups": [{"piece": "p"}]}', '{"groups": 3}'])
def test_an_index_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    index = tmp_path / "index.json"
    index.write_text(text)
    with pytest.raises(RecipeError, match="is not an index of renderings"):
        read_arrangements(index)
    with pytest.raises(RecipeError, match="is not an index of renderings"):
        read_arrangements(tmp_path / "none.json")


# Waveforms


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "tune.wav"
    write_wav(path, tune(1, 2.0))
    return path


def test_a_decoded_waveform_is_the_sound_of_the_file(tmp_path: Path, wav: Path) -> None:
    samples = WaveformCache(tmp_path / "cache", RATE).waveform(wav)
    assert samples.dtype == np.int16
    loaded = load_audio(wav, sample_rate=RATE)
    np.testing.assert_allclose(as_float(np.asarray(samples)), loaded, atol=1 / 32767)


def test_a_file_is_decoded_once_until_it_changes(
    tmp_path: Path, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []

    def counted(path: Path, *, sample_rate: int) -> np.ndarray:
        decoded.append(path)
        return load_audio(path, sample_rate=sample_rate)

    monkeypatch.setattr(sources, "load_audio", counted)
    for _ in range(2):  # another run finds what the first one left
        WaveformCache(tmp_path / "cache", RATE).waveform(wav)
    assert len(decoded) == 1
    write_wav(wav, tune(2, 2.0))
    os.utime(wav, (1, 1))
    changed = WaveformCache(tmp_path / "cache", RATE).waveform(wav)
    assert len(decoded) == 2
    np.testing.assert_allclose(as_float(np.asarray(changed)), tune(2, 2.0), atol=1e-3)
    WaveformCache(tmp_path / "cache", 2 * RATE).waveform(wav)
    assert len(decoded) == 3


def test_renderings_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rendering.npy"
    np.save(path, np.arange(5, dtype=np.int16))
    cache = WaveformCache(tmp_path / "cache", RATE)
    assert cache.waveform(path).tolist() == [0, 1, 2, 3, 4]
    assert not cache.folder.exists()


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (None, "cannot be read"),
        (np.zeros(5, np.float32), r"holds float32 \[5\], expected int16"),
        (np.zeros((2, 5), np.int16), r"holds int16 \[2, 5\]"),
        (np.zeros(0, np.int16), r"holds int16 \[0\]"),
        (np.array([{}], dtype=object), "cannot be read"),  # a pickle is never opened
    ],
)
def test_a_rendering_that_cannot_be_used_is_named(
    tmp_path: Path, array: np.ndarray | None, reason: str
) -> None:
    path = tmp_path / "rendering.npy"
    if array is not None:
        np.save(path, array)
    with pytest.raises(AudioError, match=reason):
        WaveformCache(tmp_path, RATE).waveform(path)


def test_what_cannot_be_used_is_reported_and_the_rest_is_kept(tmp_path: Path, wav: Path) -> None:
    (tmp_path / "words.mp3").write_text("not music")
    write_wav(tmp_path / "silent.wav", np.zeros(2 * RATE, np.float32))
    good = Source("good", (wav,))
    bad = [Source(name, (tmp_path / name,)) for name in ("words.mp3", "silent.wav", "missing.ogg")]
    half = Source("group", (wav, tmp_path / "missing.npy"))
    usable, failed = WaveformCache(tmp_path / "cache", RATE).fill([bad[0], good, *bad[1:], half])
    assert usable == [good]
    assert [error.path.name for error in failed] == [
        "words.mp3",
        "silent.wav",
        "missing.ogg",
        "missing.npy",
    ]
    assert all(error.reason for error in failed)
