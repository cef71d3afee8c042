"""Rows of passages to rows of terms, compiled; see ``hipporag_like.indexing.lexical.postings_of``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled


@compiled
def by_term(
    indptr: NDArray[np.int64], term: NDArray[np.int32], count: NDArray[np.uint16], n_terms: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint16]]:
    """Return where each term's postings start, their passages, ascending, and their counts."""
    starts = np.zeros(n_terms + 1, dtype=np.int64)
    for j in range(len(term)):
        starts[term[j] + 1] += 1
    for t in range(n_terms):
        starts[t + 1] += starts[t]
    free = starts[:-1].copy()
    passage = np.empty(len(term), dtype=np.int32)
    times = np.empty(len(term), dtype=np.uint16)
    for i in range(len(indptr) - 1):
        for j in range(indptr[i], indptr[i + 1]):
            at = free[term[j]]
            free[term[j]] = at + 1
            passage[at] = i
            times[at] = count[j]
    return starts, passage, times
