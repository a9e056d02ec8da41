from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from huggingface_hub.errors import LocalEntryNotFoundError

from soundalike.embedder import WEIGHTS
from soundalike.errors import ModelError
from soundalike.model.checkpoint import from_pretrained, replacing, save_pretrained
from soundalike.model.senses import Senses, join
from soundalike.model.waveform_encoder import ModelSettings, ReadoutSettings, WaveformEncoder


def _arange_model(settings: ModelSettings) -> WaveformEncoder:
    """Weights that any machine computes alike and that float16 holds exactly."""
    model = WaveformEncoder(settings).eval()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                values = torch.arange(tensor.numel()) % 13 + 1
                tensor.copy_(values.view(tensor.shape) / 16)
    return model


@pytest.fixture(scope="module")
def model(tiny_ast: ModelSettings) -> WaveformEncoder:
    return _arange_model(tiny_ast)


@pytest.fixture
def folder(model: WaveformEncoder, tmp_path: Path) -> Path:
    save_pretrained(model, tmp_path / "model", dtype=torch.float16)
    return tmp_path / "model"


# There and back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tiny_ast", "tiny_sample_cnn", "tiny_pitch_cnn"])
def test_float32_comes_back_as_it_was(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    torch.manual_seed(0)
    model = WaveformEncoder(request.getfixturevalue(kind)).train()
    waveforms = torch.randn(4, model.settings.samples) / 10
    model(waveforms)  # moves the running statistics of SampleCNN
    model.readout.fit(torch.randn(50, model.dimension))
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path)
    assert again.settings == model.settings
    assert not again.training
    assert torch.equal(again(waveforms), model.eval()(waveforms))


def test_float16_comes_back_rounded(tiny_ast: ModelSettings, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = WaveformEncoder(tiny_ast)
    identity = save_pretrained(model, tmp_path, dtype=torch.float16)
    again = from_pretrained(str(tmp_path))
    for name, tensor in model.state_dict().items():
        assert again.state_dict()[name].dtype == torch.float32
        assert torch.equal(again.state_dict()[name], tensor.half().float())
    # Rounding twice is rounding once.
    assert save_pretrained(again, tmp_path, dtype=torch.float16) == identity


def test_folder_says_what_is_in_it(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {"config.json", "model.safetensors"}
    config = json.loads((folder / "config.json").read_text())
    assert config["name"] == "tiny-ast"
    assert config["format"] == 1
    assert config["kind"] == "ast"
    assert config["front_end"]["sample_rate"] == 8_000
    assert config["encoder"]["width"] == config["dimension"] == 24
    assert config["segments"] == {"length": 1.0, "count": 2}


def test_the_pitch_network_says_what_it_hears(
    tiny_pitch_cnn: ModelSettings, tmp_path: Path
) -> None:
    save_pretrained(WaveformEncoder(tiny_pitch_cnn), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["format"], config["kind"]) == (2, "pitch_cnn")
    assert config["front_end"]["lowest"] == 110.0
    assert config["front_end"]["sample_rate"] == 8_000
    assert config["encoder"]["dimension"] == config["dimension"] == 16


def test_a_thinned_readout_says_so_in_a_format_that_knows_it(
    tiny_ast: ModelSettings, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    settings = dataclasses.replace(tiny_ast, readout=ReadoutSettings((1, 2), thinning=2))
    model = WaveformEncoder(settings).eval()
    identity = save_pretrained(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["format"] == 4
    assert config["readout"] == {"means": [1, 2], "deviations": [], "thinning": 2}
    again = from_pretrained(tmp_path)
    assert again.settings == settings
    waveforms = torch.randn(2, settings.samples) / 10
    assert torch.equal(again(waveforms), model(waveforms))
    whole = WaveformEncoder(dataclasses.replace(tiny_ast, readout=ReadoutSettings((1, 2))))
    whole.load_state_dict(model.state_dict())
    assert save_pretrained(whole, tmp_path / "whole").split("@")[1] != identity.split("@")[1]


def test_a_timbre_network_comes_back_as_it_was(
    tiny_timbre_cnn: ModelSettings, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = WaveformEncoder(tiny_timbre_cnn).eval()
    save_pretrained(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["format"], config["kind"], config["dimension"]) == (5, "timbre_cnn", 16)
    assert config["encoder"]["heights"] == [10, 5]
    again = from_pretrained(tmp_path)
    assert again.settings == dataclasses.replace(tiny_timbre_cnn, ast=again.settings.ast)
    waveforms = torch.randn(2, tiny_timbre_cnn.samples) / 10
    assert torch.equal(again(waveforms), model(waveforms))


def test_a_readout_of_several_blocks_says_so_in_a_format_that_knows_it(
    tiny_ast: ModelSettings, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    settings = dataclasses.replace(tiny_ast, readout=ReadoutSettings((1, 2), (1,)))
    model = WaveformEncoder(settings).eval()
    identity = save_pretrained(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["format"], config["dimension"]) == (3, 72)
    assert config["readout"] == {"means": [1, 2], "deviations": [1]}
    again = from_pretrained(tmp_path)
    assert again.settings == settings
    waveforms = torch.randn(2, settings.samples) / 10
    assert torch.equal(again(waveforms), model(waveforms))
    other = WaveformEncoder(dataclasses.replace(tiny_ast, readout=ReadoutSettings((1,))))
    assert save_pretrained(other, tmp_path / "other").split("@")[1] != identity.split("@")[1]


def test_sample_cnn_has_only_a_sample_rate_before_it(
    tiny_sample_cnn: ModelSettings, tmp_path: Path
) -> None:
    save_pretrained(WaveformEncoder(tiny_sample_cnn), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["front_end"] == {"sample_rate": 2_000}
    assert config["encoder"]["widths"] == [8, 12, 16]


# Identity ----------------------------------------------------------------------------------------


def test_identity_never_changes(
    model: WaveformEncoder,
    tiny_sample_cnn: ModelSettings,
    tiny_pitch_cnn: ModelSettings,
    tiny_timbre_cnn: ModelSettings,
    tmp_path: Path,
) -> None:
    # Libraries on people's disks hold vectors under these: a change here makes them unreadable.
    assert save_pretrained(model, tmp_path / "32") == "tiny-ast@01b71e30e85f"
    assert save_pretrained(model, tmp_path / "16", dtype=torch.float16) == "tiny-ast@e0255affd7ed"
    cnn = _arange_model(tiny_sample_cnn)
    assert save_pretrained(cnn, tmp_path / "cnn") == "tiny-cnn@9b3b6a1d13f6"
    pitch = _arange_model(tiny_pitch_cnn)
    assert save_pretrained(pitch, tmp_path / "pitch") == "tiny-pitch@9678f73bf784"
    both = join({"sound": model, "composition": pitch}, {"sound": 2, "composition": 1}, "both")
    assert save_pretrained(both, tmp_path / "both") == "both@79c62f3039c4"
    timbre = _arange_model(tiny_timbre_cnn)
    assert save_pretrained(timbre, tmp_path / "timbre") == "tiny-timbre@0dfdf9da6633"
    thinned = ReadoutSettings((1, 2), (1,), thinning=2)
    other = _arange_model(dataclasses.replace(model.settings, readout=thinned))
    assert save_pretrained(other, tmp_path / "other") == "tiny-ast@12cf06e59a02"
    sound = join({"transformer": other, "timbre": timbre}, {"transformer": 1, "timbre": 1}, "two")
    nested = join({"sound": sound, "composition": pitch}, {"sound": 2, "composition": 1}, "nested")
    assert save_pretrained(nested, tmp_path / "nested") == "nested@4dfebaebedae"


@pytest.mark.parametrize("name", ["ast-30s", "two-senses"])
def test_shipped_models_are_written_again_to_the_byte(name: str, tmp_path: Path) -> None:
    save_pretrained(from_pretrained(WEIGHTS / name), tmp_path, dtype=torch.float16)
    for file in ("config.json", "model.safetensors"):
        assert (tmp_path / file).read_bytes() == (WEIGHTS / name / file).read_bytes()


def test_shipped_encoders_keep_the_identity_that_libraries_know(tmp_path: Path) -> None:
    alone, joined = (from_pretrained(WEIGHTS / name) for name in ("ast-30s", "two-senses"))
    assert isinstance(joined, Senses)
    for model, identity in (
        (alone, "ast-30s@608bd27c48ec"),
        (joined.encoders["sound"], "sound@c39bf36a5ce0"),
        (joined, "two-senses@0fc4f3564338"),
    ):
        assert save_pretrained(model, tmp_path, dtype=torch.float16) == identity


def test_identity_is_what_the_documentation_says(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    meaning = {k: config[k] for k in ("kind", "front_end", "encoder", "readout", "segments")}
    digest = hashlib.sha256(json.dumps(meaning, sort_keys=True, separators=(",", ":")).encode())
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    for name in sorted(tensors):
        array = tensors[name]
        assert array.dtype == "<f2"
        digest.update(f"\n{name} float16 {list(array.shape)}\n".encode() + array.tobytes())
    assert config["identity"] == f"tiny-ast@{digest.hexdigest()[:12]}"


def test_identity_follows_settings_and_weights(
    model: WaveformEncoder, tiny_ast: ModelSettings, tmp_path: Path
) -> None:
    def identity(model: WaveformEncoder) -> str:
        return save_pretrained(model, tmp_path)

    front_end = dataclasses.replace(tiny_ast.front_end, mean=-4.5)
    other_settings = _arange_model(dataclasses.replace(tiny_ast, front_end=front_end))
    other_weights = _arange_model(tiny_ast)
    other_weights.readout.mean[3] += 0.001
    renamed = _arange_model(dataclasses.replace(tiny_ast, name="other"))
    found = {identity(m) for m in (model, other_settings, other_weights, renamed)}
    assert len(found) == 4
    # The name stands before the @ and nowhere else.
    assert identity(renamed).removeprefix("other") == identity(model).removeprefix("tiny-ast")


# Refusals ----------------------------------------------------------------------------------------


def _config(key: str, value: Any, *, part: str | None = None) -> Callable[[Path], None]:
    """Set a key of config.json, or of one of its parts; None removes it."""

    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        place = config[part] if part else config
        place[key] = value
        if value is None:
            del place[key]
        path.write_text(json.dumps(config))

    return change


def _truncate(name: str, size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def _flip_last_byte(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def _tensors(change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        tensors = safetensors.torch.load_file(folder / "model.safetensors")
        change(tensors)
        safetensors.torch.save_file(tensors, folder / "model.safetensors")

    return apply


def _other_program(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}')


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), "config.json: no such file"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors: no such file"),
        (_truncate("config.json", 50), "config.json: not readable as JSON"),
        (lambda f: (f / "config.json").write_bytes(b"\xff\xfe"), "config.json: not readable"),
        (lambda f: (f / "config.json").write_text("[1]"), "config.json: holds a list"),
        (_other_program, "config.json: written by another program"),
        (_config("format", 6), "config.json: format 6 is newer than format 5"),
        (_config("format", "1"), "config.json: written by another program"),
        (_config("colour", "red"), r"config.json: .*unknown key 'colour'"),
        (_config("segments", None), r"config.json: .*missing key 'segments'"),
        (_config("colour", "red", part="front_end"), "front_end: unknown key 'colour'"),
        (_config("hop", None, part="front_end"), "front_end: missing key 'hop'"),
        (_config("hop", "160", part="front_end"), "front_end.hop='160' is not of type"),
        (_config("hop", True, part="front_end"), "front_end.hop=True is not of type"),
        (_config("pooling", "max", part="encoder"), "encoder.pooling='max' is not of type"),
        (_config("heads", 5, part="encoder"), "config.json: width=24 is not a multiple"),
        (_config("strength", 1, part="readout"), "readout: unknown key 'strength'"),
        (_config("means", [1], part="readout"), "readout: missing key 'deviations'"),
        (_config("readout", {"means": "12", "deviations": []}), "readout.means='12' is not of"),
        (_config("readout", {"means": [True], "deviations": []}), "readout.means=.* is not of"),
        (
            _config("readout", {"means": [1], "deviations": []}),
            "format 1 does not know such a model",
        ),
        (_config("readout", {"means": [], "deviations": []}), "readout=.* should be {}"),
        (
            _config("readout", {"means": [1], "deviations": [], "thinning": 2}),
            "format 1 does not know such a model",
        ),
        (
            _config("readout", {"means": [], "deviations": [], "thinning": 1}),
            "readout=.* should be {}",
        ),
        (_config("encoder", []), "encoder holds a list"),
        (_config("front_end", "none"), "front_end holds a str"),
        (_config("kind", "lstm"), "config.json: kind="),
        (_config("name", "Tiny"), "config.json: name="),
        (_config("name", 7), "config.json: "),
        (_config("dimension", 25), "config.json: dimension=25, the encoder has 24"),
        (_config("depth", 3, part="encoder"), "model.safetensors: tensor encoder.blocks.2"),
        (_config("depth", 1, part="encoder"), r"encoder.blocks.1.* is none of this model's"),
        (_config("hidden", 50, part="encoder"), r"has shape .* the settings make it"),
        (_config("mean", -4.1, part="front_end"), "weights changed or truncated"),
        (_config("identity", "tiny-ast@000000000000"), "promises tiny-ast@000000000000"),
        (_truncate("model.safetensors", 900), "weights changed or truncated"),
        (_truncate("model.safetensors", 0), "weights changed or truncated"),
        (_flip_last_byte, "weights changed or truncated"),
        (_tensors(lambda t: t["readout.mean"].add_(1)), "weights changed or truncated"),
        (_tensors(lambda t: t.update(extra=torch.ones(1))), "tensor extra is none"),
        (
            _tensors(lambda t: t.update({"readout.mean": t["readout.mean"].bfloat16()})),
            "readout.mean is stored as torch.bfloat16",
        ),
    ],
)
def test_damage_is_named(folder: Path, damage: Callable[[Path], Any], message: str) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=message):
        from_pretrained(folder)


def test_weights_that_are_not_finite_are_not_written(
    tiny_ast: ModelSettings, tmp_path: Path
) -> None:
    model = _arange_model(tiny_ast)
    model.readout.mean[0] = 1e5  # too large for float16, not for float32
    with pytest.raises(ModelError, match=r"readout.mean holds values .* torch.float16"):
        save_pretrained(model, tmp_path, dtype=torch.float16)
    save_pretrained(model, tmp_path)
    model.readout.mean[0] = float("nan")
    with pytest.raises(ModelError, match=r"readout\.mean"):
        save_pretrained(model, tmp_path)
    assert float(from_pretrained(tmp_path).readout.mean[0]) == 1e5


def test_other_precisions_are_refused(model: WaveformEncoder, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"dtype=torch\.float64"):
        save_pretrained(model, tmp_path, dtype=torch.float64)


def test_an_interrupted_save_leaves_the_old_model(folder: Path) -> None:
    def interrupted() -> None:
        with replacing(folder) as work:
            (work / "config.json").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert {file.name for file in folder.iterdir()} == {"config.json", "model.safetensors"}
    assert from_pretrained(folder).settings.name == "tiny-ast"


# Hub ---------------------------------------------------------------------------------------------


def test_a_name_is_fetched_from_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def snapshot_download(name: str, **arguments: Any) -> str:
        asked.append((name, arguments["revision"], sorted(arguments["allow_patterns"])))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert from_pretrained("org/tiny-ast", revision="v2").settings.name == "tiny-ast"
    assert asked == [("org/tiny-ast", "v2", ["config.json", "model.safetensors"])]


def test_offline_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(name: str, **arguments: Any) -> str:
        raise LocalEntryNotFoundError("cannot reach the hub")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(ModelError, match=r"org/missing: no such folder.*offline.*cannot reach"):
        from_pretrained("org/missing")


@pytest.mark.parametrize(
    "source", ["missing", "./a/b/c", "/tmp/missing/model", Path("org/missing")]
)
def test_what_can_only_be_a_folder_is_not_asked_for(
    source: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(ModelError, match="no such folder, and not the name"):
        from_pretrained(source)
