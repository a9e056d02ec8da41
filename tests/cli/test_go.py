"""path, radio, mix, sort: what they print and write, bad input, exit codes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from shell import Run

from fake_model import write_tone
from soundalike.library.playlists import read_m3u8


def titles(answer: str) -> list[str]:
    return [step["track"]["title"] for step in json.loads(answer)]


def stems(playlist: Path) -> list[str]:
    return [Path(entry.text).stem for entry in read_m3u8(playlist)]


def test_path_prints_a_line_for_each_track(run: Run, indexed: Path, music: Path) -> None:
    ran = run("path", music / "low.flac", music / "high.flac", "-n", 4, "--library", indexed)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert len(lines) == 5
    assert lines[0].split() == ["step", "start"]
    assert lines[1].split() == ["1", "Sine", "-", "Low"]  # nothing comes before the start
    number, step, start, *name = lines[2].split()
    assert (number, name[:2]) == ("2", ["Sine", "-"])
    assert step == start  # the one before is the start
    assert float(lines[-1].split()[2]) < float(start)
    assert lines[0].index("step") + len("step") == lines[2].index(step) + len(step)
    assert lines[-1].endswith("Sine - High")


def test_path_as_json_by_words_and_by_a_file_of_no_library(
    run: Run, indexed: Path, outsider: Path
) -> None:
    ran = run("path", "Middle", outsider, "-n", 3, "--json", "--library", indexed)
    assert ran.code == 0
    steps = json.loads(ran.out)
    assert [set(step) for step in steps] == [{"track", "similarity", "from_start"}] * 3
    assert titles(ran.out)[0] == "Middle"
    assert titles(ran.out)[-1] == "outsider"


def test_a_path_that_is_shorter_says_so(run: Run, indexed: Path, music: Path) -> None:
    ends = (music / "low.flac", music / "high.flac")
    ran = run("path", *ends, "-n", 9, "--library", indexed)
    assert ran.code == 0
    assert "5 instead of 9 tracks" in ran.err
    query = "title LIKE 'Mid%'"
    ran = run("path", *ends, "--filter", query, "--json", "--library", indexed)
    assert titles(ran.out) == ["Low", "Middle", "High"]


@pytest.mark.parametrize("absolute", [False, True])
def test_path_writes_a_playlist(
    run: Run, indexed: Path, music: Path, tmp_path: Path, absolute: bool
) -> None:
    ends = (music / "low.flac", music / "high.flac")
    more = ["--absolute"] if absolute else []
    ran = run("path", *ends, "-n", 3, "--m3u", "way.m3u8", *more, "--library", indexed)
    assert (ran.code, ran.out) == (0, "")
    assert "3 tracks in way.m3u8" in ran.err
    entries = read_m3u8(tmp_path / "way.m3u8")
    assert [entry.problem for entry in entries] == ["", "", ""]
    assert Path(entries[0].text).is_absolute() == absolute
    assert "#PLAYLIST:From Low to High" in (tmp_path / "way.m3u8").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize("verb", ["similar", "radio", "mix", "sort"])
def test_a_name_no_playlist_can_hold_is_left_out_and_told(
    run: Run, model: Path, music: Path, tmp_path: Path, verb: str
) -> None:
    (tmp_path / "odd").mkdir()
    for name, odd in {"low": "low", "middle": "middle", "high": "hi\ngh"}.items():
        shutil.copy(music / f"{name}.flac", tmp_path / f"odd/{odd}.flac")
    library = ("--library", tmp_path / "lib")
    assert run("index", tmp_path / "odd", *library, "--model", model, "-q").code == 0
    asked = tmp_path / "odd" if verb in ("mix", "sort") else tmp_path / "odd/low.flac"
    ran = run(verb, asked, "--m3u", "out.m3u8", *library)
    assert ran.code == 1
    assert "hi\\ngh.flac: its path has a line break" in ran.err
    kept = {"low", "middle"} if verb in ("mix", "sort") else {"middle"}
    assert set(stems(tmp_path / "out.m3u8")) == kept
    assert f"{len(kept)} tracks in out.m3u8" in ran.err


def test_radio_is_the_same_for_the_same_seed(run: Run, indexed: Path, music: Path) -> None:
    tune = ("radio", music / "low.flac", "--json", "--library", indexed)
    first = run(*tune, "-n", 4, "--seed", 7)
    assert first.code == 0
    assert len(set(titles(first.out))) == 4
    assert run(*tune, "-n", 4, "--seed", 7).out == first.out
    assert titles(run(*tune, "-n", 2, "--seed", 7).out) == titles(first.out)[:2]


def test_radio_ends_with_a_word_or_goes_on(run: Run, indexed: Path, music: Path) -> None:
    tune = ("radio", music / "low.flac", "-n", 10, "--json", "--library", indexed)
    ran = run(*tune)
    assert (ran.code, len(titles(ran.out))) == (0, 4)
    assert "used up after 4 tracks; --repeat begins anew" in ran.err
    assert len(titles(run(*tune, "--repeat").out)) == 10


def test_a_queue_is_left_out_everywhere(
    run: Run, indexed: Path, music: Path, tmp_path: Path
) -> None:
    queue = tmp_path / "queue.m3u8"
    queue.write_text(f"{music}/lower.flac\n{music}/higher.flac\n")
    more = ("--exclude-from", queue, "--json", "--library", indexed)
    ends = (music / "low.flac", music / "high.flac")
    assert titles(run("path", *ends, *more).out) == ["Low", "Middle", "High"]
    assert sorted(titles(run("radio", ends[0], *more).out)) == ["High", "Middle"]
    assert sorted(titles(run("mix", music, *more).out)) == ["High", "Low", "Middle"]


def test_mix_of_a_folder_and_only_new(run: Run, indexed: Path, music: Path) -> None:
    ran = run("mix", music, "-n", 3, "--json", "--library", indexed)
    assert (ran.code, len(set(titles(ran.out)))) == (0, 3)
    ran = run(
        *("mix", music / "low.flac", music / "high.flac", "-n", 2, "--only-new", "--json"),
        *("--library", indexed),
    )
    assert set(titles(ran.out)) == {"Lower", "Higher"}


def test_sort_keeps_every_entry_and_exits_1_for_those_it_cannot_hear(
    run: Run, indexed: Path, music: Path, tmp_path: Path
) -> None:
    write_tone(tmp_path / "own.wav", 890.0, 4.0)
    (tmp_path / "letter.mp3").write_text("Dear Sir or Madam,\n" * 100)
    names = [f"{music}/{name}.flac" for name in ("high", "low", "higher", "lower")]
    lines = [*names[:2], "http://x.org/live", "own.wav", *names[2:], "letter.mp3"]
    lines.append("/nowhere/gone.mp3")
    playlist = tmp_path / "party.m3u8"
    playlist.write_text("\n".join(lines))
    ran = run(
        "sort", playlist, "--start", music / "low.flac", "--m3u", playlist, "--library", indexed
    )
    assert ran.code == 1
    assert stems(playlist) == [
        "low",
        "lower",
        "own",
        *stems(playlist)[3:5],
        "live",
        "letter",
        "gone",
    ]
    assert {*stems(playlist)[3:5]} == {"high", "higher"}
    assert "party.m3u8:3: http://x.org/live: a stream" in ran.err
    assert "party.m3u8:7: letter.mp3: " in ran.err
    assert "party.m3u8:8: /nowhere/gone.mp3: no such file" in ran.err
    assert playlist.read_text().splitlines()[-1] == "/nowhere/gone.mp3"


def test_sort_with_an_end_and_all_there_exits_0(
    run: Run, indexed: Path, music: Path, tmp_path: Path
) -> None:
    (tmp_path / "all.m3u").write_text("\n".join(str(path) for path in music.iterdir()))
    ran = run("sort", "all.m3u", "--end", music / "low.flac", "--json", "--library", indexed)
    assert ran.code == 0
    assert titles(ran.out)[-2:] == ["Lower", "Low"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("path", "{music}/low.flac", "{music}/low.flac"), "starts and ends at the same"),
        (("path", "{music}/low.flac", "{music}/hugh.flac"), "did you mean 'high.flac'"),
        (("path", "{music}/low.flac", "{music}"), "is a folder; name a track"),
        (("path", "{music}/low.flac", "{music}/high.flac", "-n", "1"), "2 to 200 tracks"),
        (("path", "{music}/low.flac", "{music}/high.flac", "--absolute"), "--absolute is about"),
        (("path", "{music}/low.flac", "{music}/high.flac", "--filter", "genr = 'x'"), "genre"),
        (("radio", "{music}/low.flac", "--drift", "1.2"), "drift is 1.2"),
        (("radio", "{music}/low.flac", "--artist-spacing", "-1"), "spacing is -1"),
        (("radio", "{music}/low.flac", "--seed", "-1"), "seed is -1"),
        (("radio", "{music}/low.flac", "-n", "0"), "1 is the least"),
        (("radio", "{music}/low.flac", "--exclude-from", "{music}/low.flac"), "no playlist"),
        (("radio",), "Missing argument"),
        (("mix", "{music}/nothing.flac"), "neither a track"),
        (("mix", "{music}", "-n", "0"), "n is 0"),
        (("sort", "gone.m3u8"), "no such file"),
        (
            ("sort", "{music}", "--start", "{music}/low.flac", "--end", "{music}/low.flac"),
            "first and last",
        ),
        (("sort", "{music}", "--start", "{outsider}"), "not among"),
    ],
)
def test_wrong_usage(
    run: Run, indexed: Path, music: Path, outsider: Path, arguments: tuple[str, ...], why: str
) -> None:
    filled = (each.format(music=music, outsider=outsider) for each in arguments)
    ran = run(*filled, "--library", indexed)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err


def test_a_seed_that_cannot_be_read_and_an_empty_library(
    run: Run, indexed: Path, broken: Path, music: Path
) -> None:
    ran = run("radio", broken / "letter.mp3", "--library", indexed)
    assert ran.code == 1
    assert "letter.mp3" in ran.err
    ran = run("radio", broken / "letter.mp3", music / "low.flac", "-n", 1, "--library", indexed)
    assert ran.code == 1
    heading, first = ran.out.splitlines()
    assert heading.split() == ["step", "seeds"]
    number, seeds, artist = first.split()[:3]  # nothing was played before the first
    assert (number, artist, 0 <= float(seeds) <= 1) == ("1", "Sine", True)
    assert "letter.mp3" in ran.err
    for verb in ("radio", "mix", "sort"):
        ran = run(verb, music, "--library", "nowhere")
        assert ran.code == 2
        assert "there is no library in" in ran.err
