"""Chosen rows of an array of a snapshot: of a large one read from its file, so that little of it comes into memory.

Where a page of a mapped file is touched, a system maps what lies around it (Linux 64 KiB), so that a thousand rows
anywhere take a process 64 MB. What is read takes the bytes of the rows, and a microsecond a row more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.ragged import fixed


@dataclass(frozen=True, slots=True)
class StoredRows:
    """An array by rows, read-only.

    Attributes
    ----------
    array
        (n, width); large ones are memory-mapped.
    descriptor
        Of the open file that ``array`` is mapped from, which is open as long as ``array`` lives; -1 where rows are to
        be read through ``array``.
    offset
        Where row 0 begins in the file, in bytes.
    """

    array: NDArray[Any]
    descriptor: int = -1
    offset: int = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.array)

    def take(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return some rows, in that order; those that follow one another are read at once.

        Parameters
        ----------
        rows
            int64, (n,), each from 0 to the number of rows.

        Returns
        -------
        (n, width), of the array's type
        """
        if self.descriptor >= 0:
            from hipporag_like.indexing.reading_rows import read_rows

            taken = np.empty((len(rows), *self.array.shape[1:]), self.array.dtype)
            where = taken.reshape(-1).view(np.uint8)
            if read_rows(self.descriptor, self.offset, self.array.strides[0], fixed(rows), where):
                return taken
        chosen: NDArray[Any] = self.array[rows]
        return chosen


Table = NDArray[Any] | StoredRows


def chosen(table: Table, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Return some rows of an array, or of a stored one."""
    found: NDArray[Any] = table.take(rows) if isinstance(table, StoredRows) else table[rows]
    return found
