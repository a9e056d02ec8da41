"""Chromium before a server in a process of its own: starting both, and the page as somebody uses it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

ROOT = Path(__file__).parents[2]
SCREENSHOTS = Path(os.environ.get("SOUNDALIKE_SCREENSHOTS", ROOT / ".cache/screenshots"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 20.0
TOKEN = "a-token-for-the-page"
HOSTILE = {
    "script": '<img src=x onerror="window.broken=1"><script>window.broken=1</script>',
    "long": "endless " * 1250,
    "signs": "🎷🪕 שלום \u202eevil\u202c مرحبا",
}
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--mute-audio"),
    *("--enable-unsafe-swiftshader", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run", "--force-prefers-reduced-motion"),
)


def program(names: tuple[str, ...], package: str) -> str:
    """Where a program of Debian's package is; else the test ends here."""
    for name in names:
        if (path := shutil.which(name)) is not None:
            return path
    reason = f"no {names[0]}: apt-get install {package}, or another system's like"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Served:
    """A server in a process of its own."""

    url: str
    process: subprocess.Popen[str]


def served(library: Path, *options: str) -> Served:
    """Start `soundalike serve` on any free port."""
    command = [sys.executable, "-m", "soundalike", "serve", "--library", str(library)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--quiet", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "SOUNDALIKE_TOKEN": ""},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://\S+", line):
            return Served(found[0].rstrip("/") + "/", process)
    raise AssertionError(f"the server ended with {process.wait()}")


def stop(server: Served) -> None:
    server.process.terminate()
    try:
        server.process.wait(15)
    finally:
        server.process.kill()
        assert server.process.stderr is not None
        server.process.stderr.close()


class Page:
    """The page in the browser, as somebody uses it."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser, self.url = browser, url
        self.forgiven: list[str] = []

    def open(self, place: str = "#/") -> None:
        """Load the page anew at an address, with nothing remembered."""
        if self.run("return location.href").startswith(self.url):
            self.run("localStorage.clear(); sessionStorage.clear()")
        self.browser.get("about:blank")
        self.browser.get(self.url + place)

    def go(self, place: str) -> None:
        self.run("location.hash = arguments[0]", place)

    def run(self, script: str, *given: Any) -> Any:
        return self.browser.execute_script(script, *given)

    def find(self, selector: str, text: str = "") -> WebElement:
        """The first visible element, waited for; with `text` in it."""

        def look() -> WebElement | None:
            for element in self.browser.find_elements(By.CSS_SELECTOR, selector):
                if element.is_displayed() and text in element.text:
                    return element
            return None

        return self.wait(look, f"no {selector} {text}")

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.all(selector)]

    def click(self, selector: str, text: str = "") -> None:
        element = self.find(selector, text)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def type(self, selector: str, text: str) -> WebElement:
        field = self.find(selector)
        field.send_keys(text)
        return field

    def wait(self, look: Callable[[], Any], otherwise: str = "") -> Any:
        """What `look` gives once it is something."""
        late = time.monotonic() + PATIENCE
        error: Exception | None = None
        while time.monotonic() < late:
            try:
                if found := look():
                    return found
            except Exception as problem:  # the page is being built anew
                error = problem
            time.sleep(0.03)
        raise AssertionError(f"{otherwise or 'it did not happen'} at {self.place}; {error}")

    @property
    def place(self) -> str:
        return str(self.run("return location.hash"))

    def heard(self) -> dict[str, Any]:
        """What the player is at."""
        script = f"""
            const [done] = arguments;
            import("{urlsplit(self.url).path}web/player.js").then(({{ player }}) => done({{
                at: player.audio.currentTime, paused: player.audio.paused, source: player.audio.src,
                id: player.track?.id ?? null, queue: player.queue.map((track) => track.id),
                index: player.index, part: player.part, passages: player.passages.length,
            }}))"""
        answer: dict[str, Any] = self.browser.execute_async_script(script)
        return answer

    def plays(self, track: str = "") -> dict[str, Any]:
        """Wait until something plays, and its time has really advanced."""
        begun = self.wait(
            lambda: not (now := self.heard())["paused"] and track in str(now["id"]) and now,
            f"{track} does not play",
        )
        self.wait(
            lambda: (now := self.heard())["id"] != begun["id"] or now["at"] > begun["at"] + 0.2,
            "time stands still",
        )
        return self.heard()

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))

    def size(self, width: int, height: int) -> None:
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )

    def light(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def keys(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def focused(self) -> str:
        """What has the focus, as it would be read out."""
        script = "const at = document.activeElement; return at.getAttribute('aria-label') || at.textContent"
        return str(self.run(script))


def complaints(page: Page) -> list[str]:
    """Errors of the console, but for those that a test has brought about."""
    logged: list[dict[str, Any]] = page.browser.get_log("browser")
    told = [entry["message"] for entry in logged if entry["level"] == "SEVERE"]
    return [line for line in told if not any(part in line for part in page.forgiven)]


def strangers(browser: Chrome, url: str) -> list[str]:
    """Addresses asked that are not the server's."""
    asked = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    own = urlsplit(url).netloc
    return [
        each
        for each in asked
        if urlsplit(each).scheme[:4] == "http" and urlsplit(each).netloc != own
    ]
