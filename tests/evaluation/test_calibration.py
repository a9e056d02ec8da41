from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fake_model import write_fake_model, write_sound, write_tone
from soundalike.embedder import Embedder
from soundalike.errors import AudioError, QueryError
from soundalike.evaluation import calibration
from soundalike.evaluation.calibration import fit, measure, unrelated
from soundalike.evaluation.tasks.recordings import Recording
from soundalike.library.aggregation import AGGREGATIONS, similarities, unit
from soundalike.library.similarity import KINDS, SHARES, VALUES, Scale, checked_curves, read_curves

S, D = 3, 12
SENSES = {"sound": slice(0, 8), "composition": slice(8, 12)}


def music(albums: int, seed: int = 0) -> tuple[np.ndarray, list[Recording]]:
    """Albums of two tracks, at random."""
    rng = np.random.default_rng(seed)
    vectors = unit(rng.standard_normal((2 * albums, S, D)).astype(np.float32))
    named = [Recording(Path(f"{i}.wav"), f"album {i // 2}", "") for i in range(2 * albums)]
    return vectors, named


def test_unrelated_are_other_albums_of_other_artists() -> None:
    rows = [("x", "Ann"), ("x", ""), ("y", "Ann"), ("y", ""), ("", ""), ("", "")]
    apart = unrelated([Recording(Path("a"), album, artist) for album, artist in rows])
    expected = [(0, 3), (0, 4), (0, 5), (1, 2), (1, 3), (1, 4), (1, 5)]
    expected += [(2, 4), (2, 5), (3, 4), (3, 5)]
    assert list(zip(*map(list, np.nonzero(apart)), strict=True)) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_cosines_are_those_a_library_ranks_by(kind: str) -> None:
    vectors, _ = music(4)
    found = calibration.cosines(vectors, kind)
    for i, query in enumerate(vectors):
        if kind in AGGREGATIONS:
            np.testing.assert_allclose(found[i], similarities(query, vectors, kind), atol=1e-5)
        else:
            slow = [[a @ b for a in query for b in track] for track in vectors]
            np.testing.assert_allclose(found[i], slow, atol=1e-5)


def test_of_the_music_it_was_fitted_on_the_shares_are_as_promised() -> None:
    vectors, recordings = music(60)
    apart = unrelated(recordings)
    assert apart.sum() == 120 * 119 // 2 - 60
    curves = fit(vectors, apart, SENSES)
    assert set(curves) == {"both", *SENSES}
    albums = [recording.album for recording in recordings]
    for row in measure(curves, vectors, apart, albums, SENSES):
        assert row["pairs"] == apart.sum()
        for (share, low, high), promised in zip(row["shares"], SHARES, strict=True):
            assert share == pytest.approx(promised, abs=2 / row["pairs"]), row
            assert low <= share <= high


def test_of_other_music_the_shares_are_counted_pair_by_pair() -> None:
    vectors, recordings = music(60)
    curves = fit(vectors, unrelated(recordings), {})
    others, named = music(9, seed=1)
    apart = unrelated(named)
    rows = measure(curves, others, apart, [r.album for r in named], {})
    for row in rows:
        cosines = calibration.cosines(others, row["kind"])
        scale = Scale(curves)
        found = [
            scale.similarity(float(cosine), "both", row["kind"])
            for i, j in zip(*np.nonzero(apart), strict=True)
            for cosine in np.atleast_1d(cosines[i, j])
        ]
        for (share, _, _), value in zip(row["shares"], VALUES, strict=True):
            expected = np.mean([each >= value if value else each > 0 for each in found])
            assert share == pytest.approx(expected)
    assert rows == measure(curves, others, apart, [r.album for r in named], {})


def test_too_little_music_is_refused() -> None:
    vectors, recordings = music(20)
    with pytest.raises(QueryError, match="only 760 pairs"):
        fit(vectors, unrelated(recordings), {})


def test_music_an_encoder_cannot_tell_apart_is_refused() -> None:
    vectors, recordings = music(40)
    vectors[:] = vectors[0, 0]
    with pytest.raises(QueryError, match="does not tell these tracks apart"):
        fit(vectors, unrelated(recordings), {})


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    vectors, recordings = music(40)
    curves = fit(vectors, unrelated(recordings), SENSES)
    made = calibration.document("fake@1", curves, recordings, source="here")
    path = calibration.write_calibration(tmp_path, made)
    assert json.loads(path.read_text("utf-8")) == made
    assert checked_curves(made["curves"]) == read_curves(tmp_path, "fake@1") == curves
    assert made["measured_on"] == {"source": "here", "tracks": 80, "albums": 40, "pairs": 3120}
    assert len(path.read_text("utf-8").splitlines()) < 50


def test_files_are_listened_to_once_and_bad_ones_left_out(tmp_path: Path) -> None:
    embedder = Embedder(write_fake_model(tmp_path / "model"))
    good = [write_tone(tmp_path / f"{f}.wav", f, 2.0) for f in (200.0, 300.0)]
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound")
    recordings = [Recording(path, path.stem, "") for path in (good[0], bad, good[1])]
    warned: list[AudioError] = []
    steps: list[tuple[int, int]] = []

    def hear() -> tuple[list[Recording], np.ndarray]:
        return calibration.heard(
            embedder,
            recordings,
            cache=tmp_path / "cache",
            jobs=1,
            progress=lambda done, total: steps.append((done, total)),
            warn=warned.append,
        )

    kept, vectors = hear()
    assert [recording.path for recording in kept] == good
    assert [error.path for error in warned] == [bad]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    for path, own in zip(good, vectors, strict=True):
        np.testing.assert_array_equal(own, embedder.embed_file(path).vectors)
    again, same = hear()
    assert again == kept
    np.testing.assert_array_equal(same, vectors)
    assert steps[3:] == [(1, 1)]  # the bad one may have been mended
    with pytest.raises(QueryError, match="none of the 1 recordings"):
        calibration.heard(embedder, recordings[1:2], jobs=1)


def test_of_copies_the_first_counts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [(rng.standard_normal(12 * 16_000) / 5).astype(np.float32) for _ in range(2)]
    paths = [
        write_sound(tmp_path / f"{i}.wav", sound[None], sample_rate=16_000)
        for i, sound in enumerate((noise[0], noise[1], noise[0] * 0.5))
    ]
    recordings = [Recording(path, path.stem, "") for path in paths]
    assert calibration.distinct(recordings, cache=tmp_path / "cache") == [0, 1]
    assert calibration.distinct(recordings, cache=tmp_path / "cache") == [0, 1]
