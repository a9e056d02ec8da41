"""A file that is not in the library, asked about.

    body -> file of a name of its own -> decoding process -> file deleted -> encoder -> answers

Who sends it is not trusted: the body may only be so long and take so long (`limits`), one address may ask
so often, so many files are opened at a time, and the process that opens one has limits of its own.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import anyio
import numpy as np
from fastapi import APIRouter, Request
from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from soundalike.audio.listening import Ear, Sound
from soundalike.audio.segments import Segment
from soundalike.errors import AudioError, QueryError
from soundalike.library.disk import reason
from soundalike.library.tracks import clean
from soundalike.server import asking, limits, questions, schemas
from soundalike.server.context import Context, Here
from soundalike.server.errors import BusyError, RefusedError

router = APIRouter(tags=["asking"])
log = logging.getLogger("soundalike.server")

# Beside the file there are a few short fields.
MOST_FIELDS, LONGEST_FIELD = 40, 64 * 1024
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        **questions.UploadTerms.model_json_schema()["properties"],
                    },
                }
            }
        },
    }
}


@router.post("/similar/upload", openapi_extra=_FORM)
async def similar_to_upload(here: Here, request: Request) -> schemas.Answers:
    """Find what sounds like a file that is sent along, an audio file of any format."""
    address = request.client.host if request.client else ""
    await here.reading(limits.count_upload, here.state, address, here.settings.uploads_per_minute)
    try:
        here.uploads.acquire_on_behalf_of_nowait(request)
    except anyio.WouldBlock:
        raise BusyError("too many files are being sent at the moment; send it again soon") from None
    try:
        sound, content, terms = await _received(here, request)
    finally:
        here.uploads.release_on_behalf_of(request)

    def ask() -> schemas.Answers:
        heard = here.library.heard(sound, content)
        whole = terms.model_copy(update={"start": None, "end": None})
        return asking.answers(here.library, [heard], terms.dislike, whole)

    return await here.work(ask)


async def _received(here: Context, request: Request) -> tuple[Sound, str, questions.UploadTerms]:
    """What is heard of the file of a request, its hash, and what is asked about it.

    Raises:
        RefusedError: it is no form with a file, or says what cannot be.
        BusyError: there is no room for the file.
        AudioError, QueryError: as `hear`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":  # others may hold a million fields
        raise RefusedError(
            400, "send a form, multipart/form-data, with the file in the field 'file'"
        )
    try:
        return await _read_whole(here, request)
    except OSError as error:
        log.error("cannot keep an uploaded file: %s", error)
        raise BusyError(f"the server has no room for the file: {reason(error)}") from None


async def _read_whole(here: Context, request: Request) -> tuple[Sound, str, questions.UploadTerms]:
    try:
        form = await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD)
    except MultiPartException as error:
        raise RefusedError(400, error.message) from None
    except FormParserError:  # as Starlette before 1.8 lets it through
        raise RefusedError(400, "the body is no form") from None
    try:
        file, terms = _read(form)
        name = name_of(file.filename or "")
        async with here.decoders:
            span = (terms.start, terms.end)
            sound, content = await here.reading(hear, here, file.file, name, span)
    finally:
        await form.close()
    return sound, content, terms


def name_of(given: str) -> str:
    """The last part of the name a file was sent under; what else it says is nobody's path."""
    return clean(PurePosixPath(given.replace("\\", "/")).name)[:200] or "upload"


def hear(here: Context, file: Any, name: str, span: tuple[float | None, float | None]) -> Any:
    """Write a file down, have it opened, and delete it.

    Returns:
        what was heard, a `Sound`, and the hash of the file.

    Raises:
        AudioError: it cannot be used as music, or takes too much to open.
        QueryError: no such excerpt.
    """
    ear = here.library.ear
    ending = PurePosixPath(name).suffix
    ending = ending if ending[1:].isalnum() and len(ending) < 8 else ""
    with tempfile.NamedTemporaryFile(dir=here.state, suffix=ending) as written:
        shutil.copyfileobj(file, written)
        written.flush()
        output = _decode(Path(written.name), name, ear, span, here)
    said, _, samples = output.partition(b"\n")
    try:
        known = json.loads(said)
    except ValueError:
        raise AudioError(name, "cannot be opened within the limits of this server") from None
    if "reason" in known:
        raise AudioError(name, known["reason"])
    if "refused" in known:
        raise QueryError(f"{name}: {known['refused'].partition(': ')[2]}")
    rows = np.frombuffer(samples, "<f4").reshape(known["shape"])
    segments = tuple(Segment(*times) for times in known["segments"])
    return Sound(Path(name), known["duration"], known["tags"], segments, rows), known["content"]


def _read(form: FormData) -> tuple[UploadFile, questions.UploadTerms]:
    """The file and the terms of a form. Raises RefusedError."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise RefusedError(400, "there is no file; send one as the field 'file' of a form")
    given: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name == "dislike":
            given.setdefault(name, []).append(value)
        elif name != "file":
            given[name] = value
    try:
        return file, questions.UploadTerms.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _decode(
    path: Path, name: str, ear: Ear, span: tuple[float | None, float | None], here: Context
) -> bytes:
    """What the decoding process says of a file. Raises AudioError if it takes too long."""
    settings = here.settings
    seconds = settings.decoding_seconds
    start, end = ("" if moment is None else repr(moment) for moment in span)
    numbers = (ear.sample_rate, ear.length, ear.count)
    # -P: what lies in the folder the server was started from is no module.
    command = [sys.executable, "-P", "-m", "soundalike.server.decoding", str(path)]
    command += [*map(str, numbers), start, end]
    command += [str(settings.decoding_bytes), str(math.ceil(seconds))]
    # Nothing of what this server knows, its token least of all, is for that process.
    known = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
    env = {key: os.environ[key] for key in known if key in os.environ}
    env |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env=env,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AudioError(name, f"takes more than {seconds:g} s to open") from None
    return done.stdout
