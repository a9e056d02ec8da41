"""A song of two bars, in notation; skipped where partitura is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("mido", reason="scores need mido")

from soundalike.errors import RecipeError
from soundalike.scores.notation import PIANO, SINGER
from soundalike.scores.rendering import read_score


def note(pitch: str, *, duration: int, voice: int = 1, chord: bool = False) -> str:
    return (
        f"<note>{'<chord/>' if chord else ''}<pitch><step>{pitch[0]}</step>"
        f"<octave>{pitch[1]}</octave></pitch><duration>{duration}</duration>"
        f"<voice>{voice}</voice></note>"
    )


MELODY = note("C5", duration=2) + note("E5", duration=2)
CHORDS = "".join(
    [
        note("C4", duration=4),
        note("E4", duration=4, chord=True),
        "<backup><duration>4</duration></backup>",
        note("C3", duration=4, voice=2),
    ]
)
BEGIN = """<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time>
</attributes><direction><sound tempo="60"/></direction>"""
SONG = f"""<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="3.1"><part-list>
<score-part id="P1"><part-name>Singstimme</part-name></score-part>
<score-part id="P2"><part-name>Klavier</part-name></score-part></part-list>
<part id="P1"><measure number="1">{BEGIN}{MELODY}</measure></part>
<part id="P2"><measure number="1">{BEGIN}{CHORDS}</measure></part></score-partwise>"""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.musicxml"
    path.write_text(SONG, encoding="utf-8")
    return path


@pytest.mark.filterwarnings("ignore")  # partitura's imports are not ours to keep quiet
def test_each_voice_of_each_part_has_a_channel_and_each_part_an_instrument(song: Path) -> None:
    pytest.importorskip("partitura", reason="notation needs partitura")
    score = read_score(song)
    assert [(voice.program, keys) for voice, keys in score.voices().items()] == [
        (SINGER, [72, 76]),
        (PIANO, [60, 64]),
        (PIANO, [48]),
    ]
    assert len({voice.channel for voice in score.voices()}) == 3
    assert [note.onset for note in score.notes if note.voice.program == SINGER] == [0.0, 2.0]


def test_without_partitura_the_error_says_so(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "partitura", None)
    with pytest.raises(RecipeError, match=r"song\.musicxml is notation, and partitura"):
        read_score(song)
