"""Compiled loops over ascending lists of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled

Numbers = NDArray[np.int64]
Rows = NDArray[np.int32]
Counts = NDArray[np.uint16]


def count_kept(starts: Numbers, row: Rows, number: Rows) -> Numbers:
    """Return how many rows of each list have a number."""
    counts = np.zeros(len(starts) - 1, dtype=np.int64)
    for i in range(len(starts) - 1):
        for j in range(starts[i], starts[i + 1]):
            counts[i] += number[row[j]] >= 0
    return counts


def merge_lists(
    starts: Numbers,
    row: Rows,
    count: Counts,
    number: Rows,
    added_starts: Numbers,
    added_row: Rows,
    added_count: Counts,
    source: Numbers,
    bounds: Numbers,
    out_row: Rows,
    out_count: Counts,
) -> None:
    """Fill lists with the rows of two of the same number each, ascending; see ``indexing.postings``.

    ``bounds`` says where each starts; counts are left out where ``out_count`` has no room.
    """
    n_old, counted = len(starts) - 1, len(out_count) > 0
    for i in range(len(source)):
        what, place = source[i], bounds[i]
        j, last = added_starts[what], added_starts[what + 1]
        first, end = (starts[what], starts[what + 1]) if what < n_old else (0, 0)
        for k in range(first, end):
            here = number[row[k]]
            if here < 0:
                continue
            while j < last and added_row[j] < here:
                out_row[place] = added_row[j]
                if counted:
                    out_count[place] = added_count[j]
                place += 1
                j += 1
            out_row[place] = here
            if counted:
                out_count[place] = count[k]
            place += 1
        while j < last:
            out_row[place] = added_row[j]
            if counted:
                out_count[place] = added_count[j]
            place += 1
            j += 1


count_kept = compiled(count_kept)
merge_lists = compiled(merge_lists)
