"""What indexing needs of memory; how much that is in all, bench/library_scale.py measures."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.library import memory

# Blocks of 300 kB are freed but for the last, after one of 20 MB that was freed, too.
CHURN = """
from pathlib import Path
from soundalike.library import memory
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
if {call}:
    memory.give_back()
del (large := [bytes(20_000_000)])[:]
before = resident()
blocks = [b"x" * 300_000 for _ in range(300)]
del blocks[:-1]
print(resident() - before)
"""


def left_after_churn(*, call: bool) -> int:
    command = [sys.executable, "-c", CHURN.format(call=call)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc hoards memory")
def test_freed_memory_goes_back_to_the_system() -> None:
    assert left_after_churn(call=False) > 60_000_000
    assert left_after_churn(call=True) < 10_000_000


def test_giving_back_does_no_harm_where_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    monkeypatch.setattr(memory.ctypes, "CDLL", None)  # asking for it would fail
    memory.give_back()


def test_caches_are_small_and_shared(tmp_path: Path) -> None:
    memory.connect(tmp_path / "a")
    assert memory._session() is memory._session()
    assert memory.METADATA_CACHE < memory.INDEX_CACHE <= 64 * memory.MIB
    assert memory.os.environ["LANCE_DEFAULT_BATCH_SIZE"]


def test_the_environment_counts_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANCE_CPU_THREADS", "7")
    memory.connect(tmp_path / "a")
    assert memory.os.environ["LANCE_CPU_THREADS"] == "7"
