from __future__ import annotations

from pathlib import Path

import click
import pytest
from shell import Run

from soundalike.cli.places import NEW_FILE, NEW_FOLDER, PLACE


def test_a_place_is_a_path() -> None:
    assert PLACE.convert("a/b", None, None) == Path("a/b")
    assert PLACE.convert(".", None, None) == Path()


@pytest.mark.parametrize("kind", [PLACE, NEW_FILE, NEW_FOLDER])
def test_an_empty_path_is_not_the_current_folder(kind: click.ParamType) -> None:
    with pytest.raises(click.BadParameter, match="is empty"):
        kind.convert("", None, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", ""],
        ["index", "music", "--library", ""],
        ["similar", "x.mp3", "--m3u", ""],
        ["embed", "", "--out", "x.parquet"],
        ["embed", "x.mp3", "--out", ""],
        ["train", "", "--out", "run"],
        ["evaluate", "mfcc", "--tracks", ""],
        ["export", "model", ""],
    ],
)
def test_a_shell_variable_that_is_not_set_is_wrong_usage(
    run: Run, tmp_path: Path, arguments: list[str]
) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert "the path is empty" in ran.err
    assert not any(tmp_path.iterdir())
