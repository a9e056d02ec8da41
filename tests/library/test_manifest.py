from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.library.choice import Filters
from soundalike.library.manifest import (
    FORMAT,
    Manifest,
    TableEntry,
    read_manifest,
    table_name,
)


def example() -> Manifest:
    senses = {"low": (0, 3), "high": (3, 8)}
    entry = TableEntry("tracks-a-1", "a", 3, 8, "snapshot-1", senses)
    entry.behind, entry.indexed = True, "2026-11-25T13:00:00Z"
    filters = {"/n": Filters(include=("*.mp3",), exclude=("a", "b"), max_duration=1200.0)}
    roots = ["/m/\0dcff", "/n"]
    return Manifest(roots, "a@1", {"a@1": entry}, filters, ["/n/a\0dcff.mp3"])


def in_a_table(fields: str) -> str:
    table = f'{{"name": "t", "source": "a", {fields}}}'
    return f'{{"format": 1, "roots": [], "model": null, "tables": {{"a@1": {table}}}}}'


def test_written_and_read_again(tmp_path: Path) -> None:
    example().write(tmp_path)
    assert read_manifest(tmp_path) == example()


def test_senses_keep_their_columns_and_their_order(tmp_path: Path) -> None:
    example().write(tmp_path)
    columns = read_manifest(tmp_path).tables["a@1"].columns
    assert list(columns.items()) == [("low", slice(0, 3)), ("high", slice(3, 8))]


def test_a_library_from_before_there_were_senses_has_none(tmp_path: Path) -> None:
    (tmp_path / "library.json").write_text(in_a_table('"segments": 3, "dimension": 8'))
    assert read_manifest(tmp_path).tables["a@1"] == TableEntry("t", "a", 3, 8, balanced=False)
    assert read_manifest(tmp_path).tables["a@1"].columns == {}


def test_what_leaves_nothing_out_is_not_written(tmp_path: Path) -> None:
    nothing = Filters((), (), 0.0, math.inf)
    gone = {"/gone": Filters(exclude=("x",))}
    Manifest(["/m"], filters={"/m": nothing, **gone}).write(tmp_path)
    assert json.loads((tmp_path / "library.json").read_text())["filters"] == {}


def test_the_choice_spells_paths_as_the_system_does(tmp_path: Path) -> None:
    choice = example().choice()
    assert not choice.takes(os.fsdecode(b"/n/a\xff.mp3"))
    assert choice.takes(os.fsdecode(b"/m/\xff/x.wma"))
    assert not choice.takes("/n/x.wma")


def test_a_folder_that_is_new_or_empty_is_an_empty_library(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == Manifest()
    assert read_manifest(tmp_path / "new") == Manifest()
    assert not (tmp_path / "new").exists()


def test_a_folder_with_other_things_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").touch()
    with pytest.raises(LibraryError, match=r"no library.*song\.mp3"):
        read_manifest(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.json").write_text(json.dumps({"format": FORMAT + 1, "shelves": []}))
    with pytest.raises(LibraryError, match=f"format {FORMAT + 1}.*upgrade"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"format": "1", "roots": [], "model": null, "tables": {}}',
        '{"format": 1, "roots": [], "model": "a@1", "tables": {}}',
        '{"format": 1, "roots": [], "model": null, "tables": {"a@1": {"nom": "x"}}}',
        '{"format": 1, "roots": [], "model": null, "tables": []}',
        in_a_table('"segments": "3", "dimension": 8'),
        in_a_table('"segments": 3, "dimension": 0'),
        in_a_table('"segments": 3, "dimension": 8, "snapshot": 7'),
        in_a_table('"segments": 3, "dimension": 8, "behind": 1'),
        '{"format": 3, "roots": [], "model": null, "tables": {}, "filters": {"/m": {"exclude": [1]}}}',
        '{"format": 3, "roots": [], "model": null, "tables": {}, "filters": {"/m": {"exklude": 1}}}',
        '{"format": 3, "roots": [], "model": null, "tables": {}, "filters": {"/m": {"include": "xyz"}}}',
        '{"format": 3, "roots": "abc", "model": null, "tables": {}}',
        '{"format": 3, "roots": [1], "model": null, "tables": {}}',
        '{"format": 3, "roots": [], "model": null, "tables": {}, "removed": "abc"}',
        in_a_table('"segments": 3, "dimension": 8, "senses": ["low"]'),
        in_a_table('"segments": 3, "dimension": 8, "senses": {"low": 4}'),
        in_a_table('"segments": 3, "dimension": 8, "senses": {"low": [4, 9]}'),
        in_a_table('"segments": 3, "dimension": 8, "senses": {"low": [4, 4]}'),
        in_a_table('"segments": 3, "dimension": 8, "senses": {"low": [0, "4"]}'),
    ],
)
def test_damage_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "library.json").write_text(text)
    with pytest.raises(LibraryError, match=r"library\.json is damaged"):
        read_manifest(tmp_path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "library.json").write_bytes(b"\xff\x00")
    with pytest.raises(LibraryError, match="damaged"):
        read_manifest(tmp_path)


def test_table_names_are_what_lance_takes() -> None:
    assert table_name("ast-30s@3f2a91c04b7d") == "tracks-ast-30s-3f2a91c04b7d"
    assert table_name("my model/ü@1") == "tracks-my-model---1"
