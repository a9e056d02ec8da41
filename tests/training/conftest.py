from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_run import write_tunes


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    # Sums in another order differ in the last bit, and here weights are compared to the last bit.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tracks.csv of six tunes to train on and three to validate with, of 4 s."""
    return write_tunes(tmp_path_factory.mktemp("tunes"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for decoded waveforms, shared by all tests that decode `music`."""
    return tmp_path_factory.mktemp("cache")
