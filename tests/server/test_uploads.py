"""Files that are sent along: answered, or refused, whatever they are; and gone afterwards."""

from __future__ import annotations

import errno
import io
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import Response
from starlette.testclient import TestClient

from fake_model import write_sound, write_tone
from soundalike.library.library import Library
from soundalike.server import uploads

Serve = Callable[..., TestClient]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def client(serve: Serve, state: Path) -> TestClient:
    return serve(state=state, uploads_per_minute=1000)


def send(client: TestClient, data: bytes, name: str = "song.flac", **fields: Any) -> Response:
    return client.post("/api/similar/upload", files={"file": (name, data)}, data=fields)


def test_a_file_gets_the_answers_it_would_get_as_a_file(
    client: TestClient, library: Library, tmp_path: Path
) -> None:
    file = write_tone(tmp_path / "new.flac", 225.0, 9.0, tags={"title": "New", "artist": "Nobody"})
    found = send(client, file.read_bytes(), n="3").json()
    expected = library.similar(file, n=3)
    assert [each["track"]["id"] for each in found["answers"]] == [e.track.id for e in expected]
    similarities = [each["similarity"] for each in found["answers"]]
    assert similarities == pytest.approx([e.similarity for e in expected], abs=1e-6)
    assert found["seeds"][0]["title"] == "New"
    assert found["seeds"][0]["path"] == "song.flac"


def test_a_file_the_library_has_is_left_out_itself(
    client: TestClient, library: Library, ids: dict[str, str]
) -> None:
    data = library.track(ids["low"]).path.read_bytes()
    found = send(client, data).json()
    assert ids["low"] not in [each["track"]["id"] for each in found["answers"]]
    assert found["answers"][0]["track"]["title"] == "lower"


@pytest.mark.parametrize("ending", [".mp3", ".m4a", ".wav", ".opus"])
def test_any_format(client: TestClient, tmp_path: Path, ending: str) -> None:
    rate = 48_000 if ending == ".opus" else 16_000
    file = write_tone(tmp_path / f"a{ending}", 880.0, 6.0, sample_rate=rate)
    found = send(client, file.read_bytes(), f"a{ending}", n="2").json()
    assert {each["track"]["artist"] for each in found["answers"]} == {"Bright"}


def test_an_excerpt(client: TestClient, tmp_path: Path) -> None:
    low, high = (np.sin(2 * np.pi * f * np.arange(96_000) / 16_000) / 2 for f in (220, 880))
    sound = np.concatenate([low, high]).astype(np.float32)[None]
    data = write_sound(tmp_path / "two.wav", sound, sample_rate=16_000).read_bytes()
    first = send(client, data, "two.wav", start="0", end="6", n="1").json()
    last = send(client, data, "two.wav", start="6", n="1").json()
    assert first["answers"][0]["track"]["artist"].startswith("Low")
    assert last["answers"][0]["track"]["artist"] == "Bright"
    beyond = send(client, data, "two.wav", start="60").json()
    assert "60 s" in beyond["error"]["message"]
    assert "tmp" not in beyond["error"]["message"]


def test_nothing_is_left_behind(client: TestClient, state: Path, tmp_path: Path) -> None:
    send(client, write_tone(tmp_path / "a.flac", 500.0, 5.0).read_bytes())
    send(client, b"no music")
    assert [each.name for each in state.iterdir()] == ["uploads.sqlite"]


def silence(path: Path, hours: float) -> Path:
    """Silence that packs to next to nothing: minutes are written, the header claims hours."""
    samples = np.zeros((1, 16_000 * 600), np.float32)
    write_sound(path, samples, sample_rate=16_000)
    data = bytearray(path.read_bytes())
    # STREAMINFO: 36 bits of the number of samples, beginning in the low half of byte 21.
    count = round(hours * 3600 * 16_000)
    data[21] = (data[21] & 0xF0) | (count >> 32)
    data[22:26] = struct.pack(">I", count & 0xFFFFFFFF)
    path.write_bytes(data)
    return path


def wave_claiming(hours: float, size: int) -> bytes:
    """A WAV of `size` bytes whose header promises hours."""
    claimed = round(hours * 3600 * 8_000)
    head = b"RIFF" + struct.pack("<I", claimed + 36) + b"WAVEfmt " + struct.pack("<I", 16)
    head += struct.pack("<HHIIHH", 1, 1, 8_000, 8_000, 1, 8) + b"data" + struct.pack("<I", claimed)
    return head + bytes(size - len(head))


def hostile(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Files that are not what they seem, each with the name it is sent under."""
    tone = write_tone(folder / "tone.flac", 300.0, 20.0).read_bytes()
    opus = write_sound(
        folder / "still.opus", np.zeros((1, 48_000 * 600), np.float32), sample_rate=48_000
    )
    noise = np.random.default_rng(0).bytes(200_000)
    return {
        "empty": (b"", "a.flac"),
        "text": (b"hello", "a.mp3"),
        "page": (b"<html><script>alert(1)</script></html>", "a.html"),
        "noise": (noise, "a.mp3"),
        "noise in ogg": (b"OggS" + noise, "a.ogg"),
        "cut in the middle": (tone[: len(tone) // 2], "a.flac"),
        "head alone": (tone[:60], "a.flac"),
        "a hundred hours of silence": (silence(folder / "s.flac", 100).read_bytes(), "a.flac"),
        "minutes of silence": (opus.read_bytes(), "a.opus"),
        "a megabyte claiming a hundred hours": (wave_claiming(100, 2**20), "a.wav"),
        "a list of files": (b"#EXTM3U\n#EXTINF:1,a\nfile:///etc/passwd\n", "a.m3u8"),
        "a list of files in disguise": (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n/etc/passwd", "a.mp3"),
        "a concat script": (b"ffconcat version 1.0\nfile /etc/passwd\n", "a.mp3"),
        "a zip": (b"PK\x03\x04" + bytes(1000), "a.flac"),
        "zeros": (bytes(10**6), "a.mp3"),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, str]]:
    return hostile(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize(
    "kind",
    [
        *("empty", "text", "page", "noise", "noise in ogg", "cut in the middle", "head alone"),
        *("a hundred hours of silence", "minutes of silence", "a zip", "zeros"),
        *("a megabyte claiming a hundred hours", "a list of files", "a concat script"),
        "a list of files in disguise",
    ],
)
def test_a_hostile_file_is_refused_with_a_reason(
    client: TestClient, files: dict[str, tuple[bytes, str]], kind: str
) -> None:
    begun = time.monotonic()
    data, name = files[kind]
    answer = send(client, data, name)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["kind"] == "bad_audio"
    assert error["message"].startswith(name)
    assert "/" not in error["message"].replace("and/or", "")
    assert "root" not in error["message"]
    assert time.monotonic() - begun < 20
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    "listed",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {}\n",
    ],
)
@pytest.mark.parametrize("name", ["a.m3u8", "a.ts", "a.ffconcat", "a.mp3"])
def test_a_list_does_not_tell_which_files_there_are(
    client: TestClient, tmp_path: Path, listed: str, name: str
) -> None:
    """Files it names are not even opened: a pipe would hold it up, and whether one is there would show."""
    os.mkfifo(tmp_path / "pipe.ts")
    there = write_tone(tmp_path / "there.flac", 300.0, 5.0)
    begun, told = time.monotonic(), set()
    for place in (tmp_path / "pipe.ts", there, tmp_path / "nowhere.ts", Path("uploads.sqlite")):
        told.add(send(client, listed.format(place).encode(), name).text)
    assert len(told) == 1
    assert "a list of other files" in told.pop()
    assert time.monotonic() - begun < 25


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\a.mp3", "a.mp3"),
        ("/tmp/a.flac", "a.flac"),
        ("", "upload"),
        ("..", ".."),
        ("a\n\rb.mp3", "a b.mp3"),
        ("x" * 300, "x" * 200),
    ],
)
def test_of_its_name_the_last_part_counts(given: str, kept: str) -> None:
    assert uploads.name_of(given) == kept


def test_a_name_is_only_a_name(client: TestClient, library: Library, ids: dict[str, str]) -> None:
    """Whoever sends a file under the path of a track gets no other answer for it."""
    track = library.track(ids["high"])
    found = send(client, library.track(ids["low"]).path.read_bytes(), str(track.path)).json()
    assert found["seeds"][0]["path"] == track.path.name
    assert found["answers"][0]["track"]["title"] == "lower"


def test_a_file_that_is_too_large(serve: Serve, state: Path) -> None:
    client = serve(state=state, upload_bytes=10_000)
    answer = send(client, bytes(20_000))
    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "too_large")

    def parts() -> Any:  # a body that does not say how long it is
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
        for _ in range(100):
            yield bytes(1000)
        yield b"\r\n--x--\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/similar/upload", content=parts(), headers=kind)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nno form", "multipart/form-data; boundary=x"),
        (b"--x--", "multipart/form-data"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ],
)
def test_a_body_that_is_no_form(client: TestClient, body: bytes, kind: str) -> None:
    answer = client.post("/api/similar/upload", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")


def test_fields_that_are_none(client: TestClient, tmp_path: Path) -> None:
    data = write_tone(tmp_path / "a.flac", 500.0, 5.0).read_bytes()
    for fields in ({"n": "x"}, {"n": "0"}, {"nn": "3"}, {"sense": "smell"}, {"filter": "genre ="}):
        answer = send(client, data, **fields)
        assert answer.status_code == 400, fields
    assert send(client, data, dislike="unknown").status_code == 404


def test_too_often(serve: Serve, state: Path, library: Library) -> None:
    """All workers count together: two apps over one folder are two workers."""
    workers = [serve(state=state, uploads_per_minute=3) for _ in range(2)]
    codes = [send(workers[i % 2], b"no music").status_code for i in range(5)]
    assert codes == [400, 400, 400, 429, 429]
    last = send(workers[0], b"no music")
    assert last.json()["error"]["kind"] == "too_many"
    assert 0 < int(last.headers["retry-after"]) <= 60


def test_one_that_takes_too_long_to_open(serve: Serve, state: Path, tmp_path: Path) -> None:
    data = write_tone(tmp_path / "a.flac", 500.0, 5.0).read_bytes()
    client = serve(state=state, decoding_seconds=0.01)
    answer = send(client, data)
    assert answer.status_code == 400
    assert "0.01 s" in answer.json()["error"]["message"]


def test_one_that_takes_too_much_memory_to_open(serve: Serve, state: Path, tmp_path: Path) -> None:
    data = write_tone(tmp_path / "a.flac", 500.0, 5.0).read_bytes()
    client = serve(state=state, decoding_bytes=100 * 2**20)
    answer = send(client, data)
    assert answer.status_code == 400
    assert any(word in answer.json()["error"]["message"] for word in ("limits", "memory"))
    assert client.get("/health").status_code == 200


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_limits_are_those_of_the_process() -> None:
    """Memory, writing and processor time end in that process."""
    for deed in ("bytearray(800 * 2**20)", "open('written', 'wb', buffering=0).write(b'x')"):
        code = (
            "from soundalike.server.decoding import limit; limit(400 * 2**20, 5)\n"
            f"try:\n    {deed}\nexcept (MemoryError, OSError) as error: print(type(error).__name__)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() in ("MemoryError", "OSError") or done.returncode != 0, deed
    Path("written").unlink(missing_ok=True)
    spin = "from soundalike.server.decoding import limit; limit(2**30, 1)\nwhile True: pass"
    begun = time.monotonic()
    assert subprocess.run([sys.executable, "-c", spin]).returncode != 0
    assert time.monotonic() - begun < 20


def test_a_form_with_a_file_for_each_field(client: TestClient) -> None:
    many = [("file", ("a", io.BytesIO(b"x"))) for _ in range(5)]
    answer = client.post("/api/similar/upload", files=many)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "bad_request")


def test_a_million_fields_are_not_read(client: TestClient) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/api/similar/upload", content=b"a&" * 10**6, headers=kind)
    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["error"]["message"]


def test_what_lies_in_the_folder_it_was_started_from_is_not_run(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_tone(tmp_path / "a.flac", 500.0, 5.0).read_bytes()
    for name in ("av", "numpy", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert send(client, data).status_code == 200


@pytest.mark.parametrize("place", ["copyfileobj", "write"])
def test_a_disk_that_is_full(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, place: str, state: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if place == "write":
        monkeypatch.setattr("starlette.datastructures.UploadFile.write", full)
    else:
        monkeypatch.setattr("shutil.copyfileobj", full)
    answer = send(client, bytes(3 * 2**20))
    assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "busy")
    assert "the disk is full" in answer.json()["error"]["message"]
    assert [each.name for each in state.iterdir()] == ["uploads.sqlite"]
