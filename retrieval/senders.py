"""Who sent a node its mass, compiled: the paths of one question ask for some twenty nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled
from hipporag_like.indexing.rows import RowStarts

Reals = NDArray[np.float64]


@compiled
def best_senders(
    columns: NDArray[np.int32],
    weights: NDArray[np.float32],
    known: NDArray[np.int64],
    mass: Reals,
    indptr: RowStarts,
    edges: NDArray[np.int32],
    values: NDArray[np.float32],
    bits: int,
    most: int,
) -> tuple[NDArray[np.int64], Reals]:
    """Return the columns of a node's row that sent it most mass, most first; of equal ones the first.

    Parameters
    ----------
    columns, weights
        int32, ascending, and float32, (n,): the row.
    known, mass
        int64, ascending, and float64, (m,): the columns that the walk reached, and their mass.
    indptr, edges, values, bits
        Where each column's own row begins, and the weights in it, see ``hipporag_like.indexing.rows.Rows``: by these
        it divides its mass; ``indptr`` of length 0 where it does not.
    most
        At most so many.

    Returns
    -------
    columns : int64
    sent : float64, positive
    """
    best, sent, found, at = np.empty(most, np.int64), np.empty(most), 0, 0
    for j in range(len(columns)):
        column = columns[j]
        at += np.searchsorted(known[at:], column)
        if at == len(known):
            break
        if known[at] != column:
            continue
        here = mass[at] * np.float64(weights[j])
        if len(indptr) > 0:
            total = 0.0
            for edge in range(indptr[column], indptr[column + 1]):
                total += np.float64(values[edges[edge] & ((1 << bits) - 1) if bits > 0 else edge])
            here /= total
        if here <= 0.0 or (found == most and here <= sent[most - 1]):
            continue
        found = min(found + 1, most)
        place = found - 1
        while place > 0 and sent[place - 1] < here:
            best[place], sent[place] = best[place - 1], sent[place - 1]
            place -= 1
        best[place], sent[place] = column, here
    return best[:found], sent[:found]
