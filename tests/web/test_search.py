"""Finding a track by typing."""

from __future__ import annotations

from typing import Any

from selenium.webdriver.common.keys import Keys

FIELD = "main [role=combobox]"


def test_answers_come_while_one_types(page: Any) -> None:
    page.type(FIELD, "harbour lan")
    page.wait(lambda: len(page.all("main [role=option] .time")) == 3)
    options = page.texts("main [role=option] .title")
    assert all("Harbour Lanterns" in text for text in options)
    assert page.find(FIELD).get_attribute("aria-expanded") == "true"
    page.picture("search")


def test_up_down_and_enter_choose(page: Any, ids: dict[str, str]) -> None:
    field = page.type(FIELD, "harbour")
    page.find("main [role=option]")
    first = field.get_attribute("aria-activedescendant")
    field.send_keys(Keys.ARROW_DOWN)
    second = field.get_attribute("aria-activedescendant")
    assert first != second
    chosen = page.find(f"#{second}")
    assert chosen.get_attribute("aria-selected") == "true"
    title = chosen.text.splitlines()[0]
    field.send_keys(Keys.ARROW_UP)
    assert field.get_attribute("aria-activedescendant") == first
    field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert page.find("h1", title).text == title
    assert page.place == f"#/similar?like={ids[title]}"


def test_escape_closes_the_list(page: Any) -> None:
    field = page.type(FIELD, "harbour")
    page.find("main [role=option]")
    field.send_keys(Keys.ESCAPE)
    page.wait(lambda: field.get_attribute("aria-expanded") == "false")


def test_what_is_not_found_is_said(page: Any) -> None:
    page.type(FIELD, "zzzzqqqq")
    page.find("main .search .nothing")


def test_the_last_words_typed_count(page: Any) -> None:
    field = page.type(FIELD, "orchard")
    for _ in range(7):
        field.send_keys(Keys.BACKSPACE)
    field.send_keys("harbour")
    page.wait(lambda: len(page.all("main [role=option] .time")) == 3)
    page.wait(lambda: all("Harbour" in text for text in page.texts("main [role=option] .title")))


def test_all_that_is_found_has_a_room(page: Any) -> None:
    page.type(FIELD, "harbour")
    page.click("main [role=option].all")
    page.wait(lambda: len(page.all("main .row")) == 3)
    assert page.place == "#/find?q=harbour"
