"""Playlists: what is downloaded, what an address names, and the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TITLE = "Harbour Lanterns (string quartet)"


def test_answers_are_saved_as_m3u8(
    page: Any, ids: dict[str, str], downloads: Path, music: Path
) -> None:
    page.open(f"#/similar?like={ids[TITLE]}&n=5")
    page.wait(lambda: len(page.all(".answers .row")) == 5)
    titles = page.texts(".answers .row .title")
    page.click(".answers .save")
    file = downloads / f"Like {TITLE}.m3u8"
    page.wait(lambda: file.is_file() and file.stat().st_size, "no playlist was downloaded")
    text = file.read_text("utf-8")
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    paths = [Path(line) for line in lines if line and not line.startswith("#")]
    by_title = {f"{title}.flac" for title in titles if "(" in title}
    assert by_title <= {path.name for path in paths}
    assert len(paths) == 5
    assert all(path.is_file() for path in paths)


def test_an_address_names_a_playlist(page: Any, ids: dict[str, str]) -> None:
    chosen = list(ids.values())[:4]
    page.open(f"#/playlist?name=Evening&ids={'.'.join(chosen)}")
    page.wait(lambda: len(page.all(".playlist .row")) == 4)
    assert page.find("input.title").get_attribute("value") == "Evening"
    page.picture("playlist")
    page.click(".button", "Sort by sound")
    page.wait(lambda: page.place.count(".") == 3 and "Evening" in page.place)
    shown = (
        "return [...document.querySelectorAll('.playlist .row')].map((row) => row.dataset.track)"
    )
    page.wait(lambda: sorted(page.run(shown)) == sorted(chosen))


def test_the_queue_is_changed_by_hand(page: Any, ids: dict[str, str]) -> None:
    page.open(f"#/similar?like={ids[TITLE]}&n=5")
    page.click(".answers .button.main")
    queue = page.plays()["queue"]
    page.go("#/playlist")
    page.wait(lambda: len(page.all(".playlist .row")) == 5)
    page.click(".playlist .row:nth-child(3) [aria-label$=up]")
    page.wait(lambda: page.heard()["queue"][1] == queue[2])
    page.click(".playlist .row:nth-child(5) [aria-label$=out]")
    page.wait(lambda: len(page.heard()["queue"]) == 4)
