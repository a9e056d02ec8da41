"""Trying it without any music at hand: demo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli import show
from soundalike.cli.options import model_option, open_library
from soundalike.cli.places import PLACE

if TYPE_CHECKING:
    from soundalike.library.library import Library


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
    """Show answers for a few tunes, and count over all of them how often arrangements are found.

    Arrangements of one tune are what is looked for, so none of them is left out as a version.
    """
    from soundalike.library.selection import RAW

    first, chance, asked = 0, 0.0, 0
    for number, names in enumerate(groups.values()):
        for name in names:
            answers = library.similar(folder / name, n=5, selection=RAW)
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
