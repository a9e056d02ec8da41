from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from soundalike.audio.constant_q import ConstantQ
from soundalike.audio.melspectrogram import LogMel
from soundalike.embedder import Embedder, sense_of
from soundalike.errors import ModelError
from soundalike.model.checkpoint import from_pretrained, save_pretrained
from soundalike.model.export import export_folder
from soundalike.model.senses import Senses, join
from soundalike.model.waveform_encoder import ModelSettings, SegmentSettings, WaveformEncoder

WEIGHTS = {"sound": 3.0, "composition": 1.0}


@pytest.fixture(scope="module")
def parts(tiny_ast: ModelSettings, tiny_pitch_cnn: ModelSettings) -> dict[str, WaveformEncoder]:
    """Encoders whose cosines spread, as after training."""
    torch.manual_seed(0)
    made = {}
    for sense, settings in (("sound", tiny_ast), ("composition", tiny_pitch_cnn)):
        model = WaveformEncoder(settings).train()
        with torch.no_grad():
            h = model.encoder(model.front_end(_sounds(60)))
        model.readout.fit(h, strength=0.75)
        made[sense] = model.eval()
    return made


@pytest.fixture(scope="module")
def senses(parts: dict[str, WaveformEncoder]) -> Senses:
    return join(parts, WEIGHTS, "tiny-senses")


@pytest.fixture
def folder(senses: Senses, tmp_path: Path) -> Path:
    save_pretrained(senses, tmp_path / "model", dtype=torch.float16)
    return tmp_path / "model"


def _sounds(count: int, seed: int = 0) -> torch.Tensor:
    """One second of two notes each, in some noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(8_000) / 8_000
    rows = []
    for _ in range(count):
        notes = np.sin(2 * np.pi * np.outer(110 * 2 ** (rng.integers(0, 36, 2) / 12), time))
        rows.append(notes.mean(axis=0) / 3 + rng.normal(0, 0.01, 8_000))
    return torch.from_numpy(np.stack(rows)).float()


# The vector ---------------------------------------------------------------------------------------


@torch.inference_mode()
def test_a_dot_product_is_the_weighted_mean_of_the_parts_cosines(
    parts: dict[str, WaveformEncoder], senses: Senses
) -> None:
    waveforms = _sounds(7, seed=1)
    joined = senses(waveforms)
    assert joined.shape == (7, 40) == (7, senses.dimension)
    sound, composition = (part(waveforms) for part in parts.values())
    expected = 0.75 * (sound @ sound.T) + 0.25 * (composition @ composition.T)
    assert torch.allclose(joined @ joined.T, expected, atol=1e-6)
    assert torch.allclose(joined.norm(dim=1), torch.ones(7), atol=1e-6)
    # It could not be either of them alone.
    assert (expected - sound @ sound.T).abs().max() > 0.05
    assert (expected - composition @ composition.T).abs().max() > 0.05


@torch.inference_mode()
def test_a_sense_is_found_in_its_columns(parts: dict[str, WaveformEncoder], senses: Senses) -> None:
    waveforms = _sounds(5, seed=2)
    assert senses.senses == {"sound": slice(0, 24), "composition": slice(24, 40)}
    joined = senses(waveforms).numpy()
    for sense, part in parts.items():
        alone = part(waveforms).numpy()
        np.testing.assert_allclose(sense_of(joined, sense, senses.senses), alone, atol=1e-6)


def test_the_order_of_the_parts_is_the_order_of_the_columns(
    parts: dict[str, WaveformEncoder],
) -> None:
    turned = join(dict(reversed(parts.items())), WEIGHTS, "turned")
    assert turned.senses == {"composition": slice(0, 16), "sound": slice(16, 40)}


@torch.inference_mode()
def test_three_senses_share_as_well(parts: dict[str, WaveformEncoder]) -> None:
    three = {**parts, "again": parts["sound"]}
    joined = join(three, {"sound": 1, "composition": 2, "again": 5}, "three")
    waveforms = _sounds(3)
    vectors = joined(waveforms)
    assert vectors.shape == (3, 64)
    lengths = [float(vectors[0, where].square().sum()) for where in joined.senses.values()]
    assert lengths == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=1e-6)


def test_callers_need_not_know_what_a_model_is_made_of(
    parts: dict[str, WaveformEncoder], senses: Senses
) -> None:
    waveform = _sounds(3).flatten().numpy()[:20_000]
    for model in (*parts.values(), senses):
        assert model.settings.sample_rate == model.settings.samples == 8_000
        assert model.settings.segments == SegmentSettings(length=1.0, count=2)
        assert model.describe(waveform).shape == (2, model.dimension)
    both = [part.describe(waveform) for part in parts.values()]
    expected = np.hstack([both[0] * 0.75**0.5, both[1] * 0.5])
    np.testing.assert_allclose(senses.describe(waveform), expected, atol=1e-6)


def test_joining_copies(parts: dict[str, WaveformEncoder], senses: Senses) -> None:
    assert not senses.training
    assert senses.encoders["sound"] is not parts["sound"]


# A sense of several networks ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def nested(parts: dict[str, WaveformEncoder], tiny_timbre_cnn: ModelSettings) -> Senses:
    """Sound is a transformer and a timbre network; composition stands beside them."""
    torch.manual_seed(1)
    timbre = WaveformEncoder(tiny_timbre_cnn).train()
    with torch.no_grad():
        h = timbre.encoder(timbre.front_end(_sounds(60)))
    timbre.readout.fit(h, strength=0.5)
    two = {"transformer": parts["sound"], "timbre": timbre.eval()}
    sound = join(two, {"transformer": 1, "timbre": 3}, "tiny-sound")
    return join({"sound": sound, "composition": parts["composition"]}, WEIGHTS, "tiny-nested")


@torch.inference_mode()
def test_to_a_listener_several_networks_are_one_sense(nested: Senses) -> None:
    assert nested.senses == {"sound": slice(0, 40), "composition": slice(40, 56)}
    waveforms = _sounds(4, seed=5)
    joined, sound = nested(waveforms), nested.encoders["sound"]
    assert isinstance(sound, Senses)
    np.testing.assert_allclose(
        sense_of(joined.numpy(), "sound", nested.senses), sound(waveforms).numpy(), atol=1e-6
    )
    parts = {name: part(waveforms) for name, part in sound.encoders.items()}
    composition = nested.encoders["composition"](waveforms)
    cosines = {name: vectors @ vectors.T for name, vectors in parts.items()}
    expected = 0.75 * (0.25 * cosines["transformer"] + 0.75 * cosines["timbre"])
    expected += 0.25 * composition @ composition.T
    assert torch.allclose(joined @ joined.T, expected, atol=1e-6)
    assert (cosines["transformer"] - cosines["timbre"]).abs().max() > 0.05


def test_what_networks_hear_alike_is_made_once(
    nested: Senses, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    for front_end in (LogMel, ConstantQ):

        def counted(
            self: torch.nn.Module, x: torch.Tensor, forward: Callable[..., Any] = front_end.forward
        ) -> torch.Tensor:
            made.append(type(self).__name__)
            answer: torch.Tensor = forward(self, x)
            return answer

        monkeypatch.setattr(front_end, "forward", counted)
    nested(_sounds(2))
    assert sorted(made) == ["ConstantQ", "LogMel"]
    nested(_sounds(2))  # other waveforms are heard anew
    assert sorted(made) == ["ConstantQ", "ConstantQ", "LogMel", "LogMel"]


def test_a_nested_model_comes_back_as_it_was(nested: Senses, tmp_path: Path) -> None:
    identity = export_folder(nested, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["format"], config["dimension"]) == (5, 56)
    assert config["parts"]["sound"]["model"]["senses"] == {
        "transformer": [0, 24],
        "timbre": [24, 40],
    }
    again = from_pretrained(tmp_path)
    assert isinstance(again, Senses)
    assert again.senses == nested.senses
    embedder = Embedder(tmp_path)
    assert (embedder.identity, embedder.senses) == (identity, nested.senses)
    waveform = _sounds(3, seed=3).flatten().numpy()
    with torch.inference_mode():
        expected = again.describe(waveform)
    np.testing.assert_allclose(embedder.embed_waveform(waveform), expected, atol=1e-4)


def test_identity_follows_weights_within_a_sense(nested: Senses, tmp_path: Path) -> None:
    sound = nested.encoders["sound"]
    assert isinstance(sound, Senses)
    encoders = sound.encoders
    other = join(encoders, {"transformer": 1, "timbre": 2}, "tiny-sound")
    changed = join({**nested.encoders, "sound": other}, WEIGHTS, "tiny-nested")
    assert save_pretrained(changed, tmp_path) != save_pretrained(nested, tmp_path)


def test_inner_parts_keep_their_identity_and_are_held_to_it(nested: Senses, tmp_path: Path) -> None:
    save_pretrained(nested, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    sound = nested.encoders["sound"]
    assert isinstance(sound, Senses)
    for name, part in sound.encoders.items():
        written = config["parts"]["sound"]["model"]["parts"][name]["model"]
        assert written["identity"] == save_pretrained(part, tmp_path / name)
    inner = ("parts", "sound", "model", "parts", "timbre", "model")
    _change(*inner, "identity", to="tiny-timbre@0")(tmp_path)
    with pytest.raises(ModelError, match="promises tiny-timbre@0"):
        from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (("format", 3), r"parts\.sound\.model is of format 5, newer than the whole"),
        (("parts", "sound", "model", "format", 6), r"parts\.sound\.model is of format 6, newer"),
        (
            ("parts", "sound", "model", "format", "5"),
            r"parts\.sound\.model: format='5' is not a whole",
        ),
        (
            ("parts", "sound", "model", "parts", "timbre", "model", "format", 1),
            "format 1 does not know such a model, format 5 does",
        ),
    ],
)
def test_formats_of_parts_are_those_that_know_them(
    nested: Senses, tmp_path: Path, damage: tuple[Any, ...], message: str
) -> None:
    save_pretrained(nested, tmp_path)
    _change(*damage[:-1], to=damage[-1])(tmp_path)
    with pytest.raises(ModelError, match=message):
        from_pretrained(tmp_path)


def test_parts_of_parts_of_parts_are_too_many(nested: Senses, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="a is joined of parts that are joined: one level too many"
    ):
        join({"a": nested, "b": nested}, {"a": 1, "b": 1}, "deep")
    save_pretrained(nested, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    whole = json.loads(json.dumps(config))
    config["parts"]["sound"]["model"] = whole
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="one level too many"):
        from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"a":' * 5_000 + "1" + "}" * 5_000)
    with pytest.raises(ModelError, match="not readable as JSON"):
        from_pretrained(tmp_path)


# What cannot be joined ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "name", "message"),
    [
        ({"sound": 1.0}, "both", "are not one for each of"),
        ({"sound": 1.0, "composition": 1.0, "taste": 1.0}, "both", "are not one for each of"),
        ({"sound": 1.0, "composition": 0.0}, "both", r"weight of composition is 0\.0"),
        ({"sound": -1.0, "composition": 1.0}, "both", r"weight of sound is -1\.0"),
        ({"sound": float("nan"), "composition": 1.0}, "both", "weight of sound is nan"),
        (WEIGHTS, "Both Senses", "lower-case letters, digits and dashes"),
    ],
)
def test_weights_and_names_that_make_no_model_are_refused(
    parts: dict[str, WaveformEncoder], weights: dict[str, float], name: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        join(parts, weights, name)


def test_parts_that_do_not_fit_are_refused(parts: dict[str, WaveformEncoder]) -> None:
    with pytest.raises(ValueError, match="two senses or more"):
        join({"sound": parts["sound"]}, {"sound": 1.0}, "one")
    with pytest.raises(ValueError, match=r'sense "The\.Sound" may hold'):
        join({"The.Sound": parts["sound"], "b": parts["sound"]}, {"The.Sound": 1, "b": 1}, "x")
    with pytest.raises(ValueError, match=r'sense "items" is a word that PyTorch keeps'):
        join({"items": parts["sound"], "b": parts["sound"]}, {"items": 1, "b": 1}, "x")
    with pytest.raises(ValueError, match=r'sense "training" is a word that PyTorch keeps'):
        join({"training": parts["sound"], "b": parts["sound"]}, {"training": 1, "b": 1}, "x")
    settings = parts["sound"].settings
    for change, message in (
        ({"segments": SegmentSettings(length=1.0, count=3)}, "segments of the parts differ"),
        (
            {"front_end": dataclasses.replace(settings.front_end, sample_rate=8_002)},
            "sample_rate of the parts differ .sound: 8002, composition: 8000",
        ),
    ):
        other = WaveformEncoder(dataclasses.replace(settings, **change))
        with pytest.raises(ValueError, match=message):
            join({**parts, "sound": other}, WEIGHTS, "both")


# On disk ------------------------------------------------------------------------------------------


def test_a_joined_model_comes_back_as_it_was(senses: Senses, tmp_path: Path) -> None:
    save_pretrained(senses, tmp_path)
    again = from_pretrained(tmp_path)
    assert isinstance(again, Senses)
    assert again.settings == senses.settings
    assert not again.training
    assert torch.equal(again(_sounds(3)), senses(_sounds(3)))


def test_config_tells_the_columns_to_a_reader_without_torch(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert (config["format"], config["kind"], config["dimension"]) == (2, "senses", 40)
    assert config["senses"] == {"sound": [0, 24], "composition": [24, 40]}
    assert config["front_end"] == {"sample_rate": 8_000}
    assert config["segments"] == {"length": 1.0, "count": 2}
    assert {sense: part["weight"] for sense, part in config["parts"].items()} == WEIGHTS
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    assert {".".join(name.split(".")[:2]) for name in tensors} == {
        "parts.sound",
        "parts.composition",
    }


def test_parts_keep_the_identity_they_have_alone(
    parts: dict[str, WaveformEncoder], folder: Path, tmp_path: Path
) -> None:
    config = json.loads((folder / "config.json").read_text())
    for sense, part in parts.items():
        identity = save_pretrained(part, tmp_path / sense, dtype=torch.float16)
        alone = json.loads((tmp_path / sense / "config.json").read_text())
        assert config["parts"][sense]["model"] == alone
        assert alone["identity"] == identity


def test_identity_follows_parts_weights_and_columns(
    parts: dict[str, WaveformEncoder], senses: Senses, tmp_path: Path
) -> None:
    turned = dict(reversed(parts.items()))
    renamed = {"timbre": parts["sound"], "composition": parts["composition"]}
    other = join(parts, WEIGHTS, "tiny-senses")
    other.encoders["composition"].readout.mean[3] += 0.01
    models = [
        senses,
        join(parts, {"sound": 2.0, "composition": 1.0}, "tiny-senses"),
        join(turned, WEIGHTS, "tiny-senses"),
        join(renamed, {"timbre": 3.0, "composition": 1.0}, "tiny-senses"),
        other,
    ]
    assert len({save_pretrained(model, tmp_path) for model in models}) == 5
    again = save_pretrained(join(parts, {"sound": 3, "composition": 1}, "other-name"), tmp_path)
    assert again.removeprefix("other-name") == save_pretrained(senses, tmp_path).removeprefix(
        "tiny-senses"
    )


def test_the_order_of_keys_in_json_does_not_matter(folder: Path, senses: Senses) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    again = from_pretrained(folder)
    assert isinstance(again, Senses)
    assert again.senses == senses.senses


def _change(*keys: str, to: Any) -> Callable[[Path], None]:
    """Set a nested key of config.json; None removes it."""

    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        place = config
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to
        if to is None:
            del place[keys[-1]]
        path.write_text(json.dumps(config))

    return change


PART = ("parts", "composition")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_change("dimension", to=41), "dimension=41, the parts make it 40"),
        (_change("senses", "sound", to=[0, 23]), "senses=.*, the parts make it"),
        (_change("senses", "sound", to=[30, 54]), "senses=.*, the parts make it"),
        (_change("senses", "sound", to=24), r"senses\.sound=24 is not \[first column"),
        (_change("senses", "sound", to=None), "parts: unknown key 'sound'|two senses or more"),
        (_change("senses", to=[]), "senses holds a list"),
        (_change("segments", "count", to=3), "segments=.*, the parts make it"),
        (_change("front_end", "sample_rate", to=16_000), "front_end=.*, the parts make it"),
        (_change("encoder", to={}), "top level: unknown key 'encoder'"),
        (_change("parts", to=[]), "parts holds a list"),
        (_change("parts", "taste", to={}), "parts: unknown key 'taste'"),
        (_change(*PART, to=None), r"parts\.composition holds a NoneType"),
        (_change(*PART, "weight", to=None), r"parts\.composition: missing key 'weight'"),
        (_change(*PART, "weight", to="1"), r"parts\.composition\.weight='1' is not a number"),
        (_change(*PART, "weight", to=-1.0), "weight of composition is -1"),
        (_change(*PART, "weight", to=1.5), "weights changed or truncated"),
        (_change(*PART, "model", "kind", to="lstm"), r'parts\.composition\.model: kind="lstm"'),
        (_change(*PART, "model", "kind", to="senses"), r"parts\.composition\.model: "),
        (
            _change(*PART, "model", "encoder", "dimension", to=17),
            "dimension=16, the encoder has 17",
        ),
        (_change(*PART, "model", "front_end", "floor", to=0.01), "weights changed or truncated"),
        (_change(*PART, "model", "identity", to="tiny-pitch@0"), "promises tiny-pitch@0"),
        (_change("identity", to="tiny-senses@0"), "promises tiny-senses@0"),
        (_change("format", to=6), "format 6 is newer than format 5"),
    ],
)
def test_damage_is_named(folder: Path, damage: Callable[[Path], Any], message: str) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=message):
        from_pretrained(folder)


def test_weights_of_another_part_are_refused(folder: Path) -> None:
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    tensors["parts.sound.readout.mean"] += 1
    safetensors.torch.save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"weights changed or truncated; .* promises tiny-senses@"):
        from_pretrained(folder)


# For listeners ------------------------------------------------------------------------------------


def test_one_graph_gives_the_vectors_of_both(
    parts: dict[str, WaveformEncoder], senses: Senses, tmp_path: Path
) -> None:
    identity = export_folder(senses, tmp_path / "joined")
    joined = Embedder(tmp_path / "joined")
    assert (joined.identity, joined.dimension) == (identity, 40)
    assert joined.senses == senses.senses
    waveform = _sounds(3, seed=3).flatten().numpy()
    vectors = joined.embed_waveform(waveform)
    assert vectors.shape == (2, 40)
    for sense, part in parts.items():
        export_folder(part, tmp_path / sense)
        alone = Embedder(tmp_path / sense)
        assert alone.senses == {}
        own = sense_of(vectors, sense, joined.senses)
        np.testing.assert_allclose(own, alone.embed_waveform(waveform), atol=1e-4)
