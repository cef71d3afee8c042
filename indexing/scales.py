"""The scale at the end of each row of codes, so that both are read at once; see ``indexing.fact_codes``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of a float32. Codes are whole words of the machine, so that a scale lies on a border of four bytes.
SCALE_BYTES = 4


def words_of(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return codes as float32, (n, bytes / 4): the last of each row is its scale, the others mean nothing."""
    return codes.view(np.float32)


def scales_of(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the scales of codes: float32, (n,)."""
    return words_of(codes)[:, -1]
