"""A first pass over sign codes, compiled: the rows whose codes are nearest, then those that the question favours.

See ``hipporag_like.indexing.quantise`` for the codes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled

# The question's numbers are kept to 4 bits, as in the paper: of the best 100 of a million 99.84 % are then among the
# best 2000 by estimate, with the numbers themselves 99.85 %.
LEVEL_BITS = 4


@intrinsic  # type: ignore[untyped-decorator]
def _ones(typing: Any, word: Any) -> Any:
    """Return how many bits of a word are set: one instruction, where the processor has it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@compiled
def distances(
    codes: NDArray[np.uint64],
    question: NDArray[np.uint64],
    allowed: NDArray[np.bool_],
    found: NDArray[np.uint16],
    counts: NDArray[np.int64],
) -> None:
    """Write the Hamming distance of each row into ``found`` and count how often each distance comes.

    Parameters
    ----------
    codes
        uint64, (n, words).
    question
        uint64, (words,).
    allowed
        bool, (n,): rows that count; of length 0 where all do.
    found
        uint16, (n,); written where a row counts.
    counts
        int64, (64 * words + 1,), zeros.
    """
    n, words = codes.shape
    for i in range(n):
        if len(allowed) and not allowed[i]:
            continue
        distance = np.uint64(0)
        for w in range(words):
            distance += _ones(codes[i, w] ^ question[w])
        found[i] = distance
        counts[distance] += 1


@compiled
def within(
    found: NDArray[np.uint16], allowed: NDArray[np.bool_], limit: int, at_limit: int, rows: NDArray[np.int64]
) -> int:
    """Collect the rows nearer than ``limit`` and the first ``at_limit`` rows at it; return how many."""
    m = 0
    for i in range(len(found)):
        if found[i] > limit or (len(allowed) and not allowed[i]):
            continue
        if found[i] == limit:
            if at_limit == 0:
                continue
            at_limit -= 1
        rows[m] = i
        m += 1
    return m


def planes(question: NDArray[np.float32], words: int) -> NDArray[np.uint64]:
    """Return a turned question in whole numbers from 0 to 15, bit by bit.

    Parameters
    ----------
    question
        float32, (dim,).
    words
        Of one code.

    Returns
    -------
    uint64, (LEVEL_BITS, words)
        Bit ``b`` of every number, laid out as codes are. Whole number ``u`` stands for ``u - 7.5`` steps; the
        question's largest number is 7.5 of them.
    """
    top = 2**LEVEL_BITS - 1
    step = max(float(np.abs(question).max(initial=0.0)), 1e-30) * 2 / top
    levels = np.clip(np.rint(question / step + top / 2), 0, top).astype(np.uint8)
    bits = np.zeros((LEVEL_BITS, 64 * words), dtype=np.uint8)
    bits[:, : len(question)] = levels >> np.arange(LEVEL_BITS, dtype=np.uint8)[:, None] & 1
    return np.packbits(bits, axis=1).view(np.uint64)


@compiled
def favoured(
    codes: NDArray[np.uint64], rows: NDArray[np.int64], levels: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Return how much the question favours rows: its numbers summed, each with the sign that a row's code has there.

    In proportion to an estimate of the inner product that knows the question to 4 bits a number and the row by its
    signs (RaBitQ, section 3.3); the same constant is missing from all of them.

    Parameters
    ----------
    codes
        uint64, (n, words).
    rows
        int64, (m,).
    levels
        See :func:`planes`.

    Returns
    -------
    int64, (m,)
    """
    words, top = codes.shape[1], 2 ** len(levels) - 1
    scores = np.empty(len(rows), dtype=np.int64)
    for i in range(len(rows)):
        total, ones = np.int64(0), np.int64(0)
        for w in range(words):
            code = codes[rows[i], w]
            ones += np.int64(_ones(code))
            for b in range(len(levels)):
                total += np.int64(_ones(code & levels[b, w])) << b
        scores[i] = 2 * total - top * ones
    return scores
