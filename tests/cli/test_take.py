"""embed: answers, bad input, exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from shell import FREQUENCIES, Run, full

from soundalike.library.library import Library


def test_embed_writes_one_row_per_file(run: Run, music: Path, model: Path, tmp_path: Path) -> None:
    files = [music / f"{name}.flac" for name in FREQUENCIES]
    ran = run("embed", *files, "--out", "v.parquet", "--model", model)
    assert ran.code == 0
    assert "5 of 5 files in v.parquet" in ran.err
    table = pq.read_table(tmp_path / "v.parquet")
    assert table.column_names == ["path", "vector", "segments", "starts", "model"]
    assert table["path"].to_pylist() == [str(file) for file in files]
    assert set(table["model"].to_pylist()) == {"fake@000008003e80"}
    vectors, segments = (np.array(table[name].to_pylist()) for name in ("vector", "segments"))
    assert vectors.shape == (5, 8)
    assert segments.shape == (5, 3, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert table["starts"].to_pylist()[0] == [0.0, 1.0, 2.0]  # 4 s, three segments of 2 s


def test_embed_can_put_segments_side_by_side(
    run: Run, music: Path, model: Path, tmp_path: Path
) -> None:
    options = ("--aggregate", "concat", "--out", "v.parquet", "--model", model)
    assert run("embed", music / "low.flac", *options).code == 0
    (vector,) = pq.read_table(tmp_path / "v.parquet")["vector"].to_pylist()
    assert len(vector) == 3 * 8


def test_embed_leaves_out_what_it_cannot_read_and_says_so(
    run: Run, music: Path, broken: Path, model: Path, tmp_path: Path
) -> None:
    files = [broken / "letter.mp3", music / "low.flac", "missing.mp3", music]
    ran = run("embed", *files, "--out", "v.parquet", "--model", model)
    assert ran.code == 1
    for file in (broken / "letter.mp3", "missing.mp3", music):
        assert f"soundalike: {file}: " in ran.err
    assert "1 of 4 files in v.parquet" in ran.err
    assert pq.read_table(tmp_path / "v.parquet")["path"].to_pylist() == [str(music / "low.flac")]


def test_embed_of_broken_files_alone_writes_an_empty_table(
    run: Run, broken: Path, model: Path, tmp_path: Path
) -> None:
    ran = run("embed", *broken.iterdir(), "--out", "v.parquet", "--model", model)
    assert ran.code == 1
    assert pq.read_table(tmp_path / "v.parquet").num_rows == 0


@pytest.mark.parametrize("out", ["nowhere/v.parquet", "folder"])
def test_embed_says_where_it_cannot_write_before_it_listens(
    run: Run, music: Path, model: Path, tmp_path: Path, out: str
) -> None:
    (tmp_path / "folder").mkdir()
    ran = run("embed", music / "low.flac", "--out", out, "--model", model)
    assert ran.code == 2
    assert out.partition("/")[0] in ran.err
    assert list((tmp_path / "folder").iterdir()) == []


def test_embed_on_a_full_disk_keeps_the_old_table(
    run: Run, music: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "v.parquet").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    ran = run("embed", music / "low.flac", "--out", "v.parquet", "--model", model)
    assert ran.code == 1
    assert "cannot write v.parquet" in ran.err
    assert (tmp_path / "v.parquet").read_text() == "old"
    assert not list(tmp_path.glob("*.tmp"))


def test_embed_writes_the_vectors_of_one_sense(
    run: Run, chords: Path, joined_model: Path, tmp_path: Path
) -> None:
    options = ("--out", "v.parquet", "--model", joined_model)
    files = [chords / f"{name}.flac" for name in ("song", "cover", "sibling")]
    assert run("embed", *files, *options, "--sense", "composition").code == 0
    table = pq.read_table(tmp_path / "v.parquet")
    assert set(table["model"].to_pylist()) == {"two@000008003e80#composition"}
    vectors, segments = (np.array(table[name].to_pylist()) for name in ("vector", "segments"))
    assert (vectors.shape, segments.shape) == ((3, 4), (3, 3, 4))
    np.testing.assert_allclose(np.linalg.norm(segments, axis=2), 1, atol=1e-6)
    assert vectors[0] @ vectors[1] > 0.99
    assert vectors[0] @ vectors[2] < 0.6
    assert run("embed", *files, *options).code == 0
    whole = pq.read_table(tmp_path / "v.parquet")
    assert set(whole["model"].to_pylist()) == {"two@000008003e80"}
    both = np.array(whole["segments"].to_pylist())
    np.testing.assert_allclose(both[..., 4:], segments / 2, atol=1e-6)  # a quarter of the weight


def test_embed_refuses_a_sense_the_model_has_not(
    run: Run, music: Path, model: Path, tmp_path: Path
) -> None:
    options = ("--out", "v.parquet", "--model", model, "--sense", "sound")
    ran = run("embed", music / "low.flac", *options)
    assert ran.code == 2
    assert "there is only both" in ran.err
    assert not (tmp_path / "v.parquet").exists()


@pytest.mark.parametrize("arguments", [[], ["a.mp3"], ["--out", "v.parquet"]])
def test_embed_needs_files_and_a_place(run: Run, arguments: list[str]) -> None:
    assert run("embed", *arguments).code == 2


def test_embed_to_numpy(run: Run, music: Path, model: Path, tmp_path: Path) -> None:
    files = [music / f"{name}.flac" for name in FREQUENCIES]
    for out in ("v.parquet", "v.npz", "v.npy"):
        assert run("embed", *files, "--out", out, "--model", model).code == 0
    table = pq.read_table(tmp_path / "v.parquet")
    with np.load(tmp_path / "v.npz") as arrays:  # no pickles
        for name in ("vector", "segments", "starts", "path"):
            assert arrays[name].tolist() == table[name].to_pylist()
        assert str(arrays["model"]) == "fake@000008003e80"
        assert arrays["vector"].dtype == np.float32
        about = json.loads(arrays["tracks.json"])
    assert np.load(tmp_path / "v.npy").tolist() == table["vector"].to_pylist()
    assert about == json.loads((tmp_path / "v.npy.json").read_text())
    assert [track["path"] for track in about["tracks"]] == [str(file) for file in files]
    assert {path.name for path in tmp_path.iterdir()} == {
        *("v.parquet", "v.npz", "v.npy", "v.npy.json")
    }


@pytest.mark.parametrize("verb", ["embed", "vectors"])
def test_other_endings_are_refused_before_anything_is_heard(
    run: Run, indexed: Path, music: Path, tmp_path: Path, verb: str
) -> None:
    what = (music / "low.flac",) if verb == "embed" else ("--library", indexed)
    ran = run(verb, *what, "--out", "v.csv")
    assert ran.code == 2
    assert "v.csv: vectors go to a file that ends in .parquet, .npz, .npy" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["v.npz", "v.npy"])
def test_nothing_to_write_is_an_empty_array(
    run: Run, broken: Path, model: Path, tmp_path: Path, out: str
) -> None:
    assert run("embed", *broken.iterdir(), "--out", out, "--model", model).code == 1
    found = np.load(tmp_path / out)
    assert (found if out == "v.npy" else found["vector"]).shape == (0, 8)


def test_vectors_of_the_library(run: Run, indexed: Path, tmp_path: Path) -> None:
    tracks, expected = Library(indexed).vectors()
    assert run("vectors", "--out", "v.parquet", "--library", indexed).code == 0
    table = pq.read_table(tmp_path / "v.parquet")
    assert table.column_names == [
        *("id", "path", "title", "artist", "album", "duration", "album_artist", "genre", "year"),
        *("track_number", "vector", "model"),
    ]
    assert table["id"].to_pylist() == [track.id for track in tracks]
    assert table["title"].to_pylist() == [track.title for track in tracks]
    assert table["year"].to_pylist() == [None] * 5
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), expected)
    options = ("--segments", "--aggregate", "concat", "--library", indexed)
    ran = run("vectors", "--out", "v.npz", *options)
    assert (ran.code, ran.err) == (0, "5 tracks in v.npz\n")
    with np.load(tmp_path / "v.npz") as arrays:
        assert arrays["id"].tolist() == [track.id for track in tracks]
        assert arrays["segments"].shape == (5, 3, 8)
        assert arrays["starts"].shape == (5, 3)
        in_a_row = arrays["segments"].reshape(5, 24)
        in_a_row /= np.linalg.norm(in_a_row, axis=1, keepdims=True)
        np.testing.assert_allclose(arrays["vector"], in_a_row, atol=1e-6)
        assert json.loads(arrays["tracks.json"])["tracks"][0]["artist"] == "Sine"


def test_vectors_of_one_sense(run: Run, two_senses: Path, tmp_path: Path) -> None:
    options = ("--sense", "composition", "--library", two_senses)
    assert run("vectors", "--out", "v.parquet", *options).code == 0
    table = pq.read_table(tmp_path / "v.parquet")
    assert set(table["model"].to_pylist()) == {"two@000008003e80#composition"}
    assert len(table["vector"][0].as_py()) == 4


@pytest.mark.parametrize("out", ["v.parquet", "v.npz", "v.npy"])
def test_vectors_on_a_full_disk_keep_the_old_file(
    run: Run, indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    (tmp_path / out).write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    ran = run("vectors", "--out", out, "--library", indexed)
    assert ran.code == 1
    assert f"cannot write {out}" in ran.err
    assert (tmp_path / out).read_text() == "old"
    assert not list(tmp_path.glob("*.tmp"))


def test_vectors_of_an_empty_library_are_refused(run: Run, tmp_path: Path) -> None:
    ran = run("vectors", "--out", "v.npz", "--library", "nothing")
    assert ran.code == 2
    assert "there is no library in" in ran.err
    assert not (tmp_path / "v.npz").exists()


def test_vectors_of_tracks_a_filter_lets_through(run: Run, indexed: Path, tmp_path: Path) -> None:
    options = ("--library", indexed, "--filter")
    assert run("vectors", "--out", "v.npz", *options, "title LIKE 'low%'").code == 0
    tracks, expected = Library(indexed).vectors(filter="title LIKE 'low%'")
    assert [track.title for track in tracks] == ["Low", "Lower"]
    with np.load(tmp_path / "v.npz") as arrays:
        np.testing.assert_array_equal(arrays["vector"], expected)
    for wrong, reason in {"titel = 'x'": "title", "year > 3000": "none of the 5 tracks"}.items():
        ran = run("vectors", "--out", "v.parquet", *options, wrong)
        assert ran.code == 2
        assert reason in ran.err
    assert not (tmp_path / "v.parquet").exists()
