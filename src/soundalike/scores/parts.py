"""MIDI -> the same music, with every track's notes on channels of their own.

A pianist's hands are two tracks on one channel. To leave one out, or to give it to another
instrument, they must be told apart.
"""

from __future__ import annotations

import mido

from soundalike.scores.notation import CHANNELS
from soundalike.scores.orchestration import DRUMS


def tracks_apart(midi: mido.MidiFile) -> mido.MidiFile:
    """Move the notes of each track and channel to a channel of their own; percussion stays.

    Instruments, pedals and bends set for a channel hold for all channels its notes went to. Past
    the 15th, tracks share the last channel.
    """
    moved: dict[tuple[int, int], int] = {}
    for number, track in enumerate(midi.tracks):
        for message in track:
            place = (number, getattr(message, "channel", DRUMS))
            if message.type == "note_on" and message.velocity and place[1] != DRUMS:
                moved.setdefault(place, CHANNELS[min(len(moved), len(CHANNELS) - 1)])
    heirs = {
        old: sorted({new for (_, before), new in moved.items() if before == old})
        for old in range(16)
    }
    heirs[DRUMS] = [DRUMS]
    apart = mido.MidiFile(type=midi.type, ticks_per_beat=midi.ticks_per_beat)
    for number, track in enumerate(midi.tracks):
        apart.tracks.append(_moved(track, number, moved, heirs))
    return apart


def _moved(
    track: mido.MidiTrack,
    number: int,
    moved: dict[tuple[int, int], int],
    heirs: dict[int, list[int]],
) -> mido.MidiTrack:
    """One track on its new channels; what concerns no notes is left out, its time kept."""
    result, waited = mido.MidiTrack(), 0
    for message in track:
        waited += message.time
        channel = getattr(message, "channel", None)
        if channel is None:
            copies = [message.copy(time=waited)]
        elif message.type in ("note_on", "note_off"):
            # Percussion, or an end whose beginning another track holds.
            new = [moved[number, channel]] if (number, channel) in moved else heirs[channel][:1]
            copies = [message.copy(channel=place, time=waited) for place in new]
        else:
            copies = [message.copy(channel=place, time=waited) for place in heirs[channel]]
        for i, copy in enumerate(copies):
            result.append(copy.copy(time=0) if i else copy)
            waited = 0
    return result
