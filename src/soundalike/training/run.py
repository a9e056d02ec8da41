"""A recipe and a folder -> a trained model in that folder.

Puts the rooms together: sources, views, encoder, objectives, loop, read-out. The validation is handed
in, because training does not know the evaluation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from soundalike.audio.constant_q import ConstantQ
from soundalike.errors import AudioError, RecipeError
from soundalike.model.checkpoint import from_pretrained
from soundalike.model.waveform_encoder import KINDS, WaveformEncoder
from soundalike.training.artist_classifier import ArtistClassifier
from soundalike.training.contrast import Contrast
from soundalike.training.pairs import Pairs, Plan, Pools, ViewMaker
from soundalike.training.pitch_views import FeatureCache, PitchPairs, analysis
from soundalike.training.readout import final_readout, fit_readout, readout_segments
from soundalike.training.recipe import Recipe
from soundalike.training.sources import (
    Source,
    WaveformCache,
    artists_of,
    read_arrangements,
    read_mixtures,
    read_sources,
)
from soundalike.training.teacher import Student, TeacherTargets
from soundalike.training.trainer import Progress, Scores, Trainer
from soundalike.training.view_bank import BankedPairs, ViewBank, bank_folder


def train(
    recipe: Recipe,
    folder: Path,
    *,
    validate: Callable[[WaveformEncoder], Scores],
    report: Callable[[Progress], None] = lambda _: None,
    warn: Callable[[AudioError], None] = lambda _: None,
    until: int | None = None,
) -> WaveformEncoder:
    """Train an encoder, continuing a run that is found in `folder`.

    Args:
        recipe: the settings.
        folder: for the state of the run.
        validate: encoder with a fitted read-out -> scores; the first one chooses the weights.
        report: called after each step.
        warn: called for each recording that cannot be used.
        until: stop after this step, to be continued later.

    Returns:
        The averaged encoder with its read-out, on the CPU.

    Raises:
        RecipeError: nothing usable to train on, or settings that do not fit each other.
        ModelError: `folder` holds a run of another recipe.
    """
    trainer, segments = assemble(recipe, folder, warn)

    def look(model: WaveformEncoder) -> Scores:
        fit_readout(model, segments, recipe.validation.readout)
        return validate(model)

    trainer.validate, trainer.report = look, report
    model = trainer.run(until)
    final_readout(model, segments, recipe)
    return model.cpu()


def assemble(
    recipe: Recipe, folder: Path, warn: Callable[[AudioError], None]
) -> tuple[Trainer, np.ndarray]:
    """The trainer of a recipe, and segments int16 [N, L] of its training data to fit a read-out on."""
    torch.manual_seed(recipe.seed)
    settings = recipe.model
    cache = WaveformCache(recipe.data.cache, settings.sample_rate)
    sources = _usable(cache, read_sources(recipe.data.music, "train"), warn)
    arrangements = _usable(cache, _arrangements(recipe), warn)
    pools = Pools(sources, arrangements, _usable(cache, _mixtures(recipe), warn))
    _check_batch(recipe, pools)
    model = WaveformEncoder(settings)
    if recipe.initial:
        _start_from(model, recipe.initial)
    targets = None
    if recipe.teacher.features:
        targets = TeacherTargets(recipe.teacher, sources, settings.sample_rate, pools.mixtures)
    objectives = _objectives(recipe, model.encoder.dimension, sources, targets)
    pairs = _pairs(recipe, model, cache, pools, targets)

    def nothing(_: WaveformEncoder) -> Scores:
        return {"none": 0.0}

    trainer = Trainer(recipe, model, objectives, pairs, folder, nothing)
    return trainer, readout_segments(cache, sources, model)


def _objectives(
    recipe: Recipe, D: int, sources: list[Source], targets: TeacherTargets | None
) -> dict[str, tuple[nn.Module, float]]:
    """What h has to be good for: name -> loss and its weight."""
    objectives: dict[str, tuple[nn.Module, float]] = {}
    if recipe.objective == "contrastive" and recipe.contrast.weight > 0:
        objectives["contrast"] = (Contrast(D, recipe.contrast), recipe.contrast.weight)
    if recipe.objective == "artist":
        artists = len(artists_of(sources))
        if artists < 2:
            raise RecipeError(f'objective="artist" needs 2 artists or more, there are {artists}')
        objectives["artist"] = (ArtistClassifier(D, artists), 1.0)
    if targets:
        student = Student(D, targets.directions, recipe.teacher)
        objectives["teacher"] = (student, recipe.teacher.weight)
    return objectives


def _pairs(
    recipe: Recipe,
    model: WaveformEncoder,
    cache: WaveformCache,
    pools: Pools,
    targets: TeacherTargets | None,
) -> Pairs | BankedPairs | PitchPairs:
    """Batches by step: of fresh views, or out of a bank when the recipe keeps some per recording."""
    plan, labels = _plan(recipe), artists_of(pools.recordings)
    if isinstance(model.front_end, ConstantQ):
        return _pitch_pairs(recipe, model.front_end, cache, pools)
    prepare = ViewMaker(recipe.chain, model.front_end)
    if not recipe.data.views:
        return Pairs(
            pools,
            labels=labels,
            cache=cache,
            prepare=prepare,
            plan=plan,
            target_of=targets,
        )
    settings = recipe.model
    heard = KINDS[settings.kind].front_end
    front_end = asdict(getattr(settings, heard)) if heard else settings.sample_rate
    clip = plan.clip if plan.clip == settings.samples else [plan.clip, settings.samples]
    # Not named where it is nought: banks from before keep their names.
    intact = [recipe.data.intact] if recipe.data.intact else []
    depends_on = [recipe.augmentations, front_end, recipe.seed, *intact]

    def bank(pool: Sequence[Source], views: int) -> ViewBank:
        keys = [(source.key, len(source.recordings)) for source in pool]
        folder = bank_folder(recipe.data.cache, [depends_on, clip, keys])
        views = views if pool else 0
        bank = ViewBank(pool, cache=cache, prepare=prepare, plan=plan, views=views, folder=folder)
        bank.fill(workers=recipe.data.workers)
        return bank

    data = recipe.data
    views = (data.views, data.arrangement_views, data.mixture_views)
    return BankedPairs(
        pools,
        tuple(bank(pool, count) for pool, count in zip(pools, views, strict=True)),
        labels=labels,
        plan=plan,
        target_of=targets,
    )


def _pitch_pairs(
    recipe: Recipe,
    front_end: ConstantQ,
    cache: WaveformCache,
    pools: Pools,
) -> PitchPairs:
    """Batches by step for the pitch network, whose views are made of features."""
    folder = bank_folder(recipe.data.cache, ["constant-q", asdict(front_end.settings)])
    return PitchPairs(
        pools,
        labels=artists_of(pools.recordings),
        cache=FeatureCache(cache, analysis(front_end), folder),
        plan=_plan(recipe),
        settings=recipe.pitch_views,
        front_end=front_end.settings,
    )


def _usable(
    cache: WaveformCache, sources: list[Source], warn: Callable[[AudioError], None]
) -> list[Source]:
    usable, failed = cache.fill(sources)
    for error in failed:
        warn(error)
    return usable


def _arrangements(recipe: Recipe) -> list[Source]:
    return read_arrangements(recipe.data.arrangements) if recipe.data.arrangement_share else []


def _mixtures(recipe: Recipe) -> list[Source]:
    folders = recipe.data.mixtures if recipe.data.mixture_share else ()
    return [mixture for folder in folders for mixture in read_mixtures(folder)]


def _check_batch(recipe: Recipe, pools: Pools) -> None:
    batch, world = recipe.optimizer.batch, int(os.environ.get("WORLD_SIZE", "1"))
    if batch % world:
        raise RecipeError(f"optimizer.batch={batch} cannot be shared evenly by {world} processes")
    for pool, count, what in zip(pools, _plan(recipe).counts, Pools._fields, strict=True):
        if count > len(pool):
            raise RecipeError(
                f"optimizer.batch={batch} asks for {count} {what} a step, there are "
                f"{len(pool)}; a source may stand in a batch only once, so make the batch smaller"
            )


def _plan(recipe: Recipe) -> Plan:
    return Plan(
        batch=recipe.optimizer.batch,
        steps=recipe.optimizer.steps,
        seed=recipe.seed,
        clip=recipe.clip,
        same_clip=recipe.data.same_clip,
        arrangement_share=recipe.data.arrangement_share,
        mixture_share=recipe.data.mixture_share,
        rank=int(os.environ.get("RANK", "0")),
        world=int(os.environ.get("WORLD_SIZE", "1")),
    )


def _start_from(model: WaveformEncoder, folder: str) -> None:
    """Copy the encoder of another model; its name and read-out are not taken over."""
    start = from_pretrained(folder)
    if not isinstance(start, WaveformEncoder):
        raise RecipeError(
            f'initial="{folder}" joins several networks; export --sense takes one out'
        )
    mine, theirs = model.settings, start.settings
    if replace(mine, name=theirs.name, segments=theirs.segments, readout=theirs.readout) != theirs:
        raise RecipeError(f'initial="{folder}" is a network of another shape or front end')
    model.encoder.load_state_dict(start.encoder.state_dict())
