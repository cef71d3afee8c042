"""Which rows can be among the nearest, by a byte a number; exact, for the bytes come with a bound of their error.

To compare a question with every row as it is stored takes as long as the memory takes to hand out the rows. Bytes are
a quarter of that. Of each row ``f`` they make ``g = scale * bytes``, and ``|q f - q g| <= |q| |f - g|``: a row is left
out where even so it is less like the question than the k-th best is at the least. What is left is compared as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment

# Fewer rows are compared as they are: 0.25 ms for so many of 384 numbers.
LEAST_ROWS = 4096
# More wanted rows than this, or longer vectors, are searched for without bytes: the best are kept in order by shifting
# them, and sums of 127 * 2047 a number stay below 2^31.
MOST_WANTED, MOST_NUMBERS = 1000, 8192
QUESTION_LEVELS = 2047
_BLOCK = 8192  # rows of float16 are made float32 so many at a time


@dataclass(frozen=True, slots=True)
class Sieve:
    """Rows by a byte a number; 17 MB for the 45,000 facts of 10,000 passages.

    Attributes
    ----------
    codes
        int8, (n, dim).
    scale, error
        float32, (n,): what a row's bytes are to be multiplied with, and how far that is from the row, at the most.
    longest
        Length of the longest row of bytes times scale.
    """

    codes: NDArray[np.int8]
    scale: NDArray[np.float32]
    error: NDArray[np.float32]
    longest: float


_SIEVES: WeakKeyDictionary[Segment, dict[str, Sieve | None]] = WeakKeyDictionary()


def promising(segment: Segment, kind: str, vector: NDArray[np.float32], k: int) -> NDArray[np.int64] | None:
    """Return rows among which the ``k`` nearest are, ascending; None where all have to be compared.

    The first question to a segment is answered without, for who asks one should not wait for bytes to be made.

    Parameters
    ----------
    segment, kind
        ``passage`` or ``fact``.
    vector
        float32, (dim,).
    k
        How many, at least 1.
    """
    vectors = segment.array(f"{kind}_vectors")
    if len(vectors) < LEAST_ROWS or vectors.shape[1] > MOST_NUMBERS or k > MOST_WANTED:
        return None
    known = _SIEVES.setdefault(segment, {})
    if kind not in known:
        known[kind] = None
        return None
    sieve = known[kind]
    if sieve is None:
        sieve = known[kind] = sieve_of(vectors)
    rows = sift(sieve, vector, k)
    return rows if len(rows) < len(vectors) // 4 else None


def sieve_of(vectors: NDArray[np.floating]) -> Sieve:
    """Return rows of float32 or float16, (n, dim), by bytes."""
    from hipporag_like.retrieval.sift import encode_bytes

    n, dim = vectors.shape
    codes, scale, error = np.empty((n, dim), np.int8), np.empty(n, np.float32), np.empty(n, np.float32)
    longest = 0.0
    for start in range(0, n, _BLOCK):
        part = slice(start, start + _BLOCK)
        block = np.ascontiguousarray(vectors[part], dtype=np.float32)
        block.flags.writeable = False
        longest = max(longest, encode_bytes(block, codes[part], scale[part], error[part]))
    return Sieve(codes, scale, error, longest)


def sift(sieve: Sieve, vector: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the rows that can be among the ``k`` nearest, ascending."""
    from hipporag_like.retrieval.sift import within_reach

    asked = vector.astype(np.float64)
    length, step = float(np.linalg.norm(asked)), max(float(np.abs(asked).max()), 1e-30) / QUESTION_LEVELS
    levels = np.rint(asked / step)
    # The question's own rounding, and that of the comparison that follows, in float32 and in any order.
    slack = sieve.longest * float(np.linalg.norm(asked - step * levels))
    slack += len(vector) * 2.0**-23 * length * (sieve.longest + float(sieve.error.max()))
    question = levels.astype(np.int16)
    return within_reach(sieve.codes, sieve.scale, sieve.error, question, step, length, slack, k)
