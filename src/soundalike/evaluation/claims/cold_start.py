"""Claim: "Content answers for tracks that nobody has played yet, and a blend loses nothing elsewhere."

In: how alike N tracks sound (one matrix per system), and sessions of listeners in three parts by time.
Four rankings answer "what else would be played with this track?":

    co-listening   from training sessions; its measure is chosen by validation sessions
    NAME           content: the similarity of a system
    NAME + plays   the blend of both; how is chosen by validation sessions (colistening/blend.py)
    popularity     the most played tracks, whatever is asked: what one shows who knows nothing

They are judged by test sessions: recall@20 and coverage@20 (colistening/held_out.py), by how often the
track was played in training: never, 1-5 times, 6-20, more. Co-listening knows nothing about a track
without plays, and as ties count against a ranking it finds nothing; so content has to beat popularity
there, not zero. Where sessions are simulated (colistening/listeners.py) the figures say how rankings
behave under assumptions that are stated, and nothing about people.

Several simulations of a world are measured together (by_plays.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.evaluation.claims.by_plays import (
    ALL_PLAYS,
    BINS,
    CO,
    PLUS,
    POPULARITY,
    coverage,
    crossover,
    difference,
    recall,
    tracks_in,
)
from soundalike.evaluation.claims.intervals import BETTER, WORSE, in_figures, measured_of, sign
from soundalike.evaluation.colistening.blend import BLENDS, SCALES, blend, on_scale
from soundalike.evaluation.colistening.descriptors import PlainDescriptors
from soundalike.evaluation.colistening.held_out import (
    chance_at,
    ever_answered,
    played_along,
    recall_at,
)
from soundalike.evaluation.colistening.item_similarity import MEASURES, CoListening, count_together
from soundalike.evaluation.colistening.sessions import Listened
from soundalike.evaluation.colistening.worlds import logged_world, read_listing, simulated_worlds
from soundalike.evaluation.descriptions import Descriptions, Progress, silently
from soundalike.evaluation.metrics import Interval
from soundalike.evaluation.pictures import forest
from soundalike.evaluation.systems import find_system
from soundalike.evaluation.tasks.recordings import whole

K = 20


def run(
    tracks: Path,
    systems: Sequence[str],
    *,
    plays: Path | None = None,
    aggregation: str = "mean",
    seeds: int = 8,
    cache: Path | None = None,
    progress: Progress = silently,
) -> dict[str, Any]:
    """Describe the tracks, let listeners listen or read a log, and measure.

    Args:
        tracks: a tracks.csv; its splits train and validation are used. Encoders may have trained on
            the first, so the figures are also given for validation tracks as seeds.
        systems: names of content systems.
        plays: a log of real plays instead of the simulator.
        aggregation: how the segments of encoders are compared.
        seeds: simulations of every world.
        cache: folder of descriptions.
        progress: is called with sounds done and sounds in all, per system.

    Raises:
        QueryError: the tracks or the log cannot be used.
        ModelError: there is no such system.
    """
    listing = read_listing(tracks)
    sounds = [whole(recording) for recording in listing.recordings]
    training = [s for s, split in zip(sounds, listing.splits, strict=True) if split == "train"]
    content = [
        find_system(name, aggregation=aggregation, training=training, cache=cache)
        for name in systems
    ]
    heard = [Descriptions(each, cache, progress).heard(sounds) for each in content]
    plain = Descriptions(PlainDescriptors(), cache, progress).heard(sounds)
    usable = [all(sound.key in each for each in (plain, *heard)) for sound in sounds]
    kept = [sound for sound, good in zip(sounds, usable, strict=True) if good]
    listing = listing.take(usable)
    if plays is None:
        rows = np.concatenate([plain[sound.key] for sound in kept])
        worlds, said = simulated_worlds(listing.recordings, rows, seeds), ""
    else:
        worlds, said = logged_world(plays, listing.known(tracks.parent))
    similarities = {}
    for name, system, descriptions in zip(systems, content, heard, strict=True):
        each = [descriptions[sound.key] for sound in kept]
        similarities[name] = system.similarity(each, each)
    unseen = np.array(listing.splits) == "validation"
    asked = {"all tracks": np.ones(len(kept), bool), "validation tracks": unseen}
    figures = measure(similarities, worlds, asked)
    source = "a simulator of listeners" if plays is None else plays.name
    left_out = len(sounds) - len(kept)
    identities = {name: each.identity for name, each in zip(systems, content, strict=True)}
    return figures | {
        "source": source,
        "reading": said,
        "left_out": left_out,
        "identities": identities,
    }


def measure(
    content: Mapping[str, np.ndarray],
    worlds: Mapping[str, Sequence[Listened]],
    asked: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Judge all rankings in all worlds.

    Args:
        content: system -> how alike the tracks sound to it, float [N, N].
        worlds: name -> sessions; one `Listened` per simulation, or the one of a log.
        asked: name -> bool [N], which tracks are seeds. All N are answers in any case.

    Returns:
        The figures: recall of every track and whether it was ever an answer, by world and ranking.
    """
    N = len(next(iter(content.values())))
    return {
        "claim": "cold_start",
        "k": K,
        "tracks": N,
        "chance": chance_at(K, N),
        "systems": list(content),
        "asked": {name: np.flatnonzero(seeds).tolist() for name, seeds in asked.items()},
        "worlds": {name: _measure_world(content, each, N) for name, each in worlds.items()},
    }


def as_markdown(figures: Mapping[str, Any]) -> str:
    """The tables and the verdict."""
    parts = [f"{_source(figures)} {measured_of(figures)}".strip()]
    for name, world in figures["worlds"].items():
        for who, seeds in figures["asked"].items():
            parts.append(f"**{name}**, {who} as seeds: recall@{K} and coverage@{K}")
            parts.append(_table(world, seeds))
    return "\n\n".join([*parts, _differences(figures), verdict(figures)]) + "\n"


def verdict(figures: Mapping[str, Any]) -> str:
    """What the intervals say, in words: which answer for which worlds, seeds and systems."""
    answers: dict[str, list[str]] = {}
    for name, who, system in _cases(figures):
        answer = _answer(figures, figures["worlds"][name], system, figures["asked"][who])
        answers.setdefault(answer, []).append(f"{name}, {who}, {system}")
    said = [f"- {answer}: {'; '.join(where)}." for answer, where in answers.items()]
    return "\n".join(
        ["**Verdict.** Of content where nobody has listened yet, and of the blend:", *said]
    )


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw the recall of all rankings in the first world, a panel per bin of plays.

    Raises:
        ModelError: matplotlib is not installed.
    """
    world = next(iter(figures["worlds"].values()))
    seeds = next(iter(figures["asked"].values()))
    panels = {
        f"recall@{K}, {_in_words(plays)}": {
            ranking: recall(world, ranking, plays, seeds) for ranking in _rankings(world)
        }
        for plays in (*BINS, ALL_PLAYS)
    }
    panels[f"coverage@{K}, no plays"] = {
        ranking: coverage(world, ranking, "0", seeds) for ranking in _rankings(world)
    }
    forest(panels, path)


def _measure_world(
    content: Mapping[str, np.ndarray], listened: Sequence[Listened], N: int
) -> dict[str, Any]:
    rankings: dict[str, dict[str, list[Any]]] = {}

    def enter(ranking: str, recall: np.ndarray, answered: np.ndarray, chosen: str = "") -> None:
        entry = rankings.setdefault(ranking, {"recall": [], "answered": [], "chosen": []})
        entry["recall"].append([None if math.isnan(v) else round(float(v), 4) for v in recall])
        entry["answered"].append("".join("01"[int(yes)] for yes in answered))
        entry["chosen"].append(chosen)

    for each in listened:
        plays = each.training.plays(N)
        choose, judge = played_along(each.validation, N), played_along(each.test, N)
        together, everyone = count_together(each.training, N), np.arange(N)
        measured = [CoListening(together, how).similarity(everyone) for how in MEASURES]
        best = _best([recall_at(K, similarity, choose) for similarity in measured])
        co = measured[best]
        enter(CO, recall_at(K, co, judge), ever_answered(K, co, above=0), str(MEASURES[best]))
        popular = np.tile(plays.astype(np.float64), (N, 1))
        enter(POPULARITY, recall_at(K, popular, judge), ever_answered(K, popular, above=0))
        for name, alike in content.items():
            enter(name, recall_at(K, alike, judge), ever_answered(K, alike))
            parts = {s: (on_scale(alike, s), on_scale(co, s)) for s in SCALES}
            mixed = (blend(*parts[how.scale], plays, how) for how in BLENDS)
            at = BLENDS[_best([recall_at(K, both, choose) for both in mixed])]
            both = blend(*parts[at.scale], plays, at)
            enter(name + PLUS, recall_at(K, both, judge), ever_answered(K, both), str(at))
    return {
        "sessions": [[len(s) for s in (e.training, e.validation, e.test)] for e in listened],
        "plays": [each.training.plays(N).tolist() for each in listened],
        "rankings": rankings,
    }


def _best(values: Sequence[np.ndarray]) -> int:
    """Which of several has the highest mean; the first without any value."""
    means = [float(np.nanmean(v)) if (~np.isnan(v)).any() else 0.0 for v in values]
    return int(np.argmax(means))


def _source(figures: Mapping[str, Any]) -> str:
    simulated = not figures.get("reading")
    who = (
        "**Simulated listeners, no people**: how near tracks are to their tastes, and that taste "
        "follows sound at all, was assumed"
        if simulated
        else f"Listeners of {figures['source']}. {figures['reading']}".replace("\n", ". ")
    )
    sessions = next(iter(figures["worlds"].values()))["sessions"]
    parts = " / ".join(str(n) for n in sessions[0])
    times = f", {len(sessions)} simulations of each world" if simulated else ""
    left = figures.get("left_out", 0)
    return (
        f"{who}. {figures['tracks']} tracks{f' ({left} could not be used)' if left else ''}; "
        f"{parts} sessions to learn from, to choose by and to judge by{times}. "
        f"Answers at random would find {figures['chance']:.3f}."
    )


def _rankings(world: Mapping[str, Any]) -> list[str]:
    """In the order of pages: what is claimed first, what it is measured against last."""
    names = [name for name in world["rankings"] if name not in (CO, POPULARITY)]
    return [*sorted(names, key=lambda name: name.endswith(PLUS)), CO, POPULARITY]


def _table(world: Mapping[str, Any], seeds: Sequence[int]) -> str:
    columns = (*BINS, ALL_PLAYS)
    heads = [f"{_in_words(c)} ({tracks_in(world, c, seeds)})" for c in columns]
    rows = [
        [
            ranking,
            *(in_figures(recall(world, ranking, plays, seeds)) for plays in columns),
            *(f"{coverage(world, ranking, plays, seeds).mean:.2f}" for plays in ("0", ALL_PLAYS)),
        ]
        for ranking in _rankings(world)
    ]
    return _lines(["", *heads, "coverage, no plays", "all"], rows)


def _differences(figures: Mapping[str, Any]) -> str:
    """What the verdict rests on, and where co-listening passes content."""
    rows = []
    for name, who, system in _cases(figures):
        world, seeds = figures["worlds"][name], figures["asked"][who]
        found = (
            _above_chance(figures, world, system, seeds),
            difference(world, (system, POPULARITY), "0", seeds),
            difference(world, (system, CO), "more", seeds),
            difference(world, (system + PLUS, system), ALL_PLAYS, seeds),
            difference(world, (system + PLUS, CO), ALL_PLAYS, seeds),
        )
        cells = [in_figures(each, plus=True) for each in found]
        rows.append([f"{name}, {who}, {system}", *cells, _switch(crossover(world, system, seeds))])
    heads = [
        "no plays: content - chance",
        "no plays: content - popularity",
        "over 20 plays: content - co-listening",
        "all: blend - content",
        "all: blend - co-listening",
        "without a blend, co-listening should answer from",
    ]
    return f"**Differences of recall@{K}**, 95 % interval\n\n" + _lines(["", *heads], rows)


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, ["---"] * len(heads), *rows))


def _cases(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """World, who is asked, system: those where anything can be said."""
    for name, world in figures["worlds"].items():
        for who, seeds in figures["asked"].items():
            if tracks_in(world, ALL_PLAYS, seeds):
                yield from ((name, who, system) for system in figures["systems"])


def _above_chance(
    figures: Mapping[str, Any], world: Mapping[str, Any], system: str, seeds: Sequence[int]
) -> Interval:
    found, chance = recall(world, system, "0", seeds), figures["chance"]
    return Interval(found.mean - chance, found.low - chance, found.high - chance)


def _answer(
    figures: Mapping[str, Any], world: Mapping[str, Any], system: str, seeds: Sequence[int]
) -> str:
    heard = _above_chance(figures, world, system, seeds)
    popular = sign(difference(world, (system, POPULARITY), "0", seeds))
    if math.isnan(heard.mean):
        answer = "no track without plays was asked about, so nothing can be said of new ones"
    elif sign(heard) == WORSE:
        answer = "the claim does not hold: for new tracks content finds less than chance"
    elif sign(heard) != BETTER:
        answer = "the claim is not shown: for new tracks content is not told from chance"
    elif popular == BETTER:
        answer = "the claim holds: for new tracks content finds more than popularity"
    elif popular == WORSE:
        answer = (
            "the claim holds in part: for new tracks content finds more than chance and "
            "co-listening, but less than popularity, which is the same for every seed"
        )
    else:
        answer = (
            "the claim holds in part: for new tracks content finds more than chance and "
            "co-listening; it is not told from popularity"
        )
    losses = [
        f"{'content' if other == system else other} at {_in_words(plays)}"
        for other in (system, CO)
        for plays in BINS
        if sign(difference(world, (system + PLUS, other), plays, seeds)) == WORSE
    ]
    return f"{answer}; the blend loses to {' and '.join(losses) or 'neither part in any bin'}"


def _switch(plays: Interval) -> str:
    def number(n: float) -> str:
        return "never" if math.isinf(n) else f"{n:.0f}"

    if math.isnan(plays.mean):
        return "-"
    return f"{number(plays.mean)} plays ({number(plays.low)} to {number(plays.high)})".replace(
        "never plays", "never"
    )


def _in_words(plays: str) -> str:
    return {"0": "no plays", "more": "over 20 plays", ALL_PLAYS: "all"}.get(plays, f"{plays} plays")
