"""Sound and pictures: the files of the library, and no others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from starlette.testclient import TestClient

from fake_model import write_tone
from soundalike.library.library import Library

Serve = Callable[..., TestClient]
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 20

# What people try, encoded for a path and not.
TRAVERSALS = (
    "..",
    "%2e%2e",
    "..%2f..%2f..%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "%2fetc%2fpasswd",
    "%00",
    "a%00.flac",
    "/etc/passwd",
    "..\\..\\windows",
    "%c0%ae%c0%ae%c0%af",
    "file:%2f%2f%2fetc%2fpasswd",
    "~",
    "-1",
    "' OR 1=1 --",
    "%F0%9F%8E%B5",
    "0" * 5000,
)


@pytest.fixture
def file(library: Library, ids: dict[str, str]) -> bytes:
    return library.track(ids["low"]).path.read_bytes()


def test_the_whole_file(client: TestClient, ids: dict[str, str], file: bytes) -> None:
    answer = client.get(f"/api/tracks/{ids['low']}/audio")
    assert answer.content == file
    assert answer.headers["content-type"] == "audio/flac"
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-99999999", slice(5, None)),
    ],
)
def test_a_range_of_it(
    client: TestClient, ids: dict[str, str], file: bytes, asked: str, part: slice
) -> None:
    answer = client.get(f"/api/tracks/{ids['low']}/audio", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == file[part]
    begin, end, _ = part.indices(len(file))
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(file)}"


@pytest.mark.parametrize(
    "asked",
    [
        *("bytes", "bytes=a-b", "lines=1-2", "bytes=-", "bytes=1-2-3", "bytes=5-2", "bytes=0-1,"),
        *(f"bytes={'9' * 5000}-", "bytes=" + ",".join(["0-0"] * 1000)),
    ],
)
def test_what_is_no_range_is_passed_over(
    client: TestClient, ids: dict[str, str], file: bytes, asked: str
) -> None:
    answer = client.get(f"/api/tracks/{ids['low']}/audio", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, file)


def test_a_range_behind_the_end(client: TestClient, ids: dict[str, str], file: bytes) -> None:
    answer = client.get(f"/api/tracks/{ids['low']}/audio", headers={"Range": f"bytes={len(file)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"].endswith(f"*/{len(file)}")
    assert answer.json()["error"]["kind"] == "bad_range"
    changed = {"Range": f"bytes={len(file)}-", "If-Range": '"another"'}
    answer = client.get(f"/api/tracks/{ids['low']}/audio", headers=changed)
    assert (answer.status_code, answer.content) == (200, file)


def test_the_head_alone(client: TestClient, ids: dict[str, str], file: bytes) -> None:
    answer = client.head(f"/api/tracks/{ids['low']}/audio")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(file))
    assert client.head(f"/api/tracks/{ids['low']}/artwork").status_code == 404


def test_several_ranges(client: TestClient, ids: dict[str, str], file: bytes) -> None:
    asked = {"Range": "bytes=0-3, -4"}
    answer = client.get(f"/api/tracks/{ids['low']}/audio", headers=asked)
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert all(part in answer.content for part in (file[:4], file[-4:]))


@pytest.mark.parametrize("name", TRAVERSALS)
@pytest.mark.parametrize(
    "room",
    [
        "/api/tracks/{}",
        "/api/tracks/{}/audio",
        "/api/tracks/{}/artwork",
        "/api/tracks/{}/versions",
        "/api/similar?id={}",
        "/api/path?from={0}&to={0}",
        "/api/playlist.m3u8?id={}",
    ],
)
def test_an_id_is_no_path(client: TestClient, room: str, name: str) -> None:
    answer = client.get(room.format(name))
    assert answer.status_code in (400, 404)
    assert "root:" not in answer.text
    assert set(answer.json()["error"]) == {"kind", "message"}


@pytest.mark.parametrize("room", ["/api/tracks/{}/audio", "/api/similar?id={}"])
def test_the_path_of_a_track_is_no_id_either(
    client: TestClient, library: Library, ids: dict[str, str], room: str
) -> None:
    path = library.track(ids["low"]).path
    assert client.get(room.format(str(path).replace("/", "%2F"))).status_code == 404


@pytest.fixture
def linked(tmp_path: Path, model: Path) -> tuple[Library, str]:
    """A library with a file that is a link out of its folder."""
    outside = write_tone(tmp_path / "elsewhere/secret.flac", 300.0, 5.0)
    (tmp_path / "music").mkdir()
    (tmp_path / "music/link.flac").symlink_to(outside)
    library = Library(tmp_path / "library", model=model)
    library.index([tmp_path / "music"])
    (track,) = library.tracks()
    return library, track.id


def test_a_link_out_of_the_library_is_not_followed(
    serve: Serve, linked: tuple[Library, str]
) -> None:
    library, track = linked
    answer = serve(library).get(f"/api/tracks/{track}/audio")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "forbidden")
    assert serve(library, follow_links=True).get(f"/api/tracks/{track}/audio").status_code == 200


def test_a_file_that_became_a_link_is_not_followed(
    serve: Serve, tmp_path: Path, model: Path
) -> None:
    file = write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    library = Library(tmp_path / "library", model=model)
    library.index([file.parent])
    (track,) = library.tracks()
    (tmp_path / "secret").write_text("secret")
    file.unlink()
    file.symlink_to(tmp_path / "secret")
    answer = serve(library).get(f"/api/tracks/{track.id}/audio")
    assert answer.status_code == 403
    assert "secret" not in answer.text.replace("a.flac", "")


def test_a_folder_that_is_a_link_itself_is_the_library(
    serve: Serve, tmp_path: Path, model: Path
) -> None:
    write_tone(tmp_path / "disk/a.flac", 300.0, 5.0)
    (tmp_path / "music").symlink_to(tmp_path / "disk")
    library = Library(tmp_path / "library", model=model)
    library.index([tmp_path / "music"])
    (track,) = library.tracks()
    assert serve(library).get(f"/api/tracks/{track.id}/audio").status_code == 200


def test_a_file_that_is_gone(serve: Serve, tmp_path: Path, model: Path) -> None:
    file = write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    library = Library(tmp_path / "library", model=model)
    library.index([file.parent])
    (track,) = library.tracks()
    file.unlink()
    answer = serve(library).get(f"/api/tracks/{track.id}/audio")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "no_file")


def test_something_else_in_the_place_of_a_file(serve: Serve, tmp_path: Path, model: Path) -> None:
    """A pipe would be waited for, for ever."""
    file = write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    library = Library(tmp_path / "library", model=model)
    library.index([file.parent])
    (track,) = library.tracks()
    client = serve(library)
    os.mkfifo(tmp_path / "music/cover.jpg")
    assert client.get(f"/api/tracks/{track.id}/artwork").status_code == 404
    file.unlink()
    for make in (os.mkfifo, os.mkdir):
        make(file)
        for room in ("", "/audio", "/artwork"):
            answer = client.get(f"/api/tracks/{track.id}{room}")
            assert answer.status_code == (404 if room else 200)
        (os.rmdir if file.is_dir() else os.unlink)(file)


def test_no_picture(client: TestClient, ids: dict[str, str]) -> None:
    answer = client.get(f"/api/tracks/{ids['low']}/artwork")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "no_artwork")


@pytest.fixture
def pictured(tmp_path: Path, model: Path) -> tuple[Library, str, Path]:
    file = write_tone(tmp_path / "music/a.flac", 300.0, 5.0)
    library = Library(tmp_path / "library", model=model)
    library.index([file.parent])
    return library, library.tracks()[0].id, file.parent


def test_a_picture_beside_the_file(serve: Serve, pictured: tuple[Library, str, Path]) -> None:
    library, track, folder = pictured
    (folder / "Folder.JPG").write_bytes(JPEG)
    answer = serve(library).get(f"/api/tracks/{track}/artwork")
    assert answer.content == JPEG
    assert answer.headers["content-type"] == "image/jpeg"


def test_what_only_bears_the_name_of_a_picture_is_none(
    serve: Serve, pictured: tuple[Library, str, Path]
) -> None:
    library, track, folder = pictured
    (folder / "cover.jpg").write_text("<script>alert(1)</script>")
    assert serve(library).get(f"/api/tracks/{track}/artwork").status_code == 404


def test_a_picture_that_is_a_link_out_is_not_followed(
    serve: Serve, pictured: tuple[Library, str, Path], tmp_path: Path
) -> None:
    library, track, folder = pictured
    (tmp_path / "private.jpg").write_bytes(JPEG)
    (folder / "cover.jpg").symlink_to(tmp_path / "private.jpg")
    assert serve(library).get(f"/api/tracks/{track}/artwork").status_code == 403


def test_a_picture_in_the_tags_comes_first(
    serve: Serve, pictured: tuple[Library, str, Path]
) -> None:
    library, track, folder = pictured
    (folder / "cover.jpg").write_bytes(JPEG)
    _embed_picture(folder / "a.flac", folder.parent / "b.flac")
    answer = serve(library).get(f"/api/tracks/{track}/artwork")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def _embed_picture(file: Path, spare: Path) -> None:
    from mutagen.flac import FLAC, Picture

    image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
    coder = av.CodecContext.create("png", "w")
    coder.width = coder.height = 16
    coder.pix_fmt = "rgb24"
    coder.time_base = 1
    shutil.copy(file, spare)
    tags, picture = FLAC(spare), Picture()
    picture.data = b"".join(bytes(packet) for packet in coder.encode(image))
    picture.type, picture.mime, picture.width, picture.height = 3, "image/png", 16, 16
    tags.add_picture(picture)
    tags.save()
    shutil.copy(spare, file)
