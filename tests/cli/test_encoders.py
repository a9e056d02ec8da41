"""join and export: encoders that were trained apart become senses, and come apart again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from shell import Run

from small_model import small_ast
from soundalike.embedder import Embedder, sense_of
from soundalike.model.checkpoint import from_pretrained, save_pretrained
from soundalike.model.export import export_folder
from soundalike.model.senses import join
from soundalike.model.waveform_encoder import SegmentSettings, WaveformEncoder


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two small encoders, not exported yet."""
    folder = tmp_path_factory.mktemp("parts")
    for seed, name in enumerate(("first", "second")):
        torch.manual_seed(seed)
        save_pretrained(WaveformEncoder(small_ast(name)), folder / name)
    return folder / "first", folder / "second"


@pytest.fixture(scope="module")
def joined(parts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both of them as one, exported."""
    folder = tmp_path_factory.mktemp("joined") / "both"
    encoders = dict(zip(("sound", "composition"), map(from_pretrained, parts), strict=True))
    export_folder(join(encoders, {"sound": 1, "composition": 1}, "both"), folder)  # type: ignore[arg-type]
    return folder


def test_a_joined_model_weighs_its_senses(
    run: Run, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    words = ("--weight", "sound=3", "--name", "both", "--out", tmp_path / "both")
    ran = run("join", f"sound={parts[0]}", f"composition={parts[1]}", *words)
    assert ran.code == 0, ran.err
    assert "both@" in ran.err
    embedder = Embedder(tmp_path / "both")
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 8_000)).astype(np.float32)
    vectors = embedder.embed_segments(noise)
    shares = [np.linalg.norm(vectors[:, where], axis=1) ** 2 for where in embedder.senses.values()]
    assert list(embedder.senses) == ["sound", "composition"]
    assert np.allclose(shares, [[0.75] * 2, [0.25] * 2], atol=1e-5)


def test_a_sense_is_exported_alone(run: Run, joined: Path, tmp_path: Path) -> None:
    ran = run("export", joined, tmp_path / "alone", "--sense", "composition")
    assert ran.code == 0, ran.err
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 8_000)).astype(np.float32)
    both, alone = Embedder(joined), Embedder(tmp_path / "alone")
    assert alone.name == "second"
    own = sense_of(both.embed_segments(noise), "composition", both.senses)
    assert np.allclose(own, alone.embed_segments(noise), atol=1e-3)


def test_a_shipped_encoder_is_exported_by_name(run: Run, tmp_path: Path) -> None:
    ran = run("export", "two-senses", tmp_path / "composition", "--sense", "composition")
    assert ran.code == 0, ran.err
    assert json.loads((tmp_path / "composition/config.json").read_text())["kind"] == "pitch_cnn"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sound"], "SENSE=MODEL"),
        (["sound={0}"], "two senses or more"),
        (["sound={0}", "sound={1}"], "twice"),
        (["sound={0}", "composition={1}", "--weight", "sound=much"], "no number"),
        (["sound={0}", "composition={1}", "--weight", "sound=0"], "above 0"),
        (["sound={0}", "composition={1}", "--weight", "smell=1"], "weights"),
    ],
)
def test_join_explains_what_is_wrong(
    run: Run, parts: tuple[Path, Path], tmp_path: Path, arguments: list[str], words: str
) -> None:
    given = [word.format(*parts) for word in arguments]
    ran = run("join", *given, "--name", "both", "--out", tmp_path / "both")
    assert ran.code == 2
    assert words in ran.err
    assert not (tmp_path / "both").exists()


def test_parts_that_hear_different_segments_do_not_join(
    run: Run, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    longer = replace(small_ast("longer"), segments=SegmentSettings(length=0.9, count=2))
    save_pretrained(WaveformEncoder(longer), tmp_path / "longer")
    words = (f"sound={parts[0]}", f"composition={tmp_path / 'longer'}")
    ran = run("join", *words, "--name", "both", "--out", tmp_path / "both")
    assert ran.code == 2
    assert "segments" in ran.err


def test_a_joined_model_is_a_part_too_and_one_sense(
    run: Run, joined: Path, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    more, whole, first = (tmp_path / name for name in ("more", "whole", "first"))
    ran = run("join", f"a={joined}", f"b={parts[0]}", "--name", "more", "--out", more)
    assert ran.code == 0, ran.err
    assert list(Embedder(more).senses) == ["a", "b"]
    assert run("export", more, whole, "--sense", "a").code == 0
    assert Embedder(whole).identity == Embedder(joined).identity
    assert run("export", more, first, "--sense", "a.sound").code == 0
    rounded = save_pretrained(from_pretrained(parts[0]), tmp_path / "alone", dtype=torch.float16)
    assert Embedder(first).identity == rounded


def test_a_sense_that_is_not_there_is_named(
    run: Run, joined: Path, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    ran = run("export", joined, tmp_path / "out", "--sense", "smell")
    assert ran.code == 1
    assert "sound, composition" in ran.err
    ran = run("export", parts[0], tmp_path / "out", "--sense", "sound")
    assert "single encoder" in ran.err
    ran = run("export", joined, tmp_path / "out", "--sense", "sound.low")
    assert ran.code == 1
    assert "sound of" in ran.err
    assert "has no sense 'low'; it has: none, for it is a single encoder" in ran.err
