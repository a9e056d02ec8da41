"""Renderings are made once, kept whole, and made again when they were torn."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mido", reason="scores need mido")

from small_pieces import write_pieces
from soundalike.errors import AudioError, QueryError, RecipeError
from soundalike.evaluation import renderings as module
from soundalike.evaluation.pieces import Piece, read_pieces
from soundalike.evaluation.renderings import Renderings, prepare, sound
from soundalike.evaluation.versions import ORIGINAL, Version, versions_of
from soundalike.scores import rendering
from soundalike.scores.rendering import Score


class StandIn:
    """Plays each note as a sine, and counts the scores it was given."""

    def __init__(self) -> None:
        self.played: list[tuple[str, float]] = []

    def __call__(self, score: Score, soundfont: Path, *, room: float) -> np.ndarray:
        self.played.append((Path(soundfont).name, score.end))
        t = np.arange(round(score.end * 16_000)) / 16_000
        waveform = np.zeros(len(t))
        for note in score.notes:
            sounding = (t >= note.onset) & (t < note.onset + note.duration)
            waveform += sounding * np.sin(2 * np.pi * 440 * 2 ** ((note.key - 69) / 12) * t)
        return np.round(waveform / np.abs(waveform).max() * 32767).astype(np.int16)


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(rendering, "play", stand_in)
    return stand_in


@pytest.fixture
def pieces(tmp_path: Path) -> list[Piece]:
    return read_pieces(write_pieces(tmp_path, 2))


@pytest.fixture
def renderings(tmp_path: Path) -> Renderings:
    fonts = tmp_path / "one.sf2", tmp_path / "two.sf2"
    for font in fonts:
        font.write_bytes(font.name.encode())
    return Renderings(tmp_path / "cache", fonts)


def everything(pieces: list[Piece]) -> list[Version]:
    return [
        version for piece in pieces for version in (Version(piece, ORIGINAL), *versions_of(piece))
    ]


def test_what_was_rendered_is_kept(
    pieces: list[Piece], renderings: Renderings, player: StandIn
) -> None:
    seen: list[tuple[int, int]] = []
    assert prepare(everything(pieces), renderings, progress=lambda *at: seen.append(at)) == []
    assert len(player.played) == 14
    assert seen == [(7, 14), (14, 14)]
    assert sorted(renderings.cache.iterdir()) == sorted(map(renderings.path, everything(pieces)))
    assert prepare(everything(pieces), renderings) == []
    for version in everything(pieces):
        sound(version, renderings).make(16_000)
    assert len(player.played) == 14


def test_it_goes_on_where_it_was_stopped(
    pieces: list[Piece], renderings: Renderings, player: StandIn
) -> None:
    prepare(everything(pieces)[:3], renderings)
    prepare(everything(pieces), renderings, jobs=1)
    assert len(player.played) == 14


def test_a_sound_is_the_rendering_at_any_sample_rate(
    pieces: list[Piece], renderings: Renderings, player: StandIn
) -> None:
    heard = sound(Version(pieces[0], ORIGINAL), renderings)
    at_16, at_22 = heard.make(16_000), heard.make(22_050)
    assert at_16.dtype == at_22.dtype == np.float32
    assert len(at_22) / 22_050 == pytest.approx(len(at_16) / 16_000, abs=0.001)
    for waveform, rate in ((at_16, 16_000), (at_22, 22_050)):
        spectrum = np.abs(np.fft.rfft(waveform[: rate // 4] * np.hanning(rate // 4), rate))
        note = rendering.read_score(pieces[0].score).notes[0]
        assert np.argmax(spectrum) == pytest.approx(440 * 2 ** ((note.key - 69) / 12), abs=3)
    assert len(player.played) == 1


def test_keeping_a_rendering_loses_nothing(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-32767, 32768, 50_001).astype(np.int16)
    module._save(tmp_path / "a.flac", samples)
    kept = module.load_audio(tmp_path / "a.flac", sample_rate=16_000)
    assert np.array_equal(np.round(kept * 32768), samples)
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]


@pytest.mark.parametrize("left", [0, 40, 0.5, 0.97])
def test_a_torn_file_is_rendered_again(
    pieces: list[Piece], renderings: Renderings, player: StandIn, left: float
) -> None:
    version = Version(pieces[0], ORIGINAL)
    whole = sound(version, renderings).make(16_000)
    path = renderings.path(version)
    bytes_left = left if isinstance(left, int) else int(left * path.stat().st_size)
    path.write_bytes(path.read_bytes()[:bytes_left])
    assert np.array_equal(sound(version, renderings).make(16_000), whole)
    assert len(player.played) == 2
    sound(version, renderings).make(16_000)
    assert len(player.played) == 2


def test_nothing_is_left_of_a_rendering_that_failed(
    pieces: list[Piece], renderings: Renderings, player: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.av.AudioFrame, "from_ndarray", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prepare(everything(pieces), renderings)
    assert list(renderings.cache.iterdir()) == []


def test_the_other_soundfont_plays_what_is_said_to_use_it(
    pieces: list[Piece], renderings: Renderings, player: StandIn
) -> None:
    fonts = {}
    for version in everything(pieces[:1]):
        sound(version, renderings).make(16_000)
        fonts[version.kind] = player.played[-1][0]
    others = {kind for kind, font in fonts.items() if font == "two.sf2"}
    assert others == {"other instruments", "all at once"}


def test_the_key_of_a_sound_says_all_it_depends_on(
    pieces: list[Piece], renderings: Renderings
) -> None:
    def keys() -> dict[str, str]:
        return {version.kind: sound(version, renderings).key for version in everything(pieces[:1])}

    before = keys()
    assert len(set(before.values())) == 7
    assert keys() == before
    moved = replace(renderings, cache=renderings.cache / "elsewhere")
    version = Version(pieces[0], "key")
    assert sound(version, moved).key == before["key"]
    assert sound(replace(version, seed=1), renderings).key != before["key"]
    renderings.soundfonts[1].write_bytes(b"changed")
    changed = {kind for kind, key in keys().items() if key != before[kind]}
    assert changed == {"other instruments", "all at once"}
    pieces[0].performances[0].write_bytes(pieces[1].performances[0].read_bytes())
    changed |= {kind for kind, key in keys().items() if key != before[kind]}
    assert changed == {"other instruments", "all at once", "performer"}


def test_a_score_that_cannot_be_read_stops_no_other(
    pieces: list[Piece], renderings: Renderings, player: StandIn
) -> None:
    pieces[0].score.write_bytes(b"not music")
    failed = prepare(everything(pieces), renderings)
    assert [error.path for error in failed] == [pieces[0].score] * 7
    assert len(player.played) == 7
    with pytest.raises(AudioError, match="cannot be read as a score"):
        sound(Version(pieces[0], "key"), renderings).make(16_000)


def test_what_is_missing_is_named(pieces: list[Piece], renderings: Renderings) -> None:
    fonts = Path("TimGM6mb.sf2"), Path("OPL-3_FM_128M.sf2")
    without = replace(renderings, soundfonts=fonts)
    with pytest.raises(RecipeError, match=r"TimGM6mb\.sf2; Debian's .* timgm6mb-soundfont"):
        prepare([Version(pieces[0], ORIGINAL)], without)
    with pytest.raises(RecipeError, match=r"opl3-soundfont"):
        sound(Version(pieces[0], "all at once"), without)
    pieces[0].score.unlink()
    with pytest.raises(QueryError, match=r"no score at .*score\.mid"):
        sound(Version(pieces[0], "key"), renderings)


def test_a_missing_fluidsynth_is_named(
    pieces: list[Piece], renderings: Renderings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(RecipeError, match="Debian's package is called fluidsynth"):
        prepare(everything(pieces), renderings)


SOUNDFONT = Path(os.environ.get("SOUNDALIKE_SOUNDFONT", module.SOUNDFONTS[0]))


@pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not SOUNDFONT.is_file(),
    reason=f"fluidsynth is not installed, or there is no soundfont at {SOUNDFONT}",
)
def test_fluidsynth_plays_a_version_in_its_key(pieces: list[Piece], tmp_path: Path) -> None:
    real = Renderings(tmp_path / "cache", (SOUNDFONT, SOUNDFONT))
    score = module.read(pieces[0])
    plain = sound(Version(pieces[0], ORIGINAL), real).make(16_000)
    version = Version(pieces[0], "key")
    moved = sound(version, real).make(16_000)
    _, plan = module.write(version, score)
    assert len(moved) == len(plain) == round(score.end * 16_000)

    def pitch_classes(waveform: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(waveform)) ** 2
        hertz = np.fft.rfftfreq(len(waveform), 1 / 16_000)
        audible = (hertz > 60) & (hertz < 2_000)
        classes = np.round(12 * np.log2(hertz[audible] / 440)).astype(int) % 12
        return np.bincount(classes, power[audible], minlength=12)

    def likeness(shift: int) -> float:
        turned = np.roll(pitch_classes(plain), shift)
        return float(np.corrcoef(turned, pitch_classes(moved))[0, 1])

    assert max(range(12), key=likeness) == plan.transposition % 12
