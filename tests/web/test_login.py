"""Where a token is needed, it is asked for once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from web.browsing import TOKEN, Page, served, stop


def test_a_token_opens_the_library(browser: Any, library: Path) -> None:
    server = served(library, "--token", TOKEN)
    try:
        page = Page(browser, server.url)
        browser.get("about:blank")
        browser.get_log("browser")  # what was before is not ours
        page.open()
        page.find("h1", "Who is there?")
        page.type("#token", "not the token at all\n")
        page.find("[role=alert]", "not the token")
        page.find("#token").clear()
        page.type("#token", TOKEN + "\n")
        page.find(".begin .row")
        page.browser.refresh()
        page.find(".begin .row")
        assert TOKEN not in page.run("return document.cookie")
        page.go("#/library")
        page.click(".button", "Log out")
        page.find("h1", "Who is there?")
        # Being told 401 is what was tried.
        logged = browser.get_log("browser")
        assert all("401" in entry["message"] for entry in logged if entry["level"] == "SEVERE")
        browser.get("about:blank")
    finally:
        stop(server)
