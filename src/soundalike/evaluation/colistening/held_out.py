"""Sessions kept back -> how good a ranking is.

A track is the seed, and a session that it will be played in is what came of it. Recall@k is the share
of the rest of that session among the first k answers, in the mean over all sessions kept back with
the seed. As a session has fewer than k other tracks as a rule, all of it can be found, whether a track
is played often or seldom; one set of all tracks ever played along would grow with the seed's plays
and make the best recall of a hit small.

Coverage@k is the other side of cold start: whether a track is ever an answer. It counts the tracks
that are among the first k of at least one other track, for a reason: an answer without any similarity
is none.
"""

from __future__ import annotations

import numpy as np

from soundalike.evaluation.colistening.sessions import Sessions


def played_along(sessions: Sessions, N: int) -> np.ndarray:
    """What share of the rest of its sessions each other track is: float32 [N, N].

    Row q is the mean over the sessions with q of 1 / (m - 1) for each of the m - 1 other tracks in
    one; it sums to 1. It is 0 for a track that is in no session, or only by itself. A track counts once
    a session.
    """
    share = np.zeros((N, N), np.float32)
    asked = np.zeros(N)
    for session in sessions:
        tracks = np.unique(session)
        if len(tracks) > 1:
            share[np.ix_(tracks, tracks)] += 1 / (len(tracks) - 1)
            asked[tracks] += 1
    np.fill_diagonal(share, 0)
    share /= np.maximum(asked, 1)[:, None]
    return share


def recall_at(k: int, similarity: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Share of the rest of a session among the first k answers: float64 [N], NaN for no session.

    Ties count against the ranking: among equals, what was played along least comes first.

    Args:
        similarity: [N, N]; a track is no answer to itself, whatever stands on the diagonal.
        along: from `played_along`.
    """
    barred = _barred(similarity)
    worst = _worst_of_first(k, barred)
    found = np.where(barred > worst, along, 0).sum(axis=1, dtype=np.float64)
    # The last places go to those equals of the worst that were played along least.
    equal = barred == worst
    places = np.minimum(k, len(barred) - 1) - (barred > worst).sum(axis=1)
    for row in np.flatnonzero(along.any(axis=1)):
        found[row] += np.sort(along[row, equal[row]])[: places[row]].sum()
    return np.where(along.any(axis=1), found, np.nan)


def ever_answered(k: int, similarity: np.ndarray, *, above: float = -np.inf) -> np.ndarray:
    """Which tracks are among the first k of another one: bool [N]; equals of the k-th are.

    Args:
        similarity: [N, N].
        above: answers of this similarity and less are no answers.
    """
    barred = _barred(similarity)
    return np.asarray(((barred >= _worst_of_first(k, barred)) & (barred > above)).any(axis=0))


def chance_at(k: int, N: int) -> float:
    """Recall@k of answers drawn at random, in expectation."""
    return min(1.0, k / (N - 1))


def _worst_of_first(k: int, barred: np.ndarray) -> np.ndarray:
    """Similarity of the k-th answer of every row: [N, 1]."""
    N = len(barred)
    return np.partition(barred, N - min(k, N - 1), axis=1)[:, [N - min(k, N - 1)]]


def _barred(similarity: np.ndarray) -> np.ndarray:
    barred = similarity.astype(np.float64)
    np.fill_diagonal(barred, -np.inf)
    return barred
