"""Why an answer is one: its passages, seen and heard."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

TITLE = "Harbour Lanterns (string quartet)"


def best(page: Any, track: str) -> Any:
    with urllib.request.urlopen(f"{page.url}api/similar?id={track}&n=1") as answer:
        return json.load(answer)["answers"][0]


def test_one_click_plays_both_passages(page: Any, ids: dict[str, str]) -> None:
    answer = best(page, ids[TITLE])
    match = answer["matches"][0]
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".row .best")
    seed = page.plays(ids[TITLE])
    assert match["query"][0] <= seed["at"] < match["query"][0] + 6
    assert (seed["part"], seed["passages"]) == (0, 2)
    # Ten seconds later the answer's own passage follows by itself.
    page.run(
        """import("./web/player.js").then(({ player }) => (player.audio.currentTime += 9.2))"""
    )
    other = page.plays(answer["track"]["id"])
    assert match["answer"][0] <= other["at"] < match["answer"][0] + 6
    page.run(
        """import("./web/player.js").then(({ player }) => (player.audio.currentTime += 9.2))"""
    )
    page.wait(lambda: page.heard()["paused"])
    assert page.heard()["passages"] == 0


def test_next_goes_to_the_answer_at_once(page: Any, ids: dict[str, str]) -> None:
    answer = best(page, ids[TITLE])
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".row .unfold")
    page.click(".row .pair")
    page.plays(ids[TITLE])
    page.click("#player [aria-label=Next]")
    now = page.plays(answer["track"]["id"])
    assert answer["matches"][0]["answer"][0] <= now["at"]


def test_the_matches_unfold_as_two_timelines(page: Any, ids: dict[str, str]) -> None:
    answer = best(page, ids[TITLE])
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".row .unfold")
    assert page.find(".row .unfold").get_attribute("aria-expanded") == "true"
    assert len(page.all(".ribbons .band")) == len(answer["matches"])
    assert len(page.all(".ribbons .block")) == 2 * len(answer["matches"])
    assert len(page.all(".pairs .pair")) == len(answer["matches"])
    page.picture("matches")


def test_a_passage_on_a_timeline_plays_it(page: Any, ids: dict[str, str]) -> None:
    answer = best(page, ids[TITLE])
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".row .unfold")
    script = (
        "document.querySelectorAll('.ribbons .block.answer')[0].dispatchEvent(new Event('click'))"
    )
    page.find(".ribbons")
    page.run(script)
    now = page.plays(answer["track"]["id"])
    assert answer["matches"][0]["answer"][0] <= now["at"] < answer["matches"][0]["answer"][1]
