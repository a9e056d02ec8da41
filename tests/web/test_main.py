"""The page as a whole: hostile tags, phones, keys, screen readers, weight."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from web.browsing import HOSTILE, ROOT

WEB = ROOT / "src/soundalike/web"
TITLE = "Harbour Lanterns (string quartet)"
MOST_BYTES = 64_000


def rooms(ids: dict[str, str]) -> dict[str, str]:
    """An address of every room, with what shows that it is there."""
    some = list(ids.values())
    return {
        "#/": ".begin .row",
        f"#/similar?like={ids[TITLE]}": ".answers .row",
        f"#/similar?like={some[0]}&like={some[1]}&dislike={some[2]}": ".answers .row",
        "#/find?q=harbour": ".row",
        "#/tracks?artist=The Quayside Quartet": ".row",
        "#/map": ".panel .group",
        f"#/path?from={some[0]}&to={some[3]}": ".answers .row",
        f"#/radio?seed={some[0]}": ".button.main",
        f"#/playlist?ids={'.'.join(some)}": ".row",
        "#/library": ".figures",
        "#/nowhere": "h1",
    }


def test_every_room_fits_a_phone(page: Any, ids: dict[str, str]) -> None:
    page.size(360, 740)
    for number, (place, sign) in enumerate(rooms(ids).items()):
        page.open(place)
        page.find(sign)
        width = page.run("return document.documentElement.scrollWidth")
        assert width <= 360, place
        page.picture(f"phone-{number:02d}-{place.split('?')[0].strip('#/') or 'home'}")


def test_hostile_tags_are_text(page: Any, ids: dict[str, str]) -> None:
    for text in HOSTILE.values():
        page.open(f"#/similar?like={ids[text.strip()]}")
        assert page.find("h1").get_attribute("textContent") == text.strip()
        page.find(".answers .row")
        assert page.run("return document.documentElement.scrollWidth") <= 1280
        page.click(".sleeve .button.main")
        page.plays()
        assert page.find("#player .title").get_attribute("textContent") == text.strip()
    page.open(f"#/playlist?ids={'.'.join(ids.values())}")
    page.wait(lambda: len(page.all(".row")) == len(ids))
    assert page.all("main img") == []
    assert page.run("return window.broken") is None
    page.picture("hostile")


def test_everything_is_reached_by_keys(page: Any) -> None:
    page.keys(Keys.TAB)
    page.run("document.activeElement.blur(); scrollTo(0, 0)")
    page.browser.refresh()
    page.find(".begin .row")
    page.run("document.activeElement.blur()")
    page.keys("/")
    assert page.focused() == "Find a track"
    page.keys("harbour lan")
    page.find("main [role=option]")
    page.keys(Keys.ENTER)
    page.find(".answers .row")
    assert page.run("return document.activeElement.id") == "main"
    seen = []
    for _ in range(60):
        page.keys(Keys.TAB)
        seen.append(page.focused())
        outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")
        hidden = page.run("return document.activeElement.matches('.segments input')")
        assert outline != "none" or hidden, f"no focus is seen at {seen[-1]}"
        if seen[-1].startswith("Why "):
            break
    assert seen[-1].startswith("Why ")
    page.keys(Keys.ENTER, Keys.TAB)
    assert page.focused().startswith("Hear both")
    page.keys(Keys.ENTER)
    page.plays()
    page.run("document.activeElement.blur()")
    page.keys(Keys.SPACE)
    page.wait(lambda: page.heard()["paused"])
    page.keys("?")
    page.find("dialog[open]")
    page.keys(Keys.ESCAPE)
    page.wait(lambda: not page.all("dialog[open]"))


def test_the_skip_link_leads_to_the_content(page: Any) -> None:
    page.open("#/library")
    page.find(".figures")
    page.run("document.querySelector('.skip').focus()")
    page.keys(Keys.ENTER)
    assert page.run("return document.activeElement.id") == "main"
    assert page.place == "#/library"


def test_going_back_shows_what_was_there(page: Any, ids: dict[str, str]) -> None:
    page.go(f"#/similar?like={ids[TITLE]}")
    page.find("h1", TITLE)
    page.click("nav a", "Library")
    page.find("h1", "Library")
    assert page.find("nav [aria-current=page]").text == "Library"
    page.browser.back()
    page.find("h1", TITLE)
    page.browser.forward()
    page.find("h1", "Library")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Any, ids: dict[str, str], scheme: str) -> None:
    """All of its rules in the light; in the dark, where only colors are others, that of contrast."""
    axe = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")
    about: dict[str, Any] = {"resultTypes": ["violations"]}
    if scheme == "dark":
        about["runOnly"] = {"type": "rule", "values": ["color-contrast"]}
    page.light(scheme)
    found = {}
    for place, sign in list(rooms(ids).items())[:: 1 if scheme == "light" else 3]:
        page.open(place)
        page.find(sign)
        if "#/similar" in place:
            page.click(".row .unfold")
            page.click(".row .play")
        page.run(script)
        result = page.browser.execute_async_script(
            "const [about, done] = arguments; axe.run(document, about).then(done)", about
        )
        for problem in result["violations"]:
            found[place[:20], problem["id"]] = [node["html"][:200] for node in problem["nodes"][:3]]
    assert found == {}


def test_the_page_is_light() -> None:
    files = [path for path in WEB.rglob("*") if path.suffix in (".html", ".js", ".css", ".svg")]
    packed = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)
    assert packed < MOST_BYTES


def test_nothing_is_within_the_page_that_the_policy_forbids() -> None:
    html = (WEB / "index.html").read_text("utf-8")
    assert " style=" not in html
    assert " on" not in html.replace(" on the command line", "")
    for path in WEB.rglob("*.js"):
        text = path.read_text("utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "document.write",
            "https:",
        ):
            assert word not in text, path.name
