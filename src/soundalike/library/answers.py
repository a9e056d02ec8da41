"""A list of answers that can say what is not in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from soundalike.library.tracks import Track

T = TypeVar("T")


class Answers(list[T]):
    """Answers, best first.

    Attributes:
        note: a sentence on what was left out, or why there are none; "" if there is nothing to say.
        seeds: what was asked with, as far as it is known: None of bare vectors. `Neighbor.seed`
            counts among them.
    """

    def __init__(
        self, answers: Iterable[T] = (), *, note: str = "", seeds: Sequence[Track | None] = ()
    ) -> None:
        super().__init__(answers)
        self.note, self.seeds = note, tuple(seeds)
