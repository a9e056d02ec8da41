"""What the server was told when it was started."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 2**20
LOCAL_NAMES = ("localhost", "ip6-localhost")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a library is served. All have a default, so `Settings()` serves this machine alone.

    Attributes:
        host, port: where it listens.
        token: what who asks must know; None lets everybody ask who can reach it.
        root_path: where a proxy has put it, such as "/music"; "" for the top.
        workers: processes that answer.
        allowed_hosts: names by which it may be called besides those of this machine.
        cors: origins, such as "https://player.example", whose pages may ask; "*" for all.
        compat: other programs whose routes are there, too: "audiomuse".
        music: folders that may be indexed over HTTP, besides those that already are.
        follow_links: also serve files that lie outside the library's folders, where a link leads.
        model: the encoder to use, as of `Library`.
        access_log: write a line for every request.
        state: a folder the workers share: job, rate limits, uploads while they are heard; None for one
            that goes with the app.
        asks_at_once: questions a worker computes at a time.
        asks_waiting: questions that may wait for that; the next is told to come again.
        index_nice: how far an index job gives way to what else runs, 0 to 19.
        body_bytes, upload_bytes: the largest body of a request, and of one with a file.
        body_seconds, upload_seconds: the longest it may take to arrive.
        uploads_at_once: files a worker receives or hears at a time.
        uploads_per_minute: files one address may ask about.
        decoding_seconds, decoding_bytes: time and memory to open such a file.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = field(default=None, repr=False)
    root_path: str = ""
    workers: int = 1
    allowed_hosts: tuple[str, ...] = ()
    cors: tuple[str, ...] = ()
    compat: tuple[str, ...] = ()
    music: tuple[Path, ...] = ()
    follow_links: bool = False
    model: str | None = None
    access_log: bool = True
    state: Path | None = None
    asks_at_once: int = field(default_factory=lambda: max(2, os.cpu_count() or 1))
    asks_waiting: int = 4096
    index_nice: int = 10
    body_bytes: int = 8 * MEGABYTE
    upload_bytes: int = 200 * MEGABYTE
    body_seconds: float = 30.0
    upload_seconds: float = 300.0
    uploads_at_once: int = 8
    uploads_per_minute: int = 30
    decoding_seconds: float = 30.0
    decoding_bytes: int = 1024 * MEGABYTE

    @property
    def is_local(self) -> bool:
        """Whether only programs of this machine reach it."""
        return is_local(self.host)


def is_local(host: str) -> bool:
    """Tell whether a name or address, without a port, can only mean this machine."""
    if host.lower() in LOCAL_NAMES or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
