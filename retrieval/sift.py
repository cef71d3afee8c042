"""Bytes of rows and what they say of a question, compiled; see ``hipporag_like.retrieval.sieve``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled, compiled_freely

MOST = 127  # of a byte with its sign


@compiled_freely
def encode_bytes(
    vectors: NDArray[np.float32],
    codes: NDArray[np.int8],
    scale: NDArray[np.float32],
    error: NDArray[np.float32],
) -> float:
    """Write the bytes of rows, their scales, and the lengths of what is lost; return the longest row of bytes."""
    longest = 0.0
    for i in range(len(vectors)):
        most = np.float32(0.0)
        for d in range(vectors.shape[1]):
            most = max(most, abs(vectors[i, d]))
        scale[i] = max(most / np.float32(MOST), np.float32(1e-30))
        width, levels = np.float64(scale[i]), np.float32(1.0) / scale[i]
        lost, length = 0.0, 0.0
        for d in range(vectors.shape[1]):
            level = np.int32(np.rint(vectors[i, d] * levels))
            codes[i, d] = level
            lost += (np.float64(vectors[i, d]) - level * width) ** 2
            length += (level * width) ** 2
        error[i] = np.sqrt(lost) * (1.0 + 1e-6)  # rounded up, float32 as it is
        longest = max(longest, np.sqrt(length))
    return longest


@compiled
def within_reach(
    codes: NDArray[np.int8],
    scale: NDArray[np.float32],
    error: NDArray[np.float32],
    question: NDArray[np.int16],
    step: float,
    length: float,
    slack: float,
    k: int,
) -> NDArray[np.int64]:
    """Return the rows whose inner product with the question may be among the ``k`` largest, ascending.

    Parameters
    ----------
    codes, scale, error
        See ``Sieve``.
    question, step, length
        int16, (dim,), what its numbers are to be multiplied with, and the length of the question.
    slack
        What an inner product is off at the most, beyond ``length * error``.
    k
        At least 1.
    """
    n = len(codes)
    most, best = np.empty(n), np.full(k, -np.inf)
    for i in range(n):
        dot = np.int32(0)
        for d in range(len(question)):
            dot += np.int32(codes[i, d]) * np.int32(question[d])
        # Said to have 32 bits, which it has, the sum is taken in 32 bits: a third of the time.
        about, off = step * scale[i] * np.int32(dot), error[i] * length + slack
        most[i] = about + off
        least, at = about - off, k - 1
        if least > best[at]:
            while at > 0 and best[at - 1] < least:
                best[at] = best[at - 1]
                at -= 1
            best[at] = least
    return np.flatnonzero(most >= best[k - 1])
