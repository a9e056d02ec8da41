"""index, similar, embed, failures, demo: answers, bad input, exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from shell import FREQUENCIES, Run

from fake_model import tone, write_fake_model, write_sound, write_tone
from soundalike.cli.listen import seconds
from soundalike.cli.main import soundalike
from soundalike.library.library import Library

needs_permissions = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user"
)


def names(answer: str) -> list[str]:
    return [entry["track"]["title"] for entry in json.loads(answer)]


def knowledge(library: Path) -> list[object]:
    """All that a library answers with: tracks, models, folders."""
    opened = Library(library)
    return [opened.tracks(), opened.models, opened.model, opened.roots]


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


# --- index --------------------------------------------------------------------------------------


def test_index_adds_then_finds_nothing_to_do(run: Run, music: Path, model: Path) -> None:
    first = run("index", music, "--library", "lib", "--model", model, "--jobs", 1)
    assert first.code == 0
    assert "5 added" in first.err
    assert "5 tracks in" in first.err
    again = run("index", "--library", "lib", "-q")  # the folders and the model of the last time
    assert again.code == 0
    assert "5 unchanged" in again.err


def test_index_goes_on_past_broken_files_and_lists_them(
    run: Run, music: Path, broken: Path, model: Path
) -> None:
    ran = run("index", music, broken, "--library", "lib", "--model", model, "-q")
    assert ran.code == 1
    assert "5 added" in ran.err
    assert "3 files could not be used" in ran.err
    for name in ("letter.mp3", "empty.flac", "short.wav"):
        assert f"{broken / name}: " in ran.err
    again = run("index", "--library", "lib", "-q")
    assert again.code == 0
    assert "3 files failed before and have not changed (soundalike failures)" in again.err


def test_index_of_a_missing_folder_says_so_and_changes_nothing(run: Run, library: Path) -> None:
    before = knowledge(library)
    ran = run("index", "nowhere", "--library", library)
    assert ran.code == 1
    assert "there is no folder" in ran.err
    assert "nowhere" in ran.err
    assert knowledge(library) == before


def test_index_of_an_empty_folder_says_that_there_is_no_music(
    run: Run, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("index", "empty", "--library", "lib", "--model", model, "-q")
    assert ran.code == 1
    assert "the library is empty: no audio files were found there (empty)" in ran.err


def test_index_of_broken_files_alone_says_that_they_failed(
    run: Run, broken: Path, model: Path
) -> None:
    for _ in ("first", "again, without trying them"):
        ran = run("index", broken, "--library", "lib", "--model", model, "-q")
        assert ran.code == 1
        assert f"the library is empty: every file in them failed ({broken})" in ran.err


def test_index_takes_a_single_file_for_a_folder(run: Run, music: Path, model: Path) -> None:
    ran = run("index", music / "low.flac", "--library", "lib", "--model", model, "-q")
    assert ran.code == 0
    assert "1 added" in ran.err


def test_index_of_a_file_that_is_no_audio_says_so(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no music")
    ran = run("index", "notes.txt", "--library", "lib", "--model", model, "-q")
    assert ran.code == 1
    assert "notes.txt' is a file, and its name has no ending of audio" in ran.err
    assert not (tmp_path / "lib").exists()


def test_index_needs_a_folder_at_first(run: Run, model: Path) -> None:
    ran = run("index", "--library", "lib", "--model", model, "-q")
    assert ran.code == 1
    assert "has no folders yet; name one to index" in ran.err


def test_index_with_another_model_keeps_both_apart(
    run: Run, library: Path, model: Path, other_model: Path
) -> None:
    assert run("index", "--library", library, "--model", other_model, "-q").code == 0
    assert {name.partition("@")[0] for name in Library(library).models} == {"fake", "other"}
    for chosen in (model, other_model):
        ran = run("similar", "--json", "--model", chosen, "--library", library, "Low")
        assert (ran.code, ran.err.count("did you mean")) == (2, 1)  # a title is no query


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_index_refuses_impossible_jobs(run: Run, library: Path, jobs: str) -> None:
    assert run("index", "--library", library, "--jobs", jobs).code == 2


def test_index_forgets_a_missing_folder_only_when_told(
    run: Run, tmp_path: Path, music: Path, model: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in music.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    run("index", copy, "--library", "lib", "--model", model, "-q")
    copy.rename(tmp_path / "unplugged")
    ran = run("index", "--library", "lib", "-q")
    assert ran.code == 1
    assert "kept the tracks of" in ran.err
    assert len(Library("lib")) == 5
    ran = run("index", "--library", "lib", "-q", "--prune")
    assert "5 removed" in ran.err
    assert len(Library("lib")) == 0


# --- the library itself is unusable -------------------------------------------------------------

VERBS = [["index", "MUSIC", "-q"], ["similar", "MUSIC/low.flac"], ["failures"]]


def filled(verb: list[str], music: Path) -> list[str]:
    return [word.replace("MUSIC", str(music)) for word in verb]


@pytest.mark.parametrize("verb", VERBS)
def test_a_file_is_no_library(run: Run, music: Path, tmp_path: Path, verb: list[str]) -> None:
    (tmp_path / "file").write_text("a file")
    ran = run(*filled(verb, music), "--library", "file")
    assert ran.code == 1
    assert str(tmp_path / "file") in ran.err
    assert (tmp_path / "file").read_text() == "a file"


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_of_music_is_no_library(run: Run, music: Path, verb: list[str]) -> None:
    before = sorted(music.iterdir())
    ran = run(*filled(verb, music), "--library", music)
    assert ran.code == 1
    assert "is no library" in ran.err
    assert sorted(music.iterdir()) == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_damaged_library_is_named(run: Run, music: Path, library: Path, verb: list[str]) -> None:
    (library / "library.json").write_text("{")
    ran = run(*filled(verb, music), "--library", library)
    assert ran.code == 1
    assert "library.json is damaged" in ran.err


@pytest.mark.parametrize("verb", [["index", "MUSIC", "-q"], ["embed", "MUSIC/low.flac"]])
def test_a_missing_model_is_named(run: Run, music: Path, verb: list[str]) -> None:
    place = ["--out", "v.parquet"] if verb[0] == "embed" else ["--library", "lib"]
    ran = run(*filled(verb, music), *place, "--model", "nobody")
    assert ran.code == 1
    assert "no model 'nobody'" in ran.err


@needs_permissions
def test_index_without_permission_leaves_the_library(run: Run, library: Path, music: Path) -> None:
    before = knowledge(library)
    library.chmod(0o500)
    try:
        ran = run("index", music, "--library", library, "-q")
    finally:
        library.chmod(0o700)
    assert ran.code == 1
    assert "permission denied" in ran.err
    assert knowledge(library) == before


def test_index_where_no_library_can_be_made(run: Run, music: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run("index", music, "--library", tmp_path / "file/library", "-q")
    assert ran.code == 1
    assert "library" in ran.err
    assert "Traceback" not in ran.err


def test_index_on_a_full_disk_leaves_the_library(
    run: Run, library: Path, music: Path, outsider: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = knowledge(library)
    with monkeypatch.context() as patch:
        patch.setattr("soundalike.library.manifest.write_atomically", full)
        ran = run("index", outsider, "--library", library, "-q")
    assert ran.code == 1
    assert "the disk is full" in ran.err
    assert knowledge(library) == before
    assert run("similar", music / "low.flac", "--library", library).code == 0


# --- similar ------------------------------------------------------------------------------------


def test_similar_answers_for_a_track_by_path_and_by_id(
    run: Run, indexed: Path, music: Path
) -> None:
    by_path = run("similar", music / "low.flac", "--library", indexed)
    assert by_path.code == 0
    assert by_path.err == ""
    lines = by_path.out.splitlines()
    assert len(lines) == 4
    assert "Sine - Lower" in lines[0]
    identity = Library(indexed).track(music / "low.flac").id
    assert run("similar", identity, "--library", indexed).out == by_path.out


def test_similar_answers_for_any_other_file(run: Run, indexed: Path, outsider: Path) -> None:
    ran = run("similar", outsider, "-n", 2, "--json", "--library", indexed)
    assert ran.code == 0
    assert sorted(names(ran.out)) == ["Low", "Lower"]


def test_similar_takes_the_library_from_the_environment(
    run: Run, indexed: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_LIBRARY", str(indexed))
    assert run("similar", music / "high.flac").code == 0


def test_similar_json_has_the_fields_of_every_door(run: Run, indexed: Path, music: Path) -> None:
    ran = run("similar", music / "low.flac", "--json", "--library", indexed)
    assert ran.code == 0
    answers = json.loads(ran.out)
    for answer in answers:
        assert set(answer) == {"track", "similarity", "matches", "sense"}
        assert answer["sense"] == "both"
        assert set(answer["track"]) == {"id", "path", "title", "artist", "album", "duration"}
        assert 0 <= answer["similarity"] <= 1
        for match in answer["matches"]:
            assert set(match) == {"query", "answer", "similarity"}
            assert match["query"][0] < match["query"][1]
    assert answers[0]["track"] | {"id": ""} == {
        "id": "",
        "path": str(music / "lower.flac"),
        "title": "Lower",
        "artist": "Sine",
        "album": "Tones",
        "duration": 5.0,
    }
    values = [answer["similarity"] for answer in answers]
    assert values == sorted(values, reverse=True)


def test_similar_writes_a_playlist(run: Run, indexed: Path, music: Path, tmp_path: Path) -> None:
    ran = run("similar", music / "low.flac", "-n", 2, "--m3u", "mix.m3u8", "--library", indexed)
    assert ran.code == 0
    assert ran.out == ""
    assert "2 tracks in mix.m3u8" in ran.err
    lines = (tmp_path / "mix.m3u8").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["#EXTM3U", "#PLAYLIST:Like low"]
    assert lines[2] == "#EXTINF:5,Sine - Lower"
    assert (tmp_path / lines[3]).samefile(music / "lower.flac")


@pytest.mark.parametrize(("count", "found"), [(1, 1), (4, 4), (999, 4)])
def test_similar_gives_as_many_as_there_are(
    run: Run, indexed: Path, music: Path, count: int, found: int
) -> None:
    ran = run("similar", music / "low.flac", "-n", count, "--json", "--library", indexed)
    assert ran.code == 0
    assert len(json.loads(ran.out)) == found


def test_similar_leaves_the_query_out_unless_told(run: Run, indexed: Path, music: Path) -> None:
    query = ("similar", music / "low.flac", "--json", "--library", indexed)
    assert "Low" not in names(run(*query).out)
    assert names(run(*query, "--include-self").out)[0] == "Low"


@pytest.mark.parametrize("aggregation", ["mean", "concat", "maxsim"])
def test_similar_by_every_aggregation(
    run: Run, indexed: Path, music: Path, aggregation: str
) -> None:
    query = ("similar", music / "high.flac", "--json", "--library", indexed)
    assert names(run(*query, "--aggregation", aggregation).out)[0] == "Higher"


def test_similar_compares_an_excerpt(run: Run, indexed: Path, tmp_path: Path) -> None:
    low, high = (write_tone(tmp_path / f"{f}.wav", f, 4.0) for f in (220.0, 3520.0))
    sounds = [path.read_bytes() for path in (low, high)]
    # Two plain WAV files of one format: the second's samples follow the first's.
    whole = tmp_path / "both.wav"
    header, data = (
        sounds[0].split(b"data", 1)[0],
        [sound.split(b"data", 1)[1][4:] for sound in sounds],
    )
    samples = b"".join(data)
    whole.write_bytes(header + b"data" + len(samples).to_bytes(4, "little") + samples)
    query = ("similar", whole, "-n", 1, "--json", "--library", indexed)
    assert names(run(*query, "--to", "4").out) == ["Low"]
    assert names(run(*query, "--from", "0:04").out) == ["High"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-n", "0"], "n is 0"),
        (["-n", "-3"], "n is -3"),
        (["-n", "few"], "'few' is not a valid integer"),
        (["--from", "noon"], '"noon" is not a time'),
        (["--from", "1:2:3:4"], "is not a time"),
        (["--from", "-5"], "is not a time"),
        (["--to", "nan"], "is not a time"),
        (["--from", "5:00"], "no excerpt"),
        (["--from", "2", "--to", "1"], "is not after --from"),
        (["--from", "1", "--to", "1.5"], "no excerpt of at least 1 s"),
        (["--aggregation", "sum"], "'sum' is not one of"),
        (["--loud"], "No such option"),
    ],
)
def test_similar_refuses_what_makes_no_sense(
    run: Run, indexed: Path, music: Path, options: list[str], said: str
) -> None:
    ran = run("similar", music / "low.flac", *options, "--library", indexed)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_similar_names_tracks_spelled_like_an_unknown_one(run: Run, indexed: Path) -> None:
    ran = run("similar", "hihger.flac", "--library", indexed)
    assert ran.code == 2
    assert "'hihger.flac' is neither a track of the library nor a file" in ran.err
    assert "did you mean 'higher.flac'" in ran.err


@pytest.mark.parametrize("query", [(), ("low.flac",)])
def test_similar_in_a_library_that_is_not_there(run: Run, query: tuple[str, ...]) -> None:
    ran = run("similar", *query, "--library", "nothing")
    assert ran.code == 2
    assert "is empty" in ran.err
    assert "soundalike index FOLDER" in ran.err


@pytest.mark.parametrize("name", ["letter.mp3", "empty.flac", "short.wav", ""])
def test_similar_cannot_ask_with_a_broken_file_or_a_folder(
    run: Run, indexed: Path, broken: Path, name: str
) -> None:
    ran = run("similar", broken / name, "--library", indexed)
    assert ran.code == 1
    assert f"soundalike: {broken / name}: " in ran.err


def test_similar_never_mixes_two_models(
    run: Run, indexed: Path, music: Path, other_model: Path
) -> None:
    query = music / "low.flac"
    ran = run("similar", query, "--library", indexed, "--model", other_model)
    assert ran.code == 1
    assert "fake@" in ran.err
    assert "other@" in ran.err
    assert "cannot be compared" in ran.err


def test_similar_needs_the_model_of_the_library_for_other_files(
    run: Run, library: Path, music: Path, outsider: Path
) -> None:
    document = json.loads((library / "library.json").read_text())
    (entry,) = document["tables"].values()
    entry["source"] = "gone"
    (library / "library.json").write_text(json.dumps(document))
    assert run("similar", music / "low.flac", "--library", library).code == 0
    ran = run("similar", outsider, "--library", library)
    assert ran.code == 1
    assert "was indexed by fake@" in ran.err


def test_similar_to_a_playlist_that_cannot_be_written(
    run: Run, indexed: Path, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = ("similar", music / "low.flac", "--library", indexed, "--m3u")
    ran = run(*query, "nowhere/mix.m3u8")
    assert ran.code == 1
    assert "cannot write the playlist" in ran.err
    (tmp_path / "mix.m3u8").write_text("old")
    monkeypatch.setattr("soundalike.library.journeys.write_atomically", full)
    ran = run(*query, "mix.m3u8")
    assert ran.code == 1
    assert "the disk is full" in ran.err
    assert (tmp_path / "mix.m3u8").read_text() == "old"


def test_similar_without_a_query_looks_around(run: Run, indexed: Path) -> None:
    ran = run("similar", "--library", indexed)
    assert ran.code == 0
    assert ran.out.count("Sine - ") == 3 * (1 + 4)
    ran = run("similar", "-n", 0, "--library", indexed)
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize("options", [["--json"], ["--m3u", "a.m3u8"], ["--from", "1"]])
def test_similar_without_a_query_has_no_one_answer(
    run: Run, indexed: Path, options: list[str]
) -> None:
    ran = run("similar", *options, "--library", indexed)
    assert ran.code == 2
    assert "QUERY" in ran.err


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90.0), ("1:30", 90.0), ("1:02:03", 3723.0), ("0:00.5", 0.5)]
)
def test_times_are_written_as_people_write_them(text: str, expected: float) -> None:
    assert seconds(text, "--from") == expected


@pytest.fixture(scope="session")
def joined_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake model as two senses: it takes low notes for the sound and high ones for the tune."""
    folder = tmp_path_factory.mktemp("models") / "two"
    return write_fake_model(folder, name="two", senses={"sound": 3, "composition": 1})


@pytest.fixture(scope="session")
def chords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song, a cover of it with another sound, and a sibling of the same sound."""
    folder = tmp_path_factory.mktemp("chords")
    for name, (low, high) in {
        "song": (110, 1400),
        "cover": (300, 1400),
        "sibling": (110, 5000),
        "other": (300, 5000),
    }.items():
        chord = tone(low, 5.0, level=0.4) + tone(high, 5.0, level=0.4)
        write_sound(folder / f"{name}.flac", chord[None], sample_rate=16_000)
    return folder


@pytest.fixture(scope="session")
def two_senses(tmp_path_factory: pytest.TempPathFactory, joined_model: Path, chords: Path) -> Path:
    library = Library(tmp_path_factory.mktemp("libraries") / "two", model=joined_model)
    assert library.index([chords], jobs=1).added == 4
    return library.path


@pytest.mark.parametrize("aggregation", ["mean", "concat", "maxsim"])
def test_similar_by_each_sense(run: Run, two_senses: Path, chords: Path, aggregation: str) -> None:
    query = ("similar", chords / "song.flac", "--json", "--library", two_senses)
    query = (*query, "--aggregation", aggregation)
    for sense, first in (("sound", "sibling"), ("composition", "cover")):
        ran = run(*query, "--sense", sense)
        assert ran.code == 0
        assert names(ran.out)[0] == first
        assert {answer["sense"] for answer in json.loads(ran.out)} == {sense}
        assert json.loads(ran.out)[0]["similarity"] > 0.99
    both = run(*query, "--sense", "both")
    assert names(both.out)[0] == "sibling"  # sound weighs three times as much
    assert json.loads(both.out)[0]["similarity"] < 0.9
    assert run(*query).out == both.out


def test_similar_looks_around_by_one_sense(run: Run, two_senses: Path) -> None:
    ran = run("similar", "--sense", "composition", "--library", two_senses)
    assert ran.code == 0
    assert re.findall(r"^  1  \S+  (\w+)", ran.out, re.MULTILINE) == ["song", "sibling", "other"]


def test_similar_names_the_senses_there_are(
    run: Run, two_senses: Path, indexed: Path, chords: Path, music: Path
) -> None:
    ran = run("similar", chords / "song.flac", "--sense", "melody", "--library", two_senses)
    assert (ran.code, ran.out) == (2, "")
    assert "no sense 'melody'; there are sound, composition, both" in ran.err
    ran = run("similar", music / "low.flac", "--sense", "sound", "--library", indexed)
    assert (ran.code, ran.out) == (2, "")
    assert "there is only both" in ran.err
    ran = run("similar", music / "low.flac", "--sense", "both", "--library", indexed)
    assert ran.code == 0


# --- embed --------------------------------------------------------------------------------------


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


# --- failures -----------------------------------------------------------------------------------


def test_failures_lists_files_with_reasons(run: Run, broken: Path, model: Path) -> None:
    run("index", broken, "--library", "lib", "--model", model, "-q")
    ran = run("failures", "--library", "lib")
    assert ran.code == 0
    assert [line.partition(": ")[0] for line in ran.out.splitlines()] == [
        str(broken / name) for name in ("empty.flac", "letter.mp3", "short.wav")
    ]
    assert "3 files" in ran.err
    listed = json.loads(run("failures", "--library", "lib", "--json").out)
    assert all(set(entry) == {"path", "reason"} and entry["reason"] for entry in listed)
    assert len(listed) == 3


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_failures_of_a_library_without_any(run: Run, indexed: Path, options: list[str]) -> None:
    for place in (indexed, "nothing"):
        ran = run("failures", "--library", place, *options)
        assert ran.code == 0
        assert ran.out.strip() in ("", "[]")
    assert not Path("nothing").exists()


# --- demo and the group -------------------------------------------------------------------------


def test_demo_asks_about_the_arrangements_it_made(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With tones in place of the tunes, which take half a minute to render."""
    tunes = {"Deep": ["low.flac", "lower.flac"], "Shrill": ["high.flac", "higher.flac"]}

    def write(folder: Path, *, progress: object) -> None:
        for name, frequency in FREQUENCIES.items():
            write_tone(folder / f"{name}.flac", frequency, 4.0)

    monkeypatch.setattr("soundalike.demo.render.write_demo", write)
    monkeypatch.setattr("soundalike.demo.render.demo_groups", lambda: tunes)
    ran = run("demo", "--model", model)
    assert ran.code == 0
    assert "What sounds like low?" in ran.out
    assert "for 4 of 4 tracks (guessing would find 1)" in ran.out
    assert (tmp_path / "soundalike-demo").is_dir()
    assert len(Library(tmp_path / "soundalike-demo-library")) == 5


def test_demo_cannot_write_into_a_file(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run("demo", "--folder", "file", "--model", model)
    assert ran.code == 1
    assert "soundalike: file: " in ran.err


def test_names_that_are_not_utf_8_are_printed(
    run: Run, model: Path, music: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    try:
        (odd / os.fsdecode(b"caf\xe9.flac")).write_bytes((music / "low.flac").read_bytes())
        (odd / os.fsdecode(b"th\xe9.flac")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    ran = run("index", odd, "--library", "lib", "--model", model, "-q")
    assert ran.code == 1
    assert "th\\udce9.flac: " in ran.err or "th\\xe9.flac: " in ran.err
    answer = run("similar", music / "high.flac", "--json", "--library", "lib", "--model", model)
    assert answer.code == 0
    assert len(json.loads(answer.out)) == 1


@pytest.mark.parametrize("name", ["", *soundalike.commands])
def test_every_command_helps(name: str) -> None:
    result = CliRunner().invoke(soundalike, [name, "--help"] if name else ["--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


@pytest.mark.parametrize("arguments", [["play"], ["--loud"]])
def test_unknown_commands_are_wrong_usage(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).code == 2
