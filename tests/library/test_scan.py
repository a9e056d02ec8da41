from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.library.scan import (
    HASH_BLOCK,
    HASH_BLOCKS,
    AudioFile,
    Known,
    compare,
    content_hash,
    find_files,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file names and links")


def touch(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(root: Path, *roots: Path) -> list[str]:
    found = find_files([root, *roots])
    assert found.unreadable == ()
    return [os.path.relpath(file.path, root) for file in found.files]


def test_audio_files_only_sorted_with_size_and_time(tmp_path: Path) -> None:
    for name in ("b.mp3", "a/2.FLAC", "a/1.ogg", "cover.jpg", "notes.txt", "a/mp3"):
        touch(tmp_path / name, "four")
    assert names(tmp_path) == ["a/1.ogg", "a/2.FLAC", "b.mp3"]
    (file, *_) = find_files([tmp_path]).files
    assert file == AudioFile(tmp_path / "a/1.ogg", 4, (tmp_path / "a/1.ogg").stat().st_mtime_ns)


def test_hidden_files_and_folders_are_left_out_but_not_a_hidden_root(tmp_path: Path) -> None:
    for name in ("._song.mp3", ".trash/song.mp3", "song.mp3"):
        touch(tmp_path / ".music" / name)
    assert names(tmp_path / ".music") == ["song.mp3"]
    assert names(tmp_path) == []


@posix
def test_loops_of_links_end(tmp_path: Path) -> None:
    touch(tmp_path / "a/song.mp3")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/self").symlink_to("self")
    (tmp_path / "a/dead.mp3").symlink_to("nowhere.mp3")
    assert names(tmp_path) == ["a/song.mp3"]


@posix
def test_a_file_goes_by_its_real_path_if_that_is_within(tmp_path: Path) -> None:
    touch(tmp_path / "z/song.mp3")
    (tmp_path / "a").symlink_to(tmp_path / "z")
    outside = touch(tmp_path.parent / f"{tmp_path.name}-else/other.mp3").parent
    (tmp_path / "b").symlink_to(outside)
    assert names(tmp_path) == ["b/other.mp3", "z/song.mp3"]


def test_nested_roots_and_single_files(tmp_path: Path) -> None:
    song = touch(tmp_path / "a/song.mp3")
    assert names(tmp_path, tmp_path / "a", song, tmp_path) == ["a/song.mp3"]
    assert names(tmp_path / "a", song) == ["song.mp3"]


@posix
def test_things_that_are_no_files_are_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "folder.mp3").mkdir()
    assert names(tmp_path) == []


@posix
@pytest.mark.parametrize("name", [b"a\nb.mp3", "🎵 100%.mp3".encode(), b"\xff\xfe caf\xe9.mp3"])
def test_odd_names_lead_back_to_their_file(tmp_path: Path, name: bytes) -> None:
    if sys.platform == "darwin" and b"\xff" in name:
        pytest.skip("this file system takes UTF-8 only")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_text("odd")
    (file,) = find_files([tmp_path]).files
    assert file.path.read_text() == "odd"
    assert os.fsencode(file.path.name) == name


def test_folders_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "song.mp3")
    found = find_files([tmp_path, tmp_path / "missing"])
    assert [file.path.name for file in found.files] == ["song.mp3"]
    assert found.unreadable == ((tmp_path / "missing", "no such file or directory"),)


def test_hash_sees_every_block_it_reads_and_the_size(tmp_path: Path) -> None:
    size = 4 * HASH_BLOCKS * HASH_BLOCK
    base = bytes(size)
    hashes = {content_hash(write(tmp_path, base)), content_hash(write(tmp_path, base + b"\0"))}
    for i in range(HASH_BLOCKS):
        changed = bytearray(base)
        changed[(size - HASH_BLOCK) * i // (HASH_BLOCKS - 1)] = 1
        hashes.add(content_hash(write(tmp_path, bytes(changed))))
    assert len(hashes) == HASH_BLOCKS + 2


def test_short_files_are_hashed_whole(tmp_path: Path) -> None:
    size = HASH_BLOCKS * HASH_BLOCK
    hashes = set()
    for at in (0, HASH_BLOCK + 7, size // 2, size - 1):
        changed = bytearray(size)
        changed[at] = 1
        hashes.add(content_hash(write(tmp_path, bytes(changed))))
    assert len(hashes) == 4


@pytest.mark.parametrize("name", ["data.wav", "DATA.AIFF"])
def test_uncompressed_audio_is_hashed_whole(tmp_path: Path, name: str) -> None:
    """An edit of one place leaves everything else as it was, the size too."""
    size = 4 * HASH_BLOCKS * HASH_BLOCK
    hashes = set()
    for at in (0, HASH_BLOCK + 7, size // 3, size - 1):
        changed = bytearray(size)
        changed[at] = 1
        hashes.add(content_hash(write(tmp_path, bytes(changed), name)))
    assert len(hashes) == 4


@posix
def test_times_no_table_can_hold_are_still_times(tmp_path: Path) -> None:
    song = touch(tmp_path / "song.mp3")
    os.utime(song, (10_413_792_000, 10_413_792_000))  # the year 2300
    if song.stat().st_mtime_ns < 2**63:
        pytest.skip("this file system knows no such times")
    for root in (tmp_path, song):
        assert [file.mtime_ns for file in find_files([root]).files] == [2**63 - 1]


def write(folder: Path, data: bytes, name: str = "data.mp3") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def library(**sounds: str) -> tuple[list[AudioFile], dict[Path, str]]:
    """Files by name with a content that stands for itself; all of one size."""
    files = [AudioFile(Path(f"/m/{name}"), 1, 0) for name in sorted(sounds)]
    return files, {Path(f"/m/{name}"): content for name, content in sounds.items()}


def known(**sounds: str) -> list[Known]:
    files, content = library(**sounds)
    return [Known(f"id-{file.path.name}", file, content[file.path]) for file in files]


def difference(before: dict[str, str], after: dict[str, str]) -> dict[str, list[str]]:
    """Compare two states; files of `after` whose content is new have a new time, too."""
    files, content = library(**after)
    files = [
        replace(file, mtime_ns=int(before.get(file.path.name) != content[file.path]))
        for file in files
    ]
    changes = compare(files, known(**before), content=content.__getitem__)

    def pairs(listed: list[tuple[AudioFile, Known]]) -> list[str]:
        return [f"{track.id[3:]}>{file.path.name}" for file, track in listed]

    result = {
        "added": [file.path.name for file in changes.added],
        "copied": pairs(changes.copied),
        "changed": pairs(changes.changed),
        "moved": pairs(changes.moved),
        "removed": [track.id[3:] for track in changes.removed],
    }
    assert changes.unchanged == sum(before.get(name) == after[name] for name in after)
    assert bool(changes) == any(result.values())
    return {name: listed for name, listed in result.items() if listed}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": "1"}, {"a": "1"}, {}),
        ({}, {"a": "1", "b": "2"}, {"added": ["a", "b"]}),
        ({"a": "1"}, {}, {"removed": ["a"]}),
        ({"a": "1"}, {"a": "2"}, {"changed": ["a>a"]}),
        ({"a": "1"}, {"b": "1"}, {"moved": ["a>b"]}),
        ({"a": "1"}, {"a": "1", "b": "1"}, {"copied": ["a>b"]}),
        ({"a": "1"}, {"b": "1", "c": "1"}, {"moved": ["a>b"], "copied": ["a>c"]}),
        ({"a": "1", "b": "1"}, {"c": "1"}, {"moved": ["a>c"], "removed": ["b"]}),
        ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"moved": ["b>a", "a>b"]}),
        ({"a": "1", "b": "2"}, {"b": "1", "c": "2"}, {"moved": ["a>b", "b>c"]}),
        ({"a": "1"}, {"a": "2", "b": "1"}, {"added": ["a"], "moved": ["a>b"]}),
        ({"a": "1", "b": "2"}, {"a": "2", "b": "2"}, {"changed": ["a>a"]}),
    ],
)
def test_what_became_of_files(
    before: dict[str, str], after: dict[str, str], expected: dict[str, list[str]]
) -> None:
    assert difference(before, after) == expected


def test_touched_files_keep_their_content() -> None:
    files, content = library(a="1")
    changes = compare([replace(files[0], mtime_ns=9)], known(a="1"), content=content.__getitem__)
    assert [track.id for _, track in changes.touched] == ["id-a"]
    assert not changes.changed


def test_only_files_whose_size_occurs_twice_are_read() -> None:
    read: list[Path] = []
    tracks = [Known("1", AudioFile(Path("/gone"), 10, 0), "x")]
    tracks.append(Known("2", AudioFile(Path("/same"), 20, 0), "y"))
    files = [tracks[1].file] + [AudioFile(Path(f"/new{i}"), i, 0) for i in (10, 30)]

    def hash_of(path: Path) -> str:
        read.append(path)
        return "x"

    changes = compare(files, tracks, content=hash_of)
    assert read == [Path("/new10")]
    assert changes.content == {Path("/new10"): "x"}


def test_a_file_that_cannot_be_read_counts_as_new() -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    files, _ = library(b="1")
    changes = compare(files, known(a="1"), content=refuse)
    assert [file.path.name for file in changes.added] == ["b"]
    assert [track.id for track in changes.removed] == ["id-a"]
