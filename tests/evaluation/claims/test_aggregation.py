"""Concatenation against the mean, on tracks of which it is known what tells them apart."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.evaluation.claims import aggregation
from soundalike.evaluation.claims.combining import NAMES
from soundalike.evaluation.retrieval import Retrieval
from soundalike.evaluation.sounds import Sound
from soundalike.library.aggregation import unit

D, S, N = 8, 4, 20
COUNTS = (1, S)


class Known:
    """Descriptions that are given: the first row is the grid of one segment, the others of four."""

    def __init__(self) -> None:
        self.rows: dict[str, np.ndarray] = {}

    def add(self, key: str, segments: np.ndarray) -> Sound:
        rows = np.concatenate([segments.mean(axis=0, keepdims=True), segments])
        self.rows[key] = np.asarray(unit(rows.astype(np.float32)))
        return Sound(key, _never_made)

    def of(self, sounds: Sequence[Sound]) -> list[np.ndarray]:
        return [self.rows[sound.key] for sound in sounds]


def _never_made(_: int) -> np.ndarray:
    raise AssertionError("what is described already is not made again")


def task(queries: list[Sound], tracks: list[Sound], name: str = "same_track") -> Retrieval:
    size = len(queries)
    return Retrieval(
        task=name,
        queries=queries,
        tracks=tracks,
        relevant=np.eye(size, dtype=bool),
        barred=np.zeros((size, size), dtype=bool),
        kinds=[""] * size,
        metrics=("top-1", "MRR"),
    )


def measured(query_of: Callable[[np.ndarray, int], np.ndarray], **options: Any) -> dict[str, Any]:
    """Figures of tracks that are the same four segments, each track in an order of its own; or, if
    `own`, four segments of its own."""
    own = options.pop("own", False)
    rng, known = np.random.default_rng(0), Known()
    palette = np.linalg.qr(rng.standard_normal((D, D)))[0][:S]
    orders = [np.array(order) for order in itertools.permutations(range(S))]
    tracks, queries = [], []
    for i in range(N):
        segments = rng.standard_normal((S, D)) if own else palette[orders[i]]
        tracks.append(known.add(f"track {i}", segments + 0.01 * rng.standard_normal((S, D))))
        queries.append(known.add(f"query {i}", query_of(segments, i)))
    training = [known.add(f"training {i}", rng.standard_normal((S, D))) for i in range(40)]
    retrieval = task(queries, tracks)
    return aggregation.measure(known, [retrieval], training, counts=COUNTS, timed=0, **options)


@pytest.fixture(scope="module")
def ordered() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return measured(lambda segments, _: segments + 0.05 * rng.standard_normal((S, D)))


@pytest.fixture(scope="module")
def shuffled() -> dict[str, Any]:
    return measured(lambda segments, i: np.roll(segments, 1 + i % (S - 1), axis=0), own=True)


def test_where_order_is_all_concat_is_found_to_be_better(ordered: dict[str, Any]) -> None:
    [found] = ordered["tasks"]
    assert found["metric"] == "MRR"
    assert found["values"]["concat"][str(S)] == [1.0] * N
    gap = aggregation.difference(found, "concat", "mean")
    assert gap.low > 0.4
    assert "The claim holds" in aggregation.verdict(ordered)
    assert "maxsim against mean: undecided everywhere" in aggregation.verdict(ordered)


def test_where_order_is_lost_the_mean_is_found_to_be_better(shuffled: dict[str, Any]) -> None:
    [found] = shuffled["tasks"]
    assert found["values"]["mean"][str(S)] == [1.0] * N
    assert found["values"]["maxsim"][str(S)] == [1.0] * N
    assert aggregation.difference(found, "concat", "mean").high < 0
    assert "The claim does not hold" in aggregation.verdict(shuffled)
    assert "max against mean: undecided everywhere" in aggregation.verdict(shuffled)


def test_where_both_are_perfect_nothing_is_shown() -> None:
    figures = measured(lambda segments, _: segments, own=True)
    assert "Not shown" in aggregation.verdict(figures)


def test_one_task_of_several_is_not_the_claim(ordered: dict[str, Any]) -> None:
    [one] = ordered["tasks"]
    [other] = measured(lambda segments, _: segments, own=True)["tasks"]
    both = {**ordered, "tasks": [{**one, "task": "tunes"}, {**other, "task": "drones"}]}
    assert "The claim holds in 1 of 2 tasks, which the others do not" in aggregation.verdict(both)


def test_tasks_that_contradict_each_other_are_both_named(
    ordered: dict[str, Any], shuffled: dict[str, Any]
) -> None:
    [one], [other] = ordered["tasks"], shuffled["tasks"]
    both = {**ordered, "tasks": [{**one, "task": "tunes"}, {**other, "task": "medleys"}]}
    words = aggregation.verdict(both)
    assert "beats the mean in some tasks and loses in others" in words
    gaps = [aggregation.difference(each, "concat", "mean").mean for each in (one, other)]
    assert f"better in tunes ({gaps[0]:+.3f}); worse in medleys ({gaps[1]:+.3f})" in words


def test_with_one_segment_all_ways_score_alike(ordered: dict[str, Any]) -> None:
    [found] = ordered["tasks"]
    assert all(found["values"][way]["1"] == found["values"]["mean"]["1"] for way in NAMES)
    for way in NAMES:
        gap = aggregation.difference(found, way, "mean", S=1)
        assert (gap.mean, gap.low, gap.high) == (0, 0, 0)


def test_what_is_kept_of_a_track_is_counted(ordered: dict[str, Any]) -> None:
    numbers = {(row["way"], row["S"]): row["numbers"] for row in ordered["cost"]}
    assert numbers["mean", S] == numbers["reduced", S] == D
    assert {numbers[way, S] for way in ("concat", "max", "maxsim", "best pairs")} == {S * D}
    assert all(row["bytes"] == 4 * row["numbers"] for row in ordered["cost"])


def test_time_is_measured_where_it_is_asked_for() -> None:
    ways = aggregation.combinations(np.asarray(unit(np.ones((3, S, D), np.float32))))
    rows = aggregation._cost(ways, np.ones((1, S, D), np.float32), timed=50)
    assert all(row["microseconds"] > 0 for row in rows)


def test_the_record_says_as_much_as_the_figures(ordered: dict[str, Any]) -> None:
    read = json.loads(json.dumps(ordered, allow_nan=False))
    text = aggregation.as_markdown(read)
    assert text == aggregation.as_markdown(ordered)
    assert "| concat | " in text
    assert "At equal numbers" in text
    assert " ▲" in text


def test_a_query_that_is_not_asked_counts_nowhere() -> None:
    rng, known = np.random.default_rng(0), Known()
    sounds = [known.add(str(i), rng.standard_normal((S, D))) for i in range(6)]
    retrieval = task(sounds, sounds)
    retrieval.relevant[2] = False
    figures = aggregation.measure(known, [retrieval], sounds, counts=COUNTS, timed=0)
    [found] = figures["tasks"]
    assert found["values"]["mean"]["4"] == [1, 1, None, 1, 1, 1]
    assert aggregation.difference(found, "concat", "mean").mean == 0


def test_trims_are_variants_of_the_same_tracks() -> None:
    sounds = [Sound(f"file{i}#second-half", lambda rate: np.arange(8.0 * rate)) for i in range(3)]
    cut = aggregation.trimmed(task(sounds, sounds), (0, 2, 30))
    assert cut.task == "same_track trimmed"
    assert cut.queries[:3] == sounds  # untouched, so described once
    assert len({query.key for query in cut.queries}) == 9
    assert [query.make(10)[0] for query in cut.queries[::3]] == [0, 20, 40]  # half at most
    assert (
        cut.kinds
        == ["first 0 s cut off"] * 3 + ["first 2 s cut off"] * 3 + ["first 30 s cut off"] * 3
    )
    assert all(query.key.startswith("file") for query in cut.queries)


def test_variants_of_a_track_do_not_narrow_its_intervals(shuffled: dict[str, Any]) -> None:
    rng, known = np.random.default_rng(0), Known()
    segments = rng.standard_normal((N, S, D))
    tracks = [known.add(f"track {i}", segments[i]) for i in range(N)]
    queries = [known.add(f"query {i}", segments[i] + rng.standard_normal((S, D))) for i in range(N)]
    once = task(queries, tracks)
    copies = aggregation.trimmed(once, (0,) * 5)
    often = replace(copies, kinds=[f"copy {i // N}" for i in range(5 * N)])
    found = aggregation.measure(known, [once, often], tracks, counts=COUNTS, timed=0)["tasks"]
    first, second = (aggregation.difference(each, "concat", "mean") for each in found)
    assert second.mean == pytest.approx(first.mean)
    assert second.high - second.low == pytest.approx(first.high - first.low, rel=0.1)
    assert first.high - first.low > 0


def test_a_thinned_task_asks_the_same_tracks_of_every_kind() -> None:
    sounds = [Sound(f"file{i}#second-half", _never_made) for i in range(9)]
    whole = aggregation.trimmed(task(sounds, sounds), (0, 5))
    few = aggregation.thinned(whole, 3)
    assert [query.key[:5] for query in few.queries] == ["file0", "file4", "file8"] * 2
    assert few.relevant.nonzero()[1].tolist() == [0, 4, 8] * 2
    assert few.kinds == ["first 0 s cut off"] * 3 + ["first 5 s cut off"] * 3
    assert len(few.tracks) == 9
    assert aggregation.thinned(whole, 99).queries == whole.queries


def test_trims_are_told_apart_in_the_verdict(shuffled: dict[str, Any]) -> None:
    [found] = shuffled["tasks"]
    halves = ["first 0 s cut off"] * (N // 2) + ["first 30 s cut off"] * (N // 2)
    even = {way: {S: [1.0] * N for S in table} for way, table in found["values"].items()}
    even["concat"]["4"] = [1.0] * (N // 2) + [0.2] * (N // 2)
    trims = {**found, "task": "same_track trimmed", "kinds": halves, "values": even}
    words = aggregation.verdict({**shuffled, "tasks": [found, trims]})
    assert "worse with the first 30 s cut off (of 2 trims)" in words


def test_the_picture_is_drawn(ordered: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    aggregation.draw(ordered, tmp_path / "aggregation.png")
    assert (tmp_path / "aggregation.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_names_the_encoder_where_the_record_does(ordered: dict[str, Any]) -> None:
    text = aggregation.as_markdown({**ordered, "system": "ours@1", "split": "validation"})
    assert text.startswith("ours@1, validation split.\n\n")
    assert text.endswith(aggregation.as_markdown(ordered))
