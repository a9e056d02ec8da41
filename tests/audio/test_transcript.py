"""New tags leave the transcript of a file as it was; another sound does not."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import mutagen
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import mutagen.ogg
import numpy as np
import pytest

from fake_model import write_sound
from soundalike.audio.segments import Segment, grid
from soundalike.audio.transcript import Transcript, heard_again
from soundalike.audio.waveform import load_segments, probe

RATE, LENGTH = 16_000, 2 * 16_000
COVER = bytes(range(256)) * 800  # 200 KB
ENDINGS = ["mp3", "flac", "ogg", "opus", "m4a", "wav"]
OTHERS = {".ogg": "vorbis"}


def melody(seed: int = 0, seconds: float = 15.0) -> np.ndarray:
    """Two channels of notes with some noise, float32 [2, T] at 44.1 kHz."""
    rng = np.random.default_rng(seed)
    notes = rng.uniform(110, 880, round(seconds * 4))
    phase = 2 * np.pi * np.cumsum(np.repeat(notes, 44_100 // 4)) / 44_100
    sound = 0.4 * np.stack([np.sin(phase), np.sin(2 * phase)])
    return (sound + 0.01 * rng.standard_normal(sound.shape)).astype(np.float32)


def write(path: Path, sound: np.ndarray, **options: Any) -> Path:
    rate = 48_000 if path.suffix == ".opus" else 44_100
    options.setdefault("codec", OTHERS.get(path.suffix))
    if options["codec"] == "vorbis":
        options["options"] = {"strict": "experimental"}
    return write_sound(path, sound, sample_rate=rate, **options)


def listen(path: Path) -> tuple[str, np.ndarray, tuple[Segment, ...]]:
    """The transcript of a file's three segments, and their sound."""
    transcript, duration = Transcript(), probe(path).duration
    segments = grid(duration, length=LENGTH / RATE)
    rows = load_segments(path, segments, sample_rate=RATE, length=LENGTH, transcript=transcript)
    return transcript.text(duration), rows, segments


def again(path: Path, text: str) -> bool:
    return heard_again(path, text, probe(path).duration)


def retag(path: Path, text: str, cover: bytes = b"") -> None:
    """Title, comment and cover art as taggers write them."""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, mutagen.id3.ID3):
        file.tags["TIT2"] = mutagen.id3.TIT2(text=text)
        file.tags["COMM"] = mutagen.id3.COMM(lang="eng", text=text * 300)
        if cover:
            file.tags["APIC"] = mutagen.id3.APIC(mime="image/png", type=3, data=cover)
    elif isinstance(file, mutagen.mp4.MP4):
        file["\xa9nam"], file["\xa9cmt"] = [text], [text * 300]
        if cover:
            file["covr"] = [mutagen.mp4.MP4Cover(cover)]
    else:
        file["title"], file["comment"] = text, text * 300
        if cover and isinstance(file, mutagen.flac.FLAC):
            picture = mutagen.flac.Picture()
            picture.data, picture.type, picture.mime = cover, 3, "image/png"
            file.add_picture(picture)
        elif cover:
            file["coverart"] = cover.hex()
    file.save()


@pytest.mark.parametrize("ending", ENDINGS)
def test_new_tags_and_pictures_leave_it_as_it_was(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"song.{ending}", melody())
    text, before, _ = listen(path)
    assert again(path, text)
    sizes = {path.stat().st_size}
    for title, cover in (("New", b""), ("Newer", COVER), ("Newest " * 40, 3 * COVER)):
        retag(path, title, cover)
        sizes.add(path.stat().st_size)
        assert again(path, text), title
        heard, sound, _ = listen(path)
        assert heard == text
        np.testing.assert_array_equal(sound, before)
    assert len(sizes) > 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_another_sound_of_the_same_length_and_tags_is_another(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"song.{ending}", melody())
    text, _, segments = listen(path)
    write(path, melody(seed=1))
    assert not again(path, text)
    # A tenth of a second in the middle of the second segment alone.
    sound, middle = melody(), round(44_100 * (segments[1].start + 1))
    sound[:, middle : middle + 4410] = 0
    write(path, sound)
    assert not again(path, text)


def test_one_sample_counts_where_it_is_heard_and_nowhere_else(tmp_path: Path) -> None:
    path = write(tmp_path / "song.wav", melody())
    text, before, segments = listen(path)
    data = bytearray(path.read_bytes())
    for seconds, same in ((segments[0].end + 1.5, True), (segments[0].start + 0.5, False)):
        at = len(data) - 4 * round(44_100 * (15.0 - seconds))
        data[at + 1] ^= 0x40
        path.write_bytes(data)
        assert again(path, text) == same
        heard, sound, _ = listen(path)
        assert (heard == text) == np.array_equal(sound, before) == same


def test_what_the_decoder_cuts_off_or_amplifies_counts(tmp_path: Path) -> None:
    """Neither lies in a packet: the delay of an mp3 in its LAME header, the gain of an Opus file."""
    mp3 = write(tmp_path / "song.mp3", melody())
    text, *_ = listen(mp3)
    data = bytearray(mp3.read_bytes())
    info = max(data.find(b"Info"), data.find(b"Xing"))
    data[info + 120 + 21] ^= 0x04  # of the 12 bits that say how many samples come first
    mp3.write_bytes(data)
    assert not again(mp3, text)
    opus = write(tmp_path / "song.opus", melody())
    text, before, _ = listen(opus)
    page = bytearray(opus.read_bytes())
    gain = page.index(b"OpusHead") + 16
    page[gain + 1] = 0xFA  # -6 dB
    opus.write_bytes(_with_checksum(page))
    assert not again(opus, text)
    assert np.abs(listen(opus)[1]).max() < 0.7 * np.abs(before).max()


def _with_checksum(data: bytearray) -> bytes:
    """The first page of an Ogg file made valid again."""
    file = BytesIO(bytes(data))
    page = mutagen.ogg.OggPage(file)
    return page.write() + file.read()


def test_a_longer_file_is_another_though_what_is_heard_is_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac", melody())
    text, *_ = listen(path)
    assert not heard_again(path, text, probe(path).duration + 1e-9)


@pytest.mark.parametrize("text", ["", "rubbish", "0" * 32, "0" * 32 + " start+3 99999999+4"])
def test_rubbish_and_missing_files_are_not_recognized(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "song.wav", melody(seconds=5.0))
    assert not heard_again(path, text, 5.0)
    assert not heard_again(tmp_path / "missing.wav", text, 5.0)


def test_taking_down_changes_nothing_that_is_heard(tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3", melody())
    _, sound, segments = listen(path)
    plain = load_segments(path, segments, sample_rate=RATE, length=LENGTH)
    np.testing.assert_array_equal(sound, plain)
