from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from test_store import D, S, open_table, record

from soundalike.errors import LibraryError
from soundalike.library import snapshot as snapshots
from soundalike.library.snapshot import (
    Snapshot,
    gather,
    load_snapshot,
    sweep,
    write_snapshot,
)
from soundalike.library.store import TrackTable


def filled(folder: Path, count: int = 40) -> TrackTable:
    table = open_table(folder)
    order = np.random.default_rng(0).permutation(count)
    for part in np.array_split(order, 3):
        table.put([record(int(i), title="" if i % 2 else f"Title {i}") for i in part])
    return table


def assert_same(a: Snapshot, b: Snapshot) -> None:
    assert a.facts.equals(b.facts)
    for left, right in ((a.means, b.means), (a.segments, b.segments)):
        assert left is not None
        assert right is not None
        np.testing.assert_array_equal(left, right)


def test_sorted_by_path_with_every_vector_in_its_row(tmp_path: Path) -> None:
    snapshot = gather(filled(tmp_path), segments=True)
    assert snapshot.paths == sorted(f"/m/{i}.mp3" for i in range(40))
    assert snapshot.segments is not None
    for row, name in enumerate(snapshot.ids):
        one = record(int(name, 16))
        assert snapshot.segments[row].tobytes() == one.vectors.tobytes()
        assert snapshot.times(row) == one.segments
        assert snapshot.row_of_id[name] == snapshot.row_of_path[str(one.file.path)] == row


def test_tracks_say_what_the_row_says(tmp_path: Path) -> None:
    snapshot = gather(filled(tmp_path), segments=True)
    track = snapshot.track(snapshot.row_of_id[record(4).id])
    assert (track.title, track.path, track.year) == ("Title 4", Path("/m/4.mp3"), 1904)
    assert (track.artist, track.duration, track.track_number) == ("", 60.5, None)
    assert snapshot.track(snapshot.row_of_id[record(5).id]).title == "5"


def test_written_and_mapped_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = filled(tmp_path)
    name = write_snapshot(tmp_path, table, segments=True)
    loaded = load_snapshot(tmp_path / name, segments=S, dimension=D)
    assert loaded is not None
    assert_same(loaded, gather(table, segments=True))


def test_without_segments(tmp_path: Path) -> None:
    table = filled(tmp_path)
    name = write_snapshot(tmp_path, table, segments=False)
    loaded = load_snapshot(tmp_path / name, segments=S, dimension=D)
    assert loaded is not None
    assert loaded.segments is None
    whole = gather(table, segments=False)
    assert loaded.facts.equals(whole.facts)
    np.testing.assert_array_equal(loaded.means, whole.means)


def test_an_empty_table(tmp_path: Path) -> None:
    name = write_snapshot(tmp_path, open_table(tmp_path), segments=True)
    loaded = load_snapshot(tmp_path / name, segments=S, dimension=D)
    assert loaded is not None
    assert len(loaded) == 0


@pytest.mark.parametrize("part", ["facts.arrow", "means.f32", "segments.f32"])
def test_a_snapshot_cut_short_is_none(tmp_path: Path, part: str) -> None:
    name = write_snapshot(tmp_path, filled(tmp_path), segments=True)
    path = tmp_path / name / part
    path.write_bytes(path.read_bytes()[:-100])
    assert load_snapshot(tmp_path / name, segments=S, dimension=D) is None


@pytest.mark.parametrize("part", ["means.f32", "segments.f32"])
def test_a_snapshot_of_another_size_is_none(tmp_path: Path, part: str) -> None:
    name = write_snapshot(tmp_path, filled(tmp_path), segments=True)
    with (tmp_path / name / part).open("ab") as file:
        file.write(bytes(4))
    assert load_snapshot(tmp_path / name, segments=S, dimension=D) is None


def test_no_snapshot_at_all(tmp_path: Path) -> None:
    assert load_snapshot(tmp_path / "snapshot-0", segments=S, dimension=D) is None


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = filled(tmp_path)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(snapshots.os, "fsync", full)
    with pytest.raises(LibraryError, match="the disk is full"):
        write_snapshot(tmp_path, table, segments=True)
    assert [path.name for path in tmp_path.iterdir()] == ["tracks.lance"]


def test_old_snapshots_go_and_the_one_named_stays(tmp_path: Path) -> None:
    table = filled(tmp_path)
    names = [write_snapshot(tmp_path, table, segments=True) for _ in range(3)]
    (tmp_path / "library.json.1-a.tmp").touch()
    sweep(tmp_path, keep={names[1]})
    assert {path.name for path in tmp_path.iterdir()} == {names[1], "tracks.lance"}
