"""An index job over HTTP: really run, seen by all workers, cancelled, and kept to its folders."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_model import write_tone
from soundalike.library.library import Library
from soundalike.server import jobs

Serve = Callable[..., TestClient]
PATIENCE = 60.0


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def small(tmp_path: Path, model: Path) -> Library:
    """A library of one track, in a folder that has three."""
    for number in range(3):
        write_tone(tmp_path / f"music/{number}.flac", 200.0 + 50 * number, 5.0)
    library = Library(tmp_path / "library", model=model)
    library.index([tmp_path / "music/0.flac"])
    return library


def ended(client: TestClient) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        job: dict[str, Any] = client.get("/api/index").json()
        if job["state"] != "running":
            return job
        time.sleep(0.05)
    raise AssertionError("the job does not end")


def test_a_job_adds_what_is_new_and_readers_take_it_up(
    serve: Serve, small: Library, state: Path, tmp_path: Path
) -> None:
    one, other = (
        serve(Library(small.path), state=state, music=(tmp_path / "music",)) for _ in range(2)
    )
    assert one.get("/api/index").json() is None
    assert one.get("/api/status").json()["tracks"] == 1
    started = one.post("/api/index", json={"folders": [str(tmp_path / "music")]})
    assert started.status_code == 202
    assert started.json()["state"] == "running"
    assert other.get("/api/index").json()["state"] in ("running", "done")
    job = ended(other)
    assert (job["state"], job["report"]["added"], job["error"]) == ("done", 2, None)
    assert one.get("/api/status").json()["tracks"] == 3
    assert other.get("/api/tracks").json()["total"] == 3
    assert one.get("/api/status").json()["indexing"] == job


def test_no_two_at_a_time_and_the_other_worker_cancels(
    serve: Serve, small: Library, state: Path, tmp_path: Path
) -> None:
    for number in range(60):
        write_tone(tmp_path / f"music/more/{number}.flac", 200.0 + number, 120.0)
    one, other = (serve(small, state=state, music=(tmp_path / "music",)) for _ in range(2))
    folders = {"folders": [str(tmp_path / "music")]}
    assert one.post("/api/index", json=folders).status_code == 202
    again = other.post("/api/index", json=folders)
    assert (again.status_code, again.json()["error"]["kind"]) == (409, "indexing")
    assert other.delete("/api/index").json()["state"] in ("running", "cancelled")
    job = ended(one)
    assert job["state"] == "cancelled"
    # It goes on from there, and loses nothing.
    assert one.post("/api/index", json=folders).status_code == 202
    assert ended(one)["state"] == "done"
    assert one.get("/api/tracks").json()["total"] == 63


def test_a_job_that_died_is_not_running(serve: Serve, small: Library, state: Path) -> None:
    jobs.write(state, jobs.BEGUN)
    job = serve(small, state=state).get("/api/index").json()
    assert job["state"] == "failed"
    assert "index again" in job["error"]


def test_a_job_that_fails_says_why(serve: Serve, small: Library, state: Path) -> None:
    from soundalike.library.disk import WriteLock

    client = serve(small, state=state)
    with WriteLock(small.path):
        assert client.post("/api/index").status_code == 202
        job = ended(client)
    assert job["state"] == "failed"
    assert "another program is writing" in job["error"]


@pytest.mark.parametrize("folder", ["/", "/etc", "{music}/../..", "relative", "~", "{music}/link"])
def test_folders_elsewhere_are_not_indexed(
    serve: Serve, small: Library, state: Path, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "music/link").symlink_to("/etc")
    client = serve(small, state=state, music=(tmp_path / "music",))
    asked = {"folders": [folder.format(music=tmp_path / "music")]}
    answer = client.post("/api/index", json=asked)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "forbidden")
    assert not (state / jobs.STATE).exists()


def test_a_folder_that_is_not_there(
    serve: Serve, small: Library, state: Path, tmp_path: Path
) -> None:
    client = serve(small, state=state, music=(tmp_path / "music",))
    answer = client.post("/api/index", json={"folders": [str(tmp_path / "music/none")]})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")


def test_a_new_library_begins_with_the_music_that_was_allowed(
    serve: Serve, state: Path, tmp_path: Path, model: Path
) -> None:
    write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    fresh = Library(tmp_path / "new", model=model)
    refused = serve(fresh, state=state).post("/api/index")
    assert (refused.status_code, "--music" in refused.json()["error"]["message"]) == (400, True)
    client = serve(fresh, state=state, music=(tmp_path / "music",))
    assert client.get("/api/status").json()["tracks"] == 0
    assert client.get("/api/similar", params={"id": "a"}).status_code == 404
    assert client.post("/api/index").status_code == 202
    assert ended(client)["report"]["added"] == 1
    assert client.get("/api/tracks").json()["total"] == 1


def test_events_tell_it_as_it_goes(serve: Serve, small: Library, state: Path) -> None:
    client = serve(small, state=state)
    assert client.post("/api/index").status_code == 202
    ended(client)
    client.app.state.context.stopping.set()  # type: ignore[attr-defined]
    assert client.get("/api/index/events").text == ""
    client.app.state.context.stopping.clear()  # type: ignore[attr-defined]
    told = _first_event(client)
    assert told == client.get("/api/index").json()


def _first_event(client: TestClient) -> dict[str, Any]:
    """What the stream says first; a TestClient reads it to its end, so that is brought about."""
    import threading

    stopping = client.app.state.context.stopping  # type: ignore[attr-defined]
    timer = threading.Timer(0.8, stopping.set)
    timer.start()
    answer = client.get("/api/index/events")
    timer.join()
    assert answer.headers["content-type"].startswith("text/event-stream")
    kind, data = answer.text.strip().split("\n")[:2]
    assert kind == "event: job"
    found: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return found


def test_folders_that_cannot_be(serve: Serve, small: Library, state: Path, tmp_path: Path) -> None:
    client = serve(small, state=state, music=(tmp_path / "music",))
    for folder in (r"\u0000", rf"{tmp_path}/music/\u0000a", r"\ud800"):
        kind = {"Content-Type": "application/json"}
        body = f'{{"folders": ["{folder}"]}}'
        answer = client.post("/api/index", content=body, headers=kind)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")


def test_a_folder_whose_name_is_no_utf8_goes_by_the_name_it_is_told_by(
    serve: Serve, small: Library, state: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "music/odd\udcff"
    (tmp_path / "music/1.flac").rename(odd.parent / "moved.flac")
    odd.mkdir()
    (odd.parent / "moved.flac").rename(odd / "1.flac")
    client = serve(small, state=state, music=(odd,))
    (told,) = client.get("/api/status").json()["music"]
    assert client.post("/api/index", json={"folders": [told]}).status_code == 202
    assert ended(client)["report"]["added"] == 1
