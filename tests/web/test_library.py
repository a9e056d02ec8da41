"""The library's room: counts, failures, duplicates, and indexing as it goes on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web.browsing import Page, served, stop


@pytest.fixture(scope="module")
def growing(
    browser: Any, library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Page, Path]]:
    """A page of a library of its own, and a folder it may index."""
    more = tmp_path_factory.mktemp("more")
    own = tmp_path_factory.mktemp("own") / "library"
    shutil.copytree(library, own)
    server = served(own, "--music", str(more))
    page = Page(browser, server.url)
    page.size(1280, 860)
    yield page, more
    browser.get("about:blank")
    stop(server)


def index(page: Page, folder: Path) -> None:
    """Start indexing; anew where the process of the time before has not quite ended."""

    def begun() -> bool:
        page.open("#/library")
        page.find(f"#folders option[value='{folder}']")
        page.run("document.getElementById('folders').value = arguments[0]", str(folder))
        page.click("form .button.main", "Index")
        page.wait(lambda: page.all(".job progress") or page.all(".told .error"))
        return bool(page.all(".job progress"))

    page.wait(begun)


def test_counts_and_failures_are_shown(page: Any) -> None:
    page.go("#/library")
    assert page.find(".figures dd").text == "12"
    page.click(".failures summary", "1 file")
    assert "broken.mp3" in page.find(".failures .where").text
    page.picture("library")
    page.click(".button", "Look for duplicates")
    page.find(".facts", "0 recordings")


def test_indexing_is_seen_live(growing: tuple[Page, Path], music: Path) -> None:
    page, more = growing
    for number, path in enumerate(sorted(music.glob("[A-Z]*.flac"))[:3]):
        (more / f"again {number}.flac").write_bytes(path.read_bytes())
    index(page, more)
    page.click(".about summary")
    page.wait(lambda: page.find(".figures dd").text == "15")
    page.find(".job", "3 added")
    # What was unfolded stays so.
    assert page.find(".about .where").is_displayed()


def test_indexing_can_be_cancelled(growing: tuple[Page, Path], music: Path) -> None:
    page, more = growing
    source = next(music.glob("Harbour*.flac")).read_bytes()
    for number in range(40):
        # Other sound at the end of each, so that no file is a copy.
        (more / f"{number}.flac").write_bytes(source[: -2000 - 500 * number])
    index(page, more)
    page.wait(lambda: " of 40" in page.find(".job .facts").text)
    page.wait(lambda: not page.find(".job .facts").text.startswith("0 of"))
    page.click(".button", "Cancel")
    found = re.search(r"Cancelled; ([\d]+) files? w", page.find(".job", "Cancelled;").text)
    assert found
    # Some are copies of what was there; all that were heard are counted.
    page.wait(lambda: int(page.find(".figures dd").text) == 15 + int(found[1]))
