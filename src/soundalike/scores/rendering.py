"""A score -> arrangements of the same passage, rendered.

    read_score(path)             Score: every note in seconds from the first one
    arrange(score, plan)         Score in other instruments, another key, another tempo
    to_midi(score)               mido.MidiFile, one track, a tick a millisecond
    play(score, soundfont)       int16 [T], 16 kHz mono, by fluidsynth

No augmentation of a recording turns a song into another arrangement of it; a score played by two
ensembles does. All arrangements of a passage end at the same note, so the same share of each is the
same music: a clip's place in one is its place in all.

Instruments, keys and tempi are drawn in scores/orchestration.py. Times are seconds throughout: a
score's tempo map is followed when it is read, and gone afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mido
import numpy as np

from soundalike.audio.waveform import load_audio
from soundalike.errors import AudioError, RecipeError
from soundalike.scores.notation import SUFFIXES, read_notation
from soundalike.scores.orchestration import Plan, Voice, is_fixed
from soundalike.scores.parts import tracks_apart

SAMPLE_RATE = 16_000

CONTROLS = frozenset({1, 5, 6, 7, 10, 11, 38, 64, 65, 66, 67, 98, 99, 100, 101})
"""Controllers that are part of the playing; banks, filters and effects belong to a synthesizer."""

REVERB_SEND, CHORUS_SEND = 91, 93

TICK = 0.001
"""Resolution of the MIDI written, seconds."""

GRACE = 0.04
"""What a note without a duration of its own lasts, seconds: notation gives grace notes none."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note: onset and duration in seconds, key and velocity 0..127, and who plays it."""

    onset: float
    duration: float
    key: int
    velocity: int
    voice: Voice


@dataclass(frozen=True, slots=True)
class Score:
    """What is played, when.

    Attributes:
        notes: by onset.
        controls: controller and bend messages with their times, in order.
        end: when the music is over, seconds.
    """

    notes: tuple[Note, ...]
    controls: tuple[tuple[float, mido.Message], ...]
    end: float

    def voices(self) -> dict[Voice, list[int]]:
        """The keys each voice plays, voices in order of channel and program."""
        played: dict[Voice, list[int]] = {}
        for note in self.notes:
            played.setdefault(note.voice, []).append(note.key)
        return dict(sorted(played.items()))


def read_score(path: str | Path, *, apart: bool = False) -> Score:
    """Read a MIDI file, or a score in MusicXML (`.mxl`, `.musicxml`, `.xml`; needs partitura).

    Args:
        path: the file.
        apart: tracks of a MIDI file are voices of their own, even on one channel: a pianist's
            hands. The voices of notation always are.

    Raises:
        AudioError: the file cannot be read as a score, or holds no notes.
        RecipeError: notation, and partitura is not installed.
    """
    path = Path(path)
    notation = path.suffix.lower() in SUFFIXES
    try:
        midi = read_notation(path) if notation else mido.MidiFile(path, clip=True)
        score = from_midi(tracks_apart(midi) if apart and not notation else midi)
    except RecipeError:
        raise
    except Exception as error:  # both readers raise whatever a broken file makes them stumble over
        raise AudioError(path, f"cannot be read as a score: {error!r}") from None
    if not score.notes:
        raise AudioError(path, "holds no notes")
    return score


def from_midi(midi: mido.MidiFile) -> Score:
    """Follow the tempo map of a MIDI file of type 0 or 1; drums are channel 10 as always."""
    notes: list[Note] = []
    controls: list[tuple[float, mido.Message]] = []
    sounding: dict[tuple[int, int], list[tuple[float, int, Voice]]] = {}
    programs = [0] * 16
    now = 0.0
    for message in midi:
        now += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on" and message.velocity:
            voice = Voice(message.channel, programs[message.channel])
            started = sounding.setdefault((message.channel, message.note), [])
            started.append((now, message.velocity, voice))
        elif message.type in ("note_on", "note_off"):
            # The oldest note of a key ends first, should a file start it twice.
            if started := sounding.get((message.channel, message.note), []):
                onset, velocity, voice = started.pop(0)
                notes.append(Note(onset, now - onset, message.note, velocity, voice))
        elif _is_playing(message):
            controls.append((now, message))
    for (_, key), started in sounding.items():  # never ended: they last as long as the file
        notes += [Note(on, now - on, key, velocity, voice) for on, velocity, voice in started]
    return _from_first_note(notes, controls)


def arrange(score: Score, plan: Plan, *, end: float) -> Score:
    """Play a score's first `end` seconds as planned; the result lasts `end / plan.speed`."""
    rng = np.random.default_rng(plan.seed)
    notes = []
    for note in score.notes:
        # Drawn for every note of the score: leaving a voice out must not change the others.
        late, louder = rng.normal(0, plan.jitter)
        if note.onset >= end or note.voice in plan.silent:
            continue
        onset = min(max(note.onset / plan.speed + late, 0.0), end / plan.speed)
        notes.append(
            Note(
                onset=onset,
                duration=min(note.duration, end - note.onset) / plan.speed,
                key=note.key if is_fixed(note.voice) else _within(note.key + plan.transposition),
                velocity=int(np.clip(note.velocity + plan.balance[note.voice] + louder, 1, 127)),
                voice=Voice(note.voice.channel, plan.programs[note.voice]),
            )
        )
    sends = zip((REVERB_SEND, CHORUS_SEND), plan.sends, strict=True)
    controls = [
        (0.0, mido.Message("control_change", channel=channel, control=control, value=value))
        for control, value in sends
        for channel in sorted({note.voice.channel for note in notes})
    ]
    controls += [(time / plan.speed, message) for time, message in score.controls if time < end]
    return Score(_by_onset(notes), tuple(controls), end / plan.speed)


def passage_end(score: Score, plans: Sequence[Plan], *, longest: float) -> float:
    """Where to stop, in seconds of the score, for the slowest plan to last `longest` at most."""
    return min(score.end, longest * min(plan.speed for plan in plans))


def to_midi(score: Score) -> mido.MidiFile:
    """Write a score as one track in which a tick lasts a millisecond."""
    events = [(round(time / TICK), 0, message) for time, message in score.controls]
    playing: dict[int, int] = {}
    for note, duration in _apart(score.notes):
        channel, program = note.voice
        on = round(note.onset / TICK)
        if playing.get(channel) != program:
            playing[channel] = program
            change = mido.Message("program_change", channel=channel, program=program)
            events.append((on, 1, change))
        sound = {"channel": channel, "note": note.key}
        off = max(on + 1, round((note.onset + duration) / TICK))
        events.append((off, -1, mido.Message("note_off", **sound)))
        events.append((on, 2, mido.Message("note_on", velocity=note.velocity, **sound)))
    events.sort(key=lambda event: event[:2])  # within a tick: ends, controls, programs, notes
    track, now = mido.MidiTrack(), 0
    for tick, _, message in events:
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, round(score.end / TICK) - now)))
    return mido.MidiFile(type=0, ticks_per_beat=500, tracks=[track])  # 120 beats a minute, unsaid


def play(score: Score, soundfont: str | Path, *, room: float = 0.3) -> np.ndarray:
    """Render a score with fluidsynth, at full scale.

    Args:
        score: what to play.
        soundfont: .sf2 or .sf3 file.
        room: size of the reverb's room, 0..1.

    Returns:
        int16 [T], 16 kHz mono, exactly as long as the score.

    Raises:
        RecipeError: fluidsynth is not installed, or the soundfont is not there.
        AudioError: nothing sounded.
    """
    program = shutil.which("fluidsynth")
    if program is None:
        raise RecipeError("fluidsynth is not on the PATH; Debian's package is called fluidsynth")
    if not Path(soundfont).is_file():
        raise RecipeError(f"there is no soundfont at {soundfont}")
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder, "score.mid"), Path(folder, "score.wav")
        to_midi(score).save(midi)
        settings = {
            # Twice the rate wanted: fluidsynth resamples without a filter, and what folds back
            # around 16 kHz is gone once the decoder has halved the rate.
            "synth.sample-rate": 2 * SAMPLE_RATE,
            "synth.gain": 0.1,  # float samples: headroom costs nothing, the peak is set below
            "synth.reverb.room-size": room,
            "synth.dynamic-sample-loading": 1,
        }
        options = [f"-o{name}={value}" for name, value in settings.items()]
        output = ["-Twav", "-Ofloat", f"-F{wave}"]
        command = [program, "-niq", *options, *output, str(soundfont), str(midi)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=600)
        if not wave.exists():
            reason = done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}"
            raise AudioError(midi, f"fluidsynth wrote nothing: {reason}")
        waveform = load_audio(wave, sample_rate=SAMPLE_RATE)
    whole = np.zeros(round(score.end * SAMPLE_RATE), np.float32)
    heard = waveform[: len(whole)]
    whole[: len(heard)] = heard / np.abs(heard).max()
    return np.round(whole * 32767).astype(np.int16)


def _is_playing(message: mido.Message) -> bool:
    return message.type == "pitchwheel" or (
        message.type == "control_change" and message.control in CONTROLS
    )


def _from_first_note(notes: list[Note], controls: list[tuple[float, mido.Message]]) -> Score:
    """Move the first note to 0 s, and what is set before it with it."""
    start = min((note.onset for note in notes), default=0.0)
    return Score(
        notes=_by_onset([replace(note, onset=note.onset - start) for note in notes]),
        controls=tuple((max(0.0, time - start), message) for time, message in controls),
        end=max((note.onset + note.duration for note in notes), default=start) - start,
    )


def _by_onset(notes: list[Note]) -> tuple[Note, ...]:
    return tuple(sorted(notes, key=lambda note: (note.onset, note.voice, note.key)))


def _within(key: int) -> int:
    """Move a key that has left the keyboard back by octaves."""
    while not 0 <= key <= 127:
        key += 12 if key < 0 else -12
    return key


def _apart(notes: Sequence[Note]) -> Iterator[tuple[Note, float]]:
    """Yield notes by onset with durations that end before their key is struck again on its channel.

    Of notes struck together on one key one is left: the end of either would end both.
    """
    following: dict[tuple[int, int], float] = {}
    played = []
    for note in reversed(notes):
        place = (note.voice.channel, note.key)
        duration = min(max(note.duration, GRACE), following.get(place, np.inf) - note.onset)
        if duration > TICK:
            played.append((note, duration))
            following[place] = note.onset
    return reversed(played)
