"""A tiny score, read, arranged and written; fluidsynth only where it is installed."""

from __future__ import annotations

import os
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

mido = pytest.importorskip("mido", reason="scores need mido")

from soundalike.errors import AudioError, RecipeError  # noqa: E402
from soundalike.scores.orchestration import DRUMS, Plan, Voice, draw_plans  # noqa: E402
from soundalike.scores.rendering import (  # noqa: E402
    Note,
    Score,
    arrange,
    from_midi,
    passage_end,
    play,
    read_score,
    to_midi,
)

PIANO, BASS, FLUTE, KIT = Voice(0, 0), Voice(1, 33), Voice(0, 73), Voice(DRUMS, 0)
BEAT = 0.5  # seconds at 120 beats a minute


def score_of(*notes: tuple[float, float, int, Voice]) -> Score:
    """A score of (onset, duration, key, voice) at velocity 64."""
    played = [Note(onset, length, key, 64, voice) for onset, length, key, voice in notes]
    return Score(tuple(played), (), max(note.onset + note.duration for note in played))


@pytest.fixture
def score() -> Score:
    return score_of(
        (0.0, 0.5, 60, PIANO),
        (0.0, 1.0, 36, BASS),
        (0.0, 0.25, 38, KIT),
        (0.5, 0.5, 64, PIANO),
        (1.0, 1.0, 79, FLUTE),
        (1.0, 1.0, 41, BASS),
        (1.5, 0.25, 42, KIT),
    )


def plan_of(score: Score, **changes: object) -> Plan:
    """A plan that plays a score as written, but for the changes."""
    voices = list(score.voices())
    unchanged = {
        "style": "as written",
        "programs": {voice: voice.program for voice in voices},
        "silent": frozenset(),
        "balance": dict.fromkeys(voices, 0.0),
        "transposition": 0,
        "speed": 1.0,
        "jitter": (0.0, 0.0),
        "soundfont": 0,
        "sends": (40, 0),
        "room": 0.3,
        "seed": 1,
    }
    return Plan(**{**unchanged, **changes})  # type: ignore[arg-type]


def file_bytes(midi: mido.MidiFile) -> bytes:
    file = BytesIO()
    midi.save(file=file)
    return file.getvalue()


# Reading


def test_midi_tempo_map_is_followed() -> None:
    track = mido.MidiTrack(
        [
            mido.Message("note_on", note=60, velocity=50, time=96),  # a beat of rest before it
            mido.Message("note_off", note=60, time=96),
            mido.MetaMessage("set_tempo", tempo=1_000_000),
            mido.Message("note_on", note=62, velocity=70),
            mido.Message("note_on", note=62, velocity=0, time=48),
        ]
    )
    read = from_midi(mido.MidiFile(tracks=[track], ticks_per_beat=96))
    assert read.notes == (
        Note(0.0, BEAT, 60, 50, Voice(0, 0)),
        Note(BEAT, BEAT, 62, 70, Voice(0, 0)),  # half a beat of the slower tempo
    )
    assert read.end == 2 * BEAT


def test_a_voice_is_a_channel_and_its_program_at_the_time(score: Score) -> None:
    assert from_midi(to_midi(score)).voices() == {
        PIANO: [60, 64],
        FLUTE: [79],
        BASS: [36, 41],
        KIT: [38, 42],
    }


def test_a_note_never_ended_lasts_as_long_as_the_file() -> None:
    track = mido.MidiTrack(
        [mido.Message("note_on", note=60), mido.MetaMessage("end_of_track", time=960)]
    )
    (note,) = from_midi(mido.MidiFile(tracks=[track], ticks_per_beat=480)).notes
    assert note.duration == pytest.approx(2 * BEAT)


def test_what_is_written_reads_back_the_same(score: Score) -> None:
    read = from_midi(to_midi(score))
    assert read.notes == score.notes
    assert read.end == score.end


def test_a_key_struck_while_it_sounds_is_ended_first() -> None:
    overlapping = score_of((0.0, 2.0, 60, PIANO), (1.0, 0.5, 60, PIANO))
    read = from_midi(to_midi(overlapping))
    assert [(note.onset, note.duration) for note in read.notes] == [(0.0, 1.0), (1.0, 0.5)]


def test_unison_on_one_channel_sounds_once() -> None:
    unison = score_of((0.0, 1.0, 60, PIANO), (0.0, 1.0, 60, PIANO), (0.0, 1.0, 60, BASS))
    assert [note.voice for note in from_midi(to_midi(unison)).notes] == [PIANO, BASS]


def test_files_that_are_no_scores_are_refused(tmp_path: Path) -> None:
    (tmp_path / "words.mid").write_bytes(b"not music")
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(tmp_path / "empty.mid")
    with pytest.raises(AudioError, match="cannot be read as a score"):
        read_score(tmp_path / "words.mid")
    with pytest.raises(AudioError, match="holds no notes"):
        read_score(tmp_path / "empty.mid")


# Arranging


def test_transposition_moves_every_note_but_the_drums(score: Score) -> None:
    arranged = arrange(score, plan_of(score, transposition=-5), end=score.end)
    assert [note.key for note in arranged.notes if note.voice != KIT] == [55, 31, 59, 74, 36]
    assert [note.key for note in arranged.notes if note.voice == KIT] == [38, 42]
    assert [note.onset for note in arranged.notes] == [note.onset for note in score.notes]


def test_keys_beyond_the_keyboard_come_back_by_octaves() -> None:
    extreme = score_of((0.0, 1.0, 126, PIANO), (0.0, 1.0, 1, BASS))
    up = arrange(extreme, plan_of(extreme, transposition=5), end=1.0)
    down = arrange(extreme, plan_of(extreme, transposition=-5), end=1.0)
    assert [note.key for note in up.notes] == [131 - 12, 6]
    assert [note.key for note in down.notes] == [121, -4 + 12]


def test_tempo_changes_times_and_nothing_else(score: Score) -> None:
    arranged = arrange(score, plan_of(score, speed=1.25), end=score.end)
    for before, after in zip(score.notes, arranged.notes, strict=True):
        assert after.onset == pytest.approx(before.onset / 1.25)
        assert after.duration == pytest.approx(before.duration / 1.25)
        assert (after.key, after.velocity, after.voice) == (
            before.key,
            before.velocity,
            before.voice,
        )
    assert arranged.end == pytest.approx(score.end / 1.25)


def test_the_passage_ends_at_the_same_music_in_every_tempo(score: Score) -> None:
    plans = [plan_of(score, speed=0.8), plan_of(score, speed=1.25)]
    end = passage_end(score, plans, longest=1.5)
    slow, fast = (arrange(score, plan, end=end) for plan in plans)
    assert slow.end == pytest.approx(1.5)
    assert [note.key for note in slow.notes] == [note.key for note in fast.notes]
    shares = [[note.onset / each.end for note in each.notes] for each in (slow, fast)]
    assert shares[0] == pytest.approx(shares[1])


def test_a_passage_is_no_longer_than_the_score(score: Score) -> None:
    assert passage_end(score, [plan_of(score, speed=1.25)], longest=90.0) == score.end


def test_leaving_a_voice_out_leaves_the_others_as_they_were(score: Score) -> None:
    jitter = (0.01, 10.0)
    whole = arrange(score, plan_of(score, jitter=jitter), end=score.end)
    without = arrange(score, plan_of(score, jitter=jitter, silent=frozenset({BASS})), end=score.end)
    assert without.notes == tuple(note for note in whole.notes if note.voice != BASS)


def test_controls_keep_their_place_in_the_music(score: Score) -> None:
    pedal = mido.Message("control_change", control=64, value=127)
    held = Score(score.notes, ((1.0, pedal), (1.9, pedal)), score.end)
    arranged = arrange(held, plan_of(held, speed=0.8), end=1.5)
    assert [time for time, message in arranged.controls if message.control == 64] == [1.25]


def test_the_same_plan_gives_the_same_bytes(score: Score) -> None:
    def written(seed: int) -> bytes:
        rng = np.random.default_rng(seed)
        (plan,) = draw_plans(score.voices(), rng, count=1, soundfonts=2)
        return file_bytes(to_midi(arrange(score, plan, end=score.end)))

    assert written(3) == written(3)
    assert written(3) != written(4)


# Playing

SOUNDFONT = Path(os.environ.get("SOUNDALIKE_SOUNDFONT", "/usr/share/sounds/sf2/default-GM.sf2"))

needs_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not SOUNDFONT.is_file(),
    reason="fluidsynth is not installed, or there is no soundfont at $SOUNDALIKE_SOUNDFONT",
)


@needs_fluidsynth
def test_a_rendering_lasts_as_long_as_the_score_and_sounds_when_notes_do() -> None:
    a5, c4 = (81, 880.0), (60, 261.63)
    waveform = play(score_of((0.0, 1.0, a5[0], PIANO), (1.5, 0.5, c4[0], PIANO)), SOUNDFONT)
    assert waveform.dtype == np.int16
    assert waveform.shape == (2 * 16_000,)
    assert np.abs(waveform).max() == 32767
    for first, hertz in ((0.1, a5[1]), (1.6, c4[1])):
        excerpt = waveform[int(first * 16_000) :][:4_000].astype(float)
        loudest = np.argmax(np.abs(np.fft.rfft(excerpt * np.hanning(4_000), 16_000)))  # Hz
        assert loudest == pytest.approx(hertz * max(1, round(loudest / hertz)), abs=5)


@needs_fluidsynth
def test_a_missing_soundfont_is_named(score: Score, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.sf2"):
        play(score, tmp_path / "none.sf2")
