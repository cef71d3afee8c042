"""Sign codes: one bit a number of a turned vector, so that a first pass over many vectors reads a 32nd of them.

A vector is turned by a fixed random rotation, and the signs of what comes out are kept. The rotation spreads what the
vector holds over all numbers, so that the bits say equally much whatever the embedder: without it the codes of a
vector that is mostly zeros say next to nothing. Nothing is trained, so that the code of a vector depends on the
vector alone. The rotation is four rounds of random signs and a Walsh-Hadamard transform, which leaves lengths and
angles as they are, takes d log d additions, and gives the same bits for a row whatever rows come with it.

References
----------
Gao and Long (2024), "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for Approximate
Nearest Neighbor Search", section 3: sign codes of a randomly rotated vector.
Ailon and Chazelle (2009), "The Fast Johnson-Lindenstrauss Transform and Approximate Nearest Neighbors": signs and a
Hadamard transform in the place of a dense random matrix.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled

ROUNDS = 4
SEED = 6
WORD_BITS = 64  # codes end on whole words of the machine, which is how they are compared
_BLOCK = 8192  # rows turned at once: 12 MB of float32 at 384 numbers a row


def code_bytes(dim: int) -> int:
    """Return the bytes of one code: ``dim`` bits, filled up with zeros to whole words of 64 bits."""
    return -(-dim // WORD_BITS) * (WORD_BITS // 8)


def sign_codes(vectors: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return the sign codes of vectors.

    Parameters
    ----------
    vectors
        float32 or float16, (n, dim), as they are stored; may be memory-mapped. Any block of rows may be given alone:
        the code of a row depends on nothing else.

    Returns
    -------
    uint8, (n, code_bytes(dim))
        Bit ``i``, most significant first, is set where number ``i`` of the turned vector is above 0.
    """
    n, dim = vectors.shape
    codes = np.zeros((n, code_bytes(dim)), dtype=np.uint8)
    for start in range(0, n, _BLOCK):
        turned = rotated(vectors[start : start + _BLOCK])
        codes[start : start + _BLOCK, : -(-dim // 8)] = np.packbits(turned > 0, axis=1)
    return codes


def rotated(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return vectors turned by the fixed rotation; float32, (n, dim)."""
    turned = np.array(vectors, dtype=np.float32, order="C")
    if turned.size:
        _rotate(turned, _signs(turned.shape[1]))
    return turned


def unrotated(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return vectors turned back, to rounding; float32, (n, dim)."""
    turned = np.array(vectors, dtype=np.float32, order="C")
    if turned.size:
        _rotate_back(turned, _signs(turned.shape[1]))
    return turned


@lru_cache(maxsize=8)
def _signs(dim: int) -> NDArray[np.float32]:
    """Return the random signs; float32, (ROUNDS, dim).

    From numpy's ``RandomState``, whose streams are promised never to change: codes are kept on disk.
    """
    bits = np.random.RandomState(SEED).randint(0, 2, size=(ROUNDS, dim))
    signs = (2 * bits - 1).astype(np.float32)
    signs.flags.writeable = False
    return signs


@compiled
def _rotate(rows: NDArray[np.float32], signs: NDArray[np.float32]) -> None:
    """Turn rows where they are: signs, then a transform of the first or the last ``2 ** m`` numbers, by turns.

    The largest power of two is at least half of ``dim``, so that the two stretches overlap and all numbers mix.
    """
    for i in range(len(rows)):
        for turn in range(len(signs)):
            _flip(rows[i], signs[turn])
            _mix(rows[i], turn)


@compiled
def _rotate_back(rows: NDArray[np.float32], signs: NDArray[np.float32]) -> None:
    """Undo :func:`_rotate`: both of its steps undo themselves."""
    for i in range(len(rows)):
        for turn in range(len(signs) - 1, -1, -1):
            _mix(rows[i], turn)
            _flip(rows[i], signs[turn])


@compiled
def _flip(row: NDArray[np.float32], signs: NDArray[np.float32]) -> None:
    for c in range(len(row)):
        row[c] *= signs[c]


@compiled
def _mix(row: NDArray[np.float32], turn: int) -> None:
    size = 1
    while 2 * size <= len(row):
        size *= 2
    scale = np.float32(1.0 / np.sqrt(size))
    part = row[:size] if turn % 2 == 0 else row[len(row) - size :]
    step = 1
    while step < size:
        for start in range(0, size, 2 * step):
            for c in range(start, start + step):
                a, b = part[c], part[c + step]
                part[c], part[c + step] = a + b, a - b
        step *= 2
    for c in range(size):
        part[c] *= scale
