"""The only place that ranks: score down, then number up, so that ties are decided and two runs agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def top_set(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Return the places that :func:`top_k` does, ascending; ``k`` is at least 1."""
    if k >= len(scores):
        return np.arange(len(scores))
    edge = np.partition(scores, len(scores) - k)[len(scores) - k]
    keep = scores > edge
    keep[np.flatnonzero(scores == edge)[: k - np.count_nonzero(keep)]] = True
    return np.flatnonzero(keep)


def top_k(
    scores: NDArray[np.floating] | NDArray[np.signedinteger], k: int, allowed: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the places of the ``k`` best scores.

    Parameters
    ----------
    scores
        (n,).
    k
        At most so many.
    allowed
        bool, (n,): places that may be returned; None means all.

    Returns
    -------
    int64, (at most k,)
        Best first; equal scores in ascending order of place.
    """
    places = None if allowed is None else np.flatnonzero(allowed)
    values = scores if places is None else scores[places]
    if 0 < k < len(values):
        # Everything that ties with the k-th best stays in until the exact sort.
        edge = np.partition(values, len(values) - k)[len(values) - k]
        keep = np.flatnonzero(values >= edge)
        places, values = keep if places is None else places[keep], values[keep]
    order = np.argsort(-values, kind="stable")[:k]  # places ascend
    return order if places is None else places[order]
