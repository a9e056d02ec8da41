"""One track: what there is to say of it, its sound and its picture; files of the library and nothing else."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from soundalike.library import fields
from soundalike.library.library import Library
from soundalike.library.tracks import Track
from soundalike.server import questions, schemas
from soundalike.server.context import Context, Here
from soundalike.server.errors import RefusedError
from soundalike.server.tracks import known

router = APIRouter(tags=["media"])

TYPES = {
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".spx": "audio/ogg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
    ".wav": "audio/wav",
    ".wave": "audio/wav",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".wma": "audio/x-ms-wma",
    ".webm": "audio/webm",
    ".mka": "audio/x-matroska",
    ".ape": "audio/x-ape",
    ".wv": "audio/x-wavpack",
}
"""What browsers call a file by its ending. A type that is none of these is bytes, never a document."""

# Players ask for one; lists of thousands are to make work.
MOST_RANGES = 16
_RANGE = re.compile(rb"(?=.*[0-9])([0-9]{0,18})-([0-9]{0,18})")

BYTES = {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}}
PICTURE = {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}


class Sound(FileResponse):
    """A file in ranges; a Range header that is none is passed over, as the standard has it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or the part of it that is asked for."""
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or _is_range(value)
        ]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 416:
                size = self.headers["content-length"]
                raise RefusedError(
                    416,
                    f"the file has {size} bytes, and the range begins behind them",
                    headers={"Content-Range": f"bytes */{size}"},
                )
            await send(message)

        await super().__call__({**scope, "headers": headers}, receive, sending)


@router.get("/tracks/{track}")
async def track(here: Here, request: Request, track: questions.Id) -> schemas.WholeTrack:
    """All there is to say of a track, and where to hear and see it; `artwork` is null if there is none."""
    found = await here.work(known, here.library, track)
    root = str(request.scope.get("root_path", "")).rstrip("/")
    place = f"{root}/api/tracks/{found.id}"
    links = {"audio": f"{place}/audio", "artwork": None}
    if await here.reading(_pictured, here, found):
        links["artwork"] = f"{place}/artwork"
    return schemas.WholeTrack.model_validate(fields.all_fields(found) | links)


@router.head("/tracks/{track}/audio", include_in_schema=False)
@router.get("/tracks/{track}/audio", response_class=Sound, responses={200: BYTES, 206: BYTES})
async def audio(here: Here, track: questions.Id) -> Response:
    """The file of a track, as it is; Range is understood."""
    found = await here.work(known, here.library, track)
    path, status = await here.reading(opened, here, found)
    return Sound(
        path,
        media_type=TYPES.get(path.suffix.lower(), "application/octet-stream"),
        stat_result=status,
        headers={"cache-control": "private, max-age=0, must-revalidate"},
    )


@router.head("/tracks/{track}/artwork", include_in_schema=False)
@router.get("/tracks/{track}/artwork", response_class=Response, responses={200: PICTURE})
async def artwork(here: Here, track: questions.Id) -> Response:
    """The picture of a track: from its tags, or beside its file."""
    found = await here.work(known, here.library, track)
    picture = await here.reading(picture_of, here, found)
    if picture is None:
        raise RefusedError(404, f"there is no picture of {found.title!r}", kind="no_artwork")
    data, kind = picture
    return Response(data, media_type=kind, headers={"cache-control": "private, max-age=3600"})


def opened(here: Context, track: Track) -> tuple[Path, os.stat_result]:
    """The file of a track, if it may be served.

    Raises:
        RefusedError: it is gone, or lies outside the folders of the library.
    """
    path = permitted(here, track.path)
    why = ""
    try:
        status = path.stat()
        # Whoever opened a pipe would wait for ever.
        why = "" if stat.S_ISREG(status.st_mode) else "something else lies in its place"
    except OSError as error:
        why = error.strerror or "cannot be read"
    if why:
        raise RefusedError(404, f"the file of {track.title!r} is not there: {why}", kind="no_file")
    return path, status


def permitted(here: Context, path: Path) -> Path:
    """A file where it really lies, if that is in a folder of the library.

    Raises:
        RefusedError: a link leads out of there, and the settings do not allow that.
    """
    real = Path(os.path.realpath(path))
    if not here.settings.follow_links and not any(
        real.is_relative_to(root) for root in _real_roots(here.library)
    ):
        raise RefusedError(
            403,
            f"{path.name!r} leads out of the folders of the library; start the server with "
            "--follow-links if it should be played",
        )
    return real


def picture_of(here: Context, track: Track) -> tuple[bytes, str] | None:
    """The picture of a track and its type; None if there is none."""
    from soundalike.server import artwork as pictures

    path, _ = opened(here, track)
    found = pictures.embedded(path)
    for beside in pictures.beside(track.path) if found is None else ():
        found = pictures.read(permitted(here, beside))
        if found is not None:
            break
    return found


def _pictured(here: Context, track: Track) -> bool:
    try:
        return picture_of(here, track) is not None
    except RefusedError:
        return False


def _real_roots(library: Library) -> list[Path]:
    return [Path(os.path.realpath(root)) for root in library.roots]


def _is_range(value: bytes) -> bool:
    unit, _, ranges = value.partition(b"=")
    parts = [part.strip() for part in ranges.split(b",")]
    found = [_RANGE.fullmatch(part) for part in parts] if len(parts) <= MOST_RANGES else [None]
    return unit.strip().lower() == b"bytes" and all(
        each and not (each[1] and each[2] and int(each[2]) < int(each[1])) for each in found
    )
