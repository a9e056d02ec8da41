"""The page of `soundalike serve`: first paint, time to the first answer, and what is sent for it.

python bench/page.py [--tracks 59] [--runs 7] [--music FOLDER] [--library PATH] [--json PATH]

Chromium without a window before a server of its own, on loopback. "cold" is a browser that has seen nothing;
"again" has the files and asks whether they still hold. An answer counts from the last key of a search, or
from the load of an address, to the rows on the page. An empty page stands beside them: what the browser
takes by itself, which no page goes below. Points of the map are drawn at random places.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from record import ROOT, finish, linked, music, parser, spread
from soundalike.library.library import Library

POINTS = 100_000
PAINT = """
const entries = performance.getEntriesByType("paint");
return entries.find((entry) => entry.name === "first-contentful-paint")?.startTime ?? null;"""
EMPTY = "data:text/html,<!doctype html><title>empty</title><p>empty"
PAINTED = f"""
const [done] = arguments;
const paint = () => {{ {PAINT} }};
(function look() {{ paint() === null ? setTimeout(look, 20) : done(paint()); }})();"""
ROWS = """
const [selector, before, done] = arguments;
const began = performance.now();
(function look() {
  const rows = document.querySelectorAll(selector);
  if (rows.length && (before === null || rows[0].textContent !== before)) done(performance.now());
  else if (performance.now() - began > 20000) done(null);
  else requestAnimationFrame(look);
})();"""
TYPE = """
const [words, done] = arguments;
const field = document.querySelector("main [role=combobox]");
field.value = words;
const began = performance.now();
field.dispatchEvent(new Event("input"));
(function look() {
  if (document.querySelector("main [role=option]")) done(performance.now() - began);
  else requestAnimationFrame(look);
})();"""
DRAW = """
const [n, done] = arguments;
(async () => {
  const { byPixels, byWebGl } = await import("./web/points.js");
  const { Grid } = await import("./web/grid.js");
  const [x, y] = [0, 1].map(() => Float32Array.from({ length: n }, Math.random));
  const timed = (work) => {
    const began = performance.now();
    const made = work();
    return [performance.now() - began, made];
  };
  const [build, grid] = timed(() => new Grid(x, y));
  const finds = [], draws = {};
  for (let turn = 0; turn < 30; turn += 1) {
    finds.push(timed(() => grid.nearest(Math.random(), Math.random(), 0.01))[0]);
  }
  for (const way of ["pixels", "webgl"]) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1280, 800];
    document.body.append(canvas);
    const gl = way === "webgl" ? canvas.getContext("webgl") : null;
    if (way === "webgl" && !gl) break;
    const layer = gl ? byWebGl(canvas, gl, x, y) : byPixels(canvas, x, y);
    layer.paint(new Uint8Array(4 * n).fill(200));
    draws[way] = [];
    for (let turn = 0; turn < 30; turn += 1) {
      const view = { x: 0.5, y: 0.5, scale: 700 * (1 + turn / 10), width: 1280, height: 800 };
      draws[way].push(timed(() => {
        layer.draw(view, 2.2);
        gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits until it is drawn
      })[0]);
    }
    canvas.remove();
  }
  done({ build, finds, draws });
})();"""


def served(library: Path) -> tuple[subprocess.Popen[str], str]:
    """A server on any free port, and its address."""
    command = [sys.executable, "-m", "soundalike", "serve", "--library", str(library)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--quiet"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://\S+", line):
            return process, found[0].rstrip("/") + "/"
    raise SystemExit(f"the server ended with {process.wait()}")


def browser() -> Any:
    """Chromium with a log of what it fetches."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,860", "--mute-audio"):
        options.add_argument(argument)
    options.add_argument("--enable-unsafe-swiftshader")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = shutil.which("chromedriver")
    if driver is None:
        raise SystemExit("no chromedriver: install chromium and chromium-driver (Debian's names)")
    made = Chrome(options=options, service=Service(driver))
    made.set_script_timeout(30)
    return made


def loaded(driver: Any, url: str, rows: str) -> tuple[float, float, float, int]:
    """ms to the first paint and to the rows, KB of code and number of files that came."""
    driver.get("about:blank")
    driver.get_log("performance")
    driver.get(url)
    shown = driver.execute_async_script(ROWS, rows, None)
    paint = driver.execute_script(PAINT)
    time.sleep(0.3)  # for the rest of what is fetched
    size, files = _code(driver.get_log("performance"))
    return paint, shown, size, files


def _code(log: list[dict[str, Any]]) -> tuple[float, int]:
    """What came over the wire of the page's own files, headers included."""
    messages = [json.loads(entry["message"])["message"] for entry in log]
    ours = {
        each["params"]["requestId"]
        for each in messages
        if each["method"] == "Network.requestWillBeSent"
        and "/api/" not in each["params"]["request"]["url"]
    }
    ends = [
        each["params"]
        for each in messages
        if each["method"] == "Network.loadingFinished" and each["params"]["requestId"] in ours
    ]
    return sum(end["encodedDataLength"] for end in ends) / 1000, len(ends)


def measure(url: str, track: str, words: str, runs: int) -> dict[str, Any]:
    """All times in ms, all sizes in KB."""
    cases = {
        "the start": (url, ".begin .row"),
        "answers": (f"{url}#/similar?like={track}", ".answers .row"),
    }
    figures: dict[str, Any] = {"loads": {}, "empty": []}
    for name, (address, rows) in cases.items():
        cold, again = [], []
        for _ in range(runs):
            driver = browser()
            try:
                driver.get(EMPTY)
                figures["empty"].append(driver.execute_async_script(PAINTED))
                cold.append(loaded(driver, address, rows))
                again.append(loaded(driver, address, rows))
            finally:
                driver.quit()
        figures["loads"][f"{name}, cold"] = cold
        figures["loads"][f"{name}, again"] = again
    driver = browser()
    try:
        figures["search"] = []
        for _ in range(runs):
            loaded(driver, url, ".begin .row")
            figures["search"].append(driver.execute_async_script(TYPE, words))
        figures["map"] = driver.execute_async_script(DRAW, POINTS)
    finally:
        driver.quit()
    return figures


def as_markdown(figures: dict[str, Any]) -> str:
    """A row per load, then search and map."""
    loads = figures["loads"]
    runs = len(next(iter(loads.values())))
    lines = [
        f"Library of {figures['tracks']} tracks; {figures['browser']}, without a window, on loopback. Median "
        f"of {runs} (smallest to largest).",
        "",
        "| load | first paint, ms | rows on the page, ms | code sent, KB | files |",
        "|---|---|---|---|---|",
    ]
    lines.append(f"| an empty page | {spread(figures['empty'], '.0f')} | | | |")
    for name, rows in loads.items():
        paint, shown, size, files = zip(*rows, strict=True)
        times = f"{spread(paint, '.0f')} | {spread(shown, '.0f')}"
        lines.append(f"| {name} | {times} | {median(size):.1f} | {median(files):.0f} |")
    seen = figures["map"]
    lines += [
        "",
        f"From the last key of a search to its list: {spread(figures['search'], '.0f')} ms, of which 70 are "
        "the wait for another key.",
        "",
        f"All code of the page, packed: {figures['packed']:.1f} KB in {figures['files']} files.",
        "",
        f"The map with {POINTS:,} points: {spread(seen['draws']['pixels'], '.1f')} ms a frame drawn pixel by "
        f"pixel{_imitated(seen['draws'])}. To find the point below the pointer "
        f"{median(seen['finds']):.3f} ms, after {seen['build']:.0f} ms for the grid.",
    ]
    return "\n".join(lines)


def _imitated(draws: dict[str, list[float]]) -> str:
    """What WebGL takes where it is there; this machine has no graphics card."""
    if "webgl" not in draws:
        return ""
    return f", {spread(draws['webgl'], '.1f')} by a graphics card that the processor imitates"


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--library", type=Path, help="an indexed library; else one is made")
    options.add_argument("--music", type=Path, help="folder to take recordings from")
    options.add_argument("--tracks", type=int, default=59, help="how many to index")
    options.add_argument("--runs", type=int, default=7, help="browsers per load")
    chosen = options.parse_args()
    web = ROOT / "src/soundalike/web"
    files = [path for path in web.rglob("*") if path.is_file()]
    packed = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1000
    with tempfile.TemporaryDirectory() as name:
        path = chosen.library or Path(name) / "library"
        if not chosen.library:
            recordings = music(chosen.music, chosen.tracks)
            Library(path).index([linked(recordings, Path(name) / "music")])
        library = Library(path)
        process, url = served(path)
        try:
            driver = browser()
            version = f"Chromium {driver.capabilities['browserVersion']}"
            driver.quit()
            first, count = library.tracks()[0], len(library)
            figures = measure(url, first.id, first.title[:3], chosen.runs)
        finally:
            process.terminate()
            process.wait()
    figures |= {"tracks": count, "browser": version, "packed": packed, "files": len(files)}
    finish(__file__, as_markdown(figures), figures, chosen)


if __name__ == "__main__":
    main()
