from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen import id3, mp4

from fake_model import write_tone
from soundalike.audio.waveform import probe
from soundalike.library.tracks import (
    LONGEST,
    Tags,
    clean,
    kept_as,
    names_of,
    path_to_text,
    read_tags,
    text_to_path,
    title_of,
)


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_any_name_becomes_unicode_and_comes_back(name: bytes) -> None:
    path = Path(os.fsdecode(name))
    text = path_to_text(path)
    text.encode("utf-8")
    assert os.fsencode(text_to_path(text)) == os.fsencode(path)


@pytest.mark.parametrize("name", ["100% Hits/ünï.mp3", "a\nb.mp3", "🎵.flac", "dc80 %80 \\udc80"])
def test_names_that_are_unicode_stay_as_they_are(name: str) -> None:
    assert path_to_text(Path(name)) == name
    assert text_to_path(name) == Path(name)


def test_different_bytes_give_different_texts() -> None:
    names = [bytes([byte]) for byte in range(1, 256)]
    assert len({path_to_text(Path(os.fsdecode(name))) for name in names}) == 255


def test_tags_are_picked_and_cleaned() -> None:
    tags = {
        "title": "  Clair\nde \0 lune\x1b ",
        "artist": "",
        "album_artist": "De\udcffbussy",
        "albumartist": "someone else",
        "date": "recorded 1905-04-01",
        "track": "03/12",
        "comment": "a note",
    }
    assert read_tags(tags) == Tags(
        title="Clair de lune",
        artist="De\ufffdbussy",
        album_artist="De\ufffdbussy",
        year=1905,
        track_number=3,
        more=json.dumps(
            {
                "albumartist": "someone else",
                "comment": "a note",
                "date": "recorded 1905-04-01",
                "track": "03/12",
            }
        ),
    )


def test_other_tags_are_kept_once_shortened_and_without_notes_of_programs() -> None:
    tags = {"title": "A", "year": "1999", "track": "3", "bpm": "120", "mood": " sad\n", "empty": ""}
    tags |= {"lyrics": "la " * 5000, "id3v2_priv.x": "\\x00", "itunsmpb": "00000000"}
    more = json.loads(read_tags(tags).more)
    assert more == {"bpm": "120", "mood": "sad", "lyrics": ("la " * 5000)[:LONGEST]}
    assert read_tags({"title": "A"}).more == ""


@pytest.mark.parametrize(
    ("kept", "names"),
    [
        ("bpm", ("bpm", "tbpm", "tmpo")),
        ("key", ("key", "tkey", "initialkey", "initial key")),
        ("label", ("label", "tpub", "publisher", "organization")),
        ("isrc", ("isrc", "tsrc")),
        ("composer", ("composer", "tcom", "©wrt")),
        ("compilation", ("compilation", "tcmp", "cpil")),
        ("disc", ("disc", "tpos", "discnumber")),
        ("language", ("language", "tlan")),
        ("mood", ("mood", "tmoo")),
        ("comment", ("comment", "comments", "©cmt")),
    ],
)
def test_a_tag_has_one_name_whatever_the_container(kept: str, names: tuple[str, ...]) -> None:
    for name in names:
        assert json.loads(read_tags({"title": "A", name: "128"}).more) == {kept: "128"}
        assert set(names) <= set(names_of(name))
        assert (names_of(name)[0], kept_as(name)) == (name, kept)


def test_the_names_that_ffmpeg_gives_id3_and_mp4(tmp_path: Path) -> None:
    mp3, m4a = write_tone(tmp_path / "a.mp3", 440, 2.0), write_tone(tmp_path / "a.m4a", 440, 2.0)
    frames = id3.ID3()
    for frame, text in (
        ("TBPM", "128"),
        ("TKEY", "Am"),
        ("TPUB", "Blue"),
        ("TSRC", "GB1"),
        ("TCOM", "Ives"),
    ):
        frames.add(getattr(id3, frame)(encoding=3, text=text))
    for frame, text in (("TCMP", "1"), ("TPOS", "1/2"), ("TLAN", "eng"), ("TMOO", "sad")):
        frames.add(getattr(id3, frame)(encoding=3, text=text))
    frames.save(mp3)
    atoms = mp4.MP4(m4a)
    atoms["\xa9wrt"], atoms["cpil"], atoms["disk"] = ["Ives"], True, [(1, 2)]
    atoms["tmpo"] = [128]
    for name, text in (("initialkey", "Am"), ("LABEL", "Blue"), ("ISRC", "GB1"), ("MOOD", "sad")):
        atoms[f"----:com.apple.iTunes:{name}"] = [text.encode()]
    atoms.save()
    said = {
        "bpm": "128",
        "key": "Am",
        "label": "Blue",
        "isrc": "GB1",
        "composer": "Ives",
        "mood": "sad",
    }
    said |= {"compilation": "1", "disc": "1/2"}
    for path in (mp3, m4a):
        assert said.items() <= json.loads(read_tags(probe(path).tags).more).items()


def test_a_second_name_that_says_something_else_is_kept() -> None:
    tags = {"publisher": "Sony", "label": "Columbia", "tpub": "Columbia"}
    assert json.loads(read_tags(tags).more) == {"label": "Columbia", "publisher": "Sony"}
    assert (kept_as("title"), names_of("anything")) == ("title", ("anything",))


def test_a_title_may_be_as_long_as_it_likes() -> None:
    assert read_tags({"title": "🎵" * 10_000}).title == "🎵" * 10_000


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("1999", 1999),
        ("19991231", 1999),
        ("12062020", None),
        ("5000", None),
        ("05.06.2020", 2020),
        ("0000", None),
        ("", None),
    ],
)
def test_years(date: str, year: int | None) -> None:
    assert read_tags({"date": date}).year == year


def test_numbers_that_are_none() -> None:
    assert read_tags({"track": "A1"}).track_number is None
    assert read_tags({"track": "9" * 40}).track_number is None
    assert read_tags({}) == Tags()


@given(st.text())
def test_clean_text_fits_everywhere(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert cleaned == cleaned.strip()
    assert len(cleaned.splitlines()) <= 1


def test_titles_from_file_names() -> None:
    assert title_of(Path("/music/01 - Gymnopédie.mp3")) == "01 - Gymnopédie"
    assert title_of(Path(os.fsdecode(b"/music/\xff\nx.mp3"))) == "\ufffd x"
