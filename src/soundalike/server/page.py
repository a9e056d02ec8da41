"""The page and its files, packed: a browser asks for some thirty of them, and most take a quarter of the way.

A file is read and packed when it is first asked for, and again when it has changed. Browsers keep it and ask
whether it still is the same, so that a new version is never mixed with an old one.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Request, Response

from soundalike.server.errors import RefusedError

router = APIRouter(include_in_schema=False)

WEB = Path(str(resources.files("soundalike"))) / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Packed:
    """A file of the page as it was at a time."""

    changed: int
    whole: bytes
    packed: bytes
    etag: str


_files: dict[str, Packed] = {}


@router.get("/")
@router.head("/")
async def page(request: Request) -> Response:
    """The page itself."""
    return _answer(request, "index.html")


@router.get("/favicon.ico")
async def icon(request: Request) -> Response:
    """The icon, for who looks at something else than the page."""
    return _answer(request, "icon.svg")


@router.get("/web/{name:path}")
@router.head("/web/{name:path}")
async def file(request: Request, name: str) -> Response:
    """One of its files."""
    return _answer(request, name)


def _answer(request: Request, name: str) -> Response:
    if name not in _names():
        raise RefusedError(404, "the page has no such file", kind="not_found")
    found = _packed(name)
    headers = {"etag": found.etag, "cache-control": "no-cache", "vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    body = found.whole
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = found.packed
    return Response(body, media_type=TYPES[Path(name).suffix], headers=headers)


@functools.cache
def _names() -> set[str]:
    """What may be asked for: nothing but what lies there, so that no name leads elsewhere."""
    paths = (path for path in WEB.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(WEB).as_posix() for path in paths}


def _packed(name: str) -> Packed:
    path = WEB / name
    changed = path.stat().st_mtime_ns
    kept = _files.get(name)
    if kept is None or kept.changed != changed:
        whole = path.read_bytes()
        etag = f'"{hashlib.sha256(whole).hexdigest()[:16]}"'
        kept = _files[name] = Packed(changed, whole, gzip.compress(whole, 9, mtime=0), etag)
    return kept
