"""Your library: how good "similar" is there, by the tags of your files and by the sound itself.

    same_artist, same_album, same_genre   from stored vectors and tags, every track among all others
    hubness                               from stored vectors: tracks that turn up in every list
    same_track, degraded                  from the sound of a sample of tracks; no tag is needed
                                          (protocols: evaluation/tasks)

Tags are somebody's opinion and artists change their style, so the numbers of the first line are no
school marks: they are there to compare two encoders on one library, and to be held against `chance`,
what blind guessing would score there. Those of the last line have a right answer.

A tag counts as given, but for case and spaces; "Rock; Pop" is a genre of its own. An album is known by
its name and its album artist, by its folder where the file names none: "Greatest Hits" is many albums.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.embedder import Embedder
from soundalike.errors import AudioError, ModelError, QueryError
from soundalike.evaluation import neighborhoods, pictures
from soundalike.evaluation.duplicates import same_recording
from soundalike.evaluation.library_report import BLIND, Record, draw_library
from soundalike.evaluation.metrics import Interval, bootstrap
from soundalike.evaluation.neighborhoods import UNKNOWN, Numbers, Progress, Question, Stored
from soundalike.evaluation.record import DIGITS, write_record
from soundalike.evaluation.report import provenance
from soundalike.evaluation.retrieval import Retrieval
from soundalike.evaluation.suite import Exam, evaluate
from soundalike.evaluation.tasks.degraded import degraded
from soundalike.evaluation.tasks.hubness import STATISTICS, K
from soundalike.evaluation.tasks.recordings import Recording, usable
from soundalike.evaluation.tasks.same_track import same_track
from soundalike.library.library import Library
from soundalike.library.opened import Opened
from soundalike.library.tracks import Track, path_to_text

TASKS = ("same_artist", "same_album", "same_genre", "hubness", "same_track", "degraded")
QUERIES = 2_000  # tracks asked about by a tag
CHANGED = 50  # tracks of the sample that are asked about after each of twenty changes
SHOWN_HUBS = 5


def evaluate_library(
    library: Library,
    *,
    tasks: Sequence[str] = TASKS,
    aggregation: str = "mean",
    sample: int = 200,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> Record:
    """Measure an indexed library; what cannot be measured is in the record with the reason.

    Args:
        library: indexed; its files are opened for same_track and degraded only.
        tasks: of `TASKS`.
        aggregation: how two tracks are compared, "mean", "concat" or "maxsim".
        sample: tracks to decode for same_track and degraded, at least 1. All of them are listened to
            by halves; `CHANGED` of them are changed, and looked for among all.
        seed: of every draw.
        progress: told (what, done, total).

    Returns:
        A record for JSON: library, encoder, provenance; `tags`, how many tracks have which;
        `results`, each with task, kind, queries, tracks, chance, scores and values; `pairs`,
        histograms of similarity; `hubness`; `skipped`, with the reason; `failed`, files that cannot
        be used.

    Raises:
        QueryError: an empty library, no such task or aggregation, a sample of none.
        LibraryError, ModelError: the library cannot be read, its encoder is not at hand.
    """
    unknown = [task for task in tasks if task not in TASKS]
    if unknown:
        raise QueryError(f"no task {unknown[0]!r} for a library; there are {', '.join(TASKS)}")
    if sample < 1:
        raise QueryError(f"a sample of {sample} tracks; at least 1 is needed")
    stored = neighborhoods.read_stored(library, aggregation=aggregation, seed=seed)
    labels = _labels(stored.tracks)
    record = _new_record(library, stored, labels, seed)
    for question in _questions(*labels):
        if question.task.partition("_other_")[0] in tasks:
            _by_tags(record, stored, question, seed=seed, progress=progress)
    if "hubness" in tasks:
        _hubness(record, stored, seed=seed, progress=progress)
    _pairs(record, stored, labels, seed=seed)
    by_sound = [task for task in ("same_track", "degraded") if task in tasks]
    if by_sound:
        drawn = np.random.default_rng(seed).permutation(len(stored))[:sample]
        tracks = [stored.tracks[row] for row in np.sort(drawn)]
        _by_sound(record, library, tracks, tasks=by_sound, seed=seed, progress=progress)
    return record


def run_library(
    folder: Path,
    *,
    out: Path | None = None,
    drawings: Path | None = None,
    aggregation: str = "mean",
    sample: int = 200,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> tuple[Record, list[Path]]:
    """Measure the library in a folder, keep the record, draw the pictures.

    Args:
        folder: of the library.
        out: JSON file to write the record to.
        drawings: folder to draw the pictures in.
        aggregation, sample, seed, progress: as in `evaluate_library`.

    Returns:
        The record, and the pictures drawn.

    Raises:
        QueryError, LibraryError, ModelError: as in `evaluate_library`; matplotlib is not installed.
    """
    if drawings:
        pictures.need_matplotlib()  # before an hour of listening, not after
    record = evaluate_library(
        Library(folder), aggregation=aggregation, sample=sample, seed=seed, progress=progress
    )
    if out:
        write_record(record, out)
    return record, draw_library(record, drawings) if drawings else []


def _new_record(library: Library, stored: Stored, labels: Sequence[Numbers], seed: int) -> Record:
    return {
        "library": path_to_text(library.path),
        "encoder": library.model,
        "aggregation": stored.aggregation,
        "tracks": len(stored) + stored.left_out,
        "left_out": stored.left_out,
        "seed": seed,
        "provenance": provenance(),
        "tags": {
            name: {"tracks": int(np.sum(each != UNKNOWN)), "values": int(each.max(initial=-1)) + 1}
            for name, each in zip(("artist", "album", "genre"), labels, strict=True)
        },
        "results": [],
        "pairs": {},
        "hubness": None,
        "skipped": [],
        "failed": [],
    }


def _questions(artists: Numbers, albums: Numbers, genres: Numbers) -> list[Question]:
    """What tags can be asked about.

    Tracks of one album share their sound engineer, those of one artist their voice; leaving them out
    of the answers asks for the music (the artist filter of Pampalk, Flexer & Widmer, ISMIR 2005).
    """
    return [
        Question("same_artist", artists),
        Question("same_artist_other_albums", artists, albums),
        Question("same_album", albums),
        Question("same_genre", genres),
        Question("same_genre_other_artists", genres, artists),
    ]


def _labels(tracks: Sequence[Track]) -> tuple[Numbers, Numbers, Numbers]:
    """Artist, album and genre as numbers [N]; `UNKNOWN` without a tag."""

    def spelled(text: str) -> str:
        return " ".join(text.casefold().split())

    def album(track: Track) -> str:
        whose = spelled(track.album_artist) or str(track.path.parent)
        return f"{spelled(track.album)}\0{whose}" if spelled(track.album) else ""

    return (
        _numbered([spelled(track.artist) for track in tracks]),
        _numbered([album(track) for track in tracks]),
        _numbered([spelled(track.genre) for track in tracks]),
    )


def _numbered(names: Sequence[str]) -> Numbers:
    number: dict[str, int] = {}
    return np.array(
        [number.setdefault(name, len(number)) if name else UNKNOWN for name in names], np.int64
    )


def _by_tags(
    record: Record, stored: Stored, question: Question, *, seed: int, progress: Progress
) -> None:
    why = _unanswerable(question)
    values = {}
    if not why:
        values = neighborhoods.ask(stored, question, queries=QUERIES, seed=seed, progress=progress)
        if not len(values["chance"]):
            why = "the only mates are copies of the same file"
    if why:
        record["skipped"].append({"task": question.task, "reason": why})
        return
    chance = values.pop("chance")
    among = int(np.sum(question.labels != UNKNOWN))
    record["results"].append(
        _result(question.task, "", len(chance), among, float(chance.mean()))
        | {
            "scores": _plain({name: bootstrap(each) for name, each in values.items()}),
            "values": _plain(values),
        }
    )


def _unanswerable(question: Question) -> str:
    """Why a question cannot be asked of this library; "" where it can."""
    task, _, others = question.task.partition("_other_")
    tag = task.removeprefix("same_")
    known = question.labels[question.labels != UNKNOWN]
    if not len(known):
        return f"no track has a tag with its {tag}"
    if len(np.unique(known)) == 1:
        return f"all tracks have the same {tag}, so every answer would be right"
    if not len(question.asked()):
        return f"no track has a mate of the same {tag}{' among other ' * bool(others)}{others}"
    return ""


def _hubness(record: Record, stored: Stored, *, seed: int, progress: Progress) -> None:
    if len(stored) < 3:
        reason = f"{len(stored)} tracks are too few: every list of the nearest is the same"
        record["skipped"].append({"task": "hubness", "reason": reason})
        return
    rows, counts = neighborhoods.hubness(stored, k=K, seed=seed, progress=progress)
    most = np.argsort(-counts, kind="stable")[:SHOWN_HUBS]
    record["hubness"] = {
        "tracks": len(rows),
        "k": min(K, len(rows) - 1),
        "scores": {
            name: _plain(bootstrap(counts.astype(np.float64), draws=500, statistic=statistic))
            for name, statistic in STATISTICS.items()
        },
        "tracks by lists": np.bincount(counts).tolist(),
        "most": [
            {"track": _name(stored.tracks[rows[row]]), "lists": int(counts[row])} for row in most
        ],
    }


def _pairs(record: Record, stored: Stored, labels: Sequence[Numbers], *, seed: int) -> None:
    """Similarities of mates beside those of tracks drawn blindly."""
    drawn = neighborhoods.pairs(stored, None, seed=seed)
    if not len(drawn):
        return
    mates = {"same album": labels[1], "same artist": labels[0]}
    alike = {name: neighborhoods.pairs(stored, each, seed=seed) for name, each in mates.items()}
    for name, similarity in [*alike.items(), (BLIND, drawn)]:
        if len(similarity):
            edges, shares = neighborhoods.histogram(similarity)
            record["pairs"][name] = {
                "edges": edges,
                "shares": shares,
                "mean": _plain(similarity.mean()),
                "more alike than any two": _plain(neighborhoods.more_alike(similarity, drawn)),
            }


def _by_sound(
    record: Record,
    library: Library,
    tracks: Sequence[Track],
    *,
    tasks: Sequence[str],
    seed: int,
    progress: Progress,
) -> None:
    """Tasks that have a right answer: halves and changed copies, among the tracks of the sample."""
    failed: dict[Path, str] = {}

    def warn(error: AudioError) -> None:
        failed[error.path] = error.reason

    recordings = [Recording(track.path, track.album, track.artist, track.genre) for track in tracks]
    try:
        recordings = usable(recordings, warn=warn)
    except QueryError:  # not a single one: each of them is among the failed
        recordings = []
    if len(recordings) > 1:
        exam = _exam(recordings, tasks, seed)
        name, aggregation = _encoder(library), record["aggregation"]
        evaluation = evaluate(
            *(name, exam),
            aggregation=aggregation,
            warn=warn,
            progress=lambda done, of: progress("listening", done, of),
        )
        record["results"] += [
            _result(score.task, score.kind, score.queries, len(recordings), 1 / len(recordings))
            | {"scores": _plain(score.intervals), "values": _plain(score.values)}
            for score in evaluation.results
        ]
    else:
        reason = (
            f"{len(recordings)} of {len(tracks)} tracks of the sample can be used; it takes two"
        )
        record["skipped"] += [{"task": task, "reason": reason} for task in tasks]
    record["failed"] = [
        {"path": path_to_text(path), "reason": reason} for path, reason in sorted(failed.items())
    ]


def _exam(recordings: list[Recording], tasks: Sequence[str], seed: int) -> Exam:
    duplicates = same_recording(recordings)
    retrievals = []
    if "same_track" in tasks:
        retrievals.append(same_track(recordings, duplicates=duplicates))
    if "degraded" in tasks:
        everything = degraded(recordings, seed=seed, duplicates=duplicates)
        retrievals.append(_thinned(everything, len(recordings), seed))
    return Exam(
        recordings=recordings,
        retrievals=retrievals,
        hubness=False,
        duplicates=duplicates,
        training=[],
        fitted_on="",
        skipped={},
        seed=seed,
    )


def _thinned(retrieval: Retrieval, count: int, seed: int) -> Retrieval:
    """The task with the queries of `CHANGED` of its tracks; they stand in rounds, one per kind."""
    chosen = np.random.default_rng(seed).permutation(count)[:CHANGED]
    kept = np.isin(np.arange(len(retrieval.queries)) % count, chosen)
    return replace(
        retrieval,
        queries=[sound for sound, keep in zip(retrieval.queries, kept, strict=True) if keep],
        relevant=retrieval.relevant[kept],
        barred=retrieval.barred[kept],
        kinds=[kind for kind, keep in zip(retrieval.kinds, kept, strict=True) if keep],
    )


def _encoder(library: Library) -> str:
    """Name or folder of the encoder whose vectors the library answers from. Raises ModelError."""
    opened = Opened(library.path, embedder=None, model=None)
    source = opened.manifest.tables[str(library.model)].source
    there = Embedder(source).identity
    if there != library.model:
        raise ModelError(
            f"the library {library.path} was indexed by {library.model}; under its name there is now "
            f"{there}; index it again"
        )
    return source


def _result(task: str, kind: str, queries: int, tracks: int, chance: float) -> Record:
    named = {"task": task, "kind": kind}
    return {**named, "queries": queries, "tracks": tracks, "chance": _plain(chance)}


def _name(track: Track) -> str:
    return f"{track.artist} - {track.title}" if track.artist else track.title


def _plain(value: Any) -> Any:
    """Fit for JSON: null where there is no value, intervals as dictionaries."""
    if isinstance(value, Interval):
        return {name: _plain(number) for name, number in asdict(value).items()}
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | np.ndarray):
        return [_plain(float(entry)) for entry in value]
    return None if math.isnan(value) else round(float(value), DIGITS)
