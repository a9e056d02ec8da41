"""similar: answers, bad input, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from shell import Run, full

from fake_model import write_tone
from soundalike.library.library import Library


def names(answer: str) -> list[str]:
    return [entry["track"]["title"] for entry in json.loads(answer)]


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
        own = {"sense", "calibrated", "seed", "versions"}
        assert set(answer) == {"track", "similarity", "matches"} | own
        assert answer["calibrated"] is False
        assert (answer["seed"], answer["versions"]) == (str(music / "low.flac"), [])
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
    assert "there is no library in" in ran.err
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
    monkeypatch.setattr("soundalike.library.playlists.write_atomically", full)
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
    # Sound weighs three times as much, but the piece is recognised.
    assert names(both.out)[:2] == ["cover", "sibling"]
    assert json.loads(both.out)[0]["similarity"] > 0.99
    assert json.loads(both.out)[1]["similarity"] < 0.9
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


def test_similar_asks_with_several_seeds(run: Run, indexed: Path, music: Path) -> None:
    library = ("--library", indexed)
    ran = run("similar", music / "low.flac", music / "high.flac", "--json", "--raw", *library)
    assert ran.code == 0
    answers = json.loads(ran.out)
    assert [answer["track"]["title"] for answer in answers][2] == "Middle"
    seeds = {answer["track"]["title"]: Path(answer["seed"]).stem for answer in answers[:2]}
    assert seeds == {"Lower": "low", "Higher": "high"}
    table = run("similar", music / "low.flac", music / "high.flac", "--raw", *library).out
    assert re.search(r"Sine - Lower .*as Sine - Low$", table, re.MULTILINE)
    away = run(
        "similar", music / "middle.flac", "--dislike", music / "low.flac", "--json", *library
    )
    assert names(away.out)[0] in ("High", "Higher")


def test_similar_asks_with_a_playlist(
    run: Run, indexed: Path, music: Path, outsider: Path, tmp_path: Path
) -> None:
    queue = tmp_path / "queue.m3u8"
    queue.write_text(f"{music / 'low.flac'}\n{outsider}\ngone.flac\n{music / 'low.flac'}\n")
    ran = run("similar", queue, "--json", "--raw", "--library", indexed)
    assert (ran.code, names(ran.out)[0]) == (0, "Lower")
    assert "gone.flac (no such file" in ran.err
    assert "(1 entry of playlists could not be asked with, such as gone.flac" in ran.err
    queue.write_text(f"{music / 'low.flac'}\nhttp://x/stream\n")
    ran = run("similar", queue, "--library", indexed)
    assert "such as http://x/stream (a stream (http), not a file)" in ran.err
    queue.write_text("gone.flac\n")
    ran = run("similar", queue, "--library", indexed)
    assert (ran.code, "names nothing to ask with" in ran.err) == (2, True)


def test_similar_asks_with_an_artist_an_album_or_words(run: Run, indexed: Path) -> None:
    library = ("--library", indexed)
    everything = run("similar", "--artist", "sine", *library)
    assert (everything.code, everything.out) == (0, "")  # all tracks are his
    assert "nothing is found" in everything.err
    album = run("similar", "--album", "Tones", "--include-self", "--json", *library)
    assert len(json.loads(album.out)) == 5
    ran = run("similar", "--find", "middl", *library)
    assert (ran.code, ran.err.count("asking about Sine - Middle")) == (0, 1)
    ran = run("similar", "--find", "low", *library)
    assert "the first of 2" in ran.err
    ran = run("similar", "--artist", "Sinus", *library)
    assert (ran.code, "did you mean 'Sine'" in ran.err) == (2, True)
    ran = run("similar", "--find", "midle", *library)
    assert (ran.code, "these come nearest" in ran.err, "Sine - Middle" in ran.err) == (
        2,
        True,
        True,
    )


def test_words_of_one_track_alone_are_a_query(run: Run, indexed: Path) -> None:
    ran = run("similar", "sine middle", "--library", indexed)
    assert (ran.code, "asking about Sine - Middle" in ran.err) == (0, True)
    ran = run("similar", "sine low", "--library", indexed)  # and there is "lower"
    assert (ran.code, "as words it fits 2 tracks" in ran.err) == (2, True)


def test_similar_selects(run: Run, indexed: Path, music: Path, tmp_path: Path) -> None:
    asked = ("similar", music / "low.flac", "--json", "--library", indexed)
    high = run(*asked, "--filter", "duration > 6 AND title LIKE 'high%'")
    assert sorted(names(high.out)) == ["High", "Higher"]
    one = run(*asked, "--max-per-artist", 1)
    assert (len(names(one.out)), "the limits per artist and album leave 1" in one.err) == (1, True)
    assert (
        len(names(run(*asked, "-n", 3).out)) == 3
    )  # one artist's library is no reason to say less
    queue = tmp_path / "queue.m3u8"
    queue.write_text(f"{music / 'lower.flac'}\n")
    assert "Lower" not in names(run(*asked, "--exclude-from", queue).out)
    assert names(run(*asked, "--max-duration-ratio", 1.3).out) == ["Lower"]
    none = run(*asked, "--exclude-same-artist")
    assert (none.code, "leaving out the same artist lets none of 5" in none.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filter", "yeer = 1"], "no column yeer, did you mean year?"),
        (["--filter", "year = 1"], "the filter 'year = 1' lets none of 5 tracks through"),
        (["--filter", "year ="], "expected a value"),
        (["--raw", "--max-per-album", "2"], "--raw switches --max-per-album off"),
        (["--raw", "--exclude-same-artist"], "--raw switches --exclude-same-artist off"),
        (["--include-self", "--exclude-same-album"], "contradict each other"),
        (["--max-per-artist", "-1"], "-1 is not in the range"),
        (["--exclude-from", "none.m3u8"], "cannot read the playlist"),
        (["--exclude-from", "queue.txt"], "queue.txt is no playlist"),
        (["--from", "1", "low.flac"], "an excerpt belongs to one file"),
        (["--dislike", "low.flac"], "both liked and disliked"),
        (["--dislike", "nothing like it"], "neither a track"),
        (["--absolute"], "--absolute is about the playlist"),
        (["--max-duration-ratio", "0.5"], "at least 1"),
    ],
)
def test_contradictions_are_wrong_usage(
    run: Run,
    indexed: Path,
    music: Path,
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(music)
    seeds = ["low.flac", "high.flac"] if "low.flac" in options[2:] else ["low.flac"]
    ran = run("similar", *seeds, *options, "--library", indexed)
    assert (ran.code, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())


def test_dislike_alone_is_no_question(run: Run, indexed: Path, music: Path) -> None:
    ran = run("similar", "--dislike", music / "low.flac", "--library", indexed)
    assert (ran.code, "needs something that is liked" in ran.err) == (2, True)


def test_find_lists_tracks(run: Run, indexed: Path) -> None:
    ran = run("find", "SINE", "low", "--library", indexed)
    assert ran.code == 0
    assert [line.split()[:4] for line in ran.out.splitlines()] == [
        ["0:04", "Sine", "-", "Low"],
        ["0:05", "Sine", "-", "Lower"],
    ]
    found = json.loads(run("find", "tones", "-n", 3, "--json", "--library", indexed).out)
    assert [track["title"] for track in found] == ["Low", "High", "Lower"]
    ran = run("find", "midle", "--library", indexed)
    assert (ran.code, "Sine - Middle" in ran.out, "these come nearest" in ran.err) == (
        1,
        True,
        True,
    )
    ran = run("find", "zzzz", "--library", indexed)
    assert (ran.code, ran.out) == (1, "")
    assert run("find", "", "--library", indexed).code == 2
    assert run("find", "x", "-n", 0, "--library", indexed).code == 2


def test_versions_tells_copies(run: Run, model: Path, music: Path, tmp_path: Path) -> None:
    for name in ("low", "high"):
        (tmp_path / "music").mkdir(exist_ok=True)
        (tmp_path / f"music/{name}.flac").write_bytes((music / f"{name}.flac").read_bytes())
    (tmp_path / "music/twin.flac").write_bytes((music / "low.flac").read_bytes())
    library = ("--library", tmp_path / "lib")
    assert run("index", tmp_path / "music", *library, "--model", model, "-q").code == 0
    ran = run("versions", tmp_path / "music/low.flac", *library)
    assert ran.code == 0
    assert ran.out.splitlines()[0].split()[:2] == ["copy", "1.000"]
    (found,) = json.loads(run("versions", tmp_path / "music/low.flac", "--json", *library).out)
    assert (found["kind"], Path(found["track"]["path"]).name) == ("copy", "twin.flac")
    assert set(found) == {"track", "kind", "why", "similarity"}
    (group,) = json.loads(run("versions", "--json", *library).out)
    assert [Path(track["path"]).name for track in group["tracks"]] == ["low.flac", "twin.flac"]
    ran = run("versions", *library)
    assert (ran.code, ran.err) == (0, "1 recording is there more than once\n")
    assert "copy: the same file" in ran.out
    assert "(copy)" not in ran.out  # all of them are
    ran = run("versions", "high", *library)
    assert (ran.code, ran.out, "no other version of Sine - High" in ran.err) == (0, "", True)
    assert run("versions", "nothing like it", *library).code == 2


def test_words_that_fit_several_tracks_name_them(run: Run, indexed: Path, music: Path) -> None:
    ran = run("similar", "tones", "--library", indexed)
    assert ran.code == 2
    assert "as words it fits 5 tracks" in ran.err
    assert str(music / "high.flac") in ran.err


def test_the_name_of_a_file_means_that_file(run: Run, indexed: Path) -> None:
    """Though its words fit another track, too."""
    ran = run("similar", "low.flac", "--library", indexed, "--raw")
    assert ran.code == 0
    assert "asking about Sine - Low (" in ran.err


def test_copies_within_a_recording_are_marked(
    run: Run, model: Path, music: Path, tmp_path: Path
) -> None:
    (tmp_path / "music").mkdir()
    for name in ("low", "twin"):
        (tmp_path / f"music/{name}.flac").write_bytes((music / "low.flac").read_bytes())
    write_tone(tmp_path / "music/low.wav", 220.0, 4.0)
    library = ("--library", tmp_path / "lib")
    assert run("index", tmp_path / "music", *library, "--model", model, "-q").code == 0
    lines = run("versions", *library).out.splitlines()
    assert "recording: vectors close, and all 4 s long" in lines
    assert [line.split()[-2] for line in lines if line.endswith("  (copy)")] == [
        str(tmp_path / "music/twin.flac")
    ]
    (group,) = json.loads(run("versions", "--json", *library).out)
    assert group["copies"] == [group["tracks"][2]["id"]]
