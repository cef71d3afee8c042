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
from hipporag_like.indexing.reading_rows import read_bytes

# The question's numbers are kept to 4 bits, as in the paper: of the best 100 of a million 99.84 % are then among the
# best 2000 by estimate, with the numbers themselves 99.85 %.
LEVEL_BITS = 4
BLOCK = 8192  # rows looked at, and where they lie in a file read, at a time: 400 kB of 48 bytes


@intrinsic  # type: ignore[untyped-decorator]
def _ones(typing: Any, word: Any) -> Any:
    """Return how many bits of a word are set: one instruction, where the processor has it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@compiled
def nearest_codes(
    file: tuple[int, int],
    codes: NDArray[np.uint64],
    question: NDArray[np.uint64],
    allowed: NDArray[np.bool_],
    wanted: int,
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return the rows nearest by Hamming distance, of equal ones the first, and their codes.

    Parameters
    ----------
    file
        The open descriptor of the file that the codes are mapped from, and where they begin in it; a descriptor of -1
        where they are to be read through the mapping.
    codes
        uint64, (n, words).
    question
        uint64, (words,).
    allowed
        bool, (n,): rows that count; of length 0 where all do.
    wanted
        At most so many, at least 1.

    Returns
    -------
    rows
        int64, ascending.
    codes
        uint64, aligned.
    """
    n, words = codes.shape
    room = 2 * wanted + BLOCK
    rows, far, kept = np.empty(room, np.int64), np.empty(room, np.int64), np.empty((room, words), np.uint64)
    counts = np.zeros(64 * words + 1, dtype=np.int64)
    block = np.empty((BLOCK if file[0] >= 0 else 0, words), np.uint64)
    m, limit = 0, 64 * words
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        here = block[:size]
        if file[0] >= 0 and read_bytes(file[0], file[1] + 8 * words * start, here.reshape(-1).view(np.uint8)):
            m = _meet(here, start, question, allowed, limit, counts, rows, far, kept, m)
        else:
            m = _meet(
                codes[start : start + size], start, question, allowed, limit, counts, rows, far, kept, m
            )
        if m > room - BLOCK:
            m, limit = _thin(wanted, counts, rows, far, kept, m)
    m, limit = _thin(wanted, counts, rows, far, kept, m)
    return rows[:m], kept[:m]


@compiled
def _meet(
    codes: NDArray[np.uint64],
    start: int,
    question: NDArray[np.uint64],
    allowed: NDArray[np.bool_],
    limit: int,
    counts: NDArray[np.int64],
    rows: NDArray[np.int64],
    far: NDArray[np.int64],
    kept: NDArray[np.uint64],
    m: int,
) -> int:
    """Add rows of a block that are not farther than ``limit`` to the ``m`` that are kept; return how many are then."""
    size, words = codes.shape
    for i in range(size):
        if len(allowed) and not allowed[start + i]:
            continue
        distance = np.uint64(0)
        for w in range(words):
            distance += _ones(codes[i, w] ^ question[w])
        counts[distance] += 1
        if np.int64(distance) <= limit:
            rows[m], far[m] = start + i, distance
            for w in range(words):
                kept[m, w] = codes[i, w]
            m += 1
    return m


@compiled
def _thin(
    wanted: int,
    counts: NDArray[np.int64],
    rows: NDArray[np.int64],
    far: NDArray[np.int64],
    kept: NDArray[np.uint64],
    m: int,
) -> tuple[int, int]:
    """Keep the nearest of the rows met so far, of equal ones the first; return how many, and how far the last one is.

    What comes later only takes places away, so that what is left out here would be left out in the end.
    """
    limit, nearer = 0, 0
    while limit < len(counts) - 1 and nearer + counts[limit] < wanted:
        nearer += counts[limit]
        limit += 1
    at_limit, left = wanted - nearer, 0
    for i in range(m):
        if far[i] > limit:
            continue
        if far[i] == limit:
            if at_limit == 0:
                continue
            at_limit -= 1
        rows[left], far[left] = rows[i], far[i]
        for w in range(kept.shape[1]):
            kept[left, w] = kept[i, w]
        left += 1
    return left, limit


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
def favoured(codes: NDArray[np.uint64], levels: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how much the question favours rows: its numbers summed, each with the sign that a row's code has there.

    In proportion to an estimate of the inner product that knows the question to 4 bits a number and the row by its
    signs (RaBitQ, section 3.3); the same constant is missing from all of them.

    Parameters
    ----------
    codes
        uint64, (n, words).
    levels
        See :func:`planes`.

    Returns
    -------
    int64, (n,)
    """
    n, words = codes.shape
    top = 2 ** len(levels) - 1
    scores = np.empty(n, dtype=np.int64)
    for i in range(n):
        total, ones = np.int64(0), np.int64(0)
        for w in range(words):
            code = codes[i, w]
            ones += np.int64(_ones(code))
            for b in range(len(levels)):
                total += np.int64(_ones(code & levels[b, w])) << b
        scores[i] = 2 * total - top * ones
    return scores
