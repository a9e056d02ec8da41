"""Two hands on one channel, told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

mido = pytest.importorskip("mido", reason="scores need mido")

from small_pieces import bass, melody, write_midi  # noqa: E402
from soundalike.scores.orchestration import DRUMS  # noqa: E402
from soundalike.scores.parts import tracks_apart  # noqa: E402
from soundalike.scores.rendering import from_midi, read_score  # noqa: E402


def track_of(*messages: mido.Message) -> mido.MidiTrack:
    return mido.MidiTrack(messages)


def key(note: int, channel: int, *, wait: int = 0) -> list[mido.Message]:
    start = mido.Message("note_on", note=note, channel=channel, time=wait)
    return [start, mido.Message("note_off", note=note, channel=channel, time=480)]


def test_hands_on_one_channel_become_two_voices(tmp_path: Path) -> None:
    right, left = melody(0, 8), bass(0, 4)
    path = write_midi(tmp_path / "hands.mid", right, left)
    assert list(read_score(path).voices()) == [(0, 0)]
    first, second = read_score(path, apart=True).voices().values()
    assert first == [note for *_, note in right]
    assert second == [note for *_, note in left]


def test_the_same_notes_sound_at_the_same_times(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "hands.mid", melody(1, 8), bass(1, 4))

    def sounding(apart: bool) -> list[tuple[float, float, int]]:
        notes = read_score(path, apart=apart).notes
        return sorted((note.onset, note.duration, note.key) for note in notes)

    assert sounding(True) == sounding(False)


def test_what_is_set_for_a_channel_holds_for_all_its_hands() -> None:
    flute = mido.Message("program_change", program=73, channel=3)
    pedal = mido.Message("control_change", control=64, value=127, channel=3)
    midi = mido.MidiFile(
        tracks=[track_of(flute, pedal, *key(60, 3)), track_of(*key(48, 3, wait=240))]
    )
    apart = from_midi(tracks_apart(midi))
    assert [voice.program for voice in apart.voices()] == [73, 73]
    held = [message.channel for _, message in apart.controls if message.control == 64]
    assert sorted(held) == [voice.channel for voice in apart.voices()]


def test_percussion_stays_where_it_is() -> None:
    midi = mido.MidiFile(tracks=[track_of(*key(38, DRUMS)), track_of(*key(60, 0))])
    channels = {note.key: note.voice.channel for note in from_midi(tracks_apart(midi)).notes}
    assert channels[38] == DRUMS
    assert channels[60] != DRUMS


def test_settings_of_a_silent_channel_leave_their_time_behind() -> None:
    idle = mido.Message("program_change", program=5, channel=7, time=480)
    midi = mido.MidiFile(tracks=[track_of(*key(60, 0), idle, *key(62, 0))])
    assert [note.onset for note in from_midi(tracks_apart(midi)).notes] == [0.0, 1.0]


def test_more_tracks_than_channels_share_the_last() -> None:
    midi = mido.MidiFile(tracks=[track_of(*key(40 + i, 0)) for i in range(20)])
    voices = from_midi(tracks_apart(midi)).voices()
    assert [len(keys) for keys in voices.values()] == [1] * 14 + [6]
