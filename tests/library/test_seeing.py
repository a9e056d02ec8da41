"""Groups, the map and the vectors of a library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stand_in import StandIn, new_library, write_sounds

from soundalike.errors import QueryError
from soundalike.library import vectors as taking
from soundalike.library.aggregation import track_vector, unit
from soundalike.library.library import Library
from soundalike.library.seeing import Seeing


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Three albums; the tracks of one share two of their three sounds."""
    made, _ = new_library(tmp_path / "library")
    for name, genre in {"storm": "Rock", "harbour": "Folk", "clock": ""}.items():
        for number in range(6):
            sounds = (name, name, f"{name} {number}")
            tags = {"title": f"{name} {number}", "artist": f"{name} band", "genre": genre}
            write_sounds(tmp_path / "music" / name / f"{number}.flac", *sounds, **tags)
    made.index([tmp_path / "music"])
    return made


def test_groups_are_the_albums_and_have_their_names(library: Library) -> None:
    found = library.clusters()
    assert sorted(cluster.name for cluster in found) == ["Folk", "Rock", "clock band"]
    assert [cluster.number for cluster in found] == [0, 1, 2]
    for cluster in found:
        assert len({track.path.parent for track in cluster.tracks}) == 1
        assert cluster.words[0].share == 1
        assert cluster.words[0].elsewhere == 0
    assert sorted(t.id for c in found for t in c.tracks) == sorted(t.id for t in library.tracks())


@pytest.mark.parametrize("k", [1, 2, 5, 18])
def test_as_many_groups_as_asked_for(library: Library, k: int) -> None:
    assert len(library.clusters(k)) == k


@pytest.mark.parametrize("k", [0, -1, 19, True])
def test_numbers_of_groups_that_cannot_be(library: Library, k: int) -> None:
    with pytest.raises(QueryError, match="of 18 tracks"):
        library.clusters(k)


def test_representatives_are_of_different_artists_where_there_are(library: Library) -> None:
    (everything,) = library.clusters(1)
    artists = [track.artist for track in everything.representatives]
    assert len(set(artists)) == 3
    assert everything.representatives[0] == everything.tracks[0]
    (storm,) = [one for one in library.clusters(3) if one.name == "Rock"]
    assert storm.representatives == storm.tracks[:3]


def test_a_group_is_called_after_one_with_an_artist_and_shows_a_recording_once(
    tmp_path: Path,
) -> None:
    made, _ = new_library(tmp_path / "library")
    write_sounds(tmp_path / "music/castle.flac", "a", "b", "c")  # in the midst, without tags
    for name, artist, sounds in (
        ("Castle", "Anna", "abx"),
        ("Tower", "Bert", "ayc"),
        ("Moat", "Cleo", "zbc"),
    ):
        write_sounds(tmp_path / f"music/{artist}.flac", *sounds, title=name, artist=artist)
    made.index([tmp_path / "music"])
    (group,) = made.clusters(1)
    assert group.tracks[0].title == "castle"
    assert {track.artist for track in group.representatives} == {"", "Bert", "Cleo"}
    second = group.representatives[1]
    assert group.name == f"like {second.artist} - {second.title}"


def test_the_map_has_every_track_once_and_the_groups_lie_apart(library: Library) -> None:
    seen = library.map(layout="pca")
    assert seen.tracks == library.tracks()
    assert seen.places.shape == (18, 2)
    for cluster in seen.clusters:
        own = seen.places[seen.labels == cluster.number]
        assert len(own) == len(cluster.tracks)
        away = np.linalg.norm(seen.places - seen.centre(cluster), axis=1)
        assert set(np.argsort(away)[:6]) == set(np.flatnonzero(seen.labels == cluster.number))


def test_an_empty_library_has_no_map(tmp_path: Path) -> None:
    empty, _ = new_library(tmp_path / "empty")
    for ask in (
        empty.clusters,
        empty.vectors,
        empty.vector_batches,
        lambda: empty.map(layout="pca"),
    ):
        with pytest.raises(QueryError, match="there is no library in"):
            ask()


def test_vectors_are_those_of_the_segments(library: Library) -> None:
    snapshot = library._opened.snapshot()
    assert snapshot is not None
    assert snapshot.segments is not None
    for aggregation in ("mean", "concat"):
        tracks, found = library.vectors(aggregation=aggregation)
        assert tracks == library.tracks()
        np.testing.assert_allclose(found, track_vector(snapshot.segments, aggregation), atol=1e-6)


def test_vectors_have_no_maxsim_and_senses_are_checked_at_once(library: Library) -> None:
    with pytest.raises(QueryError, match="no track vector"):
        library.vector_batches(aggregation="maxsim")
    with pytest.raises(QueryError, match="there is only both"):
        library.vector_batches(sense="sound")


def test_batches_and_large_libraries_give_the_same(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the segments stay in Lance, as above the limit of exact search."""
    _, expected = library.vectors(aggregation="concat")
    monkeypatch.setattr(taking, "BATCH", 5)
    monkeypatch.setattr("soundalike.library.ranking.EXACT_LIMIT", 3)
    library.index(prune=True)
    large = Library(library.path, embedder=StandIn())  # type: ignore[arg-type]
    large._opened.manifest.tables[library.model or ""].snapshot = None
    snapshot = large._opened.snapshot()
    assert snapshot is not None
    assert snapshot.segments is None
    parts = list(large.vector_batches(aggregation="concat", segments=True))
    assert [len(tracks) for tracks, _ in parts] == [5, 5, 5, 3]
    found = np.concatenate([batch.vectors for _, batch in parts])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    for _, batch in parts:
        assert batch.segments is not None
        assert batch.starts is not None
        assert batch.segments.shape == (len(batch.rows), 3, 16)
        assert batch.starts.tolist() == [[0.0, 30.0, 60.0]] * len(batch.rows)


def test_one_sense_is_its_own_columns_at_unit_length(tmp_path: Path) -> None:
    senses = {"sound": slice(0, 8), "composition": slice(8, 16)}
    made = Library(tmp_path / "library", embedder=StandIn(senses=senses))  # type: ignore[arg-type]
    for name in ("a|x", "a|y", "b|x", "b|y"):
        write_sounds(tmp_path / "music" / f"{name[0]}{name[2]}.flac", name, f"{name}2", name)
    made.index([tmp_path / "music"])
    snapshot = made._opened.snapshot()
    assert snapshot is not None
    assert snapshot.segments is not None
    _, both = made.vectors()
    assert both.shape == (4, 16)
    for sense, own in senses.items():
        _, found = made.vectors(sense=sense)
        expected = track_vector(unit(snapshot.segments[..., own]), "mean")
        np.testing.assert_allclose(found, expected, atol=1e-6)
    groups = made.clusters(2, sense="sound")
    assert [len({t.path.name[0] for t in group.tracks}) for group in groups] == [1, 1]


def test_seeing_is_a_part_of_the_library() -> None:
    assert issubclass(Library, Seeing)


def test_what_is_no_number_of_groups_and_no_seed(library: Library) -> None:
    for k in (2.5, "3", True):
        with pytest.raises(QueryError, match="k is between"):
            library.clusters(k)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="seed is -1"):
        library.clusters(seed=-1)
