"""The real program: it starts, answers, takes slow and many clients, and ends in good order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from soundalike.library.library import Library
from soundalike.server import running

START = 60.0
Start = Callable[..., "Served"]


class Served(SimpleNamespace):
    """A running server."""

    process: subprocess.Popen[str]
    url: str
    log: list[str]

    def get(self, path: str, **options: object) -> httpx.Response:
        return httpx.get(f"{self.url}{path.lstrip('/')}", timeout=30, **options)  # type: ignore[arg-type]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Exit code, and seconds until then."""
        begun = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(30), time.monotonic() - begun


@pytest.fixture
def start(library: Library) -> Iterator[Start]:
    running_servers: list[Served] = []

    def start(*options: str) -> Served:
        command = [sys.executable, "-m", "soundalike", "serve", "--library", str(library.path)]
        process = subprocess.Popen(
            [*command, "--port", "0", *options], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        served = Served(process=process, url="", log=[process.stderr.readline()])
        running_servers.append(served)
        while " at http" not in served.log[-1]:
            assert process.poll() is None, served.log
            served.log.append(process.stderr.readline())
        found = re.search(r" at (http://\S+)", served.log[-1])
        assert found is not None
        served.url = found[1]
        threading.Thread(target=lambda: served.log.extend(process.stderr), daemon=True).start()
        return served

    yield start
    for served in running_servers:
        if served.process.poll() is None:
            served.process.kill()
        served.process.wait()
        assert served.process.stderr is not None
        served.process.stderr.close()


def test_it_starts_answers_and_ends(start: Start, library: Library, ids: dict[str, str]) -> None:
    served = start()
    assert f"5 tracks of {library.path}" in served.log[0]
    found = served.get("/api/similar", params={"id": ids["low"]})
    assert found.json()["answers"][0]["track"]["title"] == "lower"
    code, seconds = served.end()
    assert (code, seconds < 10) == (0, True)
    assert any("GET /api/similar 200" in line for line in served.log)


def test_it_ends_also_with_a_stream_open_and_by_ctrl_c(start: Start) -> None:
    served = start("--quiet")
    with httpx.stream("GET", f"{served.url}api/index/events", timeout=30) as events:
        assert next(events.iter_lines()) == "event: job"
        code, seconds = served.end(signal.SIGINT)
        assert (code, seconds < 10) == (0, True)
    assert not any("GET" in line for line in served.log)


def test_it_ends_also_with_a_question_that_takes_for_ever(library: Library, tmp_path: Path) -> None:
    """A thread cannot be broken off, and Python would wait for it."""
    code = (
        "import sys, time; from pathlib import Path; from soundalike.library.library import Library\n"
        "from soundalike.server import running; from soundalike.server.settings import Settings\n"
        "Library.duplicates = lambda self: print('asked', flush=True) or time.sleep(600)\n"
        "running.GRACE = 1\n"
        "running.run(Path(sys.argv[1]), Settings(port=0), lambda url: print(url, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(library.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        asking = threading.Thread(target=_ask_in_vain, args=(f"{url}api/duplicates",))
        asking.start()
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=20)[1]
        assert (process.returncode, "Traceback" in log) == (0, False)
        asking.join()
    assert not list(tmp_path.iterdir())


def _ask_in_vain(url: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(url, timeout=60)


def test_a_head_without_end_is_not_kept(start: Start) -> None:
    served = start("--quiet")
    host, port = httpx.URL(served.url).host, httpx.URL(served.url).port
    with socket.create_connection((host, port), timeout=30) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ")
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 64 * 2**20:
                sent += connection.send(b"x" * 65_536)
        assert sent < 8 * 2**20  # what lies in the buffers of the system
    assert served.get("/health").status_code == 200


def test_several_workers_are_one_server(start: Start, ids: dict[str, str]) -> None:
    served = start("--workers", "2", "--token", "a-long-token")
    assert served.get("/api/tracks").status_code == 401
    with httpx.Client(base_url=served.url, timeout=30) as client:
        assert client.post("api/session", json={"token": "a-long-token"}).status_code == 204
        cookies = dict(client.cookies)
    for _ in range(20):  # whichever worker gets it
        assert served.get("/api/tracks", cookies=cookies).status_code == 200
    bearer = {"Authorization": "Bearer a-long-token"}
    counted = served.get("/metrics", headers=bearer).text
    line = 'soundalike_requests_total{method="GET",route="/api/tracks",status="200"} 20.0'
    assert line in counted
    code, seconds = served.end()
    assert (code, seconds < 15) == (0, True)
    assert not any("a-long-token" in line for line in served.log)


def test_an_address_that_is_taken_is_said_in_a_line(library: Library) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "soundalike", "serve", "--library", str(library.path)]
        done = subprocess.run(
            [*command, "--port", str(port)], capture_output=True, text=True, timeout=START
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"soundalike: cannot listen on 127.0.0.1, port {port}: ")
    assert len(done.stderr.splitlines()) == 1


def test_five_hundred_at_once_and_slow_ones_beside(start: Start, ids: dict[str, str]) -> None:
    served = start("--quiet")
    host, port = httpx.URL(served.url).host, httpx.URL(served.url).port
    slow = [socket.create_connection((host, port), timeout=30) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"GET /api/status HTTP/1.1\r\nHost: loc")
    limits = httpx.Limits(max_connections=500)
    with httpx.Client(base_url=served.url, timeout=60, limits=limits) as client:

        def ask(number: int) -> int:
            asked = {"id": list(ids.values())[number % 5]}
            return client.get("api/similar", params=asked).status_code

        with ThreadPoolExecutor(500) as threads:
            codes = list(threads.map(ask, range(1500)))
    assert set(codes) == {200}
    for connection in slow:
        connection.close()
    assert served.end()[0] == 0


def test_who_never_finishes_a_request_is_let_go(
    monkeypatch: pytest.MonkeyPatch, library: Library
) -> None:
    """In this process, where patience can be made short."""
    import uvicorn

    from soundalike.server.app import create_app
    from soundalike.server.settings import Settings

    monkeypatch.setattr(running, "HEAD", 0.3)
    listening = running._listening("127.0.0.1", 0)
    app = create_app(library, Settings(access_log=False))
    server = running.Server(running._config(app), threading.Event())
    monkeypatch.setattr(uvicorn.Server, "capture_signals", _no_signals)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        for sent in (b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: localhost\r\n"):
            with socket.create_connection(listening.getsockname(), timeout=10) as connection:
                connection.sendall(sent)
                begun = time.monotonic()
                assert connection.recv(100) == b""  # the other side has hung up
                assert time.monotonic() - begun < 5
        with socket.create_connection(listening.getsockname(), timeout=10) as connection:
            for _ in range(2):  # whoever asks is answered, also a second time
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                told = b""
                while b'"ok"' not in told:
                    told += connection.recv(4000)
                assert told.startswith(b"HTTP/1.1 200")
    finally:
        server.should_exit = True
        thread.join(20)


def _no_signals(self: object) -> object:
    return contextlib.nullcontext()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:{}/"),
        ("localhost", "http://localhost:{}/"),
        ("0.0.0.0", "http://localhost:{}/"),
    ],
)
def test_the_url_is_one_to_open(host: str, url: str) -> None:
    from soundalike.server.settings import Settings

    with running._listening(host, 0) as listening:
        port = listening.getsockname()[1]
        assert running._url(listening, Settings(host=host)) == url.format(port)
        below = Settings(host=host, root_path="/music")
        assert running._url(listening, below) == f"{url.format(port)}music/"


def test_answers_are_sent_at_once() -> None:
    """Without TCP_NODELAY each answer on a kept connection came 40 ms late."""
    delays: list[int] = []

    async def accepted() -> None:
        came = asyncio.Event()

        def seen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            kept = writer.get_extra_info("socket")
            delays.append(kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
            came.set()

        server = await asyncio.start_server(seen, sock=running._listening("127.0.0.1", 0))
        async with server:
            port = server.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await came.wait()
            writer.close()

    asyncio.run(accepted())
    assert delays == [1]


def test_a_host_that_is_none() -> None:
    with pytest.raises(OSError, match=r"cannot listen on no\.such\.host\.invalid"):
        running._listening("no.such.host.invalid", 0)


@pytest.fixture(autouse=True)
def _unset_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SOUNDALIKE_TOKEN", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
