from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stand_in import StandIn, contents, write_sounds

from fake_model import write_fake_model, write_tone
from soundalike.audio.segments import Segment
from soundalike.errors import AudioError, LibraryError, ModelError, QueryError
from soundalike.library import ranking
from soundalike.library.aggregation import AGGREGATIONS
from soundalike.library.library import Library
from soundalike.library.search import Neighbor
from soundalike.library.selection import RAW, Selection
from soundalike.library.tracks import Track


def open_library(folder: Path, embedder: StandIn | None = None) -> Library:
    return Library(folder, embedder=embedder)  # type: ignore[arg-type]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two tracks that share sounds with "seed", two that share none."""
    sounds = {"seed": "abc", "near": "abd", "middle": "axy", "far": "uvw", "farther": "rst"}
    for name, letters in sounds.items():
        write_sounds(tmp_path / f"music/{name}.mp3", *letters, title=name.title(), artist="Someone")
    return tmp_path / "music"


@pytest.fixture
def library(tmp_path: Path, music: Path) -> Library:
    library = open_library(tmp_path / "lib", StandIn(dimension=256))
    library.index([music])
    return library


def names(found: list[Neighbor]) -> list[str]:
    return [neighbor.track.path.stem for neighbor in found]


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_what_shares_sounds_comes_first(library: Library, music: Path, aggregation: str) -> None:
    found = library.similar(music / "seed.mp3", aggregation=aggregation)
    assert names(found)[:2] == ["near", "middle"]
    assert sorted(names(found)) == ["far", "farther", "middle", "near"]
    values = [neighbor.similarity for neighbor in found]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.5 > 0.3 > values[2] >= 0
    (first, second, _) = found[0].matches
    assert (first.query, first.answer) == (Segment(0.0, 30.0), Segment(0.0, 30.0))
    assert first.similarity == pytest.approx(1)
    assert second.query == second.answer == Segment(30.0, 60.0)


def test_a_track_its_id_and_its_path_ask_the_same(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = library.track(music / "seed.mp3")
    assert isinstance(track, Track)
    assert (track.title, track.artist, track.duration) == ("Seed", "Someone", 90.0)
    expected = library.similar(track)
    monkeypatch.chdir(music)
    for query in (track.id, str(track.path), track.path, "seed.mp3", Path("../music/seed.mp3")):
        assert library.similar(query) == expected
        assert library.track(query) == track


@pytest.mark.parametrize("query", [5, [5], None, 1.5])
def test_what_can_be_no_query_is_refused(library: Library, music: Path, query: object) -> None:
    with pytest.raises(QueryError, match=r"is no Track, id or path.*numpy"):
        library.similar(query)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="is no Track"):
        library.similar(music / "seed.mp3", dislike=query)  # type: ignore[arg-type]


def test_a_library_shows_where_it_is_and_what_is_open(library: Library) -> None:
    alone = Library(library.path)
    assert repr(alone) == f"<Library {str(library.path)!r}>"
    assert len(alone.tracks()) == 5
    assert repr(alone) == f"<Library {str(library.path)!r}, 5 tracks>"


def test_library_tracks_need_no_encoder(library: Library, music: Path) -> None:
    alone = Library(library.path)
    assert names(alone.similar(music / "seed.mp3", n=1)) == ["near"]
    assert (alone.model, len(alone)) == ("stand-in@000000000001", 5)


def test_any_other_file_is_heard_now(library: Library, tmp_path: Path) -> None:
    other = write_sounds(tmp_path / "else.mp3", *"abz")
    assert set(names(library.similar(other, n=2))) == {"near", "seed"}
    assert len(library) == 5


def test_the_query_is_left_out_unless_asked_for(
    library: Library, music: Path, tmp_path: Path
) -> None:
    seed = music / "seed.mp3"
    copy = tmp_path / "copy.mp3"
    copy.write_bytes(seed.read_bytes())
    for query in (seed, copy):
        assert "seed" not in names(library.similar(query))
        first = library.similar(query, selection=Selection(include_self=True))[0]
        assert (first.track.path, first.similarity) == (seed, 1.0)


def test_copies_of_the_query_are_left_out_too(library: Library, music: Path) -> None:
    (music / "twin.mp3").write_bytes((music / "seed.mp3").read_bytes())
    library.index()
    assert len(library) == 6
    assert "twin" not in names(library.similar(music / "seed.mp3"))
    (first, *_) = library.similar(music / "seed.mp3", selection=Selection(include_self=True))
    assert first.track.path.stem == "seed"
    assert [track.path.stem for track in first.versions] == ["twin"]
    every = Selection(include_self=True, keep_versions=True)
    found = library.similar(music / "seed.mp3", selection=every)
    assert names(found)[:2] == ["seed", "twin"]
    assert found[0].similarity == found[1].similarity == 1


def test_a_stretch_of_a_file(library: Library, music: Path) -> None:
    found = library.similar(music / "near.mp3", excerpt=(60.0, None), aggregation="maxsim")
    assert "near" not in names(found)
    # Only the last sound of "near" was asked for, and nobody shares it.
    assert found[0].similarity < 0.3


def test_vectors_ask_with_one_row_or_several(library: Library, music: Path) -> None:
    vectors = StandIn(dimension=256).embed_file(music / "seed.mp3").vectors
    (first, second) = library.similar(7 * vectors, n=2)
    assert names([first, second]) == ["seed", "near"]
    assert first.matches[0].query == Segment(0.0, 0.0)
    assert names(library.similar(vectors[2], n=1, aggregation="concat")) == ["seed"]
    assert names(library.similar(vectors[2].astype(float), n=1)) == ["seed"]


@pytest.mark.parametrize(
    ("vectors", "error", "words"),
    [
        (np.ones(8), ModelError, "8 numbers each, those of the library 256"),
        (np.ones((1, 3, 256)), QueryError, r"shape \(1, 3, 256\)"),
        (np.ones(0), QueryError, "shape"),
        (np.zeros(256), QueryError, "zeros"),
        (np.full(256, np.nan), QueryError, "not finite"),
    ],
)
def test_vectors_are_checked(
    library: Library, vectors: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        library.similar(vectors)


@pytest.mark.parametrize("n", [0, -3, 2.0])
def test_n_below_one(library: Library, music: Path, n: int) -> None:
    with pytest.raises(QueryError, match=f"n is {n}"):
        library.similar(music / "seed.mp3", n=n)


def test_n_beyond_the_library_gives_all_there_are(library: Library, music: Path) -> None:
    assert len(library.similar(music / "seed.mp3", n=1000)) == 4
    assert len(library.similar(music / "seed.mp3", n=1)) == 1


def test_an_aggregation_that_does_not_exist(library: Library, music: Path) -> None:
    with pytest.raises(QueryError, match="mean, concat, maxsim"):
        library.similar(music / "seed.mp3", aggregation="max")


def test_unknown_tracks_come_with_names_that_are_near(library: Library, music: Path) -> None:
    for query, near in (
        ("fahr.mp3", "'far.mp3'"),
        ("eed", "'seed.mp3'"),
        ("Middl", "'middle.mp3'"),
    ):
        with pytest.raises(QueryError, match=f"did you mean {near}"):
            library.similar(query)
        with pytest.raises(QueryError, match=f"did you mean {near}"):
            library.track(query)
    with pytest.raises(QueryError) as caught:
        library.similar("0123456789")
    assert "did you mean" not in str(caught.value)
    gone = library.track(music / "far.mp3")
    (music / "far.mp3").unlink()
    library.index()
    with pytest.raises(QueryError, match="'Far'"):
        library.similar(gone)


def test_a_file_that_is_no_music(library: Library, tmp_path: Path) -> None:
    with pytest.raises(AudioError):
        library.similar(write_sounds(tmp_path / "x.txt", "broken"))


def test_an_empty_library_says_what_to_do(tmp_path: Path) -> None:
    library = open_library(tmp_path / "lib", StandIn())
    assert (len(library), library.tracks(), library.failures(), library.model) == (0, [], [], None)
    assert not library.path.exists()
    with pytest.raises(QueryError, match=r"there is no library in .*soundalike index"):
        library.similar("song.mp3")
    (tmp_path / "music").mkdir()
    library.index([tmp_path / "music"])
    with pytest.raises(QueryError, match=r"is empty; soundalike index says why"):
        library.similar("song.mp3")
    library.remove(tmp_path / "music")
    with pytest.raises(QueryError, match=r"is empty; index a folder"):
        library.similar("song.mp3")


def test_indexing_needs_a_folder_that_exists(tmp_path: Path) -> None:
    library = open_library(tmp_path / "lib", StandIn())
    with pytest.raises(QueryError, match="name one"):
        library.index()
    with pytest.raises(QueryError, match=r"no folder .*musik"):
        library.index([tmp_path / "musik"])
    assert len(library) == 0


def test_a_library_that_cannot_be_is_refused(tmp_path: Path) -> None:
    write_sounds(tmp_path / "music/a.mp3", "a")
    with pytest.raises(LibraryError, match="no library"):
        Library(tmp_path / "music")
    with pytest.raises(LibraryError, match="not a directory"):
        Library(tmp_path / "music/a.mp3")
    with pytest.raises(LibraryError, match="not UTF-8"):
        Library(tmp_path / os.fsdecode(b"\xff"))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/library.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(LibraryError, match="format 99"):
        Library(tmp_path / "lib")


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_folder_that_cannot_be_written(library: Library, music: Path) -> None:
    before = contents(library)
    write_sounds(music / "new.mp3", "new")
    library.path.chmod(0o500)
    try:
        with pytest.raises(LibraryError, match="permission denied"):
            library.index()
        assert contents(Library(library.path)) == before
    finally:
        library.path.chmod(0o700)


def test_a_missing_snapshot_is_read_from_the_table(library: Library) -> None:
    before = contents(library)
    for snapshot in library.path.glob("snapshot-*/segments.f32"):
        snapshot.write_bytes(b"")
    assert contents(Library(library.path)) == before


def test_readers_take_up_what_was_indexed_since(library: Library, music: Path) -> None:
    reader = Library(library.path)
    assert len(reader) == 5
    write_sounds(music / "new.mp3", *"abc", "new")
    library.index()
    assert len(reader) == 6
    assert names(reader.similar(music / "seed.mp3", n=1, selection=RAW)) == ["new"]


def test_a_large_library_answers_from_the_approximate_index(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(600):
        write_sounds(music / f"more/{i:03d}.mp3", f"sound {i}", f"sound {i // 2}")
    library.index()
    exact = {n: library.similar(music / "more/123.mp3", n=n) for n in (1, 10)}
    monkeypatch.setattr(ranking, "EXACT_LIMIT", 500)
    write_sounds(music / "more/new.mp3", "something new")
    library.index()
    assert not list(library.path.glob("snapshot-*/segments.f32"))
    large = Library(library.path)
    assert large.similar(music / "more/123.mp3", n=1) == exact[1]
    assert len(large.similar(music / "more/new.mp3", n=10)) == 10


def test_from_sound_to_neighbors(tmp_path: Path) -> None:
    """All rooms together: tones as files, a model that hears pitch, ONNX Runtime."""
    for frequency in (220, 233, 880, 932, 3000):
        tags = {"title": f"{frequency} Hz", "artist": "Sine", "date": "1999"}
        write_tone(tmp_path / f"music/{frequency}.flac", frequency, 5.0, tags=tags)
    (tmp_path / "music/text.mp3").write_text("no music")
    model = write_fake_model(tmp_path / "model")
    report = Library(tmp_path / "lib", model=model).index([tmp_path / "music"], jobs=2)
    assert (report.added, [path.name for path, _ in report.failed]) == (5, ["text.mp3"])
    library = Library(tmp_path / "lib")
    (found, *_) = library.similar(tmp_path / "music/220.flac", selection=RAW)
    assert (found.track.title, found.track.artist, found.track.year) == ("233 Hz", "Sine", 1999)
    assert found.track.duration == pytest.approx(5, abs=0.01)
    outside = write_tone(tmp_path / "900.wav", 900, 5.0)
    assert {one.track.title for one in library.similar(outside, n=2, selection=RAW)} == {
        "880 Hz",
        "932 Hz",
    }


def test_answering_imports_neither_lance_nor_an_encoder(library: Library, music: Path) -> None:
    code = (
        "import sys; from soundalike.library.library import Library\n"
        "library = Library(sys.argv[1]); assert library.similar(sys.argv[2])\n"
        "slow = {'lancedb', 'onnxruntime', 'torch'} & set(sys.modules); assert not slow, slow"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(library.path), str(music / "seed.mp3")]
    subprocess.run(command, check=True, env=env)


@pytest.mark.parametrize("slip", ["nowhere", "letter.txt", ()])
def test_a_slip_of_the_keyboard_leaves_no_trace(tmp_path: Path, slip: str | tuple[()]) -> None:
    (tmp_path / "letter.txt").touch()
    folders = tmp_path / slip if slip else ()
    with pytest.raises(QueryError, match=r"no folder|letter\.txt"):
        open_library(tmp_path / "lib", StandIn()).index(folders)
    assert not (tmp_path / "lib").exists()


def test_a_missing_model_leaves_no_trace(tmp_path: Path, music: Path) -> None:
    with pytest.raises(ModelError, match="nothing"):
        Library(tmp_path / "lib", model="nothing").index(music)
    assert not (tmp_path / "lib").exists()


def test_a_file_that_is_no_audio_is_not_passed_over(library: Library, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(QueryError, match=r"letter\.txt.*no ending of audio"):
        library.index(tmp_path / "letter.txt")
    assert tmp_path / "letter.txt" not in library.roots


def test_a_snapshot_that_was_lost_is_laid_out_again(library: Library, music: Path) -> None:
    (lost,) = library.path.glob("snapshot-*")
    before = library.similar(music / "seed.mp3")
    (lost / "segments.f32").write_bytes(b"")
    library.index()
    (found,) = library.path.glob("snapshot-*")
    assert found != lost
    assert (found / "segments.f32").stat().st_size == 5 * 3 * 256 * 4
    assert library.similar(music / "seed.mp3") == before


@pytest.fixture
def two_senses(tmp_path: Path) -> tuple[Library, StandIn]:
    """Songs "sound|notes": a cover shares the notes of the song, a sibling its sound."""
    for name, line in {"song": "a|x", "cover": "b|x", "sibling": "a|y", "other": "c|z"}.items():
        write_sounds(tmp_path / f"songs/{name}.mp3", line)
    senses = {"sound": slice(0, 64), "composition": slice(64, 256)}
    embedder = StandIn(dimension=256, senses=senses)
    library = open_library(tmp_path / "two", embedder)
    library.index([tmp_path / "songs"])
    return library, embedder


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_each_sense_has_its_own_answer(
    two_senses: tuple[Library, StandIn], tmp_path: Path, aggregation: str
) -> None:
    library = Library(two_senses[0].path)  # of its own tracks it tells without the encoder
    assert library.senses == ["sound", "composition"]
    song = tmp_path / "songs/song.mp3"
    for sense, name in (("sound", "sibling"), ("composition", "cover")):
        found = library.similar(song, sense=sense, aggregation=aggregation)
        assert names(found)[0] == name
        assert found[0].similarity == pytest.approx(1)
        assert [m.similarity for m in found[0].matches] == pytest.approx([1, 1, 1])
        assert found[1].similarity < 0.5
    both = library.similar(song, aggregation=aggregation)
    assert both == library.similar(song, aggregation=aggregation, sense="both")
    assert set(names(both)[:2]) == {"cover", "sibling"}


def test_other_files_and_vectors_ask_by_one_sense(
    two_senses: tuple[Library, StandIn], tmp_path: Path
) -> None:
    library, embedder = two_senses
    outside = write_sounds(tmp_path / "outside.mp3", "c|x")
    assert set(names(library.similar(outside, n=2, sense="composition"))) == {"song", "cover"}
    vectors = embedder.embed_file(outside).vectors
    assert names(library.similar(vectors, n=1, sense="sound")) == ["other"]


def test_a_sense_that_does_not_exist_is_told_before_a_file_is_heard(
    two_senses: tuple[Library, StandIn], library: Library, tmp_path: Path
) -> None:
    joined, embedder = two_senses
    outside, heard = write_sounds(tmp_path / "outside.mp3", "c|x"), len(embedder.heard)
    with pytest.raises(QueryError, match="there are sound, composition, both"):
        joined.similar(outside, sense="melody")
    assert len(embedder.heard) == heard
    assert library.senses == Library(tmp_path / "new").senses == []
    with pytest.raises(QueryError, match="only both"):
        library.similar(outside, sense="sound")


def test_senses_without_a_snapshot(two_senses: tuple[Library, StandIn], tmp_path: Path) -> None:
    for snapshot in two_senses[0].path.glob("snapshot-*/segments.f32"):
        snapshot.write_bytes(b"")
    library = Library(two_senses[0].path)
    found = library.similar(tmp_path / "songs/song.mp3", n=1, sense="composition")
    assert names(found) == ["cover"]
