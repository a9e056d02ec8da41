"""Light, dark, and the choice that is kept."""

from __future__ import annotations

from typing import Any

GROUND = "return getComputedStyle(document.body).backgroundColor"


def test_the_system_decides_and_the_switch_overrules(page: Any) -> None:
    light = page.run(GROUND)
    page.light("dark")
    dark = page.wait(lambda: page.run(GROUND) != light and page.run(GROUND))
    page.click("#theme")  # light
    page.wait(lambda: page.run(GROUND) == light)
    page.browser.refresh()
    assert page.run(GROUND) == light
    page.click("#theme")  # dark
    page.wait(lambda: page.run(GROUND) == dark)
    page.light("light")
    assert page.run(GROUND) == dark
    page.click("#theme")  # as the system has it
    page.wait(lambda: page.run(GROUND) == light)


def test_dark_rooms_for_looking_at(page: Any, ids: dict[str, str]) -> None:
    page.light("dark")
    for name, place in (
        ("home", "#/"),
        ("similar", f"#/similar?like={next(iter(ids.values()))}"),
        ("map", "#/map"),
    ):
        page.open(place)
        page.find(".row, .group")
        page.picture(f"{name}-dark")
