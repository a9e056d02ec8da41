"""Distances that count only where they are small for both sides.

Among many dimensions a few points, the hubs, are near to nearly everything and fill everybody's answers.
Mutual proximity (Schnitzer, Flexer, Schedl & Widmer, "Local and global scaling reduce hubs in space",
JMLR 13, 2012, section 3.2) asks how unusual a distance is for either of two points:

    MP(q, n) = P(X > d_qn and Y > d_qn),    X a distance of q, Y a distance of n

which is 1 for two that are nearer to one another than to anything else. Here X and Y are distances to
the same R reference sounds, and the probability is counted: the share of references that are
farther than d_qn from both. The references are no part of what is searched, so a query is answered
alone and adding tracks changes no similarity.
"""

from __future__ import annotations

import numpy as np

BLOCK = 32  # queries counted at once


def mutual_proximity(
    between: np.ndarray, of_queries: np.ndarray, of_tracks: np.ndarray
) -> np.ndarray:
    """Mutual proximity of every query and every track: float64 [Q, N], above -1 / 2R and up to 1.

    Few references know few steps, so pairs of equal count are put in the order of their distance:
    that takes off less than half a step.

    Args:
        between: distances of queries and tracks, [Q, N], 0 or more.
        of_queries: of queries and references, [Q, R].
        of_tracks: of tracks and references, [N, R].

    Raises:
        ValueError: there are no references.
    """
    references = of_queries.shape[1]
    if not references:
        raise ValueError("mutual proximity needs distances to at least one reference")
    farther = np.empty(between.shape)
    for i in range(0, len(between), BLOCK):
        limit = between[i : i + BLOCK, :, None]
        both = (of_queries[i : i + BLOCK, None] > limit) & (of_tracks[None] > limit)
        farther[i : i + BLOCK] = both.sum(axis=2)
    return np.asarray((farther - between / (1 + between) / 2) / references)
