"""A sparse matrix by compressed rows, built by sorting; plain arrays, so that it can be memory-mapped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix by rows.

    Attributes
    ----------
    indptr
        int64, (n_rows + 1,).
    indices
        int32, (n_edges,): columns, ascending within a row.
    weights
        float32, (n_edges,), positive.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float32]

    def row(self, i: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns and weights of row ``i``."""
        part = slice(int(self.indptr[i]), int(self.indptr[i + 1]))
        return self.indices[part], self.weights[part]


def rows_of(
    row: NDArray[np.int32], column: NDArray[np.int32], weight: NDArray[np.float32], n_rows: int
) -> Rows:
    """Return edges as compressed rows; edges named twice are added up, those that weigh nothing left out.

    Built by sorting. A walk divides by the weights of a row, so a row must never weigh nothing.
    """
    some = weight > 0
    row, column, weight = row[some], column[some], weight[some]
    order = np.lexsort((column, row))
    row, column, weight = row[order], column[order], weight[order].astype(np.float64)
    if len(row) == 0:
        return Rows(np.zeros(n_rows + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    starts = np.flatnonzero(new)
    summed = np.add.reduceat(weight, starts)
    indptr = np.searchsorted(row[starts], np.arange(n_rows + 1)).astype(np.int64)
    return Rows(indptr, column[starts].astype(np.int32), summed.astype(np.float32))
