"""Model folders: settings, weights and identity of an encoder, written and read safely.

    folder/config.json          name, identity, format, kind, front_end, encoder, readout, segments,
                                dimension
    folder/model.safetensors    every tensor of the network, float16 or float32

That is the layout of the Hugging Face hub, and nothing in it is a pickle: reading runs no code.

The identity, "ast-30s@3f2a91c04b7d", is the name and the first 12 hexadecimal digits of SHA-256
over everything that decides what a vector means: the settings as canonical JSON (sorted keys, no
spaces), then each tensor in order of name (name, dtype, shape, little-endian bytes as stored). It
is the same on every machine, libraries keep it beside their vectors, and reading verifies it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from soundalike.audio.melspectrogram import LogMelSettings
from soundalike.errors import ModelError
from soundalike.model.encoder import ASTSettings
from soundalike.model.sample_cnn import SampleCNNSettings
from soundalike.model.waveform_encoder import ModelSettings, SegmentSettings, WaveformEncoder

FORMAT = 1
"""Of config.json. A reader of format n reads every format up to n and refuses newer ones."""

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
MEANING = ("kind", "front_end", "encoder", "readout", "segments")
"""The keys of config.json that decide what a vector means, hence the identity."""

KEYS = frozenset({"name", "identity", "format", *MEANING, "dimension"})

DTYPES = (torch.float16, torch.float32)
"""What floating weights may be stored as."""

Part = TypeVar("Part")


def save_pretrained(
    model: WaveformEncoder, folder: str | Path, *, dtype: torch.dtype = torch.float32
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


def from_pretrained(source: str | Path, *, revision: str | None = None) -> WaveformEncoder:
    """Read a model folder, or fetch one from the Hugging Face hub.

    Args:
        source: a folder, or "organisation/name" on the hub if there is no such folder.
        revision: branch, tag or commit on the hub; without meaning for a folder.

    Returns:
        The encoder in float32 and evaluation mode, on the CPU.

    Raises:
        ModelError: naming the file and the reason: missing, corrupt, changed, of a newer format, or
            of another program.
    """
    folder = local_folder(source, (CONFIG_FILE, WEIGHTS_FILE), revision=revision)
    config = read_config(folder / CONFIG_FILE)
    tensors = read_tensors(folder / WEIGHTS_FILE)
    try:
        model = WaveformEncoder(model_settings(config))
        if config["dimension"] != model.dimension:
            raise ValueError(f"dimension={config['dimension']}, the encoder has {model.dimension}")
    except (TypeError, ValueError) as error:
        raise ModelError(f"{folder / CONFIG_FILE}: {error}") from error
    load_tensors(model, tensors, folder / WEIGHTS_FILE)
    identity = model_identity(config, tensors)
    if identity != config["identity"]:
        raise ModelError(
            f"{folder / WEIGHTS_FILE}: weights changed or truncated; {CONFIG_FILE} promises "
            f"{config['identity']}, but settings and weights give {identity}"
        )
    return model.eval()


def model_identity(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """`name@hash` of a configuration and its tensors as stored; the module docstring says how."""
    digest = hashlib.sha256()
    meaning = {key: config[key] for key in MEANING}
    digest.update(json.dumps(meaning, sort_keys=True, separators=(",", ":")).encode())
    for name, tensor in sorted(tensors.items()):
        array = tensor.numpy()
        digest.update(f"\n{name} {array.dtype.name} {list(array.shape)}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return f"{config['name']}@{digest.hexdigest()[:12]}"


# Writing ------------------------------------------------------------------------------------------


def stored_tensors(model: WaveformEncoder, dtype: torch.dtype) -> dict[str, Tensor]:
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


def model_config(model: WaveformEncoder, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The content of config.json."""
    settings = model.settings
    kind = settings.kind
    front_end = settings.front_end if kind == "ast" else None
    config: dict[str, Any] = {
        "name": settings.name,
        "identity": "",
        "format": FORMAT,
        "kind": kind,
        "front_end": asdict(front_end) if front_end else {"sample_rate": settings.sample_rate},
        "encoder": asdict(settings.ast if kind == "ast" else settings.sample_cnn),
        "readout": {},
        "segments": asdict(settings.segments),
        "dimension": model.dimension,
    }
    config["identity"] = model_identity(config, tensors)
    return config


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
    """Read and check config.json, except for the settings of the parts."""
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
    except (OSError, ValueError) as error:  # json and utf-8 errors are ValueErrors
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


def load_tensors(model: WaveformEncoder, tensors: dict[str, Tensor], path: Path) -> None:
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


def model_settings(config: Mapping[str, Any]) -> ModelSettings:
    """The settings that the content of config.json describes.

    Raises:
        TypeError, ValueError: a key is missing or unknown, or has an impossible value.
    """
    _check_keys(config, KEYS, "top level")
    kind = config["kind"]
    parts: dict[str, Any] = {"segments": _settings(SegmentSettings, config, "segments")}
    if kind == "ast":
        parts["front_end"] = _settings(LogMelSettings, config, "front_end")
        parts["ast"] = _settings(ASTSettings, config, "encoder")
    elif kind == "sample_cnn":
        parts["sample_cnn"] = _settings(SampleCNNSettings, config, "encoder")
    settings = ModelSettings(name=config["name"], kind=kind, **parts)
    if kind == "sample_cnn" and config["front_end"] != {"sample_rate": settings.sample_rate}:
        raise ValueError(f"front_end={config['front_end']} does not fit encoder.sample_rate")
    if config["readout"] != {}:
        raise ValueError(f"readout={config['readout']}: this version knows no settings of it")
    return settings


def _settings(cls: type[Part], config: Mapping[str, Any], key: str) -> Part:
    """One settings dataclass from its JSON object, each value of the annotated type."""
    assert is_dataclass(cls)
    values = config[key]
    if not isinstance(values, dict):
        raise TypeError(f"{key} holds a {type(values).__name__}, not an object")
    _check_keys(values, {field.name for field in fields(cls)}, key)
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    for name, hint in get_type_hints(cls).items():
        if not _is(values[name], hint):
            raise TypeError(f"{key}.{name}={values[name]!r} is not of type {hint}")
    return cls(**values)


def _is(value: object, hint: Any) -> bool:
    """Whether `value` is of the annotated type; JSON writes whole floats as it likes."""
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is UnionType:
        return any(_is(value, member) for member in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_is(v, get_args(hint)[0]) for v in value)
    return type(value) is hint or (hint is float and type(value) is int)


def _check_keys(values: Mapping[str, Any], expected: Set[str], where: str) -> None:
    """Raise naming the first key that is missing or unknown."""
    if unknown := sorted(values.keys() - expected):
        raise ValueError(f"{where}: unknown key {unknown[0]!r}")
    if missing := sorted(expected - values.keys()):
        raise ValueError(f"{where}: missing key {missing[0]!r}")
