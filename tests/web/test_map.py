"""The library from above: click, zoom, neighborhoods, lasso, and the same by keys."""

from __future__ import annotations

from typing import Any

from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

AT = """
const [id, done] = arguments;
fetch("api/map").then((answer) => answer.json()).then((map) => {
  const i = id ? map.ids.indexOf(id) : 0;
  done({ x: map.x[i], y: map.y[i], id: map.ids[i], ids: map.ids });
})"""


def opened(page: Any, place: str = "#/map") -> Any:
    page.open(place)
    page.find(".panel .group, .panel .row")
    return page.find(".surface")


def pixel(page: Any, surface: Any, x: float, y: float, zoom: float = 1.0) -> tuple[int, int]:
    """Where a place lies from the middle of the surface; the middle shows 0.5, 0.5."""
    size = surface.size
    scale = 0.9 * min(size["width"], size["height"]) * zoom
    return round((x - 0.5) * scale), round((0.5 - y) * scale)


def where(page: Any, track: str = "") -> Any:
    return page.browser.execute_async_script(AT, track)


def test_a_click_on_a_point_plays_it(page: Any) -> None:
    surface = opened(page)
    point = where(page)
    mouse = ActionChains(page.browser)
    mouse.move_to_element_with_offset(surface, *pixel(page, surface, point["x"], point["y"]))
    mouse.perform()
    page.find(".hovered")
    page.picture("map")
    mouse.click().perform()
    page.plays(point["id"])


def test_a_neighborhood_shows_its_tracks(page: Any) -> None:
    opened(page)
    count = int(page.find(".group .number").text)
    page.click(".panel .group")
    page.wait(lambda: len(page.all(".panel .row")) == count)
    page.wait(lambda: "group=0" in page.place)
    page.picture("neighborhood")
    page.click(".panel .button.main")
    assert len(page.plays()["queue"]) == count


def test_wheel_and_drag_move_and_the_address_follows(page: Any) -> None:
    surface = opened(page)
    mouse = ActionChains(page.browser)
    mouse.scroll_from_origin(_origin(surface), 0, -600).perform()
    page.wait(lambda: "zoom=" in page.place and "zoom=1&" not in page.place + "&")
    before = page.place
    mouse.click_and_hold(surface).move_by_offset(120, 60).release().perform()
    page.wait(lambda: page.place != before)
    kept = page.place
    page.browser.refresh()
    page.find(".panel .group")
    page.wait(lambda: page.place == kept)


def test_a_lasso_becomes_a_playlist(page: Any) -> None:
    # From afar, so that all of any map lies well within the lasso.
    surface = opened(page, "#/map?x=0.5&y=0.5&zoom=0.5")
    page.click(".tools .button", "Lasso")
    half = {side: surface.size[side] // 2 - 8 for side in ("width", "height")}
    mouse = ActionChains(page.browser, duration=20)
    mouse.move_to_element_with_offset(
        surface, -half["width"], -half["height"] + 90
    ).click_and_hold()
    for x, y in ((2, 0), (0, 2), (-2, 0)):
        mouse.move_by_offset(x * half["width"], y * (half["height"] - 50))
    mouse.release().perform()
    page.find(".panel h2", "LASSO")
    everything = where(page)["ids"]
    page.find(".panel .facts", f"{len(everything)} tracks")
    page.click(".panel .button", "As playlist")
    page.wait(lambda: len(page.all(".playlist .row")) == len(everything))


def test_keys_do_the_same(page: Any) -> None:
    surface = opened(page)
    page.run("arguments[0].focus()", surface)
    for _ in range(3):
        surface.send_keys("+")
    page.wait(lambda: "zoom=2.74" in page.place)
    surface.send_keys("0")
    page.wait(lambda: "zoom=1" in page.place + "&")
    place = where(page)
    page.go(f"#/map?x={place['x']}&y={place['y']}&zoom=20")
    page.wait(lambda: "zoom=20" in page.place)
    surface.send_keys(Keys.ENTER)
    page.plays(place["id"])


def _origin(surface: Any) -> Any:
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    return ScrollOrigin.from_element(surface)
