"""A real browser before a real server: Chromium, and a small library heard by the shipped encoder.

Pictures of the rooms are left in .cache/screenshots, or where SOUNDALIKE_SCREENSHOTS says, to be looked at.
Without a browser these tests are skipped, and say so; under CI (the environment's CI is set) they fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from fake_model import write_tone
from soundalike.demo import render
from soundalike.library.library import Library
from web.browsing import (
    ARGUMENTS,
    BROWSERS,
    HOSTILE,
    Page,
    Served,
    complaints,
    program,
    served,
    stop,
    strangers,
)


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tunes in three arrangements, tones with hostile tags, and a file that is no music."""
    program(BROWSERS, "chromium")  # or else nothing need be made
    folder = tmp_path_factory.mktemp("music")
    for track in render.demo_tracks()[:9]:
        render.write_flac(folder / track.file_name, render.render(track), track.tags)
    for number, (name, text) in enumerate(HOSTILE.items()):
        tags = {"title": text, "artist": text, "album": text, "genre": text[:200]}
        write_tone(folder / f"hostile {name}.flac", 220.0 * 1.5**number, 12.0, tags=tags)
    (folder / "broken.mp3").write_bytes(b"no music at all" * 100)
    return folder


@pytest.fixture(scope="session")
def library(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "library"
    report = Library(folder).index([music])
    assert (report.added, len(report.failed)) == (12, 1)
    return folder


@pytest.fixture(scope="session")
def server(library: Path) -> Iterator[Served]:
    made = served(library)
    yield made
    stop(made)


@pytest.fixture(scope="session")
def ids(library: Path) -> dict[str, str]:
    """Ids by title."""
    return {track.title: track.id for track in Library(library).tracks()}


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def browser(downloads: Path) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = program(BROWSERS, "chromium")
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = program(("chromedriver",), "chromium-driver")
    made = Chrome(options=options, service=Service(driver))
    made.set_script_timeout(15)
    behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
    made.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    yield made
    made.quit()


@pytest.fixture
def page(browser: Chrome, server: Served) -> Iterator[Page]:
    """The page, wide and light; afterwards, that it asked nobody else and complained of nothing."""
    made = Page(browser, server.url)
    made.size(1280, 860)
    made.light("light")
    browser.get("about:blank")
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # what was before is not ours
    made.open()
    made.run("localStorage.clear(); sessionStorage.clear()")
    yield made
    assert complaints(made) == []
    assert strangers(browser, made.url) == []
