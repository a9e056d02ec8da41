"""Systems through all tasks: a model folder and statistics on tones whose likeness is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fake_model import tone, write_fake_model, write_sound, write_tone
from soundalike.errors import AudioError, ModelError, QueryError
from soundalike.evaluation import baselines
from soundalike.evaluation.retrieval import Retrieval, Score
from soundalike.evaluation.sounds import Sound
from soundalike.evaluation.suite import TASKS, Evaluation, evaluate, prepare, without
from soundalike.evaluation.tasks import arrangement, degraded

SECONDS, RATE = 12.0, 16_000
LABELS = ("same_track", "same_album", "same_artist")


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two albums of three chords; those of an album share their lower tone. Two are for fitting."""
    folder = tmp_path_factory.mktemp("chords")
    rows = ["path,split,soundtrack,artist"]
    for album, lower in (("low", 150.0), ("high", 1_300.0)):
        for number, upper in enumerate((300.0, 600.0, 3_000.0)):
            chord = tone(lower, SECONDS, level=0.3) + tone(upper, SECONDS, level=0.2)
            write_sound(folder / f"{album}-{number}.wav", chord[None], sample_rate=RATE)
            rows.append(f"{album}-{number}.wav,test,{album},artist {number % 2}")
    for number in range(3):
        write_tone(folder / f"train-{number}.wav", 200.0 * 3**number, 2.0)
        rows.append(f"train-{number}.wav,train,,")
    (folder / "broken.wav").write_text("no sound")
    rows += ["broken.wav,test,low,", "broken.wav,train,,"]
    (folder / "tracks.csv").write_text("\n".join(rows))
    return folder / "tracks.csv"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_model(tmp_path_factory.mktemp("fake"), count=3)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def bands(waveform: np.ndarray) -> np.ndarray:
        spectrum = np.abs(np.fft.rfft(waveform[: 1_024 * 30].reshape(30, 1_024)))[:, :512]
        return np.log(spectrum.reshape(30, 64, 8).mean(axis=(0, 2)) + 1e-3)[None]

    monkeypatch.setattr(baselines, "BASELINES", {"bands": bands})
    # Listening for copies is tested where it lives.
    monkeypatch.setattr("soundalike.evaluation.duplicates.same_recording", lambda recordings: [])


def score(evaluation: Evaluation, task: str, metric: str) -> float:
    (found,) = [each for each in evaluation.results if each.task == task]
    return found.intervals[metric].mean


def test_a_model_is_measured_by_its_own_identity(model: Path, tracks: Path) -> None:
    told: list[AudioError] = []
    seen: list[tuple[int, int]] = []
    exam = prepare(tracks, "test", tasks=LABELS, warn=told.append)
    evaluation = evaluate(str(model), exam, progress=lambda *step: seen.append(step))
    assert evaluation.system == str(model)
    assert evaluation.identity == "fake@000008003e80"
    assert (evaluation.tracks, evaluation.numbers, evaluation.aggregation) == (6, 8, "mean")
    assert evaluation.cost.sounds == 6
    assert evaluation.cost.audio == SECONDS / 2
    assert 0 < evaluation.cost.processor < 10
    assert [error.path.name for error in told] == ["broken.wav"]
    assert seen[-1] == (24, 24)  # twelve halves, made and described
    assert {total for _, total in seen} == {24}
    assert score(evaluation, "same_track", "top-1") == 1  # steady chords: both halves are the same
    assert score(evaluation, "same_album", "mAP") > 0.6  # chance is about a half


@pytest.mark.parametrize(("aggregation", "numbers"), [("mean", 8), ("concat", 24), ("maxsim", 24)])
def test_aggregations_share_descriptions(
    model: Path, tracks: Path, tmp_path: Path, aggregation: str, numbers: int
) -> None:
    exam = prepare(tracks, "test", tasks=["same_track"], cache=tmp_path)
    evaluate(str(model), exam, cache=tmp_path)
    seen: list[tuple[int, int]] = []
    evaluation = evaluate(
        *(str(model), exam),
        aggregation=aggregation,
        cache=tmp_path,
        progress=lambda *step: seen.append(step),
    )
    assert seen == []
    assert (evaluation.aggregation, evaluation.numbers) == (aggregation, numbers)
    assert score(evaluation, "same_track", "top-1") == 1


def test_a_statistic_is_fitted_on_training_tracks_and_measured_like_a_model(tracks: Path) -> None:
    exam = prepare(tracks, "test", tasks=LABELS)
    assert exam.fitted_on == "train"
    assert len(exam.training) == 4
    evaluation = evaluate("bands", exam)
    assert evaluation.identity.startswith("bands@")
    assert evaluation.identity.endswith("fitted on train")
    assert (evaluation.numbers, evaluation.aggregation) == (64, "")
    assert score(evaluation, "same_track", "top-1") == 1
    (task,) = [each for each in evaluation.results if each.task == "same_album"]
    assert task.intervals["mAP"].mean > 0.6


def test_without_training_tracks_the_set_itself_gives_the_scale(tracks: Path) -> None:
    alone = tracks.with_name("alone.csv")
    rows = [row for row in tracks.read_text().splitlines() if ",train," not in row]
    alone.write_text("\n".join(rows))
    exam = prepare(alone, "test", tasks=LABELS)
    assert evaluate("bands", exam).identity.endswith("fitted on the set itself")
    assert {sound.key.partition("#")[2] for sound in exam.training} == {"first-half"}


def test_at_most_a_hundred_training_tracks_are_drawn_by_the_seed(tmp_path: Path) -> None:
    rows = [f"{number}.wav,train,," for number in range(130)]
    write_tone(tmp_path / "one.wav", 200, 12.0)
    table = tmp_path / "tracks.csv"
    table.write_text("\n".join(["path,split,soundtrack,artist", *rows, "one.wav,test,,"]))
    drawn = [
        [sound.key for sound in prepare(table, "test", tasks=["same_track"], seed=seed).training]
        for seed in (0, 0, 1)
    ]
    assert len(set(drawn[0])) == 100
    assert drawn[0] == drawn[1] != drawn[2]


def test_all_that_the_data_allow_is_asked_and_the_rest_explained(tracks: Path) -> None:
    exam = prepare(tracks, "test")
    assert [each.task for each in exam.retrievals] == [
        "same_track",
        "degraded",
        "same_album",
        "same_album_other_artists",
        "same_artist",
        "same_artist_other_albums",
    ]
    assert not exam.hubness
    assert exam.skipped == {
        "arrangement": "no file is no list of pieces; name one with --pieces",
        "same_genre": "no track has anything to find",
        "same_genre_other_artists": "no track has anything to find",
        "hubness": "6 tracks, and it takes more than 20",
    }


def test_colleagues_tasks_are_asked_with_what_they_need(
    tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: dict[str, object] = {}
    (made,) = prepare(tracks, "test", tasks=["same_track"]).retrievals

    def degrade(recordings: list[object], **given: object) -> Retrieval:
        called["degraded"] = (len(recordings), given)
        return made

    def arrange(pieces: Path, cache: Path, **given: object) -> list[Retrieval]:
        called["arrangement"] = (pieces, cache, given)
        return [made, made]

    monkeypatch.setattr(degraded, "degraded", degrade)
    monkeypatch.setattr(arrangement, "arrangement", arrange)
    pieces = tmp_path / "pieces.csv"
    pieces.touch()
    exam = prepare(
        *(tracks, "test"),
        tasks=["degraded", "arrangement"],
        pieces=pieces,
        seed=3,
        cache=tmp_path / "cache",
    )
    assert len(exam.retrievals) == 3
    given = {"seed": 3, "duplicates": [], "cache": tmp_path / "cache/degraded"}
    assert called["degraded"] == (6, given)
    assert called["arrangement"] == (
        pieces,
        tmp_path / "cache/renderings",
        {"split": "test", "seed": 3},
    )


def test_hubs_are_counted_where_there_are_enough_tracks(model: Path, tmp_path: Path) -> None:
    rows = ["path,split,soundtrack,artist"]
    for number in range(24):
        write_tone(tmp_path / f"{number}.wav", 150.0 * 1.15**number, 12.0, sample_rate=8_000)
        rows.append(f"{number}.wav,test,,")
    (tmp_path / "tracks.csv").write_text("\n".join(rows))
    exam = prepare(tmp_path / "tracks.csv", "test", tasks=["hubness"])
    assert exam.retrievals == []
    (found,) = evaluate(str(model), exam).results
    assert (found.task, found.queries) == ("hubness", 24)
    assert sum(found.values["N_10"]) == 240
    (tmp_path / "7.wav").unlink()  # goes away while the others are described
    told: list[AudioError] = []
    assert evaluate(str(model), exam, warn=told.append).results == []
    assert {error.path.name for error in told} == {"7.wav"}
    for number in range(24):
        (tmp_path / f"{number}.wav").unlink(missing_ok=True)
    with pytest.raises(QueryError, match="none of the tracks could be listened to"):
        evaluate(str(model), exam)


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        (["same_trak"], "no task 'same_trak'; did you mean same_track"),
        (["zzz"], f"no task 'zzz'; there are {', '.join(TASKS)}"),
        (["same_track", "hubness"], "hubness cannot be asked: 6 tracks"),
        (["arrangement"], "arrangement cannot be asked: no file is no list of pieces"),
        (["same_genre"], "same_genre cannot be asked: no track has anything to find"),
    ],
)
def test_a_task_that_cannot_be_asked_is_refused(tracks: Path, tasks: list[str], said: str) -> None:
    with pytest.raises(QueryError) as caught:
        prepare(tracks, "test", tasks=tasks)
    assert said in str(caught.value)


def test_what_is_not_there_is_said(tracks: Path) -> None:
    with pytest.raises(ModelError, match="nobody"):
        evaluate("nobody", prepare(tracks, "test", tasks=["same_track"]))
    with pytest.raises(QueryError, match='no track in the split "exam"'):
        prepare(tracks, "exam")


def test_halves_are_compared_second_against_first(model: Path, tmp_path: Path) -> None:
    """Each first half sounds like the next track's second half: every query is answered wrongly."""
    frequencies = np.geomspace(150, 4_000, 4)
    rows = ["path,split,soundtrack"]
    for number in range(4):
        parts = [tone(frequencies[i % 4], 6.0) for i in (number, number + 1)]
        write_sound(tmp_path / f"{number}.wav", np.concatenate(parts)[None], sample_rate=RATE)
        rows.append(f"{number}.wav,test,album {number % 2}")
    (tmp_path / "tracks.csv").write_text("\n".join(rows))
    exam = prepare(tmp_path / "tracks.csv", "test", tasks=["same_track"])
    found = evaluate(str(model), exam)
    assert score(found, "same_track", "top-1") == 0
    assert score(found, "same_track", "MRR") <= 1 / 2


def test_copies_of_a_recording_are_looked_for_once(
    model: Path, tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def same_recording(recordings: list[object]) -> list[set[int]]:
        calls.append(len(recordings))
        return [{0, 2}]

    monkeypatch.setattr("soundalike.evaluation.duplicates.same_recording", same_recording)
    for _ in range(2):
        exam = prepare(tracks, "test", tasks=["same_track", "same_album"], cache=tmp_path)
        assert exam.duplicates == [{0, 2}]
    assert calls == [6]
    track, album = exam.retrievals[:2]
    assert track.relevant[0].tolist() == [True, False, True, False, False, False]
    assert album.barred[0].tolist() == [True, False, True, False, False, False]
    assert evaluate(str(model), exam).results


# What cannot be made


def made_up(keys: str, broken: str = "") -> Retrieval:
    def sound(key: str) -> Sound:
        def make(rate: int) -> np.ndarray:
            if key in broken:
                raise AudioError(key, "cannot be rendered")
            return tone(200.0 + 100 * ord(key), 3.0, sample_rate=rate)

        return Sound(key, make)

    N = len(keys)
    return Retrieval(
        task="made up",
        queries=[sound(key) for key in keys],
        tracks=[sound(key.upper()) for key in keys],
        relevant=np.eye(N, dtype=bool),
        barred=np.zeros((N, N), dtype=bool),
        kinds=list("xy" * N)[:N],
        metrics=("top-1",),
    )


def test_sounds_that_cannot_be_made_leave_the_task() -> None:
    retrieval = made_up("abcd")
    known = dict.fromkeys("abdABCD")
    left = without(retrieval, known)
    assert [sound.key for sound in left.queries] == ["a", "b", "d"]
    assert left.kinds == ["x", "y", "y"]
    np.testing.assert_array_equal(left.relevant, np.eye(4, dtype=bool)[[0, 1, 3]])
    fewer = without(retrieval, dict.fromkeys("abcdABD"))
    assert fewer.relevant.any(axis=1).tolist() == [True, True, False, True]
    assert without(retrieval, dict.fromkeys("abcdABCD")) is retrieval


def test_a_task_is_asked_with_what_is_left_and_not_if_nothing_is(model: Path, tracks: Path) -> None:
    base = prepare(tracks, "test", tasks=["same_track"])
    told: list[AudioError] = []

    def results(keys: str, broken: str) -> list[Score]:
        exam = replace(base, retrievals=[made_up(keys, broken)])
        return evaluate(str(model), exam, warn=told.append).results

    assert [each.queries for each in results("abcd", "bc")] == [1, 1, 2]
    assert {str(error.path) for error in told} == {"b", "c"}
    assert results("abcd", "abcd") == []


def test_every_task_has_a_digest_of_what_was_asked(model: Path, tracks: Path) -> None:
    exam = prepare(tracks, "test", tasks=LABELS)
    asked = evaluate(str(model), exam).asked
    assert set(asked) == {each.task for each in exam.retrievals}
    assert len(set(asked.values())) == len(asked)
    assert evaluate("bands", exam).asked == asked
