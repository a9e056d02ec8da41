"""What is heard of a file, apart from the encoder, is what the encoder would have heard itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fake_model import write_fake_model, write_tone
from soundalike.audio.listening import Ear, listen
from soundalike.embedder import Embedder
from soundalike.errors import AudioError, QueryError


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heard")
    return write_tone(folder / "a.flac", 440.0, 20.0, tags={"title": "A"})


def test_in_two_halves_the_vectors_are_the_same_bits(tmp_path: Path, file: Path) -> None:
    embedder = Embedder(write_fake_model(tmp_path / "fake"))
    for span in ((None, None), (3.0, 12.0)):
        whole = embedder.embed_file(file, start=span[0], end=span[1])
        halves = embedder.embed_sound(listen(file, embedder.ear, *span))
        assert np.array_equal(whole.vectors, halves.vectors)
        assert (whole.segments, whole.tags, whole.heard) == (
            halves.segments,
            halves.tags,
            halves.heard,
        )


def test_what_is_heard(file: Path) -> None:
    sound = listen(file, Ear(8_000, 16_000, 4))
    assert sound.rows.shape == (4, 16_000)
    assert sound.duration == pytest.approx(20.0)
    assert [segment.end - segment.start for segment in sound.segments] == pytest.approx([2.0] * 4)


def test_what_cannot_be_heard(tmp_path: Path, file: Path) -> None:
    with pytest.raises(AudioError, match="no such file"):
        listen(tmp_path / "none.flac", Ear(8_000, 16_000, 4))
    with pytest.raises(QueryError, match="no excerpt"):
        listen(file, Ear(8_000, 16_000, 4), 30.0)
