"""Which hosts are this machine, and which are others."""

from __future__ import annotations

import pytest

from soundalike.server.settings import Settings, is_local


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3", "x.localhost"])
def test_this_machine(host: str) -> None:
    assert is_local(host)
    assert Settings(host=host).is_local


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.0.2", "example.org", "", "127.0.0.1.example.org"]
)
def test_others(host: str) -> None:
    assert not is_local(host)
