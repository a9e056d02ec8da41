"""Asking about a file: chosen, dropped, and ones that cannot be used."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from soundalike.demo import render

DROP = """
const [name, data] = arguments;
const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], name, { type: "audio/flac" }));
const about = { bubbles: true, cancelable: true, dataTransfer: transfer };
for (const kind of ["dragenter", "dragover", "drop"]) {
  document.body.dispatchEvent(new DragEvent(kind, about));
}
"""


def outsider(folder: Path) -> Path:
    """A piece that is not in the library, and short."""
    track = render.demo_tracks()[9]
    path = folder / "from elsewhere.flac"
    sound = render.render(track)[: 20 * render.SAMPLE_RATE]
    render.write_flac(path, sound, {"title": "elsewhere"})
    return path


def test_a_chosen_file_is_asked_about_and_plays(page: Any, tmp_path: Path) -> None:
    page.find(".file .button")
    page.run("return document.querySelector('input[type=file]')").send_keys(str(outsider(tmp_path)))
    page.find("h1", "from elsewhere.flac")
    page.wait(lambda: len(page.all(".answers .row")) > 5)
    page.click(".sleeve .button.main")
    assert page.plays("file:")["source"].startswith("blob:")
    page.click(".row .best")
    page.plays("file:")
    page.picture("file")
    page.click(".segments label", "Tune")
    page.wait(lambda: "sense=composition" in page.place)
    page.find(".answers:not([aria-busy]) .row")


def test_a_dropped_file_is_asked_about(page: Any, music: Path) -> None:
    path = next(music.glob("hostile signs.flac"))
    page.run(DROP, path.name, base64.b64encode(path.read_bytes()).decode())
    page.find("h1", "hostile signs.flac")
    page.wait(lambda: len(page.all(".answers .row")) > 5)
    assert page.all(".veil:not([hidden])") == []


def test_what_cannot_be_heard_is_explained(page: Any) -> None:
    page.forgiven = ["similar/upload"]
    broken = base64.b64encode(b"this is no music " * 50).decode()
    page.run(DROP, "broken.flac", broken)
    assert page.find(".answers [role=alert]").text


def test_what_is_no_sound_is_not_sent(page: Any) -> None:
    page.run(DROP.replace("audio/flac", "text/plain"), "notes.txt", base64.b64encode(b"x").decode())
    page.find(".told .error", "does not look like audio")
    page.run(DROP, "empty.flac", "")
    page.find(".told .error", "empty")
    assert page.place in ("", "#/")


def test_after_a_reload_the_file_is_asked_for(page: Any) -> None:
    page.open("#/file?name=song.flac")
    page.find("h1", "Choose the file again")
