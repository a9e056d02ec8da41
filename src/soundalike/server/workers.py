"""Several processes that answer at one address: started, replaced when one dies, and ended together.

They share the socket, so the system hands each new connection to one that is free. What they have to agree
on lies in the folder of `Settings.state`.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from socket import socket

log = logging.getLogger("soundalike.server")

# A worker that lives shorter than this did not get started; so many in a row are no accident.
SHORT_LIFE, MOST_FAILURES = 10.0, 5
LOOKING = 0.5


def run(count: int, work: Callable[[socket], object], listening: socket, patience: float) -> bool:
    """Keep `count` workers at work until told to stop.

    Args:
        count: processes.
        work: what each does; it goes to another process, so it must be picklable. SIGTERM ends it.
        listening: the socket all accept connections from.
        patience: seconds they have to end before they are ended.

    Returns:
        Whether it ended as it should; False if workers would not live.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    workers = [_started(work, listening) for _ in range(count)]
    failures, born = 0, [time.monotonic()] * count
    while not stopping.wait(LOOKING) and failures < MOST_FAILURES:
        for place, worker in enumerate(workers):
            if worker.is_alive():
                continue
            log.error("worker %s ended with %s; starting another", worker.pid, worker.exitcode)
            failures = failures + 1 if time.monotonic() - born[place] < SHORT_LIFE else 0
            workers[place], born[place] = _started(work, listening), time.monotonic()
    _end(workers, patience)
    return stopping.is_set()


def _started(work: Callable[[socket], object], listening: socket) -> SpawnProcess:
    # Not forked: threads and locks of this process would be copied in whatever state they are.
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(work, listening))
    worker.start()
    return worker


def _end(workers: list[SpawnProcess], patience: float) -> None:
    until = time.monotonic() + patience
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join()


def _work(work: Callable[[socket], object], listening: socket) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work(listening)


def _end_with_parent() -> None:
    """End when the process that started this one is gone, also if that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker is started by another process"
    multiprocessing.connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
