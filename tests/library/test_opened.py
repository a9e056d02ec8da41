"""Vectors of two encoders never meet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from stand_in import StandIn, contents, write_sounds

from soundalike import embedder as embedders
from soundalike.errors import LibraryError, ModelError, QueryError
from soundalike.library.aggregation import ONE, track_vector
from soundalike.library.library import Library
from soundalike.library.manifest import TableEntry, read_manifest
from soundalike.library.opened import Opened
from soundalike.library.selection import Selection
from soundalike.library.snapshot import Snapshot


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        write_sounds(tmp_path / f"music/{name}.mp3", f"sound {name}")
    return tmp_path / "music"


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> dict[str | None, StandIn]:
    """Models by name, as if they were shipped; None is the default."""
    models: dict[str | None, StandIn] = {None: StandIn()}
    models["stand-in"] = models[None]

    def load(model: str | None = None, *, threads: int | None = None) -> StandIn:
        if model not in models:
            raise ModelError(f"no model {model!r}")
        return models[model]

    monkeypatch.setattr(embedders, "Embedder", load)
    return models


Shipped = dict[str | None, StandIn]
HALVES = {"low": slice(0, 8), "high": slice(8, 16)}


def old_library(tmp_path: Path, music: Path) -> Library:
    library = Library(tmp_path / "lib")
    library.index([music])
    return library


def test_another_model_is_refused_with_both_names(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    old_library(tmp_path, music)
    shipped["other"] = StandIn(name="other", version=2)
    for asking in ({"model": "other"}, {"embedder": shipped["other"]}):
        library = Library(tmp_path / "lib", **asking)  # type: ignore[arg-type]
        with pytest.raises(ModelError) as caught:
            library.similar(music / "a.mp3")
        for words in ("stand-in@000000000001", "other@000000000002", "index --model other"):
            assert words in str(caught.value)
        assert "--model stand-in" in str(caught.value)
    assert shipped["other"].heard == []


def test_indexing_with_another_model_fills_a_table_of_its_own(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    library = old_library(tmp_path, music)
    before = contents(library)
    shipped["other"] = StandIn(name="other", version=2, dimension=5)
    other = Library(tmp_path / "lib", model="other")
    report = other.index()
    assert (report.added, report.model) == (3, "other@000000000002")
    assert len(other.similar(music / "a.mp3")) == 2
    # The last one that is complete answers whoever does not choose; the older one can be chosen.
    assert Library(tmp_path / "lib").model == "other@000000000002"
    assert Library(tmp_path / "lib").models == ["other@000000000002", "stand-in@000000000001"]
    assert contents(Library(tmp_path / "lib", model="stand-in")) == before


def test_the_old_model_answers_until_the_new_one_is_complete(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    old_library(tmp_path, music)
    shipped["other"] = StandIn(name="other", version=2)
    seen: list[tuple[str | None, int]] = []
    reader = Library(tmp_path / "lib")

    def look(progress: object) -> None:
        seen.append((reader.model, len(reader.similar(music / "a.mp3"))))

    new = Library(tmp_path / "lib", model="other")
    new.index([music], progress=look)
    assert set(seen) == {("stand-in@000000000001", 2)}
    assert reader.model == "other@000000000002"


def test_a_new_model_embeds_all_folders_whichever_is_named(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    old_library(tmp_path, music)
    write_sounds(tmp_path / "more/d.mp3", "sound d")
    shipped["other"] = StandIn(name="other", version=2)
    other = Library(tmp_path / "lib", model="other")
    assert other.index([tmp_path / "more"]).added == 4


def test_a_new_model_does_not_answer_while_a_folder_is_missing(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    old_library(tmp_path, music)
    music.rename(tmp_path / "unplugged")
    write_sounds(tmp_path / "more/d.mp3", "sound d")
    shipped["other"] = StandIn(name="other", version=2)
    other = Library(tmp_path / "lib", model="other")
    assert other.index([tmp_path / "more"]).held
    assert Library(tmp_path / "lib").model == "stand-in@000000000001"


def test_a_new_version_under_the_same_name(tmp_path: Path, music: Path, shipped: Shipped) -> None:
    library = old_library(tmp_path, music)
    outside = write_sounds(tmp_path / "outside.mp3", "sound a")
    shipped["stand-in"] = shipped[None] = StandIn(version=2)
    library = Library(tmp_path / "lib")
    assert len(library.similar(music / "a.mp3")) == 2
    with pytest.raises(ModelError, match=r"stand-in@000000000001.*stand-in@000000000002"):
        library.similar(outside)
    assert library.index().added == 3
    assert library.similar(outside, selection=Selection(include_self=True))[
        0
    ].similarity == pytest.approx(1)


def test_a_library_keeps_to_its_model(tmp_path: Path, music: Path, shipped: Shipped) -> None:
    shipped["other"] = StandIn(name="other", version=2)
    Library(tmp_path / "lib", model="other").index([music])
    assert Library(tmp_path / "lib").index().unchanged == 3
    assert shipped[None].heard == []
    del shipped["other"]
    assert len(Library(tmp_path / "lib").similar(music / "a.mp3")) == 2
    with pytest.raises(ModelError, match=r"other@000000000002, which is not at hand \(no model"):
        Library(tmp_path / "lib").index()


def test_a_reader_follows_to_the_new_model(tmp_path: Path, music: Path, shipped: Shipped) -> None:
    outside = write_sounds(tmp_path / "outside.mp3", "sound a")
    reader = old_library(tmp_path, music)
    reader.similar(outside)
    shipped["other"] = StandIn(name="other", version=2, dimension=5)
    Library(tmp_path / "lib", model="other").index()
    assert reader.similar(outside, selection=Selection(include_self=True))[
        0
    ].similarity == pytest.approx(1)
    assert shipped["other"].heard[-1] == outside


def test_what_was_read_while_another_wrote_is_not_kept(
    tmp_path: Path, music: Path, shipped: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread reads the tracks, meanwhile a program adds some and another thread sees that."""
    old_library(tmp_path, music)
    reader, load = Library(tmp_path / "lib"), Opened.load

    def slowly(opened: Opened, entry: TableEntry) -> Snapshot | None:
        found = load(opened, entry)
        if opened is reader._opened:
            monkeypatch.undo()
            monkeypatch.setattr(embedders, "Embedder", lambda *_, **__: StandIn())
            write_sounds(music / "d.mp3", "sound d")
            Library(tmp_path / "lib").index()
            assert reader.roots == [music]  # what another thread asks
        return found

    monkeypatch.setattr(Opened, "load", slowly)
    assert len(reader) in (3, 4)
    assert len(reader) == 4


def test_vectors_of_a_model_can_be_deleted(tmp_path: Path, music: Path, shipped: Shipped) -> None:
    library = old_library(tmp_path, music)
    shipped["other"] = StandIn(name="other", version=2)
    Library(tmp_path / "lib", model="other").index()
    with pytest.raises(LibraryError, match=r"cannot forget 'other@0+2'"):
        library.forget_model("other@000000000002")
    library.forget_model("stand-in@000000000001")
    assert library.models == ["other@000000000002"]
    assert len(list(library.path.glob("tracks-*.lance"))) == 1
    assert len(library.similar(music / "a.mp3")) == 2


def test_a_table_from_before_senses_were_recorded_learns_them(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    for name in ("a", "b", "c"):
        write_sounds(music / f"{name}.mp3", f"sound {name}|notes {name}")
    shipped["stand-in"] = shipped[None] = StandIn(senses=HALVES)
    library = old_library(tmp_path, music)
    manifest = read_manifest(library.path)
    manifest.tables[str(library.model)].senses = {}
    manifest.write(library.path)
    assert library.senses == []
    with pytest.raises(QueryError, match="only both"):
        library.similar(music / "a.mp3", sense="low")
    assert library.index().unchanged == 3
    assert library.senses == ["low", "high"]
    assert len(library.similar(music / "a.mp3", sense="low")) == 2


def test_means_of_before_senses_were_balanced_are_taken_anew(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    for name in ("a", "b", "c"):
        write_sounds(music / f"{name}.mp3", *(f"sound {name}|notes {name} {i}" for i in range(3)))
    shipped["stand-in"] = shipped[None] = embedder = StandIn(senses=HALVES)
    library = old_library(tmp_path, music)
    place = library.path / "library.json"
    document = json.loads(place.read_text())
    (entry,) = document["tables"].values()
    del entry["balanced"]
    place.write_text(json.dumps({**document, "format": 3}))
    table = Library(library.path)._opened.table()
    table._senses = ONE
    table.fold_anew()  # as a library of that format has them
    before, heard = table.read(["id", "vector"]).sort_by("id"), len(embedder.heard)
    assert library.index().unchanged == 3
    assert len(embedder.heard) == heard
    after = library._opened.table().read(["id", "vector", "segments"]).sort_by("id")
    segments = np.array(after["segments"].to_pylist(), np.float32).reshape(3, -1, 16)
    expected = track_vector(segments, "mean", HALVES)
    np.testing.assert_allclose(np.array(after["vector"].to_pylist()), expected, atol=1e-6)
    assert not np.allclose(before["vector"].to_pylist(), after["vector"].to_pylist(), atol=1e-4)
    snapshot = Library(library.path)._opened.snapshot()
    assert snapshot is not None
    np.testing.assert_allclose(np.sort(snapshot.means, 0), np.sort(expected, 0), atol=1e-6)
    assert read_manifest(library.path).tables[str(library.model)].balanced


def test_the_senses_are_those_of_the_model_that_answers(
    tmp_path: Path, music: Path, shipped: Shipped
) -> None:
    library = old_library(tmp_path, music)
    for name in ("a", "b", "c"):
        write_sounds(music / f"{name}.mp3", f"sound {name}|notes {name}")
    shipped["two"] = StandIn(name="two", version=2, senses=HALVES)
    Library(tmp_path / "lib", model="two").index()
    assert library.senses == ["low", "high"]
    assert Library(tmp_path / "lib", model="stand-in").senses == []


def test_embedder_and_model_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        Library(tmp_path / "lib", embedder=StandIn(), model="x")  # type: ignore[arg-type]


def test_what_is_open_stays_open_also_without_a_calibration(music: Path, tmp_path: Path) -> None:
    """Else ids, artists and albums would be gathered anew for every question."""
    library = Library(tmp_path / "library", embedder=StandIn())  # type: ignore[arg-type]
    library.index([music])
    assert not library.calibrated
    assert library._opened.snapshot() is library._opened.snapshot()
