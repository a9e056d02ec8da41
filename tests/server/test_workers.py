"""Workers are replaced when they die, and given up when they would not live."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundalike.server import workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Writes:
    """Leaves a file for every process that works, which then waits, or dies at once."""

    def __init__(self, folder: Path, *, lives: bool) -> None:
        self.folder, self.lives = folder, lives

    def __call__(self, listening: socket.socket) -> None:
        (self.folder / str(os.getpid())).touch()
        while self.lives:
            time.sleep(0.1)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made
    for number, handler in before.items():
        signal.signal(number, handler)


def test_one_that_dies_is_replaced(listening: socket.socket, tmp_path: Path) -> None:
    def kill_one_then_stop() -> None:
        pids = _wait_for(tmp_path, 2)
        os.kill(pids[0], signal.SIGKILL)
        _wait_for(tmp_path, 3)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=kill_one_then_stop)
    thread.start()
    assert workers.run(2, Writes(tmp_path, lives=True), listening, patience=10)
    thread.join()
    for pid in _born(tmp_path):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_those_that_would_not_live_are_given_up(listening: socket.socket, tmp_path: Path) -> None:
    assert not workers.run(1, Writes(tmp_path, lives=False), listening, patience=10)
    assert len(_born(tmp_path)) == workers.MOST_FAILURES + 1


def _wait_for(folder: Path, count: int) -> list[int]:
    until = time.monotonic() + 60
    while len(_born(folder)) < count:
        assert time.monotonic() < until
        time.sleep(0.1)
    return _born(folder)


def _born(folder: Path) -> list[int]:
    return sorted(int(each.name) for each in folder.iterdir())
