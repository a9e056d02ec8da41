"""Tests of soundalike.demo.render: the library as a whole, and its files on a shortened one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from soundalike.demo import render
from soundalike.demo.mix import CEILING, TAIL
from soundalike.demo.render import DemoTrack, demo_groups, demo_tracks, score, write_demo
from soundalike.demo.synthesize import SAMPLE_RATE
from soundalike.errors import AudioError


def shortened(track: DemoTrack) -> DemoTrack:
    """The first section only, twice as fast."""
    tune = replace(track.tune, form=track.tune.form[0], tempo=2 * track.tune.tempo)
    return replace(track, tune=tune)


@pytest.fixture(scope="session")
def short_tracks() -> tuple[DemoTrack, ...]:
    everything = demo_tracks()
    return tuple(shortened(everything[i]) for i in (0, 13, len(everything) - 2))


@pytest.fixture(scope="session")
def short_library(
    short_tracks: tuple[DemoTrack, ...], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "demo_tracks", lambda: short_tracks)
        write_demo(folder)
    return folder


@pytest.fixture
def library(
    short_tracks: tuple[DemoTrack, ...],
    short_library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A copy to spoil; `write_demo` writes the shortened tracks."""
    monkeypatch.setattr(render, "demo_tracks", lambda: short_tracks)
    for path in short_library.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def decoded(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    with av.open(str(path)) as source:
        frames = [frame.to_ndarray() for frame in source.decode(audio=0)]
    return np.concatenate([frame.ravel() for frame in frames])


def test_the_library_is_what_it_promises() -> None:
    tracks, groups = demo_tracks(), demo_groups()
    assert 36 <= len(tracks) <= 40
    assert len(groups) >= 8
    assert all(len(files) == 3 for files in groups.values())
    grouped = [name for files in groups.values() for name in files]
    assert len(tracks) - len(grouped) >= 10
    names = [track.file_name for track in tracks]
    assert len(set(names)) == len(names)
    assert set(grouped) <= set(names)
    assert not any(set(name) & set('/\\:*?"<>|') for name in names)
    assert [track.number for track in tracks] == list(range(1, len(tracks) + 1))


@pytest.mark.parametrize("track", demo_tracks(), ids=lambda track: track.title)
def test_every_track_lasts_between_60_and_100_seconds(track: DemoTrack) -> None:
    _, tempo = score(track)
    assert 60 <= tempo.seconds(tempo.end) + TAIL <= 100


def test_files_hold_the_music(short_library: Path, short_tracks: tuple[DemoTrack, ...]) -> None:
    paths = sorted(short_library.iterdir())
    assert [path.name for path in paths] == sorted(track.file_name for track in short_tracks)
    for path in paths:
        pcm = decoded(path)
        assert 8 * SAMPLE_RATE < len(pcm) < 60 * SAMPLE_RATE
        sound = pcm / 32768
        assert np.abs(sound).max() <= CEILING + 1e-3
        assert abs(sound.mean()) < 1e-3
        assert -18 < 20 * np.log10(np.sqrt(np.mean(sound**2))) < -14
        assert np.abs(sound[-100:]).max() < 1e-3


def test_tags_are_read_back(short_library: Path, short_tracks: tuple[DemoTrack, ...]) -> None:
    for track in short_tracks:
        with av.open(str(short_library / track.file_name)) as source:
            tags = {key.lower(): value for key, value in source.metadata.items()}
            stream = source.streams.audio[0]
            assert (stream.codec_context.name, stream.rate) == ("flac", SAMPLE_RATE)
        expected = dict(track.tags)
        assert tags.items() >= expected.items()
        assert set(expected) >= {"title", "artist", "album", "date", "genre"}
        assert track.tune.name in tags["title"]


def test_two_renders_are_equal_to_the_bit(
    short_library: Path, short_tracks: tuple[DemoTrack, ...], tmp_path: Path
) -> None:
    track = short_tracks[0]
    assert render.render(track).tobytes() == render.render(track).tobytes()
    again = tmp_path / "again.flac"
    render.write_flac(again, render.render(track), track.tags)
    assert again.read_bytes() == (short_library / track.file_name).read_bytes()


def test_a_second_run_keeps_every_file(
    library: Path, short_tracks: tuple[DemoTrack, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(track: DemoTrack) -> None:
        pytest.fail(f"{track.title} was rendered again")

    monkeypatch.setattr(render, "render", refuse)
    steps: list[tuple[int, int]] = []
    paths = write_demo(library, progress=lambda done, total: steps.append((done, total)))
    assert paths == [library / track.file_name for track in short_tracks]
    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("damage", ["cut", "empty", "not music", "gone", "an older edition"])
def test_a_file_that_is_not_whole_is_written_again(
    library: Path, short_tracks: tuple[DemoTrack, ...], damage: str
) -> None:
    track = short_tracks[1]
    path = library / track.file_name
    whole = path.read_bytes()
    leftover = path.with_name(path.name + ".part")
    leftover.write_bytes(whole[:100])
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "not music":
        path.write_bytes(b"no music here\n" * 500)
    elif damage == "gone":
        path.unlink()
    else:
        silence = np.zeros(SAMPLE_RATE, dtype=np.float32)
        render.write_flac(path, silence, {**track.tags, "comment": "edition 0"})
    others = {p: p.stat().st_mtime_ns for p in library.glob("*.flac") if p != path}
    write_demo(library)
    assert path.read_bytes() == whole
    assert not leftover.exists()
    assert {p: p.stat().st_mtime_ns for p in others} == others


def test_an_interrupted_run_leaves_no_half_file(
    short_tracks: tuple[DemoTrack, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(av.AudioFrame, "from_ndarray", interrupt, raising=True)
    with pytest.raises(KeyboardInterrupt):
        render.write_flac(tmp_path / "x.flac", np.zeros(100, dtype=np.float32), {})
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("mine")
    with pytest.raises(AudioError, match="no folder to write the demo to"):
        write_demo(place)
    assert place.read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    (tmp_path / "x.flac.part").symlink_to("/dev/full")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 10 * SAMPLE_RATE).astype(np.float32)
    with pytest.raises(AudioError, match=r"x\.flac: cannot be written"):
        render.write_flac(path, noise, {})
    assert not list(tmp_path.iterdir())
