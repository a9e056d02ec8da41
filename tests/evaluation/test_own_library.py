"""A library of one's own: known tags and vectors give known scores; what is missing is said."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_model import tone, write_fake_model, write_sound
from library.stand_in import new_library, write_sounds
from soundalike.errors import LibraryError, ModelError, QueryError
from soundalike.evaluation import library_report, own_library, pictures
from soundalike.evaluation.library_report import as_text, draw_library
from soundalike.evaluation.own_library import evaluate_library, run_library
from soundalike.evaluation.tasks import degraded
from soundalike.library.library import Library

BY_TAGS = ("same_artist", "same_album", "same_genre", "hubness")
Record = dict[str, Any]


def tagged(folder: Path) -> Library:
    """Four artists with two albums of three tracks each; the sound is the artist's, all but one
    segment. Two artists play rock, two jazz; half of the albums lie in one folder."""
    for artist in range(4):
        for album in range(2):
            for track in range(3):
                write_sounds(
                    folder / f"music/{artist}/{'' if artist < 2 else album}/{album}{track}.wav",
                    *(f"voice {artist}", f"voice {artist}", f"tune {artist} {album} {track}"),
                    artist=f"The  Artist {artist}" if track else f"the artist {artist} ",
                    album=f"Greatest Hits {album}",
                    album_artist=f"Artist {artist}" if artist % 2 else "",
                    genre="Rock" if artist < 2 else "jazz",
                )
    library, _ = new_library(folder / "library")
    library.index(folder / "music")
    return library


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    library = tagged(tmp_path_factory.mktemp("tagged"))
    return evaluate_library(library, tasks=BY_TAGS)


def results(record: Record) -> dict[str, Record]:
    return {f"{each['task']} {each['kind']}".strip(): each for each in record["results"]}


def skipped(record: Record) -> dict[str, str]:
    return {each["task"]: each["reason"] for each in record["skipped"]}


def test_tags_are_counted_as_they_are_meant(record: Record) -> None:
    """Case and spaces do not count; an album is known by its artist, or by its folder."""
    assert record["tracks"] == 24
    assert record["tags"] == {
        "artist": {"tracks": 24, "values": 4},
        "album": {"tracks": 24, "values": 8},
        "genre": {"tracks": 24, "values": 2},
    }


def test_an_artist_that_sounds_alike_is_found(record: Record) -> None:
    found = results(record)
    assert list(found) == [
        *("same_artist", "same_artist_other_albums", "same_album", "same_genre"),
        "same_genre_other_artists",
    ]
    for task, right, among in (
        ("same_artist", 5, 23),
        ("same_artist_other_albums", 3, 21),
        ("same_album", 2, 23),
        ("same_genre", 11, 23),
        ("same_genre_other_artists", 6, 18),
    ):
        assert found[task]["chance"] == pytest.approx(right / among, abs=1e-6)
        assert (found[task]["queries"], found[task]["tracks"]) == (24, 24)
    artist = found["same_artist"]["scores"]
    assert artist["mAP"] == {"mean": 1, "low": 1, "high": 1}
    assert artist["P@10"]["mean"] == 0.5  # five of ten
    assert found["same_artist_other_albums"]["scores"]["top-1"]["mean"] == 1
    assert found["same_genre"]["scores"]["top-1"]["mean"] == 1  # it is the same artist
    assert found["same_album"]["scores"]["mAP"]["mean"] < 1  # chance, among those of the artist
    assert len(found["same_album"]["values"]["mAP"]) == 24


def test_pairs_of_an_artist_are_more_alike(record: Record) -> None:
    artist, blind = record["pairs"]["same artist"], record["pairs"]["any two tracks"]
    assert artist["mean"] > blind["mean"] + 0.3
    assert artist["more alike than any two"] > 0.8
    assert blind["more alike than any two"] == pytest.approx(0.5, abs=1e-6)
    assert sum(artist["shares"]) == pytest.approx(1)


def test_hubs_are_named(record: Record) -> None:
    hubs = record["hubness"]
    assert (hubs["tracks"], hubs["k"]) == (24, 10)
    assert sum(hubs["tracks by lists"]) == 24
    assert sum(n * count for n, count in enumerate(hubs["tracks by lists"])) == 240
    assert hubs["most"][0]["track"].lower().startswith("the artist")
    assert hubs["most"][0]["lists"] >= hubs["most"][-1]["lists"] >= 10
    assert list(hubs["scores"]) == ["skewness of N_10", "anti-hubs", "hubs", "Robin Hood"]


def test_the_table_says_what_was_measured(record: Record) -> None:
    text = as_text(record)
    assert "24 tracks, stand-in@000000000001, segments compared by mean" in text
    assert (
        "24 with an artist (4 different), 24 with an album (8 different), 24 with a genre (2"
        in text
    )
    (line,) = [line for line in text.splitlines() if line.startswith("same artist  ")]
    assert line.split()[2:5] == ["24", "24", "0.2174"]
    assert "mAP 1.000 (1.000-1.000)" in line
    assert "two tracks of the same artist are more alike than two drawn blindly" in text
    assert "hubness: among 24 tracks" in text
    assert max(map(len, text.splitlines())) <= 160


def test_the_record_is_plain_json(record: Record) -> None:
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert set(record["provenance"]) >= {"commit", "machine", "python"}


def test_the_pictures_have_these_numbers(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def forest(panels: Any, path: Path, **options: Any) -> None:
        given[path.name] = panels, options

    monkeypatch.setattr(library_report.pictures, "forest", forest)
    drawn = draw_library(record, tmp_path / "new" / "pictures")
    assert [path.name for path in drawn] == ["scores.png", "similarities.png", "lists.png"]
    panels, options = given["scores.png"]
    assert panels["P@10 (upright line: guessing)"]["same artist"].mean == 0.5
    assert options["chance"]["same album"] == pytest.approx(2 / 23, abs=1e-6)
    for path in drawn[1:]:
        assert struct.unpack(">I", path.read_bytes()[16:20]) == (960,)


def test_tracks_without_tags_are_left_out(tmp_path: Path) -> None:
    for number in range(4):
        tags = {"artist": f"artist {number // 2}"} if number else {}
        write_sounds(tmp_path / f"music/{number}.wav", f"sound {number}", **tags)
    library, _ = new_library(tmp_path / "library")
    library.index(tmp_path / "music")
    record = evaluate_library(library, tasks=BY_TAGS)
    assert record["tags"]["artist"] == {"tracks": 3, "values": 2}
    assert record["tags"]["genre"] == {"tracks": 0, "values": 0}
    assert (
        results(record)["same_artist"]["queries"],
        results(record)["same_artist"]["tracks"],
    ) == (2, 3)
    assert skipped(record) == {
        "same_artist_other_albums": "no track has a mate of the same artist among other albums",
        "same_album": "no track has a tag with its album",
        "same_genre": "no track has a tag with its genre",
        "same_genre_other_artists": "no track has a tag with its genre",
    }
    assert "same album: not measured, no track has a tag with its album" in as_text(record)
    assert set(record["pairs"]) == {"same artist", "any two tracks"}


def test_one_artist_alone_tells_nothing(tmp_path: Path) -> None:
    for number in range(5):
        write_sounds(tmp_path / f"music/{number}.wav", f"sound {number}", artist="me", genre="mine")
    library, _ = new_library(tmp_path / "library")
    library.index(tmp_path / "music")
    record = evaluate_library(library, tasks=BY_TAGS)
    assert record["results"] == []
    reason = "all tracks have the same artist, so every answer would be right"
    assert skipped(record)["same_artist"] == reason
    assert record["hubness"]["k"] == 4
    assert reason in as_text(record)


@pytest.mark.parametrize("count", [1, 2])
def test_a_library_of_hardly_anything(tmp_path: Path, count: int) -> None:
    for number in range(count):
        write_sounds(tmp_path / f"music/{number}.wav", f"sound {number}", artist=f"a{number}")
    library, _ = new_library(tmp_path / "library")
    library.index(tmp_path / "music")
    record = evaluate_library(library)
    assert record["results"] == []
    assert set(skipped(record)) >= {"same_artist", "same_album", "same_genre", "hubness"}
    assert skipped(record)["same_track"].startswith(
        f"0 of {count} tracks of the sample can be used"
    )
    assert [Path(each["path"]).name for each in record["failed"]] == [
        f"{number}.wav" for number in range(count)
    ]  # text, and no audio
    json.dumps(record, allow_nan=False)
    assert f"{count} tracks" in as_text(record)
    assert [p.name for p in draw_library(record, tmp_path)] == ["similarities.png"] * (count - 1)


def test_copies_are_no_mates(tmp_path: Path) -> None:
    for number in range(2):
        write_sounds(tmp_path / f"music/{number}.wav", "sound", artist="a", album="one")
        write_sounds(tmp_path / f"music/x{number}.wav", "another", artist="b", album="two")
    library, _ = new_library(tmp_path / "library")
    library.index(tmp_path / "music")
    reasons = skipped(evaluate_library(library, tasks=["same_artist"]))
    assert reasons["same_artist"] == "the only mates are copies of the same file"


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    library, _ = new_library(tmp_path / "library")
    with pytest.raises(QueryError, match="is empty"):
        evaluate_library(library)
    with pytest.raises(
        QueryError, match="no task 'same_mood' for a library; there are same_artist"
    ):
        evaluate_library(library, tasks=["same_mood"])
    with pytest.raises(QueryError, match="a sample of 0 tracks"):
        evaluate_library(library, sample=0)
    with pytest.raises(QueryError, match="no aggregation 'sum'"):
        evaluate_library(library, aggregation="sum")


# --- from the sound ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and a library of six steady tones, and one file that is gone since."""
    folder = tmp_path_factory.mktemp("tones")
    frequencies = np.geomspace(120, 4_500, 7)
    for number, frequency in enumerate(frequencies):
        tags = {"artist": f"artist {number % 3}", "album": f"album {number % 3}", "genre": "tone"}
        path = folder / f"music/{number}.flac"
        write_sound(path, tone(frequency, 12.0)[None], sample_rate=16_000, tags=tags)
    model = write_fake_model(folder / "fake", dimension=16)
    Library(folder / "library", model=model).index(folder / "music")
    (folder / "music/3.flac").unlink()
    return folder


@pytest.fixture
def two_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two degradations are enough: louder, and another tone."""

    def replaced(waveform: np.ndarray, sample_rate: int, _: np.random.Generator) -> np.ndarray:
        return tone(4_500, len(waveform) / sample_rate)

    kinds = {"quieter": lambda waveform, *_: waveform / 2, "replaced": replaced}
    monkeypatch.setattr(degraded, "DEGRADATIONS", kinds)


@pytest.mark.usefixtures("two_kinds")
def test_tracks_are_found_by_their_sound(tones: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    record, drawn = run_library(
        tones / "library",
        out=tmp_path / "new/record.json",
        drawings=tmp_path / "drawn",
        progress=lambda *done: told.append(done),
    )
    found = results(record)
    assert found["same_track"]["scores"]["top-1"]["mean"] == 1
    assert (found["same_track"]["queries"], found["same_track"]["tracks"]) == (6, 6)
    assert found["same_track"]["chance"] == pytest.approx(1 / 6, abs=1e-6)
    assert found["degraded quieter"]["scores"]["top-1"]["mean"] == 1
    assert found["degraded replaced"]["scores"]["top-1"]["mean"] == pytest.approx(1 / 6, abs=1e-6)
    assert found["degraded all"]["queries"] == 12
    (failed,) = record["failed"]
    assert Path(failed["path"]).name == "3.flac"
    assert "could not be used: " in as_text(record)
    assert "same track: the second half of a track is asked about" in as_text(record)
    assert record["tags"]["artist"]["tracks"] == 7  # its vectors are still there
    assert json.loads((tmp_path / "new/record.json").read_text("utf-8")) == record
    names = ["scores.png", "degraded.png", "similarities.png", "lists.png"]
    assert [path.name for path in drawn] == names
    assert {what for what, _, _ in told} == {"same artist", "same album", "hubness", "listening"}
    assert all(0 <= done <= of for _, done, of in told)


@pytest.mark.usefixtures("two_kinds")
def test_some_of_the_sample_are_changed(tones: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_library, "CHANGED", 2)
    found = results(evaluate_library(Library(tones / "library"), tasks=["degraded"]))
    assert list(found) == ["degraded quieter", "degraded replaced", "degraded all"]
    assert [each["queries"] for each in found.values()] == [2, 2, 4]
    assert all(each["tracks"] == 6 for each in found.values())
    assert found["degraded quieter"]["scores"]["top-1"]["mean"] == 1


@pytest.mark.usefixtures("two_kinds")
def test_a_sample_is_drawn_by_seed(tones: Path) -> None:
    library = Library(tones / "library")
    asked = [
        evaluate_library(library, tasks=["same_track"], sample=3, seed=seed) for seed in (0, 0, 3)
    ]
    assert [each["values"] for each in asked[0]["results"]] == [
        each["values"] for each in asked[1]["results"]
    ]
    counts = {each["results"][0]["tracks"] + len(each["failed"]) for each in asked}
    assert counts == {3}


def test_another_encoder_of_the_same_name_is_refused(tones: Path, tmp_path: Path) -> None:
    write_fake_model(tmp_path / "fake", dimension=16)
    write_sound(tmp_path / "music/0.wav", tone(300, 12.0)[None], sample_rate=16_000)
    write_sound(tmp_path / "music/1.wav", tone(900, 12.0)[None], sample_rate=16_000)
    Library(tmp_path / "library", model=tmp_path / "fake").index(tmp_path / "music")
    write_fake_model(tmp_path / "fake", dimension=8)
    with pytest.raises(ModelError, match=r"was indexed by fake@.*index it again"):
        evaluate_library(Library(tmp_path / "library"), tasks=["same_track"])


def test_pictures_are_not_promised_without_matplotlib(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="matplotlib"):
        run_library(tones / "library", drawings=tmp_path, progress=lambda *_: pytest.fail("late"))


def test_a_folder_that_is_no_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises((LibraryError, QueryError), match=tmp_path.name):
        run_library(tmp_path)


def test_all_tasks_are_offered() -> None:
    assert set(library_report.MEANING) | {"hubness"} == set(own_library.TASKS)
