"""Training music -> the read-out of an encoder, fitted when the network has learnt.

    segments int16 [N, L]   ->  h [N, D]                     ->  centring and partial whitening
    the same, changed       ->  h of both                    ->  the same of both together
                            ->  embeddings before and after  ->  what a change moves counts less

Both are linear and are folded into one matrix (`Readout` in model/waveform_encoder.py), so listening
costs nothing more. Only training music is looked at, and no label.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from soundalike.audio.segments import cut, grid, sample_range
from soundalike.model.waveform_encoder import WaveformEncoder
from soundalike.training.recipe import Recipe
from soundalike.training.sources import Source, WaveformCache, as_float

READOUT_SEGMENTS = 512
"""Training segments on which a read-out is fitted: at most so many, or D of them where D is more."""

AT_ONCE = 16


def readout_segments(
    cache: WaveformCache, sources: list[Source], model: WaveformEncoder
) -> np.ndarray:
    """Plain segments of training music, int16 [N, L]: the grid of each track, evenly thinned."""
    settings = model.settings
    L, rate = settings.samples, settings.sample_rate
    places = []
    for source in sources:
        waveform = cache.waveform(source.recordings[0])
        # A short-segment network hears many windows of a track; for statistics the middle ones do.
        count = max(settings.segments.count, 4)
        for segment in grid(len(waveform) / rate, count=count, length=settings.segments.length):
            places.append((waveform, *sample_range(segment, rate, L)))
    most = max(READOUT_SEGMENTS, model.dimension)
    if len(places) > most:
        places = [places[i] for i in np.linspace(0, len(places) - 1, most).astype(int)]
    return np.stack([_cut16(waveform[first:past], L) for waveform, first, past in places])


def final_readout(model: WaveformEncoder, segments: np.ndarray, recipe: Recipe) -> None:
    """Fit the read-out of a model that has learnt, as a recipe says: steady, or on plain segments."""
    steadiness = recipe.steadiness
    if steadiness.strength and steadiness.views * len(segments) >= model.dimension:
        steady_readout(model, segments, recipe)
    else:
        fit_readout(model, segments, recipe.validation.readout)


@torch.no_grad()
def fit_readout(model: WaveformEncoder, segments: np.ndarray, strength: float) -> None:
    """Fit centring and whitening of `model` on segments int16 [N, L] of training music.

    Fewer segments than numbers leave it plain. As many as numbers, and not many more, are enough to rank the
    weights of one run; what ships is fitted on changed views too.
    """
    h = torch.cat([_represented(model, waveforms) for waveforms in _waveforms(segments)])
    if len(h) >= h.shape[1]:  # a run on a handful of tracks keeps the plain read-out
        device = model.readout.mean.device
        model.readout.cpu().fit(h, strength=strength)
        model.readout.to(device)


@torch.no_grad()
def steady_readout(model: WaveformEncoder, segments: np.ndarray, recipe: Recipe) -> None:
    """Fit the read-out on segments and their changed views, and make it steady, as `steadiness` says.

    Whitened together: a direction that changes stretch is long, and is shrunk for that as well
    (docs/lab/04-what-is-read.md).
    """
    settings, chain = recipe.steadiness, recipe.changes
    rng = torch.Generator().manual_seed(recipe.seed)
    plain, changed = [], []
    for waveforms in _waveforms(segments):
        before = _represented(model, waveforms)
        for _ in range(settings.views):
            plain.append(before)
            changed.append(_represented(model, chain(waveforms, rng)))
    device = model.readout.mean.device
    before, after = torch.cat(plain), torch.cat(changed)
    model.readout.cpu().fit(torch.cat([before, after]), strength=recipe.validation.readout)
    model.readout.steady(before, after, strength=settings.strength)
    model.readout.to(device)


def _waveforms(segments: np.ndarray) -> Iterator[Tensor]:
    """Segments int16 [N, L] as float32 [some, L]."""
    for part in np.array_split(segments, max(1, len(segments) // AT_ONCE)):
        yield torch.from_numpy(as_float(part))


def _represented(model: WaveformEncoder, waveforms: Tensor) -> Tensor:
    """What is read out of waveforms [B, L], on the CPU: float32 [B, D]."""
    device = model.readout.mean.device
    return model.represent(waveforms.to(device)).float().cpu()


def _cut16(piece: np.ndarray, length: int) -> np.ndarray:
    piece = np.asarray(piece)
    return piece if len(piece) == length else cut(piece, 0, length).astype(np.int16)
