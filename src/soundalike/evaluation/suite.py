"""One system through all tasks.

    tracks.csv, pieces.csv  ->  `prepare`   ->  Exam: the tasks that this material allows
    Exam, a name            ->  `evaluate`  ->  Evaluation: what the system scored and what it costs

Whatever a system is, every figure comes from the same code and the same sounds. Each distinct sound is
described once for all tasks, the halves of the tracks first: they are what the cost is measured on.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from soundalike.audio.waveform import load_audio
from soundalike.errors import AudioError, QueryError, RecipeError
from soundalike.evaluation.descriptions import Cost, Descriptions, Progress, silently
from soundalike.evaluation.retrieval import Retrieval, Score, judge
from soundalike.evaluation.sounds import Sound, digest, file_key
from soundalike.evaluation.systems import System, find_system
from soundalike.evaluation.tasks.hubness import K, hubness
from soundalike.evaluation.tasks.recordings import Recording, halves, read_recordings, usable
from soundalike.evaluation.tasks.same_label import same_album, same_artist, same_genre
from soundalike.evaluation.tasks.same_track import same_track
from soundalike.library.disk import write_atomically

TASKS = (
    *("same_track", "degraded", "arrangement"),
    *("same_album", "same_artist", "same_genre", "hubness"),
)
FITTING_TRACKS, FITTING_SECONDS = 100, 120.0

Warn = Callable[[AudioError], None]


def _quietly(error: AudioError) -> None:
    """Say nothing of what is left out."""


@dataclass(frozen=True)
class Exam:
    """The tasks of a run: the same for every system.

    Attributes:
        recordings: N tracks that can be used.
        retrievals: every task with right answers.
        hubness: whether N_10 is counted too.
        duplicates: places of recordings that are the same one.
        training, fitted_on: sounds that statistics and peers fit their scales on, and what those are.
        skipped: task -> why it is not among them.
        seed: of everything that was drawn.
    """

    recordings: list[Recording]
    retrievals: list[Retrieval]
    hubness: bool
    duplicates: list[set[int]]
    training: list[Sound]
    fitted_on: str
    skipped: dict[str, str]
    seed: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one system scored.

    Attributes:
        system: its name as given.
        identity: of its weights, version and fit.
        aggregation: how its segment vectors were compared; "" where it has none.
        tracks: recordings in the set.
        numbers: per track, what has to be kept to compare it.
        cost: of describing half a track; decoding is left out.
        asked: task -> digest of who was asked what; equal digests may be compared query by query.
        results: one per task and kind.
    """

    system: str
    identity: str
    aggregation: str
    tracks: int
    numbers: int
    cost: Cost
    asked: dict[str, str]
    results: list[Score]


def prepare(
    tracks: Path,
    split: str,
    *,
    tasks: Sequence[str] = (),
    pieces: Path | None = None,
    seed: int = 0,
    cache: Path | None = None,
    warn: Warn = _quietly,
) -> Exam:
    """Find out what can be asked.

    Args:
        tracks: CSV of recordings (path, split, soundtrack; artist, genre if known).
        split: its rows to use; of the pieces too.
        tasks: out of `TASKS`; all that the material allows if none is named.
        pieces: CSV of scores, for "arrangement".
        seed: of everything that is drawn.
        cache: folder to keep renderings and notes in; None keeps nothing.
        warn: is called for each recording that cannot be used.

    Raises:
        QueryError: no such task or split; no track can be used; or a task was named that the material
            does not allow.
    """
    chosen = [check_task(task) for task in tasks] or list(TASKS)
    recordings = usable(read_recordings(tracks, split), warn=warn, cache=cache)
    duplicates = _duplicates(recordings, cache)
    retrievals: list[Retrieval] = []
    skipped: dict[str, str] = {}
    for task in chosen:
        if task == "hubness":
            continue
        try:
            made = _retrievals(task, recordings, duplicates, split, pieces, seed, cache)
        except (QueryError, RecipeError) as error:
            skipped[task] = str(error)
            continue
        retrievals += [each for each in made if each.relevant.any()]
        skipped |= {
            each.task: "no track has anything to find" for each in made if not each.relevant.any()
        }
    count_hubs = "hubness" in chosen and len(recordings) > 2 * K
    if "hubness" in chosen and not count_hubs:
        skipped["hubness"] = f"{len(recordings)} tracks, and it takes more than {2 * K}"
    if impossible := [task for task in tasks if task in skipped]:
        raise QueryError(f"{impossible[0]} cannot be asked: {skipped[impossible[0]]}")
    training, fitted_on = _training(tracks, split, recordings, seed)
    return Exam(
        *(recordings, retrievals, count_hubs, duplicates),
        *(training, fitted_on, skipped, seed),
    )


def check_task(task: str) -> str:
    """Return the name, or raise a QueryError with what it may have been meant for."""
    if task not in TASKS:
        near = difflib.get_close_matches(task, TASKS, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise QueryError(f"no task {task!r}; {meant}there are {', '.join(TASKS)}")
    return task


def evaluate(
    name: str,
    exam: Exam,
    *,
    aggregation: str = "mean",
    cache: Path | None = None,
    warn: Warn = _quietly,
    progress: Progress = silently,
) -> Evaluation:
    """Put one system through all tasks of an exam.

    Args:
        name: as `find_system` knows it.
        exam: who is asked what.
        aggregation: how an encoder's segments are compared.
        cache: folder to keep descriptions in; None keeps none.
        warn: is called for each sound that cannot be made; it is left out.
        progress: is called with steps done and steps in all, first for fitting, then for all tasks.

    Raises:
        ModelError: no such system, or it cannot be run.
        QueryError: no track can be listened to any more.
    """
    shelf = cache / "descriptions" if cache else None
    system = find_system(
        name,
        aggregation=aggregation,
        training=exam.training,
        fitted_on=exam.fitted_on,
        cache=shelf,
        progress=progress,
    )
    firsts = [halves(recording)[0] for recording in exam.recordings]
    known, cost = _describe(system, exam, firsts, shelf, warn, progress)
    results: list[Score] = []
    asked: dict[str, str] = {}
    for retrieval in exam.retrievals:
        left = without(retrieval, known)
        if not left.relevant.any():
            continue  # every sound was warned of
        asked[left.task] = _digest(left)
        queries = [known[sound.key] for sound in left.queries]
        results += judge(
            left, system.similarity(queries, [known[sound.key] for sound in left.tracks])
        )
    described = _found(known, firsts)
    if exam.hubness and len(described) == len(firsts):
        similarity = system.similarity(described, described)
        results.append(hubness(similarity, duplicates=exam.duplicates))
        asked["hubness"] = digest(str(len(described)))
    return Evaluation(
        system=name,
        identity=system.identity,
        aggregation=getattr(system, "aggregation", ""),
        tracks=len(exam.recordings),
        numbers=system.numbers(described[0]),
        cost=cost,
        asked=asked,
        results=results,
    )


def _found(known: Mapping[str, np.ndarray], sounds: Sequence[Sound]) -> list[np.ndarray]:
    """Descriptions of those sounds that could be made."""
    found = [known[sound.key] for sound in sounds if sound.key in known]
    if not found:
        raise QueryError("none of the tracks could be listened to; they were there a moment ago")
    return found


def without(retrieval: Retrieval, known: Mapping[str, object]) -> Retrieval:
    """The task without the queries and tracks that could not be made, which is the task if all were."""
    rows = np.array([sound.key in known for sound in retrieval.queries], dtype=bool)
    columns = np.array([sound.key in known for sound in retrieval.tracks], dtype=bool)
    if rows.all() and columns.all():
        return retrieval
    return replace(
        retrieval,
        queries=[sound for sound, kept in zip(retrieval.queries, rows, strict=True) if kept],
        tracks=[sound for sound, kept in zip(retrieval.tracks, columns, strict=True) if kept],
        relevant=retrieval.relevant[rows][:, columns],
        barred=retrieval.barred[rows][:, columns],
        kinds=[kind for kind, kept in zip(retrieval.kinds, rows, strict=True) if kept],
        together=[name for name, kept in zip(retrieval.together, rows, strict=False) if kept],
    )


def _describe(
    system: System,
    exam: Exam,
    firsts: Sequence[Sound],
    cache: Path | None,
    warn: Warn,
    progress: Progress,
) -> tuple[dict[str, np.ndarray], Cost]:
    """All sounds of the exam by key, and what the first halves took."""
    stages: list[Iterable[Sound]] = [
        [half for recording in exam.recordings for half in halves(recording)],
        [sound for each in exam.retrievals for sound in (*each.tracks, *each.queries)],
    ]
    begun = total = 0

    def onward(done: int, _: int) -> None:
        progress(begun + done, total)

    descriptions = Descriptions(system, cache, onward)
    total = 2 * descriptions.missing(sound for stage in stages for sound in stage)
    known: dict[str, np.ndarray] = {}
    for stage in stages:
        sounds = list(stage)
        missing = descriptions.missing(sounds)
        known |= descriptions.heard(sounds)
        begun += 2 * missing
    for error in descriptions.failed.values():
        warn(error)
    return known, descriptions.cost(firsts)


def _retrievals(
    task: str,
    recordings: list[Recording],
    duplicates: list[set[int]],
    split: str,
    pieces: Path | None,
    seed: int,
    cache: Path | None,
) -> list[Retrieval]:
    if task == "same_track":
        return [same_track(recordings, duplicates=duplicates)]
    if task == "degraded":
        from soundalike.evaluation.tasks.degraded import degraded

        folder = cache / "degraded" if cache else None
        return [degraded(recordings, seed=seed, duplicates=duplicates, cache=folder)]
    if task == "arrangement":
        from soundalike.evaluation.tasks.arrangement import arrangement

        if pieces is None or not pieces.is_file():
            raise QueryError(f"{pieces or 'no file'} is no list of pieces; name one with --pieces")
        if cache is None:
            raise QueryError("its scores are rendered into a folder, and there is none")
        return arrangement(pieces, cache / "renderings", split=split, seed=seed)
    if task == "same_artist":
        return [
            same_artist(recordings, duplicates=duplicates),
            same_artist(recordings, album_filter=True, duplicates=duplicates),
        ]
    filtered = same_album if task == "same_album" else same_genre
    return [
        filtered(recordings, duplicates=duplicates),
        filtered(recordings, artist_filter=True, duplicates=duplicates),
    ]


def _duplicates(recordings: list[Recording], cache: Path | None) -> list[set[int]]:
    """Groups of the same recording, looked for once per set: all of it must be listened to."""
    from soundalike.evaluation.duplicates import same_recording

    names = digest(*(file_key(recording.path) for recording in recordings))
    notes = cache / f"duplicates-{names}.json" if cache else None
    if notes and notes.is_file():
        with suppress(OSError, ValueError):
            return [set(group) for group in json.loads(notes.read_text("utf-8"))]
    groups = same_recording(recordings)
    if notes:
        notes.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(notes, json.dumps([sorted(group) for group in groups]).encode())
    return groups


def _training(
    tracks: Path, split: str, recordings: list[Recording], seed: int
) -> tuple[list[Sound], str]:
    """Beginnings of training tracks; where there are none, the side of the set that is answered with."""
    try:
        rows = [] if split == "train" else read_recordings(tracks, "train")
    except QueryError:
        rows = []
    if not rows:
        return [halves(recording)[0] for recording in recordings], "the set itself"
    rows.sort(key=lambda recording: recording.path)
    places = np.random.default_rng(seed).permutation(len(rows))[:FITTING_TRACKS]
    return [_beginning(rows[place].path) for place in sorted(places)], "train"


def _beginning(path: Path) -> Sound:
    def make(rate: int) -> np.ndarray:
        return load_audio(path, sample_rate=rate, duration=FITTING_SECONDS)

    return Sound(f"{file_key(path)}#first-{FITTING_SECONDS:g}s", make)


def _digest(retrieval: Retrieval) -> str:
    """Of who is asked what, without the names of files: they may have moved since."""
    bits = np.packbits(np.stack([retrieval.relevant, retrieval.barred])).tobytes().hex()
    return digest(retrieval.task, str(retrieval.relevant.shape), *retrieval.kinds, bits)
