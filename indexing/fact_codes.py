"""Codes of facts in preset light: three bits a number of a turned vector, and the scales that make them unit length.

A fact's vector is turned as that of a passage is for its sign code (``indexing.quantise``). Each number then becomes
one of eight levels, a whole number ``u`` that stands for ``2 u - 7`` steps. The levels' highest bits are the signs.
They lie together, so that the walk, which compares thousands of facts with a question, reads 48 bytes of each; the
other two bits are read of the few facts that are compared precisely.

::

    fact_signs  uint8 (n_facts, code_bytes(dim) + 4): the highest bit of each number's level, laid out as sign codes
                are; then, a float32, what to multiply an inner product with signs (-1 and 1) with
    fact_steps  uint8 (n_facts, 2 * code_bytes(dim) + 4): the second bits, then the third ones; then the same for an
                inner product with levels

A scale lies beside what it belongs to, so that it is read with it.
A scale makes the estimate of an inner product right on average, which plain rounding does not.

References
----------
Gao and Long (2024), "RaBitQ", section 3.2: the scale of an unbiased estimate from signs. Gao et al. (2024), "Practical
and Asymptotically Optimal Quantization of High-Dimensional Vectors in Euclidean Space for Approximate Nearest
Neighbor Search": more bits a number. Max (1960), "Quantizing for Minimum Distortion": the width of a step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled
from hipporag_like.indexing.quantise import code_bytes, unrotated
from hipporag_like.indexing.scales import SCALE_BYTES, scales_of, words_of

Codes = NDArray[np.uint8]
Reals = NDArray[np.float32]

# Of the spread of a turned vector's numbers, which are nearly normal: the best width of 8 even levels (Max 1960,
# table 2).
STEP = 0.5860
LEVELS = 8


def room_for_codes(n: int, dim: int) -> tuple[Codes, Codes]:
    """Return arrays for the signs and steps of ``n`` facts, all 0."""
    width = code_bytes(dim)
    return np.zeros((n, width + SCALE_BYTES), np.uint8), np.zeros((n, 2 * width + SCALE_BYTES), np.uint8)


def encode(turned: Reals, rows: NDArray[np.int64], signs: Codes, steps: Codes) -> None:
    """Write the codes of turned vectors of any length; that of a vector of zeros says 0 to every question.

    Parameters
    ----------
    turned
        float32, (n, dim).
    rows
        int64, (n,): where each one's codes go.
    signs, steps
        See :func:`room_for_codes`.
    """
    _encode(turned, rows, signs, steps, words_of(signs), words_of(steps))


@compiled
def _encode(
    turned: Reals,
    rows: NDArray[np.int64],
    signs: Codes,
    steps: Codes,
    by_signs_of: Reals,
    by_levels_of: Reals,
) -> None:
    n, dim = turned.shape
    width = signs.shape[1] - SCALE_BYTES
    for i in range(n):
        row, length = rows[i], 0.0
        signs[row], steps[row] = 0, 0
        for d in range(dim):
            length += np.float64(turned[i, d]) ** 2
        length = np.sqrt(length)
        if length == 0.0:
            continue
        step = STEP * length / np.sqrt(dim)
        by_signs, by_levels = 0.0, 0.0
        for d in range(dim):
            number = np.float64(turned[i, d])
            level = min(max(int(np.floor(number / step)) + LEVELS // 2, 0), LEVELS - 1)
            by_signs += abs(number)
            by_levels += number * (2 * level - (LEVELS - 1))
            byte, bit = d >> 3, 7 - (d & 7)
            signs[row, byte] |= np.uint8((level >> 2) << bit)
            steps[row, byte] |= np.uint8((level >> 1 & 1) << bit)
            steps[row, width + byte] |= np.uint8((level & 1) << bit)
        by_signs_of[row, -1], by_levels_of[row, -1] = length / by_signs, length / by_levels


@compiled
def decode(signs: Codes, steps: Codes, row: int, found: Reals) -> None:
    """Write what a row's levels stand for: odd whole numbers from -7 to 7, turned and without their scale.

    Parameters
    ----------
    signs, steps, row
        Codes, and which of them.
    found
        float32, (8 * the bytes of a code,): more than ``dim`` where that does not fill the code; the rest is of no use.
    """
    width = signs.shape[1] - SCALE_BYTES
    for byte in range(width):
        high, middle, low = np.int32(signs[row, byte]), np.int32(steps[row, byte]), steps[row, width + byte]
        for k in range(8):
            bit = 7 - k
            level = 4 * (high >> bit & 1) + 2 * (middle >> bit & 1) + (np.int32(low) >> bit & 1)
            found[8 * byte + k] = np.float32(2 * level - (LEVELS - 1))


def vectors_of(signs: Codes, steps: Codes, dim: int) -> Reals:
    """Return the vectors that codes stand for, turned back: float32, (n, dim), of about unit length."""
    turned = np.empty((len(signs), 8 * (signs.shape[1] - SCALE_BYTES)), np.float32)
    for row in range(len(signs)):
        decode(signs, steps, row, turned[row])
    return unrotated(turned[:, :dim] * scales_of(steps)[:, None])
