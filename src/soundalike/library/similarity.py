"""A cosine -> a similarity, 0..1, that means the same by every encoder, sense and aggregation.

What a cosine says depends on who measured it: unrelated music scatters widely under one aggregation
and hardly under another. So an encoder comes with a calibration, made from how its cosines fall
between tracks that have nothing to do with each other; by all senses of a joined model, cosines that a
recognised piece has lifted (`aggregation.recognised`). With p the share of such pairs that are at
least as alike,

    p         1/2   1/10   1/100   1/1000   (cosine 1)
    becomes   0     0.25   0.5     0.75     1

with straight lines in between, and 0 for whatever is less alike than half of all music. So 0.5 reads:
one of a hundred random tracks is as alike. The map grows wherever it is above 0 and never changes an
order; beyond the third point it is a convention, for what is rarer was not seen often enough to count.

    calibration.json, beside the weights and no part of the encoder's identity:
    {"format": 1, "model": "ast-30s@3f2a91c04b7d",
     "curves": {"both": {"mean": [0.01, 0.15, 0.34, 0.52], "concat": [...], "maxsim": [...],
                         "segment": [...]}, ...},      cosines at those p, by sense and aggregation
     ...}                                              what it was measured on, for people

"segment" is for single segments, which stand in the explanation of an answer. An encoder without a
calibration has its cosines cut at 0 instead.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from soundalike.errors import ModelError
from soundalike.library.aggregation import AGGREGATIONS

Curve: TypeAlias = tuple[float, ...]
"""Cosines at the shares `SHARES`, ascending, all below 1."""
Curves: TypeAlias = Mapping[str, Mapping[str, Curve]]
"""Sense -> aggregation, or `SEGMENT` -> curve."""

FILE_NAME = "calibration.json"
FORMAT = 1
SHARES = (0.5, 0.1, 0.01, 0.001)
VALUES = (0.0, 0.25, 0.5, 0.75)
SEGMENT = "segment"
KINDS = (*AGGREGATIONS, SEGMENT)
# Not asked of the embedder, whose import brings FFmpeg along: a question need not wait for that.
_SHIPPED = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True, slots=True)
class Scale:
    """What the cosines of one encoder mean.

    Attributes:
        curves: its calibration; empty for an encoder without one.
    """

    curves: Curves = field(default_factory=dict)

    @property
    def calibrated(self) -> bool:
        """Whether similarities are calibrated, not just cosines cut at 0."""
        return bool(self.curves)

    def similarity(self, cosine: float, sense: str, kind: str) -> float:
        """Turn a cosine into a similarity.

        Args:
            cosine: -1..1, or what several seeds made of theirs, which may lie below -1.
            sense: by which it was measured, "both" for all.
            kind: the aggregation by which it was measured, or `SEGMENT` for a pair of segments.

        Returns:
            0..1, the higher the higher the cosine, except that all cosines of unrelated music are 0.
        """
        return float(self.similarities(np.array([cosine]), sense, kind)[0])

    def similarities(
        self, cosines: npt.NDArray[np.floating[Any]], sense: str, kind: str
    ) -> npt.NDArray[np.float64]:
        """The same for an array of any shape."""
        curve = self.curves.get(sense, {}).get(kind)
        if curve is None:
            return np.asarray(np.clip(cosines, 0.0, 1.0), np.float64)
        return np.asarray(np.interp(cosines, (*curve, 1.0), (*VALUES, 1.0)), np.float64)


def read_curves(folder: Path, identity: str) -> Curves:
    """Read the calibration of a model.

    Args:
        folder: of the model.
        identity: of the model; a calibration of other weights counts for nothing.

    Returns:
        The curves; empty when there is no calibration, or one of another model.

    Raises:
        ModelError: a file that is damaged or of a newer format.
    """
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}; this version reads format {FORMAT}")
        curves = checked_curves(document["curves"])
        return curves if document["model"] == identity else {}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} cannot be read ({error}); delete it, or make it again with "
            f"`soundalike calibrate`"
        ) from error


def shipped_curves(identity: str) -> Curves:
    """The calibration of a shipped model, whose folder bears the name in its identity; else empty."""
    return read_curves(_SHIPPED / identity.partition("@")[0], identity)


def checked_curves(curves: Mapping[str, Mapping[str, Any]]) -> Curves:
    """Curves as read from JSON, in their types.

    Raises:
        ValueError, TypeError, AttributeError: they are none.
    """
    return {
        sense: {kind: _checked(curve, f"{kind} of {sense}") for kind, curve in kinds.items()}
        for sense, kinds in curves.items()
    }


def _checked(curve: Any, name: str) -> Curve:
    cosines = tuple(float(cosine) for cosine in curve)
    ends = (-1.0, *cosines, 1.0)
    # Written so that not-a-number fails too. Beyond a flat stretch an order would be lost.
    if len(cosines) != len(SHARES) or not all(a < b for a, b in itertools.pairwise(ends)):
        raise ValueError(f"the curve {name} is not {len(SHARES)} cosines in ascending order")
    return cosines
