"""The state of a run on disk: all tensors and a few notes in one safetensors file, written at once.

Modules and optimisers are flattened to "part/name" -> tensor, so reading a state runs no code that
the file brings along (a pickle would).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
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
        _load(thing, mine)
    return notes


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
