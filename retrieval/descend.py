"""What a search needs compiled besides the walk: rows down decision trees, and cosines of chosen rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled_freely
from hipporag_like.indexing.fact_codes import decode
from hipporag_like.retrieval.compiled import float_of_half


def descend(
    table: NDArray[np.float32],
    instead: NDArray[np.float32],
    roots: NDArray[np.int32],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float64],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    leaf: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's sum of leaves, and the sums where one column has the value in ``instead``.

    A tree is gone down again only for the columns that it asks for on a row's way; ``instead`` may be empty. See
    ``hipporag_like.retrieval.trees.Trees``.
    """
    n, columns, walks = len(table), len(instead), 0
    total, changed = np.zeros(n), np.zeros((n, columns))
    asked, other = np.zeros(columns, dtype=np.int64), np.empty(columns)
    for row in range(n):
        for root in roots:
            node, walks = root, walks + 1
            while node >= 0:
                column = feature[node]
                if columns > 0 and asked[column] != walks:
                    end = node
                    while end >= 0:
                        value = instead[column] if feature[end] == column else table[row, feature[end]]
                        end = left[end] if value <= threshold[end] else right[end]
                    asked[column], other[column] = walks, leaf[-end - 1]
                node = left[node] if table[row, column] <= threshold[node] else right[node]
            total[row] += leaf[-node - 1]
            for column in range(columns):
                changed[row, column] += other[column] if asked[column] == walks else leaf[-node - 1]
    return total, changed


def cosines_of(
    vectors: NDArray[np.float32] | NDArray[np.int8], rows: NDArray[np.int64], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return inner products of chosen rows with each asked vector; float64, (n_rows, n_asked).

    Each pair is summed in the same order wherever its row stands, which a BLAS does not promise: the order of a
    corpus must not change a score.
    """
    found = np.empty((len(rows), len(asked)))
    vector = np.empty(vectors.shape[1], dtype=np.float32)
    for i in range(len(rows)):
        for d in range(len(vector)):
            vector[d] = vectors[rows[i], d]
        for j in range(len(asked)):
            total = np.float32(0.0)
            for d in range(len(vector)):
                total += vector[d] * asked[j, d]
            found[i, j] = total
    return found


def cosines_of_half(
    vectors: NDArray[np.uint16], rows: NDArray[np.int64], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the same of float16 seen as uint16."""
    found = np.empty((len(rows), len(asked)))
    vector = np.empty(vectors.shape[1], dtype=np.float32)
    for i in range(len(rows)):
        for d in range(len(vector)):
            vector[d] = float_of_half(vectors[rows[i], d])
        for j in range(len(asked)):
            total = np.float32(0.0)
            for d in range(len(vector)):
                total += vector[d] * asked[j, d]
            found[i, j] = total
    return found


def cosines_of_codes(
    signs: NDArray[np.uint8],
    steps: NDArray[np.uint8],
    words: NDArray[np.float32],
    asked: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return the same of all of some codes (``indexing.fact_codes``), whose steps are also given as ``words_of`` them.

    The vectors are turned and as long as the codes.
    """
    found = np.empty((len(signs), len(asked)))
    vector = np.empty(asked.shape[1], dtype=np.float32)
    for i in range(len(signs)):
        decode(signs, steps, i, vector)
        for j in range(len(asked)):
            total = np.float32(0.0)
            for d in range(len(vector)):
                total += vector[d] * asked[j, d]
            found[i, j] = total * words[i, words.shape[1] - 1]
    return found


descend = compiled_freely(descend)
cosines_of = compiled_freely(cosines_of)
cosines_of_half = compiled_freely(cosines_of_half)
cosines_of_codes = compiled_freely(cosines_of_codes)
