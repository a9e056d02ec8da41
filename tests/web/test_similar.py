"""Questions: what the address says is what is asked, and the other way round."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

TITLE = "Harbour Lanterns (string quartet)"
SIBLING = "Harbour Lanterns (string orchestra with flute)"


def asked(page: Any) -> dict[str, list[str]]:
    return parse_qs(page.place.partition("?")[2])


def test_the_sibling_answers_first(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    assert SIBLING in page.find(".answers .row .title").text
    similarities = [float(text) for text in page.texts(".answers .similarity")]
    assert similarities == sorted(similarities, reverse=True)
    page.picture("similar")


def test_switches_change_the_address_and_the_answers(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.find(".answers .row")
    before = page.texts(".answers .similarity")
    page.click(".segments label", "Tune")
    page.wait(lambda: asked(page).get("sense") == ["composition"])
    page.wait(lambda: page.texts(".answers .similarity") != before)
    page.click(".segments label", "Passages")
    page.wait(lambda: asked(page).get("aggregation") == ["maxsim"])
    page.browser.refresh()
    page.find(".answers .row")
    assert page.run("return document.querySelector('[value=composition]').checked")


def test_likes_and_dislikes_become_chips(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.click(".row .vote[aria-label^='More like']")
    page.wait(lambda: len(page.all(".chip.like")) == 2)
    page.find(".answers:not([aria-busy]) .row")
    page.click(".row .vote[aria-label^='Less like']")
    page.wait(lambda: len(page.all(".chip.dislike")) == 1)
    assert len(asked(page)["dislike"]) == 1
    page.picture("seeds")
    page.browser.back()
    page.wait(lambda: not page.all(".chip.dislike"))
    page.browser.back()
    page.find("h1", TITLE)


def test_filters_filter_and_mistakes_are_told(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.find(".answers .row")
    page.click(".filters summary")
    field = page.find(".filters textarea")
    field.send_keys("genre = 'Lullaby'\n")
    page.wait(lambda: len(page.all(".answers .row")) == 1)
    page.forgiven = ["400"]
    field.clear()
    field.send_keys("gerne = 'Lullaby'\n")
    assert "gerne" in page.find(".answers [role=alert]").text


def test_years_and_durations_have_fields(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}&from_year=2030")
    page.forgiven = ["400"]
    page.find(".answers .error", "lets none of 12 tracks through")
    page.go(f"#/similar?like={ids[TITLE]}&max_duration=13")
    page.wait(lambda: len(page.all(".answers .row")) == 3)
    assert page.run("return document.querySelectorAll('.fields input')[3].value") == "0:13"


def test_the_number_of_answers_is_a_slider(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}&n=5")
    page.wait(lambda: len(page.all(".answers .row")) == 5)
    page.find(".answers h2", "5 ANSWERS")


def test_a_track_that_is_gone_is_explained(page: Any) -> None:
    page.go("#/similar?like=0123456789abcdef")
    page.find(".seeds", "no longer in the library")
