"""index, failures: answers, bad input, exit codes."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from shell import Run, full

from fake_model import write_tone
from soundalike.library.library import Library

needs_permissions = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user"
)


def knowledge(library: Path) -> list[object]:
    """All that a library answers with: tracks, models, folders."""
    opened = Library(library)
    return [opened.tracks(), opened.models, opened.model, opened.roots]


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
    assert ran.code == 2
    assert ran.err.startswith("soundalike: there is no folder")  # and no bar above it
    assert "nowhere" in ran.err
    assert knowledge(library) == before


def test_index_of_an_empty_folder_says_that_there_is_no_music(
    run: Run, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("index", "empty", "--library", "lib", "--model", model, "-q")
    assert ran.code == 2
    assert "the library is empty: no audio files were found there (empty)" in ran.err


def test_index_of_files_that_no_filter_takes_says_so(run: Run, model: Path, tmp_path: Path) -> None:
    write_tone(tmp_path / "music/a.wav", 440, 2.0)
    first = ("music", "--max-duration", "1", "--model", model)
    for options in (first, (), ("--max-duration", "0", "--exclude", "*.wav"), ("music",)):
        ran = run("index", *options, "--library", "lib", "-q")
        assert ran.code == 2
        assert "is empty: every file in them is left out by the filters (" in ran.err


def test_index_of_files_that_all_failed_or_were_removed_says_so(
    run: Run, broken: Path, model: Path
) -> None:
    write_tone(broken / "good.wav", 440, 2.0)
    run("index", broken, "--library", "lib", "-q", "--model", model)
    run("remove", broken / "good.wav", "--library", "lib")
    ran = run("index", "--library", "lib", "-q")
    assert ran.code == 1
    assert "is empty: every file in them failed or was removed (" in ran.err


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
    assert ran.code == 2
    assert "notes.txt' is a file, and its name has no ending of audio" in ran.err
    assert not (tmp_path / "lib").exists()


def test_index_needs_a_folder_at_first(run: Run, model: Path) -> None:
    ran = run("index", "--library", "lib", "--model", model)
    assert ran.code == 2
    assert ran.err.startswith("soundalike: the library ")  # and no bar above it
    assert "has no folders yet; name one to index" in ran.err


def test_index_with_another_model_keeps_both_apart(
    run: Run, library: Path, model: Path, other_model: Path
) -> None:
    assert run("index", "--library", library, "--model", other_model, "-q").code == 0
    assert {name.partition("@")[0] for name in Library(library).models} == {"fake", "other"}
    for chosen in (model, other_model):
        ran = run("similar", "--json", "--model", chosen, "--library", library, "Low")
        assert (ran.code, ran.err.count("fits 2 tracks")) == (2, 1)  # not one of them


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


# --- the library itself is unusable ---

VERBS = [
    ["index", "MUSIC", "-q"],
    ["similar", "MUSIC/low.flac"],
    ["failures"],
    ["info"],
    ["remove", "x"],
]


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


# --- failures ---


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
    ran = run("failures", "--library", indexed, *options)
    assert ran.code == 0
    assert ran.out.strip() in ("", "[]")


# --- what belongs to the library ---


def test_index_remembers_filters_and_info_shows_them(run: Run, music: Path, model: Path) -> None:
    common = ("--library", "lib", "-q")
    ran = run("index", music, *common, "--model", model, "--exclude", "high*", "--nice", 0)
    assert (ran.code, "3 added" in ran.err) == (0, True)
    ran = run("index", *common, "--max-duration", "0:05")
    assert ran.code == 0
    assert "1 excluded" in ran.err
    assert "left out" in ran.err
    assert "6 s long, more than the 5 s of --max-duration" in ran.err
    told = run("info", "--library", "lib")
    assert told.code == 0
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    assert {"excluding high*", "at most 0:05", "failed 0 files"} < set(lines)
    assert "left out 1 too short or long (soundalike failures --left-out)" in lines
    assert "2 tracks, answers questions, indexed 20" in told.out
    fields = json.loads(run("info", "--library", "lib", "--json").out)
    (root,) = fields["roots"]
    assert (root["exclude"], root["max_duration"], fields["tracks"]) == (["high*"], 5.0, 2)
    assert "middle.flac: 6 s long" in run("failures", "--left-out", "--library", "lib").out
    ran = run("index", *common, "--exclude", "", "--max-duration", 0)
    assert "3 added" in ran.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--max-duration", "long"], "is not a time"),
        (["--nice", 20], "0<=x<=19"),
        (["--min-duration", "2:00", "--max-duration", "1:00"], "minimum must be below"),
    ],
)
def test_index_refuses_impossible_filters(
    run: Run, music: Path, model: Path, options: list[object], words: str
) -> None:
    ran = run("index", music, "--library", "lib", "--model", model, "-q", *options)
    assert ran.code == 2
    assert words in ran.err
    assert not Path("lib").exists()


def test_index_force_listens_again(run: Run, library: Path) -> None:
    assert "5 updated" in run("index", "--library", library, "-q", "--force").err


# --- remove ---


def test_remove_forgets_and_index_takes_up_again(run: Run, library: Path, music: Path) -> None:
    ran = run("remove", music / "low.flac", "--library", library)
    assert (ran.code, "1 track left" in ran.err) == (0, True)
    assert (music / "low.flac").exists()
    assert "4 unchanged" in run("index", "--library", library, "-q").err
    assert "removed   " in run("info", "--library", library).out
    assert "1 added" in run("index", music / "low.flac", "--library", library, "-q").err


def test_remove_of_what_is_not_there(run: Run, library: Path) -> None:
    ran = run("remove", "lo.flac", "--library", library)
    assert (ran.code, "neither a track" in ran.err, "mean" in ran.err) == (2, True, False)
    assert run("remove", "--library", library).code == 2
    assert run("remove", "", "--library", library).code == 2
    assert run("remove", "x", "--library", "nothing").code == 2


# --- info, doctor ---


@pytest.mark.parametrize("verb", ["info", "failures", "similar", "artists", "albums", "versions"])
def test_a_mistyped_library_is_told(run: Run, tmp_path: Path, verb: str) -> None:
    ran = run(verb, "--library", "nothing")
    assert (ran.code, ran.out) == (2, "")
    assert f"there is no library in {tmp_path / 'nothing'}" in ran.err
    assert not Path("nothing").exists()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone cannot be set")
def test_info_tells_the_time_on_the_wall(
    run: Run, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = json.loads((library / "library.json").read_text())
    (entry,) = manifest["tables"].values()
    entry["indexed"] = "2026-11-25T23:30:59+00:00"
    (library / "library.json").write_text(json.dumps(manifest))
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC-2")  # as POSIX has it: two hours ahead
        time.tzset()
        assert "indexed 2026-11-26 01:30\n" in run("info", "--library", library).out
    time.tzset()
    assert "2026-11-25T23:30:59+00:00" in run("info", "--library", library, "--json").out


def test_doctor_finds_nothing_wrong(run: Run, library: Path) -> None:
    ran = run("doctor", "--library", library)
    assert ran.code == 0
    assert not [line for line in ran.out.splitlines() if line[:5].strip() not in ("ok", "->")]
    checks = json.loads(run("doctor", "--library", library, "--json").out)
    assert {check["status"] for check in checks} == {"ok"}
    assert {"versions", "encoder", "hearing"} < {check["name"] for check in checks}


def test_doctor_says_what_is_wrong_and_what_to_do(run: Run, library: Path) -> None:
    for vectors in library.glob("snapshot-*/means.f32"):
        vectors.write_bytes(bytes(vectors.stat().st_size))
    ran = run("doctor", "--library", library)
    assert ran.code == 1
    assert "fail  table of" in ran.out
    assert "-> delete the folder" in ran.out
