"""How like a question a fact is, compiled into the walk, which asks for one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled, compiled_freely, inlined
from hipporag_like.indexing.scales import SCALE_BYTES
from hipporag_like.retrieval.compiled import float_of_half, prefetch
from hipporag_like.retrieval.similarity import HALF, SINGLE, FactArrays

BYTE = 256


@compiled
def sums_by_byte(turned: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sums of the numbers whose bits are set, for each byte of a code and each value it may have.

    Parameters
    ----------
    turned
        float32, (8 * bytes,): a turned question, zeros where the code has no number.

    Returns
    -------
    float32, (256 * bytes + 1,)
        The last one is the sum of all numbers.
    """
    sums = np.zeros(len(turned) // 8 * BYTE + 1, np.float32)
    for byte in range(len(turned) // 8):
        for value in range(1, BYTE):
            bit = 0
            while not value >> bit & 1:
                bit += 1
            at = byte * BYTE + value
            sums[at] = sums[at ^ (1 << bit)] + turned[8 * byte + 7 - bit]
        sums[len(sums) - 1] += sums[byte * BYTE + BYTE - 1]
    return sums


@inlined
def likeness_of(facts: FactArrays, fact: int, question: NDArray[np.float32]) -> Any:
    """Return the inner product of a fact and a question, which is as ``FactVectors.asked`` gives it."""
    dot = np.float32(0.0)
    if facts.kind == SINGLE:
        for d in range(len(question)):
            dot += facts.single[fact, d] * question[d]
        return dot
    if facts.kind == HALF:
        for d in range(len(question)):
            dot += float_of_half(facts.half[fact, d]) * question[d]
        return dot
    for byte in range(facts.signs.shape[1] - SCALE_BYTES):
        dot += question[byte * BYTE + facts.signs[fact, byte]]
    return (2 * dot - question[len(question) - 1]) * facts.words[fact, facts.words.shape[1] - 1]


@inlined
def ask_for(facts: FactArrays, fact: int) -> None:
    """Ask the memory for what :func:`likeness_of` reads of a fact; of a vector for its beginning."""
    if facts.kind == SINGLE:
        prefetch(facts.single, fact)
    elif facts.kind == HALF:
        prefetch(facts.half, fact)
    else:
        prefetch(facts.signs, fact)
        prefetch(facts.words[:, facts.words.shape[1] - 1], fact)


@compiled_freely
def likenesses(
    facts: FactArrays, rows: NDArray[np.int64], question: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return how the walk sees chosen facts: float64, (n_rows,); see :func:`likeness_of`."""
    found = np.empty(len(rows))
    for i in range(len(rows)):
        found[i] = likeness_of(facts, rows[i], question)
    return found
