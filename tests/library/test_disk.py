from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.library.disk import WriteLock, explained, write_atomically


def test_a_file_is_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes of this kind are POSIX")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE)
    write_atomically(path, b"through")
    assert reader.communicate(timeout=30)[0] == b"through"
    assert path.is_fifo()


def test_the_old_file_survives_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    write_atomically(path, b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_files_are_as_open_as_others(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    write_atomically(tmp_path / "f", b"")
    assert (tmp_path / "f").stat().st_mode == plain.stat().st_mode


LANCE = "lance error: LanceError(IO): {}, /root/.cargo/registry/lance-file-13.0.0/src/writer.rs:2:9"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (
            RuntimeError(LANCE.format("No space left on device (os error 28)")),
            "the disk is full",
        ),
        (PermissionError(errno.EACCES, "Permission denied"), "permission denied"),
        (RuntimeError(LANCE.format("cannot do it")), "cannot do it"),
        (ValueError("Table 'x' was not found"), "Table 'x' was not found"),
        (RuntimeError(""), "RuntimeError"),
    ],
)
def test_reasons_are_in_words(error: Exception, reason: str) -> None:
    with pytest.raises(LibraryError) as caught, explained("cannot write"):
        raise error
    assert str(caught.value) == f"cannot write: {reason}"


def test_two_writers_meet_the_lock_and_it_is_free_again(tmp_path: Path) -> None:
    with WriteLock(tmp_path), pytest.raises(LibraryError, match=f"process {os.getpid()}"):
        WriteLock(tmp_path).__enter__()
    with WriteLock(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from soundalike.library.disk import WriteLock\n"
        "with WriteLock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            with pytest.raises(LibraryError, match=str(process.pid)):
                WriteLock(tmp_path).__enter__()
        finally:
            process.kill()
    with WriteLock(tmp_path):
        pass
