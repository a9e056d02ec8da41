"""Recipes: what a file says, what it may not say, and where it is told so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from small_run import small_recipe

from soundalike.audio.augmentations import Chain
from soundalike.errors import RecipeError
from soundalike.model.cepstrum import CepstrumSettings
from soundalike.model.timbre_cnn import TimbreCNNSettings
from soundalike.model.waveform_encoder import ModelSettings, ReadoutSettings
from soundalike.training.recipe import Recipe, TeacherSettings, read_recipe
from soundalike.training.typed_toml import Misfit

RECIPES = Path(__file__).parents[2] / "recipes"
LAST_PARTS = ("mixtures", "more-songs", "again")
SHIPPED = sorted(RECIPES.glob("*.toml"))

SOUND = """\
objective = "contrastive"

[model]
name = "mine"

[data]
music = "somewhere"

[augmentations]
noise = { probability = 0.5 }

[optimizer]
batch = 8
steps = 100
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(SOUND, encoding="utf-8")
    return path


def broken(path: Path, old: str, new: str) -> RecipeError:
    """The error that a recipe meets after one change of its text."""
    assert old in SOUND
    path.write_text(SOUND.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    return caught.value


def test_what_a_recipe_says_is_read_and_the_rest_is_the_default(path: Path) -> None:
    recipe = read_recipe(path)
    assert (recipe.model.name, recipe.data.music) == ("mine", "somewhere")
    assert (recipe.optimizer.batch, recipe.optimizer.steps) == (8, 100)
    assert recipe.augmentations == {"noise": {"probability": 0.5}}
    assert recipe.optimizer.learning_rate == Recipe().optimizer.learning_rate


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("batch = 8", "bacth = 8", 13, r'unknown key "optimizer\.bacth"; did you mean "batch"\?'),
        ("batch = 8", "horses = 8", 13, r"unknown key .* known keys: batch, steps"),
        ("[optimizer]", "[optimiser]", 12, r'did you mean "optimizer"\?'),
        ("batch = 8", 'batch = "8"', 13, r"optimizer\.batch='8' is text, expected a whole number"),
        ("batch = 8", "batch = 8.5", 13, r"is a number, expected a whole number"),
        ("batch = 8", "batch = true", 13, r"is true or false, expected a whole number"),
        ("batch = 8", "batch = 1", 13, r"optimizer\.batch=1 must be at least 2"),
        ("steps = 100", "ema = 1.0", 14, r"optimizer\.ema=1\.0 must lie in 0\.\.0\.999999"),
        ("steps = 100", "learning_rate = nan", 14, r"optimizer\.learning_rate=nan must lie"),
        ("steps = 100", 'precision = "int8"', 14, r"choose one of \('auto', 'float32'"),
        ('objective = "contrastive"', 'objective = "guess"', 1, r"choose one of"),
        ("[optimizer]\n", "[validation]\nreadout = 2\n[optimizer]\n", 13, r"readout=2\.0 must lie"),
        (
            "[optimizer]\n",
            "[steadiness]\nstrength = 3\n[optimizer]\n",
            13,
            r"strength=3\.0 must lie",
        ),
        ("[optimizer]\n", "[steadiness.changes.nois]\n[optimizer]\n", 12, "did you mean 'noise'"),
        ('"mine"', '"My Model"', 3, r"lower-case letters, digits and dashes"),
        ('name = "mine"', "segments = 30", 4, r"model\.segments=30 is a whole number.*a table"),
        ('name = "mine"', "segments = { lenght = 3.0 }", 4, r'did you mean "length"\?'),
        ('name = "mine"', "segments.count = 0", 4, r"model\.segments\.count=0 must be at least 1"),
        ("[data]", "[model.ast]\nheads = 5\n[data]", 6, r"width=192 is not a multiple of heads=5"),
        (
            "[data]",
            "[model.readout]\nmeans = [7]\n[data]",
            3,
            r"means=\[7\] must lie in 1\.\.ast",
        ),
        ("0.5 }", '"often" }', 10, r"probability='often' is text, expected a number"),
        ("noise =", "nois =", 10, r"augmentations: unknown augmentation: 'nois'.*'noise'"),
        ("probability = 0.5", "probability = 1.5", 10, r"a probability lies between 0 and 1"),
        ("probability = 0.5", "loudness = 0.5", 10, r"unknown field of noise: 'loudness'"),
    ],
)
def test_a_misfit_stops_with_the_line_it_stands_on(
    path: Path, old: str, new: str, line: int, words: str
) -> None:
    error = broken(path, old, new)
    assert error.line == line
    assert str(error).startswith(f"{path}:{line}: ")
    with pytest.raises(RecipeError, match=words):
        raise error


@pytest.mark.parametrize(
    ("new", "line", "words"),
    [
        ("clip = 10.0", 7, r"data\.clip=10\.0: shorter than model\.segments\.length=30\.0"),
        ("clip = 40.0", 7, r"data\.clip=40\.0: longer than a segment"),
        ("views = 1", 7, r"data\.views=1: a pair is two views"),
        ("same_clip = true\nviews = 4", 7, r"data\.same_clip=True: views that are kept"),
        ("arrangement_share = 0.5", 7, r"data\.arrangements names no index"),
        ("intact = 1.5", 7, r"data\.intact=1\.5 must lie in 0\.\.1"),
        ("mixture_share = 0.5", 7, r"data\.mixtures names no folder"),
        ('mixtures = ["a/m", "b/m"]', 7, r"data\.mixtures=.*: two folders of one name"),
        ('mixtures = ["m"]\nmixture_share = 0.5', 8, r"there is none under \[teacher\]"),
        (
            'mixtures = ["m"]\nmixture_share = 0.5\n[teacher]\nfeatures = "f"\nweight = 0',
            8,
            r"there is none under \[teacher\]",
        ),
        (
            'mixtures = ["m"]\nmixture_share = 0.9\n[teacher]\nfeatures = "f"',
            8,
            r"of optimizer\.batch=8 it leaves 1 to contrast",
        ),
        (
            'mixtures = ["m"]\nmixture_share = 0.05\n[teacher]\nfeatures = "f"',
            8,
            r"of optimizer\.batch=8 that is not one mixture",
        ),
        (
            'mixtures = ["m"]\nmixture_share = 0.5\narrangements = "a"\narrangement_share = 0.7\n'
            '[teacher]\nfeatures = "f"',
            8,
            r"data\.arrangement_share wants more",
        ),
        ("[contrast]\nweight = 0", 8, r"contrast\.weight=0\.0: without a teacher"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    path: Path, new: str, line: int, words: str
) -> None:
    error = broken(path, 'music = "somewhere"', new)
    assert error.line == line
    with pytest.raises(RecipeError, match=words):
        raise error


def test_not_every_encoder_answers_for_stretches_of_time() -> None:
    teacher = TeacherSettings(spans=3)
    assert Recipe(teacher=teacher).teacher.spans == 3
    timbre, ten = ModelSettings(kind="timbre_cnn"), TeacherSettings(spans=10)
    assert Recipe(teacher=ten, model=timbre).teacher.spans == 10
    with pytest.raises(ValueError, match=r"teacher\.spans=3: each lasts 499 frames, .*stretch=149"):
        Recipe(teacher=teacher, model=timbre)
    words = (
        r'teacher\.spans=3: "ast" and "timbre_cnn" answer for a stretch of time, not a "pitch_cnn"'
    )
    with pytest.raises(ValueError, match=words):
        Recipe(teacher=teacher, model=ModelSettings(kind="pitch_cnn"))


def test_a_file_that_is_no_recipe_is_named(tmp_path: Path, path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.toml: cannot be read: No such file"):
        read_recipe(tmp_path / "none.toml")
    error = broken(path, "batch = 8", "batch = ")
    assert "not a TOML file" in str(error)
    assert "line 13" in str(error)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match="not a TOML file"):
        read_recipe(path)


# Overrides


def test_overrides_go_on_top_of_the_file_and_the_last_one_wins(path: Path) -> None:
    recipe = read_recipe(
        path, ["optimizer.batch=4", "optimizer.batch=6", "data.music='elsewhere'", "seed = 3"]
    )
    assert (recipe.optimizer.batch, recipe.optimizer.steps) == (6, 100)
    assert (recipe.data.music, recipe.seed) == ("elsewhere", 3)


def test_an_override_leaves_the_rest_of_its_table(path: Path) -> None:
    recipe = read_recipe(path, ["augmentations.gain={ probability = 0.25 }"])
    assert recipe.augmentations == {"noise": {"probability": 0.5}, "gain": {"probability": 0.25}}


@pytest.mark.parametrize("override", ["optimizer.batch", "optimizer.batch 8", "data.music=here"])
def test_an_override_that_is_not_toml_shows_how_to_write_it(path: Path, override: str) -> None:
    with pytest.raises(RecipeError, match=r"not of the form table\.key=value; text needs quotes"):
        read_recipe(path, [override])


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("optimizer.bacth=4", 'unknown key "optimizer.bacth"'),
        ("optimizer.batch='4'", "is text, expected a whole number"),
        ("optimizer.batch=1", "must be at least 2"),
        ("model.segments.length=300.0", "frames, the encoder takes"),
        ("seed.x=1", "is a table, expected a whole number"),
    ],
)
def test_a_misfit_in_an_override_is_not_blamed_on_a_line(
    path: Path, override: str, words: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        read_recipe(path, ["optimizer.steps=7", override])
    assert caught.value.line is None
    assert words in str(caught.value)
    assert f'(given as "{override}")' in str(caught.value)


# What a recipe means


def test_runs_from_before_there_were_mixtures_go_on() -> None:
    recipe = read_recipe(Path(__file__).parents[2] / "recipes" / "tiny.toml")
    assert recipe.digest == "b083bf03ab03"
    data = dataclasses.replace(recipe.data, mixtures=("somewhere",), mixture_views=9)
    assert dataclasses.replace(recipe, data=data).digest == recipe.digest


def test_runs_from_before_there_were_timbre_networks_and_thinning_go_on(path: Path) -> None:
    model = Recipe().model
    other = dataclasses.replace(model, timbre_cnn=TimbreCNNSettings(tall=7))
    assert Recipe(model=other).digest == Recipe(model=model).digest
    timbre = dataclasses.replace(model, kind="timbre_cnn")
    narrow = dataclasses.replace(timbre, timbre_cnn=TimbreCNNSettings(tall=7))
    assert Recipe(model=narrow).digest != Recipe(model=timbre).digest
    fewer = dataclasses.replace(model, cepstrum=CepstrumSettings(coefficients=7))
    assert Recipe(model=fewer).digest == Recipe(model=model).digest
    cepstra = [dataclasses.replace(each, kind="cepstrum") for each in (model, fewer)]
    assert Recipe(model=cepstra[0]).digest != Recipe(model=cepstra[1]).digest
    blocks = dataclasses.replace(model, readout=ReadoutSettings((2, 6), (2,)))
    assert Recipe(model=blocks).digest == "7b7046f8acc2"
    thinned = dataclasses.replace(model, readout=ReadoutSettings((2, 6), (2,), thinning=2))
    assert Recipe(model=thinned).digest != Recipe(model=blocks).digest


def test_views_left_intact_come_from_a_chain_that_spares_them(path: Path) -> None:
    chain = read_recipe(path, ["data.intact=0.25"]).chain
    assert chain is not None
    assert chain.intact == 0.25
    assert read_recipe(path, ["data.intact=0.25"]).digest != read_recipe(path).digest
    assert read_recipe(path, ["teacher.steady=0.5"]).digest != read_recipe(path).digest
    with pytest.raises(Misfit, match=r"data\.intact=0\.25: there are no \[augmentations\]"):
        Recipe(data=dataclasses.replace(Recipe().data, intact=0.25))


def test_the_digest_tells_recipes_apart_by_what_they_say(path: Path) -> None:
    digest = read_recipe(path).digest
    tables = SOUND.split("\n\n")
    path.write_text("\n\n".join([tables[0], *reversed(tables[1:])]), encoding="utf-8")
    assert read_recipe(path).digest == digest
    assert read_recipe(path, ["optimizer.batch=8"]).digest == digest
    assert read_recipe(path, ["optimizer.batch=9"]).digest != digest
    assert read_recipe(path, ["augmentations.noise.probability=0.6"]).digest != digest
    assert read_recipe(path, ["model.readout.means=[2, 6]"]).digest != digest
    assert read_recipe(path, ["steadiness.strength=0.5"]).digest == digest  # made of its end


def test_whole_numbers_reach_stages_that_count_with_them(path: Path) -> None:
    recipe = read_recipe(path, ["augmentations.reverb={ probability=1, max_room_size = 50 }"])
    assert recipe.chain is not None
    (reverb,) = (stage for stage in recipe.chain.stages if type(stage).__name__ == "Reverb")
    assert type(getattr(reverb, "max_room_size")) is int  # noqa: B009


def test_a_recipe_made_in_code_is_held_to_the_same_limits(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"optimizer\.steps=0 must be at least 1"):
        small_recipe(tmp_path, tmp_path, optimizer={"steps": 0})


# The recipes of the project


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_sound_and_says_how_to_run_it(path: Path) -> None:
    recipe = read_recipe(path)
    head = path.read_text(encoding="utf-8").partition("\n[")[0]
    assert f"soundalike train recipes/{path.name} --out runs/{path.stem}" in head
    assert "machine" in head
    # The last part of a series bears the name of what ships.
    assert path.stem in (recipe.model.name, *(f"{recipe.model.name}-{last}" for last in LAST_PARTS))


def test_the_named_recipes_are_there() -> None:
    assert {"tiny", "clmr", "ast-30s", "artist"} <= {path.stem for path in SHIPPED}


def test_clmr_is_clmr() -> None:
    recipe = read_recipe(RECIPES / "clmr.toml")
    assert (recipe.model.kind, recipe.model.sample_rate) == ("sample_cnn", 22_050)
    assert recipe.model.samples == 59_049
    assert recipe.data.same_clip
    assert recipe.clip == 29 * 22_050
    assert recipe.chain is not None
    assert recipe.chain.stages == Chain.clmr(sample_rate=22_050, length=59_049).stages
    contrast = recipe.contrast
    assert (contrast.temperature, contrast.hidden, contrast.out) == (0.5, 512, 64)


def test_the_artist_baseline_differs_from_ours_in_its_question_and_in_what_is_read() -> None:
    ours, theirs = read_recipe(RECIPES / "ast-30s.toml"), read_recipe(RECIPES / "artist.toml")
    assert (ours.objective, theirs.objective) == ("contrastive", "artist")
    assert not theirs.model.readout.layers
    alike = dataclasses.replace(theirs.model, name=ours.model.name, readout=ours.model.readout)
    assert alike == ours.model
    for part in ("seed", "augmentations", "optimizer", "validation"):
        assert getattr(theirs, part) == getattr(ours, part), part
    for key in ("music", "clip", "same_clip", "views"):
        assert getattr(theirs.data, key) == getattr(ours.data, key), key
    assert (theirs.contrast.masks, theirs.contrast.keep) == (
        ours.contrast.masks,
        ours.contrast.keep,
    )
