"""config.json of a model folder: a model's settings as JSON, and back.

One encoder:

    name, identity, format, kind, front_end, encoder, readout, segments, dimension

Several joined (kind "senses"); what the parts have in common stands at the top again, and `senses`
says which columns of a vector are whose, so that a reader needs nothing of PyTorch:

    name, identity, format, kind, parts {sense: {weight, model: all of the above}},
    senses {sense: [first column, past the last]}, front_end {sample_rate}, segments, dimension

A part may be joined of several itself. Format 1 knows the kinds "ast" and "sample_cnn", format 2
"pitch_cnn" and joined models, format 3 read-outs of several blocks (`readout` is empty where h is read),
format 4 thinned read-outs and parts that are joined, format 5 "timbre_cnn" (there was another network of
that name in format 4) and "cepstrum". A model is written in the oldest format that knows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import asdict, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from soundalike.model.senses import SENSES, Senses
from soundalike.model.waveform_encoder import (
    KINDS,
    ModelSettings,
    ReadoutSettings,
    SegmentEncoder,
    SegmentSettings,
    WaveformEncoder,
)

FORMAT = 5
"""The newest. A reader of format n reads every format up to n and refuses newer ones."""

LAYERED, THINNED, NESTED = 3, 4, 4
"""The oldest that know read-outs of several blocks, of thinned patches, and joined parts."""

FORMATS = {"ast": 1, "sample_cnn": 1, "pitch_cnn": 2, SENSES: 2, "timbre_cnn": 5, "cepstrum": 5}
"""The oldest that knows a kind, if h is read."""

MEANING = ("kind", "front_end", "encoder", "readout", "segments")
"""The keys that decide what a vector of one encoder means, hence its identity."""

KEYS = frozenset({"name", "identity", "format", *MEANING, "dimension"})

SHARED = ("senses", "front_end", "segments", "dimension")
"""The keys of joined encoders that follow from their parts."""

KEYS_OF_SENSES = frozenset({"name", "identity", "format", "kind", "parts", *SHARED})

Part = TypeVar("Part")


def meaning_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """All of a configuration that decides what a vector means; names do not."""
    if config["kind"] != SENSES:
        return {key: config[key] for key in MEANING}
    parts = {
        sense: {"weight": part["weight"], "model": meaning_of(part["model"])}
        for sense, part in config["parts"].items()
    }
    return {"kind": SENSES, "parts": parts, "senses": config["senses"]}


# Writing ------------------------------------------------------------------------------------------


def config_of(model: SegmentEncoder) -> dict[str, Any]:
    """The content of config.json, identities left empty."""
    start = {"name": model.settings.name, "identity": "", "format": _format_of(model)}
    if isinstance(model, Senses):
        return start | _senses_config(model)
    assert isinstance(model, WaveformEncoder)
    settings, kind = model.settings, KINDS[model.settings.kind]
    front_end: dict[str, Any] = {"sample_rate": settings.sample_rate}
    if kind.front_end:
        front_end = asdict(getattr(settings, kind.front_end))
    return start | {
        "kind": settings.kind,
        "front_end": front_end,
        "encoder": asdict(getattr(settings, kind.encoder)),
        "readout": _readout_config(settings),
        "segments": asdict(settings.segments),
        "dimension": model.dimension,
    }


def _format_of(model: SegmentEncoder) -> int:
    if isinstance(model, Senses):
        parts = model.encoders.values()
        nested = any(isinstance(part, Senses) for part in parts)
        return max(NESTED if nested else FORMATS[SENSES], *map(_format_of, parts))
    assert isinstance(model, WaveformEncoder)
    return max(FORMATS[model.settings.kind], _format_of_readout(model.settings.readout))


def _format_of_readout(readout: ReadoutSettings) -> int:
    if readout.thinning > 1:
        return THINNED
    return LAYERED if readout.layers else 1


def _readout_config(settings: ModelSettings) -> dict[str, Any]:
    """Empty where h is read, without `thinning` where all patches are looked at: identities from before
    there was a choice stay what they are.
    """
    readout = settings.readout
    read: dict[str, Any] = {
        "means": list(readout.means),
        "deviations": list(readout.deviations),
    }
    thinned = {"thinning": readout.thinning} if readout.thinning > 1 else {}
    return read | thinned if readout.layers else {}


def _senses_config(model: Senses) -> dict[str, Any]:
    settings = model.settings
    parts = {
        sense: {"weight": settings.weights[sense], "model": config_of(part)}
        for sense, part in model.encoders.items()
    }
    return {"kind": SENSES, "parts": parts, **_shared(model)}


def _shared(model: Senses) -> dict[str, Any]:
    """What a reader without PyTorch needs, under the keys `SHARED`."""
    return {
        "senses": {sense: [where.start, where.stop] for sense, where in model.senses.items()},
        "front_end": {"sample_rate": model.settings.sample_rate},
        "segments": asdict(model.settings.segments),
        "dimension": model.dimension,
    }


# Reading ------------------------------------------------------------------------------------------


def model_of(config: Mapping[str, Any]) -> SegmentEncoder:
    """The network that the content of config.json describes, with weights yet to be read.

    Raises:
        TypeError, ValueError: a key is missing or unknown, or has an impossible value.
        RecursionError: parts of parts of parts, hundreds of times; `Senses` refuses fewer.
    """
    if not _is(config.get("format"), int):
        raise TypeError(f"format={config.get('format')!r} is not a whole number")
    model = _senses(config) if config.get("kind") == SENSES else _encoder(config)
    wanted = _format_of(model)
    if config["format"] < wanted:
        raise ValueError(
            f"format {config['format']} does not know such a model, format {wanted} does"
        )
    return model


def _encoder(config: Mapping[str, Any]) -> WaveformEncoder:
    model = WaveformEncoder(model_settings(config))
    if config["dimension"] != model.dimension:
        raise ValueError(f"dimension={config['dimension']}, the encoder has {model.dimension}")
    return model


def model_settings(config: Mapping[str, Any]) -> ModelSettings:
    """The settings of one encoder.

    Raises:
        TypeError, ValueError: as `model_of` does.
    """
    _check_keys(config, KEYS, "top level")
    name, hints = config["kind"], get_type_hints(ModelSettings)
    given: dict[str, Any] = {"segments": _settings(SegmentSettings, config, "segments")}
    if config["readout"] != {}:
        whole = {"readout": {"thinning": 1} | _object(config["readout"], "readout")}
        given["readout"] = _settings(ReadoutSettings, whole, "readout")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind:
        given[kind.encoder] = _settings(hints[kind.encoder], config, "encoder")
        if kind.front_end:
            given[kind.front_end] = _settings(hints[kind.front_end], config, "front_end")
    settings = ModelSettings(name=config["name"], kind=name, **given)
    if config["readout"] != _readout_config(settings):  # two ways to write it were two identities
        raise ValueError(f"readout={config['readout']} should be {_readout_config(settings)}")
    if kind and not kind.front_end and config["front_end"] != {"sample_rate": settings.sample_rate}:
        raise ValueError(f"front_end={config['front_end']} does not fit encoder.sample_rate")
    return settings


def _senses(config: Mapping[str, Any]) -> Senses:
    _check_keys(config, KEYS_OF_SENSES, "top level")
    parts, weights = {}, {}
    for sense in _in_order(config["senses"]):
        where = f"parts.{sense}"
        part = _object(_object(config["parts"], "parts").get(sense), where)
        _check_keys(part, {"weight", "model"}, where)
        if not _is(part["weight"], float):
            raise TypeError(f"{where}.weight={part['weight']!r} is not a number")
        try:
            parts[sense] = model_of(_object(part["model"], f"{where}.model"))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}.model: {error}") from error
        if part["model"]["format"] > config["format"]:
            raise ValueError(
                f"{where}.model is of format {part['model']['format']}, newer than the whole"
            )
        weights[sense] = part["weight"]
    _check_keys(config["parts"], parts.keys(), "parts")
    model = Senses(config["name"], parts, weights)
    for key, value in _shared(model).items():
        if config[key] != value:
            raise ValueError(f"{key}={config[key]}, the parts make it {value}")
    return model


def _in_order(senses: object) -> list[str]:
    """The senses by their first columns; JSON need not keep the order of its keys."""
    columns = _object(senses, "senses")
    for sense, where in columns.items():
        if not (isinstance(where, list) and len(where) == 2 and all(_is(n, int) for n in where)):
            raise TypeError(f"senses.{sense}={where!r} is not [first column, past the last]")
    return sorted(columns, key=lambda sense: int(columns[sense][0]))


def _settings(cls: type[Part], config: Mapping[str, Any], key: str) -> Part:
    """One settings dataclass from its JSON object, each value of the annotated type."""
    assert is_dataclass(cls)
    values = _object(config[key], key)
    _check_keys(values, {field.name for field in fields(cls)}, key)
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    for name, hint in get_type_hints(cls).items():
        if not _is(values[name], hint):
            raise TypeError(f"{key}.{name}={values[name]!r} is not of type {hint}")
    return cls(**values)


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{where} holds a {type(value).__name__}, not an object")
    return value


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
