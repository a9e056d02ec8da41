"""Questions are computed a few at a time."""

from __future__ import annotations

import threading

import anyio

from soundalike.server.errors import BusyError
from soundalike.server.work import Work


def test_questions_wait_their_turn_until_too_many_do() -> None:
    release, lock = threading.Event(), threading.Lock()
    now, most, refused = 0, 0, []

    def compute() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        release.wait(30)
        with lock:
            now -= 1

    async def ask(work: Work) -> None:
        try:
            await work(compute)
        except BusyError as error:
            refused.append(error)

    async def run() -> int:
        work = Work(2, 5)
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(ask, work)
            await anyio.wait_all_tasks_blocked()
            assert work.waiting == 5
            release.set()
        return work.waiting

    assert anyio.run(run) == 0
    assert most == 2
    assert [error.status_code for error in refused] == [503] * 3
    assert all("Retry-After" in (error.headers or {}) for error in refused)
