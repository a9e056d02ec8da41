"""The state of a run on disk: whole or refused, never half."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from soundalike.errors import ModelError
from soundalike.training import state
from soundalike.training.state import read_history, read_state, write_history, write_state


def learner(width: int = 3, *, seed: int = 0) -> tuple[nn.Module, torch.optim.AdamW]:
    """A network with a buffer, and an optimiser that has seen two steps."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        network(torch.randn(5, 4)).square().sum().backward()
        optimizer.step()
    return network, optimizer


def parts(width: int = 3, *, seed: int = 0) -> dict[str, nn.Module | torch.optim.Optimizer]:
    network, optimizer = learner(width, seed=seed)
    return {"network": network, "optimizer": optimizer}


def test_a_state_restores_every_tensor_and_note(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    written, read = parts(seed=1), parts(seed=2)
    write_state(path, written, {"step": 2, "best": 0.5, "recipe": "abc"})
    assert read_state(path, read, recipe="abc") == {"step": 2, "best": 0.5, "recipe": "abc"}
    for before, after in zip(parts_of(written), parts_of(read), strict=True):
        assert torch.equal(before, after)


def parts_of(parts: dict[str, nn.Module | torch.optim.Optimizer]) -> list[torch.Tensor]:
    network, optimizer = parts["network"], parts["optimizer"]
    entries = optimizer.state_dict()["state"].values()
    moments = [value for entry in entries for _, value in sorted(entry.items())]
    return [*network.state_dict().values(), *moments]


def test_the_learning_rate_is_the_recipes_not_the_files(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    write_state(path, parts(), {})
    network, _ = learner()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.7)
    read_state(path, {"network": network, "optimizer": optimizer})
    assert optimizer.param_groups[0]["lr"] == 0.7


def test_a_state_of_another_recipe_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    write_state(path, parts(seed=1), {"recipe": "abc"})
    mine, untouched = parts(seed=2), parts(seed=2)
    with pytest.raises(ModelError, match=r"run of another recipe \(abc, this one is xyz\)"):
        read_state(path, mine, recipe="xyz")
    assert all(torch.equal(a, b) for a, b in zip(parts_of(mine), parts_of(untouched), strict=True))


def test_a_state_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    write_state(path, parts(width=3), {})
    with pytest.raises(ModelError, match="network is of another network"):
        read_state(path, parts(width=4))


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, -1])
def test_a_state_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "state.safetensors"
    write_state(path, parts(), {"recipe": "abc"})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
    with pytest.raises(ModelError, match="the training state cannot be read"):
        read_state(path, parts(), recipe="abc")


def test_a_missing_state_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.safetensors"):
        read_state(tmp_path / "none.safetensors", parts())


def test_a_crash_while_writing_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.safetensors"
    write_state(path, parts(seed=1), {"step": 1})
    before = path.read_bytes()

    def crash(tensors: object, partial: Path, *, metadata: object) -> None:
        partial.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(state, "save_file", crash)
    with pytest.raises(OSError, match="disk full"):
        write_state(path, parts(seed=2), {"step": 2})
    assert path.read_bytes() == before


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert read_history(path) == []
    entries = [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25, "MRR": 1.0}]
    write_history(path, entries)
    assert read_history(path) == entries
    assert [json.loads(line) for line in path.read_text().splitlines()] == entries
    assert list(tmp_path.iterdir()) == [path]


def test_a_history_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 1}\n{"st')
    with pytest.raises(ModelError, match="history of the run cannot be read"):
        read_history(path)
