"""A sparse matrix by compressed rows, built by sorting; plain arrays, so that it can be memory-mapped."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Weights of so few kinds are kept as a byte each. Mentions weigh 1 + ln of a small count, and more in a title: of 14.5
# million edges of a million made-up passages there are 6 kinds.
MOST_KINDS = 256


RowStarts = NDArray[np.int32] | NDArray[np.int64]


def _no_kinds() -> NDArray[np.uint8]:
    return np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix by rows.

    Attributes
    ----------
    indptr
        int32, or int64 where there are more edges than that counts, (n_rows + 1,).
    indices
        int32, (n_edges,): columns, ascending within a row.
    values
        float32, positive, (n_edges,): the weights; or, where there are kinds, (n_kinds,): the weight of each kind.
    kinds
        uint8, (n_edges,): the kind of each weight; of length 0 where ``values`` has one for each edge.
    """

    indptr: RowStarts
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    kinds: NDArray[np.uint8] = field(default_factory=_no_kinds)

    @property
    def weights(self) -> NDArray[np.float32]:
        """float32, (n_edges,): the weights, made anew at each call where there are kinds."""
        return self.values[self.kinds] if len(self.kinds) else self.values

    def row(self, i: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns and weights of row ``i``."""
        part = slice(int(self.indptr[i]), int(self.indptr[i + 1]))
        weights = self.values[self.kinds[part]] if len(self.kinds) else self.values[part]
        return self.indices[part], weights


def narrow(rows: Rows) -> Rows:
    """Return the same matrix in fewer bytes, where that loses nothing: a walk reads it all over."""
    from hipporag_like.indexing.kernels import kinds_of

    values, kinds = kinds_of(rows.weights, MOST_KINDS)
    return Rows(starts32(rows.indptr), rows.indices, values, kinds)


def starts32(indptr: RowStarts) -> RowStarts:
    """Return row starts as int32, or as they are where that is too narrow."""
    return indptr if indptr[-1] > np.iinfo(np.int32).max else indptr.astype(np.int32)


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
        return Rows(np.zeros(n_rows + 1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    starts = np.flatnonzero(new)
    summed = np.add.reduceat(weight, starts)
    indptr = np.searchsorted(row[starts], np.arange(n_rows + 1)).astype(np.int64)
    return Rows(starts32(indptr), column[starts].astype(np.int32), summed.astype(np.float32))
