"""The small functions that are compiled into others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import inlined


@inlined
def float_of_half(bits: Any) -> Any:
    """Return the float32 of a finite float16 that is given by its bits.

    Shifted to where float32 keeps them, exponent and mantissa are the number times 2^-112, also below the least
    normal number. A compiler makes vectors of this; it has no numba float16 to do so with.
    """
    number = np.uint32(bits)
    moved = ((number & np.uint32(0x8000)) << np.uint32(16)) | ((number & np.uint32(0x7FFF)) << np.uint32(13))
    return np.uint32(moved).view(np.float32) * np.float32(2.0**112)


@inlined
def word_place(table: NDArray[Any], key: Any) -> Any:
    """Return where ``key`` stands in a table by open addressing, or the free place (-1) where it belongs.

    Parameters
    ----------
    table
        Whole numbers, -1 where free; a power of two long, and never full.
    key
        At least 0.
    """
    # Fibonacci hashing (Knuth, volume 3, section 6.4): the high half of a product with 2^64 over the golden ratio.
    at = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & (len(table) - 1)
    while table[at] != key and table[at] >= 0:
        at = (at + 1) & (len(table) - 1)
    return at
