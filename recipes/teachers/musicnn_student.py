"""A timbre network whose every filter answers as one of musicnn's does, before it learns together.

Most of musicnn's filters never answer to music: of 561, 63 do. So a student can have one for each of them,
and none has to be found by descent: what the teacher's filter answers to recordings is known, the student's
is a linear map of what it sees there, and least squares say which. Layer by layer:

    bands      ours mixed and bent   ~  the teacher's log-mel
    filters    patches of those      ~  what each of the teacher's filters answers there
    in time    five frames of those  ~  what each of its convolutions over time answers
    h          means and maxima      ~  the target that training will ask for (training/teacher.py)

    python recipes/teachers/musicnn_student.py WEIGHTS.npz recipes/timbre.toml runs/timbre-fitted

Of the recipe the model, the music and the teacher's features are taken; only its split "train" is heard.
Out comes a model folder for the recipe's `initial`. musicnn_weights.py says where the weights come from.

Source of the idea: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015 (a student's inner layers
learn what a teacher's say); what is linear in them is solved here, not descended to.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from musicnn_features import (
    IN_TIME,
    SAMPLE_RATE,
    TEMPORAL,
    TIMBRAL,
    Teacher,
    convolution,
    levelled,
    log_mel,
)
from torch import Tensor, nn
from torch.nn import functional as F

from soundalike.model.checkpoint import save_pretrained
from soundalike.model.timbre_cnn import TIME_KERNEL, TimbreCNN
from soundalike.model.waveform_encoder import WaveformEncoder
from soundalike.training.recipe import Recipe, read_recipe
from soundalike.training.sources import Source, WaveformCache, as_float, read_sources
from soundalike.training.teacher import TeacherTargets

SECONDS = 30
EVERY = 8  # of the clips of 30 s, that filters are fitted on; h is fitted on all
OURS, THEIRS = slice(0, None, 4), slice(1, None, 5)
"""Frames that have the same middle: 20 ms apart from 16 ms on, and 16 ms apart from 0 on."""

EDGE = 16  # such frames at either end that are left out: there filters hear what lies beyond
NEIGHBOURS = 7  # bands below and above one that may be mixed into it
SPEAKS = 1e-3  # deviation of a channel's mean or maximum over windows below which it says nothing
RIDGE = 1e-4  # of the mean variance, added to every direction


@dataclass(frozen=True)
class Clip:
    """30 s, heard by both.

    Attributes:
        ours: our log-mel, float32 [M, F].
        bands: the teacher's, float32 [M, n], at the frames that both have.
        answers: of each convolution of its front, float32 [channels that speak, places, n].
        in_time: of each convolution over time, float32 [64, n].
    """

    ours: Tensor
    bands: Tensor
    answers: list[Tensor]
    in_time: list[Tensor]


def speaking(heard: Sequence[np.ndarray], teacher: Teacher) -> list[Tensor]:
    """Channels of each convolution of the front that ever say something, the most telling first."""
    counts = [len(teacher.weights[convolution(i, "bias")]) for i in (*TIMBRAL, *TEMPORAL)]
    all_of_it, channels = np.concatenate(heard), sum(counts) + 3 * 64
    deviation = np.maximum(
        all_of_it[:, : sum(counts)].std(axis=0),
        all_of_it[:, channels : channels + sum(counts)].std(axis=0),
    )
    parts = np.split(deviation, np.cumsum(counts)[:-1])
    return [torch.from_numpy(np.argsort(-part)[: int((part > SPEAKS).sum())]) for part in parts]


@torch.no_grad()
def hear(
    teacher: Teacher,
    model: WaveformEncoder,
    speak: list[Tensor],
    waveform: np.ndarray,
    level: float,
) -> Clip:
    """What both networks hear in 30 s."""
    ours = model.front_end(torch.from_numpy(waveform)[None])[0]
    frames = torch.from_numpy(
        log_mel(levelled(waveform, level), teacher.weights["mel_filters"].numpy())
    )
    scale, shift = teacher.normalisation(0)
    x = frames * scale + shift
    answers, layers = [], []
    for i, channels in zip((*TIMBRAL, *TEMPORAL), speak, strict=True):
        bias = teacher.weights[convolution(i, "bias")]
        answer = teacher.answers(x[None], i, channels)[0] + bias[channels, None, None]
        answers.append(answer[:, THEIRS].transpose(1, 2))
        scale, shift = teacher.normalisation(i + 1)
        best = torch.where(scale[channels, None] > 0, answer.amax(dim=2), answer.amin(dim=2))
        layer = shift[:, None].repeat(1, len(frames))
        layer[channels] += scale[channels, None] * best.relu()
        layers.append(layer)
    heard, in_time = torch.cat(layers), []
    for i in IN_TIME:
        answer = teacher.in_time(heard, i)
        in_time.append(answer[:, THEIRS])
        scale, shift = teacher.normalisation(i + 1)
        said = answer.relu() * scale[:, None] + shift[:, None]
        heard = said + heard if i > IN_TIME[0] else said
    n = min(len(frames[THEIRS]), ours[:, OURS].shape[1])
    return Clip(
        ours, frames[THEIRS].T[:, :n], [a[..., :n] for a in answers], [a[:, :n] for a in in_time]
    )


# Least squares ------------------------------------------------------------------------------------


class Fit:
    """A linear map with an offset, [rows, d] -> [rows, k], of as many rows as are added."""

    def __init__(self) -> None:
        self.square, self.mixed = torch.zeros(0), torch.zeros(0)

    def add(self, x: Tensor, y: Tensor) -> None:
        """Take in some rows."""
        x = torch.cat([x, torch.ones(len(x), 1)], dim=1)
        square, mixed = (x.T @ x).double(), (x.T @ y).double()
        some = len(self.square) > 0
        self.square = self.square + square if some else square
        self.mixed = self.mixed + mixed if some else mixed

    def solve(self) -> tuple[Tensor, Tensor]:
        """The map [k, d] and its offset [k]."""
        d = len(self.square)
        ridge = RIDGE * torch.trace(self.square) / d * torch.eye(d)
        found = torch.linalg.solve(self.square + ridge, self.mixed).float()
        return found[:-1].T, found[-1]


def _inner(x: Tensor) -> Tensor:
    return x[..., EDGE:-EDGE]


@torch.no_grad()
def fit_bands(network: TimbreCNN, clips: list[Clip]) -> None:
    """Mix and bend our bands into the teacher's: log10(1 + 10^4 p) is the softplus of ln(10^4 p)."""
    x = torch.cat([_inner(clip.ours[:, OURS][:, : clip.bands.shape[1]]) for clip in clips], dim=1)
    wanted = torch.cat([_inner(clip.bands) for clip in clips], dim=1) * math.log(10)
    before = torch.where(wanted > 20, wanted, torch.expm1(wanted.clamp(min=1e-3)).log())
    M = len(x)
    network.mixing.zero_()
    for band in range(M):
        near = slice(max(0, band - NEIGHBOURS), band + NEIGHBOURS + 1)
        # What is faint is bent to nothing, so it tells little about the line before the bend.
        weight = torch.where(wanted[band] > 0.3, 1.0, 0.2)[:, None]
        rows = torch.cat([x[near].T, torch.ones(x.shape[1], 1)], dim=1) * weight
        found = torch.linalg.lstsq(rows, before[band][:, None] * weight).solution[:, 0]
        network.mixing[band, near], network.knee[band] = found[:-1], found[-1]


@torch.no_grad()
def fit_filters(
    network: TimbreCNN, clips: list[Clip], teacher: Teacher, speak: list[Tensor]
) -> None:
    """Every filter like one of the teacher's; those that are left over stay as they were made."""
    settings = network.settings
    # The teacher's filters of one height are shared out over ours of that height.
    groups: list[tuple[nn.Module, int, Tensor]] = []
    for kind, modules, sizes, count in (
        (TIMBRAL, network.tall, settings.heights, settings.tall),
        (TEMPORAL, network.long, settings.lengths, settings.long),
    ):
        taken = dict.fromkeys(kind, 0)
        for number, module in enumerate(modules):
            i = _nearest(teacher, kind, sizes[number])
            place = (*TIMBRAL, *TEMPORAL).index(i)
            channels = torch.arange(len(speak[place]))[taken[i] : taken[i] + count]
            taken[i] += count
            groups.append((module, place, channels))
    first = 0
    for module, place, channels in groups:
        i = (*TIMBRAL, *TEMPORAL)[place]
        fit = Fit()
        for clip in clips[::2]:
            rows = _patches(network.bend(clip.ours), module)
            rows = rows[:, EDGE : clip.bands.shape[1] - EDGE]  # [places, n, d]
            answers = _inner(clip.answers[place][channels])
            # Ours slide over every place, as the teacher's do; what is skipped is skipped afterwards.
            fit.add(rows.flatten(0, 1), answers.permute(1, 2, 0).flatten(0, 1))
        kernel, offset = fit.solve()
        scale, _ = teacher.normalisation(i + 1)
        # Where the teacher's normalisation turns a channel round, the lowest answer counts, not the highest.
        sign = torch.where(scale[speak[place][channels]] > 0, 1.0, -1.0)
        shape = module.weight.shape[1:]
        module.weight[: len(channels)] = (sign[:, None] * kernel).view(-1, *shape)
        network.gain[first : first + len(channels)] = sign
        network.threshold[first : first + len(channels)] = offset
        first += len(module.weight)
    heard = [network.answers(clip.ours[None])[0] for clip in clips]
    rectified = [(h * network.gain[:, None] + network.threshold[:, None]).relu() for h in heard]
    _settle(network.filter_norm, torch.cat(rectified, dim=1))


def _nearest(teacher: Teacher, kind: tuple[int, ...], size: int) -> int:
    """The teacher's convolution whose filters are as high, or as long in seconds, as ours."""

    def difference(i: int) -> float:
        frames, bands, *_ = teacher.weights[convolution(i, "kernel")].shape
        return abs(bands - size) if kind == TIMBRAL else abs(math.log(frames * 0.8 / size))

    return min(kind, key=difference)


def _patches(x: Tensor, module: nn.Module) -> Tensor:
    """What a filter sees at every place and at every frame that both have, [places, n, bands x frames]."""
    assert isinstance(module, nn.Conv2d)
    bands, frames = module.weight.shape[2:]
    wide = F.pad(x, (frames // 2, frames // 2))
    patches = wide.unfold(0, bands, 1).unfold(1, frames, 1)[:, OURS]  # [places, n, bands, frames]
    return patches.flatten(2)


@torch.no_grad()
def fit_in_time(network: TimbreCNN, clips: list[Clip], teacher: Teacher) -> None:
    """Every convolution over time like the teacher's, of what ours hear before it."""
    current = [network.layers(clip.ours[None])[0][0] for clip in clips]
    for number, i in enumerate(IN_TIME):
        fit = Fit()
        for x, clip in zip(current, clips, strict=True):
            n = clip.bands.shape[1]
            wide = F.pad(x, (TIME_KERNEL // 2, TIME_KERNEL // 2))
            rows = wide.unfold(1, TIME_KERNEL, 1)[:, OURS][:, EDGE : n - EDGE]
            fit.add(rows.transpose(0, 1).flatten(1), _inner(clip.in_time[number]).T)
        kernel, offset = fit.solve()
        module, norm = network.in_time[number], network.in_time_norms[number]
        module.weight.copy_(kernel.view(module.weight.shape))
        module.bias.copy_(offset)
        rectified = [module(x[None])[0].relu() for x in current]
        _settle(norm, torch.cat(rectified, dim=1))
        scale, shift = teacher.normalisation(i + 1)
        norm.weight.copy_(scale * (norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(shift + scale * norm.running_mean)
        said = [norm(x[None])[0] for x in rectified]
        current = [a + b for a, b in zip(said, current, strict=True)] if number else said


@torch.no_grad()
def fit_h(network: TimbreCNN, heard: list[tuple[Tensor, Tensor]]) -> None:
    """h like the targets of training: pairs of pools [T, 2 x channels] and targets [T, D]."""
    pools = torch.cat([pool for pool, _ in heard])
    _settle(network.heard_norm, pools.T)
    fit = Fit()
    for pool, target in heard:
        fit.add(network.heard_norm(pool), target)
    weight, bias = fit.solve()
    network.out.weight.copy_(weight)
    network.out.bias.copy_(bias)


def _settle(norm: nn.BatchNorm1d, x: Tensor) -> None:
    """Let a normalisation have seen [channels, n]."""
    norm.running_mean.copy_(x.mean(dim=1))
    norm.running_var.copy_(x.var(dim=1))


# Music --------------------------------------------------------------------------------------------


def clips_of(
    cache: WaveformCache, sources: list[Source]
) -> Iterator[tuple[Source, int, np.ndarray]]:
    """Whole clips of 30 s: source, number of the clip within it, waveform."""
    length = SECONDS * SAMPLE_RATE
    for source in sources:
        waveform = cache.waveform(source.recordings[0])
        for number in range(len(waveform) // length):
            yield source, number, as_float(waveform[number * length : (number + 1) * length])


def fitted(recipe: Recipe, weights: dict[str, np.ndarray], level: float) -> WaveformEncoder:
    """The model of a recipe, every filter fitted."""
    torch.manual_seed(recipe.seed)
    model, teacher = WaveformEncoder(recipe.model).eval(), Teacher(weights)
    network = model.encoder
    assert isinstance(network, TimbreCNN)
    cache = WaveformCache(recipe.data.cache, SAMPLE_RATE)
    sources, failed = cache.fill(read_sources(recipe.data.music, "train"))
    for error in failed:
        print(f"left out: {error}", file=sys.stderr, flush=True)
    features = Path(recipe.teacher.features)
    raw = [np.load(features / f"{source.key}.npy").astype(np.float32) for source in sources]
    speak = speaking(raw, teacher)
    print("filters that answer to music:", *(len(channels) for channels in speak), flush=True)
    music = list(clips_of(cache, sources))
    clips = [hear(teacher, model, speak, waveform, level) for *_, waveform in music[::EVERY]]
    print(f"{len(clips)} clips heard by both", flush=True)
    fit_bands(network, clips)
    fit_filters(network, clips, teacher, speak)
    fit_in_time(network, clips, teacher)
    targets = TeacherTargets(recipe.teacher, sources, SAMPLE_RATE)
    heard, spans = [], round(SECONDS / targets.hop)
    for source, number, waveform in music:
        with torch.no_grad():
            x = model.front_end(torch.from_numpy(waveform)[None])
            pools = network.pools(network.layers(x), network.settings.stretch)[0].T[:spans]
        target = torch.from_numpy(targets.heard[source.key][number * spans :][:spans])
        heard.append((pools[: len(target)], target))
    fit_h(network, heard)
    return model


def main() -> int:
    """Read the command line, write the model."""
    parser = argparse.ArgumentParser(description="a timbre network that answers as musicnn does")
    parser.add_argument("weights", type=Path, help="written by musicnn_weights.py")
    parser.add_argument("recipe", type=Path, help="recipes/timbre.toml, or another of its kind")
    parser.add_argument("out", type=Path, help="model folder to write")
    given = parser.parse_args()
    # What it starts from is what is made here.
    recipe = read_recipe(given.recipe, ['initial=""'])
    level = recipe.model.front_end.loudness
    if recipe.model.kind != "timbre_cnn" or not recipe.teacher.features or level is None:
        parser.error(f"{given.recipe} trains no timbre_cnn with a loudness, or has no teacher")
    save_pretrained(fitted(recipe, dict(np.load(given.weights)), level), given.out)
    print(f"written: {given.out}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
