"""Playing: the audio element really advances."""

from __future__ import annotations

from typing import Any

from selenium.webdriver.common.keys import Keys

TITLE = "Harbour Lanterns (string quartet)"


def test_a_track_plays_pauses_and_seeks(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".sleeve .button.main")
    page.plays(ids[TITLE])
    assert page.find("#player .title").text == TITLE
    page.click("#player .big")
    page.wait(lambda: page.heard()["paused"])
    page.find("#player .seek").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.wait(lambda: page.heard()["at"] > 9)
    page.click("#player .big")
    assert page.plays()["at"] > 9


def test_the_queue_goes_on_and_back(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".answers .button.main")
    first = page.plays()
    page.click("#player [aria-label=Next]")
    second = page.plays(first["queue"][1])
    assert second["index"] == 1
    page.click("#player [aria-label=Previous]")
    page.plays(first["queue"][0])


def test_a_track_that_ends_is_followed_by_the_next(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".answers .button.main")
    queue = page.plays()["queue"]
    page.run(
        """import("./web/player.js").then(({ player }) => player.seek(player.duration - 0.4))"""
    )
    page.plays(queue[1])


def test_the_volume_is_a_slider(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".sleeve .button.main")
    page.plays()
    page.click("#player [aria-label=Mute]")
    page.find("#player [aria-label=Unmute]")


def test_the_system_is_told_what_plays(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".sleeve .button.main")
    page.plays()
    assert page.run("return navigator.mediaSession.metadata.title") == TITLE
    assert page.run("return navigator.mediaSession.playbackState") == "playing"


def test_the_queue_outlives_a_reload(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".answers .button.main")
    queue = page.plays()["queue"]
    page.browser.refresh()
    assert page.wait(page.heard)["queue"] == queue
