"""Neighbors and progress for people (tables, bars) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.library.tracks import Track

if TYPE_CHECKING:
    from soundalike.library.answers import Answers
    from soundalike.library.ground import Step
    from soundalike.library.indexing import IndexReport, ProgressCallback
    from soundalike.library.search import Neighbor

NAME_WIDTH = 64


def clock(seconds: float) -> str:
    """Seconds as 3:07 or 1:02:45."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def name_of(track: Track) -> str:
    """Artist and title, on one line whatever the tags hold."""
    name = f"{track.artist} - {track.title}" if track.artist else track.title
    return " ".join(name.split())


def print_steps(steps: Sequence[Step], since: str) -> None:
    """A table with headings: place, similarity to the track before and to the start, track.

    Before the first there is none; it is the start itself unless the steps are `since` "seeds".
    """
    if steps:
        click.echo(f"{'':3}  {'step':>5}  {since:>5}")
    for place, step in enumerate(steps, start=1):
        before = f"{step.similarity:.3f}" if place > 1 else ""
        start = f"{step.from_start:.3f}" if place > 1 or since == "seeds" else ""
        click.echo(f"{place:3}  {before:5}  {start:5}  {short(name_of(step.track)).rstrip()}")


def print_json(value: object) -> None:
    """JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_note(note: str) -> None:
    """What the answers do not say, on the error output."""
    if note:
        click.echo(f"({one_line(note)})", err=True)


def print_tracks(tracks: Sequence[Track], copies: Sequence[Track] = ()) -> None:
    """A line per track: artist and title, length, path; and which are copies."""
    for track in tracks:
        line = f"{clock(track.duration):>7}  {short(name_of(track))}  {show_path(track.path)}"
        click.echo(f"{line}  (copy)" if track in copies else line)


def short(name: str) -> str:
    """A name cut or filled to the width of its column."""
    return f"{name if len(name) <= NAME_WIDTH else f'{name[: NAME_WIDTH - 1]}…':{NAME_WIDTH}}"


def print_neighbors(neighbors: Answers[Neighbor]) -> None:
    """A table: similarity, track, and where the two sound most alike.

    Of several seeds it is also said which; and how many other files of the recording there are.
    """
    for place, neighbor in enumerate(neighbors, start=1):
        line = f"{place:3}  {neighbor.similarity:.3f}  {short(name_of(neighbor.track))}"
        if neighbor.matches:
            best = neighbor.matches[0]
            line += f"  {clock(best.query.start):>5} ~ {clock(best.answer.start)}"
        seed = neighbors.seeds[neighbor.seed] if len(neighbors.seeds) > 1 else None
        if seed is not None:
            line += f"  as {name_of(seed)}"
        if neighbor.versions:
            line += f"  +{len(neighbor.versions)} of the same recording"
        click.echo(line.rstrip())


@contextmanager
def index_progress(quiet: bool) -> Iterator[ProgressCallback | None]:
    """A bar with tracks per second and time left while a folder is indexed.

    It appears with the first thing there is to tell: above an error about the folders none is of use.
    """
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    names = {"scan": "looking", "tags": "tags", "embed": "listening", "finish": "tidying up"}
    columns = (
        TextColumn("{task.description:10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
    )
    bars = Progress(*columns, console=Console(stderr=True))
    task = bars.add_task("looking", total=None, rate="", failed="")
    with ExitStack() as shown:

        def update(progress: Any) -> None:
            if not bars.live.is_started:
                shown.enter_context(bars)
            bars.update(task, description=names.get(progress.stage, progress.stage))
            if progress.stage == "finish":
                return  # it has no files to count; what was counted stays to be read
            bars.update(
                task,
                completed=progress.done,
                total=progress.total or None,
                rate=f"{progress.rate:.1f} files/s" if progress.rate else "",
                failed=f"{progress.failed} failed" if progress.failed else "",
            )

        yield update


def print_report(report: IndexReport, tracks: int, library: Path) -> None:
    """What an indexing did, and every file it could not use."""
    counts = {
        "added": report.added,
        "updated": report.updated,
        "retagged": report.retagged,
        "moved": report.moved,
        "removed": report.removed,
        "excluded": report.excluded,
        "unchanged": report.unchanged,
    }
    done = (
        ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing to do"
    )
    click.echo(f"{done} in {clock(report.seconds)}; {tracks} tracks in {library}", err=True)
    for folder, why in report.held:
        click.echo(f"kept the tracks of {show_path(folder)}: {why}", err=True)
    for path, why in report.left_out:
        click.echo(f"left out {show_path(path)}: {why}", err=True)
    if report.skipped:
        files = "1 file" if report.skipped == 1 else f"{report.skipped} files"
        changed = "has not changed" if report.skipped == 1 else "have not changed"
        click.echo(f"{files} failed before and {changed} (soundalike failures)", err=True)
    if report.failed:
        files = "1 file" if len(report.failed) == 1 else f"{len(report.failed)} files"
        click.echo(f"{files} could not be used:", err=True)
        for path, reason in report.failed:
            click.echo(f"  {show_path(path)}: {reason}", err=True)


def show_path(path: Path) -> str:
    """A path on one line that any terminal takes."""
    return one_line(str(path))


def one_line(text: str) -> str:
    """Text on one line that any terminal takes."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text.replace("\n", "\\n").replace("\r", "\\r")


@contextmanager
def plain_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that says how many of how many are done."""
    with _counting_bars(10) as bars:
        task = bars.add_task(what, total=None)

        def update(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield update


@contextmanager
def staged_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Bars for work in stages: what is being done, how many of how many."""
    with _counting_bars(26) as bars:
        stages: dict[str, Any] = {}

        def update(what: str, done: int, total: int) -> None:
            if what not in stages:
                stages[what] = bars.add_task(what, total=total)
            bars.update(stages[what], completed=done, total=total)

        yield update


def _counting_bars(width: int) -> Any:
    """Bars on the error output: a name of `width` characters, how many of how many, time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn(f"{{task.description:{width}}}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


@contextmanager
def training_progress(steps: int, on: bool) -> Iterator[Callable[[Any], None]]:
    """A line now and then while training: step, losses, time left; and every validation."""
    told = 0

    def update(progress: Any) -> None:
        nonlocal told
        due = progress.step - told >= max(1, min(50, steps // 20))
        if not on or not (due or progress.scores):
            return
        told = progress.step
        losses = "  ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
        line = f"step {progress.step}/{steps}  {losses}  {clock(progress.seconds_left)} left"
        if progress.scores:
            line += "  |  " + "  ".join(f"{n} {v:.3f}" for n, v in progress.scores.items())
        click.echo(line, err=True)

    yield update
