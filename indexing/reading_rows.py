"""Rows of an open file, compiled: one after the other without Python, and without its lock, in between.

Where there is no ``pread`` with 64-bit offsets, nothing is read; ``hipporag_like.store.reader`` then keeps none open.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled
from hipporag_like.store.reader import HAS_PREAD

# Known by its name, so that compiled code can be kept on disk: what the process has loaded is asked for it.
_pread = types.ExternalFunction("pread", types.intp(types.intc, types.uintp, types.uintp, types.int64))
_AT_ONCE = 1 << 20  # bytes of rows that follow one another


if HAS_PREAD:

    @compiled
    def read_bytes(descriptor: int, place: int, out: NDArray[np.uint8]) -> bool:
        """Read what stands at a place of an open file into ``out``; False where that cannot be read as a whole."""
        done = 0
        while done < len(out):
            start, length = np.uintp(out.ctypes.data + done), np.uintp(len(out) - done)
            got = _pread(np.int32(descriptor), start, length, np.int64(place + done))
            if got <= 0:
                return False
            done += got
        return True
else:

    @compiled
    def read_bytes(descriptor: int, place: int, out: NDArray[np.uint8]) -> bool:
        """Return False: what is to be read is read through the mapping."""
        return False


@compiled
def read_rows(
    descriptor: int, offset: int, size: int, rows: NDArray[np.int64], out: NDArray[np.uint8]
) -> bool:
    """Read rows end to end into ``out``; False where a row cannot be read as a whole.

    Parameters
    ----------
    descriptor, offset, size
        An open file, where its row 0 begins, and the bytes of a row, at least 1.
    rows
        int64, (n,).
    out
        uint8, (n * size,).
    """
    first, most = 0, max(_AT_ONCE // size, 1)
    while first < len(rows):
        last = first + 1
        while last < len(rows) and rows[last] == rows[last - 1] + 1 and last - first < most:
            last += 1
        if not read_bytes(descriptor, offset + rows[first] * size, out[first * size : last * size]):
            return False
        first = last
    return True
