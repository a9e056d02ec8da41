"""Several encoders as one: waveform [B, L] -> embedding [B, D], a stretch of columns per sense.

    sound         how music sounds, such as the transformer   [B, D1] ─┐
    composition   what is played, such as the pitch network   [B, D2] ─┴─► [B, D1 + D2]

A part may itself be joined: what answers for how music sounds may be two networks. To whoever listens it
is one sense.

The unit vector u_i of each part is multiplied by sqrt(w_i / sum of w) and they are put side by side.
The result has unit length again, and the dot product of two of them is the weighted mean of the
parts' cosines,

    a · b = sum_i w_i cos_i(a, b) / sum_i w_i,

so whatever compares vectors by cosine compares by all senses at once, and a sense alone is found in
its columns. The mean of a track's segments keeps these weights (`library/aggregation.py`).
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from soundalike.model.waveform_encoder import (
    Heard,
    Hearing,
    SegmentEncoder,
    SegmentSettings,
    require_name,
)

SENSES = "senses"
"""The kind of these models."""


@dataclass(frozen=True, slots=True)
class SensesSettings:
    """All that decides what a vector means, apart from the weights of the networks.

    Attributes:
        name: of the model.
        parts: sense -> settings of its encoder, in the order of the columns.
        weights: sense -> its share in a comparison, above 0, relative to the others.
    """

    name: str
    parts: Mapping[str, Hearing]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        require_name(self.name)
        if len(self.parts) < 2:
            raise ValueError(f"parts={list(self.parts)}: two senses or more are joined")
        for sense in self.parts:
            if not re.fullmatch(r"[a-z]+(_[a-z]+)*", sense):
                raise ValueError(f'sense "{sense}" may hold lower-case letters and _ only')
            if hasattr(nn.ModuleDict(), sense):  # parts are found under their names
                raise ValueError(f'sense "{sense}" is a word that PyTorch keeps for itself')
        for sense, part in self.parts.items():
            inner = part.parts.values() if isinstance(part, SensesSettings) else ()
            if any(isinstance(one, SensesSettings) for one in inner):
                raise ValueError(f"{sense} is joined of parts that are joined: one level too many")
        if self.weights.keys() != self.parts.keys():
            raise ValueError(
                f"weights={dict(self.weights)} are not one for each of {[*self.parts]}"
            )
        for sense, weight in self.weights.items():
            if not (weight > 0 and math.isfinite(weight)):
                raise ValueError(f"the weight of {sense} is {weight}, not a number above 0")
        self._require_equal("sample_rate", "segments")

    def _require_equal(self, *keys: str) -> None:
        """The parts hear the same samples."""
        for key in keys:
            values = {sense: getattr(part, key) for sense, part in self.parts.items()}
            if len(set(values.values())) > 1:
                words = ", ".join(f"{sense}: {value}" for sense, value in values.items())
                raise ValueError(f"{key} of the parts differ ({words})")

    @property
    def kind(self) -> str:
        """Of the network."""
        return SENSES

    @property
    def segments(self) -> SegmentSettings:
        """How a track is cut."""
        return next(iter(self.parts.values())).segments

    @property
    def sample_rate(self) -> int:
        """Samples per second of the waveforms this model takes."""
        return next(iter(self.parts.values())).sample_rate

    @property
    def samples(self) -> int:
        """L, samples per segment."""
        return next(iter(self.parts.values())).samples


class Senses(SegmentEncoder):
    """The joined encoders.

    Args:
        name: of the model.
        parts: sense -> encoder; taken as they are, not copied.
        weights: sense -> its share in a comparison.

    Raises:
        ValueError: fewer than two parts, parts that hear different segments, a weight that is
            missing or not above 0, or a name that is none.
    """

    settings: SensesSettings

    def __init__(
        self, name: str, parts: Mapping[str, SegmentEncoder], weights: Mapping[str, float]
    ) -> None:
        super().__init__()
        settings = {sense: part.settings for sense, part in parts.items()}
        self.settings = SensesSettings(
            name, settings, {sense: float(weight) for sense, weight in weights.items()}
        )
        self.parts = nn.ModuleDict(parts)

    @property
    def encoders(self) -> dict[str, SegmentEncoder]:
        """Sense -> its encoder, in the order of the columns."""
        return {
            sense: part for sense, part in self.parts.items() if isinstance(part, SegmentEncoder)
        }

    @property
    def dimension(self) -> int:
        """D, the sum of the parts' widths."""
        return sum(part.dimension for part in self.encoders.values())

    @property
    def senses(self) -> dict[str, slice]:
        """The columns of each part."""
        columns, first = {}, 0
        for sense, part in self.encoders.items():
            columns[sense] = slice(first, first + part.dimension)
            first = columns[sense].stop
        return columns

    def forward(self, waveforms: Tensor, heard: Heard | None = None) -> Tensor:
        """Embedding of each segment: float32 [B, L] -> float32 [B, D], rows of unit length."""
        weights, heard = self.settings.weights, {} if heard is None else heard
        whole = sum(weights.values())
        return torch.cat(
            [
                part(waveforms, heard) * math.sqrt(weights[sense] / whole)  # [B, D of the part]
                for sense, part in self.parts.items()
            ],
            dim=1,
        )


def join(parts: Mapping[str, SegmentEncoder], weights: Mapping[str, float], name: str) -> Senses:
    """Join encoders that were trained apart; the result has copies of them, ready to be used.

    Args:
        parts: sense -> encoder, in the order the columns shall have.
        weights: sense -> its share in a comparison; only their proportions count.
        name: of the joined model.

    Raises:
        ValueError: as `Senses` does.
    """
    return Senses(
        name, {sense: copy.deepcopy(part) for sense, part in parts.items()}, weights
    ).eval()
