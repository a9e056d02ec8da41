"""A radio: it goes on, and listens to likes and dislikes."""

from __future__ import annotations

from typing import Any

TITLE = "Harbour Lanterns (string quartet)"


def test_a_radio_goes_on_and_takes_votes(page: Any, ids: dict[str, str]) -> None:
    page.open(f"#/radio?seed={ids[TITLE]}&drift=0.4")
    page.click(".button.main", "Start the radio")
    first = page.plays()
    assert ids[TITLE] not in first["queue"]
    page.find(".radio .row")
    page.picture("radio")
    page.click("#player .votes [aria-label^='More']")
    page.wait(lambda: len(page.heard()["queue"]) > 3)
    page.find("#player .votes .chosen")
    # What is disliked is left at once.
    on = page.plays()["id"]
    page.click("#player .votes [aria-label^='Less']")
    page.wait(lambda: page.heard()["id"] not in (on, None))
    page.plays()
    assert len(set(page.heard()["queue"])) == len(page.heard()["queue"])


def test_the_same_address_is_the_same_radio(page: Any, ids: dict[str, str]) -> None:
    queues = []
    for _ in range(2):
        page.open(f"#/radio?seed={ids[TITLE]}&number=7&drift=0.8")
        page.click(".button.main", "Start the radio")
        queues.append(page.plays()["queue"][:6])
    assert queues[0] == queues[1]


def test_the_drift_is_a_slider(page: Any, ids: dict[str, str]) -> None:
    page.open(f"#/radio?seed={ids[TITLE]}&drift=1")
    assert page.find(".slider output").text == "1.00"
