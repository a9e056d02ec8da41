from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from soundalike.audio.segments import Segment
from soundalike.errors import LibraryError
from soundalike.library.aggregation import track_vector, unit
from soundalike.library.scan import AudioFile
from soundalike.library.store import FailureLog, Record, TrackTable, columns_of, drop_table
from soundalike.library.tracks import Tags, path_to_text

S, D = 3, 16


def record(i: int, *, path: str = "", title: str = "") -> Record:
    vectors = unit(np.random.default_rng(i).standard_normal((S, D)).astype(np.float32))
    file = AudioFile(Path(path or f"/m/{i}.mp3"), i, i)
    segments = tuple(Segment(0.1 * j, 0.1 * j + 1 / 3) for j in range(S))
    return Record(
        f"{i:016x}", f"{i:032x}", file, Tags(title, year=1900 + i), 60.5, segments, vectors
    )


def open_table(folder: Path) -> TrackTable:
    return TrackTable(folder, "tracks", segments=S, dimension=D, create=True)


def rows(table: TrackTable) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in table.read(table.schema.names).to_pylist()}


def test_rows_come_back_bit_for_bit(tmp_path: Path) -> None:
    path = os.fsdecode(b"/m/\xff\n.mp3")
    given = [record(1, path=path, title="'; DROP TABLE tracks; --\n"), record(2)]
    open_table(tmp_path).put(given)
    found = rows(open_table(tmp_path))
    row = found[given[0].id]
    assert row["path"] == path_to_text(Path(path))
    assert row["title"] == given[0].tags.title
    assert (row["year"], row["track_number"], row["duration"]) == (1901, None, 60.5)
    assert row["starts"] == [segment.start for segment in given[0].segments]
    assert row["ends"] == [segment.end for segment in given[0].segments]
    for one in given:
        stored = np.array(found[one.id]["segments"], np.float32).reshape(S, D)
        assert stored.tobytes() == one.vectors.tobytes()
        mean = np.array(found[one.id]["vector"], np.float32)
        np.testing.assert_allclose(mean, unit(one.vectors.sum(axis=0)), atol=1e-6)
    assert {track.file for track in open_table(tmp_path).known()} == {one.file for one in given}


def test_means_are_taken_anew_and_nothing_else_changes(tmp_path: Path) -> None:
    open_table(tmp_path).put([record(i) for i in range(5)])
    before = rows(open_table(tmp_path))
    senses = {"sound": slice(0, 4), "composition": slice(4, D)}
    table = TrackTable(tmp_path, "tracks", segments=S, dimension=D, senses=senses)
    for _ in range(2):  # a run that was killed begins again
        table.fold_anew()
        after = rows(open_table(tmp_path))
        assert after.keys() == before.keys()
        for name, row in after.items():
            segments = np.array(row["segments"], np.float32).reshape(S, D)
            expected = track_vector(segments, "mean", senses)
            np.testing.assert_allclose(row["vector"], expected, atol=1e-6)
            assert not np.allclose(row["vector"], before[name]["vector"], atol=1e-3)
            assert {**row, "vector": 0} == {**before[name], "vector": 0}


def test_put_replaces_rows_with_the_same_id(tmp_path: Path) -> None:
    table = open_table(tmp_path)
    table.put([record(i) for i in range(4)])
    table.put([record(2, title="new"), record(9)])
    assert len(table) == 5
    assert rows(table)[record(2).id]["title"] == "new"


def test_derived_rows_keep_the_vectors(tmp_path: Path) -> None:
    table = open_table(tmp_path)
    table.put([record(i) for i in range(3)])
    before = rows(table)
    elsewhere = AudioFile(Path("/n/0.mp3"), 7, 7)
    copy = {"id": "f" * 16, **columns_of(elsewhere, Tags("copy"))}
    table.derive([(record(0).id, columns_of(elsewhere)), (record(0).id, copy)])
    after = rows(table)
    assert len(after) == 4
    moved, copied = after[record(0).id], after["f" * 16]
    changed = {"path", "size", "mtime_ns"}
    for name, value in before[record(0).id].items():
        assert (moved[name] == value) == (name not in changed)
    assert copied["segments"] == moved["segments"] == before[record(0).id]["segments"]
    assert (copied["title"], copied["path"]) == ("copy", "/n/0.mp3")
    assert after[record(1).id] == before[record(1).id]


def test_deleting_more_than_a_chunk_and_what_is_not_there(tmp_path: Path) -> None:
    table = open_table(tmp_path)
    table.put([record(i) for i in range(600)])
    table.delete([record(i).id for i in range(1, 700)])
    assert [track.id for track in table.known()] == [record(0).id]
    table.delete([])


def test_an_open_table_keeps_its_version_while_another_writes(tmp_path: Path) -> None:
    writer = open_table(tmp_path)
    writer.put([record(0)])
    reader = open_table(tmp_path)
    writer.put([record(1)])
    writer.tidy()
    assert len(reader.known()) == 1
    assert len(open_table(tmp_path).known()) == 2


def test_tidying_joins_files_and_keeps_rows(tmp_path: Path) -> None:
    table = open_table(tmp_path)
    for i in range(12):
        table.put([record(i)])
    before = rows(table)
    table.tidy()
    assert rows(table) == before
    assert rows(open_table(tmp_path)) == before


def test_a_table_that_is_missing_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"cannot open the table tracks .*not found"):
        TrackTable(tmp_path, "tracks", segments=S, dimension=D)
    open_table(tmp_path).put([record(0)])
    for manifest in tmp_path.glob("tracks.lance/_versions/*.manifest"):
        manifest.write_bytes(b"rubbish")
    with pytest.raises(LibraryError, match="the table tracks"):
        open_table(tmp_path).known()


def test_dropping(tmp_path: Path) -> None:
    open_table(tmp_path)
    drop_table(tmp_path, "tracks")
    drop_table(tmp_path, "tracks")
    assert not list(tmp_path.glob("*.lance"))


@pytest.mark.parametrize("dimension", [16, 12])
def test_the_approximate_index_finds_the_nearest(tmp_path: Path, dimension: int) -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((60, 1, dimension))
    tracks = centres[rng.integers(60, size=3000)] + 0.5 * rng.standard_normal((3000, S, dimension))
    table = TrackTable(tmp_path, "tracks", segments=S, dimension=dimension, create=True)
    table.put([_with_vectors(i, unit(rows)) for i, rows in enumerate(tracks.astype(np.float32))])
    table.build_index()
    means = unit(unit(tracks).mean(axis=1))
    recalled = 0
    for query in range(0, 3000, 100):
        ids = table.candidates(means[query].astype(np.float32), 50)
        nearest = np.argsort(-(means @ means[query]))[:10]
        recalled += len(set(ids) & {record_id(int(i)) for i in nearest})
        segments = table.segments_of(ids[:3])
        expected = [unit(tracks[int(name, 16)].astype(np.float32)) for name in ids[:3]]
        np.testing.assert_array_equal(segments, expected)
    assert recalled / 300 >= 0.95


def record_id(i: int) -> str:
    return f"{i:016x}"


def _with_vectors(i: int, vectors: np.ndarray) -> Record:
    segments = (Segment(0, 30),) * S
    return Record(record_id(i), "", AudioFile(Path(f"/{i}"), i, i), Tags(), 30.0, segments, vectors)


def test_failures_are_written_when_they_change(tmp_path: Path) -> None:
    log = FailureLog(tmp_path)
    assert log.reasons == {}
    log.save()
    assert not list(tmp_path.glob("failures*"))
    file = AudioFile(Path(os.fsdecode(b"/m/\xff.mp3")), 1, 2)
    log.reasons[file] = "no audio\nstream"
    log.save()
    log = FailureLog(tmp_path)
    assert log.reasons == {file: "no audio stream"}
    log.reasons.clear()
    log.save()
    assert FailureLog(tmp_path).reasons == {}


@pytest.mark.parametrize(("segments", "dimension"), [(S, D + 1), (S + 1, D)])
def test_a_table_of_another_shape_is_refused(tmp_path: Path, segments: int, dimension: int) -> None:
    open_table(tmp_path)
    with pytest.raises(LibraryError, match="one of the two is damaged"):
        TrackTable(tmp_path, "tracks", segments=segments, dimension=dimension)
