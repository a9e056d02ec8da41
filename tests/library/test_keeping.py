"""Whatever happens to the files and to the program, a library ends as one made from scratch."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in import contents, info_of, later, new_library, write_sounds

from soundalike.library import laying_out
from soundalike.library.library import Library
from soundalike.library.manifest import FORMAT, Manifest, read_manifest
from soundalike.library.memory import connect
from soundalike.library.selection import RAW
from soundalike.library.store import FailureLog, TrackTable

# --- random histories ---

Step = tuple[str, int, int, int]
STEPS = [
    "add",
    "add",
    "add",
    "change",
    "retag",
    "retag",
    "copy",
    "move",
    "delete",
    "break",
    "index",
]


class KilledError(BaseException):
    """The end of a process: whatever it would still write, it does not."""


def killed_after(patch: pytest.MonkeyPatch, writes: int) -> None:
    """Let the last of so many writes happen, and nothing be written after it."""
    count = itertools.count(1)

    def mortal(function: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any, **options: Any) -> Any:
            number = next(count)
            if number > writes:
                raise KilledError
            written = function(*arguments, **options)
            if number == writes:
                raise KilledError
            return written

        return write

    for owner, name in (
        (TrackTable, "put"),
        (TrackTable, "_merge"),
        (TrackTable, "delete"),
        (FailureLog, "save"),
        (Manifest, "write"),
        (laying_out, "write_snapshot"),
        (laying_out, "sweep"),
    ):
        patch.setattr(owner, name, mortal(getattr(owner, name)))


def change(music: Path, step: Step) -> None:
    """Do something to the files; which ones and how, the numbers of the step say."""
    kind, one, two, number = step
    files = sorted(music.rglob("*.mp3"))
    target = music / "ab"[one % 2] / f"{two}.mp3"
    source = files[one % len(files)] if files else None
    target.parent.mkdir(exist_ok=True)
    if kind == "add":
        later(write_sounds(target, f"sound {number % 4}", title=f"{number}"))
    elif source is None:
        return
    elif kind == "change":
        later(write_sounds(source, f"sound {number % 4}", "more", title=f"{number}"))
    elif kind == "retag" and not source.read_text().startswith("broken"):
        sounds = [line for line in source.read_text().splitlines() if "=" not in line]
        later(write_sounds(source, *sounds, title="x" * number))
        if number % 3 == 0:
            source.replace(target)
    elif kind == "copy" and source != target:
        later(Path(shutil.copy(source, target)))
    elif kind == "move":
        source.replace(target)
    elif kind == "delete":
        source.unlink()
    elif kind == "break":
        later(write_sounds(source, "broken", str(number)))


steps = st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 3), st.integers(0, 9))


@settings(max_examples=8, deadline=None, print_blob=True)
@given(st.lists(steps, min_size=4, max_size=14))
def test_any_history_ends_as_from_scratch(history: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr("soundalike.library.retagging.probe", info_of)
        folder, music = Path(place) / "lib", Path(place) / "music"
        write_sounds(music / "a/first.mp3", "first")
        library, _ = new_library(folder)
        library.index(music)
        for step in history:
            if step[0] != "index":
                change(music, step)
                continue
            library, _ = new_library(folder)
            with pytest.MonkeyPatch.context() as mortal:
                killed_after(mortal, step[3] + step[2])
                with contextlib.suppress(KilledError):
                    library.index(prune=True)
            reader = Library(folder)
            for track in reader.tracks():  # it opens and answers, whatever was cut short
                assert len(
                    reader.similar(track, n=100, selection=replace(RAW, include_self=True))
                ) == len(reader)
        library, _ = new_library(folder)
        library.index(prune=True)
        scratch, _ = new_library(Path(place) / "scratch")
        scratch.index(music)
        assert contents(library) == contents(scratch)
        assert library.failures() == scratch.failures()
        assert len(library._opened.table()) == len(library)
        assert not any(entry.behind for entry in read_manifest(folder).tables.values())


# --- libraries of older versions ---


def as_format_2(library: Library) -> None:
    """Make a library what the version before `more` and `heard` would have written."""
    manifest = json.loads((library.path / "library.json").read_text())
    (entry,) = manifest["tables"].values()
    rows = library._opened.table().read(library._opened.table().schema.names)
    old = rows.drop_columns(["more", "heard"])
    connect(library.path).create_table(entry["name"], old, mode="overwrite")
    facts = library.path / entry["snapshot"] / "facts.arrow"
    with pa.OSFile(str(facts), "rb") as file:
        table = pa.ipc.open_file(file).read_all().drop_columns(["more"])
    with pa.OSFile(str(facts), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    for key in ("behind", "indexed"):
        del entry[key]
    document = {key: manifest[key] for key in ("roots", "model", "tables")}
    (library.path / "library.json").write_text(json.dumps({"format": 2, **document}))


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    for name in "abc":
        write_sounds(tmp_path / f"music/{name}.mp3", name, title=name, mood="merry")
    library, _ = new_library(tmp_path / "lib")
    library.index(tmp_path / "music")
    as_format_2(library)
    monkeypatch.setattr("soundalike.library.indexing.probe", info_of)
    return library


def test_an_old_library_answers_as_it_is(old: Library, tmp_path: Path) -> None:
    reader = Library(old.path)
    assert [track.title for track in reader.tracks()] == ["a", "b", "c"]
    assert len(reader.similar(tmp_path / "music/a.mp3")) == 2
    snapshot = reader._opened.snapshot()
    assert snapshot is not None
    assert snapshot.facts["more"].to_pylist() == ["", "", ""]
    shutil.rmtree(next(old.path.glob("snapshot-*")))
    assert [track.title for track in Library(old.path).tracks()] == ["a", "b", "c"]


def test_and_gains_what_is_new_without_listening(old: Library, tmp_path: Path) -> None:
    library, embedder = new_library(old.path)
    report = library.index()
    assert (report.unchanged, embedder.heard) == (3, [])
    scratch, _ = new_library(tmp_path / "scratch")
    scratch.index(tmp_path / "music")
    assert contents(library) == contents(scratch)
    assert json.loads((old.path / "library.json").read_text())["format"] == FORMAT
    # What was listened to is not known of the old rows: retagged, they are heard once more.
    for title, heard in (("new", 1), ("newer", 1)):
        later(write_sounds(tmp_path / "music/a.mp3", "a", title=title))
        library.index()
        assert len(embedder.heard) == heard


# --- odd files ---


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_tags_in_odd_encodings_and_odd_names_come_through(tmp_path: Path) -> None:
    """Latin-1 and Shift-JIS bytes where ID3 says otherwise, very long titles, any name."""
    from mutagen import id3

    from fake_model import write_fake_model, write_tone

    long = "Donaudampfschiff " * 700
    songs = {
        b"latin\xe9.mp3": "Caf\xe9",
        "日本\n🎵.mp3".encode(): "日本の歌",
        b"%s.mp3": long.strip(),
    }
    music = tmp_path / "music"
    for number, (name, title) in enumerate(songs.items()):
        path = write_tone(tmp_path / "a.mp3", 300.0 + 200 * number, 4.0)
        tags = id3.ID3()
        tags.add(id3.TIT2(encoding=[0, 1, 3][number], text=title))
        # Shift-JIS bytes under the name of Latin-1, as old Japanese taggers wrote.
        tags.add(id3.TPE1(encoding=0, text="歌手".encode("shift_jis").decode("latin-1")))
        tags.save(path)
        music.mkdir(exist_ok=True)
        path.rename(music / os.fsdecode(name))
    library = Library(tmp_path / "lib", model=write_fake_model(tmp_path / "model"))
    assert library.index(music, jobs=1).added == 3
    assert {os.fsencode(track.path.name): track.title for track in library.tracks()} == songs
    assert all(track.artist for track in library.tracks())
    for track in library.tracks():
        assert len(library.similar(track, selection=RAW)) == 2
        assert json.loads(json.dumps(track.artist)).encode()
    assert library.index().unchanged == 3
