"""What listeners use: demo, index, similar, embed, failures."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli import show
from soundalike.cli.places import NEW_FILE, PLACE
from soundalike.errors import AudioError, QueryError

if TYPE_CHECKING:
    from soundalike.library.library import Library

AGGREGATIONS = ("mean", "concat", "maxsim")

library_option = click.option(
    "--library",
    type=PLACE,
    envvar="SOUNDALIKE_LIBRARY",
    show_envvar=True,
    help="Folder of the library, not of the music. Default: in your user data folder.",
)
model_option = click.option(
    "--model", help="Name of a shipped encoder (soundalike models) or folder of your own."
)
sense_option = click.option(
    "--sense",
    metavar="sound|composition|both",
    default="both",
    show_default=True,
    help="What to hear by: how it sounds, what is played, or both as the model weighs them.",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Files listened to at once. Default: one per CPU."
)


def open_library(path: Path | None, model: str | None) -> Library:
    """The library at `path`, or the user's own."""
    from soundalike.library.library import Library

    if path is None:
        import platformdirs

        path = platformdirs.user_data_path("soundalike") / "library"
    return Library(path, model=model)


@click.command()
@click.argument("folders", nargs=-1, type=PLACE)
@library_option
@model_option
@jobs_option
@click.option(
    "--prune", is_flag=True, help="Forget missing tracks even where a whole folder is gone."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def index(
    folders: tuple[Path, ...],
    library: Path | None,
    model: str | None,
    jobs: int | None,
    prune: bool,
    quiet: bool,
) -> None:
    """Listen to FOLDERS and keep a few vectors per track.

    Only new and changed files are opened, so run it again whenever music was added; without FOLDERS
    those indexed before are looked at again. It may be stopped at any moment and goes on where it was.
    Files that cannot be used are listed at the end and never stop it.
    """
    opened = open_library(library, model)
    with show.index_progress(quiet) as progress:
        report = opened.index(folders, jobs=jobs, progress=progress, prune=prune)
    show.print_report(report, len(opened), opened.path)
    if not len(opened):
        _explain_empty(folders, bool(report.failed or report.skipped))
    if report.failed or report.held:
        sys.exit(1)


def _explain_empty(folders: Sequence[Path], failed: bool) -> None:
    where = ", ".join(show.show_path(folder) for folder in folders) or "the folders"
    why = "every file in them failed" if failed else "no audio files were found there"
    click.echo(f"soundalike: the library is empty: {why} ({where})", err=True)
    sys.exit(1)


@click.command()
@click.argument("query", required=False)
@click.option("-n", "count", type=int, default=10, show_default=True, help="Answers wanted.")
@click.option("--from", "start", metavar="TIME", help="Compare from here on, such as 1:00.")
@click.option("--to", "end", metavar="TIME", help="Compare up to here, such as 1:30.")
@click.option(
    "--aggregation",
    type=click.Choice(AGGREGATIONS),
    default="mean",
    show_default=True,
    help="How segments of two tracks are compared.",
)
@sense_option
@click.option("--include-self", is_flag=True, help="Keep the query itself among the answers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--m3u", type=PLACE, help="Write the answers as an M3U8 playlist.")
@library_option
@model_option
def similar(
    query: str | None,
    count: int,
    start: str | None,
    end: str | None,
    as_json: bool,
    m3u: Path | None,
    library: Path | None,
    model: str | None,
    **options: Any,
) -> None:
    """Find the tracks that sound most like QUERY.

    QUERY is any audio file, in the library or not, or the id of a track. Without one, three tracks of
    the library are asked about, to look around.

    Each answer shows its similarity (1 the same, 0 unrelated) and where the two sound most alike: time
    in the query ~ time in the answer.
    """
    if query is None and (as_json or m3u or start or end):
        raise click.UsageError("--json, --m3u, --from and --to need a QUERY")
    opened = open_library(library, model)
    if query is None:
        _look_around(opened, count, options)
        return
    first, last = seconds(start, "--from"), seconds(end, "--to")
    if first is not None and last is not None and last <= first:
        raise click.BadParameter(f"{end} is not after --from {start}", param_hint="--to")
    neighbors = opened.similar(query, n=count, start=first, end=last, **options)
    if m3u:
        from soundalike.library.journeys import write_m3u8

        title = f"Like {Path(query).stem}"
        write_m3u8(m3u, [neighbor.track for neighbor in neighbors], title=title)
        click.echo(f"{len(neighbors)} tracks in {show.show_path(m3u)}", err=True)
    if as_json:
        sense = {"sense": options["sense"]}
        show.print_json([show.neighbor_fields(neighbor) | sense for neighbor in neighbors])
    elif not m3u:
        show.print_neighbors(neighbors)


def _look_around(library: Library, count: int, options: dict[str, Any]) -> None:
    tracks = library.tracks()
    if not tracks:
        raise QueryError(f"the library {library.path} is empty; run soundalike index FOLDER first")
    for track in tracks[:: max(1, len(tracks) // 3)][:3]:
        answers = library.similar(track, n=min(count, 5), **options)
        click.echo(f"\n{show.name_of(track)}   {show.show_path(track.path)}")
        show.print_neighbors(answers)


def seconds(text: str | None, option: str) -> float | None:
    """A time such as 90, 1:30 or 1:02:03 in seconds.

    Raises:
        click.BadParameter: anything else.
    """
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
        if len(parts) > 3 or not all(0 <= part < math.inf for part in parts):
            raise ValueError
    except ValueError:
        raise click.BadParameter(
            f'"{text}" is not a time; write 90, 1:30 or 1:02:03', param_hint=option
        ) from None
    total = 0.0
    for part in parts:
        total = total * 60 + part
    return total


@click.command()
@click.argument("files", nargs=-1, required=True, type=PLACE)
@click.option(
    "--out",
    type=NEW_FILE,
    required=True,
    help="Parquet file to write.",
)
@click.option(
    "--aggregate",
    type=click.Choice(["mean", "concat"]),
    default="mean",
    show_default=True,
    help="What a track's one vector is made of.",
)
@sense_option
@model_option
@jobs_option
def embed(
    files: tuple[Path, ...],
    out: Path,
    aggregate: str,
    sense: str,
    model: str | None,
    jobs: int | None,
) -> None:
    """Write the vectors of FILES as a Parquet table.

    Columns: path, vector (of the track), segments (one vector each), starts (seconds), model (and
    #sense, if it is one). Files that cannot be read are listed and left out; the exit code is 1 then.
    """
    from soundalike.cli.vectors import write_parquet
    from soundalike.embedder import Embedder, sense_of
    from soundalike.library.search import columns_of

    if not out.absolute().parent.is_dir():  # to be told now, not when all files have been heard
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    embedder = Embedder(model)
    one_sense = columns_of(sense, embedder.senses) is not None
    done, failed = [], []
    for outcome in embedder.embed(files, jobs=jobs):
        if isinstance(outcome, AudioError):
            failed.append(outcome)
            click.echo(f"soundalike: {show.show_path(outcome.path)}: {outcome.reason}", err=True)
        elif one_sense:
            own = sense_of(outcome.vectors, sense, embedder.senses)
            done.append(replace(outcome, vectors=own))
        else:
            done.append(outcome)
    identity = f"{embedder.identity}#{sense}" if one_sense else embedder.identity
    write_parquet(out, done, model=identity, aggregate=aggregate)
    click.echo(f"{len(done)} of {len(files)} files in {show.show_path(out)}", err=True)
    if failed:
        sys.exit(1)


@click.command()
@library_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def failures(library: Path | None, as_json: bool) -> None:
    """List the files that could not be used, with the reason. They are retried when they change."""
    listed = open_library(library, None).failures()
    if as_json:
        show.print_json([{"path": show.show_path(p), "reason": reason} for p, reason in listed])
        return
    for path, reason in listed:
        click.echo(f"{show.show_path(path)}: {reason}")
    click.echo(f"{len(listed)} files", err=True)


@click.command()
@click.option(
    "--folder",
    type=PLACE,
    default=Path("soundalike-demo"),
    show_default=True,
    help="Where the music goes.",
)
@click.option("--library", type=PLACE, help="Where its library goes. Default: beside the music.")
@model_option
def demo(folder: Path, library: Path | None, model: str | None) -> None:
    """Compose a small music library, listen to it, and find the arrangements of its tunes.

    Nine tunes in three arrangements each (other instruments, keys and tempi; two related, one
    distant) among unrelated pieces, all composed and rendered here: nothing is downloaded, and it is
    the same music every time.
    """
    from soundalike.demo.render import demo_groups, write_demo

    with show.plain_progress("composing") as progress:
        write_demo(folder, progress=progress)
    opened = open_library(library or folder.with_name(f"{folder.name}-library"), model)
    with show.index_progress(False) as told:
        report = opened.index([folder], progress=told)
    show.print_report(report, len(opened), opened.path)
    _ask_about_tunes(opened, folder, demo_groups(), click.echo)


def _ask_about_tunes(
    library: Library, folder: Path, groups: dict[str, list[str]], tell: Callable[[str], object]
) -> None:
    """Show answers for a few tunes, and count over all of them how often arrangements are found."""
    first, chance, asked = 0, 0.0, 0
    for number, names in enumerate(groups.values()):
        for name in names:
            answers = library.similar(folder / name, n=5)
            others = {other for other in names if other != name}
            first += answers[0].track.path.name in others
            chance += len(others) / (len(library) - 1)
            asked += 1
            if number < 3 and name == names[0]:
                tell(f"\nWhat sounds like {show.name_of(library.track(folder / name))}?")
                show.print_neighbors(answers)
    tell(
        f"\nThe first answer is another arrangement of the same tune for {first} of {asked} tracks "
        f"(guessing would find {chance:.0f}).\nThe music is in {folder}; listen for yourself. Ask "
        f"about any file with\n\n    soundalike similar FILE --library {library.path}\n"
    )
