"""Paths on the command line: folders and files, there already or still to be made.

An empty one is what a shell makes of a variable that is not set, as in `soundalike index "$MUSIC"`.
Python would take it for the folder the command is typed in; here it is wrong usage.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class Place(click.Path):
    """click's path, as a `Path`, and never empty."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True) -> None:
        # What cannot be read is for the command to tell: one file in a list must not stop the rest.
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, readable=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Make a Path, or stop with the reason why not."""
        if not os.fspath(value):
            self.fail("the path is empty; is a variable of the shell not set?", param, ctx)
        return super().convert(value, param, ctx)


PLACE = Place()
NEW_FILE = Place(dir_okay=False)
NEW_FOLDER = Place(file_okay=False)
