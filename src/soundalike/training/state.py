"""The state of a run on disk: all tensors and a few notes in one safetensors file, written at once;
beside it the history, a line of JSON per step.

Modules and optimisers are flattened to "part/name" -> tensor, so reading a state runs no code that
the file brings along (a pickle would).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from soundalike.errors import ModelError

Parts = Mapping[str, nn.Module | torch.optim.Optimizer]


def write_state(path: Path, parts: Parts, notes: Mapping[str, Any]) -> None:
    """Write `parts` and `notes` to `path`; a crash while writing leaves the previous file whole."""
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().contiguous().clone()
        for part, thing in parts.items()
        for name, tensor in _tensors(thing).items()
    }
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"notes": json.dumps(dict(notes))})
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def read_state(path: Path, parts: Parts, *, recipe: str | None = None) -> dict[str, Any]:
    """Load `parts` in place from `path` and return the notes.

    Raises:
        ModelError: unreadable file, or a state of another recipe or network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes: dict[str, Any] = json.loads((file.metadata() or {}).get("notes", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(f"{path}: the training state cannot be read: {error}") from None
    if recipe is not None and notes.get("recipe") != recipe:
        raise ModelError(
            f"{path.parent} holds a run of another recipe ({notes.get('recipe')}, this one is "
            f"{recipe}); choose another folder, or go back to the recipe it was begun with"
        )
    for part, thing in parts.items():
        mine = {
            name.removeprefix(f"{part}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{part}/")
        }
        try:
            _load(thing, mine)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{path}: {part} is of another network: {error}") from None
    return notes


def write_history(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write a line of JSON per entry; a crash while writing leaves the previous file whole."""
    partial = path.with_suffix(".partial-history")
    partial.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    partial.replace(path)


def read_history(path: Path) -> list[dict[str, Any]]:
    """Entries of a history; none when there is no such file.

    Raises:
        ModelError: unreadable file.
    """
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the history of the run cannot be read: {error}") from None


def _tensors(thing: nn.Module | torch.optim.Optimizer) -> dict[str, Tensor]:
    if isinstance(thing, nn.Module):
        return dict(thing.state_dict())
    return {
        f"{number}/{name}": value
        for number, entry in thing.state_dict()["state"].items()
        for name, value in entry.items()
    }


def _load(thing: nn.Module | torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    if isinstance(thing, nn.Module):
        thing.load_state_dict(tensors)
        return
    whole = thing.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, key = name.partition("/")
        state.setdefault(int(number), {})[key] = tensor
    thing.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
