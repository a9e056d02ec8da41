"""Tests of soundalike.audio.waveform on files of many formats, written here; bad files: see below.

The sound is a pair of tones that never stand still, so a wrong place in time cannot go unnoticed.
"""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import av
import numpy as np
import pytest

from fake_model import tone, write_sound, write_tone
from soundalike.audio.decoder import Decoder, _NoSeekingError
from soundalike.audio.endings import AUDIO_EXTENSIONS
from soundalike.audio.segments import Segment, grid
from soundalike.audio.waveform import load_audio, load_segments, probe
from soundalike.errors import AudioError

RATE = 16_000
VORBIS = {"strict": "experimental"}

# ending -> codec, sample rate, encoder options, and how many ms seeking may be off a full decode:
# None is the same bits, 0 the same place (decoders that carry noise or dither along), 1 and more
# are for containers with coarse time stamps.
FORMATS = {
    ".mp3": ("libmp3lame", 44_100, {}, None),
    ".m4a": ("aac", 44_100, {}, 0),
    ".mp4": ("alac", 44_100, {}, None),
    ".flac": ("flac", 44_100, {}, None),
    ".ogg": ("vorbis", 44_100, VORBIS, None),
    ".opus": ("libopus", 48_000, {}, None),
    ".wav": ("pcm_s16le", 44_100, {}, None),
    ".w64": ("pcm_s24le", 96_000, {}, None),
    ".aiff": ("pcm_s24be", 48_000, {}, None),
    ".au": ("pcm_f32be", 22_050, {}, None),
    ".caf": ("pcm_s16le", 32_000, {}, None),
    ".wv": ("wavpack", 44_100, {}, None),
    ".tta": ("tta", 44_100, {}, None),
    ".mp2": ("mp2", 44_100, {}, 0),
    ".aac": ("aac", 44_100, {}, 0),
    ".mpg": ("mp2", 44_100, {}, 27),
    ".ts": ("aac", 48_000, {}, 0),
    ".wma": ("wmav2", 44_100, {"b": "128000"}, 1),
    ".mka": ("flac", 44_100, {}, 1),
    ".webm": ("libopus", 48_000, {}, 1),
    ".flv": ("aac", 44_100, {}, 1),
    ".avi": ("ac3", 48_000, {}, 1),
}


def melody(duration: float, rate: int, channels: int = 2) -> np.ndarray:
    t = np.arange(round(duration * rate)) / rate
    low = np.sin(2 * np.pi * (200 * t + 4 * t**2))
    high = np.sin(2 * np.pi * (900 * t + 40 * np.sin(t)))
    return np.stack([0.3 * low + 0.2 * high] * channels).astype(np.float32)


def write_melody(path: Path, duration: float = 20.0, **settings) -> Path:
    codec, rate, options, _ = FORMATS[path.suffix]
    settings = {"codec": codec, "options": options, **settings}
    return write_sound(path, melody(duration, rate), sample_rate=rate, **settings)


def write_float_wav(path: Path, channels: np.ndarray, rate: int) -> Path:
    """By hand: FFmpeg's encoder would not let NaN through."""
    data = channels.T.astype("<f4").tobytes()
    count = len(channels)
    form = struct.pack("<HHIIHH", 3, count, rate, rate * 4 * count, 4 * count, 32)
    body = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def loudest_frequency(waveform: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(np.argmax(spectrum)) * rate / len(waveform)


def correlation(a: np.ndarray, b: np.ndarray, lag: int = 0) -> float:
    """The highest correlation of two sounds, shifted against each other by up to `lag` samples."""
    n = len(a) - 2 * lag
    middle = a[lag : lag + n]
    return max(np.corrcoef(middle, b[shift : shift + n])[0, 1] for shift in range(2 * lag + 1))


@pytest.fixture(scope="module")
def melodies(tmp_path_factory):
    """One file of 20 s per format, written when first asked for."""
    folder = tmp_path_factory.mktemp("melodies")

    def get(ending: str) -> Path:
        path = folder / f"melody{ending}"
        return path if path.exists() else write_melody(path)

    return get


# --- every format -------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", FORMATS)
def test_a_tone_keeps_its_pitch_length_and_level(tmp_path, ending):
    codec, rate, options, _ = FORMATS[ending]
    stereo = np.stack([tone(440.0, 4.0, sample_rate=rate)] * 2)
    path = write_sound(
        tmp_path / f"a{ending}", stereo, sample_rate=rate, codec=codec, options=options
    )
    waveform = load_audio(path, sample_rate=RATE)
    assert waveform.dtype == np.float32
    assert len(waveform) / RATE == pytest.approx(4.0, abs=0.1)
    middle = waveform[RATE : 3 * RATE]
    assert loudest_frequency(middle, RATE) == 440.0
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.06)  # LAME takes 5 %


@pytest.mark.parametrize("ending", FORMATS)
def test_segments_by_seeking_equal_those_cut_from_a_full_decode(melodies, ending):
    path, lag = melodies(ending), FORMATS[ending][3]
    segments = [Segment(4.0, 6.0), Segment(9.87654, 11.87654), Segment(15.1, 17.1)]
    rows = load_segments(path, segments, sample_rate=RATE, length=2 * RATE)
    whole = load_audio(path, sample_rate=RATE)
    assert rows.shape == (3, 2 * RATE)
    assert rows.dtype == np.float32
    for segment, row in zip(segments, rows, strict=True):
        start = round(segment.start * RATE)
        expected = whole[start : start + 2 * RATE]
        if lag is None:
            np.testing.assert_array_equal(row, expected)
        else:
            assert correlation(row, expected, lag=lag * RATE // 1000) > (0.98 if lag else 0.999)


@pytest.mark.parametrize("ending", FORMATS)
def test_probe_reads_the_header(melodies, ending):
    codec, rate, _, _ = FORMATS[ending]
    info = probe(melodies(ending))
    assert info.duration == pytest.approx(20.0, abs=0.1)
    assert (info.sample_rate, info.channels) == (rate, 2)
    names = {"libmp3lame": "mp3", "libopus": "opus"}
    assert info.codec == names.get(codec, codec)
    assert ending in AUDIO_EXTENSIONS


@pytest.mark.parametrize("rate", [8000, 11_025, 37_800, 44_100, 88_200, 192_000])
def test_any_sample_rate_comes_out_at_the_one_asked_for(tmp_path, rate):
    path = write_tone(tmp_path / "a.flac", 1000.0, 3.0, sample_rate=rate)
    for wanted in (16_000, 22_050):
        waveform = load_audio(path, sample_rate=wanted)
        assert len(waveform) == pytest.approx(3 * wanted, abs=2)
        middle = waveform[wanted : 2 * wanted]
        assert loudest_frequency(middle, wanted) == 1000.0
        assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.01)


def test_what_lies_above_half_the_sample_rate_is_removed_and_not_folded_down(tmp_path):
    high = tone(30_000.0, 3.0, sample_rate=192_000, level=0.5)
    low = tone(1000.0, 3.0, sample_rate=192_000, level=0.1)
    path = write_sound(
        tmp_path / "a.wav", (high + low)[None], sample_rate=192_000, codec="pcm_s24le"
    )
    middle = load_audio(path, sample_rate=RATE)[RATE : 2 * RATE]
    np.testing.assert_allclose(np.sqrt(2 * np.mean(middle**2)), 0.1, rtol=0.01)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "pcm_f32le", "pcm_f64le", "flac"])
def test_without_resampling_the_samples_are_those_of_the_file(tmp_path, codec):
    sound = np.round(melody(2.0, RATE, channels=1) * 32768) / 32768
    path = write_sound(tmp_path / "a.mkv", sound, sample_rate=RATE, codec=codec)
    np.testing.assert_array_equal(load_audio(path, sample_rate=RATE), sound[0].astype(np.float32))


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8, 10])
def test_channels_are_mixed_by_their_plain_mean(tmp_path, channels):
    tones = [tone(500.0 * (i + 1), 2.0, level=0.8) for i in range(channels)]
    path = write_float_wav(tmp_path / "a.wav", np.stack(tones), RATE)
    mixed = load_audio(path, sample_rate=RATE)
    np.testing.assert_allclose(mixed, np.mean(tones, axis=0), atol=1e-6)


def test_two_decodes_give_the_same_bits(melodies):
    first, second = (load_audio(melodies(".mp3"), sample_rate=RATE) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_overshooting_samples_are_clipped(tmp_path):
    path = write_float_wav(tmp_path / "a.wav", 3 * melody(2.0, RATE), RATE)
    waveform = load_audio(path, sample_rate=RATE)
    assert (waveform.min(), waveform.max()) == (-1.0, 1.0)


# --- excerpts and segments ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "duration"), [(0.0, 3.0), (1.5, 1.0), (12.34, 2.5), (17.0, None)]
)
def test_an_excerpt_is_the_same_stretch_of_the_whole(melodies, start, duration):
    whole = load_audio(melodies(".flac"), sample_rate=RATE)
    excerpt = load_audio(melodies(".flac"), sample_rate=RATE, start=start, duration=duration)
    stop = None if duration is None else round(start * RATE) + round(duration * RATE)
    np.testing.assert_array_equal(excerpt, whole[round(start * RATE) : stop])


def test_an_excerpt_past_the_end_is_shorter(melodies):
    assert len(load_audio(melodies(".wav"), sample_rate=RATE, start=19.0, duration=5.0)) == RATE


@pytest.mark.parametrize("wrong", [{"start": -1.0}, {"duration": 0.0}, {"duration": -2.0}])
def test_an_impossible_excerpt_is_refused(melodies, wrong):
    with pytest.raises(ValueError, match="excerpt"):
        load_audio(melodies(".wav"), **wrong)


@pytest.mark.parametrize("ending", [".mp3", ".flac", ".opus", ".mka"])
def test_where_seeking_fails_the_file_is_decoded_from_its_beginning(melodies, ending, monkeypatch):
    def fail(*_):
        raise _NoSeekingError

    segments = [Segment(15.1, 17.1), Segment(4.0, 6.0)]
    monkeypatch.setattr(Decoder, "_seek", fail)
    rows = load_segments(melodies(ending), segments, sample_rate=RATE, length=2 * RATE)
    whole = load_audio(melodies(ending), sample_rate=RATE)
    for segment, row in zip(segments, rows, strict=True):
        start = round(segment.start * RATE)
        np.testing.assert_array_equal(row, whole[start : start + 2 * RATE])


@pytest.mark.parametrize("ending", [".mp3", ".m4a", ".flac", ".ogg", ".opus", ".wav"])
def test_only_what_is_needed_is_decoded(melodies, ending, monkeypatch):
    seconds = []
    frames = Decoder._frames

    def listening(decoder):
        for frame in frames(decoder):
            seconds.append(frame.samples / frame.sample_rate)
            yield frame

    monkeypatch.setattr(Decoder, "_frames", listening)
    segments = [Segment(18.0, 19.0)] * 3
    load_segments(melodies(ending), segments, sample_rate=RATE, length=RATE)
    assert sum(seconds) < 4.5  # the segment, a second to settle, up to two of coarse seeking


def test_equal_and_overlapping_segments_are_read_once(melodies, monkeypatch):
    reads = []
    read = Decoder.read
    monkeypatch.setattr(
        Decoder, "read", lambda self, *where: reads.append(where[1:]) or read(self, *where)
    )
    segments = [Segment(12.0, 14.0), Segment(3.0, 5.0), Segment(13.0, 15.0), Segment(3.0, 5.0)]
    rows = load_segments(melodies(".flac"), segments, sample_rate=RATE, length=2 * RATE)
    assert reads == [(3 * RATE, 5 * RATE), (12 * RATE, 15 * RATE)]
    np.testing.assert_array_equal(rows[1], rows[3])
    np.testing.assert_array_equal(rows[0][RATE:], rows[2][:RATE])


def test_a_short_track_is_repeated_to_fill_its_segment(tmp_path):
    path = write_tone(tmp_path / "a.wav", 441.0, 1.5)
    row = load_segments(path, grid(1.5, length=4.0), sample_rate=RATE, length=4 * RATE)[2]
    whole = load_audio(path, sample_rate=RATE)
    np.testing.assert_array_equal(row, np.resize(whole, 4 * RATE))


def test_no_segments_are_refused(melodies):
    with pytest.raises(ValueError, match="no segments"):
        load_segments(melodies(".wav"), [], sample_rate=RATE, length=RATE)


def test_a_segment_past_the_end_is_an_error(melodies):
    with pytest.raises(AudioError, match="ends at 0:20, but is wanted up to 0:38"):
        load_segments(melodies(".wav"), [Segment(36, 40)], sample_rate=RATE, length=4 * RATE)


def test_segments_of_real_music_equal_those_cut_from_a_full_decode():
    data = os.environ.get("SOUNDALIKE_DATA", Path(__file__).parents[3] / "shared")
    paths = sorted(Path(data).glob("music/*/*.opus"))[:2]
    if not paths:
        pytest.skip(f"no music in {data}; set SOUNDALIKE_DATA")
    for path in paths:
        whole = load_audio(path, sample_rate=RATE)
        segments = grid(probe(path).duration, length=5.0)
        rows = load_segments(path, segments, sample_rate=RATE, length=5 * RATE)
        for segment, row in zip(segments, rows, strict=True):
            start = round(segment.start * RATE)
            np.testing.assert_array_equal(row, whole[start : start + 5 * RATE])


# --- headers, tags, pictures, film --------------------------------------------------------------


def png() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 72)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def id3(**frames: bytes) -> bytes:
    body = b"".join(
        name.encode() + struct.pack(">I", len(value)) + b"\0\0" + value
        for name, value in frames.items()
    )
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + body


@pytest.mark.parametrize("ending", [".mp3", ".flac", ".m4a", ".opus", ".wma"])
def test_tags_are_read_with_keys_in_lower_case(tmp_path, ending):
    tags = {"TITLE": "Träumerei", "artist": "R. Schumann", "album": "Kinderszenen"}
    info = probe(write_melody(tmp_path / f"a{ending}", 2.0, tags=tags))
    assert {key: info.tags[key] for key in ("title", "artist", "album")} == {
        key.lower(): value for key, value in tags.items()
    }


def test_an_mp3_with_an_old_tag_and_cover_art_is_music(tmp_path):
    sound = write_melody(tmp_path / "a.mp3", 5.0, muxer={"id3v2_version": "0"}).read_bytes()
    tag = id3(TIT2=b"\0L'\xe9tude", APIC=b"\0image/png\0\x03\0" + png())
    path = tmp_path / "covered.mp3"
    path.write_bytes(tag + sound)
    info = probe(path)
    assert info.codec == "mp3"
    assert info.tags["title"] == "L'étude"
    np.testing.assert_array_equal(load_audio(path), load_audio(tmp_path / "a.mp3"))


def test_junk_around_the_frames_of_an_mp3_changes_nothing(tmp_path):
    plain = write_melody(tmp_path / "a.mp3", 5.0, muxer={"write_xing": "0", "id3v2_version": "0"})
    path = tmp_path / "junk.mp3"
    junk = np.random.default_rng(0).integers(0, 255, 4000, dtype=np.uint8).tobytes()
    path.write_bytes(b"\0" * 3000 + junk + plain.read_bytes() + b"APETAGEX" + junk)
    assert probe(path).duration == pytest.approx(5.0, abs=0.2)
    whole = load_audio(path)
    assert correlation(whole[RATE : 4 * RATE], load_audio(plain)[RATE : 4 * RATE]) > 0.999


def test_two_mp3s_of_different_kinds_joined_end_to_end_are_one_sound(tmp_path):
    first = write_sound(tmp_path / "a.mp3", melody(5.0, 44_100), sample_rate=44_100)
    second = write_sound(tmp_path / "b.mp3", melody(7.0, 22_050, channels=1), sample_rate=22_050)
    path = tmp_path / "joined.mp3"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert len(load_audio(path)) / RATE == pytest.approx(12.0, abs=0.3)


def test_a_wma_keeps_its_length_when_a_picture_makes_it_larger(tmp_path):
    """FFmpeg then takes the length from the size; taggers leave the size in the header as it was."""
    plain = write_melody(tmp_path / "plain.wma")
    data = plain.read_bytes()
    size, count = struct.unpack("<QI", data[16:28])
    guid = bytes.fromhex("74d40618dfca4509a4ba9aabcb96aae8")
    more = guid + struct.pack("<Q", 300_024) + bytes(300_000)
    larger = tmp_path / "larger.wma"
    head = data[:16] + struct.pack("<QI", size + len(more), count + 1) + data[28:size]
    larger.write_bytes(head + more + data[size:])
    assert probe(larger).duration == probe(plain).duration
    assert np.array_equal(load_audio(larger), load_audio(plain))


@pytest.mark.parametrize("loud_first", [True, False])
def test_the_length_of_an_mp3_of_varying_bit_rate_without_a_count_is_measured(tmp_path, loud_first):
    sound = melody(30.0, 44_100)
    sound += np.random.default_rng(0).uniform(-0.3, 0.3, sound.shape).astype(np.float32)
    sound[:, : 15 * 44_100] = 0.0
    sound = np.ascontiguousarray(sound[:, ::-1]) if loud_first else sound
    options = {"flags": "+qscale", "global_quality": "236"}
    path = write_sound(
        tmp_path / "a.mp3", sound, sample_rate=44_100, options=options, muxer={"write_xing": "0"}
    )
    with av.open(str(path)) as container:
        assert abs(container.duration / 1e6 - 30) > 5  # FFmpeg is indeed misled
    duration = probe(path).duration
    assert duration == pytest.approx(30.0, abs=0.1)
    rows = load_segments(path, grid(duration, length=5.0), sample_rate=RATE, length=5 * RATE)
    levels = np.sqrt(np.mean(rows**2, axis=1))
    assert levels[0 if loud_first else 2] > 0.1
    assert levels[2 if loud_first else 0] < 0.001


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi"])
def test_the_sound_of_a_film_ends_before_its_pictures(tmp_path, ending):
    path = tmp_path / f"film{ending}"
    with av.open(str(path), "w") as film:
        pictures = film.add_stream("mpeg4", rate=25)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        sound = film.add_stream("aac", rate=48_000, layout="stereo")
        for _ in range(25 * 12):
            film.mux(pictures.encode(av.VideoFrame(64, 64, "yuv420p")))
        samples = melody(6.0, 48_000)
        for at in range(0, samples.shape[1], 1024):
            block = np.ascontiguousarray(samples[:, at : at + 1024])
            frame = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
            frame.sample_rate, frame.pts = 48_000, at
            film.mux(sound.encode(frame))
        film.mux(pictures.encode(None))
        film.mux(sound.encode(None))
    info = probe(path)
    assert info.codec == "aac"
    assert info.duration == pytest.approx(6.0, abs=0.1)
    whole = load_audio(path)
    assert len(whole) / RATE == pytest.approx(6.0, abs=0.1)
    last = grid(info.duration, length=1.0)[2]
    row = load_segments(path, [last], sample_rate=RATE, length=RATE)[0]
    start = round(last.start * RATE)
    assert correlation(row, whole[start : start + RATE], lag=16) > 0.99


@pytest.mark.parametrize("name", ["a: b.mp3", "http:x.mp3", "%d.mp3", "träume 夢.mp3", "a'\"b.mp3"])
def test_names_that_look_like_something_else_are_names(tmp_path, name):
    path = write_tone(tmp_path / "a.mp3", 440.0, 2.0).rename(tmp_path / name)
    assert len(load_audio(path)) / RATE == pytest.approx(2.0, abs=0.1)


def test_the_sizes_that_pipes_leave_in_a_wav_header_mean_unknown(tmp_path):
    content = bytearray(write_melody(tmp_path / "a.wav", 5.0).read_bytes())
    at = content.index(b"data") + 4
    for size in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
        content[at : at + 4] = size
        path = tmp_path / "pipe.wav"
        path.write_bytes(content)
        assert probe(path).duration == pytest.approx(5.0)
        assert len(load_audio(path)) == 5 * RATE


# --- files that cannot be used ------------------------------------------------------------------


def reason(path: Path) -> str:
    """Why `path` is refused, in the words of both loaders."""
    with pytest.raises(AudioError) as whole:
        load_audio(path)
    with pytest.raises(AudioError) as parts:
        load_segments(path, grid(20.0, length=2.0), sample_rate=RATE, length=2 * RATE)
    assert whole.value.path == parts.value.path == path
    assert whole.value.reason.split()[0] == parts.value.reason.split()[0]
    return whole.value.reason


NOT_AUDIO = {
    "text": b"Not music. " * 500,
    "zeros": b"\0" * 9000,
    "noise": np.random.default_rng(2).integers(0, 255, 90_000, dtype=np.uint8).tobytes(),
}


@pytest.mark.parametrize("ending", [".mp3", ".flac", ".wav", ".m4a", ".opus"])
@pytest.mark.parametrize("content", NOT_AUDIO)
def test_what_is_not_audio_is_named_so(tmp_path, ending, content):
    path = tmp_path / f"a{ending}"
    path.write_bytes(NOT_AUDIO[content])
    assert reason(path).startswith(("not audio", "no audio stream", "holds no sound", "damaged"))


def test_a_picture_has_no_audio_stream(tmp_path):
    path = tmp_path / "cover.png"
    path.write_bytes(png())
    assert reason(path) == "no audio stream"


def test_an_empty_file_is_named_so(tmp_path):
    path = tmp_path / "a.mp3"
    path.touch()
    assert reason(path) == "empty file (0 bytes)"


def test_a_header_without_sound_is_named_so(tmp_path):
    path = write_float_wav(tmp_path / "a.wav", np.zeros((1, 0)), RATE)
    assert "no sound" in reason(path)
    with pytest.raises(AudioError, match="no sound"):
        probe(path)


def test_a_missing_file_is_named_so(tmp_path):
    assert reason(tmp_path / "gone.mp3") == "no such file; was it moved or deleted?"


def test_a_file_that_vanishes_after_probing_is_named_so(tmp_path):
    path = write_melody(tmp_path / "a.wav", 2.0)
    probe(path)
    path.unlink()
    assert "moved or deleted" in reason(path)


def test_a_folder_is_named_so(tmp_path):
    assert reason(tmp_path) == "is a folder, not a file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.mp3")
    assert reason(tmp_path / "a.mp3") == "is not a regular file"


def test_a_file_that_may_not_be_read_is_named_so(melodies, monkeypatch):
    def refuse(*_, **__):
        raise av.error.PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(av, "open", refuse)
    assert reason(melodies(".wav")) == "no permission to read it"


@pytest.mark.parametrize("ending", [".mp3", ".flac", ".wav", ".aiff", ".au", ".tta", ".flv"])
def test_a_truncated_file_is_named_so(melodies, tmp_path, ending):
    whole = melodies(ending).read_bytes()
    path = tmp_path / f"half{ending}"
    path.write_bytes(whole[: len(whole) // 2])
    words = reason(path)
    assert words.startswith("truncated or damaged: the header promises 0:20, the sound ends at 0:")
    assert 7 <= int(words[-2:]) <= 12


def test_a_truncated_m4a_with_its_index_in_front_is_named_so(tmp_path):
    path = write_melody(tmp_path / "a.m4a", muxer={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path).startswith("truncated or damaged: the header promises 0:20")


def test_an_m4a_without_its_index_is_named_so(melodies, tmp_path):
    path = tmp_path / "half.m4a"
    path.write_bytes(melodies(".m4a").read_bytes()[:100_000])
    assert reason(path) == "not audio, or damaged at its head"


@pytest.mark.parametrize("ending", [".ogg", ".opus", ".aac", ".mp2"])
def test_half_a_file_of_a_container_that_promises_nothing_is_music(melodies, tmp_path, ending):
    whole = melodies(ending).read_bytes()
    path = tmp_path / f"half{ending}"
    path.write_bytes(whole[: len(whole) // 2])
    assert probe(path).duration == pytest.approx(10.0, abs=1.5)
    assert len(load_audio(path)) / RATE == pytest.approx(10.0, abs=1.5)


@pytest.mark.parametrize("ending", [".mp3", ".m4a", ".flac", ".ogg", ".wma", ".flv", ".ts", ".wv"])
def test_a_file_full_of_garbage_is_an_error_without_noise(melodies, tmp_path, ending, capfd):
    whole = melodies(ending).read_bytes()
    garbage = np.random.default_rng(1).integers(0, 255, len(whole), dtype=np.uint8).tobytes()
    path = tmp_path / f"a{ending}"
    path.write_bytes(whole[: len(whole) // 5] + garbage[len(whole) // 5 :])
    with pytest.raises(AudioError):
        load_segments(path, grid(20.0, length=2.0), sample_rate=RATE, length=2 * RATE)
    assert capfd.readouterr() == ("", "")


def test_one_broken_packet_is_played_over(melodies, tmp_path):
    content = bytearray(melodies(".mp3").read_bytes())
    at = len(content) // 2
    content[at : at + 300] = b"\x55" * 300
    path = tmp_path / "scratched.mp3"
    path.write_bytes(content)
    assert len(load_audio(path)) / RATE == pytest.approx(20.0, abs=0.2)


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_is_named_so(tmp_path, level):
    path = write_float_wav(tmp_path / "a.wav", level * melody(20.0, 44_100), 44_100)
    assert reason(path).startswith("silent")


def test_a_silent_segment_beside_a_sounding_one_is_zeros(tmp_path):
    sound = melody(8.0, RATE)
    sound[:, : 4 * RATE] = 0.0
    path = write_float_wav(tmp_path / "a.wav", sound, RATE)
    segments = [Segment(1, 3), Segment(5, 7)]
    rows = load_segments(path, segments, sample_rate=RATE, length=2 * RATE)
    assert not rows[0].any()
    assert rows[1].any()


def test_a_sound_under_a_second_is_too_short(tmp_path):
    path = write_tone(tmp_path / "a.wav", 440.0, 0.3)
    with pytest.raises(AudioError, match=r"too short: 0.3 s, at least 1 s is needed"):
        load_audio(path)
    with pytest.raises(AudioError, match=r"too short: 0.3 s"):
        load_segments(path, grid(0.3), sample_rate=RATE, length=RATE)


def test_a_sound_just_under_a_second_is_not_called_a_second(tmp_path):
    path = write_tone(tmp_path / "a.wav", 440.0, 0.99)
    with pytest.raises(AudioError, match=r"too short: 0.99 s, at least 1 s is needed"):
        load_audio(path)


def test_a_list_of_files_that_calls_itself_audio_is_refused(tmp_path):
    write_tone(tmp_path / "song.wav", 440.0, 2.0)
    path = tmp_path / "list.wav"
    path.write_text("ffconcat version 1.0\nfile song.wav\n")
    with pytest.raises(AudioError, match="a list of other files, not audio"):
        probe(path)


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_what_is_no_number_becomes_silence(tmp_path, rate):
    sound = melody(4.0, rate)
    sound[:, rate : rate + 100] = np.nan
    sound[0, 2 * rate] = np.inf
    sound[1, 3 * rate] = -np.inf
    waveform = load_audio(write_float_wav(tmp_path / "a.wav", sound, rate), sample_rate=RATE)
    assert np.isfinite(waveform).all()
    kept = np.abs(
        load_audio(write_float_wav(tmp_path / "b.wav", melody(4.0, rate), rate)) - waveform
    )
    assert np.count_nonzero(kept) < 0.05 * len(kept)


def test_nothing_but_nan_is_silent(tmp_path):
    path = write_float_wav(tmp_path / "a.wav", np.full((2, 20 * RATE), np.nan), RATE)
    assert reason(path).startswith("silent")


def test_a_playlist_dressed_up_as_a_song_opens_no_address(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.mp3\n#EXT-X-ENDLIST\n"
    )
    assert reason(path).startswith("is a list of other files")


def test_ffmpeg_says_nothing_on_stderr(melodies, tmp_path):
    path = tmp_path / "half.mp3"
    path.write_bytes(melodies(".mp3").read_bytes()[5000:90_000])
    script = (
        "import sys\nfrom soundalike.audio.waveform import load_audio\n"
        "from soundalike.errors import AudioError\n"
        "try:\n    load_audio(sys.argv[1])\nexcept AudioError:\n    pass\n"
    )
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(path)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(source)},
        check=True,
    )
    assert done.stdout == done.stderr == b""
