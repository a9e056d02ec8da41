"""Model folders: settings, weights and identity of a model, written and read safely.

    folder/config.json          settings and identity; config.py says which
    folder/model.safetensors    every tensor of the network, float16 or float32; those of a joined
                                model begin with the part they belong to, "parts.sound."

That is the layout of the Hugging Face hub, and nothing in it is a pickle: reading runs no code.

The identity, "ast-30s@3f2a91c04b7d", is the name and the first 12 hexadecimal digits of SHA-256
over everything that decides what a vector means: the settings as canonical JSON (sorted keys, no
spaces), then each tensor in order of name (name, dtype, shape, little-endian bytes as stored). It
is the same on every machine, libraries keep it beside their vectors, and reading verifies it.
The parts of a joined model keep the identity they have alone.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from soundalike.errors import ModelError
from soundalike.model.config import FORMAT, config_of, meaning_of, model_of
from soundalike.model.waveform_encoder import SegmentEncoder

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"

DTYPES = (torch.float16, torch.float32)
"""What floating weights may be stored as."""


def save_pretrained(
    model: SegmentEncoder, folder: str | Path, *, dtype: torch.dtype = torch.float32
) -> str:
    """Write `model` into `folder`, which is made if needed; other files in it stay as they are.

    A crash leaves each file whole, old or new; if it left one of each, reading notices.

    Args:
        dtype: of the stored weights, float16 or float32.

    Returns:
        The identity.

    Raises:
        ValueError: another dtype.
        ModelError: a weight is not finite, in `model` or after rounding to `dtype`.
    """
    tensors = stored_tensors(model, dtype)
    config = model_config(model, tensors)
    with replacing(Path(folder)) as work:
        write_model(work, config, tensors)
    return str(config["identity"])


def from_pretrained(source: str | Path, *, revision: str | None = None) -> SegmentEncoder:
    """Read a model folder, or fetch one from the Hugging Face hub.

    Args:
        source: a folder, or "organisation/name" on the hub if there is no such folder.
        revision: branch, tag or commit on the hub; without meaning for a folder.

    Returns:
        The model in float32 and evaluation mode, on the CPU: a `WaveformEncoder`, or `Senses`.

    Raises:
        ModelError: naming the file and the reason: missing, corrupt, changed, of a newer format, or
            of another program.
    """
    folder = local_folder(source, (CONFIG_FILE, WEIGHTS_FILE), revision=revision)
    config = read_config(folder / CONFIG_FILE)
    tensors = read_tensors(folder / WEIGHTS_FILE)
    try:
        model = model_of(config)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder / CONFIG_FILE}: {error}") from error
    load_tensors(model, tensors, folder / WEIGHTS_FILE)
    _require_identity(config, identified(config, tensors), folder)
    return model.eval()


def _require_identity(config: Mapping[str, Any], found: Mapping[str, Any], folder: Path) -> None:
    """Raise unless the identities that are promised, of whole and parts, are those found."""
    if config["identity"] != found["identity"]:
        raise ModelError(
            f"{folder / WEIGHTS_FILE}: weights changed or truncated; {CONFIG_FILE} promises "
            f"{config['identity']}, but settings and weights give {found['identity']}"
        )
    for sense, part in found.get("parts", {}).items():
        _require_identity(config["parts"][sense]["model"], part["model"], folder)


def model_identity(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """`name@hash` of a configuration and its tensors as stored; the module docstring says how."""
    digest = hashlib.sha256()
    digest.update(json.dumps(meaning_of(config), sort_keys=True, separators=(",", ":")).encode())
    for name, tensor in sorted(tensors.items()):
        array = tensor.numpy()
        digest.update(f"\n{name} {array.dtype.name} {list(array.shape)}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return f"{config['name']}@{digest.hexdigest()[:12]}"


# Writing ------------------------------------------------------------------------------------------


def stored_tensors(model: SegmentEncoder, dtype: torch.dtype) -> dict[str, Tensor]:
    """Every tensor of `model` on the CPU, the floating ones as `dtype`."""
    if dtype not in DTYPES:
        raise ValueError(f"dtype={dtype} is neither torch.float16 nor torch.float32")
    tensors = {}
    for name, tensor in model.state_dict().items():
        stored = tensor.detach().cpu()
        stored = stored.to(dtype) if stored.is_floating_point() else stored
        if not stored.isfinite().all():
            raise ModelError(
                f"{name} holds values that are not finite as {dtype}: not a usable model"
            )
        tensors[name] = stored.contiguous()
    return tensors


def model_config(model: SegmentEncoder, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The content of config.json for a model that is stored as `tensors`."""
    return identified(config_of(model), tensors)


def identified(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """A configuration with the identities, of the whole and of its parts, that `tensors` give it."""
    found = copy.deepcopy(dict(config))
    for sense, part in found.get("parts", {}).items():
        own = _beginning_with(f"parts.{sense}.", tensors)
        part["model"] = identified(part["model"], own)
    found["identity"] = model_identity(config, tensors)
    return found


def _beginning_with(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def write_model(folder: Path, config: Mapping[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write config.json and model.safetensors into an existing folder."""
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = safetensors.torch.save(tensors, metadata={"format": "pt"})
    (folder / WEIGHTS_FILE).write_bytes(weights)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A place to write files in, moved into `folder` one by one when all are complete."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as work:
        yield Path(work)
        for path in sorted(Path(work).iterdir()):
            path.replace(folder / path.name)


# Reading ------------------------------------------------------------------------------------------


def local_folder(source: str | Path, files: tuple[str, ...], *, revision: str | None) -> Path:
    """The folder `source` names, or the local copy of these files of a model on the hub."""
    if Path(source).is_dir():
        return Path(source)
    if isinstance(source, Path) or not re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        raise ModelError(f"{source}: no such folder, and not the name of a model on the hub")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise ModelError(
            f"{source}: no such folder; to fetch models from the hub, install soundalike[train]"
        ) from error
    try:
        return Path(snapshot_download(source, revision=revision, allow_patterns=list(files)))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelError(
            f"{source}: no such folder, and the hub does not give such a model; is the machine "
            f"offline, or the name misspelled? ({error})"
        ) from error


def read_config(path: Path) -> dict[str, Any]:
    """Read config.json and check who wrote it; its settings are for `model_of`."""
    config = read_json(path)
    version = config.get("format")
    if "identity" not in config or type(version) is not int:
        raise ModelError(
            f"{path}: written by another program; load_published_ast reads published AST models"
        )
    if version > FORMAT:
        raise ModelError(
            f"{path}: format {version} is newer than format {FORMAT}, the newest this version "
            "reads; update soundalike"
        )
    return config


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that must hold an object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; a model folder holds one") from error
    except (OSError, ValueError, RecursionError) as error:  # json and utf-8 errors are ValueErrors
        raise ModelError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds a {type(content).__name__}, not an object")
    return content


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file."""
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load_file(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; a model folder holds one") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: weights changed or truncated: {error}") from error
    return tensors


def load_tensors(model: SegmentEncoder, tensors: dict[str, Tensor], path: Path) -> None:
    """Put the tensors of the file `path` into `model`, which must want exactly these."""
    wanted = model.state_dict()
    for name in sorted(wanted.keys() | tensors.keys()):
        if name not in tensors:
            raise ModelError(f"{path}: tensor {name} is missing")
        if name not in wanted:
            raise ModelError(f"{path}: tensor {name} is none of this model's")
        found, shape = list(tensors[name].shape), list(wanted[name].shape)
        if found != shape:
            raise ModelError(f"{path}: {name} has shape {found}, the settings make it {shape}")
        if tensors[name].dtype not in (*DTYPES, wanted[name].dtype):
            raise ModelError(
                f"{path}: {name} is stored as {tensors[name].dtype}, which is not read"
            )
    model.load_state_dict(tensors)
