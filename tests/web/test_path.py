"""A path from one track to another."""

from __future__ import annotations

from typing import Any


def test_a_path_is_found_by_typing_both_ends(page: Any, ids: dict[str, str]) -> None:
    titles = [title for title in ids if "(" in title]
    start, end = titles[0], titles[-1]
    page.go("#/path")
    for title in (start, end):
        page.type("main [role=combobox]", title)
        page.click("main [role=option]", title)
        page.find(".chip", title[:12])
    page.wait(lambda: len(page.all(".answers .row")) == 10)
    shown = page.texts(".answers .row .title")
    assert (shown[0], shown[-1]) == (start, end)
    assert f"from={ids[start]}" in page.place
    page.picture("path")
    page.click(".answers .button.main")
    assert page.plays(ids[start])["queue"][-1] == ids[end]


def test_a_path_has_an_address(page: Any, ids: dict[str, str]) -> None:
    titles = [title for title in ids if "(" in title]
    page.open(f"#/path?from={ids[titles[1]]}&to={ids[titles[5]]}&n=5")
    page.wait(lambda: len(page.all(".answers .row")) == 5)
    page.browser.refresh()
    page.wait(lambda: len(page.all(".answers .row")) == 5)
