"""A sparse matrix by compressed rows, built by sorting; plain arrays, so that it can be memory-mapped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Weights of so few kinds are kept in the last bits of the columns. Mentions weigh 1 + ln of a small count, and more in
# a title: of 14.5 million edges of a million made-up passages there are 6 kinds.
MOST_KINDS = 256
RowStarts = NDArray[np.int32] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix by rows.

    Attributes
    ----------
    indptr
        int32, or int64 where there are more edges than that counts, (n_rows + 1,).
    edges
        int32, (n_edges,): columns, ascending within a row; where there are ``bits``, shifted by so many, and the kind
        of the edge's weight in these.
    values
        float32, positive, (n_edges,): the weights; where there are ``bits``, (n_kinds,): the weight of each kind.
    bits
        0, or how many tell the kind.
    """

    indptr: RowStarts
    edges: NDArray[np.int32]
    values: NDArray[np.float32]
    bits: int = 0

    @property
    def indices(self) -> NDArray[np.int32]:
        """int32, (n_edges,): the columns; made anew at each call where there are kinds."""
        return self.edges >> self.bits if self.bits else self.edges

    @property
    def weights(self) -> NDArray[np.float32]:
        """float32, (n_edges,): the weights; made anew at each call where there are kinds."""
        return self.values[self.edges & ((1 << self.bits) - 1)] if self.bits else self.values

    def row(self, i: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns and weights of row ``i``."""
        return self.part(int(self.indptr[i]), int(self.indptr[i + 1]))

    def part(self, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns and weights of the edges from ``start`` to ``stop``."""
        part = slice(start, stop)
        edges = self.edges[part]
        if not self.bits:
            return edges, self.values[part]
        return edges >> self.bits, self.values[edges & ((1 << self.bits) - 1)]


def narrow(rows: Rows) -> Rows:
    """Return the same matrix in fewer bytes, where that loses nothing: a walk reads it all over."""
    from hipporag_like.indexing.kernels import kinds_of

    indptr, columns = starts32(rows.indptr), rows.indices
    values, kinds = kinds_of(rows.weights, MOST_KINDS)
    bits = bits_for(len(values))
    if len(kinds) == 0 or int(columns.max()) >= 1 << (31 - bits):
        return Rows(indptr, columns, rows.weights)
    return Rows(indptr, columns << bits | kinds, values, bits)


def bits_for(kinds: int) -> int:
    """Return how many bits tell so many kinds apart, at least 1."""
    return max(1, (kinds - 1).bit_length())


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
