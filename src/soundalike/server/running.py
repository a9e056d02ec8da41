"""uvicorn: one worker or several, and an end in good order.

The socket is opened here, before any worker, so that an address that is taken is an error of one line. At
SIGTERM or Ctrl-C no new requests are taken, those under way have a few seconds, streams of events end, an
index job lays down its work; then the program ends with 0.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from soundalike.library.library import Library
from soundalike.server import jobs, workers
from soundalike.server.app import create_app
from soundalike.server.metrics import SHARED
from soundalike.server.settings import Settings

# Seconds: for requests under way at the end, for an idle connection, for the head of a request to arrive.
GRACE, IDLE, HEAD = 5, 30, 20.0
# And for threads that have nothing to do any more to end.
LINGER = 1.0
FILES = 65_536
# Not what else may be installed: only this one ends a head that does not end, at 64 KB.
_Protocol: Any = H11Protocol


def run(library: Path, settings: Settings, ready: Callable[[str], object]) -> None:
    """Serve a library until told to stop.

    Args:
        library: its folder.
        settings: how; `state` is made here.
        ready: called with the URL as soon as connections are taken.

    Raises:
        OSError: it cannot listen there.
    """
    listening = _listening(settings.host, settings.port)
    _allow_files()
    with tempfile.TemporaryDirectory(prefix="soundalike-") as state:
        settings = dataclasses.replace(settings, state=Path(state))
        ready(_url(listening, settings))
        if settings.workers > 1:
            shared = Path(state) / "metrics"
            shared.mkdir()
            os.environ[SHARED] = str(shared)
            worker = Worker(library, settings)
            well = workers.run(settings.workers, worker, listening, GRACE + jobs.PATIENCE + 2)
        else:
            well = Worker(library, settings)(listening)
    if not well:
        sys.exit(1)


class Worker:
    """One process that answers. It can be sent to another process before it is called."""

    def __init__(self, library: Path, settings: Settings) -> None:
        """Of the library in this folder."""
        self._library, self._settings = library, settings

    def __call__(self, listening: socket.socket) -> bool:
        """Answer until told to stop; say whether it had begun to."""
        _write_log(self._settings)
        library = Library(self._library, model=self._settings.model)
        len(library)  # opens it, before the first request
        app = create_app(library, self._settings)
        server = Server(_config(app), app.state.context.stopping)
        # uvicorn raises the signal again that ended it; here that is the end as it should be.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        server.run([listening])
        if _still_busy():
            self._leave()
        return server.started

    def _leave(self) -> None:
        """End here and now: what is being computed cannot be broken off, and a map takes minutes."""
        state = self._settings.state
        if self._settings.workers == 1 and state is not None:  # else others still need it
            shutil.rmtree(state, ignore_errors=True)
        os._exit(0)


class Server(uvicorn.Server):
    """uvicorn's server, which says when it is to end."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event) -> None:
        """With an event to set then."""
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, streams of events first: requests under way are waited for."""
        self._stopping.set()
        await super().shutdown(sockets)


class PatientProtocol(_Protocol):  # type: ignore[misc]
    """uvicorn's HTTP, with an end to patience: who connects and never finishes a request is let go."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request, and wait for the rest."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if not self._waiting:
            self._forget()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD, self._give_up)

    @property
    def _waiting(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _give_up(self) -> None:
        self._timer = None
        if self._waiting:
            self.transport.close()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _still_busy() -> bool:
    """Whether a thread computes what nobody waits for any more; Python would not end before it does."""
    until = time.monotonic() + LINGER
    others = [each for each in threading.enumerate() if each is not threading.current_thread()]
    working = [each for each in others if not each.daemon]
    for each in working:
        each.join(max(0.0, until - time.monotonic()))
    return any(each.is_alive() for each in working)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
    )


def _listening(host: str, port: int) -> socket.socket:
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # asyncio sends at once (TCP_NODELAY) only where it is told that this is TCP; else every answer
        # on a kept connection waits 40 ms for the client to acknowledge its head.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise OSError(
            f"cannot listen on {host}, port {port}: {why}; try --port or --host"
        ) from None
    listening.set_inheritable(True)
    return listening


def _url(listening: socket.socket, settings: Settings) -> str:
    host, port = settings.host, listening.getsockname()[1]
    host = "localhost" if host in ("0.0.0.0", "::", "") else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.root_path}/"


def _allow_files() -> None:
    """Take as many connections as the system lets this user have."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _write_log(settings: Settings) -> None:
    """To the error output: warnings of all, and a line for each request if that is wanted."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("soundalike.access").setLevel(
        logging.INFO if settings.access_log else logging.WARNING
    )
